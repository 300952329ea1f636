use super::*;
use crate::SeededRandomness;

const ALL: [Cipher; 4] = [Cipher::Aes128Gcm, Cipher::Aes256Gcm, Cipher::ChaCha20Poly1305, Cipher::XChaCha20Poly1305];

fn bytes(hex: &str) -> Vec<u8> {
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

#[test]
fn vectors_of_the_standards_open() {
    let sunscreen = "Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen would be it.";
    // SP 800-38D's test case 2, RFC 8439 section 2.8.2, draft-irtf-cfrg-xchacha-03 appendix A.3.1.
    let vectors = [
        (
            Cipher::Aes128Gcm,
            "00000000000000000000000000000000",
            "",
            "0000000000000000000000000388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf",
            vec![0; 16],
        ),
        (
            Cipher::ChaCha20Poly1305,
            "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
            "50515253c0c1c2c3c4c5c6c7",
            "070000004041424344454647d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e060b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d26586cec64b61161ae10b594f09e26a7e902ecbd0600691",
            sunscreen.as_bytes().to_vec(),
        ),
        (
            Cipher::XChaCha20Poly1305,
            "808182838485868788898a8b8c8d8e8f909192939495969798999a9b9c9d9e9f",
            "50515253c0c1c2c3c4c5c6c7",
            "404142434445464748494a4b4c4d4e4f5051525354555657bd6d179d3e83d43b9576579493c0e939572a1700252bfaccbed2902c21396cbb731c7f1b0b4aa6440bf3a82f4eda7e39ae64c6708c54c216cb96b72e1213b4522f8c9ba40db5d945b11b69b982c1bb9e3f3fac2bc369488f76b2383565d3fff921f9664c97637da9768812f615c68b13b52ec0875924c1c7987947deafd8780acf49",
            sunscreen.as_bytes().to_vec(),
        ),
    ];
    for (cipher, key, associated, sealed, message) in vectors {
        let key = CipherKey::new(cipher, &bytes(key)).unwrap();
        assert_eq!(*key.open(&bytes(associated), &bytes(sealed)).unwrap(), message, "{cipher:?}");
    }
}

#[test]
fn what_was_sealed_opens_with_the_same_key_and_associated_data_only() {
    let mut randomness = SeededRandomness::new(1);
    for cipher in ALL {
        let key = CipherKey::new(cipher, &vec![7; cipher.key_length()]).unwrap();
        let other = CipherKey::new(cipher, &vec![8; cipher.key_length()]).unwrap();
        for message in [&b""[..], b"m", &[1; 1000]] {
            let sealed = key.seal(Nonces::Random(&mut randomness), b"a", message);
            assert_eq!(sealed.len(), cipher.nonce_length() + message.len() + TAG_LENGTH);
            assert_eq!(key.open(b"a", &sealed).unwrap().as_slice(), message, "{cipher:?}");
            assert_eq!(key.open(b"b", &sealed), Err(OpenError));
            assert_eq!(other.open(b"a", &sealed), Err(OpenError));
            for length in 0..sealed.len().min(60) {
                assert_eq!(key.open(b"a", &sealed[..length]), Err(OpenError));
            }
        }
        assert!(CipherKey::new(cipher, &[0; 31]).is_err());
    }
}

#[test]
fn a_nonce_of_the_message_is_the_same_for_the_same_message_only() {
    let mac = MacKey::new(b"nonces");
    for cipher in ALL {
        let key = CipherKey::new(cipher, &vec![7; cipher.key_length()]).unwrap();
        let seal = |message: &[u8]| key.seal(Nonces::OfMessage(&mac), b"", message);
        assert_eq!(seal(b"m"), seal(b"m"));
        assert_ne!(seal(b"m")[..12], seal(b"n")[..12]);
        assert_eq!(key.open(b"", &seal(b"m")).unwrap().as_slice(), b"m");
    }
}
