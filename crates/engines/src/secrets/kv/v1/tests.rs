use crate::secrets::kv::answers::{answer, numbers};
use crate::secrets::kv::engine;
use engine::bench::Bench;
use engine::{Fault, Operation};
use serde_json::{Value, json};

fn bench() -> Bench {
    Bench::new(engine(), &[])
}

fn with(paths: &[&str]) -> Bench {
    let mut bench = bench();
    for path in paths {
        bench.write(path, json!({"x": 1})).unwrap();
    }
    bench
}

#[test]
fn what_is_written_is_read_to_the_last_digit() {
    let sent = r#"{"":1,"big":12345678901234567890123,"e":1e+5,"f":0.10,"minus":-0,"n":null,"path":"other","x":1.000}"#;
    let mut bench = bench();
    assert_eq!(answer(&mut bench, Operation::Read, "a", Value::Null), (404, Value::Null));
    assert_eq!(answer(&mut bench, Operation::Update, "a", serde_json::from_str(sent).unwrap()), (204, Value::Null));
    assert_eq!(bench.data("a").unwrap().to_string(), sent);
    assert_eq!(answer(&mut bench, Operation::Delete, "a", Value::Null), (204, Value::Null));
    assert_eq!(answer(&mut bench, Operation::Delete, "a", Value::Null), (204, Value::Null));
    assert_eq!(answer(&mut bench, Operation::Read, "a", Value::Null), (404, Value::Null));
    assert!(bench.stored().is_empty());
}

#[test]
fn a_write_needs_a_name_and_a_body() {
    let mut bench = bench();
    for (path, body, wanted) in [
        ("a", json!({}), "missing data fields"),
        ("a", Value::Null, "missing data fields"),
        ("", json!({"x": 1}), "missing path"),
        ("a/", json!({"x": 1}), "cannot write to a path ending in '/'"),
    ] {
        assert_eq!(answer(&mut bench, Operation::Update, path, body), (400, json!(wanted)), "{path}");
    }
    assert_eq!(answer(&mut bench, Operation::Patch, "a", json!({"x": 1})), (405, Value::Null));
}

#[test]
fn ttl_and_lease_advise_a_duration() {
    let mut bench = bench();
    for (secret, wanted) in [
        (json!({"x": 1}), Some(2_764_800)),
        (json!({"ttl": 30}), Some(30)),
        (json!({"ttl": "30"}), Some(30)),
        (json!({"ttl": "5m"}), Some(300)),
        (json!({"ttl": "1d"}), Some(86_400)),
        (json!({"ttl": 3_000_000}), Some(3_000_000)),
        (json!({"ttl": 99_999_999_999_i64}), Some(2_764_800)),
        (json!({"ttl": "bad"}), Some(2_764_800)),
        (json!({"ttl": "1e9"}), Some(2_764_800)),
        (json!({"ttl": 1.5}), Some(2_764_800)),
        (json!({"ttl": [1]}), Some(2_764_800)),
        (json!({"ttl": true}), Some(2_764_800)),
        (json!({"ttl": 0}), None),
        (json!({"ttl": ""}), None),
        (json!({"ttl": null}), None),
        (json!({"ttl": -5}), None),
        (json!({"lease": "10s"}), Some(10)),
        (json!({"lease": "10s", "ttl": "20s"}), Some(20)),
        (json!({"lease": "10s", "ttl": "bad"}), Some(2_764_800)),
    ] {
        bench.write("t", secret.clone()).unwrap();
        let reply = bench.read("t").unwrap();
        assert_eq!(reply.value(), Some(&secret));
        assert!(reply.lease.iter().all(|lease| lease.advisory && !lease.renewable));
        assert_eq!(reply.lease.map(|lease| lease.ttl), wanted, "{secret}");
    }
}

