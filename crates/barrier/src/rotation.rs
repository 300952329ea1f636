//! When and how a new term is installed, and the count of encryptions that decides it.

use crate::barrier::Barrier;
use crate::error::BarrierError;
use crate::place::{KEYRING, KEYRING_KIND, ROTATION, USAGE};
use crate::reencrypt::CleanPass;
use crate::seal::SealRecord;
use crate::{Moment, barrier::RootKey};
use crypto::{RandomBytes, Randomness, Secret};
use serde::{Deserialize, Serialize};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{Cipher, CipherError, Record, Snapshot, Tx};

#[cfg(test)]
mod tests;

/// Upstream's default and upper bound: 90 % of the 2^32 messages that NIST SP 800-38D section 8.3 allows a key with
/// random nonces.
pub const OPERATIONS_MAX: u64 = 3_865_470_566;
/// The least number of operations that automatic rotation may be set to.
pub const OPERATIONS_MIN: u64 = 1_000_000;
/// The shortest interval that automatic rotation may be set to, in seconds.
pub const INTERVAL_SECONDS_MIN: u64 = 24 * 60 * 60;
/// Encryptions between two records of the count. What a crash loses is less than this much, which is why the bound above
/// leaves room below 2^32.
const USAGE_BLOCK: u64 = 1 << 16;
/// Nothing is sealed under a term any more from here on, whatever the configuration says.
const USAGE_STOP: u64 = (1 << 32) - (1 << 24);

/// When a new term is installed without being asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct RotationConfig {
    /// Whether it is at all.
    pub enabled: bool,
    /// After so many encryptions.
    pub max_operations: u64,
    /// After so many seconds; 0 for never.
    pub interval_seconds: u64,
}

impl Default for RotationConfig {
    fn default() -> Self {
        Self { enabled: true, max_operations: OPERATIONS_MAX, interval_seconds: 0 }
    }
}

/// Why a rotation configuration is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RotationConfigError {
    /// Outside of the allowed numbers.
    #[error("max_operations must be in the range [{OPERATIONS_MIN},{OPERATIONS_MAX}]")]
    Operations,
    /// Shorter than a day, and not off.
    #[error("interval must be greater or equal to 24h0m0s")]
    Interval,
}

impl RotationConfig {
    /// Checks the bounds that upstream has.
    pub fn check(&self) -> Result<(), RotationConfigError> {
        if !(OPERATIONS_MIN..=OPERATIONS_MAX).contains(&self.max_operations) {
            return Err(RotationConfigError::Operations);
        }
        if self.interval_seconds != 0 && self.interval_seconds < INTERVAL_SECONDS_MIN {
            return Err(RotationConfigError::Interval);
        }
        Ok(())
    }
}

impl Record for RotationConfig {
    const KIND: &'static str = "barrier-rotation/1";
}

impl Barrier {
    /// The configuration of automatic rotation.
    pub fn rotation_config(&self, tx: &mut Tx) -> Result<RotationConfig, BarrierError> {
        Ok(tx.load(ROTATION)?.unwrap_or_default())
    }

    /// Stores a configuration that [`RotationConfig::check`] accepts.
    pub fn set_rotation_config(&self, tx: &mut Tx, config: &RotationConfig) -> Result<(), BarrierError> {
        Ok(tx.save(ROTATION, config)?)
    }

    /// Whether a configuration asks for a new term now.
    pub fn rotation_due(&self, config: &RotationConfig, now: Moment) -> bool {
        let status = self.key_status();
        // One block more than was counted: that much may have been lost in a crash.
        let operations = status.encryptions.saturating_add(USAGE_BLOCK) > config.max_operations;
        let seconds = i64::try_from(config.interval_seconds).unwrap_or(i64::MAX);
        let interval = seconds > 0 && status.installed.plus_seconds(seconds) <= now;
        config.enabled && (operations || interval)
    }

    /// Installs a new term, which seals everything from here on, this transaction's own writes included. Returns the
    /// barrier that does so; after the commit, [`Barrier::refresh`] finds it too.
    pub fn rotate(
        &self,
        tx: &mut Tx,
        now: Moment,
        randomness: &mut dyn Randomness,
    ) -> Result<Arc<Barrier>, BarrierError> {
        self.install(tx, self.with_keyring(self.keyring.rotated(now, randomness)?))
    }

    /// Drops the terms that no record uses any more, as a clean pass over the store has shown.
    pub fn retire_terms(&self, tx: &mut Tx, pass: &CleanPass) -> Result<Arc<Barrier>, BarrierError> {
        self.install(tx, self.with_keyring(self.keyring.retired(pass.term())))
    }

