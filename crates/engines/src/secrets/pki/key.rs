//! A key as it is stored, at `key/<id>`, and the default one.

use super::KEYS_MAX;
use super::answers::internal;
use engine::crypto::x509::{KeyKind, PrivateKey};
use engine::{Cx, Fault, Page, Record, StoredPkcs8};
use serde::{Deserialize, Serialize};

/// Where the keys are.
pub(super) const KEYS: &str = "key/";
const DEFAULT: &str = "config/keys";

/// A private key with its names.
#[derive(Serialize, Deserialize)]
pub(super) struct Key {
    /// Its id.
    pub(super) id: String,
    /// Its name; empty if there is none.
    pub(super) name: String,
    /// `rsa`, `ec` or `ed25519`.
    pub(super) kind: String,
    /// SHA-1 of the public half.
    pub(super) identifier: Vec<u8>,
    pkcs8: StoredPkcs8,
}

impl Record for Key {
    const KIND: &'static str = "pki-key/1";
}

/// Which key is the default.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct DefaultKey {
    /// Its id; empty if there is none.
    pub(super) default: String,
}

impl Record for DefaultKey {
    const KIND: &'static str = "pki-default-key/1";
}

impl DefaultKey {
    /// Which it is.
    pub(super) fn load(cx: &mut Cx) -> Result<Self, Fault> {
        Ok(cx.tx.load(DEFAULT)?.unwrap_or_default())
    }

    /// Stores it.
    pub(super) fn save(&self, cx: &mut Cx) -> Result<(), Fault> {
        Ok(cx.tx.save(DEFAULT, self)?)
    }
}

impl Key {
    /// All keys.
    pub(super) fn all(cx: &mut Cx) -> Result<Vec<Self>, Fault> {
        let page = Page { limit: Some(KEYS_MAX), ..Page::default() };
        let ids = cx.tx.list(KEYS, &page)?;
        let mut keys = Vec::with_capacity(ids.len());
        for id in ids {
            keys.extend(Self::load(cx, &id)?);
        }
        Ok(keys)
    }

    /// The key of an id.
    pub(super) fn load(cx: &mut Cx, id: &str) -> Result<Option<Self>, Fault> {
        Ok(cx.tx.load(&format!("{KEYS}{id}"))?)
    }

    /// The key of an id, a name or `default`.
    pub(super) fn find(cx: &mut Cx, reference: &str) -> Result<Option<Self>, Fault> {
        if reference == "default" {
            let default = DefaultKey::load(cx)?.default;
            return if default.is_empty() { Ok(None) } else { Self::load(cx, &default) };
        }
        if reference.is_empty() || reference.contains('/') {
            return Ok(None);
        }
        if let Some(key) = Self::load(cx, reference)? {
            return Ok(Some(key));
        }
        Ok(Self::all(cx)?.into_iter().find(|key| key.name == reference))
    }

    /// Stores a private key under a new id, or finds the one that is the same; whether it is new.
    pub(super) fn add(cx: &mut Cx, private: &PrivateKey, name: &str) -> Result<(Self, bool), Fault> {
        let identifier = private.public().map_err(internal)?.identifier();
        let all = Self::all(cx)?;
        if all.len() >= KEYS_MAX {
            return Err(Fault::invalid("this mount has as many keys as it may have"));
        }
        if let Some(known) = all.into_iter().find(|key| key.identifier == identifier) {
            return Ok((known, false));
        }
        let key = Self {
            id: engine::Randomness::uuid(cx.randomness.as_mut()),
            name: name.to_owned(),
            kind: private.kind().name().to_owned(),
            identifier,
            pkcs8: StoredPkcs8(private.to_pkcs8().map_err(internal)?),
        };
        key.save(cx)?;
        if DefaultKey::load(cx)?.default.is_empty() {
            DefaultKey { default: key.id.clone() }.save(cx)?;
        }
        Ok((key, true))
    }

    /// Stores it.
    pub(super) fn save(&self, cx: &mut Cx) -> Result<(), Fault> {
        Ok(cx.tx.save(&format!("{KEYS}{}", self.id), self)?)
    }

    /// Deletes it.
    pub(super) fn delete(&self, cx: &mut Cx) {
        cx.tx.delete(&format!("{KEYS}{}", self.id));
    }

    /// The key, ready to sign.
    pub(super) fn private(&self) -> Result<PrivateKey, Fault> {
        PrivateKey::from_der(self.pkcs8.0.as_slice()).map_err(internal)
    }
}

/// Kind and size of a key, from how the API names them; size 0 is the default of the kind.
pub(super) fn kind_of(kind: &str, bits: i64) -> Result<KeyKind, Fault> {
    match (kind, bits) {
        ("rsa", 0) => Ok(KeyKind::Rsa(2048)),
        ("rsa", 2048 | 3072 | 4096 | 8192) => Ok(KeyKind::Rsa(u32::try_from(bits).unwrap_or_default())),
        ("rsa", bits) if bits < 2048 => {
            Err(Fault::invalid(format!("RSA keys < 2048 bits are unsafe and not supported: got {bits}")))
        }
        ("rsa", bits) => Err(Fault::invalid(format!("unsupported bit length for RSA key: {bits}"))),
        ("ec", 0) => Ok(KeyKind::Ec(256)),
        ("ec", 256 | 384 | 521) => Ok(KeyKind::Ec(u32::try_from(bits).unwrap_or_default())),
        ("ec", bits) => Err(Fault::invalid(format!("unsupported bit length for EC key: {bits}"))),
        ("ed25519", _) => Ok(KeyKind::Ed25519),
        (other, _) => Err(Fault::invalid(format!("unknown key type {other}"))),
    }
}
