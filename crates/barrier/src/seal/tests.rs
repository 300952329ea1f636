use super::*;
use crate::Initialiser;
use crate::fixture::{World, request};
use store::Log;

fn static_world() -> World {
    World::new(&Initialiser::Static { key: Secret::new([5; 32]), recovery: Some(request(3, 2)) })
}

#[test]
fn a_static_key_is_read_in_each_form() {
    let raw: [u8; 32] = std::array::from_fn(|at| at as u8 ^ 0xa5);
    let hex = crate::shares::to_hex(&raw);
    for content in [raw.to_vec(), hex.as_bytes().to_vec(), format!(" {}\n", hex.to_uppercase()).into_bytes(), {
        format!("{}\n", STANDARD.encode(raw)).into_bytes()
    }] {
        assert!(static_key(&content).unwrap().same_as(&raw));
    }
    for content in [&b""[..], b"short", &[0; 31], &[0; 33], "zz".repeat(32).as_bytes(), "00".repeat(31).as_bytes()] {
        assert_eq!(static_key(content).err(), Some(StaticKeyError));
    }
}

#[test]
fn a_static_seal_unseals_with_its_key_only() {
    let world = static_world();
    let snapshot = world.snapshot();
    let sealed = Sealed::load(&*snapshot).unwrap().unwrap();
    let info = sealed.info();
    assert_eq!((info.seal_type.name(), info.shares, info.threshold, info.counts()), ("static", 1, 1, (3, 2)));
    assert!(sealed.unseal_static(&*snapshot, &Secret::new([5; 32])).is_ok());
    assert!(matches!(sealed.unseal_static(&*snapshot, &Secret::new([6; 32])), Err(UnsealError::WrongKey)));
    let shamir = World::shamir(1, 1);
    let sealed = Sealed::load(&*shamir.snapshot()).unwrap().unwrap();
    assert!(matches!(sealed.unseal_static(&*snapshot, &Secret::new([5; 32])), Err(UnsealError::WrongType)));
}

/// S31: whatever is changed in the wrapped root key or in what it is bound to, the answer is the same.
#[test]
fn s31_a_changed_seal_record_gives_one_error() {
    let world = static_world();
    let record = SealRecord::load(&*world.snapshot()).unwrap().unwrap();
    let key = SealKey::new(&[5; 32], record.cluster());
    assert!(record.unwrap(&key).is_some());
    let wrapped = STANDARD.decode(&record.wrapped_root_key).unwrap();
    for at in 0..wrapped.len() {
        let mut changed = wrapped.clone();
        changed[at] ^= 0x10;
        assert!(SealRecord { wrapped_root_key: STANDARD.encode(changed), ..record.clone() }.unwrap(&key).is_none());
    }
    for changed in [
        SealRecord { seal_type: SealType::Shamir, ..record.clone() },
        SealRecord { shares: 2, ..record.clone() },
        SealRecord { threshold: 2, ..record.clone() },
        SealRecord { generation: "other".to_owned(), ..record.clone() },
        SealRecord { cluster: [0; 16], ..record.clone() },
        SealRecord { wrapped_root_key: "!".to_owned(), ..record.clone() },
        SealRecord { wrapped_root_key: String::new(), ..record.clone() },
    ] {
        assert!(changed.unwrap(&key).is_none(), "{changed:?}");
    }
}

#[test]
fn a_damaged_seal_record_is_reported_and_a_missing_one_is_no_seal() {
    let world = static_world();
    assert!(Sealed::load(&*store::memory::MemoryLog::new().snapshot()).unwrap().is_none());
    let newer = String::from_utf8(world.stored(SEAL)).unwrap().replace("\"version\":1", "\"version\":2").into_bytes();
    assert_ne!(newer, world.stored(SEAL));
    for damaged in [vec![], vec![0], b"\0{}".to_vec(), b"\x01{}".to_vec(), b"\0null".to_vec(), newer] {
        world.tamper(SEAL, Some(damaged.clone()));
        let loaded = Sealed::load(&*world.snapshot());
        assert!(matches!(loaded, Err(BarrierError::Damaged(SEAL))), "{damaged:?}");
    }
}

/// The readable record tells nothing that helps: no key in any form.
#[test]
fn the_readable_record_holds_no_key() {
    let world = static_world();
    let record = String::from_utf8(world.stored(SEAL)).unwrap();
    for canary in [STANDARD.encode([5; 32]), crate::shares::to_hex(&[5; 32]).to_string()] {
        assert!(!record.contains(&canary));
    }
}
