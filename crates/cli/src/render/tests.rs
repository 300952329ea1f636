//! Texts that people and scripts see.

use super::table::{fitted, visible};
use super::{duration, is_duration, json, pairs, section, table, text, yaml};
use serde_json::{Value, json};

#[test]
fn durations_are_short() {
    for (seconds, wanted) in [
        (0, "0s"),
        (5, "5s"),
        (60, "1m"),
        (3598, "59m58s"),
        (3600, "1h"),
        (5400, "1h30m"),
        (3605, "1h0m5s"),
        (2_764_800, "768h"),
    ] {
        assert_eq!(duration(seconds), wanted);
    }
    assert_eq!(duration(-60), "-1m");
    for (name, wanted) in [("ttl", true), ("token_ttl", true), ("period", true), ("battle", false), ("xttl", false)] {
        assert_eq!(is_duration(name), wanted, "{name}");
    }
}

#[test]
fn values_in_one_line() {
    let value = json!({"b": [1, "x"], "a": null, "c": {"d": true}});
    assert_eq!(text(&value), "map[a:<nil> b:[1 x] c:map[d:true]]");
}

#[test]
fn numbers_keep_their_digits() {
    let value: Value = serde_json::from_str("{\"n\": 12345678901234567890.10}").unwrap();
    assert_eq!(yaml(&value), "\"n\": 12345678901234567890.10\n");
    assert_eq!(text(&value), "map[n:12345678901234567890.10]");
}

#[test]
fn yaml_is_read_by_nobody_as_something_else() {
    let value = json!({
        "empty": {}, "list": ["a", "1", {"x": 1, "y": [2, []]}], "none": null, "no": "no", "pem": "-----A\n  b\n",
        "text": "a: b #c", "time": "2026-01-01T00:00:00Z", "lines": "a\nb", "odd": "\u{2028}", "blank": "",
    });
    let wanted = "blank: \"\"\nempty: {}\nlines: \"a\\nb\"\nlist:\n- a\n- \"1\"\n- x: 1\n  \"y\":\n  - 2\n  - []\n\"no\": \"no\"\n\
                  none: null\nodd: \"\\u2028\"\npem: |\n  -----A\n    b\ntext: \"a: b #c\"\ntime: \"2026-01-01T00:00:00Z\"\n";
    assert_eq!(yaml(&value), wanted);
    assert_eq!(yaml(&json!([])), "[]\n");
    assert_eq!(yaml(&json!(["a"])), "- a\n");
}

#[test]
fn an_envelope_keeps_its_order() {
    let value = json!({"warnings": null, "data": {"b": 1, "a": 2}, "request_id": "r"});
    assert_eq!(
        json(&value),
        "{\n  \"request_id\": \"r\",\n  \"data\": {\n    \"a\": 2,\n    \"b\": 1\n  },\n  \"warnings\": null\n}"
    );
}

#[test]
fn tables_are_aligned_and_bare() {
    let rows = [("a".to_owned(), "1".to_owned()), ("longer".to_owned(), String::new())];
    assert_eq!(pairs(&rows), "Key       Value\n---       -----\na         1\nlonger");
    assert_eq!(table(&["Keys"], &vec![vec!["x/".to_owned()]]), "Keys\n----\nx/");
    assert_eq!(section("Data", "Key    Value\n---    -----"), "=== Data ===\nKey    Value\n---    -----");
    assert_eq!(section("Metadata", "ab"), "= Metadata =\nab");
}

#[test]
fn wide_tables_fit_or_become_blocks() {
    let rows = vec![vec!["one".to_owned(), "two".to_owned(), "a rather long description of it".to_owned()]];
    let fitting = fitted(&["A", "B", "Description"], &rows, 40);
    assert!(fitting.lines().count() > 3 && fitting.lines().all(|line| line.chars().count() <= 40), "{fitting}");
    let blocks = fitted(&["A", "B", "Description"], &rows, 20);
    assert_eq!(blocks.lines().nth(2).unwrap(), "A              one");
}

#[test]
fn a_stored_value_does_not_command_the_terminal() {
    assert_eq!(visible("a\u{1b}[2Jb\nc\u{9b}d"), "a\\u{1b}[2Jb\nc\\u{9b}d");
}
