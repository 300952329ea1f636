//! Tests of both syntaxes, of the accessors, and that no input makes a reader panic.

use crate::{Body, ErrorKind, Number, Options, Value, parse, parse_duration_seconds, parse_with};
use proptest::prelude::*;

/// The tree as one line, values included.
fn shown(body: &Body) -> String {
    let item = |item: &crate::Item| {
        let labels: String = item.labels.iter().map(|label| format!(" {label:?}")).collect();
        format!("{}{labels} = {}", item.key, value(&item.value))
    };
    body.items.iter().map(item).collect::<Vec<_>>().join("; ")
}

fn value(value_: &Value) -> String {
    match value_ {
        Value::Null => "null".to_owned(),
        Value::Bool(flag) => flag.to_string(),
        Value::Number(Number::Integer(number)) => number.to_string(),
        Value::Number(Number::Float(number)) => format!("{number:?}"),
        Value::String(text) => format!("{text:?}"),
        Value::List(values) => format!("[{}]", values.iter().map(value).collect::<Vec<_>>().join(", ")),
        Value::Body(body) => format!("{{{}}}", shown(body)),
    }
}

#[track_caller]
fn reads(text: &str, tree: &str) {
    match parse_with(text, Options::CONFIGURATION) {
        Ok(document) => assert_eq!(shown(&document), tree, "{text}"),
        Err(error) => panic!("{text}: {error}"),
    }
}

#[track_caller]
fn fails(text: &str, message: &str) {
    match parse(text) {
        Ok(document) => panic!("{text}: read as {}", shown(&document)),
        Err(error) => assert_eq!(error.to_string(), message, "{text}"),
    }
}

#[test]
fn names_keys_labels_and_separators() {
    reads("", "");
    reads(" # nothing\n // at\n /* all */ ", "");
    reads("a = 1", "a = 1");
    reads("\"a\" = 1 b=2, c = 3\nd=4", "a = 1; b = 2; c = 3; d = 4");
    reads("a-b.c_d9 = true", "a-b.c_d9 = true");
    reads("path \"x/*\" { }", "path \"x/*\" = {}");
    reads("path x \"y z\" { a = 1 }\npath x { }", "path \"x\" \"y z\" = {a = 1}; path \"x\" = {}");
    reads("telemetry { a = 1, }", "telemetry = {a = 1}");
    reads("a = { b = { c = [] } }", "a = {b = {c = []}}");
    reads("a = 1 a = 2", "a = 1; a = 2");
    reads("path \"x\"\n{ capabilities\n=\n[\"read\"]}", "path \"x\" = {capabilities = [\"read\"]}");
    reads("a = [1, \"b\", true, [2,], { c = 3 },]", "a = [1, \"b\", true, [2], {c = 3}]");
    reads("\u{feff}a = 1", "a = 1");
    reads("größe = 1", "größe = 1");
}

#[test]
fn numbers() {
    for (text, number) in [
        ("0", "0"),
        ("-7", "-7"),
        ("0x1F", "31"),
        ("-0x10", "-16"),
        ("0755", "493"),
        ("1.5", "1.5"),
        ("-1.5", "-1.5"),
        (".5", "0.5"),
        ("5.", "5.0"),
        ("1e3", "1000.0"),
        ("1.5E-3", "0.0015"),
        ("1e+2", "100.0"),
        ("9223372036854775807", "9223372036854775807"),
        ("-9223372036854775808", "-9223372036854775808"),
    ] {
        reads(&format!("a = {text}"), &format!("a = {number}"));
    }
    for text in ["089", "0x", "1x", "1_000", "99999999999999999999", "-", ".", "1e", "0x1.5", "1e999", "--1"] {
        fails(&format!("a = {text}"), "at 1:5: number is not valid");
    }
    fails("a = +5", "at 1:5: illegal character");
}

