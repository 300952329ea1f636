//! How a namespace ends: it serves nothing from the first moment on, its leases and tokens are revoked, and only when none
//! is left do its records and its key go (S16). A namespace too large for one transaction, or with a lease that its
//! engine cannot revoke yet, stays tainted; the expiry job and every further `DELETE` go on with it.

use crate::namespaces::{Namespace, NamespaceTree};
use crate::tokens::{self, TokenRef};
use crate::{Kx, keys, leases};
use engine::{Fault, Page};
use std::sync::Arc;

/// Leases and tokens revoked in one transaction.
const REVOKED_MAX: usize = 256;
/// Records deleted in one transaction.
const DELETED_MAX: usize = 4_096;

/// Taints a namespace and does the first step. Leases that earlier steps could not revoke are tried again.
pub(super) fn begin(kx: &mut Kx, namespace: &Arc<Namespace>) -> Result<(), Fault> {
    if !namespace.tainted {
        let tainted = Namespace { tainted: true, ..Namespace::clone(namespace) };
        kx.tx.save(&keys::namespace(&namespace.id), &tainted)?;
    }
    step(kx, &namespace.id, true).map(drop)
}

/// Goes on with every namespace that is being deleted; whether there is more to do at once.
pub(crate) fn go_on(kx: &mut Kx) -> Result<bool, Fault> {
    let kernel = kx.kernel.clone();
    let tree = NamespaceTree::load(&kernel.memo, &mut kx.cx.tx)?;
    // One that waits for an engine must not hold up those behind it.
    for namespace in tree.below("").filter(|namespace| namespace.tainted) {
        if step(kx, &namespace.id, false)? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// One bounded step; whether the next would do something now.
fn step(kx: &mut Kx, id: &str, failed_ones_too: bool) -> Result<bool, Fault> {
    let leases = kx.tx.scan(&keys::lease(id, ""), &first(REVOKED_MAX))?;
    if !leases.is_empty() {
        return revoke_leases(kx, id, &leases, failed_ones_too);
    }
    let folder = keys::token(id, "");
    let hashes = kx.tx.scan(&folder, &first(REVOKED_MAX))?;
    for hash in &hashes {
        tokens::revoke_tree(kx, &TokenRef { namespace: id.to_owned(), hash: hash.clone() })?;
    }
    if hashes.len() >= REVOKED_MAX {
        return Ok(true);
    }
    // Revoking a token may have left a lease that could not be revoked with it.
    if !kx.tx.scan(&keys::lease(id, ""), &first(1))?.is_empty() {
        return Ok(true);
    }
    erase(kx, id)
}

fn revoke_leases(kx: &mut Kx, id: &str, ids: &[String], failed_ones_too: bool) -> Result<bool, Fault> {
    let mut revoked = 0;
    for lease in ids {
        let Some(entry) = leases::load(&mut kx.tx, id, lease)? else { continue };
        if entry.attempts > 0 && !failed_ones_too {
            continue;
        }
        leases::revoke_or_postpone(kx, id, lease)?;
        revoked += usize::from(leases::load(&mut kx.tx, id, lease)?.is_none());
    }
    if revoked == ids.len() && ids.len() < REVOKED_MAX {
        return step(kx, id, failed_ones_too);
    }
    Ok(revoked > 0)
}

/// Deletes what is left, the key last: a namespace whose key is gone could not be found to be finished.
fn erase(kx: &mut Kx, id: &str) -> Result<bool, Fault> {
    let folder = format!("{id}/");
    let left = kx.tx.scan(&folder, &first(DELETED_MAX))?;
    for key in &left {
        kx.tx.delete(&format!("{folder}{key}"));
    }
    if left.len() >= DELETED_MAX {
        return Ok(true);
    }
    let barrier = kx.barrier.clone();
    barrier.delete_namespace(&mut kx.tx, id);
    kx.tx.delete(&keys::namespace(id));
    Ok(false)
}

fn first(limit: usize) -> Page {
    Page { after: String::new(), limit: Some(limit) }
}
