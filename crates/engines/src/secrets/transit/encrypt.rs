//! `encrypt/<name>`, `decrypt/<name>`, `rewrap/<name>` and `datakey/<form>/<name>`.

use super::answers::Failure;
use super::batch::{self, BATCH_ITEMS_MAX, Items, Reading, text};
use super::crypt::{Outcome, Worker};
use super::kind::KeyType;
use super::record::{Derivation, Key};
use super::wire::{DataKeyRequest, DecryptRequest, EncryptRequest, Named, RewrapRequest};
use super::{base64, config, keys};
use engine::crypto::Zeroizing;
use engine::{Cx, Fault, Operation, Reply};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const KEY_MISSING: &str = "encryption key not found";

/// An item's result: what the reply shows of it, or why it failed.
type Shown = Result<Map<String, Value>, Failure>;

pub(super) fn exists(cx: &mut Cx, request: Named) -> Result<bool, Fault> {
    Key::exists(cx, &request.name)
}

pub(super) fn encrypt(cx: &mut Cx, request: EncryptRequest) -> Result<Reply, Fault> {
    if request.batch_input.is_none() && request.plaintext.is_none() {
        return Err(Fault::invalid("missing plaintext to encrypt"));
    }
    let single = || {
        let mut item = single_item(&request.context, &request.associated_data, request.key_version);
        item.insert("plaintext".into(), request.plaintext.clone().unwrap_or_default().into());
        item
    };
    let items = Items::read(request.batch_input.as_ref(), single, Reading::Strict("plaintext"), BATCH_ITEMS_MAX)?;
    items.contexts_agree()?;
    let mut worker = match Key::load(cx, &request.name)? {
        Some(key) => Worker::of(&request.name, key),
        None => created(cx, &request, &items)?,
    };
    let mut results = Vec::with_capacity(items.items.len());
    for (at, item) in items.items.iter().enumerate() {
        let prepared = base64::decode(text(item, "plaintext"))
            .and_then(|plaintext| Ok((plaintext, parts_of(item, at, &worker)?)));
        let result = match prepared {
            Err(failure) => Err(failure),
            Ok((plaintext, (context, associated))) => {
                worker.encrypt(cx, batch::version(item), &context, &associated, &plaintext)?
            }
        };
        results.push(result.map(ciphertext));
    }
    answered(&items, results, request.partial_failure_response_code)
}

/// Makes the key of a caller who may create it.
fn created(cx: &mut Cx, request: &EncryptRequest, items: &Items) -> Result<Worker, Fault> {
    if cx.operation != Operation::Create || config::upsert_disabled(cx)? {
        return Err(Fault::invalid(KEY_MISSING));
    }
    let derived = items.items.first().is_some_and(|item| !text(item, "context").is_empty());
    let convergent = request.convergent_encryption;
    if convergent && !derived {
        return Err(Fault::invalid("convergent encryption requires derivation to be enabled, so context is required"));
    }
    let wanted = if request.r#type.is_empty() { "aes256-gcm96" } else { &request.r#type };
    let kind = match KeyType::parse(wanted) {
        Some(kind) if kind.cipher().is_some() => kind,
        Some(KeyType::EcdsaP256 | KeyType::EcdsaP384 | KeyType::EcdsaP521) => {
            return Err(Fault::invalid(format!("key type {wanted} not supported for this operation")));
        }
        _ => return Err(Fault::invalid(format!("unknown key type {wanted}"))),
    };
    let mut key = Key::new(kind);
    key.derivation = derived.then_some(Derivation::Hkdf);
    key.convergent = convergent;
    keys::add_version(cx, &request.name, &mut key)?;
    key.save(cx, &request.name)?;
    Ok(Worker::of(&request.name, Arc::new(key)))
}

pub(super) fn decrypt(cx: &mut Cx, request: DecryptRequest) -> Result<Reply, Fault> {
    let ciphertext = request.ciphertext.unwrap_or_default();
    if request.batch_input.is_none() && ciphertext.is_empty() {
        return Err(Fault::invalid("missing ciphertext to decrypt"));
    }
    let single = || {
        let mut item = single_item(&request.context, &request.associated_data, 0);
        item.insert("ciphertext".into(), ciphertext.into());
        item
    };
    let items = Items::read(request.batch_input.as_ref(), single, Reading::Strict("ciphertext"), BATCH_ITEMS_MAX)?;
    items.contexts_agree()?;
    let mut worker = Worker::load(cx, &request.name, KEY_MISSING)?;
    let mut results = Vec::with_capacity(items.items.len());
    for (at, item) in items.items.iter().enumerate() {
        let result = opened(cx, &mut worker, item, at)?;
        results.push(result.map(|plaintext| shown("plaintext", base64::encode(&plaintext))));
    }
    let reply = answered(&items, results, request.partial_failure_response_code)?;
    // Upstream shows an empty plaintext where there is none.
    Ok(if items.batch { batch::with_default(reply, "plaintext", &Value::String(String::new())) } else { reply })
}

