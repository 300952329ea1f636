use super::*;
use crate::Sealed;
use crate::fixture::{KIND, NOW, World, request};
use crypto::SeededRandomness;
use store::memory::MemoryLog;
use store::{CommitError, Log};

#[test]
fn any_threshold_of_shares_unseals_a_restarted_server() {
    for (shares, threshold, length) in [(1, 1, 32), (3, 2, 33), (5, 3, 33), (255, 4, 33)] {
        let mut world = World::shamir(shares, threshold);
        world.put("root/data/a", b"value");
        let record = world.stored("root/data/a");
        assert_eq!(world.shares.len(), shares as usize);
        assert!(world.shares.iter().all(|share| share.len() == length));
        let last = world.shares[world.shares.len() - threshold as usize..].to_vec();
        for set in [&world.shares, &last] {
            let unsealed = world.unseals(set).unwrap();
            assert!(unsealed.open("root/data/a", KIND, &record).is_ok());
            assert!(unsealed.has_namespace("root"));
        }
        let info = Sealed::load(&*world.snapshot()).unwrap().unwrap().info();
        assert_eq!((i64::from(info.shares), i64::from(info.threshold)), (shares, threshold));
        assert_eq!(info.cluster_id.len(), 36);
    }
}

#[test]
fn a_store_is_initialised_once() {
    let world = World::shamir(1, 1);
    let how = Initialiser::Shamir(request(1, 1));
    let again = initialise(world.snapshot(), &how, "root", NOW, &mut SeededRandomness::new(2));
    assert!(matches!(again, Err(InitError::AlreadyInitialised)));
    assert_eq!(InitError::AlreadyInitialised.to_string(), "Vault is already initialized");

    let log = MemoryLog::new();
    let mut randomness = SeededRandomness::new(3);
    let mut begun: Vec<Tx> = Vec::new();
    for _ in 0..2 {
        begun.push(initialise(log.snapshot(), &how, "root", NOW, &mut randomness).unwrap().0);
    }
    let mut results = Vec::new();
    for tx in begun {
        let commit = tx.into_commit(&mut |bytes| randomness.fill(bytes)).unwrap();
        let (send, receive) = std::sync::mpsc::channel();
        log.submit(commit, Box::new(move |result| send.send(result).unwrap()));
        results.push(receive.recv().unwrap());
    }
    assert!(matches!(results.as_slice(), [Ok(_), Err(CommitError::Conflict)]), "{results:?}");
}

#[test]
fn the_transaction_can_write_into_the_root_namespace() {
    let log = MemoryLog::new();
    let mut randomness = SeededRandomness::new(4);
    let how = Initialiser::Shamir(request(1, 1));
    let (mut tx, _) = initialise(log.snapshot(), &how, "root", NOW, &mut randomness).unwrap();
    tx.put(KIND, "root/token/first", b"value".to_vec());
    assert!(tx.into_commit(&mut |bytes| randomness.fill(bytes)).is_ok());
}

#[test]
fn a_static_seal_hands_out_recovery_shares_or_none() {
    for (recovery, expected) in [(None, 0), (Some(request(3, 2)), 3)] {
        let how = Initialiser::Static { key: Secret::new([1; 32]), recovery };
        assert_eq!(World::new(&how).shares.len(), expected);
    }
}

/// No key or share is among the stored bytes.
#[test]
fn nothing_secret_is_stored_in_clear() {
    let world = World::shamir(1, 1);
    let mut everything = Vec::new();
    let visited = world.snapshot().visit("", &store::prefix_end(""), &mut |key, value, _| {
        everything.extend_from_slice(key.as_bytes());
        everything.extend_from_slice(value);
        std::ops::ControlFlow::Continue(())
    });
    visited.unwrap();
    for share in &world.shares {
        let hex = crate::shares::to_hex(share);
        assert!(!everything.windows(share.len()).any(|window| window == share));
        assert!(!everything.windows(hex.len()).any(|window| window == hex.as_bytes()));
    }
}
