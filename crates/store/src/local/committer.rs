//! The one thread that orders commits: it takes all that wait, checks them in turn, writes them with one sync, shows the
//! result and tells everyone. A failed write or sync stops it for good: what the disk holds then is known only after the
//! next start. A full disk is met before anything is written, and refuses commits without stopping.

use super::journal::Journal;
use super::queue::{Order, Pace, Queue};
use super::replica::Replica;
use super::segment;
use super::snapshot::LocalSnapshot;
use super::{LocalOptions, replica::Base};
use crate::{Commit, CommitError, Committed, Revision, Snapshot, StoreError};
use std::collections::VecDeque;
use std::io;
use std::path::Path;
use std::sync::{Arc, PoisonError, RwLock, Weak};
use std::thread::JoinHandle;

/// Bytes of one transaction.
const COMMIT_BYTES_MAX: usize = 64 << 20;
/// Free bytes of the disk below which no checkpoint is begun, since one that fails cannot be tried again.
const CHECKPOINT_ROOM_MIN: u64 = 128 << 20;

pub(super) struct Committer {
    journal: Journal,
    replica: Replica,
    current: Arc<RwLock<Arc<LocalSnapshot>>>,
    readers: Readers,
    options: LocalOptions,
    queue: Arc<Queue>,
    pace: Pace,
    checkpoint: Option<JoinHandle<Result<Base, StoreError>>>,
    stopped: Option<String>,
    bytes: Vec<u8>,
}

/// The snapshots that may still be read, oldest first.
#[derive(Default)]
struct Readers(VecDeque<(Revision, Weak<LocalSnapshot>)>);

impl Committer {
    pub(super) fn new(
        journal: Journal,
        replica: Replica,
        current: Arc<RwLock<Arc<LocalSnapshot>>>,
        options: LocalOptions,
        queue: Arc<Queue>,
    ) -> Self {
        let mut readers = Readers::default();
        readers.add(&current.read().unwrap_or_else(PoisonError::into_inner));
        let (pace, bytes) = (Pace::default(), Vec::new());
        Self { journal, replica, current, readers, options, queue, pace, checkpoint: None, stopped: None, bytes }
    }

    pub(super) fn run(mut self) {
        loop {
            let work = self.queue.take(self.pace.wanted());
            let group = work.commits.len();
            self.commit(work.commits);
            self.pace.note(group, work.lull, self.queue.length());
            for order in work.orders {
                match order {
                    Order::Arm(mac, reply) => drop(reply.send(self.journal.arm(mac))),
                    Order::Checkpointed => self.rebase(),
                    Order::Close => return self.close(),
                }
            }
            self.checkpoint_if_due();
        }
    }

    fn snapshot(&self) -> Arc<LocalSnapshot> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn publish(&mut self, snapshot: LocalSnapshot) {
        let snapshot = Arc::new(snapshot);
        self.readers.add(&snapshot);
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = snapshot;
    }

    fn commit(&mut self, group: Vec<(Commit, Committed)>) {
        if group.is_empty() {
            return;
        }
        let size = group.iter().map(|(commit, _)| super::frame::size(&commit.batch)).sum();
        if let Err(error) = self.reserve(size) {
            return group.into_iter().for_each(|(_, done)| done(Err(error.clone())));
        }
        let mut next = LocalSnapshot::clone(&self.snapshot());
        let before = next.revision();
        let oldest_read = self.readers.oldest();
        self.bytes.clear();
        let mut accepted: Vec<(Revision, Committed)> = Vec::with_capacity(group.len());
        for (commit, done) in group {
            match admit(&next, &commit) {
                Err(error) => done(Err(error)),
                Ok(()) if commit.batch.changes.is_empty() => accepted.push((next.revision(), done)),
                Ok(()) => {
                    let revision = Revision(next.revision().0 + 1);
                    self.journal.encode(revision, &commit.batch, &mut self.bytes);
                    // Nobody sees it before it is published, and if the write fails it never is.
                    next.apply(revision, commit.batch, oldest_read);
                    accepted.push((revision, done));
                }
            }
        }
        if !self.bytes.is_empty() {
            if let Err(error) = self.journal.write(&self.bytes, next.revision()) {
                let why = error.to_string();
                self.stopped = Some(why.clone());
                return accepted.into_iter().for_each(|(_, done)| done(Err(CommitError::Unknown(why.clone()))));
            }
            self.queue.synced(next.revision().0 - before.0);
            self.publish(next);
        }
        accepted.into_iter().for_each(|(revision, done)| done(Ok(revision)));
        self.bytes.shrink_to(1 << 20);
    }

