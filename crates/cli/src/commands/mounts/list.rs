//! Lists of mounts.

use super::Family;
use crate::failure::Outcome;
use crate::flags::{Arguments, Flag};
use crate::render::{self, Rows, duration, text};
use crate::session::Session;
use client::Request;
use serde_json::Value;

/// More columns.
pub static DETAILED: Flag<bool> = Flag::switch("detailed", "Shows lifetimes, options and versions too.");

pub(super) fn list(session: &Session, arguments: &Arguments, family: &Family) -> Outcome {
    let reply = session.send(&Request::read(family.table), &format!("listing {}s", family.what))?;
    let detailed = arguments.get(&DETAILED);
    session.show_value(reply.data(), || {
        let mounts = reply.data().as_object().cloned().unwrap_or_default();
        if detailed { details(&mounts) } else { overview(&mounts) }
    })
}

fn overview(mounts: &serde_json::Map<String, Value>) -> String {
    let row = |(path, mount): (&String, &Value)| {
        vec![path.clone(), member(mount, "/type"), member(mount, "/accessor"), member(mount, "/description")]
    };
    render::table(&["Path", "Type", "Accessor", "Description"], &mounts.iter().map(row).collect())
}

fn details(mounts: &serde_json::Map<String, Value>) -> String {
    let row = |(path, mount): (&String, &Value)| {
        let is_system = matches!(member(mount, "/type").as_str(), "system" | "ns_system" | "cubbyhole");
        let ttl = |pointer: &str| match mount.pointer(pointer).and_then(Value::as_i64) {
            _ if is_system => "n/a".to_owned(),
            None | Some(0) => "system".to_owned(),
            Some(seconds) => duration(seconds),
        };
        let options = mount.get("options").filter(|options| options.is_object());
        vec![
            path.clone(),
            member(mount, "/type"),
            member(mount, "/accessor"),
            ttl("/config/default_lease_ttl"),
            ttl("/config/max_lease_ttl"),
            or_none(&member(mount, "/config/token_type")),
            if mount.get("local") == Some(&Value::Bool(true)) { "local" } else { "replicated" }.to_owned(),
            member(mount, "/seal_wrap"),
            options.map_or_else(|| "map[]".to_owned(), text),
            member(mount, "/description"),
            member(mount, "/uuid"),
            or_none(&member(mount, "/running_plugin_version")),
        ]
    };
    let heads = [
        "Path",
        "Plugin",
        "Accessor",
        "Default TTL",
        "Max TTL",
        "Token Type",
        "Replication",
        "Seal Wrap",
        "Options",
        "Description",
        "UUID",
        "Running Version",
    ];
    let rows: Rows = mounts.iter().map(row).collect();
    render::table(&heads, &rows)
}

fn member(mount: &Value, pointer: &str) -> String {
    mount.pointer(pointer).filter(|value| !value.is_null()).map(text).unwrap_or_default()
}

fn or_none(text: &str) -> String {
    if text.is_empty() { "n/a".to_owned() } else { text.to_owned() }
}
