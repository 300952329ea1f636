//! Bugs planted on purpose, each by a decorator around real code: what the judges must see.

use crate::operation::Ask;
use barrier::Barrier;
use crypto::{Randomness as _, SeededRandomness};
use engine::{Operation, Timestamp};
use std::sync::Arc;
use store::{Cipher as _, Commit, ReadSet, Revision, Snapshot, StoreError, Stored, Visit, area_of};

/// A bug.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Planted {
    /// The log forgets what transactions read, so that none conflicts.
    LostConflict,
    /// Reads see a clock that is one second behind: what expires is used a second too long.
    LateExpiry,
    /// Deletions in the index of accessors are dropped.
    MissingIndexDelete,
    /// Reads of one tenant's secrets are answered with another's.
    UnscopedRead,
    /// Leases are never deleted.
    LeaseNeverDeleted,
}

impl Planted {
    /// All of them.
    pub const ALL: [Planted; 5] =
        [Self::LostConflict, Self::LateExpiry, Self::MissingIndexDelete, Self::UnscopedRead, Self::LeaseNeverDeleted];

    /// The moment that a request is told.
    pub(crate) fn moment(self, now: Timestamp, ask: &Ask) -> Timestamp {
        // Not where the time is shown or something is made at it, which would give the bug away too easily.
        let used = ask.operation == Operation::Read
            && !matches!(ask.path.as_str(), "auth/token/lookup-self" | "accounts/creds");
        let late = self == Self::LateExpiry && used;
        if late { now.plus_seconds(-1) } else { now }
    }

    /// The commit that reaches the log.
    pub(crate) fn commit(self, mut commit: Commit) -> Commit {
        let dropped = match self {
            Self::LostConflict => {
                commit.reads = ReadSet::default();
                return commit;
            }
            Self::MissingIndexDelete => "/token-accessor",
            Self::LeaseNeverDeleted => "/lease",
            Self::LateExpiry | Self::UnscopedRead => return commit,
        };
        commit.batch.changes.retain(|(key, value)| value.is_some() || !area_of(key).ends_with(dropped));
        commit
    }

    /// The snapshot that requests read.
    pub(crate) fn snapshot(
        self,
        inner: Arc<dyn Snapshot>,
        barrier: &Arc<Barrier>,
        tenants: &[String],
    ) -> Arc<dyn Snapshot> {
        match (self, tenants) {
            (Self::UnscopedRead, [ours, theirs, ..]) => {
                Arc::new(Unscoped { inner, barrier: barrier.clone(), ours: ours.clone(), theirs: theirs.clone() })
            }
            _ => inner,
        }
    }
}

/// Answers a read below `ours` with the record at the same place below `theirs`, sealed anew for where it is read.
struct Unscoped {
    inner: Arc<dyn Snapshot>,
    barrier: Arc<Barrier>,
    ours: String,
    theirs: String,
}

impl Unscoped {
    fn foreign(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        let Some(rest) = key.strip_prefix(&self.ours) else { return Ok(None) };
        let place = format!("{}{rest}", self.theirs);
        let Some(stored) = self.inner.get(&place)? else { return Ok(None) };
        let Ok(plain) = self.barrier.open(&place, "kv1/1", &stored.value) else { return Ok(None) };
        let mut randomness = SeededRandomness::new(0);
        let sealed = self.barrier.seal(&mut |bytes| randomness.fill(bytes), key, "kv1/1", &plain);
        Ok(sealed.ok().map(|sealed| Stored { value: sealed.into(), modified: stored.modified }))
    }
}

impl Snapshot for Unscoped {
    fn revision(&self) -> Revision {
        self.inner.revision()
    }
    fn get(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        match self.foreign(key)? {
            Some(stored) => Ok(Some(stored)),
            None => self.inner.get(key),
        }
    }
    fn visit(&self, from: &str, to: &str, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.inner.visit(from, to, visit)
    }
    fn area_revision(&self, area: &str) -> Revision {
        self.inner.area_revision(area)
    }
}
