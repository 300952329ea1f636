//! A store in memory with a barrier over it, for the tests of this crate.

use crate::ceremony::{CeremonyError, Unsealing};
use crate::{Barrier, Initialised, Initialiser, Moment, Sealed, ShareRequest, initialise};
use crypto::{Randomness, Secret, SeededRandomness};
use std::sync::Arc;
use store::memory::MemoryLog;
use store::{Cipher, Commit, CommitError, Log, Snapshot, Tx, WriteBatch};

pub(crate) const NOW: Moment = Moment(1_800_000_000_000_000_000);
pub(crate) const KIND: &str = "test/1";

pub(crate) struct World {
    pub(crate) log: MemoryLog,
    pub(crate) randomness: SeededRandomness,
    pub(crate) barrier: Arc<Barrier>,
    pub(crate) shares: Vec<Vec<u8>>,
}

pub(crate) fn request(shares: i64, threshold: i64) -> ShareRequest {
    ShareRequest::new(shares, threshold, Vec::new()).unwrap()
}

pub(crate) fn copied(shares: &[Secret<Vec<u8>>]) -> Vec<Vec<u8>> {
    shares.iter().map(|share| share.expose().clone()).collect()
}

impl World {
    pub(crate) fn shamir(shares: i64, threshold: i64) -> Self {
        Self::new(&Initialiser::Shamir(request(shares, threshold)))
    }

    pub(crate) fn new(how: &Initialiser) -> Self {
        let log = MemoryLog::new();
        let mut randomness = SeededRandomness::new(1);
        let (tx, Initialised { barrier, issued }) =
            initialise(log.snapshot(), how, "root", NOW, &mut randomness).unwrap();
        let mut world = Self { log, randomness, barrier, shares: copied(&issued.shares) };
        world.commit(tx).unwrap();
        world.refresh();
        world
    }

    /// A new server on a copy of what is stored.
    pub(crate) fn restarted(&self) -> MemoryLog {
        let log = MemoryLog::new();
        let mut changes = Vec::new();
        let everything = store::prefix_end("");
        let visited = self.log.snapshot().visit("", &everything, &mut |key, value, _| {
            changes.push((key.to_owned(), Some(value.to_vec())));
            std::ops::ControlFlow::Continue(())
        });
        visited.unwrap();
        log.submit(
            Commit { batch: WriteBatch { changes }, ..Commit::default() },
            Box::new(|result| assert!(result.is_ok())),
        );
        log
    }

    pub(crate) fn snapshot(&self) -> Arc<dyn Snapshot> {
        self.log.snapshot()
    }

    pub(crate) fn tx(&self) -> Tx {
        Tx::new(self.snapshot(), Arc::clone(&self.barrier) as Arc<dyn Cipher>)
    }

    pub(crate) fn commit(&mut self, tx: Tx) -> Result<(), CommitError> {
        let randomness = &mut self.randomness;
        let commit = tx.into_commit(&mut |bytes| randomness.fill(bytes)).unwrap();
        self.submit(commit)
    }

    pub(crate) fn submit(&self, commit: Commit) -> Result<(), CommitError> {
        let (send, receive) = std::sync::mpsc::channel();
        self.log.submit(commit, Box::new(move |result| send.send(result).unwrap()));
        receive.recv().unwrap().map(|_| ())
    }

    pub(crate) fn refresh(&mut self) {
        if let Some(fresh) = self.barrier.refresh(&*self.snapshot()).unwrap() {
            self.barrier = fresh;
        }
    }

    pub(crate) fn put(&mut self, key: &str, value: &[u8]) {
        let mut tx = self.tx();
        tx.put(KIND, key, value.to_vec());
        self.commit(tx).unwrap();
    }

    pub(crate) fn value(&self, key: &str) -> Option<Vec<u8>> {
        self.tx().get(KIND, key).unwrap().map(|plain| plain.to_vec())
    }

    /// The bytes in the store.
    pub(crate) fn stored(&self, key: &str) -> Vec<u8> {
        self.snapshot().get(key).unwrap().unwrap().value.to_vec()
    }

    /// Writes bytes into the store past the barrier.
    pub(crate) fn tamper(&self, key: &str, value: Option<Vec<u8>>) {
        let batch = WriteBatch { changes: vec![(key.to_owned(), value)] };
        self.submit(Commit { batch, read_at: self.snapshot().revision(), ..Commit::default() }).unwrap();
    }

    /// Unseals a restarted copy with these shares.
    pub(crate) fn unseals(&self, shares: &[Vec<u8>]) -> Result<Arc<Barrier>, CeremonyError> {
        let log = self.restarted();
        let snapshot = log.snapshot();
        let sealed = Sealed::load(&*snapshot).unwrap().unwrap();
        let mut state = Unsealing::default();
        for share in shares {
            let step = state.submit(&sealed, &*snapshot, Secret::bytes(share), &mut SeededRandomness::new(99));
            state = step.next.unwrap();
            if let Some(barrier) = step.result? {
                return Ok(barrier);
            }
        }
        panic!("{} shares were too few", shares.len());
    }
}
