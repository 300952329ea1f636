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
