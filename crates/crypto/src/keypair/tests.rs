use super::*;
use crate::SeededRandomness;

const HASHES: [Hash; 9] = [
    Hash::Sha1,
    Hash::Sha2_224,
    Hash::Sha2_256,
    Hash::Sha2_384,
    Hash::Sha2_512,
    Hash::Sha3_224,
    Hash::Sha3_256,
    Hash::Sha3_384,
    Hash::Sha3_512,
];
const CURVES: [Curve; 3] = [Curve::P256, Curve::P384, Curve::P521];

fn key(kind: PairKind) -> PrivateKey {
    PrivateKey::generate(kind, &mut SeededRandomness::new(7)).unwrap()
}

#[test]
fn every_kind_is_written_and_read_back() {
    let curves = CURVES.map(PairKind::Curve);
    for kind in curves.into_iter().chain([PairKind::Ed25519, PairKind::Rsa(2048)]) {
        let key = key(kind);
        assert_eq!(key.kind(), kind);
        let read = PrivateKey::from_pkcs8(key.to_pkcs8().expose()).unwrap();
        assert_eq!(read.to_pkcs8().expose(), key.to_pkcs8().expose(), "{kind:?}");
        let public = key.public().unwrap().to_spki().unwrap();
        assert_eq!(read.public().unwrap().to_spki().unwrap(), public, "{kind:?}");
        let read = PublicKey::from_spki(&public).unwrap();
        assert_eq!(read.to_spki().unwrap(), public);
        assert_eq!(read.kind(), kind);
        assert!(key.to_old_form().is_ok());
    }
    for junk in [&b""[..], b"\x30\x00", &[0x30; 200]] {
        assert!(PrivateKey::from_pkcs8(junk).is_err());
        assert!(PublicKey::from_spki(junk).is_err());
    }
}

#[test]
fn ecdsa_signs_over_every_hash_and_digests_of_every_length() {
    let mut randomness = SeededRandomness::new(1);
    for curve in CURVES {
        let key = key(PairKind::Curve(curve));
        let public = key.public().unwrap();
        for hash in HASHES {
            for encoding in [Encoding::Asn1, Encoding::Fixed] {
                let made = key.sign_ecdsa(hash, Input::Message(b"message"), encoding, &mut randomness).unwrap();
                let check = |hash, message: &[u8]| public.verify_ecdsa(hash, Input::Message(message), encoding, &made);
                assert_eq!(check(hash, b"message"), Ok(true), "{curve:?} {hash:?} {encoding:?}");
                assert_eq!(check(hash, b"other"), Ok(false));
                let digest = hash.digest(b"message");
                assert_eq!(public.verify_ecdsa(hash, Input::Digest(&digest), encoding, &made), Ok(true));
            }
        }
        for length in [0, 1, 31, 32, 47, 48, 65, 66, 67, 100] {
            let digest = vec![0xa5; length];
            let made = key.sign_ecdsa(Hash::Sha2_512, Input::Digest(&digest), Encoding::Asn1, &mut randomness).unwrap();
            let check = public.verify_ecdsa(Hash::Sha2_512, Input::Digest(&digest), Encoding::Asn1, &made);
            assert_eq!(check, Ok(true), "{curve:?} {length}");
        }
        for junk in [&b""[..], b"abc"] {
            let check = public.verify_ecdsa(Hash::Sha2_256, Input::Message(b""), Encoding::Asn1, junk);
            assert_eq!(check, Err(KeyPairError::SignatureShape));
        }
    }
}

#[test]
fn both_libraries_check_what_the_other_signed_with_rsa() {
    let mut randomness = SeededRandomness::new(2);
    let key = key(PairKind::Rsa(2048));
    let public = key.public().unwrap();
    let paddings =
        [Padding::Pkcs1v15, Padding::Pss(Salt::Auto), Padding::Pss(Salt::Digest), Padding::Pss(Salt::Bytes(20))];
    for hash in HASHES {
        for padding in paddings {
            let digest = hash.digest(b"message");
            // A message takes AWS-LC's way where there is one; a digest never does.
            for input in [Input::Message(b"message"), Input::Digest(&digest)] {
                let made = key.sign_rsa(padding, Some(hash), input, &mut randomness).unwrap();
                let check = |padding| public.verify_rsa(padding, Some(hash), Input::Message(b"message"), &made);
                assert_eq!(check(padding), Ok(true), "{hash:?} {padding:?}");
                assert_eq!(check(Padding::Pss(Salt::Bytes(19))), Ok(false), "{hash:?} {padding:?}");
                if padding != Padding::Pkcs1v15 {
                    assert_eq!(check(Padding::Pss(Salt::Auto)), Ok(true), "{hash:?} {padding:?}");
                }
            }
        }
    }
    let bare = key.sign_rsa(Padding::Pkcs1v15, None, Input::Digest(b"as it is"), &mut randomness).unwrap();
    assert_eq!(public.verify_rsa(Padding::Pkcs1v15, None, Input::Digest(b"as it is"), &bare), Ok(true));
    let short = key.sign_rsa(Padding::Pkcs1v15, Some(Hash::Sha2_256), Input::Digest(b"short"), &mut randomness);
    assert_eq!(short, Err(KeyPairError::HashLength));
    let salted = Padding::Pss(Salt::Bytes(1000));
    let long = key.sign_rsa(salted, Some(Hash::Sha2_256), Input::Message(b""), &mut randomness);
    assert_eq!(long, Err(KeyPairError::TooLong));
}

