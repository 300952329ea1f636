//! Reading the store's files from bytes, with nothing written and nothing opened: what `fuzz` feeds, and what a tool uses
//! that looks at a copy. Bytes are taken for hostile.

use super::frame::{self, Found};
use super::replica::Replica;
use super::snapshot::LocalSnapshot;
use crate::{Revision, Snapshot, StoreError, Stored, WriteBatch, prefix_end};
use redb::StorageBackend;
use redb::backends::InMemoryBackend;
use std::ops::ControlFlow;

/// The commits of a journal file, in the order in which they stand there.
///
/// # Errors
/// `Damaged` if anything but whole frames, and zeros behind them, is found.
pub fn read_journal(bytes: &[u8]) -> Result<Vec<(Revision, WriteBatch)>, StoreError> {
    let mut commits = Vec::new();
    let mut at = 0;
    loop {
        let damaged = || StoreError::Damaged(format!("journal: frame at byte {at} cannot be read"));
        let rest = bytes.get(at..).unwrap_or_default();
        match frame::decode(rest) {
            Found::End if frame::is_clear(rest) => return Ok(commits),
            Found::End | Found::Broken => return Err(damaged()),
            Found::Frame(found) => {
                commits.push((found.revision, found.batch().ok_or_else(damaged)?));
                at += found.length;
            }
        }
    }
}

/// The revision and the entries of a replica file.
///
/// # Errors
/// `Damaged` or `Engine` if it is not what a checkpoint wrote.
pub fn read_replica(bytes: &[u8]) -> Result<(Revision, Vec<(String, Stored)>), StoreError> {
    let failed = |error: std::io::Error| StoreError::Engine(error.to_string());
    let backend = InMemoryBackend::new();
    backend.set_len(bytes.len() as u64).map_err(failed)?;
    backend.write(0, bytes).map_err(failed)?;
    let replica = Replica::on(backend, 1 << 20)?;
    let snapshot = LocalSnapshot::at_checkpoint(replica.read()?);
    let mut entries = Vec::new();
    snapshot.visit("", &prefix_end(""), &mut |key, value, modified| {
        entries.push((key.to_owned(), Stored { value: value.into(), modified }));
        ControlFlow::Continue(())
    })?;
    Ok((snapshot.revision(), entries))
}
