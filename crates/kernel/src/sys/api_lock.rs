//! `sys/namespaces/api-lock`: an operator closes a namespace and all below it, and opens it again with the key that
//! closing gave, or with `sudo`.

use super::namespaces::tree;
use crate::namespaces::Namespace;
use crate::{Kx, authorize, keys};
use engine::{Fault, Reply, Route, SecretText};
use serde_json::{Value, json};
use std::sync::Arc;

/// Characters of an unlock key.
const KEY_CHARACTERS: usize = 24;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    let lock_text = "Close a namespace's API.";
    let unlock_text = "Open a namespace's API.";
    vec![
        Route::at("namespaces/api-lock/lock", lock_text).write(lock),
        Route::at("namespaces/api-lock/lock/{path:path}", lock_text).write(lock),
        Route::at("namespaces/api-lock/unlock", unlock_text).write(unlock),
        Route::at("namespaces/api-lock/unlock/{path:path}", unlock_text).write(unlock),
    ]
}

engine::request! {
    /// Names the namespace.
    pub struct Lock {
        /// Path below the request's namespace; that itself if absent.
        path: String,
    }
}

engine::request! {
    /// Opens a namespace.
    pub struct Unlock {
        /// Path below the request's namespace; that itself if absent.
        path: String,
        /// The key that closing gave; not needed with `sudo`.
        unlock_key: SecretText,
    }
}

fn lock(kx: &mut Kx, request: Lock) -> Result<Reply, Fault> {
    let namespace = target(kx, &request.path)?;
    if namespace.locked.is_some() {
        return Err(Fault::invalid(format!("cannot lock namespace {:?}: is already locked", namespace.path)));
    }
    let key = kx.cx.randomness.base62(KEY_CHARACTERS);
    let locked = Some(hash(kx, &key));
    kx.tx.save(&keys::namespace(&namespace.id), &Namespace { locked, ..Namespace::clone(&namespace) })?;
    Ok(Reply::data(json!({ "unlock_key": key })))
}

fn unlock(kx: &mut Kx, request: Unlock) -> Result<Reply, Fault> {
    let namespace = target(kx, &request.path)?;
    let Some(locked) = &namespace.locked else {
        return Err(Fault::invalid(format!("namespace {:?} is not locked", namespace.path)));
    };
    let given = request.unlock_key.0.expose();
    let by_sudo = given.is_empty() && authorize::has_sudo(kx, &route_path(&request.path));
    // Hashes under a key of ours: how far two of them agree tells nobody anything.
    if !by_sudo && *locked != hash(kx, given) {
        return Err(Fault::invalid("incorrect unlock key"));
    }
    kx.tx.save(&keys::namespace(&namespace.id), &Namespace { locked: None, ..Namespace::clone(&namespace) })?;
    Ok(if by_sudo {
        Reply::data(Value::Null).warn("Namespace unlocked using sudo capabilities")
    } else {
        Reply::empty()
    })
}

fn route_path(path: &str) -> String {
    let stem = "sys/namespaces/api-lock/unlock";
    if path.is_empty() { stem.to_owned() } else { format!("{stem}/{path}") }
}

fn target(kx: &mut Kx, path: &str) -> Result<Arc<Namespace>, Fault> {
    let below = match path.trim_matches('/') {
        "" => String::new(),
        path => format!("{path}/"),
    };
    let full = format!("{}{below}", kx.namespace.path);
    let namespace = tree(kx)?.by_path(&full).cloned();
    let namespace = namespace.ok_or_else(|| Fault::invalid("requested namespace does not exist"))?;
    if namespace.is_root() {
        return Err(Fault::invalid("root namespace cannot be locked/unlocked"));
    }
    Ok(namespace)
}

fn hash(kx: &Kx, key: &str) -> String {
    crypto::hex(&kx.kernel.keys.token.mac(&[b"namespace unlock key", key.as_bytes()]))
}
