//! Re-encryption: bringing the records of older terms under the active one, a bounded step at a time.

use crate::barrier::Barrier;
use crate::error::BarrierError;
use crate::place::{KEYRING, Moment, SEAL};
use crypto::Randomness;
use std::ops::ControlFlow;
use store::{CipherError, Commit, ReadSet, Snapshot, StoreError, WriteBatch, prefix_end};

#[cfg(test)]
mod tests;

/// A transaction lives shorter than this, in seconds. One that was begun under an older term can still commit until
/// then, so a pass that is to prove that a term is unused starts later.
const TRANSACTION_SECONDS_MAX: i64 = 600;
/// Records looked at for each one that may be rewritten in a step.
const SCAN_FACTOR: usize = 16;

/// One walk over the store, from its first key to its last. A plain value; losing it costs a walk, nothing else.
#[derive(Clone, Debug)]
pub struct Pass {
    term: u32,
    from: String,
    older_seen: u64,
    proves: bool,
}

/// A pass that met no record of a term below [`CleanPass::term`], and began when none could still be written.
#[derive(Clone, Debug)]
pub struct CleanPass {
    term: u32,
}

impl CleanPass {
    /// The oldest term that may be in use.
    pub fn term(&self) -> u32 {
        self.term
    }
}

/// What a step of a pass came to.
pub enum PassStep {
    /// Commit this (after a conflict, run the step again on a newer snapshot), then go on with the pass.
    More {
        /// The records under their new term; may be empty.
        commit: Commit,
        /// What to go on with once it is committed.
        pass: Pass,
    },
    /// The last records. Commit them; there were older ones, so another pass has to show that none is left.
    Again {
        /// The records under their new term; may be empty.
        commit: Commit,
    },
    /// The store holds nothing older: [`Barrier::retire_terms`] may drop the older terms.
    Clean(CleanPass),
}

impl Barrier {
    /// Begins a pass, if there is more than one term.
    pub fn reencryption(&self, now: Moment) -> Option<Pass> {
        let active = self.keyring.active();
        let proves = active.installed.plus_seconds(TRANSACTION_SECONDS_MAX) <= now;
        let pass = Pass { term: active.number, from: String::new(), older_seen: 0, proves };
        (self.keyring.terms().len() > 1).then_some(pass)
    }

    /// Rewrites at most `limit` records of older terms. The barrier has to fit the snapshot.
    pub fn reencrypt(
        &self,
        snapshot: &dyn Snapshot,
        pass: &Pass,
        limit: usize,
        randomness: &mut dyn Randomness,
    ) -> Result<PassStep, BarrierError> {
        let mut step = Step { barrier: self, pass: pass.clone(), changes: Vec::new(), failed: None, left: limit };
        let (mut scanned, mut ended) = (0, true);
        snapshot.visit(&pass.from, &prefix_end(""), &mut |key, record, _| {
            if step.left == 0 || scanned >= limit.saturating_mul(SCAN_FACTOR) {
                step.pass.from = key.to_owned();
                ended = false;
                return ControlFlow::Break(());
            }
            scanned += 1;
            step.record(key, record, randomness)
        })?;
        if let Some(place) = step.failed {
            return Err(StoreError::Record { place }.into());
        }
        let reads = ReadSet { keys: step.changes.iter().map(|(key, _)| key.clone()).collect(), ranges: Vec::new() };
        let commit = Commit { read_at: snapshot.revision(), reads, batch: WriteBatch { changes: step.changes } };
        Ok(match (ended, step.pass.older_seen) {
            (false, _) => PassStep::More { commit, pass: step.pass },
            (true, 0) if step.pass.proves => PassStep::Clean(CleanPass { term: step.pass.term }),
            (true, _) => PassStep::Again { commit },
        })
    }
}

struct Step<'a> {
    barrier: &'a Barrier,
    pass: Pass,
    changes: Vec<(String, Option<Vec<u8>>)>,
    failed: Option<String>,
    left: usize,
}

impl Step<'_> {
    fn record(&mut self, key: &str, record: &[u8], randomness: &mut dyn Randomness) -> ControlFlow<()> {
        if key == SEAL || key == KEYRING {
            return ControlFlow::Continue(());
        }
        match self.barrier.renewed(self.pass.term, key, record, randomness) {
            Ok(None) => {}
            Ok(Some(renewed)) => {
                self.changes.push((key.to_owned(), Some(renewed)));
                self.pass.older_seen += 1;
                self.left -= 1;
            }
            // A namespace that is being deleted leaves records that open no more; they are no reason to stop.
            Err(CipherError) if !self.barrier.is_open(key) => {}
            Err(CipherError) => {
                self.failed = Some(key.to_owned());
                return ControlFlow::Break(());
            }
        }
        ControlFlow::Continue(())
    }
}
