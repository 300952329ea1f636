//! Background work. A job takes no input, is idempotent, is bounded per activation and says what it did.

use crate::exchange::Arrival;
use crate::identity::oidc;
use crate::mounts::MountTable;
use crate::namespaces::NamespaceTree;
use crate::sys::namespace_deletion;
use crate::{Kernel, Kx, keys, leases, pipeline};
use engine::{Fault, Page, Timestamp};
use std::sync::Arc;
use store::Commit;

/// Due leases ended in one activation.
pub const EXPIRED_MAX: usize = 512;

/// What an activation did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Progress {
    /// Leases ended or postponed.
    pub done: usize,
    /// When there is something to do next: now if more is due already, `None` if nothing waits.
    pub next: Option<Timestamp>,
}

/// A job's result: what to commit, and what it did if that commits.
pub struct JobOutcome {
    /// Changes.
    pub commit: Option<Commit>,
    /// Progress.
    pub progress: Progress,
}

/// Ends what is due: revokes each lease and removes it, and goes on with the deletion of namespaces, all in one transaction.
pub fn expire(kernel: &Arc<Kernel>, arrival: Arrival) -> Result<JobOutcome, Fault> {
    let mut kx = pipeline::context(kernel, arrival);
    let due = kx.tx.scan(keys::DUE, &Page { after: String::new(), limit: Some(EXPIRED_MAX + 1) })?;
    let mut progress = Progress::default();
    for entry in due {
        let Some((at, namespace, lease)) = parse(&entry) else {
            kx.tx.delete(&format!("{}{entry}", keys::DUE));
            continue;
        };
        if at > kx.now || progress.done >= EXPIRED_MAX {
            progress.next = Some(at.max(kx.now));
            break;
        }
        leases::revoke_or_postpone(&mut kx, namespace, lease)?;
        // An entry whose lease is gone or due at another time would come up for ever.
        kx.tx.delete(&format!("{}{entry}", keys::DUE));
        progress.done += 1;
    }
    if namespace_deletion::go_on(&mut kx)? {
        progress.next = Some(kx.now);
    }
    finish(kx, progress)
}

/// Lets every mount free what expired records take, at most `limit` of them in all.
pub fn tidy(kernel: &Arc<Kernel>, arrival: Arrival, limit: usize) -> Result<JobOutcome, Fault> {
    let mut kx = pipeline::context(kernel, arrival);
    let tree = NamespaceTree::load(&kernel.memo, &mut kx.tx)?;
    let mut progress = Progress::default();
    for namespace in tree.below("") {
        let mounts = MountTable::load(&kernel.memo, &mut kx.tx, &namespace.id)?;
        for mount in mounts.entries().filter(|mount| mount.built_in().is_none()) {
            if progress.done >= limit {
                break;
            }
            let left = limit - progress.done;
            progress.done += kx.on_mount(mount, |engine, cx| engine.tidy(cx, left))?;
        }
    }
    finish(kx, progress)
}

/// Turns the keys of identity tokens whose time has come.
pub fn turn_identity_keys(kernel: &Arc<Kernel>, arrival: Arrival) -> Result<JobOutcome, Fault> {
    let mut kx = pipeline::context(kernel, arrival);
    let (done, next) = oidc::rotate_due(&mut kx)?;
    finish(kx, Progress { done, next })
}

fn finish(kx: Kx, progress: Progress) -> Result<JobOutcome, Fault> {
    let mut randomness = kx.cx.randomness;
    let tx = kx.cx.tx;
    let commit = if tx.writes_nothing() { None } else { Some(tx.into_commit(&mut |bytes| randomness.fill(bytes))?) };
    Ok(JobOutcome { commit, progress })
}

fn parse(entry: &str) -> Option<(Timestamp, &str, &str)> {
    let (at, rest) = entry.split_once('/')?;
    let (namespace, lease) = rest.split_once('/')?;
    Some((Timestamp::from_nanoseconds(at.parse().ok()?), namespace, lease))
}
