//! The mount's own key of keyed hashes: secret-ids are found by their hash and never stored.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::crypto::{MacKey, RandomBytes as _};
use engine::{Cx, Fault, Record};
use serde::{Deserialize, Serialize};

const KEY: &str = "salt";

/// What is stored of it.
#[derive(Serialize, Deserialize)]
struct Stored {
    /// 32 random bytes in base64url.
    key: String,
}

impl Record for Stored {
    const KIND: &'static str = "approle-salt/1";
}

/// Hashes the identifiers of one mount.
pub(super) struct Salt(MacKey);

impl Salt {
    /// Draws the key of a new mount.
    pub(super) fn create(cx: &mut Cx) -> Result<(), Fault> {
        if cx.tx.exists(KEY)? {
            return Ok(());
        }
        let key: [u8; 32] = cx.randomness.bytes();
        Ok(cx.tx.save(KEY, &Stored { key: URL_SAFE_NO_PAD.encode(key) })?)
    }

    /// The mount's key.
    pub(super) fn load(cx: &mut Cx) -> Result<Self, Fault> {
        let stored: Stored = cx.tx.load(KEY)?.ok_or_else(|| Fault::internal("the mount has no salt"))?;
        Ok(Self(MacKey::new(stored.key.as_bytes())))
    }

    /// The hash that a role-id is found by.
    pub(super) fn role_id(&self, role_id: &str) -> String {
        self.hash(&[b"role-id", role_id.as_bytes()])
    }

    /// The hash that a secret-id of a role is found by; the same text is another secret-id in another role.
    pub(super) fn secret_id(&self, role: &str, secret_id: &str) -> String {
        self.hash(&[b"secret-id", role.as_bytes(), secret_id.as_bytes()])
    }

    /// Parts are separated by a byte that neither a label nor a role's name holds.
    fn hash(&self, parts: &[&[u8]]) -> String {
        let mut separated: Vec<&[u8]> = Vec::with_capacity(parts.len() * 2);
        for part in parts {
            separated.extend([*part, b"\0"]);
        }
        URL_SAFE_NO_PAD.encode(self.0.mac(&separated))
    }
}
