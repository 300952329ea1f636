//! A transaction: reads at one snapshot, sees its own writes, remembers what has to stay true.

use crate::{
    Cipher, Commit, Page, Plain, ReadSet, Revision, Snapshot, StoreError, Stored, WriteBatch, area_of, prefix_end,
};
use std::collections::BTreeMap;
use std::ops::ControlFlow;
use std::sync::Arc;
use zeroize::Zeroizing;

mod record;
#[cfg(test)]
mod tests;

pub use record::{Recall, Record};

/// What most records fit in: a buffer that grows leaves copies of what may be secret behind.
const RECORD_BYTES_COMMON: usize = 2048;

/// Collects the reads and writes of one request or job. All keys are relative to its scope, which nothing but
/// [`Tx::scoped`] changes, so that the holder of a scoped transaction cannot name a key outside it.
pub struct Tx {
    snapshot: Arc<dyn Snapshot>,
    cipher: Arc<dyn Cipher>,
    recall: Option<Arc<dyn Recall>>,
    scope: String,
    /// Sorted and told apart only for a commit: most transactions have none.
    keys_read: Vec<String>,
    ranges_read: Vec<(String, String)>,
    /// Areas read as a whole, with their slash.
    areas_read: Vec<String>,
    writes: BTreeMap<String, Option<Pending>>,
}

#[derive(Clone)]
struct Pending {
    kind: &'static str,
    plain: Plain,
}

/// The writes at some point, to go back to.
pub struct Mark(BTreeMap<String, Option<Pending>>);

impl Tx {
    /// A transaction over the whole key space.
    pub fn new(snapshot: Arc<dyn Snapshot>, cipher: Arc<dyn Cipher>) -> Self {
        Self {
            snapshot,
            cipher,
            recall: None,
            scope: String::new(),
            keys_read: Vec::new(),
            ranges_read: Vec::new(),
            areas_read: Vec::new(),
            writes: BTreeMap::new(),
        }
    }

    /// The same with a memory of decoded records, which [`Tx::load_shared`] then uses.
    #[must_use]
    pub fn recalling(self, recall: Arc<dyn Recall>) -> Self {
        Self { recall: Some(recall), ..self }
    }

    /// Runs `work` with the keys below `scope` only. Reads and writes stay part of this transaction.
    pub fn scoped<T>(&mut self, scope: &str, work: impl FnOnce(&mut Tx) -> T) -> T {
        let outer = self.scope.len();
        self.scope.push_str(scope);
        let result = work(self);
        self.scope.truncate(outer);
        result
    }

    /// Narrows this transaction to the keys below `scope`, until whoever holds the returned mark widens it again.
    pub fn enter(&mut self, scope: &str) -> ScopeMark {
        let mark = ScopeMark(self.scope.len());
        self.scope.push_str(scope);
        mark
    }

    /// Undoes [`Tx::enter`].
    pub fn leave(&mut self, mark: ScopeMark) {
        self.scope.truncate(mark.0);
    }

    /// The cipher it seals with.
    pub fn cipher(&self) -> Arc<dyn Cipher> {
        self.cipher.clone()
    }

    /// The revision its reads are made at.
    pub fn revision(&self) -> Revision {
        self.snapshot.revision()
    }

    /// Replaces the cipher, when this transaction makes a new key usable.
    pub fn replace_cipher(&mut self, cipher: Arc<dyn Cipher>) {
        self.cipher = cipher;
    }

    /// The plaintext at a key.
    pub fn get(&mut self, kind: &'static str, key: &str) -> Result<Option<Plain>, StoreError> {
        let full = self.full(key);
        if let Some(pending) = self.writes.get(&full) {
            return Ok(pending.as_ref().map(|pending| pending.plain.clone()));
        }
        let stored = self.snapshot.get(&full)?;
        let plain = match stored {
            None => None,
            Some(stored) => Some(
                self.cipher.open(&full, kind, &stored.value).map_err(|_| StoreError::Record { place: full.clone() })?,
            ),
        };
        self.keys_read.push(full);
        Ok(plain)
    }

    /// The record at a key.
    pub fn load<T: Record>(&mut self, key: &str) -> Result<Option<T>, StoreError> {
        let Some(plain) = self.get(T::KIND, key)? else { return Ok(None) };
        serde_json::from_slice(&plain).map(Some).map_err(|_| StoreError::Record { place: self.full(key) })
    }

