//! The embedded log: a journal that commits are made durable in, many with one sync, above a replica that answers reads.
//!
//! # On disk
//! | file | holds |
//! |---|---|
//! | `journal-REVISION` | frames of commits from that revision on, in a file zeroed before, synced before anyone is told |
//! | `spare` | the zeroed file that the journal goes on in |
//! | `high-water` | the newest revision that was acknowledged: a journal that ends before it lost something |
//! | `replica.redb` | the key space at the last checkpoint, with that checkpoint's revision and chain value |
//! | `replica.sums` | a checksum for each block of the replica |
//! | `lock` | held while open |
//!
//! Memory holds the commits since the last checkpoint and a bounded cache of the replica's pages, whatever the store
//! holds. A checkpoint writes these commits into the replica in one transaction and drops the journal before it. After a
//! crash the journal is replayed above the checkpoint. A frame that is torn and was never acknowledged is cut off; anything
//! else that does not fit is an error that names the place, and nothing is opened.

mod checked;
mod committer;
mod frame;
pub mod image;
mod journal;
mod memtable;
mod queue;
mod replica;
mod segment;
mod snapshot;
#[cfg(test)]
mod tests;

use crate::{ChainMac, Commit, CommitError, Committed, GroupSizes, Log, Snapshot, StoreError};
use committer::Committer;
use journal::Journal;
use queue::{Order, Queue};
use replica::Replica;
use rustix::fs::{FlockOperation, Mode};
use snapshot::LocalSnapshot;
use std::fs::File;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;
use std::sync::mpsc::channel;
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::thread::JoinHandle;

/// Why a store cannot be opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// The system said no.
    #[error("{0}: {1}")]
    Io(String, std::io::Error),
    /// Another process has it open.
    #[error("{0} is in use by another process")]
    InUse(String),
    /// The folder or a file belongs to somebody else, or others may read it.
    #[error("{0} must belong to this user and be closed to others: check whose it is, and run chmod 0700 on it")]
    Permissions(String),
    /// What is there is not what was written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// The replica's file.
const REPLICA: &str = "replica.redb";

/// Sizes. The defaults suit a small machine.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// Bytes of the replica's pages that are kept in memory.
    pub cache_bytes: usize,
    /// Bytes of changes in memory that start a checkpoint.
    pub checkpoint_bytes: usize,
    /// Bytes of a file of the journal, of which the first may be smaller; three quarters of it start a checkpoint, too.
    pub segment_bytes: u64,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self { cache_bytes: 8 << 20, checkpoint_bytes: 12 << 20, segment_bytes: 32 << 20 }
    }
}

/// The log.
pub struct LocalLog {
    current: Arc<RwLock<Arc<LocalSnapshot>>>,
    queue: Arc<Queue>,
    committer: Mutex<Option<JoinHandle<()>>>,
    _lock: File,
}

impl LocalLog {
    /// Opens the store in a folder, which is made if it is not there.
    pub fn open(folder: &Path, options: LocalOptions) -> Result<Self, OpenError> {
        let lock = claim(folder)?;
        let replica = Replica::open(&folder.join(REPLICA), options.cache_bytes)?;
        let mut snapshot = LocalSnapshot::at_checkpoint(replica.read()?);
        let journal = Journal::open(folder, options.segment_bytes, replica.chain()?, &mut snapshot)?;
        let current = Arc::new(RwLock::new(Arc::new(snapshot)));
        let queue = Arc::new(Queue::default());
        let committer = Committer::new(journal, replica, current.clone(), options, queue.clone());
        let thread = std::thread::Builder::new().name("committer".into()).spawn(move || committer.run());
        let thread = thread.map_err(|error| OpenError::Io("committer".to_owned(), error))?;
        Ok(Self { current, queue, committer: Mutex::new(Some(thread)), _lock: lock })
    }
}

/// Makes the folder ours alone, and refuses one that others can read (S96).
fn claim(folder: &Path) -> Result<File, OpenError> {
    let name = folder.display().to_string();
    let failed = |error| OpenError::Io(name.clone(), error);
    std::fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
    let metadata = std::fs::metadata(folder).map_err(failed)?;
    if metadata.uid() != rustix::process::geteuid().as_raw() {
        return Err(OpenError::Permissions(name));
    }
    if metadata.mode() & 0o077 != 0 {
        // What is in it already may have been read; a folder that holds nothing of ours is closed before anything does.
        if holds_a_store(folder).map_err(failed)? {
            return Err(OpenError::Permissions(name));
        }
        rustix::fs::chmod(folder, Mode::RWXU).map_err(|error| failed(error.into()))?;
    }
    let lock = frame::create(&folder.join("lock")).map_err(failed)?;
    rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| OpenError::InUse(name.clone()))?;
    Ok(lock)
}

fn holds_a_store(folder: &Path) -> std::io::Result<bool> {
    Ok(folder.join(REPLICA).try_exists()? || !segment::all(folder)?.is_empty())
}

impl Log for LocalLog {
    fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn submit(&self, commit: Commit, done: Committed) {
        if let Err(done) = self.queue.commit(commit, done) {
            done(Err(CommitError::Stopped("store is closed".to_owned())));
        }
    }

    fn arm(&self, mac: Arc<dyn ChainMac>) -> Result<(), StoreError> {
        let (send, receive) = channel();
        let closed = || StoreError::Engine("store is closed".to_owned());
        self.queue.order(Order::Arm(mac, send)).map_err(|_| closed())?;
        receive.recv().map_err(|_| closed())?
    }

    fn group_sizes(&self) -> GroupSizes {
        self.queue.group_sizes()
    }

    fn close(&self) {
        // Closed already is as good.
        drop(self.queue.order(Order::Close));
        if let Some(thread) = self.committer.lock().unwrap_or_else(PoisonError::into_inner).take() {
            drop(thread.join());
        }
    }
}

impl Drop for LocalLog {
    fn drop(&mut self) {
        self.close();
    }
}
