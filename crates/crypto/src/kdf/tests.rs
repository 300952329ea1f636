use super::*;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// RFC 5869 appendix A, test cases 1 to 3. The first 32 bytes of OKM do not depend on L.
#[test]
fn rfc_5869() {
    let range = |from: u8, to: u8| (from..=to).collect::<Vec<u8>>();
    for (secret, salt, info, expected) in [
        (
            vec![0x0b; 22],
            range(0, 0x0c),
            range(0xf0, 0xf9),
            "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf",
        ),
        (
            range(0, 0x4f),
            range(0x60, 0xaf),
            range(0xb0, 0xff),
            "b11e398dc80327a1c8e7f78c596a49344f012eda2d4efad8a050cc4c19afa97c",
        ),
        (vec![0x0b; 22], vec![], vec![], "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d"),
    ] {
        assert_eq!(hkdf_sha256(&secret, &salt, &info).to_vec(), bytes(expected));
    }
}

#[test]
fn longer_output_begins_like_shorter_output() {
    // RFC 5869 test case 3: no salt, no info, 42 bytes.
    let output = hkdf_sha256_bytes(&[0x0b; 22], b"", 42);
    assert_eq!(
        crate::hex(&output),
        "8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8"
    );
    assert_eq!(hkdf_sha256_bytes(b"k", b"i", 32).as_slice(), hkdf_sha256(b"k", b"", b"i").as_slice());
    assert!(hkdf_sha256_bytes(b"k", b"i", 0).is_empty());
}

#[test]
fn the_counter_mode_is_one_mac_over_counter_context_and_length() {
    let by_hand = crate::hmac_sha256(b"secret", &[b"\0\0\0\0context\0\0\x01\0"]);
    assert_eq!(*counter_sha256(b"secret", b"context"), by_hand);
}
