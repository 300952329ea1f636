use super::*;
use crate::fixture::{KIND, NOW, World};
use crypto::SeededRandomness;
use std::sync::Arc;

const LATER: Moment = NOW.plus_seconds(TRANSACTION_SECONDS_MAX);

fn rotate(world: &mut World) {
    let mut tx = world.tx();
    let barrier = Arc::clone(&world.barrier);
    barrier.rotate(&mut tx, NOW, &mut world.randomness).unwrap();
    world.commit(tx).unwrap();
    world.refresh();
}

/// Runs passes until one is clean or does not prove anything; returns it and the number of steps.
fn run(world: &mut World, now: Moment, limit: usize) -> (Option<CleanPass>, usize) {
    let mut steps = 0;
    for _ in 0..3 {
        let mut pass = world.barrier.reencryption(now).unwrap();
        loop {
            steps += 1;
            world.refresh();
            let mut randomness = SeededRandomness::new(steps as u64);
            match world.barrier.reencrypt(&*world.snapshot(), &pass, limit, &mut randomness).unwrap() {
                PassStep::More { commit, pass: next } => {
                    assert!(commit.batch.changes.len() <= limit);
                    world.submit(commit).unwrap();
                    pass = next;
                }
                PassStep::Again { commit } => {
                    world.submit(commit).unwrap();
                    break;
                }
                PassStep::Clean(clean) => return (Some(clean), steps),
            }
        }
    }
    (None, steps)
}

#[test]
fn all_records_come_under_the_new_term_and_the_old_one_is_retired() {
    let mut world = World::shamir(3, 2);
    let keys: Vec<String> = (0..100).map(|at| format!("root/data/{at:03}")).collect();
    for key in &keys {
        world.put(key, key.as_bytes());
    }
    assert!(world.barrier.reencryption(LATER).is_none(), "one term: nothing to do");
    rotate(&mut world);
    let (clean, steps) = run(&mut world, LATER, 7);
    let clean = clean.unwrap();
    assert_eq!(clean.term(), 2);
    assert!(steps > 100 / 7, "{steps}");
    let mut tx = world.tx();
    let barrier = Arc::clone(&world.barrier);
    barrier.retire_terms(&mut tx, &clean).unwrap();
    world.commit(tx).unwrap();
    world.refresh();
    assert!(world.barrier.reencryption(LATER).is_none());
    let unsealed = world.unseals(&world.shares).unwrap();
    assert_eq!(unsealed.keyring.terms().len(), 1);
    for key in &keys {
        assert_eq!(world.stored(key)[..5], [1, 0, 0, 0, 2]);
        assert_eq!(world.value(key).unwrap(), key.as_bytes());
        assert_eq!(store::Cipher::open(&*unsealed, key, KIND, &world.stored(key)).unwrap().as_slice(), key.as_bytes());
    }
}

/// A transaction from before the rotation can still commit under the old term for a while; a pass in that time proves
/// nothing, and its terms cannot be retired.
#[test]
fn a_pass_too_soon_after_rotation_proves_nothing() {
    let mut world = World::shamir(1, 1);
    let mut late = world.tx();
    late.put(KIND, "root/data/late", b"value".to_vec());
    rotate(&mut world);
    let (clean, _) = run(&mut world, LATER.plus_seconds(-1), 1000);
    assert!(clean.is_none());
    world.commit(late).unwrap();
    assert_eq!(world.stored("root/data/late")[4], 1);
    let (clean, _) = run(&mut world, LATER, 1000);
    assert!(clean.is_some());
    assert_eq!(world.stored("root/data/late")[4], 2);
}

#[test]
fn a_step_conflicts_with_a_write_and_loses() {
    let mut world = World::shamir(1, 1);
    world.put("root/data/a", b"old");
    rotate(&mut world);
    let pass = world.barrier.reencryption(LATER).unwrap();
    let mut randomness = SeededRandomness::new(5);
    let step = world.barrier.reencrypt(&*world.snapshot(), &pass, 1000, &mut randomness).unwrap();
    world.put("root/data/a", b"new");
    let PassStep::Again { commit } = step else { panic!("one step is enough") };
    assert!(matches!(world.submit(commit), Err(store::CommitError::Conflict)));
    assert_eq!(world.value("root/data/a").unwrap(), b"new");
}

#[test]
fn steps_are_bounded_also_when_there_is_nothing_to_rewrite() {
    let mut world = World::shamir(1, 1);
    rotate(&mut world);
    for at in 0..100 {
        world.put(&format!("root/data/{at:03}"), b"value");
    }
    let (clean, steps) = run(&mut world, LATER, 2);
    assert!(clean.is_some());
    assert!(steps >= 100 / (2 * SCAN_FACTOR), "{steps}");
}

#[test]
fn records_of_a_deleted_namespace_are_passed_over_and_damaged_ones_reported() {
    let mut world = World::shamir(1, 1);
    let mut tx = world.tx();
    let barrier = Arc::clone(&world.barrier);
    barrier.create_namespace(&mut tx, &mut world.randomness, "gone").unwrap();
    tx.put(KIND, "gone/data/a", b"value".to_vec());
    world.commit(tx).unwrap();
    let mut tx = world.tx();
    world.barrier.delete_namespace(&mut tx, "gone");
    world.commit(tx).unwrap();
    world.refresh();
    rotate(&mut world);
    assert!(run(&mut world, LATER, 1000).0.is_some());
    assert_eq!(world.stored("gone/data/a")[4], 1);

    world.put("root/data/a", b"value");
    rotate(&mut world);
    let mut record = world.stored("root/data/a");
    record[20] ^= 1;
    world.tamper("root/data/a", Some(record));
    let pass = world.barrier.reencryption(LATER).unwrap();
    let step = world.barrier.reencrypt(&*world.snapshot(), &pass, 1000, &mut SeededRandomness::new(6));
    assert!(matches!(step, Err(BarrierError::Store(StoreError::Record { place })) if place == "root/data/a"));
}
