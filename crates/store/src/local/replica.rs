//! The replica: the key space at the last checkpoint, in a redb file. Its own durability is that of checkpoints; the
//! journal is what commits rely on.

use super::checked::Checked;
use super::memtable::Memtable;
use crate::{Revision, StoreError, Stored, Visit};
use redb::{Database, ReadOnlyTable, ReadableDatabase, StorageBackend, TableDefinition};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::Path;
use std::sync::Arc;

const DATA: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("data");
const META: TableDefinition<'_, &str, &[u8]> = TableDefinition::new("meta");

/// The file.
#[derive(Clone)]
pub(super) struct Replica {
    database: Arc<Database>,
}

/// One checkpoint, open for reading.
pub(super) struct Base {
    pub(super) revision: Revision,
    data: ReadOnlyTable<&'static str, &'static [u8]>,
}

fn failed(error: impl std::fmt::Display) -> StoreError {
    StoreError::Engine(format!("replica: {error}"))
}

impl Replica {
    /// Opens or makes the file.
    pub(super) fn open(path: &Path, cache_bytes: usize) -> Result<Self, StoreError> {
        Self::on(Checked::open(path).map_err(failed)?, cache_bytes)
    }

    /// Opens or makes it on anything that holds bytes.
    pub(super) fn on(backend: impl StorageBackend, cache_bytes: usize) -> Result<Self, StoreError> {
        let is_new = backend.len().map_err(failed)? == 0;
        let open = || Database::builder().set_cache_size(cache_bytes).create_with_backend(backend);
        // The engine takes some damage for an impossible state; that must end the opening and not the process.
        let database = catch_unwind(AssertUnwindSafe(open)).map_err(|_| StoreError::Damaged("replica".to_owned()))?;
        let replica = Self { database: Arc::new(database.map_err(failed)?) };
        if is_new {
            let write = replica.database.begin_write().map_err(failed)?;
            write.open_table(DATA).map_err(failed)?;
            write.open_table(META).map_err(failed)?;
            write.commit().map_err(failed)?;
        }
        Ok(replica)
    }

    fn meta<const LENGTH: usize>(&self, name: &str) -> Result<Option<[u8; LENGTH]>, StoreError> {
        let table = self.database.begin_read().map_err(failed)?.open_table(META).map_err(failed)?;
        let Some(value) = table.get(name).map_err(failed)? else { return Ok(None) };
        let damaged = || StoreError::Damaged(format!("replica: {name} has a wrong length"));
        value.value().try_into().map(Some).map_err(|_| damaged())
    }

    /// The revision of the checkpoint.
    pub(super) fn revision(&self) -> Result<Revision, StoreError> {
        Ok(Revision(u64::from_le_bytes(self.meta("revision")?.unwrap_or_default())))
    }

    /// The chain value at the checkpoint; zeros before the first keyed commit.
    pub(super) fn chain(&self) -> Result<[u8; 32], StoreError> {
        Ok(self.meta("chain")?.unwrap_or_default())
    }

    /// The checkpoint, for reading.
    pub(super) fn read(&self) -> Result<Base, StoreError> {
        let data = self.database.begin_read().map_err(failed)?.open_table(DATA).map_err(failed)?;
        Ok(Base { revision: self.revision()?, data })
    }

    /// Makes the key space at a revision the new checkpoint, in one transaction: what changed since the last one.
    pub(super) fn checkpoint(
        &self,
        changes: &Memtable,
        revision: Revision,
        chain: [u8; 32],
    ) -> Result<Base, StoreError> {
        let mut write = self.database.begin_write().map_err(failed)?;
        // Without it a crash makes the next open read the whole file.
        write.set_quick_repair(true);
        {
            let mut data = write.open_table(DATA).map_err(failed)?;
            let mut record = Vec::new();
            changes.newest(|key, entry| {
                match &entry.value {
                    None => drop(data.remove(key).map_err(failed)?),
                    Some(value) => {
                        record.clear();
                        record.extend_from_slice(&entry.modified.0.to_le_bytes());
                        record.extend_from_slice(value);
                        data.insert(key, record.as_slice()).map_err(failed)?;
                    }
                }
                Ok(())
            })?;
            let mut meta = write.open_table(META).map_err(failed)?;
            meta.insert("revision", revision.0.to_le_bytes().as_slice()).map_err(failed)?;
            meta.insert("chain", chain.as_slice()).map_err(failed)?;
        }
        write.commit().map_err(failed)?;
        self.read()
    }
}

impl Base {
    pub(super) fn get(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        let Some(record) = self.data.get(key).map_err(failed)? else { return Ok(None) };
        let (modified, value) = split(record.value(), key)?;
        Ok(Some(Stored { value: value.into(), modified }))
    }

    pub(super) fn visit(&self, from: &str, to: &str, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        for entry in self.data.range(from..to).map_err(failed)? {
            let (key, record) = entry.map_err(failed)?;
            let (modified, value) = split(record.value(), key.value())?;
            if visit(key.value(), value, modified).is_break() {
                break;
            }
        }
        Ok(())
    }
}

fn split<'a>(record: &'a [u8], key: &str) -> Result<(Revision, &'a [u8]), StoreError> {
    let (modified, value) = record
        .split_first_chunk()
        .ok_or_else(|| StoreError::Damaged(format!("replica: record at {key} is too short")))?;
    Ok((Revision(u64::from_le_bytes(*modified)), value))
}