#[test]
fn lists_one_level_in_pages_and_scans_all() {
    let mut bench = with(&["a", "f", "f/a", "f/b", "f/g/h", "f-", "t"]);
    for (path, page, wanted) in [
        ("", json!({}), vec!["a", "f", "f-", "f/", "t"]),
        ("f", json!({}), vec!["a", "b", "g/"]),
        ("f/", json!({}), vec!["a", "b", "g/"]),
        ("f", json!({"limit": 2}), vec!["a", "b"]),
        ("f", json!({"limit": "1", "after": "a"}), vec!["b"]),
        ("f", json!({"after": "b"}), vec!["g/"]),
        ("", json!({"after": "f/"}), vec!["t"]),
        ("", json!({"after": "f/a"}), vec!["t"]),
        ("", json!({"limit": -1}), vec!["a", "f", "f-", "f/", "t"]),
        ("", json!({"limit": 0}), vec!["a", "f", "f-", "f/", "t"]),
    ] {
        let answer = answer(&mut bench, Operation::List, path, page.clone());
        assert_eq!(answer, (200, json!({"keys": wanted})), "{path:?} {page}");
    }
    for (path, page, wanted) in [
        ("", json!({}), vec!["a", "f", "f-", "f/a", "f/b", "f/g/h", "t"]),
        ("f", json!({}), vec!["a", "b", "g/h"]),
        ("", json!({"limit": 2, "after": "f-"}), vec!["f/a", "f/b"]),
    ] {
        let answer = answer(&mut bench, Operation::Scan, path, page.clone());
        assert_eq!(answer, (200, json!({"keys": wanted})), "{path:?} {page}");
    }
    assert_eq!(answer(&mut bench, Operation::List, "a", json!({})), (404, Value::Null));
    assert_eq!(answer(&mut bench, Operation::List, "", json!({"after": "zz"})), (404, Value::Null));
    assert_eq!(answer(&mut bench, Operation::Scan, "nope", json!({})), (200, json!({})));
}

#[test]
fn s78_a_list_limit_is_a_number() {
    let mut bench = with(&["a"]);
    for (number, taken) in numbers() {
        let (status, _) = answer(&mut bench, Operation::List, "", json!({ "limit": number }));
        assert_eq!(status, if taken { 200 } else { 400 }, "{number}");
    }
}

#[test]
fn s01_s03_a_folder_is_not_the_secret_of_its_name() {
    let mut bench = with(&["a", "b"]);
    assert_eq!(answer(&mut bench, Operation::Read, "a/", Value::Null), (404, Value::Null));
    assert_eq!(answer(&mut bench, Operation::Delete, "a/", Value::Null), (204, Value::Null));
    assert_eq!(bench.data("a").unwrap(), json!({"x": 1}));
    for path in ["a/../b", "a/./b", "a//b", "a/\0", "../b"] {
        assert!(matches!(bench.delete(path), Err(Fault::Invalid(_))), "{path:?}");
    }
    // Encoded once more, they are plain names that reach nothing else.
    assert_eq!(answer(&mut bench, Operation::Delete, "a/%2e%2e/b", Value::Null), (204, Value::Null));
    assert_eq!(bench.list("").unwrap(), ["a", "b"]);
}

#[test]
fn s46_values_and_keys_at_their_limits() {
    let mut bench = bench();
    for length in [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1] {
        let secret = json!({"value": "v".repeat(length)});
        bench.write("big", secret.clone()).unwrap();
        assert_eq!(bench.data("big").unwrap(), secret);
    }
    bench.write(&"k".repeat(8 * 1024 - "test/".len()), json!({"x": 1})).unwrap();
    for path in ["k".repeat(8 * 1024), "k".repeat(32 * 1024), "a\0b".into(), "a\u{7f}b".into(), "a\nb".into()] {
        assert!(matches!(bench.write(&path, json!({"x": 1})), Err(Fault::Invalid(_))));
    }
}

#[test]
fn create_and_update_are_told_apart() {
    let mut bench = with(&["a"]);
    for (path, wanted) in [("a", true), ("b", false), ("a/", false)] {
        let exists = bench.with(Operation::Update, path, Default::default(), |cx, _| super::secret::exists(cx, ()));
        assert_eq!(exists.unwrap(), wanted, "{path}");
    }
}
