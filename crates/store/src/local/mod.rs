//! The embedded log: a journal that commits are made durable in, many with one sync, above a replica that answers reads.
//!
//! # On disk
//! | file | holds |
//! |---|---|
//! | `journal-REVISION` | frames of commits from that revision on, preallocated, synced before anyone is told |
//! | `high-water` | the newest revision that was acknowledged: a journal that ends before it lost something |
//! | `replica.redb` | the key space at the last checkpoint, with that checkpoint's revision and chain value |
//! | `lock` | held while open |
//!
//! A checkpoint writes the overlay (the commits since the last one) into the replica in one transaction and drops the
//! journal before it. After a crash the journal is replayed above the checkpoint. A frame that is torn and was never
//! acknowledged is cut off; anything else that does not fit is an error that names the place, and nothing is opened.

mod committer;
mod frame;
mod journal;
mod replica;
mod snapshot;
#[cfg(test)]
mod tests;

use crate::conflict::Window;
use crate::{ChainMac, Commit, CommitError, Committed, Log, Snapshot, StoreError};
use committer::{Committer, Job};
use journal::Journal;
use replica::Replica;
use rustix::fs::{FlockOperation, Mode};
use snapshot::LocalSnapshot;
use std::fs::File;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;
use std::sync::mpsc::{Sender, channel};
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
    #[error("{0} must belong to this user and be closed to others (mode 0700)")]
    Permissions(String),
    /// What is there is not what was written.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Sizes. The defaults suit a small machine.
#[derive(Debug, Clone)]
pub struct LocalOptions {
    /// Bytes that the replica keeps of pages.
    pub cache_bytes: usize,
    /// Bytes of changes in memory that start a checkpoint.
    pub checkpoint_bytes: usize,
}

impl Default for LocalOptions {
    fn default() -> Self {
        Self { cache_bytes: 8 << 20, checkpoint_bytes: 24 << 20 }
    }
}

/// The log.
pub struct LocalLog {
    current: Arc<RwLock<Arc<LocalSnapshot>>>,
    queue: Mutex<Option<Sender<Job>>>,
    committer: Mutex<Option<JoinHandle<()>>>,
    _lock: File,
}

impl LocalLog {
    /// Opens the store in a folder, which is made if it is not there.
    pub fn open(folder: &Path, options: LocalOptions) -> Result<Self, OpenError> {
        let lock = claim(folder)?;
        let replica = Replica::open(&folder.join("replica.redb"), options.cache_bytes)?;
        let mut snapshot = LocalSnapshot::at_checkpoint(replica.read()?);
        let journal = Journal::open(folder, replica.revision()?, replica.chain()?, &mut snapshot)?;
        let window = Window::starting_at(snapshot.revision());
        let current = Arc::new(RwLock::new(Arc::new(snapshot)));
        let (queue, jobs) = channel();
        let committer = Committer::new(journal, replica, window, current.clone(), options, queue.clone());
        let thread = std::thread::Builder::new().name("committer".into()).spawn(move || committer.run(&jobs));
        let thread = thread.map_err(|error| OpenError::Io("committer".to_owned(), error))?;
        Ok(Self { current, queue: Mutex::new(Some(queue)), committer: Mutex::new(Some(thread)), _lock: lock })
    }

    fn send(&self, job: Job) -> Result<(), Job> {
        let queue = self.queue.lock().unwrap_or_else(PoisonError::into_inner);
        match queue.as_ref() {
            Some(queue) => queue.send(job).map_err(|error| error.0),
            None => Err(job),
        }
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
        if std::fs::read_dir(folder).map_err(failed)?.next().is_some() {
            return Err(OpenError::Permissions(name));
        }
        rustix::fs::chmod(folder, Mode::RWXU).map_err(|error| failed(error.into()))?;
    }
    let lock = frame::create(&folder.join("lock")).map_err(failed)?;
    rustix::fs::flock(&lock, FlockOperation::NonBlockingLockExclusive).map_err(|_| OpenError::InUse(name.clone()))?;
    Ok(lock)
}

impl Log for LocalLog {
    fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn submit(&self, commit: Commit, done: Committed) {
        if let Err(Job::Commit(_, done)) = self.send(Job::Commit(commit, done)) {
            done(Err(CommitError::Stopped("store is closed".to_owned())));
        }
    }

    fn arm(&self, mac: Arc<dyn ChainMac>) -> Result<(), StoreError> {
        let (send, receive) = channel();
        let closed = || StoreError::Engine("store is closed".to_owned());
        self.send(Job::Arm(mac, send)).map_err(|_| closed())?;
        receive.recv().map_err(|_| closed())?
    }

    fn close(&self) {
        let sender = self.queue.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(sender) = sender {
            drop(sender.send(Job::Close));
        }
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