    /// Makes room in the journal before anything is changed.
    fn reserve(&mut self, bytes: usize) -> Result<(), CommitError> {
        if let Some(why) = &self.stopped {
            return Err(CommitError::Stopped(why.clone()));
        }
        match self.journal.reserve(bytes) {
            Ok(()) => Ok(()),
            Err(error) if is_full(&error) => Err(CommitError::Full),
            Err(error) => {
                self.stopped = Some(error.to_string());
                Err(CommitError::Stopped(error.to_string()))
            }
        }
    }

    fn checkpoint_if_due(&mut self) {
        let snapshot = self.snapshot();
        // A replay stays short, and what comes while the checkpoint is written has room.
        let due = snapshot.active_bytes() > self.options.checkpoint_bytes || self.journal.is_nearly_full();
        if !due || self.checkpoint.is_some() || self.stopped.is_some() || !has_room(&self.journal) {
            return;
        }
        let revision = snapshot.revision();
        match self.journal.begin_segment(revision) {
            Ok(()) => {}
            Err(error) if is_full(&error) => return,
            Err(error) => return self.stopped = Some(error.to_string()),
        }
        let mut next = LocalSnapshot::clone(&snapshot);
        let frozen = next.freeze();
        self.publish(next);
        let (replica, queue, chain) = (self.replica.clone(), self.queue.clone(), self.journal.chain());
        let (folder, bytes) = (self.journal.folder().to_owned(), self.options.segment_bytes);
        let write = move || {
            let base = replica.checkpoint(&frozen, revision, chain);
            if base.is_ok() {
                renew_spare(&folder, revision, bytes);
            }
            // A queue that is closed already has somebody who waits for the thread itself.
            drop(queue.order(Order::Checkpointed));
            base
        };
        match std::thread::Builder::new().name("checkpoint".into()).spawn(write) {
            Ok(thread) => self.checkpoint = Some(thread),
            Err(error) => self.stopped = Some(error.to_string()),
        }
    }

    /// Goes on above the checkpoint that was written, if there is one.
    fn rebase(&mut self) {
        let Some(thread) = self.checkpoint.take() else { return };
        match thread.join() {
            Ok(Ok(base)) => {
                let mut next = LocalSnapshot::clone(&self.snapshot());
                next.rebase(base);
                self.publish(next);
            }
            Ok(Err(error)) => self.stopped = Some(error.to_string()),
            Err(_) => self.stopped = Some("the checkpoint failed".to_owned()),
        }
    }

    /// A last checkpoint, so that the next start has nothing to replay.
    fn close(mut self) {
        self.rebase();
        if self.stopped.is_some() || !has_room(&self.journal) {
            return;
        }
        let mut snapshot = LocalSnapshot::clone(&self.snapshot());
        let revision = snapshot.revision();
        let synced = self.journal.sync_mark().and_then(|()| self.journal.begin_segment(revision));
        if synced.is_ok() {
            // What is left behind is only longer to replay.
            if self.replica.checkpoint(&snapshot.freeze(), revision, self.journal.chain()).is_ok() {
                renew_spare(self.journal.folder(), revision, self.options.segment_bytes);
            }
        }
    }
}

fn admit(snapshot: &LocalSnapshot, commit: &Commit) -> Result<(), CommitError> {
    if super::frame::size(&commit.batch) > COMMIT_BYTES_MAX {
        return Err(CommitError::TooLarge);
    }
    snapshot.check(commit)
}

/// Makes the journal's file before a checkpoint the spare of the one to come.
fn renew_spare(folder: &Path, checkpoint: Revision, bytes: u64) {
    // Files left behind, or no spare, cost time later and nothing else.
    let _renewed = segment::trim(folder, checkpoint).and_then(|()| segment::prepare(folder, bytes));
}

fn is_full(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, StorageFull};
    matches!(error.kind(), StorageFull | QuotaExceeded | FileTooLarge)
}

fn has_room(journal: &Journal) -> bool {
    // A file system that does not say how full it is has to do.
    rustix::fs::statvfs(journal.folder())
        .is_ok_and(|disk| disk.f_bavail.saturating_mul(disk.f_frsize) > CHECKPOINT_ROOM_MIN)
}

impl Readers {
    fn add(&mut self, snapshot: &Arc<LocalSnapshot>) {
        self.0.push_back((snapshot.revision(), Arc::downgrade(snapshot)));
    }

    /// The revision of the oldest snapshot that somebody holds.
    fn oldest(&mut self) -> Revision {
        while self.0.len() > 1 && self.0.front().is_some_and(|(_, snapshot)| snapshot.strong_count() == 0) {
            self.0.pop_front();
        }
        self.0.front().map_or(Revision(0), |(revision, _)| *revision)
    }
}
