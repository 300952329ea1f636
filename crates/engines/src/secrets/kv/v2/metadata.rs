//! `metadata/{path}`: the settings of a secret and what is known of its versions.

use super::patch::merge;
use super::record::{Config, Metadata};
use super::wire::{WriteMetadata, metadata_reply};
use super::{secret, secret_to_write};
use engine::{Cx, Fault, Reply};
use serde_json::{Value, json};
use std::collections::BTreeMap;

const PREFIX: &str = "metadata/";
/// Most pairs of custom metadata.
const CUSTOM_PAIRS_MAX: usize = 64;
/// Longest key of custom metadata, in bytes.
const CUSTOM_KEY_BYTES_MAX: usize = 128;
/// Longest value of custom metadata, in bytes.
const CUSTOM_VALUE_BYTES_MAX: usize = 512;

/// Whether there is a secret at `metadata/{path}`.
pub(super) fn exists(cx: &mut Cx, (): ()) -> Result<bool, Fault> {
    exists_below(cx, PREFIX)
}

/// Whether there is a secret at `data/{path}`: with or without versions, deleted or not.
pub(super) fn exists_for_data(cx: &mut Cx, (): ()) -> Result<bool, Fault> {
    exists_below(cx, "data/")
}

fn exists_below(cx: &mut Cx, prefix: &str) -> Result<bool, Fault> {
    match secret(cx, prefix) {
        Some(name) => Metadata::exists(cx, &name),
        None => Ok(false),
    }
}

/// `GET metadata/{path}`.
pub(super) fn read(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let name = secret(cx, PREFIX).ok_or(Fault::Missing)?;
    let metadata = Metadata::load(cx, &name)?.ok_or(Fault::Missing)?;
    Ok(Reply { body: engine::Body::Data(metadata_reply(&metadata)), ..Reply::default() })
}

/// `POST metadata/{path}`; what is not sent stays, and custom metadata is replaced whole.
pub(super) fn write(cx: &mut Cx, request: WriteMetadata) -> Result<Reply, Fault> {
    let name = secret_to_write(cx, PREFIX)?;
    if request.is_empty() {
        return Ok(Reply::empty());
    }
    let metadata = Metadata::load(cx, &name)?;
    change(cx, &name, metadata, request, |_, sent| sent)
}

/// `PATCH metadata/{path}`: as a write, but custom metadata is merged (RFC 7396) and there must be a secret.
pub(super) fn patch(cx: &mut Cx, request: WriteMetadata) -> Result<Reply, Fault> {
    let name = secret_to_write(cx, PREFIX)?;
    if request.is_empty() {
        return Ok(Reply::empty());
    }
    let Some(metadata) = Metadata::load(cx, &name)? else { return Ok(Reply::empty().status(404)) };
    change(cx, &name, Some(metadata), request, |current, sent| {
        let mut merged = json!(current);
        merge(&mut merged, sent);
        merged
    })
}

/// `DELETE metadata/{path}`: the secret with all its versions.
pub(super) fn delete(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let Some(name) = secret(cx, PREFIX) else { return Ok(Reply::empty()) };
    if let Some(metadata) = Metadata::load(cx, &name)? {
        metadata.delete(cx, &name);
    }
    Ok(Reply::empty())
}

fn change(
    cx: &mut Cx,
    name: &str,
    metadata: Option<Metadata>,
    request: WriteMetadata,
    custom: impl FnOnce(&BTreeMap<String, String>, Value) -> Value,
) -> Result<Reply, Fault> {
    let config = Config::load(cx)?;
    check_and_set(&config, metadata.as_ref(), request.metadata_cas)?;
    let mut metadata = metadata.unwrap_or_else(|| Metadata::new(cx.now));
    if let Some(sent) = request.custom {
        metadata.custom = checked(custom(&metadata.custom, sent))?;
    }
    let warnings = request.settings.apply_to_key(&mut metadata, &config);
    metadata.metadata_version += 1;
    metadata.updated = cx.now;
    metadata.save(cx, name)?;
    Ok(warnings.into_iter().fold(Reply::empty(), Reply::warn))
}

/// Refuses a write that replaces another version of the metadata than it says, or does not say where it has to.
fn check_and_set(config: &Config, metadata: Option<&Metadata>, cas: Option<i64>) -> Result<(), Fault> {
    let required = config.metadata_cas_required || metadata.is_some_and(|metadata| metadata.metadata_cas_required);
    match (cas, metadata) {
        (None, _) if required => Err(Fault::invalid("metadata check-and-set parameter required for this call")),
        (None | Some(0), None) | (None, Some(_)) => Ok(()),
        (Some(_), None) => Err(Fault::invalid("metadata_cas must be 0 when creating new metadata")),
        (Some(cas), Some(metadata)) if u64::try_from(cas) == Ok(metadata.metadata_version) => Ok(()),
        (Some(_), Some(_)) => {
            Err(Fault::invalid("metadata check-and-set parameter does not match the current version"))
        }
    }
}

/// Custom metadata within its limits. All that is wrong is said at once; keys are named, values never.
fn checked(custom: Value) -> Result<BTreeMap<String, String>, Fault> {
    let Value::Object(members) = custom else { return Ok(BTreeMap::new()) };
    if members.len() > CUSTOM_PAIRS_MAX {
        return Err(refused(&[format!(
            "payload must contain at most {CUSTOM_PAIRS_MAX} keys, provided {}",
            members.len()
        )]));
    }
    let mut pairs = BTreeMap::new();
    let mut wrong = Vec::new();
    for (key, value) in members {
        let value =
            text(&value).ok_or_else(|| Fault::invalid("custom_metadata validation failed: expected strings"))?;
        if key.is_empty() || key.len() > CUSTOM_KEY_BYTES_MAX {
            wrong.push(format!(
                "length of key {key:?} is {} but must be 0 < len(key) <= {CUSTOM_KEY_BYTES_MAX}",
                key.len()
            ));
        }
        if value.is_empty() || value.len() > CUSTOM_VALUE_BYTES_MAX {
            let length = value.len();
            wrong.push(format!(
                "length of value for key {key:?} is {length} but must be 0 < len(value) <= {CUSTOM_VALUE_BYTES_MAX}"
            ));
        }
        if !printable(&key) {
            wrong.push(format!("key {key:?} contains unprintable characters"));
        }
        if !printable(&value) {
            wrong.push(format!("value for key {key:?} contains unprintable characters"));
        }
        pairs.insert(key, value);
    }
    if wrong.is_empty() { Ok(pairs) } else { Err(refused(&wrong)) }
}

fn text(value: &Value) -> Option<String> {
    match value {
        Value::Null => Some(String::new()),
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Bool(value) => Some(u8::from(*value).to_string()),
        Value::Array(_) | Value::Object(_) => None,
    }
}

/// Upstream's form of several errors in one text.
fn refused(wrong: &[String]) -> Fault {
    let count = if wrong.len() == 1 { "1 error".to_owned() } else { format!("{} errors", wrong.len()) };
    let lines: String = wrong.iter().map(|wrong| format!("\t* custom_metadata validation failed: {wrong}\n")).collect();
    Fault::invalid(format!("{count} occurred:\n{lines}\n"))
}

/// Whether every character shows: what `escape_debug` leaves alone, quotes aside. The letter in front keeps it from
/// escaping a combining mark as one that combines with nothing.
fn printable(text: &str) -> bool {
    let text: String = std::iter::once('a').chain(text.chars().filter(|c| !matches!(c, '"' | '\'' | '\\'))).collect();
    text.escape_debug().eq(text.chars())
}
