//! What a request may see of the store instead of its newest revision.

use barrier::Barrier;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use store::{Revision, Snapshot, StoreError, Stored, Visit};

/// How a request sees the store.
pub(crate) enum View {
    /// As it is now.
    Newest,
    /// As it was: its thread was put to sleep behind its snapshot.
    Older(Arc<dyn Snapshot>, Arc<Barrier>),
    /// As it is, until so many reads have been made; then reading fails.
    Failing { reads: u64 },
}

/// A snapshot that fails after so many reads.
pub(crate) struct Failing {
    pub(crate) inner: Arc<dyn Snapshot>,
    pub(crate) left: AtomicU64,
}

impl Failing {
    fn read(&self) -> Result<(), StoreError> {
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| StoreError::Engine("planned by the run".to_owned()))
    }
}

impl Snapshot for Failing {
    fn revision(&self) -> Revision {
        self.inner.revision()
    }
    fn get(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        self.read()?;
        self.inner.get(key)
    }
    fn visit(&self, from: &str, to: &str, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.read()?;
        self.inner.visit(from, to, visit)
    }
    fn area_revision(&self, area: &str) -> Revision {
        self.inner.area_revision(area)
    }
}
