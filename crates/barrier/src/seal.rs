//! The seal: what wraps the root key, and its public record.

use crate::barrier::{Barrier, RootKey};
use crate::error::{BarrierError, UnsealError};
use crate::place::{SEAL, SEAL_KIND};
use crate::record::{FORMAT_CLEAR, Header};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use crypto::{DataKey, Randomness, Secret, Zeroizing, hkdf_sha256};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use store::{Snapshot, Tx};

#[cfg(test)]
mod tests;

/// What the unseal key comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum SealType {
    /// Shares that people hold.
    Shamir,
    /// A key in the server's configuration. Ceremonies use recovery shares.
    Static,
}

impl SealType {
    /// The name that `sys/seal-status` shows.
    pub fn name(self) -> &'static str {
        match self {
            Self::Shamir => "shamir",
            Self::Static => "static",
        }
    }
}

/// Counts of recovery shares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecoveryInfo {
    /// How many there are.
    pub shares: u8,
    /// How many are needed.
    pub threshold: u8,
}

/// What everybody may know about the seal.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SealInfo {
    /// Where the unseal key comes from.
    pub seal_type: SealType,
    /// Number of unseal shares; 1 for a static key.
    pub shares: u8,
    /// Unseal shares needed; 1 for a static key.
    pub threshold: u8,
    /// Recovery shares, with a static key.
    pub recovery: Option<RecoveryInfo>,
    /// The cluster's id, a UUID.
    pub cluster_id: String,
}

impl SealInfo {
    /// The counts that ceremonies and `sys/seal-status` go by: `(n, t)` of the recovery shares if there are any, else of
    /// the unseal shares.
    pub fn counts(&self) -> (u8, u8) {
        self.recovery.map_or((self.shares, self.threshold), |recovery| (recovery.shares, recovery.threshold))
    }
}

/// The sealed state: what can be known without a key.
#[derive(Clone, Debug)]
pub struct Sealed {
    record: Arc<SealRecord>,
}

impl Sealed {
    /// Reads the seal of a store; `None` if it was never initialised.
    pub fn load(snapshot: &dyn Snapshot) -> Result<Option<Self>, BarrierError> {
        Ok(SealRecord::load(snapshot)?.map(|record| Self { record: Arc::new(record) }))
    }

    /// The seal as `sys/seal-status` shows it.
    pub fn info(&self) -> SealInfo {
        self.record.info()
    }

    /// Unseals with a static key. Shares go through [`crate::ceremony::Unsealing`].
    pub fn unseal_static(&self, snapshot: &dyn Snapshot, key: &Secret<[u8; 32]>) -> Result<Arc<Barrier>, UnsealError> {
        match self.record.seal_type {
            SealType::Static => self.unseal(snapshot, key.expose()),
            SealType::Shamir => Err(UnsealError::WrongType),
        }
    }

    /// Unseals with the key that shares combined to. Whatever is wrong with it gives one error.
    pub(crate) fn unseal(&self, snapshot: &dyn Snapshot, key: &[u8]) -> Result<Arc<Barrier>, UnsealError> {
        let seal_key = SealKey::new(key, self.record.cluster());
        let root = self.record.unwrap(&seal_key).ok_or(UnsealError::WrongKey)?;
        let root = Arc::new(RootKey::new(root.expose(), self.record.cluster()));
        Ok(Arc::new(Barrier::load(Arc::clone(&self.record), Arc::new(seal_key), root, snapshot)?))
    }
}

/// Not a static key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("static seal key must be 32 bytes, as they are or in hex or base64")]
pub struct StaticKeyError;

/// Reads a static key: 32 raw bytes, or their hex or base64 with white space around.
pub fn static_key(content: &[u8]) -> Result<Secret<[u8; 32]>, StaticKeyError> {
    if let Ok(raw) = <[u8; 32]>::try_from(content) {
        return Ok(Secret::new(raw));
    }
    let text = content.trim_ascii();
    let bytes = Zeroizing::new(match text.len() {
        64 => crate::shares::from_hex(text).ok_or(StaticKeyError)?,
        _ => STANDARD.decode(text).map_err(|_| StaticKeyError)?,
    });
    bytes.as_slice().try_into().map(Secret::new).map_err(|_| StaticKeyError)
}

/// The key that wraps the root key, prepared from the unseal key.
pub(crate) struct SealKey(DataKey);

impl SealKey {
    pub(crate) fn new(unseal_key: &[u8], cluster: &[u8; 16]) -> Self {
        Self(DataKey::new(&hkdf_sha256(unseal_key, cluster, b"coffer seal key")))
    }
}

