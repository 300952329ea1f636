//! A private key within a record.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use crypto::{Secret, Zeroizing};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The PKCS #8 encoding (RFC 5958) of a private key. It is serialised for the barrier, and for nobody else.
pub struct StoredPkcs8(pub Secret<Vec<u8>>);

impl Serialize for StoredPkcs8 {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&Zeroizing::new(STANDARD.encode(self.0.as_slice())))
    }
}

impl<'de> Deserialize<'de> for StoredPkcs8 {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Zeroizing::new(String::deserialize(deserializer)?);
        let bytes = STANDARD.decode(text.as_bytes()).map_err(|_| serde::de::Error::custom("not base64"))?;
        Ok(Self(Secret::new(bytes)))
    }
}
