//! Certificate requests (PKCS #10, RFC 2986).

use super::public_key::Signed;
use super::{
    DistinguishedName, Extensions, PrivateKey, PublicKey, SignatureScheme, X509_BYTES_MAX, X509Error, pem_blocks,
    pem_encode,
};
use der::asn1::{Any, ObjectIdentifier, SetOfVec};
use der::{Decode, Encode, Sequence};
use x509_cert::Version;
use x509_cert::attr::Attribute;
use x509_cert::spki::SubjectPublicKeyInfoOwned;

/// The attribute that asks for extensions (RFC 2985 section 5.4.2).
const EXTENSION_REQUEST: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.9.14");

#[derive(Debug, Clone, PartialEq, Eq, Sequence)]
struct Content {
    version: Version,
    subject: Any,
    public_key: SubjectPublicKeyInfoOwned,
    #[asn1(context_specific = "0", tag_mode = "IMPLICIT", optional = "true")]
    attributes: Option<SetOfVec<Attribute>>,
}

/// A request whose signature holds: whoever made it has the private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CertificateRequest {
    der: Vec<u8>,
    subject: DistinguishedName,
    public_key: PublicKey,
    extensions: Extensions,
}

impl CertificateRequest {
    /// Makes one.
    pub fn create(
        subject: &DistinguishedName,
        extensions: &Extensions,
        key: &PrivateKey,
        scheme: SignatureScheme,
    ) -> Result<Self, X509Error> {
        let mut attributes = SetOfVec::new();
        if let Some(encoded) = extensions.encoded()? {
            let mut values = SetOfVec::new();
            values.insert(Any::from_der(&encoded.to_der()?)?)?;
            attributes.insert(Attribute { oid: EXTENSION_REQUEST, values })?;
        }
        let content = Content {
            version: Version::V1,
            subject: subject.to_any()?,
            public_key: key.public()?.info,
            attributes: Some(attributes),
        };
        let signed = Signed::sign(&content.to_der()?, key, scheme)?;
        Self::from_der(&signed.to_der()?)
    }

    /// Reads one and checks its signature.
    pub fn from_der(der: &[u8]) -> Result<Self, X509Error> {
        if der.len() > X509_BYTES_MAX {
            return Err(X509Error::Encoding);
        }
        let signed = Signed::from_der(der)?;
        let content = Content::from_der(&signed.content.to_der()?)?;
        let public_key = PublicKey::of(content.public_key)?;
        signed.verify(&public_key)?;
        let mut extensions = Extensions::default();
        let attributes = content.attributes.unwrap_or_default();
        for attribute in attributes.iter().filter(|attribute| attribute.oid == EXTENSION_REQUEST) {
            for value in attribute.values.iter() {
                let list = Vec::<x509_cert::ext::Extension>::from_der(&value.to_der()?)?;
                for extension in Extensions::read(Some(list)).0 {
                    // Twice the same would leave open which of them was checked.
                    if extensions.value(&extension.oid).is_some() {
                        return Err(X509Error::Encoding);
                    }
                    extensions.0.push(extension);
                }
            }
        }
        Ok(Self { der: der.to_vec(), subject: DistinguishedName::of(&content.subject)?, public_key, extensions })
    }

    /// Reads the first one of a PEM text.
    pub fn from_pem(text: &str) -> Result<Self, X509Error> {
        let block = pem_blocks(text)?.into_iter().find(|block| block.label.ends_with("CERTIFICATE REQUEST"));
        Self::from_der(&block.ok_or(X509Error::Encoding)?.der)
    }

    /// Its bytes.
    pub fn as_der(&self) -> &[u8] {
        &self.der
    }

    /// As PEM, with a line end behind it.
    pub fn to_pem(&self) -> String {
        pem_encode("CERTIFICATE REQUEST", &self.der)
    }

    /// The name it asks for.
    pub fn subject(&self) -> &DistinguishedName {
        &self.subject
    }

    /// The key it is about.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The extensions it asks for.
    pub fn extensions(&self) -> &Extensions {
        &self.extensions
    }
}
