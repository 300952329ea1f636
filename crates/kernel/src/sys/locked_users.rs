//! `sys/locked-users`: who is locked out of which login method, and the way back in.

use super::mounts::table;
use super::namespaces::tree;
use crate::lockout::{self, Failures, Rule};
use crate::mounts::{MountEntry, MountTable};
use crate::namespaces::Namespace;
use crate::{Kx, authorize};
use engine::{Fault, Flags, Page, Reply, Route};
use serde_json::{Value, json};

/// Aliases looked at in one reply.
const LISTED_MAX: usize = 100_000;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("locked-users", "List locked users.").read(list),
        Route::at("locked-users/{mount_accessor}/unlock/{alias_identifier:path}", "Unlock a user.").write(unlock),
    ]
}

engine::request! {
    /// Chooses a mount.
    pub struct Mount {
        /// Accessor of a login method; all if absent.
        mount_accessor: String,
    }
}

engine::request! {
    /// Names a user.
    pub struct Alias {
        /// Accessor of the login method.
        mount_accessor: String,
        /// Name there.
        alias_identifier: String,
    }
}

fn list(kx: &mut Kx, request: Mount) -> Result<Reply, Fault> {
    let only = Some(request.mount_accessor).filter(|accessor| !accessor.is_empty());
    let namespaces = match &only {
        Some(_) => vec![kx.namespace.clone()],
        None => tree(kx)?.below(&kx.namespace.path).cloned().collect(),
    };
    let mut left = LISTED_MAX;
    let mut total = 0;
    let mut shown = Vec::with_capacity(namespaces.len());
    for namespace in namespaces {
        let (count, mounts) = of_namespace(kx, &namespace, only.as_deref(), &mut left)?;
        total += count;
        shown.push(json!({
            "namespace_id": namespace.id,
            "namespace_path": namespace.path,
            "counts": count,
            "mount_accessors": mounts,
        }));
    }
    Ok(Reply::data(json!({ "by_namespace": shown, "total": total })))
}

fn of_namespace(
    kx: &mut Kx,
    namespace: &Namespace,
    only: Option<&str>,
    left: &mut usize,
) -> Result<(usize, Vec<Value>), Fault> {
    let kernel = kx.kernel.clone();
    let mounts = MountTable::load(&kernel.memo, &mut kx.cx.tx, &namespace.id)?;
    let mut count = 0;
    let mut shown = Vec::new();
    for mount in mounts.entries().filter(|mount| only.is_none_or(|only| mount.accessor == only)) {
        let aliases = locked(kx, mount, left)?;
        if aliases.is_empty() {
            continue;
        }
        count += aliases.len();
        shown.push(json!({ "mount_accessor": mount.accessor, "counts": aliases.len(), "alias_identifiers": aliases }));
    }
    if let (Some(only), true) = (only, shown.is_empty()) {
        shown.push(json!({ "mount_accessor": only, "counts": 0, "alias_identifiers": null }));
    }
    Ok((count, shown))
}

fn locked(kx: &mut Kx, mount: &MountEntry, left: &mut usize) -> Result<Vec<String>, Fault> {
    let Some(rule) = Rule::of(mount) else { return Ok(Vec::new()) };
    let folder = lockout::key(mount, "");
    let now = kx.now;
    let mut aliases = Vec::new();
    for alias in kx.tx.scan(&folder, &Page { after: String::new(), limit: Some(*left) })? {
        *left = left.saturating_sub(1);
        let failures = kx.tx.load::<Failures>(&format!("{folder}{alias}"))?;
        aliases.extend(failures.filter(|failures| failures.locked(&rule, now)).map(|failures| failures.alias));
    }
    Ok(aliases)
}

/// Forgets the failures of a user of a mount of this namespace. A user who is not locked is unlocked already.
fn unlock(kx: &mut Kx, request: Alias) -> Result<Reply, Fault> {
    let Some(mount) = table(kx)?.by_accessor(&request.mount_accessor).cloned() else { return Ok(Reply::empty()) };
    // Records are named by canonical aliases, which some methods keep in lower case.
    let folded = request.alias_identifier.to_lowercase();
    authorize::check_spelling(kx, &request.alias_identifier, &folded, Flags::default())?;
    for alias in [folded, request.alias_identifier] {
        let key = lockout::key(&mount, &alias);
        if kx.tx.exists(&key)? {
            kx.tx.delete(&key);
        }
    }
    Ok(Reply::empty())
}
