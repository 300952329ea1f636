//! The order of commits.

use crate::{Revision, Snapshot, StoreError};
use std::sync::Arc;

/// What a transaction read: single keys, and ranges `from <= key < to` whose membership it saw.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReadSet {
    /// Keys read, present or not.
    pub keys: Vec<String>,
    /// Ranges listed.
    pub ranges: Vec<(String, String)>,
}

/// Changes in key order: `Some` writes a sealed record, `None` deletes.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct WriteBatch {
    /// Each key at most once.
    pub changes: Vec<(String, Option<Vec<u8>>)>,
}

/// A transaction that wants to commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Commit {
    /// The revision its reads were made at.
    pub read_at: Revision,
    /// What has to be still true.
    pub reads: ReadSet,
    /// What it changes.
    pub batch: WriteBatch,
}

/// Why a transaction did not commit. After any of these its changes are not visible and will not become so, except
/// after `Unknown`.
#[derive(Debug, Clone, thiserror::Error)]
pub enum CommitError {
    /// What it read changed since; run it again on a fresh snapshot.
    #[error("transaction conflicts with a newer commit")]
    Conflict,
    /// Over the log's limits; nothing was written.
    #[error("transaction is too large")]
    TooLarge,
    /// There is no space to make it durable in; nothing was written, and later ones may find some.
    #[error("storage is full")]
    Full,
    /// The log stopped after an error and takes nothing more. A failed sync is never retried.
    #[error("store has stopped: {0}")]
    Stopped(String),
    /// The write was cut off; whether it is durable shows only after a restart.
    #[error("outcome of the commit is unknown: {0}")]
    Unknown(String),
}

/// How many commits shared a sync, since the log was opened.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupSizes {
    /// Syncs by number of commits: up to 1, 2, 4 and so on to 1024.
    pub counts: [u64; 11],
    /// All commits.
    pub commits: u64,
}

impl GroupSizes {
    /// Counts a sync of so many commits.
    pub fn add(&mut self, commits: u64) {
        let at = commits.max(1).next_power_of_two().ilog2() as usize;
        if let Some(count) = self.counts.get_mut(at) {
            *count += 1;
        }
        self.commits += commits;
    }
}

/// Called once with the revision of the commit or with why there is none.
pub type Committed = Box<dyn FnOnce(Result<Revision, CommitError>) + Send>;

/// Orders, checks and keeps commits, and shows the result.
pub trait Log: Send + Sync {
    /// The newest revision whose commits are durable.
    fn snapshot(&self) -> Arc<dyn Snapshot>;

    /// Hands in a transaction. `done` is called exactly once, from any thread, after the commit is durable and visible
    /// in [`Log::snapshot`], or after it failed. An empty batch is refused by nobody and costs nothing.
    fn submit(&self, commit: Commit, done: Committed);

    /// Arms the log with the key that chains its batches (after unseal) and verifies what it holds against it.
    fn arm(&self, mac: Arc<dyn ChainMac>) -> Result<(), StoreError>;

    /// How many commits shared a sync so far. A log that syncs nothing counts nothing.
    fn group_sizes(&self) -> GroupSizes {
        GroupSizes::default()
    }

    /// Stops taking commits, finishes the ones handed in, and leaves the store such that the next open is quick.
    fn close(&self);
}

/// The keyed chain over the log's batches, so that a removed, changed or rolled-back batch is noticed.
pub trait ChainMac: Send + Sync {
    /// The MAC of a batch given the MAC of the batch before.
    fn mac(&self, previous: &[u8; 32], batch: &[u8]) -> [u8; 32];
}
