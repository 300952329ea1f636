//! The key space at one revision: the commits since the last checkpoint above the replica. While a checkpoint is being
//! written there are two layers of them, the older of which no longer changes.

use super::memtable::{Entry, KeyEntry, Memtable};
use super::replica::Base;
use crate::{Commit, CommitError, Revision, Snapshot, StoreError, Stored, Visit, WriteBatch, area_of};
use imbl::OrdMap;
use std::iter::Peekable;
use std::ops::{Bound, ControlFlow};
use std::sync::Arc;
use std::vec::IntoIter;

/// Entries of the first page of a layer that a visit takes, each further one being larger up to `PAGE_MAX`.
const PAGE_FIRST: usize = 8;
const PAGE_MAX: usize = 512;

/// A snapshot. Cloning costs a few pointers.
#[derive(Clone)]
pub(crate) struct LocalSnapshot {
    revision: Revision,
    areas: OrdMap<Arc<str>, Revision>,
    /// What an area's revision is as long as nothing in it changed.
    opened: Revision,
    active: Arc<Memtable>,
    /// What a checkpoint is being written of.
    frozen: Option<Arc<Memtable>>,
    base: Arc<Base>,
}

impl LocalSnapshot {
    pub(super) fn at_checkpoint(base: Base) -> Self {
        let revision = base.revision;
        Self {
            revision,
            areas: OrdMap::new(),
            opened: revision,
            active: Arc::default(),
            frozen: None,
            base: Arc::new(base),
        }
    }

    /// Refuses a transaction whose reads are no longer true. One that read before the checkpoint is refused untested,
    /// since what changed up to there is no longer known by itself.
    pub(super) fn check(&self, commit: &Commit) -> Result<(), CommitError> {
        let since = commit.read_at;
        let layers = || std::iter::once(&self.active).chain(&self.frozen);
        let key_changed =
            |key: &String| self.area_revision(area_of(key)) > since && layers().any(|layer| layer.changed(key, since));
        let range_changed = |(from, to): &(String, String)| {
            let area = area_of(from);
            // What changed in an area is known without looking at its keys.
            let quiet = area.len() < from.len() && area == area_of(to) && self.area_revision(area) <= since;
            !quiet && layers().any(|layer| layer.changed_within(from, to, since))
        };
        let reads = &commit.reads;
        if since < self.base.revision || reads.keys.iter().any(key_changed) || reads.ranges.iter().any(range_changed) {
            return Err(CommitError::Conflict);
        }
        Ok(())
    }

    /// Applies a commit. Snapshots that are already out there share the layer and do not see it, since they end at an
    /// earlier revision; `oldest_read` is the first revision that one of them shows.
    pub(super) fn apply(&mut self, revision: Revision, batch: WriteBatch, oldest_read: Revision) {
        self.revision = revision;
        for (key, _) in &batch.changes {
            let area = area_of(key);
            if self.areas.get(area) != Some(&revision) {
                self.areas.insert(area.into(), revision);
            }
        }
        self.active.apply(revision, batch, oldest_read);
    }

    /// Ends the replay: what was replayed is older than anything a transaction will read.
    pub(super) fn replayed(&mut self) {
        self.opened = self.revision;
        self.areas = OrdMap::new();
    }

    /// About how much memory the changes take that no checkpoint is being written of.
    pub(super) fn active_bytes(&self) -> usize {
        self.active.bytes()
    }

    /// Begins a checkpoint: further commits go to a new layer. Gives the layer that is to be written.
    pub(super) fn freeze(&mut self) -> Arc<Memtable> {
        let frozen = std::mem::take(&mut self.active);
        self.frozen = Some(frozen.clone());
        frozen
    }

    /// The same key space above the checkpoint that [`LocalSnapshot::freeze`] began.
    pub(super) fn rebase(&mut self, base: Base) {
        self.base = Arc::new(base);
        self.frozen = None;
    }
}

