//! Ending a lease, and what happens when its engine cannot.

use super::{LeaseEntry, LeaseOf, forget, load, replace};
use crate::Kx;
use crate::mounts::MountTable;
use crate::tokens::{self, TokenRef};
use engine::Fault;

/// Revocations tried before a lease is listed as irrevocable.
const ATTEMPTS_MAX: u32 = 6;
/// Seconds before the first retry; doubled each time.
const RETRY_BASE_SECONDS: i64 = 10;

/// Ends a lease now: revokes what it is of and removes it. What is already gone is success.
pub fn revoke(kx: &mut Kx, namespace: &str, id: &str) -> Result<(), Fault> {
    let Some(lease) = load(&mut kx.tx, namespace, id)? else { return Ok(()) };
    match &lease.of {
        LeaseOf::Nothing => {}
        LeaseOf::Token { hash } => {
            let at = TokenRef { namespace: namespace.to_owned(), hash: hash.clone() };
            tokens::revoke_tree(kx, &at)?;
        }
        LeaseOf::Secret { mount, .. } => revoke_secret(kx, &lease, mount)?,
    }
    forget(&mut kx.tx, namespace, id)
}

/// Ends a due lease, or sets the next attempt, or gives up and lists it. The lease is never lost.
pub fn revoke_or_postpone(kx: &mut Kx, namespace: &str, id: &str) -> Result<(), Fault> {
    let mark = kx.tx.mark();
    let Err(fault) = revoke(kx, namespace, id) else { return Ok(()) };
    if let Fault::Store(_) = fault {
        return Err(fault);
    }
    kx.tx.rollback(mark);
    let Some(lease) = load(&mut kx.tx, namespace, id)? else { return Ok(()) };
    let attempts = lease.attempts.saturating_add(1);
    let mut postponed = LeaseEntry { attempts, ..lease.clone() };
    if attempts >= ATTEMPTS_MAX {
        postponed.irrevocable = Some(fault.to_string());
        postponed.retry = Some(engine::Timestamp::from_nanoseconds(i64::MAX));
    } else {
        postponed.retry = Some(kx.now.plus_seconds(RETRY_BASE_SECONDS << attempts.min(10)));
    }
    replace(&mut kx.tx, &lease, &postponed)
}

fn revoke_secret(kx: &mut Kx, lease: &LeaseEntry, mount: &str) -> Result<(), Fault> {
    let kernel = kx.kernel.clone();
    let table = MountTable::load(&kernel.memo, &mut kx.tx, &lease.namespace)?;
    let (Some(mount), Some(record)) = (table.by_uuid(mount).cloned(), lease.record()) else {
        return Err(Fault::internal("mount of the lease is gone"));
    };
    kx.on_mount(&mount, |engine, cx| engine.revoke(cx, &record))
}