    /// Replaces the root key and keeps the seal as it is: the same shares, or the same static key, unseal.
    pub fn rotate_root_key(&self, tx: &mut Tx, randomness: &mut dyn Randomness) -> Result<Arc<Barrier>, BarrierError> {
        let root = Secret::new(randomness.bytes());
        let seal = self.seal.rewrapped(&self.seal_key, &root, randomness);
        let mut fresh = self.clone();
        fresh.root = Arc::new(RootKey::new(root.expose(), self.cluster()));
        fresh.seal = Arc::new(seal);
        SealRecord::save(&fresh.seal, tx)?;
        self.install(tx, fresh)
    }

    /// How many encryptions are not in the store yet. Record them ([`Barrier::record_usage`]) when there are many
    /// (`true` in the second place), on every tick otherwise, and before sealing.
    pub fn unrecorded_usage(&self) -> (u64, bool) {
        let pending = self.usage.pending.load(Ordering::Relaxed);
        (pending, pending >= USAGE_BLOCK)
    }

    /// Writes the count of encryptions. Hand the returned number to [`Barrier::usage_recorded`] once it is committed.
    pub fn record_usage(&self, tx: &mut Tx) -> Result<u64, BarrierError> {
        let key = format!("{USAGE}{}", self.usage.term);
        let stored = tx.load::<UsageRecord>(&key)?.unwrap_or_default();
        let pending = self.usage.pending.load(Ordering::Relaxed);
        tx.save(&key, &UsageRecord { encryptions: stored.encryptions.saturating_add(pending) })?;
        Ok(pending)
    }

    /// Takes note that so many encryptions are in the store now.
    pub fn usage_recorded(&self, recorded: u64) {
        self.usage.stored.fetch_add(recorded, Ordering::Relaxed);
        // Never below zero, whatever is handed in: a wrapped count would refuse all encryption.
        let left = |pending: u64| Some(pending.saturating_sub(recorded));
        let _ = self.usage.pending.fetch_update(Ordering::Relaxed, Ordering::Relaxed, left);
    }

    pub(crate) fn install(&self, tx: &mut Tx, fresh: Barrier) -> Result<Arc<Barrier>, BarrierError> {
        // Read, so that two changes of the keyring at the same time conflict.
        tx.exists(KEYRING)?;
        tx.put(KEYRING_KIND, KEYRING, fresh.keyring.encode());
        let fresh = Arc::new(fresh);
        tx.replace_cipher(Arc::clone(&fresh) as Arc<dyn Cipher>);
        Ok(fresh)
    }
}

/// Encryptions under one term: what the store knows of, and what was added since.
pub(crate) struct Usage {
    term: u32,
    stored: AtomicU64,
    pending: AtomicU64,
}

#[derive(Default, Serialize, Deserialize)]
struct UsageRecord {
    encryptions: u64,
}

impl Record for UsageRecord {
    const KIND: &'static str = "barrier-usage/1";
}

impl Usage {
    pub(crate) fn new(term: u32) -> Self {
        Self { term, stored: AtomicU64::new(0), pending: AtomicU64::new(0) }
    }

    pub(crate) fn load(barrier: &Barrier, snapshot: &dyn Snapshot) -> Result<Self, BarrierError> {
        let term = barrier.keyring.active().number;
        let key = format!("{USAGE}{term}");
        let usage = Self::new(term);
        if let Some(stored) = snapshot.get(&key)? {
            let plain =
                barrier.open(&key, UsageRecord::KIND, &stored.value).map_err(|_| BarrierError::Damaged(USAGE))?;
            let record: UsageRecord = serde_json::from_slice(&plain).map_err(|_| BarrierError::Damaged(USAGE))?;
            usage.stored.store(record.encryptions, Ordering::Relaxed);
        }
        Ok(usage)
    }

    pub(crate) fn total(&self) -> u64 {
        self.stored.load(Ordering::Relaxed).saturating_add(self.pending.load(Ordering::Relaxed))
    }

    /// Counts one encryption, or refuses it when the term is used up.
    pub(crate) fn count(&self) -> Result<(), CipherError> {
        let pending = self.pending.fetch_add(1, Ordering::Relaxed);
        if self.stored.load(Ordering::Relaxed).saturating_add(pending) >= USAGE_STOP {
            Err(CipherError)
        } else {
            Ok(())
        }
    }
}
