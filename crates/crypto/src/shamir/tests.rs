use super::*;
use crate::SeededRandomness;
use proptest::prelude::*;

/// What `bao operator init -key-shares=5 -key-threshold=3` of OpenBao 2.6.2 printed for a store thrown away since.
const UPSTREAM: [&str; 5] = [
    "aa260270ae71051fa31c641434acf4c70381e0532be40ae56ec61024b652940012",
    "2703029f66ac74c24ff0b43efcc5337a0961262bbee20034c2898871193adb6adb",
    "cf83069571a06dd5ac46a7a74bf1c398c756ad20d7cacd2b38027597bf055f1b07",
    "f8f8fdcd4fd0950113928e6ebe128a7117de803426859564ccccea8b25f30fc257",
    "f93bceb73e1991bc5d745b37761dc8b7548eb571c00308792e789208ffd9301524",
];

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn combined(shares: &[impl AsRef<[u8]>]) -> Vec<u8> {
    let shares: Vec<&[u8]> = shares.iter().map(AsRef::as_ref).collect();
    combine(&shares).unwrap().to_vec()
}

/// FIPS 197 sections 4.2 and 4.2.1.
#[test]
fn products_of_fips_197() {
    for (left, right, product) in [(0x57, 0x83, 0xc1), (0x57, 0x13, 0xfe), (0x57, 0x02, 0xae), (0x57, 0x10, 0x07)] {
        assert_eq!(multiply(left, right), product);
        assert_eq!(multiply(right, left), product);
    }
    assert_eq!(invert(0), 0);
    for value in 1..=255 {
        assert_eq!(multiply(value, invert(value)), 1, "{value}");
    }
}

#[test]
fn shares_made_upstream_combine() {
    let shares = UPSTREAM.map(bytes);
    let secret = combined(&shares[..3]);
    assert_eq!(secret.len(), 32);
    for first in 0..5 {
        for second in first + 1..5 {
            for third in second + 1..5 {
                assert_eq!(combined(&[&shares[third], &shares[first], &shares[second]]), secret);
            }
            assert_ne!(combined(&[&shares[first], &shares[second]]), secret);
        }
    }
    assert_eq!(combined(&shares), secret);
}

#[test]
fn what_cannot_be_split_or_combined_is_refused() {
    let mut randomness = SeededRandomness::new(1);
    for (secret, shares, threshold, expected) in [
        (&b"secret"[..], 5, 1, ShamirError::Threshold),
        (b"secret", 5, 0, ShamirError::Threshold),
        (b"secret", 2, 3, ShamirError::Threshold),
        (b"", 3, 2, ShamirError::SecretLength),
        (&vec![0; SECRET_BYTES_MAX + 1], 3, 2, ShamirError::SecretLength),
    ] {
        assert_eq!(split(secret, &mut randomness, shares, threshold).err(), Some(expected));
    }
    let many = vec![&b"ab"[..]; 256];
    for (shares, expected) in [
        (&[][..], ShamirError::ShareCount),
        (&[&b"ab"[..]], ShamirError::ShareCount),
        (&many, ShamirError::ShareCount),
        (&[b"", b""], ShamirError::ShareLength),
        (&[b"a", b"b"], ShamirError::ShareLength),
        (&[b"ab", b"abc"], ShamirError::ShareLength),
        (&[b"ab", b"ab"], ShamirError::SharePoint),
        (&[b"ab", b"cb"], ShamirError::SharePoint),
        (&[b"ab", b"cd", b"xb"], ShamirError::SharePoint),
        (&[b"a\0", b"cb"], ShamirError::SharePoint),
    ] {
        assert_eq!(combine(shares).err(), Some(expected));
    }
}

/// Fewer shares than the threshold tell nothing: for one share out of a 2-split of one byte, every value of the secret
/// is equally likely.
#[test]
fn one_share_of_two_is_even_over_all_values() {
    let mut randomness = SeededRandomness::new(9);
    let mut counts = [0_u32; 256];
    for _ in 0..256 * 64 {
        let shares = split(&[0x42], &mut randomness, 2, 2).unwrap();
        counts[usize::from(shares[0][0])] += 1;
    }
    assert!(counts.iter().all(|count| (20..130).contains(count)), "{counts:?}");
}

/// S29, first part: the source has no table and no index, and branches on nothing but counts, lengths and points. The
/// second part, a run under valgrind with the secret marked undefined, is a separate step of continuous integration.
#[test]
fn s29_no_tables_and_no_indexing_in_the_source() {
    let source = include_str!("../shamir.rs");
    let code: Vec<&str> = source.lines().map(str::trim).filter(|line| !line.starts_with("//")).collect();
    assert!(code.len() <= 150, "{} lines", code.len());
    assert!(code.iter().all(|line| !line.contains("const ") || line.starts_with("pub const SECRET_BYTES_MAX")));
    assert!(code.iter().all(|line| !line.contains(".get(") && !line.contains("match ")));
    let indexed = |line: &&str| {
        line.match_indices('[').any(|(at, _)| {
            line[..at]
                .chars()
                .next_back()
                .is_some_and(|before| before.is_alphanumeric() || before == ')' || before == '_')
        })
    };
    assert_eq!(code.iter().copied().find(indexed), None);
}

proptest! {
    #[test]
    fn any_threshold_shares_give_the_secret_back(
        secret in proptest::collection::vec(any::<u8>(), 1..40),
        shares in 2_u8..=255,
        threshold in 2_u8..12,
        seed: u64,
        order: u64,
    ) {
        let threshold = threshold.min(shares);
        let mut made = split(&secret, &mut SeededRandomness::new(seed), shares, threshold).unwrap();
        prop_assert_eq!(made.len(), usize::from(shares));
        let mut randomness = SeededRandomness::new(order);
        for at in (1..made.len()).rev() {
            made.swap(at, usize::try_from(randomness.below(at as u64 + 1)).unwrap());
        }
        prop_assert_eq!(combined(&made[..usize::from(threshold)]), secret);
    }

    #[test]
    fn combine_never_panics(shares in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..6), 0..6)) {
        let shares: Vec<&[u8]> = shares.iter().map(Vec::as_slice).collect();
        let _ = combine(&shares);
    }
}
