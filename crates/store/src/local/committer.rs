//! The one thread that orders commits: it takes all that wait, checks them in turn, writes them with one sync, shows the
//! result and tells everyone. A failed write or sync stops it for good: what the disk holds then is known only after the
//! next start.

use super::LocalOptions;
use super::journal::Journal;
use super::replica::{Base, Replica};
use super::snapshot::LocalSnapshot;
use crate::conflict::Window;
use crate::{ChainMac, Commit, CommitError, Committed, Revision, Snapshot, StoreError, WriteBatch};
use std::sync::mpsc::{Receiver, Sender, TryRecvError};
use std::sync::{Arc, PoisonError, RwLock};
use std::thread::JoinHandle;

/// Commits in one write.
const GROUP_MAX: usize = 1_024;
/// Bytes of one transaction.
const COMMIT_BYTES_MAX: usize = 64 << 20;
/// Journal bytes that start a checkpoint, so that a replay stays short.
const JOURNAL_BYTES_MAX: u64 = 96 << 20;

/// What the thread is asked.
pub(super) enum Job {
    /// Commit a transaction.
    Commit(Commit, Committed),
    /// Verify the chain and go on with it.
    Arm(Arc<dyn ChainMac>, Sender<Result<(), StoreError>>),
    /// A checkpoint is written.
    Checkpointed(Box<Result<Base, StoreError>>),
    /// Finish.
    Close,
}

pub(super) struct Committer {
    journal: Journal,
    replica: Replica,
    window: Window,
    current: Arc<RwLock<Arc<LocalSnapshot>>>,
    options: LocalOptions,
    queue: Sender<Job>,
    checkpoint: Option<JoinHandle<()>>,
    stopped: Option<String>,
}

impl Committer {
    pub(super) fn new(
        journal: Journal,
        replica: Replica,
        window: Window,
        current: Arc<RwLock<Arc<LocalSnapshot>>>,
        options: LocalOptions,
        queue: Sender<Job>,
    ) -> Self {
        Self { journal, replica, window, current, options, queue, checkpoint: None, stopped: None }
    }

    pub(super) fn run(mut self, jobs: &Receiver<Job>) {
        let mut group = Vec::new();
        loop {
            let Ok(first) = jobs.recv() else { return };
            let mut next = Ok(first);
            let mut closing = false;
            loop {
                match next {
                    Ok(Job::Commit(commit, done)) => group.push((commit, done)),
                    Ok(Job::Arm(mac, reply)) => {
                        self.commit(&mut group);
                        drop(reply.send(self.journal.arm(mac)));
                    }
                    Ok(Job::Checkpointed(base)) => self.rebase(*base),
                    Ok(Job::Close) => closing = true,
                    Err(TryRecvError::Empty | TryRecvError::Disconnected) => break,
                }
                if closing || group.len() >= GROUP_MAX {
                    break;
                }
                next = jobs.try_recv();
            }
            self.commit(&mut group);
            if closing {
                return self.close();
            }
            self.checkpoint_if_due();
        }
    }

    fn snapshot(&self) -> Arc<LocalSnapshot> {
        self.current.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn publish(&self, snapshot: LocalSnapshot) {
        *self.current.write().unwrap_or_else(PoisonError::into_inner) = Arc::new(snapshot);
    }

    fn commit(&mut self, group: &mut Vec<(Commit, Committed)>) {
        if group.is_empty() {
            return;
        }
        let mut next = LocalSnapshot::clone(&self.snapshot());
        let mut revision = next.revision();
        let mut bytes = Vec::new();
        let mut accepted: Vec<(Revision, WriteBatch, Committed)> = Vec::new();
        for (commit, done) in group.drain(..) {
            match self.admit(&commit) {
                Err(error) => done(Err(error)),
                Ok(()) if commit.batch.changes.is_empty() => done(Ok(revision)),
                Ok(()) => {
                    revision = Revision(revision.0 + 1);
                    self.window.remember(&commit, revision);
                    self.journal.encode(revision, &commit.batch, &mut bytes);
                    accepted.push((revision, commit.batch, done));
                }
            }
        }
        if accepted.is_empty() {
            return;
        }
        if let Err(error) = self.journal.write(&bytes, revision) {
            let why = error.to_string();
            self.stopped = Some(why.clone());
            for (_, _, done) in accepted {
                done(Err(CommitError::Unknown(why.clone())));
            }
            return;
        }
        let mut told = Vec::with_capacity(accepted.len());
        for (revision, batch, done) in accepted {
            next.apply(revision, batch);
            told.push((revision, done));
        }
        self.publish(next);
        for (revision, done) in told {
            done(Ok(revision));
        }
    }

    fn admit(&self, commit: &Commit) -> Result<(), CommitError> {
        if let Some(why) = &self.stopped {
            return Err(CommitError::Stopped(why.clone()));
        }
        let size: usize =
            commit.batch.changes.iter().map(|(key, value)| key.len() + value.as_ref().map_or(0, Vec::len)).sum();
        if size > COMMIT_BYTES_MAX {
            return Err(CommitError::TooLarge);
        }
        self.window.check(commit)
    }

    fn checkpoint_if_due(&mut self) {
        let snapshot = self.snapshot();
        let due = snapshot.overlay_bytes() > self.options.checkpoint_bytes || self.journal.length() > JOURNAL_BYTES_MAX;
        if !due || self.checkpoint.is_some() || self.stopped.is_some() {
            return;
        }
        if let Err(error) = self.journal.begin_segment(snapshot.revision()) {
            self.stopped = Some(error.to_string());
            return;
        }
        let (replica, queue, chain) = (self.replica.clone(), self.queue.clone(), self.journal.chain());
        let write = move || drop(queue.send(Job::Checkpointed(Box::new(replica.checkpoint(&snapshot, chain)))));
        match std::thread::Builder::new().name("checkpoint".into()).spawn(write) {
            Ok(thread) => self.checkpoint = Some(thread),
            Err(error) => self.stopped = Some(error.to_string()),
        }
    }

    fn rebase(&mut self, base: Result<Base, StoreError>) {
        if let Some(thread) = self.checkpoint.take() {
            drop(thread.join());
        }
        let trimmed = base.and_then(|base| {
            let checkpoint = base.revision;
            let mut next = LocalSnapshot::clone(&self.snapshot());
            next.rebase(base);
            self.publish(next);
            self.journal.trim(checkpoint).map_err(|error| StoreError::Engine(error.to_string()))
        });
        if let Err(error) = trimmed {
            self.stopped = Some(error.to_string());
        }
    }

    /// A last checkpoint, so that the next start has nothing to replay.
    fn close(mut self) {
        if let Some(thread) = self.checkpoint.take() {
            drop(thread.join());
        }
        if self.stopped.is_some() {
            return;
        }
        let snapshot = self.snapshot();
        let revision = snapshot.revision();
        let closed = self
            .journal
            .sync_mark()
            .and_then(|()| self.journal.begin_segment(revision))
            .map_err(|error| StoreError::Engine(error.to_string()))
            .and_then(|()| self.replica.checkpoint(&snapshot, self.journal.chain()));
        if closed.is_ok() {
            // What is left behind is only longer to replay.
            drop(self.journal.trim(revision));
        }
    }
}
