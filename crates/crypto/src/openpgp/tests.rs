//! The fixtures were made by GnuPG 2.2 for these tests and are used nowhere else. Decryption is written here on its own,
//! from the RFC, so that a mistake in encryption is not made twice.

use super::packet::{integer, split};
use super::*;
use crate::{SeededRandomness, digest::sha256};
use aws_lc_rs::agreement::{PrivateKey, UnparsedPublicKey, X25519, agree};
use aws_lc_rs::cipher::{AES_256, DecryptingKey, DecryptionContext, UnboundCipherKey};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, digest};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::key_wrap::{AES_128, KeyEncryptionKey, KeyWrap};
use aws_lc_rs::rsa::{Pkcs1PrivateDecryptingKey, PrivateDecryptingKey};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use proptest::prelude::*;

const RSA: &str = include_str!("fixtures/rsa2048.pub");
const CURVE25519: &str = include_str!("fixtures/cv25519.pub");
const ALL: [(&str, &str); 5] = [
    (RSA, "3706c6b81217a3a823566abf6cb6c731c997bc30"),
    (CURVE25519, "2b3c1731d6ddaf07d255889feacf7524eefca7d6"),
    (include_str!("fixtures/nistp256.pub"), "b3fa4771f9ffb1becf640498e2cb6eb2b0fefd20"),
    (include_str!("fixtures/nistp384.pub"), "f5aa7da2b998452513c8d09959afc5546fd42fca"),
    (include_str!("fixtures/nistp521.pub"), "cb6b177d57b83d87a3c0fa072aa766757b42da4b"),
];

