use super::*;
use crate::SeededRandomness;

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

/// Gives the vector's nonce, which the public interface takes from randomness only.
struct Fixed(Vec<u8>);

impl Randomness for Fixed {
    fn fill(&mut self, bytes: &mut [u8]) {
        bytes.copy_from_slice(&self.0);
    }
}

/// McGrew and Viega, "The Galois/Counter Mode of Operation", appendix B, test cases 13 to 16 (the AES-256 ones with a
/// 96-bit nonce), which SP 800-38D refers to.
#[test]
fn gcm_test_cases_13_to_16() {
    let key = "feffe9928665731c6d6a8f9467308308feffe9928665731c6d6a8f9467308308";
    let plaintext = "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a72\
                     1c3c0c95956809532fcf0e2449a6b525b16aedf5aa0de657ba637b391aafd255";
    let ciphertext = "522dc1f099567d07f47f37a32a84427d643a8cdcbfe5c0c97598a2bd2555d1aa\
                      8cb08e48590dbb3da7b08b1056828838c5f61e6393ba7a0abcc9f662898015ad";
    let zeros = "00".repeat(32);
    for (key, nonce, associated, plaintext, expected) in [
        (zeros.as_str(), "00".repeat(12), "", "", "530f8afbc74536b9a963b4f1c4cb738b".to_owned()),
        (
            zeros.as_str(),
            "00".repeat(12),
            "",
            &"00".repeat(16),
            "cea7403d4d606b6e074ec5d3baf39d18d0d1c8a799996bf0265b98b5d48ab919".to_owned(),
        ),
        (
            key,
            "cafebabefacedbaddecaf888".to_owned(),
            "",
            plaintext,
            format!("{ciphertext}b094dac5d93471bdec1a502270e3cc6c"),
        ),
        (
            key,
            "cafebabefacedbaddecaf888".to_owned(),
            "feedfacedeadbeeffeedfacedeadbeefabaddad2",
            &plaintext[..120],
            format!("{}76fc6ece0f4e1768cddf8853bb2d551b", &ciphertext[..120]),
        ),
    ] {
        let key = DataKey::new(&bytes(key).try_into().unwrap());
        let sealed = key.seal(&mut Fixed(bytes(&nonce)), &bytes(associated), &bytes(plaintext));
        assert_eq!(sealed, [bytes(&nonce), bytes(&expected)].concat());
        assert_eq!(key.open(&bytes(associated), &sealed).unwrap().to_vec(), bytes(plaintext));
    }
}

/// S31: every changed byte, every cut, other associated data and another key give one and the same error.
#[test]
fn s31_whatever_is_wrong_gives_one_error() {
    let mut randomness = SeededRandomness::new(1);
    let key = DataKey::new(&[1; 32]);
    let sealed = key.seal(&mut randomness, b"place", b"secret value");
    assert_eq!(sealed.len(), b"secret value".len() + OVERHEAD);
    for at in 0..sealed.len() {
        for bit in 0..8 {
            let mut changed = sealed.clone();
            changed[at] ^= 1 << bit;
            assert_eq!(key.open(b"place", &changed), Err(OpenError));
        }
        assert_eq!(key.open(b"place", &sealed[..at]), Err(OpenError));
    }
    assert_eq!(key.open(b"plac", &sealed), Err(OpenError));
    assert_eq!(key.open(b"", &sealed), Err(OpenError));
    assert_eq!(DataKey::new(&[2; 32]).open(b"place", &sealed), Err(OpenError));
    assert_eq!(key.open(b"place", &[sealed.clone(), vec![0]].concat()), Err(OpenError));
    assert_eq!(key.open(b"place", &sealed).unwrap().as_slice(), b"secret value");
}

/// S79: the same message sealed twice has another nonce and nothing in common.
#[test]
fn s79_each_seal_draws_a_new_nonce() {
    let mut randomness = SeededRandomness::new(2);
    let key = DataKey::new(&[1; 32]);
    let nonces: std::collections::BTreeSet<Vec<u8>> =
        (0..1000).map(|_| key.seal(&mut randomness, b"", b"same")[..12].to_vec()).collect();
    assert_eq!(nonces.len(), 1000);
}
