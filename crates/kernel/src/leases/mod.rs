//! Leases: what ends when, and what happens then. A lease is written in the same transaction as what it is for, with an
//! entry in the one index that is ordered by time; nothing of it is kept in memory.

mod record;
mod renew;
mod revoke;
pub mod routes;

pub use record::{LeaseEntry, LeaseOf};
pub use renew::renew;
pub use revoke::{revoke, revoke_or_postpone};

use crate::keys;
use engine::{Fault, Tx};

/// Kind of due entries, whose value is empty: the key says it all.
const DUE_KIND: &str = "due/1";
/// Kind of the token-to-lease index, whose value is empty.
const TOKEN_LEASE_KIND: &str = "token-lease/1";

/// Writes a lease with its indexes.
pub fn write(tx: &mut Tx, lease: &LeaseEntry) -> Result<(), Fault> {
    tx.save(&keys::lease(&lease.namespace, &lease.id), lease)?;
    tx.put(DUE_KIND, &keys::due(lease.due(), &lease.namespace, &lease.id), Vec::new());
    if let Some(index) = token_index(lease) {
        tx.put(TOKEN_LEASE_KIND, &index, Vec::new());
    }
    Ok(())
}

/// The entry that finds a lease by the token it ends with.
fn token_index(lease: &LeaseEntry) -> Option<String> {
    let LeaseOf::Secret { token: Some(at), .. } = &lease.of else { return None };
    let folder = keys::token_leases(&at.namespace, &at.hash);
    Some(format!("{folder}{}:{}", lease.namespace, lease.id))
}

/// The lease with an id, in this namespace only (S13).
pub fn load(tx: &mut Tx, namespace: &str, id: &str) -> Result<Option<LeaseEntry>, Fault> {
    Ok(tx.load(&keys::lease(namespace, id))?)
}

/// Replaces a lease, moving its due entry.
pub fn replace(tx: &mut Tx, old: &LeaseEntry, new: &LeaseEntry) -> Result<(), Fault> {
    tx.delete(&keys::due(old.due(), &old.namespace, &old.id));
    write(tx, new)
}

/// Removes a lease and its indexes without any effect.
pub fn forget(tx: &mut Tx, namespace: &str, id: &str) -> Result<(), Fault> {
    let Some(lease) = load(tx, namespace, id)? else { return Ok(()) };
    tx.delete(&keys::lease(namespace, id));
    tx.delete(&keys::due(lease.due(), namespace, id));
    if let Some(index) = token_index(&lease) {
        tx.delete(&index);
    }
    Ok(())
}
