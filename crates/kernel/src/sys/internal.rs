//! `sys/internal`: counters and a look at the routing, for operators and support.

use super::namespaces::tree;
use crate::mounts::MountTable;
use crate::{Kx, identity, keys};
use engine::{Class, Fault, Page, Reply, Route};
use serde_json::{Value, json};

/// Mounts shown at once.
const SHOWN_MAX: usize = 10_000;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("internal/counters/requests", "Removed.").read(removed),
        Route::at("internal/counters/tokens", "Count service tokens.").read(tokens),
        Route::at("internal/counters/entities", "Count entities.").read(entities),
        Route::at("internal/inspect/router/{tag}", "Where requests go.").read(router).sudo().root_namespace_only(),
    ]
}

engine::request! {
    /// Chooses a view.
    pub struct Tag {
        /// `root`, `uuid`, `accessor` or `storage`.
        tag: String,
    }
}

fn removed(_kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    Err(Fault::missing("The functionality has been removed on this path"))
}

fn tokens(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let total = count(kx, |namespace| keys::token(namespace, ""))?;
    Ok(Reply::data(json!({ "counters": { "service_tokens": { "total": total } } })))
}

fn entities(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let total = count(kx, identity::keys::entities)?;
    Ok(Reply::data(json!({ "counters": { "entities": { "total": total } } })))
}

/// Records in a folder of this namespace and of all below it.
fn count(kx: &mut Kx, folder: impl Fn(&str) -> String) -> Result<usize, Fault> {
    let mut total = 0;
    for namespace in tree(kx)?.below(&kx.namespace.path.clone()) {
        total += kx.tx.scan(&folder(&namespace.id), &Page::all())?.len();
    }
    Ok(total)
}

fn router(kx: &mut Kx, request: Tag) -> Result<Reply, Fault> {
    if !kx.kernel.settings.introspection {
        return Err(Fault::invalid(
            "the Vault configuration must set \"introspection_endpoint\" to true to enable this endpoint",
        ));
    }
    let tag = request.tag.as_str();
    if !matches!(tag, "root" | "uuid" | "accessor" | "storage") {
        return Err(Fault::UnsupportedPath);
    }
    let kernel = kx.kernel.clone();
    let mut shown = Vec::new();
    for namespace in tree(kx)?.below("") {
        let table = MountTable::load(&kernel.memo, &mut kx.cx.tx, &namespace.id)?;
        for mount in table.entries().take(SHOWN_MAX.saturating_sub(shown.len())) {
            let stem = if mount.class == Class::Auth { mount.path.strip_prefix("auth/") } else { None };
            let mut view = json!({
                "accessor": mount.accessor,
                "mount_namespace": namespace.path,
                "mount_path": stem.unwrap_or(&mount.path),
                "mount_type": mount.kind,
                "uuid": mount.uuid,
            });
            if let (true, Some(members)) = (matches!(tag, "root" | "storage"), view.as_object_mut()) {
                members
                    .insert("storage_prefix".to_owned(), Value::String(keys::mount_data(&namespace.id, &mount.uuid)));
                members.insert("tainted".to_owned(), mount.tainted.into());
            }
            shown.push(view);
        }
    }
    Ok(Reply::data(json!({ tag: shown })))
}
