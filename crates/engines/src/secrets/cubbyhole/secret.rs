//! The secrets of one token.

use super::wire::{Body, List};
use engine::{Cx, Fault, Reply};
use serde_json::Value;

/// Kind of the records.
const KIND: &str = "cubbyhole/1";

/// Whether there is a secret at the path.
pub(super) fn exists(cx: &mut Cx, (): ()) -> Result<bool, Fault> {
    match key(cx)? {
        Some(key) => Ok(cx.tx.exists(&key)?),
        None => Ok(false),
    }
}

/// `GET {path}`.
pub(super) fn read(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let key = key(cx)?.ok_or(Fault::Missing)?;
    let plain = cx.tx.get(KIND, &key)?.ok_or(Fault::Missing)?;
    let secret: Value = serde_json::from_slice(&plain).map_err(|_| Fault::internal("a stored secret is no JSON"))?;
    Ok(Reply { body: engine::Body::Data(secret), ..Reply::default() })
}

/// `POST {path}`.
pub(super) fn write(cx: &mut Cx, Body(body): Body) -> Result<Reply, Fault> {
    let key = key(cx)?.ok_or_else(|| match cx.path.as_str() {
        "" => Fault::invalid("missing path"),
        _ => Fault::invalid("cannot write to a path ending in '/'"),
    })?;
    cx.tx.put(KIND, &key, body);
    Ok(Reply::empty())
}

/// `DELETE {path}`; what is not there is deleted.
pub(super) fn delete(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    if let Some(key) = key(cx)? {
        cx.tx.delete(&key);
    }
    Ok(Reply::empty())
}

/// `LIST {path}`.
pub(super) fn list(cx: &mut Cx, _: List) -> Result<Reply, Fault> {
    let separator = if cx.path.is_empty() || cx.path.ends_with('/') { "" } else { "/" };
    let folder = format!("{}/{}{separator}", own(cx)?, cx.path);
    let mut page = cx.page.clone();
    // What comes after a place inside a folder is what comes after that folder: the list has shown the folder already.
    if let Some(slash) = page.after.find('/') {
        page.after.truncate(slash + 1);
    }
    Ok(Reply::keys(cx.tx.list(&folder, &page)?))
}

/// Where the secret at the request's path is kept; nowhere if the path is a folder's.
fn key(cx: &Cx) -> Result<Option<String>, Fault> {
    let own = own(cx)?;
    Ok((!cx.path.is_empty() && !cx.path.ends_with('/')).then(|| format!("{own}/{}", cx.path)))
}

/// The name of the caller's storage.
fn own(cx: &Cx) -> Result<&str, Fault> {
    let caller = cx.caller.as_deref().ok_or(Fault::Denied)?;
    match caller.cubbyhole.as_str() {
        "" => Err(Fault::invalid("cubbyhole operations are only supported by 'service' type tokens")),
        id => Ok(id),
    }
}
