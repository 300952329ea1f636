//! Tables of requests and the answers that a real OpenBao 2.6.2 gave to them; the model that random histories are
//! compared with is in [`model`].

mod data;
mod limits;
mod metadata;
mod model;
mod paths;
mod versions;

use crate::secrets::kv::answers::{answer, numbers};
use crate::secrets::kv::engine;
use engine::bench::Bench;
use engine::{Fault, Operation, Timestamp};
use serde_json::{Value, json};

const START: &str = "2027-01-15T08:00:00Z";

fn bench() -> Bench {
    let bench = Bench::new(engine(), &[("version", "2")]);
    assert_eq!(bench.now.to_rfc3339(), START);
    bench
}

/// A bench where each of these secrets has one version.
fn with(names: &[&str]) -> Bench {
    let mut bench = bench();
    for name in names {
        bench.write(&format!("data/{name}"), json!({"data": {"x": 1}})).unwrap();
    }
    bench
}

fn read(bench: &mut Bench, path: &str) -> (u16, Value) {
    answer(bench, Operation::Read, path, Value::Null)
}

fn write(bench: &mut Bench, path: &str, body: Value) -> (u16, Value) {
    answer(bench, Operation::Update, path, body)
}

fn patch(bench: &mut Bench, path: &str, body: Value) -> (u16, Value) {
    answer(bench, Operation::Patch, path, body)
}

fn delete(bench: &mut Bench, path: &str) -> (u16, Value) {
    answer(bench, Operation::Delete, path, Value::Null)
}

fn version(bench: &mut Bench, path: &str, version: Value) -> (u16, Value) {
    answer(bench, Operation::Read, path, json!({ "version": version }))
}

const DONE: (u16, Value) = (204, Value::Null);
const MISSING: (u16, Value) = (404, Value::Null);

fn bad(message: &str) -> (u16, Value) {
    (400, json!(message))
}