    /// The record at a key, decoded once for all transactions that meet it at the same revision. Only for records that
    /// hold no secret, since it stays in memory in clear, or that wipe what is secret in them when they are dropped.
    pub fn load_shared<T: Record + Send + Sync + 'static>(&mut self, key: &str) -> Result<Option<Arc<T>>, StoreError> {
        let full = self.full(key);
        if self.recall.is_none() || self.writes.contains_key(&full) {
            return Ok(self.load(key)?.map(Arc::new));
        }
        let found = match self.snapshot.get(&full)? {
            None => None,
            Some(stored) => Some(self.decoded(&full, &stored)?),
        };
        self.keys_read.push(full);
        Ok(found)
    }

    fn decoded<T: Record + Send + Sync + 'static>(&self, full: &str, stored: &Stored) -> Result<Arc<T>, StoreError> {
        let recalled = self.recall.as_ref().and_then(|recall| recall.recall(full));
        if let Some((revision, decoded)) = recalled
            && revision == stored.modified
            && let Ok(decoded) = decoded.downcast()
        {
            return Ok(decoded);
        }
        let unreadable = || StoreError::Record { place: full.to_owned() };
        let plain = self.cipher.open(full, T::KIND, &stored.value).map_err(|_| unreadable())?;
        let decoded: Arc<T> = Arc::new(serde_json::from_slice(&plain).map_err(|_| unreadable())?);
        if let Some(recall) = &self.recall {
            recall.remember(full, stored.modified, decoded.clone(), stored.value.len());
        }
        Ok(decoded)
    }

    /// When a key was last written: `None` if it is absent or this transaction changed it itself.
    pub fn modified(&mut self, key: &str) -> Result<Option<Revision>, StoreError> {
        let full = self.full(key);
        if self.writes.contains_key(&full) {
            return Ok(None);
        }
        let modified = self.snapshot.get(&full)?.map(|stored| stored.modified);
        self.keys_read.push(full);
        Ok(modified)
    }

    /// When anything in the area that `key` lies in last changed: `None` if this transaction changed it itself.
    pub fn area_modified(&mut self, key: &str) -> Option<Revision> {
        let mut area = self.full(key);
        area.truncate(area_of(&area).len());
        let modified = self.snapshot.area_revision(&area);
        area.push('/');
        let own = !self.writes.is_empty() && self.writes.range(area.clone()..prefix_end(&area)).next().is_some();
        self.areas_read.push(area);
        (!own).then_some(modified)
    }

    /// Whether there is a value at a key.
    pub fn exists(&mut self, key: &str) -> Result<bool, StoreError> {
        let full = self.full(key);
        if let Some(pending) = self.writes.get(&full) {
            return Ok(pending.is_some());
        }
        let exists = self.snapshot.get(&full)?.is_some();
        self.keys_read.push(full);
        Ok(exists)
    }

    /// Writes plaintext at a key.
    pub fn put(&mut self, kind: &'static str, key: &str, plain: Vec<u8>) {
        let full = self.full(key);
        self.writes.insert(full, Some(Pending { kind, plain: Zeroizing::new(plain) }));
    }

    /// Writes a record at a key.
    pub fn save<T: Record>(&mut self, key: &str, record: &T) -> Result<(), StoreError> {
        let mut plain = Vec::with_capacity(RECORD_BYTES_COMMON);
        serde_json::to_writer(&mut plain, record).map_err(|_| StoreError::Record { place: self.full(key) })?;
        self.put(T::KIND, key, plain);
        Ok(())
    }

    /// Deletes a key; deleting what is not there is no error.
    pub fn delete(&mut self, key: &str) {
        let full = self.full(key);
        self.writes.insert(full, None);
    }

    /// Takes what may be used once: returns the record and deletes it. Of all transactions that take the same key at
    /// most one commits (security decision D19).
    pub fn take<T: Record>(&mut self, key: &str) -> Result<Option<T>, StoreError> {
        let record = self.load(key)?;
        if record.is_some() {
            self.delete(key);
        }
        Ok(record)
    }

    /// The names directly below `folder` (which ends in a slash or is empty), in order; names with something below
    /// them end in a slash.
    pub fn list(&mut self, folder: &str, page: &Page) -> Result<Vec<String>, StoreError> {
        let base = self.full(folder);
        let end = prefix_end(&base);
        let mut from = match page.after.as_str() {
            "" => base.clone(),
            after if after.ends_with('/') => prefix_end(&format!("{base}{after}")),
            after => format!("{base}{after}\0"),
        };
        let limit = page.limit.unwrap_or(usize::MAX);
        let mut names: Vec<String> = Vec::new();
        let begin = from.clone();
        while names.len() < limit {
            let mut folder_end = None;
            self.merged(&from, &end, &mut |key| {
                let name = key.get(base.len()..).unwrap_or_default();
                match name.split_once('/') {
                    None => names.push(name.to_owned()),
                    Some((folder, _)) => {
                        names.push(format!("{folder}/"));
                        folder_end = Some(prefix_end(&format!("{base}{folder}/")));
                    }
                }
                if folder_end.is_some() || names.len() >= limit {
                    ControlFlow::Break(())
                } else {
                    ControlFlow::Continue(())
                }
            })?;
            match folder_end {
                Some(next) => from = next,
                None => break,
            }
        }
        let last = names.last().filter(|_| names.len() >= limit).map(|name| format!("{base}{name}"));
        self.saw_range(begin, last, end);
        Ok(names)
    }

    /// All keys that begin with `prefix`, relative to it, in order.
    pub fn scan(&mut self, prefix: &str, page: &Page) -> Result<Vec<String>, StoreError> {
        let base = self.full(prefix);
        let end = prefix_end(&base);
        let from = if page.after.is_empty() { base.clone() } else { format!("{base}{}\0", page.after) };
        let limit = page.limit.unwrap_or(usize::MAX);
        let mut keys = Vec::new();
        if limit > 0 {
            self.merged(&from, &end, &mut |key| {
                keys.push(key.get(base.len()..).unwrap_or_default().to_owned());
                if keys.len() >= limit { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
            })?;
        }
        let last = keys.last().filter(|_| keys.len() >= limit).map(|key| format!("{base}{key}"));
        self.saw_range(from, last, end);
        Ok(keys)
    }

    /// Deletes every key that begins with `prefix`; returns how many.
    pub fn delete_all(&mut self, prefix: &str) -> Result<usize, StoreError> {
        let keys = self.scan(prefix, &Page::all())?;
        for key in &keys {
            self.delete(&format!("{prefix}{key}"));
        }
        Ok(keys.len())
    }

    /// Remembers the writes so far.
    pub fn mark(&self) -> Mark {
        Mark(self.writes.clone())
    }

    /// Forgets the writes since a mark; the reads stay.
    pub fn rollback(&mut self, mark: Mark) {
        self.writes = mark.0;
    }

    /// Whether anything would be written.
    pub fn writes_nothing(&self) -> bool {
        self.writes.is_empty()
    }

    /// Seals the writes and hands over what a log needs to commit them.
    pub fn into_commit(self, randomness: &mut dyn FnMut(&mut [u8])) -> Result<Commit, StoreError> {
        let mut changes = Vec::with_capacity(self.writes.len());
        for (key, pending) in self.writes {
            let value = match pending {
                None => None,
                Some(pending) => Some(
                    self.cipher
                        .seal(randomness, &key, pending.kind, &pending.plain)
                        .map_err(|_| StoreError::Record { place: key.clone() })?,
                ),
            };
            changes.push((key, value));
        }
        let areas = self.areas_read.into_iter().map(|area| {
            let end = prefix_end(&area);
            (area, end)
        });
        Ok(Commit {
            read_at: self.snapshot.revision(),
            reads: ReadSet {
                keys: distinct(self.keys_read),
                ranges: distinct(self.ranges_read.into_iter().chain(areas).collect()),
            },
            batch: WriteBatch { changes },
        })
    }

    /// Notes a range that was listed. A list that its limit ended at `last` says nothing of what comes behind: jobs that
    /// take the first of many would otherwise conflict with every addition to the rest, and starve.
    fn saw_range(&mut self, from: String, last: Option<String>, end: String) {
        let to = match last {
            None => end,
            Some(folder) if folder.ends_with('/') => prefix_end(&folder),
            Some(key) => format!("{key}\0"),
        };
        self.ranges_read.push((from, to));
    }

    fn full(&self, key: &str) -> String {
        let mut full = String::with_capacity(self.scope.len() + key.len());
        full.push_str(&self.scope);
        full.push_str(key);
        full
    }

    /// Visits the keys of a range as this transaction sees them: the snapshot's, less its deletes, plus its writes.
    fn merged(&self, from: &str, to: &str, visit: &mut dyn FnMut(&str) -> ControlFlow<()>) -> Result<(), StoreError> {
        if from >= to {
            return Ok(());
        }
        let mut own = self.writes.range(from.to_owned()..to.to_owned()).peekable();
        let mut broken = false;
        self.snapshot.visit(from, to, &mut |key, _, _| {
            while let Some((own_key, pending)) = own.next_if(|(own_key, _)| own_key.as_str() < key) {
                if pending.is_some() && visit(own_key).is_break() {
                    broken = true;
                    return ControlFlow::Break(());
                }
            }
            let replaced = own.next_if(|(own_key, _)| own_key.as_str() == key);
            if replaced.is_some_and(|(_, pending)| pending.is_none()) {
                return ControlFlow::Continue(());
            }
            let flow = visit(key);
            broken = flow.is_break();
            flow
        })?;
        if !broken {
            for (own_key, pending) in own {
                if pending.is_some() && visit(own_key).is_break() {
                    break;
                }
            }
        }
        Ok(())
    }
}

fn distinct<T: Ord>(mut read: Vec<T>) -> Vec<T> {
    read.sort_unstable();
    read.dedup();
    read
}

/// The scope before [`Tx::enter`]; only [`Tx::enter`] makes one, so a handler that got a narrowed transaction cannot widen it.
pub struct ScopeMark(usize);