fn bytes(hex: &str) -> Vec<u8> {
    let hex = hex.trim();
    (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
}

fn key_bytes(text: &str) -> Vec<u8> {
    packet::decode_text(text).unwrap()
}

/// Opens the second packet with a session key that was encoded as section 5.1 says.
fn opened(protected: &[u8], encoded: &[u8]) -> Vec<u8> {
    let ([cipher, session @ ..], checksum) = encoded.split_last_chunk::<2>().unwrap() else { panic!() };
    assert_eq!(*cipher, 9);
    assert_eq!(session.iter().map(|byte| u16::from(*byte)).fold(0, u16::wrapping_add), u16::from_be_bytes(*checksum));
    let [1, data @ ..] = protected else { panic!("version") };
    let mut data = data.to_vec();
    let key = DecryptingKey::cfb128(UnboundCipherKey::new(&AES_256, session).unwrap()).unwrap();
    key.decrypt(&mut data, DecryptionContext::Iv128(FixedLength::from([0; 16]))).unwrap();
    let (front, check) = data.split_last_chunk::<20>().unwrap();
    assert_eq!(digest(&SHA1_FOR_LEGACY_USE_ONLY, front).as_ref(), check);
    assert_eq!(front[14..16], front[16..18]);
    let literal = split(&front[18..front.len() - 2]).unwrap();
    assert_eq!((literal[0].tag, &literal[0].body[..6]), (11, &b"b\0\0\0\0\0"[..]));
    literal[0].body[6..].to_vec()
}

#[test]
fn fingerprints_are_those_that_gnupg_shows() {
    for (text, fingerprint) in ALL {
        let recipient = Recipient::parse(text).unwrap();
        assert_eq!(recipient.fingerprint(), fingerprint);
        assert_eq!(format!("{recipient:?}"), format!("Recipient({fingerprint})"));
        assert!(recipient.encrypt(&mut SeededRandomness::new(1), b"share").is_ok());
    }
    let armored = Recipient::parse(include_str!("fixtures/cv25519.asc")).unwrap();
    assert_eq!(armored.fingerprint(), ALL[1].1);
}

#[test]
fn an_rsa_key_opens_its_message() {
    let message = Recipient::parse(RSA).unwrap().encrypt(&mut SeededRandomness::new(1), b"the share").unwrap();
    let packets = split(&message).unwrap();
    // The subkey's id, not the primary key's.
    assert_eq!(packets[0].body[..10], [&[3][..], &bytes("947313e300884aa6"), &[1]].concat());
    let (ciphertext, rest) = integer(&packets[0].body[10..]).unwrap();
    assert!(rest.is_empty());
    let pkcs8: String = include_str!("fixtures/rsa2048.pkcs8").split_whitespace().collect();
    let fixture = STANDARD.decode(pkcs8).unwrap();
    let private = Pkcs1PrivateDecryptingKey::new(PrivateDecryptingKey::from_pkcs8(&fixture).unwrap()).unwrap();
    let mut buffer = vec![0; private.min_output_size()];
    let padded = [vec![0; private.key_size_bytes() - ciphertext.len()], ciphertext.to_vec()].concat();
    let encoded = private.decrypt(&padded, &mut buffer).unwrap();
    assert_eq!(opened(packets[1].body, encoded), b"the share");
}

#[test]
fn a_curve25519_key_opens_its_message() {
    let message = Recipient::parse(CURVE25519).unwrap().encrypt(&mut SeededRandomness::new(1), b"the share").unwrap();
    let packets = split(&message).unwrap();
    assert_eq!((packets[0].tag, packets[1].tag, packets.len()), (1, 18, 2));
    assert_eq!(packets[0].body[..10], [&[3][..], &bytes("710bfd92ef87a985"), &[18]].concat());
    let (point, rest) = integer(&packets[0].body[10..]).unwrap();
    let private = PrivateKey::from_private_key(&X25519, &bytes(include_str!("fixtures/cv25519.scalar"))).unwrap();
    let key = agree(&private, UnparsedPublicKey::new(&X25519, &point[1..]), (), |shared| {
        let fingerprint = bytes("96a14baced219e897378df49710bfd92ef87a985");
        let parameters = bytes("0a2b0601040197550105011203010807");
        Ok::<_, ()>(sha256(&[&[0, 0, 0, 1], shared, &parameters, b"Anonymous Sender    ", &fingerprint]))
    });
    let mut encoded = vec![0; 48];
    let unwrapped =
        KeyEncryptionKey::new(&AES_128, &key.unwrap()[..16]).unwrap().unwrap(&rest[1..], &mut encoded).unwrap();
    assert_eq!((rest[0], &unwrapped[35..]), (48, &[5; 5][..]));
    assert_eq!(opened(packets[1].body, &unwrapped[..35]), b"the share");
}

/// RFC 3394 sections 4.1, 4.2 and 4.3: 128 bits of data under 128, 192 and 256 bits of key.
#[test]
fn key_wrap_of_rfc_3394() {
    let data = bytes("00112233445566778899aabbccddeeff");
    let key: Vec<u8> = (0..32).collect();
    for (length, expected) in [
        (16, "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"),
        (24, "96778b25ae6ca435f92b5b97c050aed2468ab8a17ad84e5d"),
        (32, "64e8c3f9ce0f5ba263e9777905818a2a93c8191e7d6e8ae7"),
    ] {
        assert_eq!(message::wrap_key(&key[..length], &data).unwrap(), bytes(expected));
    }
    assert!(message::wrap_key(&key[..16], &data[..15]).is_none());
}

/// A subkey that the primary key did not sign is not used, whatever the fingerprint says.
#[test]
fn grafted_and_revoked_subkeys_are_refused() {
    let (rsa, curve, p256) = (key_bytes(RSA), key_bytes(CURVE25519), key_bytes(ALL[2].0));
    let (rsa, curve, p256) = (split(&rsa).unwrap(), split(&curve).unwrap(), split(&p256).unwrap());
    let tags: Vec<u8> = curve.iter().map(|packet| packet.tag).collect();
    assert_eq!(tags, [6, 13, 2, 14, 2]);
    let parse = |packets: &[(u8, &[u8])]| {
        let mut bytes = Vec::new();
        packets.iter().for_each(|(tag, body)| packet::put(&mut bytes, *tag, body));
        Recipient::parse(&STANDARD.encode(bytes)).map(|recipient| recipient.fingerprint().to_owned())
    };
    let own: Vec<(u8, &[u8])> = curve.iter().map(|packet| (packet.tag, packet.body)).collect();
    assert_eq!(parse(&own).unwrap(), ALL[1].1);
    let with = |subkey: &[u8], signature: &[u8]| parse(&[own[0], own[1], own[2], (14, subkey), (2, signature)]);
    assert_eq!(with(p256[3].body, p256[4].body), Err(OpenPgpError::Unusable));
    assert_eq!(with(p256[3].body, curve[4].body), Err(OpenPgpError::Unusable));
    assert_eq!(with(rsa[3].body, curve[4].body), Err(OpenPgpError::Unusable));
    let mut changed = curve[3].body.to_vec();
    *changed.last_mut().unwrap() ^= 1;
    assert_eq!(with(&changed, curve[4].body), Err(OpenPgpError::Unusable));
    assert_eq!(parse(&own[..3]), Err(OpenPgpError::Unusable), "an EdDSA key cannot be encrypted to");
    assert_eq!(parse(&own[..4]), Err(OpenPgpError::Unusable), "not signed at all");
    let mut revocation = curve[4].body.to_vec();
    revocation[1] = 0x28;
    assert_eq!(parse(&[own.as_slice(), &[(2, &revocation)]].concat()), Err(OpenPgpError::Unusable));
    revocation[1] = 0x20;
    assert_eq!(parse(&[&own[..1], &[(2, revocation.as_slice())], &own[1..]].concat()), Err(OpenPgpError::Unusable));
}

#[test]
fn what_is_no_key_is_refused() {
    let secret_like = STANDARD.encode([0x94, 0x01, 0x04]);
    for text in ["", "abc", "a2V5", "-----BEGIN PGP PUBLIC KEY BLOCK-----", "\u{1f512}", &secret_like] {
        assert_eq!(Recipient::parse(text).err(), Some(OpenPgpError::Format), "{text}");
    }
    assert_eq!(Recipient::parse(&"A".repeat(KEY_TEXT_BYTES_MAX + 1)).err(), Some(OpenPgpError::Format));
}

/// Different messages to one key have different session keys.
#[test]
fn messages_differ() {
    let recipient = Recipient::parse(CURVE25519).unwrap();
    let mut randomness = SeededRandomness::new(1);
    let first = recipient.encrypt(&mut randomness, b"share").unwrap();
    assert_ne!(first, recipient.encrypt(&mut randomness, b"share").unwrap());
    assert!(!first.windows(5).any(|window| window == b"share"));
}

proptest! {
    #[test]
    fn parsing_never_panics(which in 0_usize..5, at in 0_usize..2000, byte: u8, cut in 0_usize..2000, text in ".{0,200}") {
        let _ = Recipient::parse(&text);
        let mut bytes = key_bytes(ALL[which].0);
        let (at, cut) = (at % bytes.len(), cut % bytes.len());
        let _ = Recipient::parse(&STANDARD.encode(&bytes[..cut]));
        bytes[at] = byte;
        if let Ok(recipient) = Recipient::parse(&STANDARD.encode(bytes)) {
            let _ = recipient.encrypt(&mut SeededRandomness::new(1), b"share");
        }
    }
}
