//! LIST and SCAN of `metadata/{path}` and `detailed-metadata/{path}`.

use super::record::{METADATA_FOLDER, Metadata};
use super::wire::metadata_reply;
use crate::secrets::kv::list::{self, List};
use engine::{Cx, Fault, Reply};
use serde_json::{Map, Value, json};

/// `LIST metadata/{path}`.
pub(super) fn list(cx: &mut Cx, _: List) -> Result<Reply, Fault> {
    let folder = folder(cx, "metadata");
    list::names(cx, &folder).map(Reply::keys)
}

/// `SCAN metadata/{path}`.
pub(super) fn scan(cx: &mut Cx, _: List) -> Result<Reply, Fault> {
    let folder = folder(cx, "metadata");
    list::names_deep(cx, &folder).map(list::scanned)
}

/// `LIST detailed-metadata/{path}`.
pub(super) fn list_detailed(cx: &mut Cx, _: List) -> Result<Reply, Fault> {
    let folder = folder(cx, "detailed-metadata");
    let keys = list::names(cx, &folder)?;
    detailed(cx, &folder, keys, Reply::empty())
}

/// `SCAN detailed-metadata/{path}`.
pub(super) fn scan_detailed(cx: &mut Cx, _: List) -> Result<Reply, Fault> {
    let folder = folder(cx, "detailed-metadata");
    let keys = list::names_deep(cx, &folder)?;
    detailed(cx, &folder, keys, list::scanned(Vec::new()))
}

/// The folder of storage that a list below `prefix` means.
fn folder(cx: &Cx, prefix: &str) -> String {
    let path = cx.path.strip_prefix(prefix).unwrap_or_default();
    format!("{METADATA_FOLDER}{}", list::folder(path.strip_prefix('/').unwrap_or(path)))
}

/// Keys with the metadata of each; of a folder nothing is known.
fn detailed(cx: &mut Cx, folder: &str, keys: Vec<String>, none: Reply) -> Result<Reply, Fault> {
    if keys.is_empty() {
        return Ok(none);
    }
    let below = folder.strip_prefix(METADATA_FOLDER).unwrap_or_default();
    let mut key_info = Map::new();
    for key in &keys {
        let metadata = if key.ends_with('/') { None } else { Metadata::load(cx, &format!("{below}{key}"))? };
        let info = metadata.as_ref().map_or_else(|| json!({}), metadata_reply);
        key_info.insert(key.clone(), info);
    }
    let mut data = Map::new();
    data.insert("key_info".to_owned(), Value::Object(key_info));
    data.insert("keys".to_owned(), keys.into());
    Ok(Reply { body: engine::Body::Data(Value::Object(data)), ..Reply::default() })
}
