//! The chain.

mod devices;

use super::chain::Chain;
use super::verify::{Broken, BrokenKind, Summary, verify};

/// So many lines of one device.
fn lines(count: usize) -> Vec<String> {
    let mut chain = Chain::default();
    let mut out = Vec::new();
    for number in 0..count {
        chain.append(format!("{{\"type\":\"request\",\"n\":{number}}}").as_bytes(), &mut out);
    }
    String::from_utf8(out).unwrap().lines().map(str::to_owned).collect()
}

/// A line that follows another and hashes rightly, as somebody makes it who knows how.
fn forged(object: &str, count: u64, previous: &str) -> String {
    let mut chain = Chain { count: count - 1, last: previous.to_owned() };
    let mut out = Vec::new();
    chain.append(object.as_bytes(), &mut out);
    String::from_utf8(out).unwrap().trim_end().to_owned()
}

fn hash(line: &str) -> &str {
    super::chain::parse(line).unwrap().hash
}

fn verdict(lines: &[String]) -> Result<Summary, Broken> {
    verify(lines.join("\n").as_bytes())
}

#[test]
fn a_whole_chain_verifies_wherever_its_file_begins() {
    let whole = lines(5);
    let last = hash(&whole[4]).to_owned();
    assert_eq!(verdict(&whole), Ok(Summary { lines: 5, first: 1, last: 5, hash: last.clone() }));
    assert_eq!(verdict(&whole[2..]), Ok(Summary { lines: 3, first: 3, last: 5, hash: last }));
    assert_eq!(verdict(&[]), Ok(Summary::default()));
}

#[test]
fn the_first_line_that_was_removed_added_or_edited_is_named() {
    let whole = lines(6);
    let with = |change: &dyn Fn(&mut Vec<String>)| {
        let mut lines = whole.clone();
        change(&mut lines);
        let Broken { line, kind } = verdict(&lines).unwrap_err();
        (line, kind)
    };
    let edited = with(&|lines| lines[2] = lines[2].replace("\"n\":2", "\"n\":7"));
    assert_eq!(edited, (3, BrokenKind::Edited));
    let chain_edited = with(&|lines| lines[2] = lines[2].replace("\"seq\":3", "\"seq\":4"));
    assert_eq!(chain_edited, (3, BrokenKind::Edited));
    let edited_with_a_new_hash = with(&|lines| lines[2] = forged("{\"n\":7}", 3, hash(&whole[1])));
    assert_eq!(edited_with_a_new_hash, (3, BrokenKind::Edited));
    let removed = with(&|lines| drop(lines.drain(1..3)));
    assert_eq!(removed, (2, BrokenKind::Removed { missing: 2 }));
    let copied = with(&|lines| lines.insert(3, whole[1].clone()));
    assert_eq!(copied, (4, BrokenKind::Added));
    let doubled = with(&|lines| lines.insert(3, whole[2].clone()));
    assert_eq!(doubled, (4, BrokenKind::Added));
    let forged_between = with(&|lines| lines.insert(3, forged("{\"n\":7}", 4, hash(&whole[2]))));
    assert_eq!(forged_between, (4, BrokenKind::Added));
    let foreign = with(&|lines| lines.insert(2, "{\"type\":\"request\"}".to_owned()));
    assert_eq!(foreign, (3, BrokenKind::NotAnEntry));
    let prefixed = with(&|lines| lines[2].insert(0, '#'));
    assert_eq!(prefixed, (3, BrokenKind::NotAnEntry));
    let spelled_otherwise = with(&|lines| lines[2] = lines[2].replace("\"seq\":3", "\"seq\":+3"));
    assert_eq!(spelled_otherwise, (3, BrokenKind::NotAnEntry));
    let shortened = with(&|lines| lines[5].truncate(20));
    assert_eq!(shortened, (6, BrokenKind::NotAnEntry));
    let swapped = with(&|lines| lines.swap(2, 3));
    assert_eq!(swapped, (3, BrokenKind::Removed { missing: 1 }));
}
