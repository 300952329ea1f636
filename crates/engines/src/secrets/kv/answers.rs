//! What a client would see, for tests: the status with the data, or with the error's text.

use engine::bench::Bench;
use engine::{Body, Fault, Operation, Reply};
use serde_json::{Value, json};

/// A request and its answer: the status, and the data or the first message.
pub(super) fn answer(bench: &mut Bench, operation: Operation, path: &str, body: Value) -> (u16, Value) {
    seen(operation, bench.call(operation, path, body))
}

/// How the server renders a result.
pub(super) fn seen(operation: Operation, result: Result<Reply, Fault>) -> (u16, Value) {
    match result {
        Ok(reply) => {
            let empty = matches!(reply.body, Body::Empty);
            let usual = match (empty, operation.writes()) {
                (true, true) if reply.warnings.is_empty() => 204,
                (true, false) => 404,
                _ => 200,
            };
            let status = reply.status.unwrap_or(usual);
            let value = reply.value().cloned();
            (status, value.unwrap_or_else(|| reply.warnings.first().map_or(Value::Null, |warning| json!(warning))))
        }
        Err(Fault::Missing) => (404, Value::Null),
        Err(Fault::UnsupportedOperation) => (405, Value::Null),
        Err(Fault::UnsupportedPath) => (404, json!("unsupported path")),
        Err(Fault::Invalid(messages)) => (400, json!(messages.join("; "))),
        Err(Fault::Denied) => (403, Value::Null),
        Err(other) => (500, json!(other.to_string())),
    }
}

/// Numbers as clients misspell them, and whether an integer parameter takes them (S78).
pub(super) fn numbers() -> Vec<(Value, bool)> {
    vec![
        (json!(0), true),
        (json!(-1), true),
        (json!(2_147_483_648_u64), true),
        (json!(9_223_372_036_854_775_808_u64), false),
        (json!("9223372036854775808"), false),
        (json!("1e9"), false),
        (json!("x"), false),
        (json!([1]), false),
        (json!({"a": 1}), false),
    ]
}
