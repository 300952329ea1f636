use super::*;

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// RFC 4231 sections 4.2 to 4.8 (4.6 truncates the output to 128 bits).
#[test]
fn rfc_4231() {
    let long =
        b"This is a test using a larger than block-size key and a larger than block-size data. The key needs to \
                 be hashed before being used by the HMAC algorithm.";
    for (key, data, expected) in [
        (vec![0x0b; 20], &b"Hi There"[..], "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            b"Jefe".to_vec(),
            b"what do ya want for nothing?",
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
        ),
        (vec![0xaa; 20], &[0xdd; 50], "773ea91e36800e46854db8ebd09181a72959098b3ef8c122d9635514ced565fe"),
        ((1..=25).collect(), &[0xcd; 50], "82558a389a443c0ea4cc819899f2083a85f0faa3e578f8077a2e3ff46729665b"),
        (vec![0x0c; 20], b"Test With Truncation", "a3b6167473100ee06e0c796c2955552b"),
        (
            vec![0xaa; 131],
            b"Test Using Larger Than Block-Size Key - Hash Key First",
            "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54",
        ),
        (vec![0xaa; 131], long, "9b09ffa71b942fcb27635fbcd5b0e944bfdc63644f0713938a7f51535c3a35e2"),
    ] {
        let tag = hmac_sha256(&key, &[data]);
        assert!(hex(&tag).starts_with(expected));
        let (left, right) = data.split_at(data.len() / 2);
        assert_eq!(MacKey::new(&key).mac(&[left, b"", right]), tag);
    }
}

#[test]
fn verify_takes_the_whole_tag_only() {
    let key = MacKey::new(b"key");
    let tag = key.mac(&[b"message"]);
    assert!(key.verify(&[b"mess", b"age"], &tag));
    assert!(!key.verify(&[b"message"], &tag[..31]));
    assert!(!key.verify(&[b"message"], &[]));
    for at in 0..tag.len() {
        let mut changed = tag;
        changed[at] ^= 1;
        assert!(!key.verify(&[b"message"], &changed));
    }
    assert!(!MacKey::new(b"other").verify(&[b"message"], &tag));
    assert_eq!(format!("{key:?}"), "MacKey(…)");
}
