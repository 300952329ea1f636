//! Rotation of the barrier's keys, by hand and by itself, and what it does to old records.

use super::harness::{ROOT, World};
use engine::{Operation, Timestamp};
use serde_json::{Value, json};

const DAY: i64 = 24 * 60 * 60;

fn advance(world: &mut World, seconds: i64) {
    world.now = Timestamp::from_seconds(world.now.seconds() + seconds);
}

#[test]
fn a_key_is_rotated_when_its_interval_is_over() {
    let mut world = World::new();
    world.write(ROOT, "sys/rotate/config", json!({ "interval": "48h" })).unwrap();
    assert!(!world.tend_keys());
    advance(&mut world, 2 * DAY - 1);
    assert!(!world.tend_keys());
    advance(&mut world, 1);
    assert!(world.tend_keys());
    assert_eq!(world.term(), 2);
    assert!(!world.tend_keys(), "the new key has its own interval");
    world.write(ROOT, "sys/rotate/config", json!({ "enabled": false })).unwrap();
    advance(&mut world, 30 * DAY);
    assert!(!world.tend_keys(), "switched off");
}

#[test]
fn a_key_is_rotated_when_its_encryptions_are_used_up() {
    let mut world = World::new();
    world.write(ROOT, "sys/rotate/config", json!({ "max_operations": 1_000_000 })).unwrap();
    let body = json!({ "policies": ["default"] });
    let mut steps = 0;
    while !world.tend_keys() {
        // A job's activation would not see a million writes in a test; the barrier's count is what decides.
        world.count_encryptions(100_000);
        world.call(ROOT, Operation::Update, "auth/token/create", body.clone()).unwrap();
        steps += 1;
        assert!(steps < 20, "never rotated");
    }
    assert!(steps > 5, "{steps}");
    assert_eq!(world.term(), 2);
}

#[test]
fn old_records_come_under_the_new_key_and_the_old_key_is_dropped() {
    let mut world = World::new();
    let tokens: Vec<String> = (0..100)
        .map(|_| {
            let made = world.call(ROOT, Operation::Update, "auth/token/create", json!({ "ttl": "1h" })).unwrap();
            made.auth.unwrap().client_token
        })
        .collect();
    assert_eq!(world.reencrypt(10), None, "one key: nothing to do");
    world.write(ROOT, "sys/rotate", Value::Null).unwrap();
    let (steps, retired) = world.reencrypt(10).unwrap();
    assert!(steps > 10 && !retired, "{steps} {retired}");
    // Transactions that began under the old key may still commit for a while; only a pass after that proves anything.
    advance(&mut world, 600);
    assert_eq!(world.reencrypt(10).map(|(_, retired)| retired), Some(true));
    assert_eq!(world.reencrypt(10), None);
    for token in &tokens {
        let found = world.write(ROOT, "auth/token/lookup", json!({ "token": token }));
        assert!(found.is_ok(), "{found:?}");
    }
}