#[test]
fn strings_and_heredocs() {
    reads(r#"a = "\n\t\"\\\x41\101\u00e9\U0001F600""#, r#"a = "\n\t\"\\AAé😀""#);
    reads("a = \"tab\there\"", "a = \"tab\\there\"");
    reads(r#"a = "x${b["c"]{}}y""#, r#"a = "x${b[\"c\"]{}}y""#);
    reads("path \"secret/${a}\" {}", "path \"secret/${a}\" = {}");
    reads("a = \"$5 {\"", "a = \"$5 {\"");
    reads("a = <<EOF\nx\n  y\nEOF\nb = 1", "a = \"x\\n  y\\n\"; b = 1");
    reads("a = <<EOF\nEOF", "a = \"\"");
    reads("a = <<EOF\r\nx\r\nEOF\r\n", "a = \"x\\n\"");
    reads("a = <<-EOF\n    x\n      y\n    EOF\n", "a = \"x\\n  y\\n\"");
    reads("a = <<-EOF\n  x\n    EOF\n", "a = \"  x\\n\"");
    fails("a = \"x", "at 1:5: literal not terminated");
    fails("a = \"x\ny\"", "at 1:5: literal not terminated");
    fails("a = \"x${\"y\"", "at 1:5: literal not terminated");
    fails("a = \"x\0\"", "at 1:5: literal not terminated");
    fails(r#"a = "\q""#, "at 1:6: illegal escape sequence");
    fails(r#"a = "\xff""#, "at 1:6: illegal escape sequence");
    fails(r#"a = "\ud800""#, "at 1:6: illegal escape sequence");
    fails("a = <<EOF\nx\n", "at 1:5: heredoc not terminated");
    fails("a = <<EOF x\nEOF", "at 1:5: heredoc marker is not valid");
    fails("a = <<\nEOF", "at 1:5: heredoc marker is not valid");
    fails("a = <b", "at 1:5: heredoc marker is not valid");
}

#[test]
fn errors_say_where() {
    fails("foo", "at 1:4: expected '=', '{' or a label, found end of text");
    fails("path \"x\" {", "at 1:11: expected a key, found end of text");
    fails("a = 1 }", "at 1:7: expected a key, found '}'");
    fails("a\n  = b", "at 2:5: expected a value, found a name");
    fails("a \"b\" = 1", "at 1:7: expected '{' or a label, found '='");
    fails("a = [1 2]", "at 1:8: expected ',' or ']', found a number");
    fails("a = [1,,]", "at 1:8: expected a value, found ','");
    fails("a = [", "at 1:6: expected a value, found end of text");
    fails("true = 1", "at 1:1: expected a key, found a boolean");
    fails("a { , }", "at 1:5: expected a key, found ','");
    fails("a = 1 ; b = 2", "at 1:7: illegal character");
    fails("é = /", "at 1:5: illegal character");
    fails("a = 1 /* b", "at 1:7: comment not terminated");
    fails("[]", "at 1:1: expected a key, found '['");
}

#[test]
fn json_is_the_same_tree() {
    reads(r#"{"a": 1, "b": [true, null, "c", {"d": -2.5e1}]}"#, "a = 1; b = [true, null, \"c\", {d = -25.0}]");
    reads(" \n{ } ", "");
    reads(r#"{"a":"\ud83d\ude00\u0041\/\n"}"#, "a = \"😀A/\\n\"");
    reads(r#"{"a": 1, "a": 2}"#, "a = 1; a = 2");
    fails(r#"{"a": {"b": 1, "b": 2}}"#, "at 1:16: duplicate key in object");
    fails(r#"{"a": 1,}"#, "at 1:9: expected a key, found '}'");
    fails(r#"{"a": [1,]}"#, "at 1:10: expected a value, found ']'");
    fails(r#"{"a": 1} x"#, "at 1:10: expected end of text, found something else");
    fails(r#"{"a":"#, "at 1:6: expected a value, found end of text");
    fails(r#"{"a" 1}"#, "at 1:6: expected ':', found a number");
    fails(r#"{a: 1}"#, "at 1:2: expected a key, found something else");
    fails("{\"a\": \"x\ny\"}", "at 1:9: illegal character");
    fails(r#"{"a": "\x"}"#, "at 1:9: illegal escape sequence");
    for surrogate in [r#""\ud800""#, r#""\ud800A""#, r#""\ud800\u0041""#, r#""\udc00""#, r#""\u12""#] {
        assert!(parse(&format!("{{\"a\": {surrogate}}}")).is_err(), "{surrogate}");
    }
    for number in ["01", "-", "1.", ".5", "1e", "+1", "0x10", "1.e3", "tru", "nulll", "True"] {
        assert!(parse(&format!("{{\"a\": {number}}}")).is_err(), "{number}");
    }
}

#[test]
fn a_block_is_the_same_in_every_spelling() {
    for text in [
        r#"listener "tcp" { a = 1 } listener "unix" { a = 2 }"#,
        r#"listener = { tcp = { a = 1 } unix { a = 2 } }"#,
        r#"listener { tcp { a = 1 } "unix" = [{ a = 2 }] }"#,
        r#"{"listener": {"tcp": {"a": 1}, "unix": {"a": 2}}}"#,
        r#"{"listener": [{"tcp": {"a": 1}}, {"unix": [{"a": 2}]}]}"#,
    ] {
        let document = parse(text).unwrap();
        let blocks = document.blocks("listener", 1).unwrap();
        let found: Vec<_> = blocks.iter().map(|block| (block.label(), shown(block.body))).collect();
        assert_eq!(found, [("tcp", "a = 1".to_owned()), ("unix", "a = 2".to_owned())], "{text}");
    }
    let document = parse(r#"a "b" "c" { d = 1 } a { b { e { f = 1 } } }"#).unwrap();
    let labels: Vec<_> = document.blocks("a", 2).unwrap().into_iter().map(|block| block.labels).collect();
    assert_eq!(labels, [["b", "c"], ["b", "e"]]);
}

#[test]
fn what_is_no_block_is_refused() {
    let error = |text: &str| parse(text).unwrap().blocks("a", 1).unwrap_err().to_string();
    assert_eq!(error("\na = 1"), "at 2:1: expected a block");
    assert_eq!(error("a = { b = 1 }"), "at 1:7: expected a block");
    assert_eq!(error("a \"b\" \"c\" {}"), "at 1:1: expected a block with 1 labels");
    assert_eq!(error("a { b \"c\" {} }"), "at 1:5: expected a block with 1 labels");
    let twice = parse("t {}\nt {}").unwrap();
    assert_eq!(twice.block("t").unwrap_err().to_string(), "at 2:1: expected only one such block");
    assert_eq!(twice.block("u"), Ok(None));
    assert!(parse("t { a = 1 }").unwrap().block("t").unwrap().is_some());
}

#[test]
fn accessors_are_lenient_as_upstream() {
    let document = parse(
        r#"a = true b = "true" c = 1 d = "1" e = false f = "False" g = "yes" h = 0 i = 5 j = "5" k = ["x", 1, true] l = "x"
           m { n = 1 } o = [{ p = 1 }]"#,
    )
    .unwrap();
    let get = |key: &str| document.attribute(key).unwrap();
    for (key, flag) in [
        ("a", Some(true)),
        ("b", Some(true)),
        ("c", Some(true)),
        ("d", Some(true)),
        ("e", Some(false)),
        ("f", Some(false)),
        ("g", None),
        ("h", Some(false)),
        ("k", None),
    ] {
        assert_eq!(get(key).as_bool(), flag, "{key}");
    }
    assert_eq!((get("i").as_i64(), get("j").as_i64(), get("l").as_i64()), (Some(5), Some(5), None));
    assert_eq!((get("i").as_string(), get("i").as_str()), (Some("5".to_owned()), None));
    assert_eq!(get("k").as_string_list().unwrap(), ["x", "1", "true"]);
    assert_eq!(get("l").as_string_list().unwrap(), ["x"]);
    assert_eq!(get("o").as_string_list(), None);
    assert_eq!(shown(get("m").as_body().unwrap()), "n = 1");
    assert_eq!(shown(get("o").as_body().unwrap()), "p = 1");
    assert_eq!(parse("a = 1 a = 2").unwrap().attribute("a").unwrap().as_i64(), Some(2));
    let unknown = parse("a = 1\nb { }").unwrap();
    assert_eq!(
        unknown.unknown_keys(&["a"]).iter().map(|(key, at)| format!("{key} {at}")).collect::<Vec<_>>(),
        ["b 2:1"]
    );
}

#[test]
fn durations() {
    for (text, seconds) in [
        ("768h", Some(2_764_800)),
        ("30s", Some(30)),
        ("1h30m", Some(5_400)),
        ("1.5h", Some(5_400)),
        ("1d", Some(86_400)),
        ("90", Some(90)),
        (" 90 ", Some(90)),
        ("1500ms", Some(1)),
        ("0", Some(0)),
        ("", None),
        ("-5s", None),
        ("5x", None),
        ("h", None),
        (".h", None),
        ("1e3", None),
        ("100000000000h", None),
        ("99999999999999999999999999", None),
    ] {
        assert_eq!(parse_duration_seconds(text), seconds, "{text:?}");
    }
    let document = parse("a = 90 b = 1.9 c = -1 d = \"2m\" e = [1]").unwrap();
    let seconds = |key: &str| document.attribute(key).unwrap().as_duration_seconds();
    assert_eq!(["a", "b", "c", "d", "e"].map(seconds), [Some(90), Some(1), None, Some(120), None]);
}

#[test]
fn s111_deep_nesting_is_an_error_and_not_an_overflow() {
    let deep = 100_000;
    for text in [format!("a = {}", "[".repeat(deep)), "a {".repeat(deep), "{\"a\":".repeat(deep)] {
        let error = parse(&text).unwrap_err();
        assert_eq!(error.kind(), &ErrorKind::TooDeep { depth_max: 64 });
    }
    let json = format!("{{\"a\":{}", "[".repeat(deep));
    assert_eq!(parse(&json).unwrap_err().kind(), &ErrorKind::TooDeep { depth_max: 64 });
    let fits = format!("{}{}", "a {".repeat(63), "}".repeat(63));
    assert!(parse(&fits).is_ok());
    assert!(parse(&format!("a {{ {fits} }}")).is_err());
}

#[test]
fn a_long_text_is_refused_unread() {
    let options = Options { bytes_max: 10, ..Options::POLICY };
    assert!(parse_with("a = 123456", options).is_ok());
    assert_eq!(parse_with("a = 1234567", options).unwrap_err().to_string(), "at 1:1: text is longer than 10 bytes");
}

#[test]
fn neither_an_error_nor_debug_repeats_a_value() {
    let canary = "canary-2718";
    for text in [
        format!("a = \"{canary}\" b"),
        format!("a = \"{canary}"),
        format!("a = [\"{canary}\" \"{canary}\"]"),
        format!("a = \"{canary}\\q\""),
        format!("a = <<EOF\n{canary}\n"),
        format!("{{\"a\": \"{canary}\" \"{canary}\"}}"),
        format!("{{\"{canary}\": 1, \"{canary}\": 1}}"),
    ] {
        let error = parse(&text).unwrap_err();
        assert!(!format!("{error} {error:?}").contains(canary), "{error:?}");
    }
    let document = parse(&format!("key = [\"{canary}\"] b \"label\" {{ c = {{ d = \"{canary}\" }} }}")).unwrap();
    assert_eq!(format!("{document:?}"), "[key [a string], b \"label\" [c [d a string]]]");
    assert!(!format!("{:?}", document.blocks("b", 1).unwrap()).contains(canary));
}

/// Policies and configuration files as people have them, in both syntaxes.
#[test]
fn files_of_upstream_users() {
    let policy = r#"
        # Read and list the team's secrets.
        path "secret/data/team-a/*" {
          capabilities = ["create", "read", "update", "delete", "list"]
        }
        path "secret/restricted" {
          capabilities = ["create"]
          allowed_parameters = {
            "foo" = []
            "bar" = ["zip", "zap"]
          }
          min_wrapping_ttl = "1s" max_wrapping_ttl = "90s"
        }
        path "sys/mounts" { "policy" = "read" }
    "#;
    let document = parse(policy).unwrap();
    let paths: Vec<_> = document.blocks("path", 1).unwrap().iter().map(|block| block.label()).collect();
    assert_eq!(paths, ["secret/data/team-a/*", "secret/restricted", "sys/mounts"]);

    let configuration = r#"
        ui = true
        disable_mlock = "true"
        storage "raft" {
          path = "/opt/vault/data"
          node_id = "node1"
          retry_join { leader_api_addr = "https://10.0.0.2:8200" }
          retry_join { leader_api_addr = "https://10.0.0.3:8200" }
        }
        listener "tcp" {
          address = "0.0.0.0:8200"
          tls_cert_file = "/opt/vault/tls/tls.crt"
          tls_disable = 1
          telemetry { unauthenticated_metrics_access = true }
        }
        default_lease_ttl = "768h"
        max_lease_ttl = 2764800
    "#;
    let document = parse_with(configuration, Options::CONFIGURATION).unwrap();
    let storage = document.blocks("storage", 1).unwrap();
    assert_eq!((storage[0].label(), storage[0].body.blocks("retry_join", 0).unwrap().len()), ("raft", 2));
    let listener = document.blocks("listener", 1).unwrap();
    assert_eq!(listener[0].body.attribute("tls_disable").unwrap().as_bool(), Some(true));
    assert_eq!(document.attribute("default_lease_ttl").unwrap().as_duration_seconds(), Some(2_764_800));
    assert_eq!(document.attribute("max_lease_ttl").unwrap().as_duration_seconds(), Some(2_764_800));
    assert_eq!(document.attribute("disable_mlock").unwrap().as_bool(), Some(true));

    let json = r#"{"backend":{"inmem":{}},"listener":{"tcp":{"tls_cert_file":"a.pem","address":"127.0.0.1:8200"}},
        "disable_mlock":true,"default_lease_ttl":"768h"}"#;
    let document = parse_with(json, Options::CONFIGURATION).unwrap();
    assert_eq!(document.blocks("backend", 1).unwrap()[0].label(), "inmem");
    let listener = document.blocks("listener", 1).unwrap();
    assert_eq!(listener[0].body.attribute("address").unwrap().as_str(), Some("127.0.0.1:8200"));
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_text_makes_a_reader_panic(text in "\\PC*") {
        let _ = parse(&text);
        let _ = parse(&format!("{{{text}"));
    }

    #[test]
    fn no_soup_of_tokens_makes_a_reader_panic(pieces in prop::collection::vec(prop::sample::select(vec![
        "a", "\"b\"", "{", "}", "[", "]", "=", ",", ":", "1", "-", ".", "0x", "e", "\n", " ", "\"", "\\", "${", "<<EOF\n",
        "EOF", "#", "//", "/*", "*/", "true", "null", "\\u", "d800", "\u{0}", "é",
    ]), 0..60)) {
        let text = pieces.concat();
        for text in [text.clone(), format!("{{{text}"), format!("a = {text}")] {
            if let Ok(document) = parse(&text) {
                for labels in 0..3 {
                    let _ = document.blocks("a", labels);
                }
            }
        }
    }

    /// What serde_json reads, this reads, to the same values.
    #[test]
    fn json_agrees_with_serde_json(text in json_object()) {
        let theirs: serde_json::Value = serde_json::from_str(&text).unwrap();
        let ours = parse_with(&text, Options::CONFIGURATION).unwrap();
        prop_assert_eq!(to_serde(&Value::Body(ours)), theirs);
    }
}

fn json_object() -> impl Strategy<Value = String> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        ".*".prop_map(Into::into),
    ];
    let tree = leaf.prop_recursive(4, 24, 5, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Into::into),
            prop::collection::btree_map(".{0,4}", inner, 0..5)
                .prop_map(|members| serde_json::Value::Object(members.into_iter().collect())),
        ]
    });
    prop::collection::btree_map(".{0,4}", tree, 0..5).prop_map(|members| serde_json::to_string(&members).unwrap())
}

fn to_serde(value: &Value) -> serde_json::Value {
    match value {
        Value::Null => serde_json::Value::Null,
        Value::Bool(flag) => (*flag).into(),
        Value::Number(Number::Integer(number)) => (*number).into(),
        Value::Number(Number::Float(number)) => (*number).into(),
        Value::String(text) => text.clone().into(),
        Value::List(values) => values.iter().map(to_serde).collect(),
        Value::Body(body) => body.items.iter().map(|item| (item.key.clone(), to_serde(&item.value))).collect(),
    }
}
