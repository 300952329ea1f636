//! A log that fails on purpose, for tests of whoever uses one: each fault is one that a real log can show, at a chosen
//! commit or read.

use crate::{ChainMac, Commit, CommitError, Committed, Log, Revision, Snapshot, StoreError, Stored, Visit};
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// What goes wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The commit is refused as if another had been faster.
    Conflict,
    /// There is no space for the commit.
    Full,
    /// The commit is not made, and whoever asks is told that this is unknown. The log has stopped.
    LostUnknown,
    /// The commit is made, and whoever asks is told that this is unknown. The log has stopped.
    MadeUnknown,
}

/// The decorator.
pub struct FaultyLog {
    inner: Arc<dyn Log>,
    plan: Arc<Mutex<Plan>>,
}

#[derive(Default)]
struct Plan {
    commits: BTreeMap<u64, Fault>,
    commits_seen: u64,
    unreadable: Vec<String>,
    stopped: bool,
}

struct FaultySnapshot {
    inner: Arc<dyn Snapshot>,
    plan: Arc<Mutex<Plan>>,
}

fn lock(plan: &Mutex<Plan>) -> MutexGuard<'_, Plan> {
    plan.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FaultyLog {
    /// A log that does all that `inner` does, until a fault is planned.
    pub fn new(inner: Arc<dyn Log>) -> Self {
        Self { inner, plan: Arc::default() }
    }

    /// Plans a fault for the commit that is handed in as the `number`-th from now, counted from 0.
    pub fn fail_commit(&self, number: u64, fault: Fault) {
        let mut plan = lock(&self.plan);
        let at = plan.commits_seen + number;
        plan.commits.insert(at, fault);
    }

    /// Makes every read of a key that begins with `prefix`, and every list that meets one, fail.
    pub fn fail_reads(&self, prefix: &str) {
        lock(&self.plan).unreadable.push(prefix.to_owned());
    }

    /// Forgets all faults; what they did stays.
    pub fn heal(&self) {
        let mut plan = lock(&self.plan);
        *plan = Plan { commits_seen: plan.commits_seen, ..Plan::default() };
    }

    fn next_fault(&self) -> Result<Option<Fault>, CommitError> {
        let mut plan = lock(&self.plan);
        if plan.stopped {
            return Err(CommitError::Stopped("fault".to_owned()));
        }
        let number = plan.commits_seen;
        plan.commits_seen += 1;
        let fault = plan.commits.remove(&number);
        plan.stopped = matches!(fault, Some(Fault::LostUnknown | Fault::MadeUnknown));
        Ok(fault)
    }
}

impl Log for FaultyLog {
    fn snapshot(&self) -> Arc<dyn Snapshot> {
        Arc::new(FaultySnapshot { inner: self.inner.snapshot(), plan: self.plan.clone() })
    }

    fn submit(&self, commit: Commit, done: Committed) {
        let unknown = || CommitError::Unknown("fault".to_owned());
        match self.next_fault() {
            Err(error) => done(Err(error)),
            Ok(None) => self.inner.submit(commit, done),
            Ok(Some(Fault::Conflict)) => done(Err(CommitError::Conflict)),
            Ok(Some(Fault::Full)) => done(Err(CommitError::Full)),
            Ok(Some(Fault::LostUnknown)) => done(Err(unknown())),
            Ok(Some(Fault::MadeUnknown)) => self.inner.submit(commit, Box::new(move |_| done(Err(unknown())))),
        }
    }

    fn arm(&self, mac: Arc<dyn ChainMac>) -> Result<(), StoreError> {
        self.inner.arm(mac)
    }

    fn close(&self) {
        self.inner.close();
    }
}

impl FaultySnapshot {
    fn check(&self, hit: impl Fn(&str) -> bool) -> Result<(), StoreError> {
        match lock(&self.plan).unreadable.iter().any(|prefix| hit(prefix)) {
            true => Err(StoreError::Engine("fault".to_owned())),
            false => Ok(()),
        }
    }
}

impl Snapshot for FaultySnapshot {
    fn revision(&self) -> Revision {
        self.inner.revision()
    }

    fn get(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        self.check(|prefix| key.starts_with(prefix))?;
        self.inner.get(key)
    }

    fn visit(&self, from: &str, to: &str, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.check(|prefix| from.starts_with(prefix) || (from < to && (from..to).contains(&prefix)))?;
        self.inner.visit(from, to, visit)
    }

    fn area_revision(&self, area: &str) -> Revision {
        self.inner.area_revision(area)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conformance::{change, submit, value};
    use crate::memory::MemoryLog;

    #[test]
    fn each_fault_is_what_a_log_may_show() {
        let log = FaultyLog::new(Arc::new(MemoryLog::new()));
        log.fail_commit(1, Fault::Conflict);
        log.fail_commit(2, Fault::Full);
        log.fail_commit(4, Fault::MadeUnknown);
        assert!(submit(&log, change(&log, "a/b/0", Some("0"))).is_ok());
        assert!(matches!(submit(&log, change(&log, "a/b/1", Some("1"))), Err(CommitError::Conflict)));
        assert!(matches!(submit(&log, change(&log, "a/b/2", Some("2"))), Err(CommitError::Full)));
        assert!(submit(&log, change(&log, "a/b/3", Some("3"))).is_ok());
        assert!(matches!(submit(&log, change(&log, "a/b/4", Some("4"))), Err(CommitError::Unknown(_))));
        assert!(matches!(submit(&log, change(&log, "a/b/5", Some("5"))), Err(CommitError::Stopped(_))));
        let kept: Vec<bool> = (0..6).map(|at| value(&log, &format!("a/b/{at}")).is_some()).collect();
        assert_eq!(kept, [true, false, false, true, true, false]);
        log.heal();
        log.fail_commit(0, Fault::LostUnknown);
        assert!(matches!(submit(&log, change(&log, "a/b/6", Some("6"))), Err(CommitError::Unknown(_))));
        assert_eq!(value(&log, "a/b/6"), None);
    }

    #[test]
    fn unreadable_keys_fail_reads_and_lists() {
        let log = FaultyLog::new(Arc::new(MemoryLog::new()));
        submit(&log, change(&log, "a/b/0", Some("0"))).unwrap();
        log.fail_reads("a/b/");
        let snapshot = log.snapshot();
        assert!(snapshot.get("a/b/0").is_err() && snapshot.get("a/c/0").is_ok());
        assert!(snapshot.visit("a/", "a0", &mut |_, _, _| std::ops::ControlFlow::Continue(())).is_err());
        log.heal();
        assert!(snapshot.get("a/b/0").is_ok());
    }
}