impl Snapshot for LocalSnapshot {
    fn revision(&self) -> Revision {
        self.revision
    }

    fn get(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        // What no commit changed since the checkpoint is in no layer.
        let changed = self.area_revision(area_of(key)) > self.base.revision;
        let layers = std::iter::once(&self.active).chain(&self.frozen);
        for layer in layers.filter(|_| changed) {
            if let Some(entry) = layer.get(key, self.revision) {
                return Ok(entry.value.map(|value| Stored { value, modified: entry.modified }));
            }
        }
        self.base.get(key)
    }

    fn visit(&self, from: &str, to: &str, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        let layers = std::iter::once(&self.active).chain(&self.frozen);
        let cursors = layers.map(|layer| Cursor::new(layer, from, to, self.revision).peekable()).collect();
        let mut newer = Newer { cursors }.peekable();
        let mut broken = false;
        self.base.visit(from, to, &mut |key, value, modified| {
            while let Some((new_key, entry)) = newer.next_if(|(new_key, _)| &**new_key < key) {
                if shown(&new_key, &entry, visit).is_break() {
                    broken = true;
                    return ControlFlow::Break(());
                }
            }
            let flow = match newer.next_if(|(new_key, _)| &**new_key == key) {
                Some((_, entry)) => shown(key, &entry, visit),
                None => visit(key, value, modified),
            };
            broken = flow.is_break();
            flow
        })?;
        if !broken {
            // A visitor that breaks ends the walk; that is no failure.
            let _flow = newer.try_for_each(|(key, entry)| shown(&key, &entry, visit));
        }
        Ok(())
    }

    fn area_revision(&self, area: &str) -> Revision {
        self.areas.get(area).copied().unwrap_or(self.opened)
    }
}

fn shown(key: &str, entry: &Entry, visit: &mut Visit<'_>) -> ControlFlow<()> {
    entry.value.as_ref().map_or(ControlFlow::Continue(()), |value| visit(key, value, entry.modified))
}

/// The entries of a range in one layer, taken page by page, so that a slow visitor never holds up the committer.
struct Cursor<'a> {
    layer: &'a Memtable,
    to: &'a str,
    at: Revision,
    page: IntoIter<KeyEntry>,
    /// Where the next page begins; `None` after the last.
    next: Option<Bound<Arc<str>>>,
    page_size: usize,
}

impl<'a> Cursor<'a> {
    fn new(layer: &'a Memtable, from: &str, to: &'a str, at: Revision) -> Self {
        let next = Some(Bound::Included(Arc::from(from)));
        Self { layer, to, at, page: Vec::new().into_iter(), next, page_size: PAGE_FIRST }
    }
}

impl Iterator for Cursor<'_> {
    type Item = KeyEntry;

    fn next(&mut self) -> Option<Self::Item> {
        loop {
            if let Some(entry) = self.page.next() {
                return Some(entry);
            }
            let from = self.next.take()?;
            let (page, last) = self.layer.page(from.as_ref().map(|key| &**key), self.to, self.at, self.page_size);
            self.page = page.into_iter();
            self.next = last.map(Bound::Excluded);
            self.page_size = (self.page_size * 4).min(PAGE_MAX);
        }
    }
}

/// The entries of all layers in key order; of the same key the first layer's.
struct Newer<'a> {
    cursors: Vec<Peekable<Cursor<'a>>>,
}

impl Iterator for Newer<'_> {
    type Item = KeyEntry;

    fn next(&mut self) -> Option<Self::Item> {
        let least = self.cursors.iter_mut().filter_map(|cursor| cursor.peek().map(|(key, _)| key.clone())).min()?;
        let mut heads = self.cursors.iter_mut().filter_map(|cursor| cursor.next_if(|(key, _)| *key == least));
        let first = heads.next();
        // The older layers' entries of the same key are covered by it.
        heads.for_each(drop);
        first
    }
}
