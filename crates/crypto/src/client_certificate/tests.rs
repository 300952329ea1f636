use super::*;
use rcgen::{CertificateParams, DnType, KeyPair, SerialNumber};

fn made(change: impl FnOnce(&mut CertificateParams)) -> Vec<u8> {
    let mut params = CertificateParams::default();
    params.serial_number = Some(SerialNumber::from(258));
    change(&mut params);
    params.self_signed(&KeyPair::generate().unwrap()).unwrap().der().to_vec()
}

#[test]
fn what_a_certificate_says_is_read() {
    let der = made(|params| params.distinguished_name.push(DnType::OrganizationalUnitName, "ops"));
    let read = Certificate::from_der(&der).unwrap();
    assert_eq!((read.serial.as_str(), read.is_ca, read.is_client), ("258", false, true));
    assert_eq!(read.common_name.as_deref(), Some("rcgen self signed cert"));
    assert_eq!(read.organizational_units, ["ops"]);
    assert!(read.is_valid_at(1_800_000_000) && !read.is_valid_at(-1));
}

#[test]
fn nothing_but_whole_certificates_is_read() {
    let der = made(|_| {});
    for length in 0..der.len() {
        assert_eq!(Certificate::from_der(&der[..length]), None, "{length}");
    }
    assert_eq!(Certificate::from_der(&[der.as_slice(), b"\0"].concat()), None);
    assert_eq!(Certificate::from_pem("no PEM"), Some(Vec::new()));
    assert_eq!(revoked_serials(b"no list"), None);
    assert_eq!(revoked_serials(&der), None);
}

#[test]
fn strings_of_asn1_are_read_and_nothing_else() {
    assert_eq!(asn1_text(b"\x0c\x02hi").as_deref(), Some("hi"));
    assert_eq!(asn1_text(b"\x16\x02hi").as_deref(), Some("hi"));
    for other in [b"\x04\x02hi".as_slice(), b"\x0c\x02hi!", b"\x0c\x03hi", b"\x0c\x01\xff", b""] {
        assert_eq!(asn1_text(other), None, "{other:?}");
    }
}
