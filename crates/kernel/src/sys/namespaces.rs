//! `sys/namespaces`: tenants within tenants. Each has its own key, its own built-in mounts and policies, and a name that
//! no mount of its parent may answer to (S10, S12). How one ends is in [`super::namespace_deletion`].

use super::{mounts, namespace_deletion};
use crate::mounts::create_built_in;
use crate::namespaces::{NAMESPACE_DEPTH_MAX, Namespace, NamespaceTree};
use crate::{Kx, keys, policies};
use engine::{Fault, Input, Object, Operation, Reply, Route};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Characters of a namespace's id.
const ID_CHARACTERS: usize = 6;
/// Bytes of one name.
const NAME_BYTES_MAX: usize = 128;
/// Namespaces of a server: the tree of them is in memory.
const NAMESPACES_MAX: usize = 20_000;
/// Members of the metadata, and bytes of each key and value.
const METADATA_MAX: (usize, usize, usize) = (64, 128, 512);
/// Names that are paths of every namespace already, or that mean a namespace by another name.
const RESERVED: [&str; 6] = ["root", "sys", "audit", "auth", "cubbyhole", "identity"];

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("namespaces", "List namespaces.").list(list).on(Operation::Scan, scan),
        Route::at("namespaces/{path:path}", "Manage a namespace.")
            .read(read)
            .create_or_update(|kx: &mut Kx, request: Name| Ok(child(kx, &request.path)?.is_some()), write)
            .patch(patch)
            .delete(delete),
    ]
}

engine::request! {
    /// Names a namespace.
    pub struct Name {
        /// Name, relative to the request's namespace.
        path: String,
    }
}

engine::request! {
    /// Creates or changes a namespace.
    pub struct Write {
        /// Name, relative to the request's namespace.
        path: String,
        /// Metadata set by operators; strings only.
        custom_metadata: Object,
    }
}

fn list(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    listed(kx, |relative| relative.matches('/').count() == 1)
}

fn scan(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    listed(kx, |relative| !relative.is_empty())
}

fn listed(kx: &mut Kx, shown: impl Fn(&str) -> bool) -> Result<Reply, Fault> {
    let tree = tree(kx)?;
    let here = kx.namespace.path.clone();
    let page = kx.page.clone();
    let limit = page.limit.unwrap_or(usize::MAX);
    let below = tree.below(&here).filter_map(|namespace| Some((namespace.path.strip_prefix(&here)?, namespace)));
    let chosen = below.filter(|(relative, _)| shown(relative) && *relative > page.after.as_str()).take(limit);
    let infos: Map<String, Value> =
        chosen.map(|(relative, namespace)| (relative.to_owned(), view(namespace))).collect();
    Ok(Reply::keys_with_info(infos.keys().cloned().collect(), infos))
}

fn read(kx: &mut Kx, request: Name) -> Result<Reply, Fault> {
    Ok(child(kx, &request.path)?.map_or_else(Reply::empty, |namespace| Reply::data(view(&namespace))))
}

fn write(kx: &mut Kx, request: Write) -> Result<Reply, Fault> {
    let custom_metadata = metadata(request.custom_metadata.0)?;
    let namespace = match child(kx, &request.path)? {
        Some(known) if known.tainted => return Err(Fault::invalid("namespace is being deleted")),
        Some(known) => Namespace { custom_metadata, ..Namespace::clone(&known) },
        None => create(kx, &request.path, custom_metadata)?,
    };
    kx.tx.save(&keys::namespace(&namespace.id), &namespace)?;
    Ok(Reply::data(view(&namespace)))
}

/// Makes a namespace with its key, mounts and policies: all in this transaction, or nothing (S17).
fn create(kx: &mut Kx, name: &str, custom_metadata: BTreeMap<String, String>) -> Result<Namespace, Fault> {
    let tree = tree(kx)?;
    let path = format!("{}{name}/", kx.namespace.path);
    if path.matches('/').count() > NAMESPACE_DEPTH_MAX {
        return Err(Fault::invalid(format!("namespaces nest at most {NAMESPACE_DEPTH_MAX} deep")));
    }
    if tree.below("").count() >= NAMESPACES_MAX {
        return Err(Fault::invalid("too many namespaces"));
    }
    let mine = format!("{name}/");
    if let Some(mount) = mounts::table(kx)?.entries().find(|mount| mount.path.starts_with(&mine)) {
        return Err(Fault::invalid(format!("new namespace conflicts with existing mount: {}", mount.path)));
    }
    let now = kx.now;
    let id = kx.cx.randomness.base62(ID_CHARACTERS);
    let barrier = kx.barrier.clone();
    let cx = &mut kx.cx;
    let barrier = barrier.create_namespace(&mut cx.tx, cx.randomness.as_mut(), &id).map_err(stored)?;
    create_built_in(&mut cx.tx, &id, cx.randomness.as_mut())?;
    policies::create_built_in(&mut cx.tx, &id, now)?;
    let uuid = cx.randomness.uuid();
    kx.barrier = barrier;
    Ok(Namespace { id, uuid, path, custom_metadata, locked: None, tainted: false })
}

