use super::*;
use crate::fixture::{World, request};
use crypto::SeededRandomness;
use proptest::prelude::*;

/// What OpenBao 2.6.2 answers to `sys/init` with these numbers.
#[test]
fn requests_are_checked_as_upstream_does() {
    for (shares, threshold, expected) in [
        (5, 1, "threshold must be greater than one for multiple shares"),
        (0, 0, "shares must be at least one"),
        (-1, 1, "shares must be at least one"),
        (1, 0, "threshold must be at least one"),
        (2, 3, "threshold cannot be larger than shares"),
        (256, 3, "shares must be less than 256"),
        (i64::MAX, i64::MAX, "shares must be less than 256"),
    ] {
        assert_eq!(ShareRequest::new(shares, threshold, Vec::new()).unwrap_err().to_string(), expected);
    }
    assert!(ShareRequest::new(255, 255, Vec::new()).is_ok());
    assert!(ShareRequest::new(1, 1, Vec::new()).is_ok());
}

/// What OpenBao 2.6.2 answers to `sys/unseal` with these keys.
#[test]
fn shares_are_read_as_upstream_does() {
    let share: Vec<u8> = (0..33).collect();
    assert!(parse_share(&to_hex(&share)).unwrap().same_as(&share));
    assert!(parse_share(&to_hex(&share).to_uppercase()).unwrap().same_as(&share));
    assert!(parse_share(&STANDARD.encode(&share)).unwrap().same_as(&share));
    for (text, expected) in [
        (String::new(), "'key' must be specified in request body as JSON"),
        ("zz".to_owned(), "'key' must be a valid hex or base64 string"),
        ("00".repeat(5), "'key' must be a valid hex or base64 string"),
        ("00".repeat(15), "'key' must be a valid hex or base64 string"),
        ("00".repeat(34), "invalid key: key is longer than maximum 33 bytes"),
    ] {
        assert_eq!(parse_share(&text).unwrap_err().to_string(), expected, "{text}");
    }
}

#[test]
fn a_single_share_is_the_key() {
    let new = NewKey::make(&request(1, 1), &mut SeededRandomness::new(1)).unwrap();
    assert_eq!(new.shares.len(), 1);
    assert_eq!(new.shares[0].as_slice(), new.key.expose());
    assert!(combine([&[1; 31][..]]).is_none());
    assert!(combine([&[1; 33][..]]).is_none());
    assert!(combine([]).is_none());
}

#[test]
fn fingerprints_recognise_the_shares_and_nothing_else() {
    let world = World::shamir(3, 2);
    let record = ShareRecord::load(&mut world.tx(), SharesFor::Unseal).unwrap().unwrap();
    for share in &world.shares {
        assert!(record.has_share(&world.barrier, SharesFor::Unseal, share));
        assert!(!record.has_share(&world.barrier, SharesFor::Recovery, share));
        assert!(!record.has_share(&world.barrier, SharesFor::Unseal, &share[1..]));
        assert!(!record.is_key(&world.barrier, SharesFor::Unseal, share));
        let text = serde_json::to_string(&record).unwrap();
        assert!(!text.contains(&STANDARD.encode(share)) && !text.contains(to_hex(share).as_str()));
    }
    assert!(ShareRecord::load(&mut world.tx(), SharesFor::Recovery).unwrap().is_none());
}

proptest! {
    #[test]
    fn parsing_never_panics_and_hex_round_trips(text in ".{0,80}", bytes in proptest::collection::vec(any::<u8>(), 0..40)) {
        let _ = parse_share(&text);
        prop_assert_eq!(from_hex(to_hex(&bytes).as_bytes()), Some(bytes));
    }
}
