use super::*;
use crate::fixture::{KIND, NOW, World};

const DAY: i64 = 24 * 60 * 60;

#[test]
fn bounds_of_the_configuration_are_upstreams() {
    let config = |max_operations, interval_seconds| RotationConfig { enabled: true, max_operations, interval_seconds };
    for (config, expected) in [
        (config(OPERATIONS_MAX, 0), Ok(())),
        (config(OPERATIONS_MIN, 86_400), Ok(())),
        (config(999_999, 0), Err("max_operations must be in the range [1000000,3865470566]")),
        (config(OPERATIONS_MAX + 1, 0), Err("max_operations must be in the range [1000000,3865470566]")),
        (config(OPERATIONS_MAX, 86_399), Err("interval must be greater or equal to 24h0m0s")),
        (config(OPERATIONS_MAX, 1), Err("interval must be greater or equal to 24h0m0s")),
    ] {
        assert_eq!(config.check().map_err(|error| error.to_string()), expected.map_err(str::to_owned), "{config:?}");
    }
}

#[test]
fn the_configuration_is_kept() {
    let mut world = World::shamir(1, 1);
    let mut tx = world.tx();
    assert_eq!(world.barrier.rotation_config(&mut tx).unwrap(), RotationConfig::default());
    let config = RotationConfig { enabled: false, max_operations: OPERATIONS_MIN, interval_seconds: 86_400 };
    world.barrier.set_rotation_config(&mut tx, &config).unwrap();
    world.commit(tx).unwrap();
    assert_eq!(world.barrier.rotation_config(&mut world.tx()).unwrap(), config);
}

#[test]
fn rotation_is_due_by_operations_or_by_age() {
    let world = World::shamir(1, 1);
    let config = RotationConfig { max_operations: OPERATIONS_MIN, interval_seconds: DAY as u64, enabled: true };
    assert!(!world.barrier.rotation_due(&config, NOW.plus_seconds(DAY - 1)));
    assert!(world.barrier.rotation_due(&config, NOW.plus_seconds(DAY)));
    assert!(!world.barrier.rotation_due(&RotationConfig { enabled: false, ..config }, NOW.plus_seconds(DAY)));
    assert!(!world.barrier.rotation_due(&RotationConfig { interval_seconds: 0, ..config }, NOW.plus_seconds(99 * DAY)));
    world.barrier.usage.stored.store(OPERATIONS_MIN - USAGE_BLOCK, Ordering::Relaxed);
    assert!(world.barrier.rotation_due(&config, NOW));
}

#[test]
fn encryptions_are_counted_over_restarts_and_begin_again_with_a_term() {
    let mut world = World::shamir(1, 1);
    let begin = world.barrier.key_status().encryptions;
    for at in 0..10 {
        world.put(&format!("root/data/{at}"), b"value");
    }
    assert_eq!(world.barrier.key_status().encryptions, begin + 10);
    let mut tx = world.tx();
    let recorded = world.barrier.record_usage(&mut tx).unwrap();
    assert_eq!(world.barrier.key_status().encryptions, recorded);
    world.commit(tx).unwrap();
    world.barrier.usage_recorded(recorded);
    // The record of the count was an encryption too.
    assert_eq!(world.barrier.key_status().encryptions, begin + 11);
    assert_eq!(world.barrier.unrecorded_usage(), (1, false));
    assert_eq!(world.unseals(&world.shares).unwrap().key_status().encryptions, begin + 10);
    rotate(&mut world);
    assert_eq!(world.barrier.key_status(), crate::KeyStatus { term: 2, installed: NOW, encryptions: 0 });
}

#[test]
fn a_used_up_term_seals_nothing() {
    let world = World::shamir(1, 1);
    world.barrier.usage.stored.store(USAGE_STOP, Ordering::Relaxed);
    let sealed = world.barrier.seal(&mut |bytes| bytes.fill(1), "root/data/a", KIND, b"value");
    assert_eq!(sealed, Err(CipherError));
}

#[test]
fn records_of_all_terms_open() {
    let mut world = World::shamir(3, 2);
    for term in 1..5 {
        world.put(&format!("root/data/{term}"), b"value");
        assert_eq!(world.stored(&format!("root/data/{term}"))[4], term);
        rotate(&mut world);
    }
    let unsealed = world.unseals(&world.shares).unwrap();
    for term in 1..5 {
        let key = format!("root/data/{term}");
        assert_eq!(world.value(&key).unwrap(), b"value");
        assert!(unsealed.open(&key, KIND, &world.stored(&key)).is_ok());
    }
}

#[test]
fn two_rotations_at_once_conflict() {
    let mut world = World::shamir(1, 1);
    let (mut first, mut second) = (world.tx(), world.tx());
    let barrier = Arc::clone(&world.barrier);
    barrier.rotate(&mut first, NOW, &mut world.randomness).unwrap();
    barrier.rotate(&mut second, NOW, &mut world.randomness).unwrap();
    world.commit(first).unwrap();
    assert!(matches!(world.commit(second), Err(store::CommitError::Conflict)));
}

/// S32: a new root key without a ceremony leaves the shares as they were.
#[test]
fn s32_a_new_root_key_keeps_the_shares() {
    let mut world = World::shamir(5, 3);
    world.put("root/data/a", b"value");
    let before = (world.stored(SEAL), world.stored(KEYRING));
    let mut tx = world.tx();
    let barrier = Arc::clone(&world.barrier);
    barrier.rotate_root_key(&mut tx, &mut world.randomness).unwrap();
    world.commit(tx).unwrap();
    assert!(before.0 != world.stored(SEAL) && before.1 != world.stored(KEYRING));
    assert!(!barrier.root.is_same(&barrier.refresh(&*world.snapshot()).unwrap().unwrap().root));
    world.refresh();
    let unsealed = world.unseals(&world.shares[2..]).unwrap();
    assert!(unsealed.open("root/data/a", KIND, &world.stored("root/data/a")).is_ok());
    assert_eq!(world.value("root/data/a").unwrap(), b"value");
}

fn rotate(world: &mut World) {
    let mut tx = world.tx();
    let barrier = Arc::clone(&world.barrier);
    barrier.rotate(&mut tx, NOW, &mut world.randomness).unwrap();
    world.commit(tx).unwrap();
    world.refresh();
}

use crate::place::SEAL;
