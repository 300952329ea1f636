//! Reading a body under limits, and JSON the strict way: no duplicate keys, bounded depth and number of values, one
//! parser everywhere (security rows S42, S43, S111, fault F22).

use bytes::BytesMut;
use http_body_util::BodyExt;
use hyper::body::{Body, Bytes};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::fmt;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Values in one body.
pub const JSON_VALUES_MAX: usize = 100_000;
/// Nesting of one body; serde_json's own bound is 128.
pub const JSON_DEPTH_MAX: usize = 100;
/// Bytes of one number.
pub const JSON_NUMBER_BYTES_MAX: usize = 1024;
/// Memory for the bodies of all requests under way.
pub const BODIES_BYTES_MAX: usize = 128 << 20;
/// Bytes of each body that need no share of that.
pub const BODY_BYTES_FREE: usize = 16 << 10;
/// What the budget is counted in.
const BUDGET_UNIT_BYTES: usize = 1 << 10;
/// Name under which serde_json hands over numbers of arbitrary precision.
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

/// Why a body is refused. Says nothing of its content (S38).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Over the listener's `max_request_size`.
    #[error("http: request body too large")]
    TooLarge,
    /// All bodies together are over [`BODIES_BYTES_MAX`].
    #[error("too many large requests under way; try again")]
    Busy,
    /// The connection broke.
    #[error("error reading the request body")]
    Broken,
    /// Not JSON, or a duplicate key, or too deep, or too many values.
    #[error("failed to decode JSON input: {0}")]
    Json(&'static str),
    /// JSON, but no object.
    #[error("failed to decode JSON input: expected an object")]
    NoObject,
}

/// A body in memory, and its share of what all bodies together may take. Kept until its request is answered.
pub struct ReadBody {
    /// The bytes.
    pub bytes: Bytes,
    _share: Option<OwnedSemaphorePermit>,
}

/// Memory for the bodies of all requests under way (row S43): clients that are not known yet decide how many there are.
#[derive(Clone)]
pub struct BodyBudget(Arc<Semaphore>);

impl Default for BodyBudget {
    fn default() -> Self {
        Self(Arc::new(Semaphore::new(BODIES_BYTES_MAX / BUDGET_UNIT_BYTES)))
    }
}

impl BodyBudget {
    /// Makes a body's share as large as its length asks for.
    fn hold(&self, share: &mut Option<OwnedSemaphorePermit>, length: usize) -> Result<(), BodyError> {
        let units = length.saturating_sub(BODY_BYTES_FREE).div_ceil(BUDGET_UNIT_BYTES);
        let missing = units.saturating_sub(share.as_ref().map_or(0, OwnedSemaphorePermit::num_permits));
        if missing == 0 {
            return Ok(());
        }
        let missing = u32::try_from(missing).map_err(|_| BodyError::TooLarge)?;
        let more = self.0.clone().try_acquire_many_owned(missing).map_err(|_| BodyError::Busy)?;
        match share {
            Some(share) => share.merge(more),
            None => *share = Some(more),
        }
        Ok(())
    }
}

/// Reads a body of at most so many bytes, within the budget of all.
pub async fn read_body<B>(body: B, bytes_max: usize, budget: &BodyBudget) -> Result<ReadBody, BodyError>
where
    B: Body<Data = Bytes> + Unpin,
{
    // A declared length is refused before a byte of it is read.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(BodyError::TooLarge);
    }
    let mut body = body;
    let mut bytes = BytesMut::new();
    let mut share = None;
    while let Some(frame) = body.frame().await {
        let Ok(data) = frame.map_err(|_| BodyError::Broken)?.into_data() else { continue };
        let length = bytes.len() + data.len();
        if length > bytes_max {
            return Err(BodyError::TooLarge);
        }
        budget.hold(&mut share, length)?;
        bytes.extend_from_slice(&data);
    }
    Ok(ReadBody { bytes: bytes.freeze(), _share: share })
}

/// Parses an object strictly; nothing at all counts as an empty object.
pub fn strict_json(bytes: &[u8]) -> Result<Map<String, Value>, BodyError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    weigh(bytes)?;
    let refusal = Refusal::default();
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict(&refusal).deserialize(&mut deserializer);
    match value.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(BodyError::NoObject),
        Err(error) => {
            let why = if error.is_eof() { "unexpected EOF" } else { "not valid JSON" };
            Err(BodyError::Json(refusal.0.get().unwrap_or(why)))
        }
    }
}

/// Counts what a text would become before any of it does: nesting, values, and the length of numbers. Takes one pass and
/// no memory, so that a body which expands costs what its bytes cost (row S42).
fn weigh(bytes: &[u8]) -> Result<(), BodyError> {
    let (mut depth, mut values, mut word) = (0_usize, 1_usize, 0_usize);
    let (mut quoted, mut escaped) = (false, false);
    for byte in bytes {
        if quoted {
            (quoted, escaped) = (escaped || *byte != b'"', !escaped && *byte == b'\\');
            continue;
        }
        match byte {
            b'"' => quoted = true,
            b'[' | b'{' => (depth, values) = (depth + 1, values + 1),
            b']' | b'}' => depth = depth.saturating_sub(1),
            b',' => values += 1,
            _ => {}
        }
        word = if matches!(byte, b'"' | b'[' | b'{' | b']' | b'}' | b',' | b':' | b' ' | b'\t' | b'\r' | b'\n') {
            0
        } else {
            word + 1
        };
        if depth > JSON_DEPTH_MAX {
            return Err(BodyError::Json("nested too deeply"));
        }
        if values > JSON_VALUES_MAX {
            return Err(BodyError::Json("too many values"));
        }
        if word > JSON_NUMBER_BYTES_MAX {
            return Err(BodyError::Json("a number is too long"));
        }
    }
    Ok(())
}

/// Why a value was refused by us and not by the parser.
#[derive(Default)]
struct Refusal(Cell<Option<&'static str>>);

impl Refusal {
    fn refuse<E: Error>(&self, why: &'static str) -> E {
        self.0.set(Some(why));
        E::custom(why)
    }
}

#[derive(Clone, Copy)]
struct Strict<'a>(&'a Refusal);

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Strict<'_> {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_bool<E>(self, value: bool) -> Result<Value, E> {
        Ok(Value::Bool(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_u64<E>(self, value: u64) -> Result<Value, E> {
        Ok(value.into())
    }

    fn visit_f64<E>(self, value: f64) -> Result<Value, E> {
        Ok(Number::from_f64(value).map_or(Value::Null, Value::Number))
    }

    fn visit_str<E>(self, value: &str) -> Result<Value, E> {
        Ok(Value::String(value.to_owned()))
    }

    fn visit_string<E>(self, value: String) -> Result<Value, E> {
        Ok(Value::String(value))
    }

    fn visit_unit<E>(self) -> Result<Value, E> {
        Ok(Value::Null)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(self)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if key == NUMBER_TOKEN && map.is_empty() {
                let digits: String = members.next_value()?;
                let number: Number = digits.parse().map_err(|_| self.0.refuse("not a number"))?;
                return Ok(Value::Number(number));
            }
            if map.contains_key(&key) {
                return Err(self.0.refuse("duplicate key"));
            }
            let value = members.next_value_seed(self)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
