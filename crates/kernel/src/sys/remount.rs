//! `sys/remount`: moving a mount. It keeps its place in storage, so the move is one record and done at once.

use super::mounts::{check_namespaces, folder, table};
use crate::Kx;
use crate::mounts::MountEntry;
use engine::{Class, Fault, Record, Reply, Route};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("remount", "Move a mount.").sudo().write(remount),
        Route::at("remount/status/{migration_id}", "What became of a move.").read(status),
    ]
}

engine::request! {
    /// Moves a mount.
    pub struct Remount {
        /// Where it is.
        from: String,
        /// Where it shall be.
        to: String,
    }
}

engine::request! {
    /// Names a move.
    pub struct Migration {
        /// As returned by the move.
        migration_id: String,
    }
}

/// A move that was made.
#[derive(Debug, Serialize, Deserialize)]
struct Moved {
    from: String,
    to: String,
}

impl Record for Moved {
    const KIND: &'static str = "remount/1";
}

fn key(kx: &Kx, id: &str) -> String {
    format!("{}/remount/{id}", kx.namespace.id)
}

fn remount(kx: &mut Kx, request: Remount) -> Result<Reply, Fault> {
    if request.from.is_empty() || request.to.is_empty() {
        return Err(Fault::invalid("both 'from' and 'to' path must be specified as a string"));
    }
    let (from, to) = (folder(&request.from), folder(&request.to));
    let table = table(kx)?;
    let entry = table.at(&from).cloned().ok_or_else(|| Fault::invalid(format!("no matching mount at {from:?}")))?;
    let movable = entry.built_in().is_none() && entry.kind != "cubbyhole";
    if !movable || (entry.class == Class::Auth) != to.starts_with("auth/") {
        return Err(Fault::invalid(format!("cannot remount {from:?}")));
    }
    if ["sys/", "identity/", "cubbyhole/"].iter().any(|reserved| to.starts_with(reserved)) || to == "auth/" {
        return Err(Fault::invalid(format!("cannot remount to {to:?}")));
    }
    if let Some(taken) = table
        .entries()
        .find(|other| other.uuid != entry.uuid && (other.path.starts_with(&to) || to.starts_with(&other.path)))
    {
        return Err(Fault::invalid(format!("path already in use at {:?}", taken.path)));
    }
    check_namespaces(kx, &request.to, &to)?;
    MountEntry { path: to.clone(), ..MountEntry::clone(&entry) }.save(&mut kx.tx)?;
    // Leases are named after the path that issued them; those of the old path end with the move, as upstream's do.
    let namespace = kx.namespace_id();
    crate::leases::routes::revoke_below(kx, &namespace, &from, false)?;
    let id = kx.cx.randomness.uuid();
    let key = key(kx, &id);
    kx.tx.save(&key, &Moved { from, to })?;
    let warning = "Mount move has been queued. Progress will be reported in the server log, tagged with the returned migration_id";
    Ok(Reply::legacy(json!({ "migration_id": id })).warn(warning))
}

fn status(kx: &mut Kx, request: Migration) -> Result<Reply, Fault> {
    let key = key(kx, &request.migration_id);
    let Some(moved) = kx.tx.load::<Moved>(&key)? else { return Ok(Reply::empty()) };
    let info = json!({ "source_mount": moved.from, "target_mount": moved.to, "status": "success" });
    Ok(Reply::data(json!({ "migration_id": request.migration_id, "migration_info": info })))
}
