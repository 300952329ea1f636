use super::*;
use crate::fixture::{KIND, World};
use store::{CipherError, StoreError};

#[test]
fn a_namespace_is_usable_in_the_transaction_that_creates_it_and_erased_with_its_secret() {
    let mut world = World::shamir(1, 1);
    let mut tx = world.tx();
    let barrier = Arc::clone(&world.barrier);
    let fresh = barrier.create_namespace(&mut tx, &mut world.randomness, "tenant").unwrap();
    assert!(fresh.has_namespace("tenant") && !barrier.has_namespace("tenant"));
    tx.put(KIND, "tenant/data/a", b"value".to_vec());
    world.commit(tx).unwrap();
    world.refresh();
    assert_eq!(world.value("tenant/data/a").unwrap(), b"value");
    let record = world.stored("tenant/data/a");
    let unsealed = world.unseals(&world.shares).unwrap();
    assert_eq!(unsealed.open("tenant/data/a", KIND, &record).unwrap().as_slice(), b"value");

    let mut tx = world.tx();
    world.barrier.delete_namespace(&mut tx, "tenant");
    world.commit(tx).unwrap();
    world.refresh();
    assert!(!world.barrier.has_namespace("tenant"));
    assert!(matches!(world.tx().get(KIND, "tenant/data/a"), Err(StoreError::Record { .. })));

    let mut tx = world.tx();
    let barrier = Arc::clone(&world.barrier);
    barrier.create_namespace(&mut tx, &mut world.randomness, "tenant").unwrap();
    world.commit(tx).unwrap();
    world.refresh();
    assert_eq!(
        world.barrier.open("tenant/data/a", KIND, &record),
        Err(CipherError),
        "a namespace of the same id is new"
    );
}

#[test]
fn reserved_taken_and_impossible_names_are_refused() {
    let mut world = World::shamir(1, 1);
    for id in ["", "barrier", "root", "a/b"] {
        let mut tx = world.tx();
        let barrier = Arc::clone(&world.barrier);
        let result = barrier.create_namespace(&mut tx, &mut world.randomness, id);
        assert!(matches!(result, Err(BarrierError::NamespaceTaken)), "{id}");
    }
}

#[test]
fn two_creations_at_once_conflict() {
    let mut world = World::shamir(1, 1);
    let (mut first, mut second) = (world.tx(), world.tx());
    let barrier = Arc::clone(&world.barrier);
    barrier.create_namespace(&mut first, &mut world.randomness, "tenant").unwrap();
    barrier.create_namespace(&mut second, &mut world.randomness, "tenant").unwrap();
    world.commit(first).unwrap();
    assert!(matches!(world.commit(second), Err(store::CommitError::Conflict)));
}

#[test]
fn a_damaged_secret_is_reported() {
    let mut world = World::shamir(1, 1);
    let mut record = world.stored("barrier/namespace/root");
    *record.last_mut().unwrap() ^= 1;
    world.tamper("barrier/namespace/root", Some(record));
    let result = world.barrier.refresh(&*world.snapshot());
    assert!(matches!(result, Err(crate::RefreshError::Barrier(BarrierError::Damaged(NAMESPACES)))));
    world.randomness = crypto::SeededRandomness::new(2);
}
