//! Revocation lists, at `crl/<name>`. They are read from storage at each login, so that a list holds from the moment it
//! was written, after a restart too (security row S57). As upstream, a serial number of any list is revoked whoever
//! issued it, and the dates of a list do not count.

use super::wire::{ListFields, ListRequest, NamePath};
use engine::crypto::client_certificate::{Serials, revoked_serials};
use engine::{Cx, Fault, Name, Page, Record, Reply};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const LISTS: &str = "crl/";
/// Most lists of a mount.
pub(super) const LISTS_MAX: usize = 1000;
/// Most serial numbers of a list.
pub(super) const SERIALS_MAX: usize = 200_000;

/// A list as it is stored.
#[derive(Debug, Serialize, Deserialize)]
struct RevocationList {
    serials: Serials,
}

impl Record for RevocationList {
    const KIND: &'static str = "cert-crl/1";
}

/// All lists of a mount.
pub(super) struct Revoked(Vec<Arc<RevocationList>>);

impl Revoked {
    /// Reads them.
    pub(super) fn load(cx: &mut Cx) -> Result<Self, Fault> {
        let mut lists = Vec::new();
        for name in cx.tx.list(LISTS, &Page::all())? {
            lists.extend(cx.tx.load_shared::<RevocationList>(&format!("{LISTS}{name}"))?);
        }
        Ok(Self(lists))
    }

    /// Whether one of them names a serial number.
    pub(super) fn contains(&self, serial: &str) -> bool {
        self.0.iter().any(|list| list.serials.contains(serial))
    }
}

/// Stores a list.
pub(super) fn write(cx: &mut Cx, (path, sent): (NamePath, ListFields)) -> Result<Reply, Fault> {
    let name = Name::exact(&path.name)?;
    let list = match (&sent.crl, &sent.url) {
        (Some(list), _) if !list.is_empty() => list,
        (_, Some(url)) if !url.is_empty() => {
            return Err(Fault::invalid("lists are not fetched here: send the list itself as 'crl'"));
        }
        _ => return Err(Fault::invalid("one of 'crl' or 'url' must be provided")),
    };
    let serials = revoked_serials(list.as_bytes()).ok_or_else(|| Fault::invalid("failed to parse CRL"))?;
    if serials.len() > SERIALS_MAX {
        return Err(Fault::invalid(format!("the list holds more than {SERIALS_MAX} serial numbers")));
    }
    let key = format!("{LISTS}{name}");
    if !cx.tx.exists(&key)? && cx.tx.list(LISTS, &Page::all())?.len() >= LISTS_MAX {
        return Err(Fault::invalid(format!("there are {LISTS_MAX} lists already")));
    }
    cx.tx.save(&key, &RevocationList { serials })?;
    Ok(Reply::empty())
}

/// Shows the serial numbers of a list.
pub(super) fn read(cx: &mut Cx, path: NamePath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.name)?;
    let list: RevocationList = cx.tx.load(&format!("{LISTS}{name}"))?.ok_or_else(|| missing(&name))?;
    let serials: Map<String, Value> = list.serials.into_iter().map(|serial| (serial, json!({}))).collect();
    Ok(Reply::data(json!({ "serials": serials })))
}

/// Deletes a list: what it named is no longer revoked.
pub(super) fn delete(cx: &mut Cx, path: NamePath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.name)?;
    let key = format!("{LISTS}{name}");
    if !cx.tx.exists(&key)? {
        return Err(missing(&name));
    }
    cx.tx.delete(&key);
    Ok(Reply::empty())
}

/// Lists the names.
pub(super) fn list(cx: &mut Cx, _request: ListRequest) -> Result<Reply, Fault> {
    Ok(Reply::keys(cx.tx.list(LISTS, &cx.page)?))
}

fn missing(name: &Name) -> Fault {
    Fault::invalid(format!("no such CRL {name}"))
}
