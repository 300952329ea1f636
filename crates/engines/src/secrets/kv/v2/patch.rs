//! `PATCH data/{path}`: a new version that is the current one changed by a merge patch (RFC 7396).

use super::data::add_version;
use super::record::{Config, Metadata, load_data};
use super::secret_to_write;
use super::wire::{PatchData, version_reply};
use engine::{Cx, Fault, Reply};
use serde_json::{Map, Value};

/// `PATCH data/{path}`. There must be something to patch: a secret that never was is a bare 404, one whose current
/// version is deleted or destroyed is a 404 that tells when.
pub(super) fn patch(cx: &mut Cx, request: PatchData) -> Result<Reply, Fault> {
    let name = secret_to_write(cx, "data/")?;
    let Some(metadata) = Metadata::load(cx, &name)? else { return Ok(Reply::empty().status(404)) };
    let config = Config::load(cx)?;
    request.cas.check(config.cas_required || metadata.cas_required, metadata.current)?;
    let number = metadata.current;
    let Some(version) = metadata.version(number) else { return Ok(Reply::empty().status(404)) };
    if !version.is_readable(cx.now) {
        return Ok(Reply::data(version_reply(&metadata, number, version)).status(404));
    }
    let mut data = load_data(cx, &name, number)?;
    merge(&mut data, request.data);
    let data = serde_json::to_vec(&data).map_err(|_| Fault::internal("a JSON value does not serialize"))?;
    add_version(cx, &name, &config, metadata, data)
}

/// MergePatch of RFC 7396, section 2.
pub(super) fn merge(target: &mut Value, patch: Value) {
    let Value::Object(patch) = patch else {
        *target = patch;
        return;
    };
    if !target.is_object() {
        *target = Value::Object(Map::new());
    }
    let Value::Object(target) = target else { return };
    for (name, change) in patch {
        match change {
            Value::Null => {
                target.remove(&name);
            }
            change => merge(target.entry(name).or_insert(Value::Null), change),
        }
    }
}
