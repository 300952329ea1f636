//! The secrets.

use super::wire::{Body, advised_ttl};
use crate::secrets::kv::list::{self, List};
use engine::{Cx, Fault, Lease, Reply};
use serde_json::{Map, Value};

/// Kind of the records.
pub(in super::super) const KIND: &str = "kv1/1";
/// Where they are.
pub(in super::super) const FOLDER: &str = "secret/";

/// Whether there is a secret at the path.
pub(super) fn exists(cx: &mut Cx, (): ()) -> Result<bool, Fault> {
    match key(cx) {
        Some(key) => Ok(cx.tx.exists(&key)?),
        None => Ok(false),
    }
}

/// `GET {path}`.
pub(super) fn read(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let key = key(cx).ok_or(Fault::Missing)?;
    let plain = cx.tx.get(KIND, &key)?.ok_or(Fault::Missing)?;
    let secret: Map<String, Value> =
        serde_json::from_slice(&plain).map_err(|_| Fault::internal("a stored secret is no JSON object"))?;
    let ttl = advised_ttl(&secret).unwrap_or(cx.mount.default_lease_ttl);
    let reply = Reply { body: engine::Body::Data(Value::Object(secret)), ..Reply::default() };
    // No lease is a `lease_duration` of zero, which is what a secret that asks for none gets.
    if ttl <= 0 { Ok(reply) } else { Ok(reply.leased(Lease { ttl, advisory: true, ..Lease::default() })) }
}

/// `POST {path}`.
pub(super) fn write(cx: &mut Cx, Body(body): Body) -> Result<Reply, Fault> {
    if cx.path.is_empty() {
        return Err(Fault::invalid("missing path"));
    }
    let key = key(cx).ok_or_else(|| Fault::invalid("cannot write to a path ending in '/'"))?;
    cx.tx.put(KIND, &key, body);
    Ok(Reply::empty())
}

/// `DELETE {path}`; what is not there is deleted.
pub(super) fn delete(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    if let Some(key) = key(cx) {
        cx.tx.delete(&key);
    }
    Ok(Reply::empty())
}

/// `LIST {path}`.
pub(super) fn list(cx: &mut Cx, _: List) -> Result<Reply, Fault> {
    let folder = format!("{FOLDER}{}", list::folder(&cx.path));
    list::names(cx, &folder).map(Reply::keys)
}

/// `SCAN {path}`.
pub(super) fn scan(cx: &mut Cx, _: List) -> Result<Reply, Fault> {
    let folder = format!("{FOLDER}{}", list::folder(&cx.path));
    list::names_deep(cx, &folder).map(list::scanned)
}

/// Where the secret at the request's path is kept; nowhere if the path is a folder's.
fn key(cx: &Cx) -> Option<String> {
    (!cx.path.is_empty() && !cx.path.ends_with('/')).then(|| format!("{FOLDER}{}", cx.path))
}