#[test]
fn oaep_opens_with_the_same_hash_only() {
    let mut randomness = SeededRandomness::new(3);
    let key = key(PairKind::Rsa(2048));
    let public = key.public().unwrap();
    for hash in [Hash::Sha1, Hash::Sha2_224, Hash::Sha2_256, Hash::Sha2_384, Hash::Sha2_512] {
        let sealed = public.encrypt_oaep(hash, b"message", &mut randomness).unwrap();
        assert_eq!(key.decrypt_oaep(hash, &sealed, &mut randomness).unwrap().expose(), b"message", "{hash:?}");
        let other = if hash == Hash::Sha1 { Hash::Sha2_256 } else { Hash::Sha1 };
        assert_eq!(key.decrypt_oaep(other, &sealed, &mut randomness).err(), Some(KeyPairError::Decryption));
        assert_eq!(key.decrypt_oaep(hash, &sealed[1..], &mut randomness).err(), Some(KeyPairError::Decryption));
    }
    let long = public.encrypt_oaep(Hash::Sha2_256, &[0; 191], &mut randomness);
    assert_eq!(long, Err(KeyPairError::TooLong));
}

#[test]
fn both_sides_of_an_agreement_have_the_same_secret() {
    for curve in CURVES {
        let mut randomness = SeededRandomness::new(4);
        let [one, other] = [(); 2].map(|()| PrivateKey::generate(PairKind::Curve(curve), &mut randomness).unwrap());
        let shared = one.agree(&other.public().unwrap()).unwrap();
        assert_eq!(shared.expose(), other.agree(&one.public().unwrap()).unwrap().expose());
    }
    let [one, other] = [Curve::P256, Curve::P384].map(|curve| key(PairKind::Curve(curve)));
    assert_eq!(one.agree(&other.public().unwrap()).err(), Some(KeyPairError::Mismatch));
}

#[test]
fn ed25519_is_that_of_rfc_8032() {
    let seed = [
        0x9d, 0x61, 0xb1, 0x9d, 0xef, 0xfd, 0x5a, 0x60, 0xba, 0x84, 0x4a, 0xf4, 0x92, 0xec, 0x2c, 0xc4, 0x44, 0x49,
        0xc5, 0x69, 0x7b, 0x32, 0x69, 0x19, 0x70, 0x3b, 0xac, 0x03, 0x1c, 0xae, 0x7f, 0x60,
    ];
    let key = PrivateKey::ed25519_from_seed(&seed).unwrap();
    let made = key.sign_ed25519(b"").unwrap();
    assert_eq!(
        crate::hex(&made),
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b"
    );
    assert_eq!(key.public().unwrap().verify_ed25519(b"", &made), Ok(true));
    assert_eq!(key.public().unwrap().verify_ed25519(b"x", &made), Ok(false));
}

#[test]
fn a_block_of_pem_is_read_as_it_was_written() {
    for length in [0, 1, 47, 48, 49, 300] {
        let bytes = vec![5; length];
        let text = pem::encode("PUBLIC KEY", &bytes);
        assert!(text.lines().all(|line| line.len() <= 64));
        let (block, rest) = pem::decode(&text).unwrap();
        assert_eq!((block.label.as_str(), block.bytes, rest), ("PUBLIC KEY", bytes, ""));
    }
    for none in ["", "-----BEGIN X-----\n-----END Y-----", "-----BEGIN X-----\n!\n-----END X-----"] {
        assert!(pem::decode(none).is_none(), "{none}");
    }
}

#[test]
fn a_key_is_the_same_after_its_numbers() {
    let rsa = key(PairKind::Rsa(2048));
    let numbers = rsa.rsa_numbers().unwrap();
    let [one, other] = &numbers.primes;
    let from = |one: &[u8], other: &[u8]| {
        PrivateKey::from_rsa_numbers(&numbers.modulus, &numbers.exponent, numbers.private.expose(), [one, other])
    };
    let public = rsa.public().unwrap().to_spki().unwrap();
    assert_eq!(from(one.expose(), other.expose()).unwrap().public().unwrap().to_spki().unwrap(), public);
    assert!(from(one.expose(), one.expose()).is_err());
    let again = PublicKey::from_rsa_numbers(&numbers.modulus, &numbers.exponent).unwrap();
    assert_eq!(again.to_spki().unwrap(), public);
    for curve in CURVES {
        let key = key(PairKind::Curve(curve));
        let again = PrivateKey::from_curve_number(curve, key.curve_number().unwrap().expose()).unwrap();
        assert_eq!(again.to_pkcs8().expose(), key.to_pkcs8().expose());
        let public = key.public().unwrap();
        let (x, y) = public.coordinates().unwrap();
        assert_eq!((x.len(), y.len()), (curve_width(curve), curve_width(curve)));
    }
}

fn curve_width(curve: Curve) -> usize {
    match curve {
        Curve::P256 => 32,
        Curve::P384 => 48,
        Curve::P521 => 66,
    }
}
