use super::engine;
use engine::bench::Bench;
use engine::{Caller, Fault, Operation};
use serde_json::{Value, json};
use std::sync::Arc;

fn bench() -> Bench {
    let mut bench = Bench::new(engine(), &[]);
    become_token(&mut bench, "one");
    bench
}

/// The next calls come from the token that owns this cubbyhole.
fn become_token(bench: &mut Bench, cubbyhole: &str) {
    bench.caller = Some(Arc::new(Caller { cubbyhole: cubbyhole.into(), ..Caller::default() }));
}

#[test]
fn what_is_written_is_read_to_the_last_digit_and_without_a_lease() {
    let sent = r#"{"path":"other","ttl":"5m","x":1.000,"y":12345678901234567890123}"#;
    let mut bench = bench();
    assert!(matches!(bench.read("a"), Err(Fault::Missing)));
    assert!(bench.write("a", serde_json::from_str(sent).unwrap()).unwrap().value().is_none());
    let reply = bench.read("a").unwrap();
    assert_eq!(reply.value().unwrap().to_string(), sent);
    assert!(reply.lease.is_none());
    bench.delete("a").unwrap();
    bench.delete("a").unwrap();
    assert!(matches!(bench.read("a"), Err(Fault::Missing)));
}

#[test]
fn no_token_sees_anothers() {
    let mut bench = bench();
    bench.write("a", json!({"x": 1})).unwrap();
    for other in ["two", "on", "one/"] {
        become_token(&mut bench, other);
        assert!(matches!(bench.read("a"), Err(Fault::Missing)), "{other}");
        assert!(bench.list("").unwrap().is_empty(), "{other}");
        bench.delete("a").unwrap();
    }
    for path in ["../one/a", "one/a"] {
        assert!(bench.read(path).is_err(), "{path}");
    }
    become_token(&mut bench, "one");
    assert_eq!(bench.data("a").unwrap(), json!({"x": 1}));
}

#[test]
fn batch_tokens_and_nobody_are_refused() {
    let mut bench = bench();
    become_token(&mut bench, "");
    for (operation, body) in [
        (Operation::Read, Value::Null),
        (Operation::Update, json!({"x": 1})),
        (Operation::Delete, Value::Null),
        (Operation::List, Value::Null),
    ] {
        match bench.call(operation, "a", body) {
            Err(Fault::Invalid(messages)) => {
                assert_eq!(messages, ["cubbyhole operations are only supported by 'service' type tokens"]);
            }
            _ => panic!("{operation} is not refused"),
        }
    }
    bench.caller = None;
    assert!(matches!(bench.read("a"), Err(Fault::Denied)));
    assert!(bench.stored().is_empty());
}

#[test]
fn the_end_of_a_token_takes_its_own_and_nothing_else() {
    let mut bench = bench();
    for token in ["one", "one1", "two"] {
        become_token(&mut bench, token);
        bench.write("a", json!({"x": 1})).unwrap();
        bench.write("f/b", json!({"x": 1})).unwrap();
    }
    let engine = engine();
    for (ended, wanted) in [
        ("one", vec!["one1/a", "one1/f/b", "two/a", "two/f/b"]),
        ("", vec!["one1/a", "one1/f/b", "two/a", "two/f/b"]),
        ("one", vec!["one1/a", "one1/f/b", "two/a", "two/f/b"]),
        ("two", vec!["one1/a", "one1/f/b"]),
    ] {
        let end = |cx: &mut engine::Cx, _: &_| engine::Engine::token_ended(&engine, cx, ended);
        bench.with(Operation::Update, "", Default::default(), end).unwrap();
        let stored: Vec<String> = bench.stored().into_iter().map(|(key, _)| key).collect();
        assert_eq!(stored, wanted, "{ended:?}");
    }
}

#[test]
fn lists_one_level_in_pages() {
    let mut bench = bench();
    for path in ["a", "a/b", "f/x", "z"] {
        bench.write(path, json!({"x": 1})).unwrap();
    }
    for (path, page, wanted) in [
        ("", json!({}), vec!["a", "a/", "f/", "z"]),
        ("", json!({"limit": 2}), vec!["a", "a/"]),
        ("", json!({"after": "a/b"}), vec!["f/", "z"]),
        ("a", json!({}), vec!["b"]),
        ("a/", json!({}), vec!["b"]),
    ] {
        let reply = bench.call(Operation::List, path, page.clone()).unwrap();
        assert_eq!(reply.value(), Some(&json!({ "keys": wanted })), "{path:?} {page}");
    }
    assert!(bench.list("z").unwrap().is_empty());
    assert!(matches!(bench.call(Operation::List, "", json!({"limit": "1e9"})), Err(Fault::Invalid(_))));
    assert!(matches!(bench.call(Operation::Scan, "", json!({})), Err(Fault::UnsupportedOperation)));
    assert!(matches!(bench.call(Operation::Patch, "a", json!({"x": 2})), Err(Fault::UnsupportedOperation)));
}

#[test]
fn a_write_needs_a_name_and_a_body() {
    let mut bench = bench();
    for (path, body, wanted) in [
        ("a", json!({}), "missing data fields"),
        ("", json!({"x": 1}), "missing path"),
        ("a/", json!({"x": 1}), "cannot write to a path ending in '/'"),
    ] {
        match bench.write(path, body) {
            Err(Fault::Invalid(messages)) => assert_eq!(messages, [wanted]),
            _ => panic!("{path:?} is not refused"),
        }
    }
    bench.write("a", json!({"x": 1})).unwrap();
    assert!(matches!(bench.read("a/"), Err(Fault::Missing)));
    bench.delete("a/").unwrap();
    assert_eq!(bench.data("a").unwrap(), json!({"x": 1}));
}

#[test]
fn create_and_update_are_told_apart() {
    let mut bench = bench();
    bench.write("a", json!({"x": 1})).unwrap();
    for (path, wanted) in [("a", true), ("b", false), ("a/", false)] {
        let exists = bench.with(Operation::Update, path, Default::default(), |cx, _| super::secret::exists(cx, ()));
        assert_eq!(exists.unwrap(), wanted, "{path}");
    }
}
