//! Bodies and requests at the edge.

use super::*;
use serde_json::json;

#[test]
fn bodies_are_read_strictly() {
    assert_eq!(
        serde_json::Value::Object(strict_json(br#"{"a":1,"b":[true,null,"x"],"c":{"d":1.50}}"#).unwrap()).to_string(),
        r#"{"a":1,"b":[true,null,"x"],"c":{"d":1.50}}"#
    );
    assert_eq!(strict_json(b"  ").unwrap(), serde_json::Map::new());
    assert_eq!(
        strict_json(br#"{"n":123456789012345678901234567890}"#).unwrap()["n"].to_string(),
        "123456789012345678901234567890"
    );
    for (text, why) in [
        (r#"{"a":1,"a":2}"#, "duplicate key"),
        (r#"{"a":{"b":1,"b":2}}"#, "duplicate key"),
        (r#"{"a":1} x"#, "not valid JSON"),
        ("{", "unexpected EOF"),
        (r#"{"a":NaN}"#, "not valid JSON"),
        (r#"{"$serde_json::private::Number":"canary"}"#, "not a number"),
    ] {
        assert_eq!(strict_json(text.as_bytes()), Err(BodyError::Json(why)), "{text}");
    }
    assert_eq!(strict_json(b"[1]"), Err(BodyError::NoObject));
}

#[test]
fn s42_s111_deep_and_wide_bodies_are_refused() {
    let deep = format!("{{\"a\":{}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert!(strict_json(deep.as_bytes()).is_err());
    let wide = json!({ "a": vec![0; body::JSON_VALUES_MAX + 1] }).to_string();
    assert_eq!(strict_json(wide.as_bytes()), Err(BodyError::Json("too many values")));
}

#[test]
fn an_envelope_is_written_as_it_would_be_serialized() {
    let full = wire::Envelope {
        request_id: "f81d4fae".to_owned(),
        lease_id: "a/\"b\"".to_owned(),
        renewable: true,
        lease_duration: u64::MAX,
        data: json!({ "text": "é\n\u{7f}\u{1}\\", "list": [1, -2.50, true, null], "object": { "k\"": {} } }),
        wrap_info: Some(wire::WrapInfo { token: "t".to_owned(), ttl: 60, ..Default::default() }),
        warnings: Some(vec!["w".to_owned()]),
        auth: Some(wire::Auth { client_token: "c".to_owned(), ..Default::default() }),
    };
    for envelope in [wire::Envelope::default(), full] {
        let written = String::from_utf8(respond::plain(&envelope)).unwrap();
        assert_eq!(written, serde_json::to_string(&envelope).unwrap());
    }
}
