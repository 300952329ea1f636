//! The commits since a checkpoint, in memory and in key order, each key with the versions that a live snapshot may still
//! read. One writer (the committer) adds to it while readers look at their own revision: a commit copies nothing but
//! itself, however much is in here.

use crate::{Revision, WriteBatch};
use std::collections::BTreeMap;
use std::ops::Bound;
use std::sync::{Arc, PoisonError, RwLock, RwLockReadGuard};

/// What an entry costs beside its key and value.
const ENTRY_BYTES: usize = 96;

/// A change: `None` deletes.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) modified: Revision,
    pub(super) value: Option<Arc<[u8]>>,
}

/// An entry and its key.
pub(super) type KeyEntry = (Arc<str>, Entry);

#[derive(Default)]
pub(super) struct Memtable {
    content: RwLock<Content>,
}

#[derive(Default)]
struct Content {
    keys: BTreeMap<Arc<str>, Versions>,
    bytes: usize,
}

/// The versions of a key, of which there is mostly one.
struct Versions {
    newest: Entry,
    /// Newest first.
    older: Vec<Entry>,
}

impl Memtable {
    fn read(&self) -> RwLockReadGuard<'_, Content> {
        self.content.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds a commit. Versions that no snapshot from `oldest_read` on can see are dropped.
    pub(super) fn apply(&self, revision: Revision, batch: WriteBatch, oldest_read: Revision) {
        let mut content = self.content.write().unwrap_or_else(PoisonError::into_inner);
        let content = &mut *content;
        for (key, value) in batch.changes {
            let entry = Entry { modified: revision, value: value.map(Arc::from) };
            content.bytes += entry.bytes();
            match content.keys.get_mut(key.as_str()) {
                Some(versions) => content.bytes -= versions.push(entry, oldest_read),
                None => {
                    content.bytes += key.len();
                    content.keys.insert(key.into(), Versions { newest: entry, older: Vec::new() });
                }
            }
        }
    }

    /// The change of a key as a snapshot at `at` sees it.
    pub(super) fn get(&self, key: &str, at: Revision) -> Option<Entry> {
        self.read().keys.get(key)?.at(at).cloned()
    }

    /// Whether a key changed after `since`.
    pub(super) fn changed(&self, key: &str, since: Revision) -> bool {
        self.read().keys.get(key).is_some_and(|versions| versions.newest.modified > since)
    }

    /// Whether any key with `from <= key < to` changed after `since`.
    pub(super) fn changed_within(&self, from: &str, to: &str, since: Revision) -> bool {
        let range = (Bound::Included(from), Bound::Excluded(to));
        from < to && self.read().keys.range::<str, _>(range).any(|(_, versions)| versions.newest.modified > since)
    }

    /// At most `count_max` changes of a range as a snapshot at `at` sees them, and the last key that was looked at if
    /// there may be more.
    pub(super) fn page(
        &self,
        from: Bound<&str>,
        to: &str,
        at: Revision,
        count_max: usize,
    ) -> (Vec<KeyEntry>, Option<Arc<str>>) {
        let content = self.read();
        let mut page = Vec::new();
        let mut last = None;
        for (looked_at, (key, versions)) in content.keys.range::<str, _>((from, Bound::Excluded(to))).enumerate() {
            if looked_at == count_max {
                return (page, last);
            }
            if let Some(entry) = versions.at(at) {
                page.push((key.clone(), entry.clone()));
            }
            last = Some(key.clone());
        }
        (page, None)
    }

    /// Visits the newest change of every key.
    pub(super) fn newest<E>(&self, mut visit: impl FnMut(&str, &Entry) -> Result<(), E>) -> Result<(), E> {
        self.read().keys.iter().try_for_each(|(key, versions)| visit(key, &versions.newest))
    }

    /// About how much memory it takes.
    pub(super) fn bytes(&self) -> usize {
        self.read().bytes
    }
}

impl Entry {
    fn bytes(&self) -> usize {
        ENTRY_BYTES + self.value.as_ref().map_or(0, |value| value.len())
    }
}

impl Versions {
    fn at(&self, at: Revision) -> Option<&Entry> {
        std::iter::once(&self.newest).chain(&self.older).find(|entry| entry.modified <= at)
    }

    /// Adds a version; gives how many bytes the ones took that nobody can see any more.
    fn push(&mut self, entry: Entry, oldest_read: Revision) -> usize {
        self.older.insert(0, std::mem::replace(&mut self.newest, entry));
        // The oldest reader sees the first of these that is not newer than it.
        let seen =
            self.older.iter().position(|entry| entry.modified <= oldest_read).map_or(self.older.len(), |at| at + 1);
        let unseen = self.older.drain(seen..).map(|entry| entry.bytes()).sum();
        if self.older.is_empty() {
            self.older = Vec::new();
        }
        unseen
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(table: &Memtable, revision: u64, key: &str, value: &str, oldest_read: u64) {
        let batch = WriteBatch { changes: vec![(key.to_owned(), Some(value.as_bytes().to_vec()))] };
        table.apply(Revision(revision), batch, Revision(oldest_read));
    }

    fn seen(table: &Memtable, key: &str, at: u64) -> Option<String> {
        let entry = table.get(key, Revision(at))?;
        Some(String::from_utf8(entry.value?.to_vec()).unwrap())
    }

    #[test]
    fn each_reader_sees_its_revision_and_unseen_versions_go() {
        let table = Memtable::default();
        for revision in 1..=5 {
            put(&table, revision, "k", &format!("v{revision}"), 2.min(revision));
        }
        assert_eq!(seen(&table, "k", 0), None);
        for at in 2..=5 {
            assert_eq!(seen(&table, "k", at), Some(format!("v{at}")));
        }
        assert_eq!(seen(&table, "k", 1), None, "version 1 is dropped, since nobody reads before 2");
        let before = table.bytes();
        put(&table, 6, "k", "v6", 6);
        assert!(table.bytes() < before);
        assert_eq!(seen(&table, "k", 6).as_deref(), Some("v6"));
        table.apply(Revision(7), WriteBatch { changes: vec![("k".to_owned(), None)] }, Revision(6));
        assert_eq!(seen(&table, "k", 7), None);
        assert_eq!(seen(&table, "k", 6).as_deref(), Some("v6"));
    }

    #[test]
    fn pages_say_where_they_ended() {
        let table = Memtable::default();
        for key in 0..10 {
            put(&table, key + 1, &format!("k{key}"), "v", 0);
        }
        let (page, last) = table.page(Bound::Included("k"), "l", Revision(5), 4);
        assert_eq!((page.len(), last.as_deref()), (4, Some("k3")));
        let (page, last) = table.page(Bound::Excluded("k3"), "l", Revision(5), 4);
        assert_eq!((page.len(), last.as_deref()), (1, Some("k7")), "three are newer than the reader");
        let (page, last) = table.page(Bound::Excluded("k7"), "l", Revision(5), 4);
        assert_eq!((page.len(), last), (0, None));
    }

    #[test]
    fn changes_are_found_by_key_and_by_range() {
        let table = Memtable::default();
        put(&table, 3, "b", "v", 0);
        assert!(table.changed("b", Revision(2)) && !table.changed("b", Revision(3)));
        assert!(table.changed_within("a", "c", Revision(2)) && !table.changed_within("a", "b", Revision(2)));
        assert!(!table.changed_within("c", "a", Revision(0)));
    }
}
