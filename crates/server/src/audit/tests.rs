//! The chain and the devices.

use super::chain::Chain;
use super::verify::{Breach, Verdict, verify};
use super::*;

fn lines(count: usize) -> Vec<String> {
    let mut chain = Chain::default();
    let mut out = Vec::new();
    for number in 0..count {
        chain.append(format!("{{\"type\":\"request\",\"n\":{number}}}").as_bytes(), &mut out);
    }
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

fn verdict(lines: &[String]) -> Verdict {
    verify(lines.join("\n").as_bytes(), true).unwrap()
}

#[test]
fn a_whole_chain_verifies_and_names_the_first_line_that_was_touched() {
    let whole = lines(5);
    assert_eq!(verdict(&whole), Verdict::Whole { lines: 5, first: 1 });

    let mut edited = whole.clone();
    edited[2] = edited[2].replace("\"n\":2", "\"n\":7");
    assert_eq!(verdict(&edited), Verdict::Broken { line: 3, why: Breach::Edited });

    let mut removed = whole.clone();
    removed.remove(1);
    assert_eq!(verdict(&removed), Verdict::Broken { line: 2, why: Breach::Removed });

    let mut first_removed = whole.clone();
    first_removed.remove(0);
    assert_eq!(verdict(&first_removed), Verdict::Broken { line: 1, why: Breach::Removed });

    let mut added = whole.clone();
    added.insert(3, whole[1].clone());
    assert_eq!(verdict(&added), Verdict::Broken { line: 4, why: Breach::Added });

    let mut foreign = whole.clone();
    foreign.insert(2, "{\"type\":\"request\"}".to_owned());
    assert_eq!(verdict(&foreign), Verdict::Broken { line: 3, why: Breach::NoEntry });
}

#[test]
fn s33_s34_options_that_turn_a_log_into_something_else_are_refused() {
    let options = |pairs: &[(&str, &str)]| pairs.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect();
    let open = |pairs: &[(&str, &str)]| {
        Device::open(
            "file/",
            "",
            "file",
            &options(pairs),
            Default::default(),
            engine::crypto::MacKey::new(&[0; 32]),
            Default::default(),
        )
        .map(|_| ())
    };
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("audit.log");
    let path = file.to_str().unwrap();
    assert!(open(&[("file_path", path)]).is_ok());
    for bad in [
        vec![("file_path", path), ("prefix", "#!/bin/sh\n")],
        vec![("file_path", path), ("mode", "0755")],
        vec![("file_path", path), ("path", path)],
        vec![("file_path", "/proc/self/mem")],
        vec![("path", "/proc/self/mem")],
        vec![],
    ] {
        assert!(open(&bad).is_err(), "{bad:?}");
    }
    let link = folder.path().join("link");
    std::os::unix::fs::symlink(&file, &link).unwrap();
    assert!(open(&[("file_path", link.to_str().unwrap())]).is_err());
    assert!(open(&[("path", link.to_str().unwrap())]).is_err());
    use std::os::unix::fs::PermissionsExt;
    assert_eq!(std::fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
}
