//! A log in memory, for development servers and tests: ordered, checked, and gone with the process.

use crate::conflict::Window;
use crate::{ChainMac, Commit, CommitError, Committed, Log, Revision, Snapshot, StoreError, Stored, Visit, area_of};
use imbl::OrdMap;
use std::ops::ControlFlow;
use std::sync::{Arc, Mutex, PoisonError, RwLock};

/// The log.
pub struct MemoryLog {
    current: RwLock<MemorySnapshot>,
    ordering: Mutex<Ordering>,
}

#[derive(Default)]
struct Ordering {
    window: Window,
    closed: bool,
}

#[derive(Clone, Default)]
struct MemorySnapshot {
    revision: Revision,
    entries: OrdMap<String, Stored>,
    areas: OrdMap<String, Revision>,
}

impl Default for MemoryLog {
    fn default() -> Self {
        Self::new()
    }
}

impl MemoryLog {
    /// An empty store.
    pub fn new() -> Self {
        Self { current: RwLock::default(), ordering: Mutex::default() }
    }

    /// A log of its own that begins with what this one holds now. Costs two pointers; transactions that began on this
    /// one and not yet committed have to run again there.
    pub fn fork(&self) -> Self {
        let current = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        let ordering = Ordering { window: Window::starting_at(current.revision), closed: false };
        Self { current: RwLock::new(current), ordering: Mutex::new(ordering) }
    }

    fn commit(&self, commit: Commit) -> Result<Revision, CommitError> {
        let mut ordering = self.ordering.lock().unwrap_or_else(PoisonError::into_inner);
        if ordering.closed {
            return Err(CommitError::Stopped("store is closed".to_owned()));
        }
        ordering.window.check(&commit)?;
        let mut next = self.current.read().unwrap_or_else(PoisonError::into_inner).clone();
        if commit.batch.changes.is_empty() {
            return Ok(next.revision);
        }
        next.revision = Revision(next.revision.0 + 1);
        ordering.window.remember(&commit, next.revision);
        next.apply(commit);
        let revision = next.revision;
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = next;
        Ok(revision)
    }
}

impl MemorySnapshot {
    fn apply(&mut self, commit: Commit) {
        for (key, value) in commit.batch.changes {
            self.areas.insert(area_of(&key).to_owned(), self.revision);
            match value {
                Some(value) => drop(self.entries.insert(key, Stored { value: value.into(), modified: self.revision })),
                None => drop(self.entries.remove(&key)),
            }
        }
    }
}

impl Snapshot for MemorySnapshot {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn get(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        Ok(self.entries.get(key).cloned())
    }

    fn visit(&self, from: &str, to: &str, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        if from < to {
            for (key, stored) in self.entries.range(from.to_owned()..to.to_owned()) {
                if let ControlFlow::Break(()) = visit(key, &stored.value, stored.modified) {
                    break;
                }
            }
        }
        Ok(())
    }

    fn area_revision(&self, area: &str) -> Revision {
        self.areas.get(area).copied().unwrap_or_default()
    }
}

impl Log for MemoryLog {
    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(self.current.read().unwrap_or_else(PoisonError::into_inner).clone())
    }

    fn submit(&self, commit: Commit, done: Committed) {
        done(self.commit(commit));
    }

    fn arm(&self, _mac: Arc<dyn ChainMac>) -> Result<(), StoreError> {
        Ok(())
    }

    fn close(&self) {
        self.ordering.lock().unwrap_or_else(PoisonError::into_inner).closed = true;
    }
}
