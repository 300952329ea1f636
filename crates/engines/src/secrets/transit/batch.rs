//! Batches: many items in one request, answered in order.

use super::answers::{Failure};
use engine::{Body, Fault, Reply};
use serde_json::{Map, Value};

/// Most items in a batch of a symmetric operation.
pub(super) const BATCH_ITEMS_MAX: usize = 10_000;
/// Most items in a batch of signatures, which cost a thousand times as much.
pub(super) const BATCH_SIGNATURES_MAX: usize = 1_000;

/// The items of a batch, or the request's own parameters as its one item.
pub(super) struct Items {
    pub(super) items: Vec<Map<String, Value>>,
    /// Whether the reply is that of a batch.
    pub(super) batch: bool,
}

/// How a batch is read. Upstream has two readers, which differ in what they forgive and in how they complain.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// Types must fit, and the named member must be there.
    Strict(&'static str),
    /// Numbers are taken for texts.
    Lenient,
}

/// Names of the members that are texts.
const TEXTS: [&str; 9] =
    ["plaintext", "ciphertext", "context", "associated_data", "nonce", "input", "signature", "hmac", "reference"];

impl Items {
    /// Reads the parameter `batch_input`; without one the parameters of the request are the item.
    pub(super) fn read(
        batch: Option<&Value>,
        single: impl FnOnce() -> Map<String, Value>,
        reading: Reading,
        items_max: usize,
    ) -> Result<Self, Fault> {
        let Some(batch) = batch.filter(|batch| !batch.is_null()) else {
            return Ok(Self { items: vec![single()], batch: false });
        };
        let items = match batch {
            Value::Array(items) => items.as_slice(),
            Value::Object(_) if reading == Reading::Lenient => std::slice::from_ref(batch),
            other => {
                let quotes = if reading == Reading::Lenient { "'' " } else { "" };
                return Err(unparsed(format!("{quotes}source data must be an array or slice, got {}", kind_of(other))));
            }
        };
        if items.is_empty() {
            return Err(Fault::invalid("missing batch input to process"));
        }
        if items.len() > items_max {
            return Err(Fault::invalid(format!("batch input must have at most {items_max} items")));
        }
        let items = items.iter().enumerate().map(|(at, item)| read_item(at, item, reading));
        Ok(Self { items: items.collect::<Result<_, _>>()?, batch: true })
    }

    /// All items have a context, or none has.
    pub(super) fn contexts_agree(&self) -> Result<(), Fault> {
        let mut with = self.items.iter().map(|item| !text(item, "context").is_empty());
        let first = with.next();
        if with.any(|other| Some(other) != first) {
            return Err(Fault::invalid("context should be set either in all the request blocks or in none"));
        }
        Ok(())
    }
}

fn read_item(at: usize, item: &Value, reading: Reading) -> Result<Map<String, Value>, Fault> {
    let Value::Object(members) = item else {
        let text = match reading {
            Reading::Strict(_) => format!("[{at}] expected a map, got '{}'", kind_of(item)),
            Reading::Lenient => format!("'[{at}]' expected a map, got '{}'", kind_of(item)),
        };
        return Err(unparsed(text));
    };
    let mut members = members.clone();
    for name in TEXTS {
        let Some(member) = members.get_mut(name) else { continue };
        match (&*member, reading) {
            (Value::String(_), _) => {}
            (other, Reading::Strict(_)) => return Err(unconvertible(at, name, "string", other)),
            (Value::Number(number), Reading::Lenient) => *member = Value::String(number.to_string()),
            (Value::Bool(bool), Reading::Lenient) => *member = Value::String(u8::from(*bool).to_string()),
            (Value::Null, Reading::Lenient) => *member = Value::String(String::new()),
            (other, Reading::Lenient) => return Err(unconvertible(at, name, "string", other)),
        }
    }
    if let Some(version) = members.get_mut("key_version") {
        let number = wire_integer(version, reading);
        *version = number.ok_or_else(|| unconvertible(at, "key_version", "int", version))?.into();
    }
    if let Reading::Strict(wanted) = reading
        && !members.contains_key(wanted)
    {
        let purpose = if wanted == "plaintext" { "encrypt" } else { "decrypt" };
        return Err(unparsed(format!("'[{at}].{wanted}' missing {wanted} to {purpose}")));
    }
    Ok(members)
}

fn wire_integer(value: &Value, reading: Reading) -> Option<i64> {
    match (value, reading) {
        (Value::Number(number), _) => number.as_i64(),
        (Value::String(text), Reading::Lenient) => text.parse().ok(),
        (Value::Null, Reading::Lenient) => Some(0),
        _ => None,
    }
}

fn unconvertible(at: usize, name: &str, wanted: &str, got: &Value) -> Fault {
    unparsed(format!("'[{at}].{name}' expected type '{wanted}', got unconvertible type '{}'", kind_of(got)))
}

fn unparsed(text: String) -> Fault {
    Fault::upstream_error(format!("failed to parse batch input: {text}"))
}

/// The type of a value in upstream's words.
fn kind_of(value: &Value) -> &'static str {
    match value {
        Value::Null => "<nil>",
        Value::Bool(_) => "bool",
        Value::Number(_) => "json.Number",
        Value::String(_) => "string",
        Value::Array(_) => "[]interface {}",
        Value::Object(_) => "map[string]interface {}",
    }
}

/// A text of an item; empty where there is none.
pub(super) fn text<'a>(item: &'a Map<String, Value>, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// The version that an item asks for; 0 is the latest.
pub(super) fn version(item: &Map<String, Value>) -> i64 {
    item.get("key_version").and_then(Value::as_i64).unwrap_or_default()
}

/// The status of a batch some of whose items failed: upstream's own failures before the client's, and another one that the
/// client asked for where some succeeded.
pub(super) fn status(failures: &[Option<&Failure>], partial: Option<i64>) -> Option<u16> {
    let failed: Vec<&Failure> = failures.iter().copied().flatten().collect();
    if failed.is_empty() {
        return None;
    }
    let wanted = partial.and_then(|status| u16::try_from(status).ok()).filter(|status| *status > 0);
    if let Some(status) = wanted.filter(|_| failed.len() < failures.len()) {
        return Some(status);
    }
    Some(if failed.iter().any(|failure| failure.internal) { 500 } else { 400 })
}

/// An item's result in a reply: with the client's own mark for it, and with the error where it failed.
pub(super) fn shown(item: &Map<String, Value>, result: Result<Map<String, Value>, Failure>) -> Value {
    let mut data = result.unwrap_or_else(|failure| {
        let mut data = Map::new();
        data.insert("error".into(), failure.text.into());
        data
    });
    data.insert("reference".into(), text(item, "reference").into());
    Value::Object(data)
}

/// The reply of a batch with a member in those results that lack it.
pub(super) fn with_default(mut reply: Reply, name: &str, value: &Value) -> Reply {
    if let Body::Data(data) = &mut reply.body
        && let Some(results) = data.get_mut("batch_results").and_then(Value::as_array_mut)
    {
        for result in results.iter_mut().filter_map(Value::as_object_mut) {
            result.entry(name).or_insert_with(|| value.clone());
        }
    }
    reply
}
