//! Certificates, requests and lists, made and read back.

use super::*;
use crate::SeededRandomness;

fn names() -> AlternativeNames {
    AlternativeNames {
        dns: vec!["a.example.com".into(), "*.b.example.com".into()],
        email: vec!["x@example.com".into()],
        ip: vec!["1.2.3.4".parse().unwrap(), "::1".parse().unwrap()],
        uri: vec!["spiffe://x/y".into()],
        other: vec![OtherName { oid: "1.2.3.4".into(), value: "höflich".into() }],
        unknown_count: 0,
    }
}

fn key(kind: KeyKind, seed: u64) -> PrivateKey {
    PrivateKey::generate(kind, &mut SeededRandomness::new(seed)).unwrap()
}

fn authority(key: &PrivateKey) -> Certificate {
    let subject = Subject {
        common_name: "root".into(),
        organization: vec!["Örg".into()],
        organizational_unit: vec!["b".into(), "a".into()],
        ..Subject::default()
    };
    let subject = DistinguishedName::from_subject(&subject).unwrap();
    let mut extensions = Extensions::default();
    extensions.set_constraints(Constraints { authority: true, path_length: Some(1) }).unwrap();
    extensions.set_key_usage(0b0110_0000).unwrap();
    extensions.set_subject_key(&key.public().unwrap().identifier()).unwrap();
    let template = Template {
        serial: vec![0x80, 1],
        subject: subject.clone(),
        issuer: subject,
        not_before: 1_800_000_000,
        not_after: 4_102_444_800,
        public_key: key.public().unwrap(),
        extensions,
    };
    Certificate::issue(&template, key, SignatureScheme::of(key.kind(), Hash::Sha256, false)).unwrap()
}

#[test]
fn a_certificate_reads_as_it_was_made() {
    for kind in [KeyKind::Rsa(2048), KeyKind::Ec(256), KeyKind::Ec(384), KeyKind::Ec(521), KeyKind::Ed25519] {
        let key = key(kind, 1);
        let made = authority(&key);
        assert!(made.is_self_signed() && made.is_authority(), "{kind:?}");
        assert_eq!(made.serial(), [0x80, 1]);
        assert_eq!(made.subject().to_string(), "CN=root,OU=a+OU=b,O=Örg");
        assert_eq!((made.not_before(), made.not_after()), (1_800_000_000, 4_102_444_800));
        assert_eq!(made.extensions().key_usage(), Some(0b0110_0000));
        assert_eq!(made.extensions().constraints(), Some(Constraints { authority: true, path_length: Some(1) }));
        assert_eq!(made.public_key().kind(), kind);
        assert_eq!(Certificate::from_pem(&made.to_pem()).unwrap(), made);
    }
}

#[test]
fn a_changed_certificate_is_signed_by_nobody() {
    let made = authority(&key(KeyKind::Ec(256), 1));
    let mut bytes = made.as_der().to_vec();
    let at = bytes.windows(4).position(|window| window == b"root").unwrap();
    bytes[at] = b'b';
    let changed = Certificate::from_der(&bytes).unwrap();
    assert!(!changed.is_self_signed());
    let other = authority(&key(KeyKind::Ec(256), 2));
    assert!(!made.is_issued_by(&other));
}

#[test]
fn every_form_of_a_private_key_reads_back() {
    for kind in [KeyKind::Rsa(2048), KeyKind::Ec(256), KeyKind::Ec(384), KeyKind::Ec(521), KeyKind::Ed25519] {
        let made = key(kind, 3);
        for pkcs8 in [false, true] {
            let pem = made.to_pem(pkcs8).unwrap();
            let read = PrivateKey::from_pem(pem.as_str()).unwrap();
            assert_eq!(read.kind(), kind);
            assert_eq!(read.public().unwrap(), made.public().unwrap(), "{kind:?} {pkcs8}");
        }
    }
    assert!(PrivateKey::from_der(b"nothing").is_err());
    assert!(matches!(PrivateKey::generate(KeyKind::Rsa(1024), &mut SeededRandomness::new(1)), Err(X509Error::Key)));
}

#[test]
fn a_request_keeps_its_names_and_shows_possession() {
    let key = key(KeyKind::Ec(384), 4);
    let subject = Subject { common_name: "leaf".into(), user_ids: vec!["u".into()], ..Subject::default() };
    let subject = DistinguishedName::from_subject(&subject).unwrap();
    let mut extensions = Extensions::default();
    extensions.set_names(&names(), false).unwrap();
    let scheme = SignatureScheme::of(key.kind(), Hash::Sha256, false);
    let made = CertificateRequest::create(&subject, &extensions, &key, scheme).unwrap();
    let read = CertificateRequest::from_pem(&made.to_pem()).unwrap();
    assert_eq!(read.extensions().names().unwrap(), names());
    assert_eq!(read.subject().subject().user_ids, ["u"]);
    let mut changed = made.as_der().to_vec();
    let at = changed.windows(4).position(|window| window == b"leaf").unwrap();
    changed[at] = b'L';
    assert_eq!(CertificateRequest::from_der(&changed), Err(X509Error::Signature));
}

#[test]
fn pss_signs_and_verifies_with_its_parameters() {
    let key = key(KeyKind::Rsa(2048), 5);
    for hash in [Hash::Sha256, Hash::Sha384, Hash::Sha512] {
        let scheme = SignatureScheme::RsaPss(hash);
        let subject = DistinguishedName::from_subject(&Subject::default()).unwrap();
        let made = CertificateRequest::create(&subject, &Extensions::default(), &key, scheme).unwrap();
        assert!(CertificateRequest::from_der(made.as_der()).is_ok());
        assert_eq!(SignatureScheme::parse(scheme.name()), Some(scheme));
    }
    assert!(key.sign(SignatureScheme::Ecdsa(Hash::Sha256), b"x").is_err());
}

/// Finding of the library's builder: a list names the key that signs it, not the one above.
#[test]
fn a_list_names_the_key_of_its_own_authority() {
    let key = key(KeyKind::Ec(256), 6);
    let authority = authority(&key);
    let entries = [RevokedEntry { serial: vec![1, 2], revoked: 1_800_000_001 }];
    let template = ListTemplate {
        authority: &authority,
        this_update: 1_800_000_000,
        next_update: 1_800_000_100,
        number: 300,
        base_number: None,
        entries: &entries,
    };
    let list = build_list(&template, &key, SignatureScheme::of(key.kind(), Hash::Sha256, false)).unwrap();
    let identifier = key.public().unwrap().identifier();
    assert!(list.windows(identifier.len()).any(|window| window == identifier));
    // CRL number 300 as an INTEGER.
    assert!(list.windows(4).any(|window| window == [0x02, 0x02, 0x01, 0x2c]));
}

#[test]
fn texts_that_are_nothing_are_refused() {
    for bytes in [&b""[..], b"0", &[0x30, 0x84, 0xff, 0xff, 0xff, 0xff], &[0x30; 100]] {
        assert!(Certificate::from_der(bytes).is_err());
        assert!(CertificateRequest::from_der(bytes).is_err());
        assert!(OcspRequest::from_der(bytes).is_err());
    }
    assert!(Certificate::from_pem("-----BEGIN CERTIFICATE-----\nodd").is_err());
    // An address of three bytes.
    let extension = Extension { oid: "2.5.29.17".into(), critical: false, value: vec![0x30, 5, 0x87, 3, 1, 2, 3] };
    assert!(Extensions(vec![extension]).names().is_err());
}
