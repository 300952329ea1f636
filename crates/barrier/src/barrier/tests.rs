use super::*;
use crate::fixture::{KIND, World};
use crate::place::{KEYRING, ROTATION};
use crypto::SeededRandomness;
use proptest::prelude::*;
use store::{Record, StoreError};

#[test]
fn what_is_written_is_read_and_is_not_in_the_store() {
    let mut world = World::shamir(3, 2);
    world.put("root/data/mount/a", b"canary value");
    assert_eq!(world.value("root/data/mount/a").unwrap(), b"canary value");
    let record = world.stored("root/data/mount/a");
    assert_eq!(record[..5], [1, 0, 0, 0, 1], "format and term");
    assert_eq!(record.len(), 9 + 12 + b"canary value".len() + 16);
    assert!(!record.windows(6).any(|window| window == b"canary"));
    let again = world.unseals(&world.shares[1..]).unwrap();
    assert_eq!(again.open("root/data/mount/a", KIND, &record).unwrap().as_slice(), b"canary value");
}

/// F33: a record that is moved to another key, mount or namespace, or read as another kind, does not open. Nor does one
/// of another cluster with the same keys.
#[test]
fn f33_a_moved_record_does_not_open() {
    let mut world = World::shamir(1, 1);
    let mut tx = world.tx();
    let barrier = Arc::clone(&world.barrier);
    barrier.create_namespace(&mut tx, &mut world.randomness, "tenant").unwrap();
    tx.put(KIND, "root/data/one/a", b"value".to_vec());
    tx.put(KIND, "tenant/data/one/a", b"other".to_vec());
    tx.put(KIND, "root/data/two/a", b"third".to_vec());
    world.commit(tx).unwrap();
    world.refresh();
    let record = world.stored("root/data/one/a");
    for place in ["root/data/one/b", "root/data/two/a", "tenant/data/one/a", "root/data/one/a/", "barrier/x/a"] {
        assert_eq!(world.barrier.open(place, KIND, &record), Err(CipherError), "{place}");
    }
    for kind in ["test/2", "tes", "", "barrier-seal/1"] {
        assert_eq!(world.barrier.open("root/data/one/a", kind, &record), Err(CipherError), "{kind}");
    }
    world.tamper("root/data/two/a", Some(record.clone()));
    let read = world.tx().get(KIND, "root/data/two/a");
    assert!(matches!(read, Err(StoreError::Record { place }) if place == "root/data/two/a"));

    let mut elsewhere = Barrier::clone(&world.barrier);
    let mut seal = SealRecord::clone(&elsewhere.seal);
    seal.set_cluster([7; 16]);
    elsewhere.seal = Arc::new(seal);
    assert_eq!(elsewhere.open("root/data/one/a", KIND, &record), Err(CipherError));
    assert_eq!(world.barrier.open("root/data/one/a", KIND, &record).unwrap().as_slice(), b"value");
}

/// S31: each changed bit and each cut of a record gives one error.
#[test]
fn s31_a_changed_record_does_not_open() {
    let mut world = World::shamir(1, 1);
    for key in ["root/data/mount/a", KEYRING] {
        let kind = if key == KEYRING { KEYRING_KIND } else { KIND };
        if key != KEYRING {
            world.put(key, b"value");
        }
        let record = world.stored(key);
        assert!(world.barrier.open(key, kind, &record).is_ok());
        for at in 0..record.len() {
            assert_eq!(world.barrier.open(key, kind, &record[..at]), Err(CipherError));
            for bit in 0..8 {
                let mut changed = record.clone();
                changed[at] ^= 1 << bit;
                assert_eq!(world.barrier.open(key, kind, &changed), Err(CipherError), "byte {at} bit {bit}");
            }
        }
    }
}

/// One format only: what is readable without a key is accepted at the seal's place and nowhere else, and there only.
#[test]
fn clear_records_are_accepted_at_one_place() {
    let world = World::shamir(1, 1);
    let seal = world.stored(SEAL);
    assert!(world.barrier.open(SEAL, SEAL_KIND, &seal).is_ok());
    assert_eq!(world.barrier.open(SEAL, KIND, &seal), Err(CipherError));
    assert_eq!(world.barrier.open("root/data/a", SEAL_KIND, &seal), Err(CipherError));
    assert_eq!(world.barrier.open(KEYRING, KEYRING_KIND, &seal), Err(CipherError));
    let mut randomness = SeededRandomness::new(1);
    let mut fill = |bytes: &mut [u8]| crypto::Randomness::fill(&mut randomness, bytes);
    assert_eq!(world.barrier.seal(&mut fill, SEAL, KIND, b"x"), Err(CipherError));
    assert_eq!(world.barrier.seal(&mut fill, KEYRING, KIND, b"x"), Err(CipherError));
    assert_eq!(world.barrier.seal(&mut fill, "unknown/data/a", KIND, b"x"), Err(CipherError));
}

