//! The conflict check that every log of ours makes: has anything that a transaction read changed since?

use crate::{Commit, CommitError, Revision};
use std::collections::BTreeMap;

/// Keys whose last change is remembered for the conflict check. A transaction that began before the oldest of them is
/// run again.
const WINDOW_MAX: usize = 262_144;

/// What changed lately.
#[derive(Default)]
pub(crate) struct Window {
    /// Last change of each recently changed key.
    changed: BTreeMap<String, Revision>,
    /// Transactions that read before this are not checked but refused.
    start: Revision,
}

impl Window {
    /// Refuses a transaction whose reads are no longer true.
    pub(crate) fn check(&self, commit: &Commit) -> Result<(), CommitError> {
        let since = commit.read_at;
        let key_changed = |key: &String| self.changed.get(key).is_some_and(|changed| *changed > since);
        let range_changed = |(from, to): &(String, String)| {
            from < to && self.changed.range(from.clone()..to.clone()).any(|(_, changed)| *changed > since)
        };
        let reads = &commit.reads;
        if since < self.start || reads.keys.iter().any(key_changed) || reads.ranges.iter().any(range_changed) {
            return Err(CommitError::Conflict);
        }
        Ok(())
    }

    /// Notes what a transaction changed.
    pub(crate) fn remember(&mut self, commit: &Commit, revision: Revision) {
        if self.changed.len() + commit.batch.changes.len() > WINDOW_MAX {
            self.changed.clear();
            self.start = Revision(revision.0 - 1);
        }
        self.changed.extend(commit.batch.changes.iter().map(|(key, _)| (key.clone(), revision)));
    }
}

impl Window {
    /// A window that begins at a revision: nothing older was seen.
    pub(crate) fn starting_at(start: Revision) -> Self {
        Self { start, ..Self::default() }
    }
}
