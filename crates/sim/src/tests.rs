//! The judges see what they are for: each planted bug is caught, the same seeds without it are not, and a seed is one
//! history.

use crate::{Planted, Prepared, simulate};
use std::collections::{BTreeMap, BTreeSet};

/// Seeds that a planted bug may take to be caught.
const SEEDS: u64 = 40;

/// The first seed that shows a bug.
fn caught(planted: Planted) -> u64 {
    let prepared = Prepared::new().unwrap();
    let found = (0..SEEDS).find(|seed| simulate(&prepared, *seed, Some(planted)).is_err());
    let seed = found.unwrap_or_else(|| panic!("{planted:?} is not caught in {SEEDS} seeds"));
    println!("{planted:?}: {}", simulate(&prepared, seed, Some(planted)).unwrap_err());
    // The same seed is clean without the bug.
    simulate(&prepared, seed, None).unwrap();
    seed
}

#[test]
fn a_lost_conflict_is_caught() {
    caught(Planted::LostConflict);
}

#[test]
fn an_expiry_that_is_off_by_one_is_caught() {
    caught(Planted::LateExpiry);
}

#[test]
fn a_missing_index_delete_is_caught() {
    caught(Planted::MissingIndexDelete);
}

#[test]
fn an_unscoped_read_is_caught() {
    caught(Planted::UnscopedRead);
}

#[test]
fn a_lease_that_is_never_deleted_is_caught() {
    caught(Planted::LeaseNeverDeleted);
}

#[test]
fn the_same_seed_gives_the_same_trace_and_another_one_another() {
    let runs = |seed| simulate(&Prepared::new().unwrap(), seed, None).unwrap();
    let first = runs(1);
    assert_eq!(first, runs(1));
    assert_ne!(first.trace, runs(2).trace);
}

#[test]
fn every_operation_comes_to_pass() {
    let prepared = Prepared::new().unwrap();
    let mut seen: BTreeMap<(String, u16), u64> = BTreeMap::new();
    for seed in 0..80 {
        for (answer, times) in simulate(&prepared, seed, None).unwrap().answers {
            *seen.entry(answer).or_default() += times;
        }
    }
    let names: BTreeSet<&String> = seen.keys().map(|(name, _)| name).collect();
    for name in names {
        let succeeded = seen.get(&(name.clone(), 200)).copied().unwrap_or_default();
        println!("{name}: {succeeded} times");
        assert!(succeeded >= 3, "{name} succeeded {succeeded} times");
    }
    // What is refused for another reason than rights.
    for (name, status) in [
        ("PutVersion", 400),
        ("Unwrap", 400),
        ("Login", 400),
        ("Login", 403),
        ("Lease", 429),
        ("Get", 503),
        ("Renew", 400),
    ] {
        assert!(seen.contains_key(&(name.to_owned(), status)), "{name} never had status {status}");
    }
}
