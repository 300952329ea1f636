//! What waits for the committer, and how long the committer waits for more.
//!
//! A sync costs the processor as much as preparing a whole request, so it pays to let commits that are about to arrive
//! share one. How many those are is told by how many were under way lately: with one client nobody waits for anybody.

use crate::{ChainMac, Commit, Committed, GroupSizes, StoreError};
use std::sync::mpsc::Sender;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

/// The longest that a commit waits for others to share its sync.
const PATIENCE: Duration = Duration::from_millis(5);
/// How long nobody needs to come for the wait to be over earlier.
const LULL: Duration = Duration::from_millis(2);

/// What the committer is asked beside commits.
pub(super) enum Order {
    /// Verify the chain and go on with it.
    Arm(Arc<dyn ChainMac>, Sender<Result<(), StoreError>>),
    /// The thread that writes a checkpoint is done.
    Checkpointed,
    /// Finish.
    Close,
}

/// What the committer takes at once.
#[derive(Default)]
pub(super) struct Work {
    pub(super) commits: Vec<(Commit, Committed)>,
    pub(super) orders: Vec<Order>,
    /// Whether the wait for more ended because nobody came.
    pub(super) lull: bool,
}

#[derive(Default)]
pub(super) struct Queue {
    state: Mutex<State>,
    changed: Condvar,
    sizes: Mutex<GroupSizes>,
}

#[derive(Default)]
struct State {
    work: Work,
    closed: bool,
    /// How many commits the committer sleeps for; 0 while it is awake, which spares everyone a system call.
    awaited: usize,
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Hands in a commit, or gives it back if the store is closed.
    pub(super) fn commit(&self, commit: Commit, done: Committed) -> Result<(), Committed> {
        let mut state = self.lock();
        if state.closed {
            return Err(done);
        }
        state.work.commits.push((commit, done));
        if state.awaited > 0 && state.work.commits.len() >= state.awaited {
            self.wake(state);
        }
        Ok(())
    }

    /// Hands in an order. After `Close` nothing more is taken.
    pub(super) fn order(&self, order: Order) -> Result<(), Order> {
        let mut state = self.lock();
        if state.closed {
            return Err(order);
        }
        state.closed = matches!(order, Order::Close);
        state.work.orders.push(order);
        self.wake(state);
        Ok(())
    }

    /// Notes that so many commits shared a sync.
    pub(super) fn synced(&self, commits: u64) {
        self.sizes.lock().unwrap_or_else(PoisonError::into_inner).add(commits);
    }

    /// How many commits shared a sync so far.
    pub(super) fn group_sizes(&self) -> GroupSizes {
        self.sizes.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn wake(&self, mut state: MutexGuard<'_, State>) {
        state.awaited = 0;
        drop(state);
        self.changed.notify_one();
    }

    /// Waits for work. Once there is some, waits for `wanted` commits in all, as long as they keep coming.
    pub(super) fn take(&self, wanted: usize) -> Work {
        let mut state = self.lock();
        while state.work.is_empty() {
            state.awaited = 1;
            state = self.changed.wait(state).unwrap_or_else(PoisonError::into_inner);
        }
        let mut until = None;
        while state.work.orders.is_empty() && state.work.commits.len() < wanted {
            let now = Instant::now();
            let left = until.get_or_insert(now + PATIENCE).saturating_duration_since(now);
            if left.is_zero() {
                break;
            }
            let came = state.work.commits.len();
            state.awaited = wanted;
            (state, _) = self.changed.wait_timeout(state, left.min(LULL)).unwrap_or_else(PoisonError::into_inner);
            if state.work.commits.len() == came && state.work.orders.is_empty() {
                state.work.lull = true;
                break;
            }
        }
        state.awaited = 0;
        std::mem::take(&mut state.work)
    }

    /// Commits that wait.
    pub(super) fn length(&self) -> usize {
        self.lock().work.commits.len()
    }
}

impl Work {
    fn is_empty(&self) -> bool {
        self.commits.is_empty() && self.orders.is_empty()
    }
}

/// How many commits are under way at a time, from how many were.
#[derive(Default)]
pub(super) struct Pace {
    under_way: usize,
}

impl Pace {
    /// How many to wait for: half of those under way, so that the others are prepared meanwhile.
    pub(super) fn wanted(&self) -> usize {
        self.under_way / 2
    }

    /// Notes how many a group had, whether it was waited for in vain, and how many came while it was written.
    pub(super) fn note(&mut self, group: usize, lull: bool, came: usize) {
        let faded = self.under_way - self.under_way.div_ceil(if lull { 2 } else { 8 });
        self.under_way = faded.max(group + came);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_client_never_waits_and_a_crowd_fades() {
        let mut pace = Pace::default();
        for _ in 0..10 {
            pace.note(1, false, 0);
            assert_eq!(pace.wanted(), 0);
        }
        pace.note(20, false, 12);
        assert_eq!(pace.wanted(), 16);
        for _ in 0..40 {
            pace.note(1, false, 0);
        }
        assert_eq!(pace.wanted(), 0);
        pace.note(128, false, 128);
        for _ in 0..8 {
            pace.note(1, true, 0);
        }
        assert_eq!(pace.wanted(), 0, "who is waited for in vain is soon not waited for");
    }

    #[test]
    fn a_wait_in_vain_ends_early_and_is_told() {
        let queue = Queue::default();
        assert!(queue.commit(Commit::default(), Box::new(|_| ())).is_ok());
        let start = Instant::now();
        let work = queue.take(100);
        assert!(work.lull && work.commits.len() == 1 && start.elapsed() >= LULL);
        assert!(queue.commit(Commit::default(), Box::new(|_| ())).is_ok());
        assert!(!queue.take(1).lull);
    }

    #[test]
    fn work_is_taken_in_the_order_it_came_and_nothing_after_the_close() {
        let queue = Queue::default();
        for revision in 1..=3 {
            let commit = Commit { read_at: crate::Revision(revision), ..Commit::default() };
            assert!(queue.commit(commit, Box::new(|_| ())).is_ok());
        }
        assert!(queue.order(Order::Close).is_ok());
        assert!(queue.commit(Commit::default(), Box::new(|_| ())).is_err());
        let work = queue.take(100);
        let order: Vec<u64> = work.commits.iter().map(|(commit, _)| commit.read_at.0).collect();
        assert_eq!((order, work.orders.len()), (vec![1, 2, 3], 1));
    }
}
