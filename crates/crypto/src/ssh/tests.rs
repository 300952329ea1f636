//! The vectors were made by `ssh-keygen` of OpenSSH 9.2 and `openssl` 3.0.

use super::*;
use crate::SeededRandomness;
use std::collections::BTreeMap;

const VECTORS: [(&str, &str); 7] = [
    (include_str!("vectors/p256"), include_str!("vectors/p256.pub")),
    (include_str!("vectors/p384"), include_str!("vectors/p384.pub")),
    (include_str!("vectors/p521"), include_str!("vectors/p521.pub")),
    (include_str!("vectors/ed25519"), include_str!("vectors/ed25519.pub")),
    (include_str!("vectors/rsa"), include_str!("vectors/rsa.pub")),
    (include_str!("vectors/rsa-pkcs1.pem"), include_str!("vectors/rsa.pub")),
    (include_str!("vectors/rsa-pkcs8.pem"), include_str!("vectors/rsa.pub")),
];

fn options(pairs: &[(&str, &str)]) -> BTreeMap<String, String> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

#[test]
fn private_keys_of_every_format_are_read_kept_and_written() {
    for (private, public) in VECTORS {
        let public = PublicKey::parse(public).unwrap();
        let key = PrivateKey::from_pem(private).unwrap();
        assert!(key.public().unwrap().same_key(&public), "{}", public.algorithm());
        let kept = PrivateKey::from_pkcs8(key.algorithm(), key.to_pkcs8().as_slice()).unwrap();
        let written = kept.to_pem().unwrap();
        let again = PrivateKey::from_pem(written.as_str()).unwrap();
        assert!(again.public().unwrap().same_key(&public), "{}", public.algorithm());
    }
}

#[test]
fn an_rsa_key_is_written_as_ssh_keygen_writes_it() {
    let key = PrivateKey::from_pem(include_str!("vectors/rsa")).unwrap();
    assert_eq!(key.to_pem().unwrap().as_str(), include_str!("vectors/rsa-pkcs1.pem"));
}

#[test]
fn what_is_no_private_key_is_told_apart() {
    let of = |text: &str| PrivateKey::from_pem(text).err();
    assert_eq!(of(include_str!("vectors/encrypted")), Some(ImportError::Encrypted));
    assert_eq!(of("-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n"), Some(ImportError::Encrypted));
    for text in ["", "x", "-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n-----END OPENSSH PRIVATE KEY-----\n"] {
        assert_eq!(of(text), Some(ImportError::Format), "{text}");
    }
}

#[test]
fn public_keys_are_read_and_told_apart() {
    for (text, family, bits) in [
        (include_str!("vectors/p256.pub"), "ec", 256),
        (include_str!("vectors/p384.pub"), "ec", 384),
        (include_str!("vectors/p521.pub"), "ec", 521),
        (include_str!("vectors/ed25519.pub"), "ed25519", 256),
        (include_str!("vectors/rsa.pub"), "rsa", 2048),
    ] {
        let key = PublicKey::parse(text).unwrap();
        assert_eq!((key.family(), key.bits()), (family, bits));
        assert_eq!(key.to_line(), text.trim());
        assert_eq!(key.fingerprint().len(), 64);
    }
    let long = format!("{} {}", include_str!("vectors/p256.pub").trim(), "x".repeat(KEY_TEXT_BYTES_MAX));
    for none in ["", "ssh-ed25519", "ssh-ed25519 AAAA", "bad", long.as_str(), include_str!("vectors/p256")] {
        assert_eq!(PublicKey::parse(none), None);
    }
}

#[test]
fn keys_of_every_kind_are_made() {
    let mut randomness = SeededRandomness::new(1);
    for (kind, family, bits) in [
        (KeyKind::EcdsaP256, "ec", 256),
        (KeyKind::EcdsaP384, "ec", 384),
        (KeyKind::EcdsaP521, "ec", 521),
        (KeyKind::Ed25519, "ed25519", 256),
        (KeyKind::Rsa(2048), "rsa", 2048),
    ] {
        let public = PrivateKey::generate(kind, &mut randomness).unwrap().public().unwrap();
        assert_eq!((public.family(), public.bits()), (family, bits));
    }
    assert_eq!(PrivateKey::generate(KeyKind::Rsa(1024), &mut randomness).err(), Some(ImportError::Generation));
}

#[test]
fn a_certificate_says_what_it_was_made_of() {
    let subject = PublicKey::parse(include_str!("vectors/rsa.pub")).unwrap();
    for (private, public) in VECTORS {
        let authority = PrivateKey::from_pem(private).unwrap();
        for hash in [SignatureHash::Sha256, SignatureHash::Sha512] {
            let line = Certificate {
                public_key: &subject,
                serial: 0x0102_0304_0506_0708,
                host: false,
                key_id: "me",
                principals: &["ann".to_owned(), "bob".to_owned()],
                valid_after: 1_000,
                valid_before: 2_000,
                critical_options: &options(&[("force-command", "ls")]),
                extensions: &options(&[("permit-pty", ""), ("name@x", "value")]),
            }
            .issue(&authority, hash, &mut SeededRandomness::new(7))
            .unwrap();
            let read = ssh_key::Certificate::from_openssh(&line).unwrap();
            assert_eq!((read.serial(), read.key_id()), (0x0102_0304_0506_0708, "me"));
            assert_eq!((read.valid_after(), read.valid_before()), (1_000, 2_000));
            assert_eq!(read.valid_principals(), ["ann", "bob"]);
            assert_eq!(read.critical_options().get("force-command").map(String::as_str), Some("ls"));
            assert_eq!(read.extensions().len(), 2);
            assert_eq!(read.public_key(), subject.0.key_data());
            let authority_key = PublicKey::parse(public).unwrap();
            assert_eq!(read.signature_key(), authority_key.0.key_data());
        }
    }
}

#[test]
fn s88_no_certificate_is_made_for_everybody() {
    let authority = PrivateKey::from_pem(include_str!("vectors/ed25519")).unwrap();
    let subject = PublicKey::parse(include_str!("vectors/p256.pub")).unwrap();
    for principals in [vec![], vec![String::new()], vec!["ann".to_owned(), String::new()]] {
        let certificate = Certificate {
            public_key: &subject,
            serial: 1,
            host: false,
            key_id: "",
            principals: &principals,
            valid_after: 0,
            valid_before: 1,
            critical_options: &BTreeMap::new(),
            extensions: &BTreeMap::new(),
        };
        let made = certificate.issue(&authority, SignatureHash::Sha256, &mut SeededRandomness::new(7));
        assert_eq!(made, Err(IssueError::Principals));
    }
}
