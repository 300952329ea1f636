//! Renewing the lease of a secret.

use super::{LeaseEntry, LeaseOf, load, replace};
use crate::Kx;
use crate::mounts::MountTable;
use engine::Fault;

/// Renews a lease by so many seconds (0 takes the mount's default), within its maximum; a renewal never shortens below
/// what the engine allows and never makes it endless (S75).
pub fn renew(kx: &mut Kx, namespace: &str, id: &str, increment: i64) -> Result<LeaseEntry, Fault> {
    let lease = load(&mut kx.tx, namespace, id)?.ok_or_else(|| Fault::invalid("lease not found"))?;
    if lease.expires <= kx.now || lease.irrevocable.is_some() {
        return Err(Fault::invalid("lease expired"));
    }
    let (LeaseOf::Secret { mount, token, .. }, Some(record)) = (lease.of.clone(), lease.record()) else {
        return Err(Fault::invalid("lease is not renewable"));
    };
    if !lease.renewable {
        return Err(Fault::invalid("lease is not renewable"));
    }
    let kernel = kx.kernel.clone();
    let table = MountTable::load(&kernel.memo, &mut kx.tx, namespace)?;
    let mount = table.by_uuid(&mount).cloned().ok_or_else(|| Fault::invalid("lease not found"))?;
    let renewed = kx.on_mount(&mount, |engine, cx| engine.renew(cx, &record))?;
    let view = kernel.view(&mount);
    let wanted = [increment, renewed.ttl, view.default_lease_ttl].into_iter().find(|ttl| *ttl > 0).unwrap_or(1);
    let max_ttl = if lease.max_ttl > 0 { lease.max_ttl.min(view.max_lease_ttl) } else { view.max_lease_ttl };
    let latest = lease.issued.plus_seconds(max_ttl);
    let expires = kx.now.plus_seconds(wanted).min(latest);
    if expires <= kx.now {
        return Err(Fault::invalid("past the max TTL, cannot renew"));
    }
    let new = LeaseEntry {
        expires,
        renewed: Some(kx.now),
        of: LeaseOf::Secret { mount: mount.uuid.clone(), token, internal: renewed.internal },
        ..lease.clone()
    };
    replace(&mut kx.tx, &lease, &new)?;
    Ok(new)
}
