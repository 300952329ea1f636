use serde_json::json;

use super::compare::{Comparison, Side};
use super::table::{Operation, Operations};
use super::{glob_matches, normal};

fn side(status: u16, body: serde_json::Value) -> Side {
    Side { status, headers: vec![], body }
}

fn found(peer: serde_json::Value, ours: serde_json::Value) -> Vec<String> {
    let differences = Comparison::of("step", &["/skipped".to_owned()], false, &side(200, peer), &side(200, ours));
    differences.into_iter().map(|difference| difference.what).collect()
}

#[test]
fn finds_keys_types_and_texts_but_not_values() {
    assert_eq!(found(json!({"a": 1, "b": "x"}), json!({"a": 2, "b": "y"})), Vec::<String>::new());
    assert_eq!(found(json!({"a": 1}), json!({"b": 1})), ["key /a", "key /b"]);
    assert_eq!(found(json!({"a": {"b": null}}), json!({"a": {"b": 0}})), ["type /a/b"]);
    assert_eq!(found(json!({"errors": ["no"]}), json!({"errors": ["nope"]})), ["text /errors/0"]);
    assert_eq!(found(json!({"a": [{"x": 1}, {"y": 1}]}), json!({"a": [{"x": 1}]})), ["key /a/*/y"]);
    assert_eq!(found(json!({"skipped": 1}), json!({"skipped": "x"})), Vec::<String>::new());
}

#[test]
fn a_status_difference_hides_the_rest() {
    let differences = Comparison::of("step", &[], false, &side(404, json!({})), &side(200, json!({"a": 1})));
    assert_eq!(differences.len(), 1);
    assert_eq!(differences[0].what, "status");
}

#[test]
fn generated_words_become_names() {
    let captures = [("role".to_owned(), "0123456789".to_owned())].into_iter().collect();
    let cases = [
        ("entity 41ad6a4c-8e2d-4b3d-9f6b-9c5f0a3f2b1c gone", "entity <uuid> gone"),
        ("at 2026-11-24T14:19:37.123Z.", "at <time>."),
        ("auth_userpass_1a2b3c4d", "auth_userpass_<id>"),
        ("hvs.CAESIJ9876543210abcdefgh", "<token>"),
        ("listen on 127.0.0.1:8200", "listen on <address>"),
        ("3xKb0UAvHuUUaK98Qk1vgNoJ", "<accessor>"),
        ("no 0123456789 here", "no <role> here"),
    ];
    for (input, expected) in cases {
        assert_eq!(normal::text(input, &captures), expected);
    }
}

#[test]
fn globs() {
    let cases =
        [("a*c", "abc", true), ("a*c", "ab", false), ("*", "x", true), ("ab", "abc", false), ("*b*", "abc", true)];
    for (pattern, text, expected) in cases {
        assert_eq!(glob_matches(pattern, text), expected, "{pattern} {text}");
    }
}

#[test]
fn the_most_literal_template_wins() {
    let operation = |template: &str| Operation {
        method: "GET".to_owned(),
        template: template.to_owned(),
        list_only: false,
        lists: false,
        unauthenticated: false,
    };
    let templates = ["/sys/mounts/{path}", "/sys/mounts/{path}/tune", "/sys/mounts"];
    let operations = Operations(templates.into_iter().map(operation).collect());
    assert_eq!(operations.template_of("sys/mounts/kv/tune"), Some("/sys/mounts/{path}/tune"));
    assert_eq!(operations.template_of("sys/mounts/kv?x=1"), Some("/sys/mounts/{path}"));
    assert_eq!(operations.template_of("sys/mounts/"), Some("/sys/mounts"));
    assert_eq!(operations.template_of("sys/other"), None);
}
