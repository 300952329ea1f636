//! Alternative names (RFC 5280 section 4.2.1.6).

use super::X509Error;
use der::asn1::{Any, Ia5String, ObjectIdentifier, OctetString, Utf8StringRef};
use der::{Decode, Encode, Tag, Tagged};
use std::net::IpAddr;
use x509_cert::ext::pkix::name::{GeneralName, OtherName as OtherNameValue};

/// A name of a kind that an object identifier tells, with a UTF-8 value.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OtherName {
    /// Its kind, in dots.
    pub oid: String,
    /// Its value.
    pub value: String,
}

/// All alternative names that the API knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AlternativeNames {
    /// Host names.
    pub dns: Vec<String>,
    /// Mail addresses.
    pub email: Vec<String>,
    /// Addresses.
    pub ip: Vec<IpAddr>,
    /// Resource identifiers.
    pub uri: Vec<String>,
    /// Names of other kinds.
    pub other: Vec<OtherName>,
    /// How many there are that this type has no place for: directory names, registered ids, other names that are not
    /// UTF-8. None of them is ever copied into a certificate.
    pub unknown_count: usize,
}

impl AlternativeNames {
    /// Whether there is none that can be written.
    pub fn is_empty(&self) -> bool {
        self.dns.is_empty()
            && self.email.is_empty()
            && self.ip.is_empty()
            && self.uri.is_empty()
            && self.other.is_empty()
    }

    /// The extension's value.
    pub(super) fn to_der(&self) -> Result<Vec<u8>, X509Error> {
        let mut names: Vec<GeneralName> = Vec::new();
        for oid_value in &self.other {
            let type_id = ObjectIdentifier::new(&oid_value.oid).map_err(|_| X509Error::Value)?;
            let value = Any::encode_from(&Utf8StringRef::new(&oid_value.value)?)?;
            names.push(GeneralName::OtherName(OtherNameValue { type_id, value }));
        }
        for dns in &self.dns {
            names.push(GeneralName::DnsName(Ia5String::new(dns).map_err(|_| X509Error::Value)?));
        }
        for email in &self.email {
            names.push(GeneralName::Rfc822Name(Ia5String::new(email).map_err(|_| X509Error::Value)?));
        }
        names.extend(self.ip.iter().copied().map(GeneralName::from));
        for uri in &self.uri {
            names.push(GeneralName::UniformResourceIdentifier(Ia5String::new(uri).map_err(|_| X509Error::Value)?));
        }
        Ok(names.to_der()?)
    }

    /// Reads the extension's value.
    pub(super) fn from_der(value: &[u8]) -> Result<Self, X509Error> {
        let mut all = Self::default();
        for name in Vec::<GeneralName>::from_der(value)? {
            match name {
                GeneralName::DnsName(name) => all.dns.push(name.as_str().to_owned()),
                GeneralName::Rfc822Name(name) => all.email.push(name.as_str().to_owned()),
                GeneralName::UniformResourceIdentifier(name) => all.uri.push(name.as_str().to_owned()),
                GeneralName::IpAddress(bytes) => all.ip.push(address(&bytes).ok_or(X509Error::Value)?),
                GeneralName::OtherName(name) if name.value.tag() == Tag::Utf8String => {
                    let value = String::from_utf8(name.value.value().to_vec()).map_err(|_| X509Error::Value)?;
                    all.other.push(OtherName { oid: name.type_id.to_string(), value });
                }
                _ => all.unknown_count += 1,
            }
        }
        Ok(all)
    }
}

fn address(bytes: &OctetString) -> Option<IpAddr> {
    let bytes = bytes.as_bytes();
    if let Ok(four) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(four));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}