fn patch(kx: &mut Kx, request: Input) -> Result<Reply, Fault> {
    let name = request.field("path").and_then(Value::as_str).unwrap_or_default().to_owned();
    let known =
        child(kx, &name)?.filter(|known| !known.tainted).ok_or_else(|| Fault::invalid("namespace not found"))?;
    let mut merged: Map<String, Value> =
        known.custom_metadata.iter().map(|(key, value)| (key.clone(), Value::String(value.clone()))).collect();
    match request.fields.get("custom_metadata") {
        None => {}
        Some(Value::Null) => merged.clear(),
        Some(Value::Object(changes)) => merge(&mut merged, changes)?,
        Some(_) => return Err(Fault::invalid("custom_metadata must be an object")),
    }
    let namespace = Namespace { custom_metadata: metadata(merged)?, ..Namespace::clone(&known) };
    kx.tx.save(&keys::namespace(&namespace.id), &namespace)?;
    Ok(Reply::data(view(&namespace)))
}

fn merge(into: &mut Map<String, Value>, changes: &Map<String, Value>) -> Result<(), Fault> {
    for (key, change) in changes {
        match change {
            Value::Null => drop(into.remove(key)),
            Value::String(_) => drop(into.insert(key.clone(), change.clone())),
            _ => return Err(Fault::invalid("metadata patch can only have string or null values")),
        }
    }
    Ok(())
}

fn delete(kx: &mut Kx, request: Name) -> Result<Reply, Fault> {
    let Some(namespace) = child(kx, &request.path)? else {
        return Ok(Reply::data(Value::Null).warn("requested namespace does not exist"));
    };
    if tree(kx)?.below(&namespace.path).nth(1).is_some() {
        return Err(Fault::invalid("unable to delete namespace containing child namespaces"));
    }
    namespace_deletion::begin(kx, &namespace)?;
    Ok(Reply::data(json!({ "status": "in-progress" })))
}

/// The child of the request's namespace with a name, once the name is a good one.
fn child(kx: &mut Kx, name: &str) -> Result<Option<Arc<Namespace>>, Fault> {
    check_name(name)?;
    let path = format!("{}{name}/", kx.namespace.path);
    Ok(tree(kx)?.by_path(&path).cloned())
}

/// S12: no name that a path could mean otherwise, in any case.
fn check_name(name: &str) -> Result<(), Fault> {
    if name.contains('/') {
        return Err(Fault::invalid("namespace name cannot contain /"));
    }
    if RESERVED.contains(&name.to_lowercase().as_str()) {
        let message = format!("{:?} is a reserved path and cannot be used as a namespace name", format!("{name}/"));
        return Err(Fault::invalid(message));
    }
    if name.contains(char::is_whitespace) {
        return Err(Fault::invalid(format!(
            "{name:?} contains space characters that cannot be used in a namespace name"
        )));
    }
    if let Some(wildcard) = name.chars().find(|c| matches!(c, '*' | '+')) {
        let what = "contains wildcard characters that cannot be used in a namespace name";
        return Err(Fault::invalid(format!("{name:?} {what}: '{wildcard}'")));
    }
    let dots = name.chars().all(|c| c == '.');
    if dots || name.len() > NAME_BYTES_MAX || name.contains(char::is_control) {
        return Err(Fault::invalid(format!("{name:?} cannot be used as a namespace name")));
    }
    Ok(())
}

fn metadata(sent: Map<String, Value>) -> Result<BTreeMap<String, String>, Fault> {
    let (members, key_bytes, value_bytes) = METADATA_MAX;
    if sent.len() > members {
        return Err(Fault::invalid(format!("custom_metadata has more than {members} members")));
    }
    let mut kept = BTreeMap::new();
    for (key, value) in sent {
        let Value::String(value) = value else { return Err(Fault::invalid("custom_metadata values must be strings")) };
        if key.len() > key_bytes || value.len() > value_bytes {
            return Err(Fault::invalid(format!(
                "custom_metadata keys hold at most {key_bytes} bytes, values {value_bytes}"
            )));
        }
        kept.insert(key, value);
    }
    Ok(kept)
}

fn view(namespace: &Namespace) -> Value {
    json!({
        "id": namespace.id,
        "uuid": namespace.uuid,
        "path": namespace.path,
        "custom_metadata": namespace.custom_metadata,
        "locked": namespace.locked.is_some(),
        "tainted": namespace.tainted,
    })
}

/// The tree as this transaction sees it.
pub(super) fn tree(kx: &mut Kx) -> Result<Arc<NamespaceTree>, Fault> {
    let kernel = kx.kernel.clone();
    Ok(NamespaceTree::load(&kernel.memo, &mut kx.cx.tx)?)
}

fn stored(error: barrier::BarrierError) -> Fault {
    match error {
        barrier::BarrierError::Store(error) => Fault::Store(error),
        other => Fault::internal(other.to_string()),
    }
}
