//! `data/{path}`: the versions of a secret's data.

use super::record::{Config, Metadata, delete_data, load_data, save_data};
use super::wire::{ReadData, WriteData, version_reply};
use super::{secret, secret_to_write, versions};
use engine::{Cx, Fault, Reply};
use serde_json::{Map, Value};

const PREFIX: &str = "data/";

/// `GET data/{path}?version=`.
pub(super) fn read(cx: &mut Cx, request: ReadData) -> Result<Reply, Fault> {
    let name = secret(cx, PREFIX).ok_or(Fault::Missing)?;
    read_version(cx, &name, request.version, "data", |data| data)
}

/// Reads a version and shows of its data, as the member `member`, what `view` makes of it. A version that is deleted or
/// destroyed is a 404 that tells when, without data.
pub(super) fn read_version(
    cx: &mut Cx,
    name: &str,
    version: i64,
    member: &str,
    view: impl FnOnce(Value) -> Value,
) -> Result<Reply, Fault> {
    let metadata = Metadata::load_shared(cx, name)?.ok_or(Fault::Missing)?;
    let number = u64::try_from(version).ok().filter(|number| *number > 0).unwrap_or(metadata.current);
    let version = metadata.version(number).ok_or(Fault::Missing)?;
    let (data, status) =
        if version.is_readable(cx.now) { (view(load_data(cx, name, number)?), None) } else { (Value::Null, Some(404)) };
    let mut members = Map::new();
    members.insert(member.to_owned(), data);
    members.insert("metadata".to_owned(), version_reply(&metadata, number, version));
    Ok(Reply { body: engine::Body::Data(Value::Object(members)), status, ..Reply::default() })
}

/// `POST data/{path}`.
pub(super) fn write(cx: &mut Cx, request: WriteData) -> Result<Reply, Fault> {
    let name = secret_to_write(cx, PREFIX)?;
    let config = Config::load(cx)?;
    let metadata = Metadata::load(cx, &name)?.unwrap_or_else(|| Metadata::new(cx.now));
    request.cas.check(config.cas_required || metadata.cas_required, metadata.current)?;
    add_version(cx, &name, &config, metadata, request.data)
}

/// Adds a version and drops those over the limit.
pub(super) fn add_version(
    cx: &mut Cx,
    name: &str,
    config: &Config,
    mut metadata: Metadata,
    data: Vec<u8>,
) -> Result<Reply, Fault> {
    let number = metadata.add(config, cx.now);
    save_data(cx, name, number, data);
    for dropped in metadata.prune(config) {
        delete_data(cx, name, dropped);
    }
    metadata.save(cx, name)?;
    let version = metadata.version(number).ok_or_else(|| Fault::internal("the version just written is not kept"))?;
    Ok(Reply::data(version_reply(&metadata, number, version)))
}

/// `DELETE data/{path}`: deletes the current version.
pub(super) fn delete(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let Some(name) = secret(cx, PREFIX) else { return Ok(Reply::empty()) };
    versions::delete_current(cx, &name)
}

/// Makes data that version 1 of the engine kept the first version of a secret.
pub(in super::super) fn adopt(cx: &mut Cx, name: &str, data: Vec<u8>) -> Result<(), Fault> {
    let config = Config::load(cx)?;
    let metadata = Metadata::load(cx, name)?.unwrap_or_else(|| Metadata::new(cx.now));
    add_version(cx, name, &config, metadata, data).map(|_| ())
}
