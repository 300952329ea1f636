//! Replay and mutation.

use crate::targets::{self, Target};
use crypto::SeededRandomness;
use engine::Randomness;
use std::path::PathBuf;

/// Mutated inputs for each input of a corpus.
const MUTATIONS: u32 = 40;
/// Bytes of an input.
const INPUT_BYTES_MAX: usize = 1 << 17;

fn corpus(name: &str) -> Vec<Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus").join(name);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.iter().map(|path| std::fs::read(path).unwrap()).collect()
}

fn target(name: &str) -> Target {
    targets::ALL.iter().find(|(known, _)| *known == name).unwrap().1
}

/// Feeds a corpus, and its inputs with bytes flipped, removed, doubled and spliced from fixed randomness.
fn replay(name: &str) {
    let inputs = corpus(name);
    assert!(inputs.len() >= 5, "the corpus of {name} has {} inputs", inputs.len());
    let target = target(name);
    let mut random = SeededRandomness::new(45);
    for input in &inputs {
        target(input);
        for _ in 0..MUTATIONS {
            target(&mutated(input, &inputs, &mut random));
        }
    }
}

fn mutated(input: &[u8], inputs: &[Vec<u8>], random: &mut SeededRandomness) -> Vec<u8> {
    let mut below = |bound: usize| usize::try_from(random.below(bound.max(1) as u64)).unwrap();
    let mut bytes = input.to_vec();
    for _ in 0..=below(4) {
        let at = below(bytes.len() + 1);
        match below(5) {
            0 if at < bytes.len() => bytes[at] ^= 1 << below(8),
            1 if at < bytes.len() => drop(bytes.remove(at)),
            2 => bytes.insert(at, u8::try_from(below(256)).unwrap()),
            3 => bytes.truncate(at),
            _ => {
                let other = &inputs[below(inputs.len())];
                let tail = &other[below(other.len() + 1)..];
                bytes.truncate(at);
                bytes.extend_from_slice(tail);
            }
        }
    }
    bytes.truncate(INPUT_BYTES_MAX);
    bytes
}

#[test]
fn f45_path() {
    replay("path");
}

#[test]
fn f45_json() {
    replay("json");
}

#[test]
fn f45_policy() {
    replay("policy");
}

#[test]
fn f45_duration() {
    replay("duration");
}

#[test]
fn f45_token() {
    replay("token");
}

#[test]
fn f45_record() {
    replay("record");
}

#[test]
fn f45_share() {
    replay("share");
}

#[test]
fn f45_journal() {
    replay("journal");
}

#[test]
fn f45_replica() {
    replay("replica");
}

/// A corpus that is refused as a whole would test nothing.
#[test]
fn f45_the_corpora_hold_what_is_accepted() {
    let whole_journal =
        corpus("journal").into_iter().filter_map(|bytes| store::local::image::read_journal(&bytes).ok());
    assert_eq!(whole_journal.map(|commits| commits.len()).max(), Some(6));
    assert!(corpus("replica").iter().any(|bytes| store::local::image::read_replica(bytes).is_ok()));
    let text = |name: &str| corpus(name).into_iter().filter_map(|bytes| String::from_utf8(bytes).ok());
    assert!(text("policy").filter(|text| kernel::policy::Policy::parse(text).is_ok()).count() > 6);
    assert!(text("path").filter(|text| wire::RequestPath::from_raw(text).is_ok()).count() > 6);
    assert!(corpus("json").iter().filter(|bytes| server::http::strict_json(bytes).is_ok()).count() > 4);
}

#[test]
fn f45_every_target_is_replayed() {
    let tested = include_str!("replay.rs");
    for (name, _) in targets::ALL {
        assert!(tested.contains(&format!("replay(\"{name}\")")), "{name} is not replayed");
    }
}
