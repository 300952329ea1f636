//! `sys/plugins`: the engines that are built in, as clients ask for them. There are no others and none can be added: the
//! server runs nobody else's code.

use super::mount_view::running_version;
use super::mounts::{folder, table};
use crate::Kx;
use engine::{Class, Fault, Reply, Route, StringList};
use serde_json::{Map, Value, json};

/// Types of plugin, in upstream's order.
const TYPES: [&str; 3] = ["auth", "database", "secret"];
/// Engines that every namespace has and nobody mounts.
const NOT_LISTED: [&str; 1] = ["cubbyhole"];

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    let routes = vec![
        Route::at("plugins/catalog", "All engines.").read(catalog).list(catalog),
        Route::at("plugins/catalog/{type}", "Engines of a type.")
            .list(list)
            .read(|kx: &mut Kx, request: Plugin| find(kx, None, &request.r#type))
            .write(refuse_untyped)
            .delete(refuse_untyped)
            .sudo(),
        Route::at("plugins/catalog/{type}/{name}", "An engine.")
            .read(|kx: &mut Kx, request: Plugin| find(kx, Some(&request.r#type), &request.name))
            .write(refuse)
            .delete(refuse)
            .sudo(),
        Route::at("plugins/reload/backend", "Start an engine anew.").write(reload).sudo(),
    ];
    routes.into_iter().map(Route::root_namespace_only).collect()
}

engine::request! {
    /// Names an engine.
    pub struct Plugin {
        /// `auth`, `database` or `secret`.
        r#type: String,
        /// Name.
        name: String,
    }
}

engine::request! {
    /// Names engines to start anew.
    pub struct Reload {
        /// Engine type.
        plugin: String,
        /// Paths of mounts.
        mounts: StringList,
        /// Accepted.
        scope: String,
    }
}

fn names(kx: &Kx, of: &str) -> Vec<&'static str> {
    let class = match of {
        "auth" => Class::Auth,
        "secret" => Class::Secret,
        _ => return Vec::new(),
    };
    let engines = kx.kernel.engines().filter(|engine| engine.class() == class);
    engines.map(|engine| engine.kind()).filter(|kind| !NOT_LISTED.contains(kind)).collect()
}

fn catalog(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let mut data = Map::new();
    let mut detailed = Vec::new();
    for of in TYPES {
        let names = names(kx, of);
        detailed.extend(names.iter().map(|name| {
            json!({
                "builtin": true,
                "deprecation_status": "supported",
                "name": name,
                "type": of,
                "version": running_version(),
            })
        }));
        data.insert(of.to_owned(), json!(names));
    }
    data.insert("detailed".to_owned(), Value::Array(detailed));
    Ok(Reply::data(data))
}

fn list(kx: &mut Kx, request: Plugin) -> Result<Reply, Fault> {
    if !TYPES.contains(&request.r#type.as_str()) {
        return Err(Fault::UnsupportedOperation);
    }
    Ok(Reply::keys(names(kx, &request.r#type).into_iter().map(str::to_owned).collect()))
}

fn find(kx: &mut Kx, of: Option<&str>, name: &str) -> Result<Reply, Fault> {
    let mut types = TYPES.into_iter().filter(|known| of.is_none_or(|of| of == *known));
    if !types.any(|of| names(kx, of).contains(&name)) {
        return Ok(Reply::empty());
    }
    Ok(Reply::data(json!({
        "args": null,
        "builtin": true,
        "command": "",
        "declarative": false,
        "deprecation_status": "supported",
        "name": name,
        "oci": false,
        "sha256": "",
        "version": running_version(),
    })))
}

fn refuse(_kx: &mut Kx, _request: Plugin) -> Result<Reply, Fault> {
    Err(Fault::invalid("plugins cannot be registered or removed: all engines are built in"))
}

/// The path without a type, on which the name of a type is no engine's.
fn refuse_untyped(kx: &mut Kx, request: Plugin) -> Result<Reply, Fault> {
    if TYPES.contains(&request.r#type.as_str()) { Err(Fault::UnsupportedOperation) } else { refuse(kx, request) }
}

/// Engines hold no state, so that every one is always as if it had just started.
fn reload(kx: &mut Kx, request: Reload) -> Result<Reply, Fault> {
    let StringList(mounts) = request.mounts;
    if request.plugin.is_empty() == mounts.is_empty() {
        let both = !request.plugin.is_empty();
        return Err(Fault::invalid(if both {
            "plugin and mounts cannot be set at the same time"
        } else {
            "plugin or mounts must be provided"
        }));
    }
    let table = table(kx)?;
    for path in mounts.iter().map(|mount| folder(mount)) {
        if table.at(&path).is_none() {
            return Err(Fault::invalid(format!("cannot fetch mount entry on {path:?}")));
        }
    }
    Ok(Reply::data(json!({ "reload_id": kx.request.id })))
}
