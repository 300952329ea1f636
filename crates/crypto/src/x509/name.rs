//! Distinguished names (RFC 5280 section 4.1.2.4).

use super::X509Error;
use der::asn1::{Any, ObjectIdentifier, PrintableStringRef, SetOfVec, Utf8StringRef};
use der::{Decode, Encode, Tag, Tagged};
use std::fmt;
use x509_cert::attr::AttributeTypeAndValue;

/// Attributes in the order that upstream writes them.
const ATTRIBUTES: [(&str, &str); 10] = [
    ("2.5.4.6", "C"),
    ("2.5.4.10", "O"),
    ("2.5.4.11", "OU"),
    ("2.5.4.7", "L"),
    ("2.5.4.8", "ST"),
    ("2.5.4.9", "STREET"),
    ("2.5.4.17", "POSTALCODE"),
    ("2.5.4.3", "CN"),
    ("2.5.4.5", "SERIALNUMBER"),
    ("0.9.2342.19200300.100.1.1", "UID"),
];

/// The parts of a name that the API knows.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
#[expect(missing_docs, reason = "each is the attribute of its name")]
pub struct Subject {
    pub country: Vec<String>,
    pub organization: Vec<String>,
    pub organizational_unit: Vec<String>,
    pub locality: Vec<String>,
    pub province: Vec<String>,
    pub street_address: Vec<String>,
    pub postal_code: Vec<String>,
    pub common_name: String,
    pub serial_number: String,
    pub user_ids: Vec<String>,
}

/// A name, as the bytes of its DER.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DistinguishedName(Vec<u8>);

type Relative = SetOfVec<AttributeTypeAndValue>;

impl DistinguishedName {
    /// The DER of the `Name`.
    pub fn as_der(&self) -> &[u8] {
        &self.0
    }

    pub(super) fn of(value: &Any) -> Result<Self, X509Error> {
        let der = value.to_der()?;
        Vec::<Relative>::from_der(&der)?;
        Ok(Self(der))
    }

    pub(super) fn to_any(&self) -> Result<Any, X509Error> {
        Ok(Any::from_der(&self.0)?)
    }

    /// Writes the parts that are not empty. All values of an attribute are one set, as upstream has it.
    pub fn from_subject(subject: &Subject) -> Result<Self, X509Error> {
        let of_one = |value: &String| if value.is_empty() { Vec::new() } else { vec![value.clone()] };
        let values = [
            subject.country.clone(),
            subject.organization.clone(),
            subject.organizational_unit.clone(),
            subject.locality.clone(),
            subject.province.clone(),
            subject.street_address.clone(),
            subject.postal_code.clone(),
            of_one(&subject.common_name),
            of_one(&subject.serial_number),
            subject.user_ids.clone(),
        ];
        let mut relatives: Vec<Relative> = Vec::new();
        for ((oid, _), values) in ATTRIBUTES.iter().zip(values) {
            let mut set: Vec<AttributeTypeAndValue> = Vec::new();
            for value in values {
                let attribute =
                    AttributeTypeAndValue { oid: ObjectIdentifier::new_unwrap(oid), value: directory_string(&value)? };
                if !set.contains(&attribute) {
                    set.push(attribute);
                }
            }
            if !set.is_empty() {
                relatives.push(Relative::try_from(set)?);
            }
        }
        Ok(Self(relatives.to_der()?))
    }

    /// The parts that are known; others are left out.
    pub fn subject(&self) -> Subject {
        let mut subject = Subject::default();
        for (oid, value) in self.attributes() {
            let list = match oid.as_str() {
                "2.5.4.6" => &mut subject.country,
                "2.5.4.10" => &mut subject.organization,
                "2.5.4.11" => &mut subject.organizational_unit,
                "2.5.4.7" => &mut subject.locality,
                "2.5.4.8" => &mut subject.province,
                "2.5.4.9" => &mut subject.street_address,
                "2.5.4.17" => &mut subject.postal_code,
                "0.9.2342.19200300.100.1.1" => &mut subject.user_ids,
                "2.5.4.3" => {
                    subject.common_name = value;
                    continue;
                }
                "2.5.4.5" => {
                    subject.serial_number = value;
                    continue;
                }
                _ => continue,
            };
            list.push(value);
        }
        subject
    }

    /// Whether there is an attribute that [`Subject`] has no place for.
    pub fn has_unknown_attributes(&self) -> bool {
        self.attributes().iter().any(|(oid, _)| ATTRIBUTES.iter().all(|(known, _)| known != oid))
    }

    /// How many common names it has.
    pub fn common_name_count(&self) -> usize {
        self.attributes().iter().filter(|(oid, _)| oid == "2.5.4.3").count()
    }

    fn attributes(&self) -> Vec<(String, String)> {
        self.relatives().iter().flat_map(|set| set.iter().map(shown).collect::<Vec<_>>()).collect()
    }

    fn relatives(&self) -> Vec<Relative> {
        // The bytes were read as such a list when they came in.
        Vec::<Relative>::from_der(&self.0).unwrap_or_default()
    }
}

impl fmt::Display for DistinguishedName {
    /// In the order of RFC 4514: last set first.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (at, set) in self.relatives().iter().rev().enumerate() {
            if at > 0 {
                formatter.write_str(",")?;
            }
            for (within, attribute) in set.iter().enumerate() {
                if within > 0 {
                    formatter.write_str("+")?;
                }
                let (oid, value) = shown(attribute);
                let known = ATTRIBUTES.iter().take(9).find(|(known, _)| *known == oid);
                formatter.write_str(known.map_or(oid.as_str(), |(_, name)| name))?;
                formatter.write_str("=")?;
                for (position, character) in value.chars().enumerate() {
                    let edge = position == 0 && matches!(character, ' ' | '#');
                    if edge || matches!(character, ',' | '+' | '"' | '\\' | '<' | '>' | ';') {
                        formatter.write_str("\\")?;
                    }
                    write!(formatter, "{character}")?;
                }
            }
        }
        Ok(())
    }
}

impl fmt::Debug for DistinguishedName {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "DistinguishedName({self})")
    }
}

fn shown(attribute: &AttributeTypeAndValue) -> (String, String) {
    let value = &attribute.value;
    let text = match value.tag() {
        // BMPString holds UTF-16, everything else in use is UTF-8 or a part of it.
        Tag::BmpString => {
            let units: Vec<u16> = value.value().as_chunks().0.iter().map(|pair| u16::from_be_bytes(*pair)).collect();
            String::from_utf16_lossy(&units)
        }
        _ => String::from_utf8_lossy(value.value()).into_owned(),
    };
    (attribute.oid.to_string(), text)
}

/// A printable string where the text is one, else UTF-8.
fn directory_string(text: &str) -> Result<Any, X509Error> {
    match PrintableStringRef::new(text) {
        Ok(printable) => Ok(Any::encode_from(&printable)?),
        Err(_) => Ok(Any::encode_from(&Utf8StringRef::new(text)?)?),
    }
}
