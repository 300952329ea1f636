//! `hmac/<name>`, and the check of its results.

use super::answers::{Failure, SOFT_DELETED};
use super::batch::{self, BATCH_ITEMS_MAX, Items, Reading, text};
use super::crypt::{Outcome, PREFIX, Worker};
use super::wire::HmacRequest;
use super::{base64, hashes};
use engine::crypto::hash::Hash;
use engine::{Cx, Fault, Reply};
use serde_json::{Map, Value, json};

pub(super) fn hmac(cx: &mut Cx, request: HmacRequest) -> Result<Reply, Fault> {
    let mut worker = Worker::load(cx, &request.name, "encryption key not found")?;
    if worker.key.soft_deleted {
        return Err(Fault::invalid(SOFT_DELETED));
    }
    let version = version_for(&worker, request.key_version)?;
    let name = hashes::first(&[&request.urlalgorithm, &request.algorithm], "sha2-256");
    let hash = hashes::by_name(name).ok_or_else(|| Fault::invalid(format!("unsupported algorithm {name:?}")))?;
    let single = || {
        let mut item = Map::new();
        if let Some(input) = &request.input {
            item.insert("input".into(), input.clone().into());
        }
        item
    };
    let items = Items::read(request.batch_input.as_ref(), single, Reading::Lenient, BATCH_ITEMS_MAX)?;
    let material = worker.material(cx, version)?;
    let made = items.items.iter().map(|item| {
        let result = input(item, "missing input for HMAC").map(|input| {
            let mac = hash.hmac(material.hmac_key.expose(), &input);
            let mut data = Map::new();
            data.insert("hmac".into(), format!("{PREFIX}{version}:{}", base64::encode(&mac)).into());
            data
        });
        (item, result)
    });
    answered(items.batch, made.collect())
}

/// The message of an item.
pub(super) fn input(item: &Map<String, Value>, missing: &str) -> Result<engine::crypto::Zeroizing<Vec<u8>>, Failure> {
    let given = item.get("input").and_then(Value::as_str).ok_or_else(|| Failure::of_client(missing))?;
    base64::decode(given)
        .map_err(|failure| Failure::of_client(format!("unable to decode input as base64: {}", failure.text)))
}

/// An item and what came of it.
type Answered<'a> = (&'a Map<String, Value>, Result<Map<String, Value>, Failure>);

/// The reply of one item or of a batch, whose status is that of a success whatever failed in it.
pub(super) fn answered(
    batch: bool,
    results: Vec<Answered<'_>>,
) -> Result<Reply, Fault> {
    if batch {
        let results: Vec<Value> = results.into_iter().map(|(item, result)| batch::shown(item, result)).collect();
        return Ok(Reply::data(json!({ "batch_results": results })));
    }
    let single = results.into_iter().next().map_or_else(|| Ok(Map::new()), |(_, result)| result);
    Ok(Reply::data(Value::Object(single?)))
}

fn version_for(worker: &Worker, asked: i64) -> Result<i64, Fault> {
    let key = &worker.key;
    match asked {
        0 => Ok(key.latest_version),
        ..0 => Err(Fault::invalid("key version does not exist (cannot be negative)")),
        _ if asked > key.latest_version => {
            Err(Fault::invalid(format!("key version does not exist; latest key version is {}", key.latest_version)))
        }
        _ if asked < key.min_encryption_version.max(key.min_decryption_version) => {
            Err(Fault::invalid("cannot generate HMAC: version is too old (disallowed by policy)"))
        }
        _ => Ok(asked),
    }
}

/// Whether an item's `hmac` is that of its message.
pub(super) fn check(cx: &mut Cx, worker: &mut Worker, hash: Hash, item: &Map<String, Value>) -> Outcome<bool> {
    let message = match input(item, "missing input") {
        Ok(message) => message,
        Err(failure) => return Ok(Err(failure)),
    };
    let (version, mac) = match parts(worker, text(item, "hmac")) {
        Ok(parts) => parts,
        Err(text) => return Ok(Err(Failure::of_client(text))),
    };
    let material = worker.material(cx, version)?;
    Ok(Ok(engine::crypto::same(&hash.hmac(material.hmac_key.expose(), &message), &mac)))
}

fn parts(worker: &Worker, given: &str) -> Result<(i64, Vec<u8>), String> {
    let rest = given.strip_prefix(PREFIX).ok_or("invalid HMAC to verify: no prefix")?;
    let (version, mac) = rest.split_once(':').ok_or("invalid HMAC: wrong number of fields")?;
    let version: i64 = version.parse().map_err(|_| "invalid HMAC: version number could not be decoded")?;
    let mac = base64::decode(mac)
        .map_err(|failure| format!("unable to decode verification HMAC as base64: {}", failure.text))?;
    if version > worker.key.latest_version {
        return Err("invalid HMAC: version is too new".to_owned());
    }
    if worker.key.readable(version).is_err() {
        return Err("cannot verify HMAC: version is too old (disallowed by policy)".to_owned());
    }
    Ok((version, mac.to_vec()))
}