/// The record that is readable while sealed. The wrapped root key is bound to type, counts and generation.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SealRecord {
    version: u8,
    cluster_id: String,
    pub(crate) seal_type: SealType,
    pub(crate) shares: u8,
    pub(crate) threshold: u8,
    /// Changes whenever the unseal key does.
    pub(crate) generation: String,
    pub(crate) recovery: Option<RecoveryInfo>,
    wrapped_root_key: String,
    #[serde(skip)]
    cluster: [u8; 16],
}

impl SealRecord {
    /// A seal over a root key.
    pub(crate) fn new(
        cluster_id: &str,
        (seal_type, shares, threshold): (SealType, u8, u8),
        recovery: Option<RecoveryInfo>,
        seal_key: impl FnOnce(&[u8; 16]) -> Arc<SealKey>,
        root: &Secret<[u8; 32]>,
        randomness: &mut dyn Randomness,
    ) -> Self {
        let cluster = cluster_bytes(cluster_id).unwrap_or_default();
        let unwrapped = Self {
            version: VERSION,
            cluster_id: cluster_id.to_owned(),
            seal_type,
            shares,
            threshold,
            generation: randomness.uuid(),
            recovery,
            wrapped_root_key: String::new(),
            cluster,
        };
        unwrapped.rewrapped(&seal_key(&cluster), root, randomness)
    }

    /// The same seal over another root key.
    pub(crate) fn rewrapped(&self, key: &SealKey, root: &Secret<[u8; 32]>, randomness: &mut dyn Randomness) -> Self {
        let wrapped = SLOT.seal(&key.0, &self.cluster, randomness, &self.place(), root.expose());
        Self { wrapped_root_key: STANDARD.encode(wrapped), ..self.clone() }
    }

    /// The same seal with other recovery shares.
    pub(crate) fn with_recovery(&self, recovery: RecoveryInfo) -> Self {
        Self { recovery: Some(recovery), ..self.clone() }
    }

    #[cfg(test)]
    pub(crate) fn set_cluster(&mut self, cluster: [u8; 16]) {
        self.cluster = cluster;
    }

    /// The root key, if the key is the right one and nothing was changed.
    pub(crate) fn unwrap(&self, key: &SealKey) -> Option<Secret<[u8; 32]>> {
        let wrapped = STANDARD.decode(&self.wrapped_root_key).ok()?;
        let (header, sealed) = Header::split(&wrapped).ok()?;
        let plain = (header == SLOT).then(|| header.open(&key.0, &self.cluster, &self.place(), sealed).ok())??;
        plain.as_slice().try_into().ok().map(Secret::new)
    }

    pub(crate) fn load(snapshot: &dyn Snapshot) -> Result<Option<Self>, BarrierError> {
        let Some(stored) = snapshot.get(SEAL)? else { return Ok(None) };
        let json = stored.value.strip_prefix(&[FORMAT_CLEAR]).ok_or(BarrierError::Damaged(SEAL))?;
        let mut record: Self = serde_json::from_slice(json).map_err(|_| BarrierError::Damaged(SEAL))?;
        if record.version != VERSION {
            return Err(BarrierError::Damaged(SEAL));
        }
        record.cluster = cluster_bytes(&record.cluster_id).ok_or(BarrierError::Damaged(SEAL))?;
        Ok(Some(record))
    }

    /// Writes the record; one that changed meanwhile conflicts.
    pub(crate) fn save(&self, tx: &mut Tx) -> Result<(), BarrierError> {
        tx.exists(SEAL)?;
        tx.put(SEAL_KIND, SEAL, serde_json::to_vec(self).map_err(|_| BarrierError::Damaged(SEAL))?);
        Ok(())
    }

    pub(crate) fn cluster(&self) -> &[u8; 16] {
        &self.cluster
    }

    pub(crate) fn cluster_id(&self) -> &str {
        &self.cluster_id
    }

    pub(crate) fn info(&self) -> SealInfo {
        SealInfo {
            seal_type: self.seal_type,
            shares: self.shares,
            threshold: self.threshold,
            recovery: self.recovery,
            cluster_id: self.cluster_id.clone(),
        }
    }

    fn place(&self) -> String {
        format!("{SEAL}/{}/{}/{}/{}", self.seal_type.name(), self.shares, self.threshold, self.generation)
    }
}

/// Of the seal record's fields.
const VERSION: u8 = 1;
/// The front of a wrapped root key.
const SLOT: Header = Header { term: 0, kind: *b"root" };

fn cluster_bytes(uuid: &str) -> Option<[u8; 16]> {
    let digits: String = uuid.chars().filter(|character| *character != '-').collect();
    crate::shares::from_hex(digits.as_bytes())?.try_into().ok()
}
