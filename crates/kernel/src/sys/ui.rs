//! `sys/internal/ui`: what a client may see of the mounts and its own rights, for user interfaces and the command line.

use super::mount_view::entry_json;
use super::mounts::{bare, table};
use crate::Kx;
use crate::authenticate::Session;
use crate::mounts::MountEntry;
use engine::{Class, Fault, Reply, Route};
use serde_json::{Map, Value, json};

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("internal/ui/mounts", "Mounts the caller can see.").unauthenticated().read(mounts),
        Route::at("internal/ui/mounts/{path:path}", "The mount a path lies in.").unauthenticated().read(mount),
        Route::at("internal/ui/namespaces", "Namespaces the caller can see.").unauthenticated().read(namespaces),
        Route::at("internal/ui/resultant-acl", "What the caller may do.").read(resultant_acl),
    ]
}

engine::request! {
    /// Names any path.
    pub struct AnyPath {
        /// The path.
        path: String,
    }
}

fn mounts(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    good_or_none(kx)?;
    let table = table(kx)?;
    let session = kx.session.clone();
    let mut lists = [Map::new(), Map::new()];
    for entry in table.entries() {
        let open = entry.config.listing_visibility == "unauth";
        let seen = session.as_ref().is_some_and(|session| has_access(kx, session, entry));
        if !open && !seen {
            continue;
        }
        let view = if session.is_some() { entry_json(kx, entry) } else { public(entry) };
        let [secrets, logins] = &mut lists;
        let list = if entry.class == Class::Auth { logins } else { secrets };
        list.insert(bare(entry).to_owned(), view);
    }
    let [secret, auth] = lists;
    Ok(Reply::data(json!({ "auth": auth, "secret": secret })))
}

/// Refuses a token that is not good, on routes that answer without one: a client is told that its token ended.
pub(super) fn good_or_none(kx: &Kx) -> Result<(), Fault> {
    if kx.session.is_none() && kx.request.token.is_some() { Err(Fault::Denied) } else { Ok(()) }
}

/// What somebody without a token is told of a mount that its operator made visible.
fn public(entry: &MountEntry) -> Value {
    json!({ "description": entry.description, "options": entry.options, "type": entry.kind })
}

fn mount(kx: &mut Kx, request: AnyPath) -> Result<Reply, Fault> {
    // Everyone who may not see the mount is told the same, whether it is there or not (S22).
    let Some(session) = kx.session.clone() else { return Err(Fault::Denied) };
    let path = if request.path.ends_with('/') { request.path } else { format!("{}/", request.path) };
    let refused = || {
        let text = format!(
            "preflight capability check returned 403, please ensure client's policies grant access to path {path:?}"
        );
        Fault::Status(403, vec![text])
    };
    let table = table(kx)?;
    let (entry, _) = table.resolve(&path).ok_or_else(refused)?;
    if !has_access(kx, &session, entry) {
        return Err(refused());
    }
    let mut view = entry_json(kx, entry);
    if let Some(members) = view.as_object_mut() {
        members.insert("path".into(), entry.path.clone().into());
    }
    Ok(Reply::data(view))
}

/// Whether any rule of the session touches anything in the mount.
fn has_access(kx: &Kx, session: &Session, entry: &MountEntry) -> bool {
    session.caller.root || session.acl.touches(&format!("{}{}", kx.namespace.path, entry.path))
}

fn namespaces(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    if kx.session.is_none() {
        return Err(Fault::Denied);
    }
    let kernel = kx.kernel.clone();
    let tree = crate::namespaces::NamespaceTree::load(&kernel.memo, &mut kx.tx)?;
    let here = kx.namespace.path.clone();
    let keys: Vec<String> = tree
        .below(&here)
        .filter_map(|namespace| namespace.path.strip_prefix(&here))
        .filter(|path| !path.is_empty())
        .map(str::to_owned)
        .collect();
    Ok(if keys.is_empty() { Reply::data(json!({})) } else { Reply::keys(keys) })
}

fn resultant_acl(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let session = kx.session()?;
    Ok(Reply::data(session.acl.resultant()))
}
