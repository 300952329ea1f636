//! The body of a write and the lease that it asks for.

use engine::{Fault, Field, FieldType as _, Input, RequestBody, Seconds};
use serde_json::{Map, Value};

/// Longest advice in seconds: what fits into nanoseconds, as upstream counts.
const ADVICE_SECONDS_MAX: i64 = i64::MAX / 1_000_000_000;

/// Any JSON object, already serialized: what is written is what was sent, whatever the names in it.
pub(super) struct Body(pub(super) Vec<u8>);

impl RequestBody for Body {
    fn fields() -> Vec<Field> {
        Vec::new()
    }

    fn parse(input: &Input) -> Result<Self, Fault> {
        if input.body.is_empty() {
            return Err(Fault::invalid("missing data fields"));
        }
        serde_json::to_vec(&input.body).map(Self).map_err(|_| Fault::internal("a JSON object does not serialize"))
    }
}

/// Seconds that `ttl`, or else `lease`, asks clients to keep a secret; `None` where neither can be read as a duration.
/// Advice only, hence never an error.
pub(super) fn advised_ttl(secret: &Map<String, Value>) -> Option<i64> {
    let advice = secret.get("ttl").or_else(|| secret.get("lease"))?;
    match advice {
        Value::Null => Some(0),
        Value::Number(number) => number.as_i64().filter(|seconds| seconds.abs() <= ADVICE_SECONDS_MAX),
        Value::String(_) => Seconds::take(Some(advice)).ok().map(|seconds| seconds.0),
        _ => None,
    }
}
