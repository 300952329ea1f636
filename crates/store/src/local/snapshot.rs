//! The key space at one revision: the commits since the last checkpoint above the replica.

use super::replica::Base;
use crate::{Revision, Snapshot, StoreError, Stored, Visit, WriteBatch, area_of};
use imbl::OrdMap;
use std::ops::ControlFlow;
use std::sync::Arc;

/// A snapshot. Cloning costs two pointers.
#[derive(Clone)]
pub(crate) struct LocalSnapshot {
    revision: Revision,
    overlay: OrdMap<String, Entry>,
    overlay_bytes: usize,
    areas: OrdMap<String, Revision>,
    /// What an area's revision is as long as nothing in it changed.
    opened: Revision,
    base: Arc<Base>,
}

/// A change since the checkpoint: `None` deletes.
#[derive(Clone)]
pub(super) struct Entry {
    pub(super) modified: Revision,
    pub(super) value: Option<Arc<[u8]>>,
}

impl LocalSnapshot {
    pub(super) fn at_checkpoint(base: Base) -> Self {
        let revision = base.revision;
        Self {
            revision,
            overlay: OrdMap::new(),
            overlay_bytes: 0,
            areas: OrdMap::new(),
            opened: revision,
            base: Arc::new(base),
        }
    }

    /// Applies a commit.
    pub(super) fn apply(&mut self, revision: Revision, batch: WriteBatch) {
        self.revision = revision;
        for (key, value) in batch.changes {
            let area = area_of(&key);
            if self.areas.get(area) != Some(&revision) {
                self.areas.insert(area.to_owned(), revision);
            }
            self.overlay_bytes += 64 + key.len() + value.as_ref().map_or(0, Vec::len);
            self.overlay.insert(key, Entry { modified: revision, value: value.map(Arc::from) });
        }
    }

    /// Ends the replay: what was replayed is older than anything a transaction will read.
    pub(super) fn replayed(&mut self) {
        self.opened = self.revision;
        self.areas = OrdMap::new();
    }

    /// The changes since the checkpoint.
    pub(super) fn overlay(&self) -> &OrdMap<String, Entry> {
        &self.overlay
    }

    /// About how much memory they take.
    pub(super) fn overlay_bytes(&self) -> usize {
        self.overlay_bytes
    }

    /// The same key space above a newer checkpoint.
    pub(super) fn rebase(&mut self, base: Base) {
        let since = base.revision;
        self.base = Arc::new(base);
        self.overlay = self
            .overlay
            .iter()
            .filter(|(_, entry)| entry.modified > since)
            .map(|(key, entry)| (key.clone(), entry.clone()))
            .collect();
        self.overlay_bytes = self
            .overlay
            .iter()
            .map(|(key, entry)| 64 + key.len() + entry.value.as_ref().map_or(0, |value| value.len()))
            .sum();
    }
}

impl Snapshot for LocalSnapshot {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn get(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        match self.overlay.get(key) {
            Some(entry) => Ok(entry.value.clone().map(|value| Stored { value, modified: entry.modified })),
            None => self.base.get(key),
        }
    }

    fn visit(&self, from: &str, to: &str, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        let mut newer = self.overlay.range(from.to_owned()..to.to_owned()).peekable();
        let mut broken = false;
        self.base.visit(from, to, &mut |key, value, modified| {
            while let Some((new_key, entry)) = newer.peek().copied().filter(|(new_key, _)| new_key.as_str() < key) {
                newer.next();
                if let Some(value) = &entry.value
                    && visit(new_key, value, entry.modified).is_break()
                {
                    broken = true;
                    return ControlFlow::Break(());
                }
            }
            let replacing = newer.peek().copied().filter(|(new_key, _)| new_key.as_str() == key);
            let flow = match replacing {
                Some((_, entry)) => {
                    newer.next();
                    entry.value.as_ref().map_or(ControlFlow::Continue(()), |value| visit(key, value, entry.modified))
                }
                None => visit(key, value, modified),
            };
            broken = flow.is_break();
            flow
        })?;
        if !broken {
            for (key, entry) in newer {
                if let Some(value) = &entry.value
                    && visit(key, value, entry.modified).is_break()
                {
                    break;
                }
            }
        }
        Ok(())
    }

    fn area_revision(&self, area: &str) -> Revision {
        self.areas.get(area).copied().unwrap_or(self.opened)
    }
}