#[test]
fn derived_keys_differ_by_label_and_cluster_and_outlive_rotation() {
    let mut world = World::shamir(1, 1);
    let tag = |barrier: &Barrier, label: &str| barrier.derive(label).mac(&[b"message"]);
    let before = tag(&world.barrier, "token");
    assert_ne!(before, tag(&world.barrier, "audit"));
    assert_ne!(
        before,
        tag(&World::new(&crate::Initialiser::Static { key: Secret::new([1; 32]), recovery: None }).barrier, "token")
    );
    let mut tx = world.tx();
    let barrier = Arc::clone(&world.barrier);
    barrier.rotate(&mut tx, crate::fixture::NOW, &mut world.randomness).unwrap();
    world.commit(tx).unwrap();
    world.refresh();
    let mut tx = world.tx();
    let barrier = Arc::clone(&world.barrier);
    barrier.rotate_root_key(&mut tx, &mut world.randomness).unwrap();
    world.commit(tx).unwrap();
    assert_eq!(tag(&world.unseals(&world.shares).unwrap(), "token"), before);
    let chain = world.barrier.chain_mac();
    assert_ne!(chain.mac(&[0; 32], b"batch"), chain.mac(&[1; 32], b"batch"));
    assert_ne!(chain.mac(&[0; 32], b"batch"), chain.mac(&[0; 32], b"batcx"));
    let sealed = world.barrier.derive_data_key("batch").seal(&mut world.randomness, b"", b"x");
    assert!(world.barrier.derive_data_key("other").open(b"", &sealed).is_err());
}

#[test]
fn refresh_follows_what_others_commit_and_never_goes_back() {
    let mut world = World::shamir(1, 1);
    let old_snapshot = world.snapshot();
    assert!(world.barrier.refresh(&*old_snapshot).unwrap().is_none());
    let other = Arc::clone(&world.barrier);
    let mut tx = world.tx();
    let barrier = Arc::clone(&world.barrier);
    barrier.rotate(&mut tx, crate::fixture::NOW, &mut world.randomness).unwrap();
    tx.put(KIND, "root/data/mount/a", b"under term 2".to_vec());
    world.commit(tx).unwrap();
    let record = world.stored("root/data/mount/a");
    assert_eq!(record[..5], [1, 0, 0, 0, 2]);
    assert_eq!(other.open("root/data/mount/a", KIND, &record), Err(CipherError));
    let fresh = other.refresh(&*world.snapshot()).unwrap().unwrap();
    assert_eq!(fresh.key_status().term, 2);
    assert_eq!(fresh.open("root/data/mount/a", KIND, &record).unwrap().as_slice(), b"under term 2");
    assert!(fresh.refresh(&*world.snapshot()).unwrap().is_none());
    assert!(fresh.refresh(&*old_snapshot).unwrap().is_none(), "an older snapshot is no reason to forget keys");
}

#[test]
fn debug_shows_no_key() {
    let world = World::shamir(3, 2);
    let text = format!("{:?}", world.barrier);
    assert_eq!(text, format!("Barrier({}, Keyring(term 1))", world.barrier.cluster_id()));
}

/// Keys are gone with the last barrier that holds them.
#[test]
fn sealing_drops_the_keys() {
    let world = World::shamir(1, 1);
    let keyring = Arc::downgrade(&world.barrier.keyring);
    let namespace = Arc::downgrade(&world.barrier.namespaces["root"]);
    let (root, seal_key) = (Arc::downgrade(&world.barrier.root), Arc::downgrade(&world.barrier.seal_key));
    drop(world);
    assert!(keyring.upgrade().is_none() && namespace.upgrade().is_none());
    assert!(root.upgrade().is_none() && seal_key.upgrade().is_none());
}

/// The kinds of this crate's records have different tags.
#[test]
fn kinds_have_different_tags() {
    let kinds = [
        SEAL_KIND,
        KEYRING_KIND,
        crate::place::NAMESPACE_KIND,
        crate::RotationConfig::KIND,
        crate::shares::ShareRecord::KIND,
        crate::ceremony::Backup::KIND,
    ];
    let tags: std::collections::BTreeSet<[u8; 4]> = kinds.iter().map(|kind| kind_tag(kind)).collect();
    assert_eq!(tags.len(), kinds.len());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn open_never_panics(record in proptest::collection::vec(any::<u8>(), 0..80), which in 0_usize..5) {
        thread_local!(static WORLD: World = World::shamir(1, 1));
        let key = ["root/data/a", SEAL, KEYRING, ROTATION, ""][which];
        WORLD.with(|world| {
            for kind in [KIND, SEAL_KIND, KEYRING_KIND] {
                let opened = world.barrier.open(key, kind, &record);
                prop_assert!(opened.is_err() || key == SEAL);
            }
            Ok(())
        })?;
    }
}
