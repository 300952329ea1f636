//! `sys/mounts`, `sys/auth`: what is mounted where, and its tuning.

use super::mount_view::entry_json;
use super::tuning;
use crate::mounts::{MountConfig, MountEntry, MountTable};
use crate::{Kx, identity, keys, leases};
use engine::{Class, Fault, Object, Pairs, Reply, Route};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Mounts in one namespace.
const MOUNTS_MAX: usize = 20_000;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("mounts", "List secrets engines.").read(|kx: &mut Kx, (): ()| list(kx, Class::Secret)),
        Route::at("auth", "List login methods.").read(|kx: &mut Kx, (): ()| list(kx, Class::Auth)),
    ]
}

/// The routes with a rest in their path, which come after all others.
pub(super) fn rest_routes() -> Vec<Route<Kx>> {
    let mut routes = Vec::new();
    for class in [Class::Secret, Class::Auth] {
        let at = if class == Class::Auth { "auth/{path:path}" } else { "mounts/{path:path}" };
        let route = Route::at(at, "Manage a mount and, at its tune path, its tuning.")
            .read(move |kx: &mut Kx, request: MountPath| match request.path.strip_suffix("/tune") {
                Some(path) => tuning::read(kx, class, path),
                None => read(kx, class, &request.path),
            })
            .write(move |kx: &mut Kx, request: WriteMount| {
                match request.path.strip_suffix("/tune").map(str::to_owned) {
                    Some(path) => tuning::tune(kx, class, &path, request),
                    None => enable(kx, class, request),
                }
            })
            .delete(move |kx: &mut Kx, request: MountPath| match request.path.ends_with("/tune") {
                true => Err(Fault::UnsupportedOperation),
                false => disable(kx, class, &request.path),
            });
        routes.push(if class == Class::Auth { route.sudo() } else { route });
    }
    routes
}

engine::request! {
    /// Names a mount.
    pub struct MountPath {
        /// Path, without `auth/`.
        path: String,
    }
}

engine::request! {
    /// Mounts an engine, or tunes a mount.
    pub struct WriteMount {
        /// Path, without `auth/`.
        path: String,
        /// Engine type.
        r#type: Value,
        /// Older name of the type.
        plugin_name: String,
        /// For people.
        description: Option<String>,
        /// Tuning of a new mount.
        config: Object,
        /// Options such as `version`.
        options: Option<Pairs>,
        /// Accepted and shown.
        local: bool,
        /// Accepted and shown.
        seal_wrap: bool,
        /// Accepted and shown.
        external_entropy_access: bool,
    }
}

fn list(kx: &mut Kx, class: Class) -> Result<Reply, Fault> {
    let table = table(kx)?;
    let data: Map<String, Value> = table
        .entries()
        .filter(|entry| entry.class == class)
        .map(|entry| (bare(entry).to_owned(), entry_json(kx, entry)))
        .collect();
    Ok(Reply::legacy(data))
}

fn read(kx: &mut Kx, class: Class, path: &str) -> Result<Reply, Fault> {
    let what = if class == Class::Auth { "No auth engine at" } else { "No secret engine mount at" };
    let entry = find(kx, class, path)?.ok_or_else(|| Fault::invalid(format!("{what} {}", folder(path))))?;
    Ok(Reply::legacy(entry_json(kx, &entry)))
}

fn enable(kx: &mut Kx, class: Class, request: WriteMount) -> Result<Reply, Fault> {
    let path = full_path(class, &request.path);
    let (kind, options) = kind_and_options(class, &request)?;
    check_kind(class, &kind)?;
    check_new_path(kx, class, &request.path, &path)?;
    if kx.kernel.engine(class, &kind).is_err() {
        return Err(Fault::invalid(format!("plugin not found in the catalog: {kind}")));
    }
    let tuning = <tuning::Tuning as engine::RequestBody>::parse(&engine::Input {
        fields: request.config.0.clone(),
        ..Default::default()
    })?;
    let mut config = MountConfig::default();
    tuning::apply(class, &mut config, tuning)?;
    tuning::check_ttls(kx, &config, true)?;
    let namespace = kx.namespace_id();
    let mut entry = MountEntry::new(&namespace, &path, class, &kind, kx.cx.randomness.as_mut());
    entry.description = request.description.unwrap_or_default();
    entry.options = options;
    entry.config = config;
    entry.local = request.local;
    entry.seal_wrap = request.seal_wrap;
    entry.external_entropy_access = request.external_entropy_access;
    entry.save(&mut kx.tx)?;
    kx.on_mount(&entry, |engine, cx| engine.mounted(cx))?;
    Ok(Reply::empty())
}

fn disable(kx: &mut Kx, class: Class, path: &str) -> Result<Reply, Fault> {
    let full = full_path(class, path);
    if full == "auth/token/" {
        return Err(Fault::invalid("token credential backend cannot be disabled"));
    }
    if matches!(full.as_str(), "sys/" | "identity/" | "cubbyhole/") {
        return Err(Fault::invalid(format!("cannot unmount {full:?}")));
    }
    if let Some(entry) = find(kx, class, path)? {
        remove(kx, &entry)?;
    }
    Ok(Reply::empty())
}

