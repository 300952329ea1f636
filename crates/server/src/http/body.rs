//! Reading a body under limits, and JSON the strict way: no duplicate keys, bounded depth and number of values, one
//! parser everywhere (security rows S42, S43, S111, fault F22).

use http_body_util::{BodyExt, Limited};
use hyper::body::{Body, Bytes};
use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Number, Value};
use std::cell::Cell;
use std::fmt;

/// Values in one body.
pub const JSON_VALUES_MAX: usize = 100_000;
/// Nesting of one body; serde_json's own bound is 128.
pub const JSON_DEPTH_MAX: usize = 100;
/// Name under which serde_json hands over numbers of arbitrary precision.
const NUMBER_TOKEN: &str = "$serde_json::private::Number";

/// Why a body is refused. Says nothing of its content (S38).
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BodyError {
    /// Over the listener's `max_request_size`.
    #[error("http: request body too large")]
    TooLarge,
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

/// Reads a body of at most so many bytes.
pub async fn read_body<B>(body: B, bytes_max: usize) -> Result<Bytes, BodyError>
where
    B: Body<Data = Bytes>,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    if body.is_end_stream() {
        return Ok(Bytes::new());
    }
    // A declared length is refused before a byte of it is read.
    if body.size_hint().lower() > bytes_max as u64 {
        return Err(BodyError::TooLarge);
    }
    match Limited::new(body, bytes_max).collect().await {
        Ok(collected) => Ok(collected.to_bytes()),
        Err(error) if error.is::<http_body_util::LengthLimitError>() => Err(BodyError::TooLarge),
        Err(_) => Err(BodyError::Broken),
    }
}

/// Parses an object strictly; nothing at all counts as an empty object.
pub fn strict_json(bytes: &[u8]) -> Result<Map<String, Value>, BodyError> {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Map::new());
    }
    let budget = Budget { values: Cell::new(JSON_VALUES_MAX), refused: Cell::new(None) };
    let mut deserializer = serde_json::Deserializer::from_slice(bytes);
    let value = Strict { budget: &budget, depth: 0 }.deserialize(&mut deserializer);
    match value.and_then(|value| deserializer.end().map(|()| value)) {
        Ok(Value::Object(members)) => Ok(members),
        Ok(Value::Null) => Ok(Map::new()),
        Ok(_) => Err(BodyError::NoObject),
        Err(error) => {
            let why = if error.is_eof() { "unexpected EOF" } else { "not valid JSON" };
            Err(BodyError::Json(budget.refused.get().unwrap_or(why)))
        }
    }
}

struct Budget {
    values: Cell<usize>,
    refused: Cell<Option<&'static str>>,
}

impl Budget {
    fn refuse<E: Error>(&self, why: &'static str) -> E {
        self.refused.set(Some(why));
        E::custom(why)
    }
}

#[derive(Clone, Copy)]
struct Strict<'a> {
    budget: &'a Budget,
    depth: usize,
}

impl Strict<'_> {
    fn deeper<E: Error>(self) -> Result<Self, E> {
        let depth = self.depth + 1;
        if depth > JSON_DEPTH_MAX { Err(self.budget.refuse("nested too deeply")) } else { Ok(Self { depth, ..self }) }
    }
}

impl<'de> DeserializeSeed<'de> for Strict<'_> {
    type Value = Value;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Value, D::Error> {
        let left = self.budget.values.get();
        if left == 0 {
            return Err(self.budget.refuse("too many values"));
        }
        self.budget.values.set(left - 1);
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
        let inner = self.deeper()?;
        let mut list = Vec::new();
        while let Some(item) = items.next_element_seed(inner)? {
            list.push(item);
        }
        Ok(Value::Array(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Value, A::Error> {
        let inner = self.deeper()?;
        let mut map = Map::new();
        while let Some(key) = members.next_key::<String>()? {
            if key == NUMBER_TOKEN && map.is_empty() {
                let digits: String = members.next_value()?;
                let number: Number = digits.parse().map_err(|_| self.budget.refuse("not a number"))?;
                return Ok(Value::Number(number));
            }
            if map.contains_key(&key) {
                return Err(self.budget.refuse("duplicate key"));
            }
            let value = members.next_value_seed(inner)?;
            map.insert(key, value);
        }
        Ok(Value::Object(map))
    }
}