fn opened(cx: &mut Cx, worker: &mut Worker, item: &Map<String, Value>, at: usize) -> Outcome<Zeroizing<Vec<u8>>> {
    let ciphertext = text(item, "ciphertext");
    if ciphertext.is_empty() {
        return Ok(Err(Failure::of_client("missing ciphertext to decrypt")));
    }
    match parts_of(item, at, worker) {
        Err(failure) => Ok(Err(failure)),
        Ok((context, associated)) => worker.decrypt(cx, &context, &associated, ciphertext),
    }
}

pub(super) fn rewrap(cx: &mut Cx, request: RewrapRequest) -> Result<Reply, Fault> {
    let single = || {
        let mut item = single_item(&request.context, "", request.key_version);
        item.insert("ciphertext".into(), request.ciphertext.clone().into());
        item
    };
    let mut items = Items::read(request.batch_input.as_ref(), single, Reading::Lenient, BATCH_ITEMS_MAX)?;
    if !items.batch && request.ciphertext.is_empty() {
        return Err(Fault::invalid("missing ciphertext to decrypt"));
    }
    items.contexts_agree()?;
    // Associated data is not among what a rewrapping takes.
    items.items.iter_mut().for_each(|item| drop(item.remove("associated_data")));
    let mut worker = Worker::load(cx, &request.name, KEY_MISSING)?;
    let mut results = Vec::with_capacity(items.items.len());
    for (at, item) in items.items.iter().enumerate() {
        let result = match opened(cx, &mut worker, item, at)? {
            Err(failure) => Err(failure),
            Ok(plaintext) => {
                let context = base64::decode(text(item, "context")).unwrap_or_default();
                worker.encrypt(cx, batch::version(item), &context, &[], &plaintext)?
            }
        };
        results.push(result.map(ciphertext));
    }
    let reply = answered(&items, results, None)?;
    // Unlike its siblings it answers a batch with failures as a success.
    Ok(if items.batch { Reply { status: None, ..reply } } else { reply })
}

pub(super) fn data_key(cx: &mut Cx, request: DataKeyRequest) -> Result<Reply, Fault> {
    let shows = match request.plaintext.as_str() {
        "plaintext" => true,
        "wrapped" => false,
        _ => return Err(Fault::invalid("Invalid path, must be 'plaintext' or 'wrapped'")),
    };
    let context =
        base64::decode(&request.context).map_err(|_| Fault::invalid("failed to base64-decode context"))?;
    let length = match request.bits.unwrap_or(256) {
        512 => 64,
        256 => 32,
        128 => 16,
        _ => return Err(Fault::invalid("invalid bit length")),
    };
    let mut worker = Worker::load(cx, &request.name, KEY_MISSING)?;
    let associated = associated_data(&request.associated_data, "", 0, &worker)?;
    let mut drawn = Zeroizing::new(vec![0; length]);
    cx.randomness.fill(&mut drawn);
    let (ciphertext, version) = worker.encrypt(cx, request.key_version, &context, &associated, &drawn)??;
    let mut data = self::ciphertext((ciphertext, version));
    if shows {
        data.insert("plaintext".into(), base64::encode(&drawn).into());
    }
    Ok(Reply::data(Value::Object(data)))
}

/// The parameters of a request without a batch as an item.
fn single_item(context: &str, associated: &str, version: i64) -> Map<String, Value> {
    let mut item = Map::new();
    item.insert("context".into(), context.into());
    item.insert("associated_data".into(), associated.into());
    item.insert("key_version".into(), version.into());
    item
}

/// Bytes that a client sent in base64.
type Bytes = Zeroizing<Vec<u8>>;

/// Context and associated data of an item.
fn parts_of(
    item: &Map<String, Value>,
    at: usize,
    worker: &Worker,
) -> Result<(Bytes, Bytes), Failure> {
    let context = base64::decode(text(item, "context"))?;
    let associated = associated_data(text(item, "associated_data"), &format!("[{at}]."), at, worker)?;
    Ok((context, associated))
}

fn associated_data(given: &str, place: &str, at: usize, worker: &Worker) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if given.is_empty() {
        return Ok(Zeroizing::default());
    }
    let kind = worker.key.kind;
    if kind.cipher().is_none() {
        let text = format!("'{place}associated_data' provided for non-AEAD cipher suite {}", kind.name());
        return Err(Failure::of_client(text));
    }
    base64::decode(given).map_err(|failure| {
        let text = failure.text;
        Failure::internal(format!("unable to get associated_data/additional_data from factory[{at}]: {text}"))
    })
}

fn shown(name: &str, value: String) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert(name.into(), value.into());
    data
}

fn ciphertext((ciphertext, version): (String, i64)) -> Map<String, Value> {
    let mut data = shown("ciphertext", ciphertext);
    data.insert("key_version".into(), version.into());
    data
}

/// The reply of one item, or of a batch of them.
fn answered(items: &Items, results: Vec<Shown>, partial: Option<i64>) -> Result<Reply, Fault> {
    if !items.batch {
        let result = results.into_iter().next().unwrap_or_else(|| Ok(Map::new()));
        return Ok(Reply::data(Value::Object(result?)));
    }
    let failures: Vec<Option<&Failure>> = results.iter().map(|result| result.as_ref().err()).collect();
    let status = batch::status(&failures, partial);
    let results: Vec<Value> = items.items.iter().zip(results).map(|(item, result)| batch::shown(item, result)).collect();
    Ok(Reply { status, ..Reply::data(json!({ "batch_results": results })) })
}