/// Removes a mount with its leases, its identity aliases and all it stored, in one transaction.
pub(crate) fn remove(kx: &mut Kx, entry: &Arc<MountEntry>) -> Result<(), Fault> {
    let namespace = entry.namespace.clone();
    leases::routes::revoke_below(kx, &namespace, &entry.path, false)?;
    identity::mount_removed(&mut kx.tx, &namespace, &entry.accessor)?;
    kx.tx.delete_all(&keys::mount_data(&namespace, &entry.uuid))?;
    kx.tx.delete_all(&format!("{namespace}/lockout/{}/", entry.accessor))?;
    kx.tx.delete(&keys::mount(&namespace, &entry.uuid));
    Ok(())
}

fn kind_and_options(class: Class, request: &WriteMount) -> Result<(String, engine::Options), Fault> {
    let wanted = || Fault::invalid("backend type must be specified as a string");
    let kind = match &request.r#type {
        Value::String(kind) if !kind.is_empty() => kind.clone(),
        Value::Null | Value::String(_) if !request.plugin_name.is_empty() => request.plugin_name.clone(),
        _ => return Err(wanted()),
    };
    let mut options = request.options.clone().map(|Pairs(options)| options).unwrap_or_default();
    let inner = request.config.0.get("options").and_then(|value| wire::scalar::pairs(value).ok());
    options.extend(inner.unwrap_or_default());
    let kind = match (class, kind.as_str()) {
        // Older and newer clients name the two versions of kv as types of their own.
        (Class::Secret, "kv-v2") => {
            options.insert("version".into(), "2".into());
            "kv".to_owned()
        }
        (Class::Secret, "kv-v1" | "generic") => {
            options.insert("version".into(), "1".into());
            "kv".to_owned()
        }
        _ => kind,
    };
    Ok((kind, options))
}

/// What every namespace has once cannot be mounted again.
fn check_kind(class: Class, kind: &str) -> Result<(), Fault> {
    match (class, kind) {
        (Class::Auth, "token") => Err(Fault::invalid("token credential backend cannot be instantiated")),
        (Class::Secret, "cubbyhole" | "identity" | "system") => {
            Err(Fault::invalid(format!("mount type of {kind:?} is not mountable")))
        }
        _ => Ok(()),
    }
}

fn check_new_path(kx: &mut Kx, class: Class, asked: &str, full: &str) -> Result<(), Fault> {
    let reserved = ["auth/", "sys/", "identity/", "cubbyhole/"];
    if class == Class::Secret && reserved.iter().any(|reserved| full.starts_with(reserved)) {
        return Err(Fault::invalid(format!("cannot mount {full:?}")));
    }
    let table = table(kx)?;
    if table.entries().count() >= MOUNTS_MAX {
        return Err(Fault::invalid("namespace has too many mounts"));
    }
    if let Some(entry) = table.collision(full) {
        return Err(Fault::invalid(format!("path is already in use at {}", bare(entry))));
    }
    check_namespaces(kx, asked, full)
}

/// S10: a mount must not take a path that a child namespace answers to.
pub(super) fn check_namespaces(kx: &mut Kx, asked: &str, full: &str) -> Result<(), Fault> {
    let kernel = kx.kernel.clone();
    let tree = crate::namespaces::NamespaceTree::load(&kernel.memo, &mut kx.tx)?;
    let taken = format!("{}{full}", kx.namespace.path);
    let below = |path: &str| {
        !path.is_empty() && path != kx.namespace.path && (taken.starts_with(path) || path.starts_with(&taken))
    };
    if tree.below(&kx.namespace.path).any(|namespace| below(&namespace.path)) {
        return Err(Fault::invalid(format!("path is already in use by a namespace: {}", folder(asked))));
    }
    Ok(())
}

/// The mounts of the request's namespace.
pub(super) fn table(kx: &mut Kx) -> Result<Arc<MountTable>, Fault> {
    let kernel = kx.kernel.clone();
    let namespace = kx.namespace_id();
    Ok(MountTable::load(&kernel.memo, &mut kx.cx.tx, &namespace)?)
}

/// The mount of a class at a path as the routes name it.
pub(super) fn find(kx: &mut Kx, class: Class, path: &str) -> Result<Option<Arc<MountEntry>>, Fault> {
    let table = table(kx)?;
    Ok(table.at(&full_path(class, path)).filter(|entry| entry.class == class).cloned())
}

/// The path in the mount table.
pub(super) fn full_path(class: Class, path: &str) -> String {
    if class == Class::Auth { format!("auth/{}", folder(path)) } else { folder(path) }
}

/// A path with one slash at its end.
pub(super) fn folder(path: &str) -> String {
    format!("{}/", path.trim_matches('/'))
}

/// The path as listings show it: without `auth/`.
pub(super) fn bare(entry: &MountEntry) -> &str {
    match entry.class {
        Class::Auth => entry.path.strip_prefix("auth/").unwrap_or(&entry.path),
        Class::Secret => &entry.path,
    }
}
