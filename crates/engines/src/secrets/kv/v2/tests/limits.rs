//! Wrong types, sizes and numbers.

use super::*;

#[test]
fn custom_metadata_has_limits() {
    let pairs = |count: usize| (0..count).map(|n| (format!("k{n}"), json!("v"))).collect::<serde_json::Map<_, _>>();
    let one = |wrong: &str| bad(&format!("1 error occurred:\n\t* custom_metadata validation failed: {wrong}\n\n"));
    let long = "k".repeat(129);
    for (custom, wanted) in [
        (json!({"k".repeat(128): "v".repeat(512)}), DONE),
        (Value::Object(pairs(64)), DONE),
        (json!({"é": "ü e\u{301} 日本 \"'\\"}), DONE),
        (Value::Object(pairs(65)), one("payload must contain at most 64 keys, provided 65")),
        (json!({"": "x"}), one("length of key \"\" is 0 but must be 0 < len(key) <= 128")),
        (json!({long.clone(): "x"}), one(&format!("length of key \"{long}\" is 129 but must be 0 < len(key) <= 128"))),
        (json!({"a": ""}), one("length of value for key \"a\" is 0 but must be 0 < len(value) <= 512")),
        (json!({"a": null}), one("length of value for key \"a\" is 0 but must be 0 < len(value) <= 512")),
        (json!({"k": "v".repeat(513)}), one("length of value for key \"k\" is 513 but must be 0 < len(value) <= 512")),
        (json!({"a": "b\u{0}"}), one("value for key \"a\" contains unprintable characters")),
        (json!({"a\u{200b}": "b"}), one("key \"a\\u{200b}\" contains unprintable characters")),
        (json!({"a": {"b": 1}}), bad("custom_metadata validation failed: expected strings")),
        (
            json!({"": "x", "a": ""}),
            bad(
                "2 errors occurred:\n\t* custom_metadata validation failed: length of key \"\" is 0 but must be 0 < len(key) <= \
                 128\n\t* custom_metadata validation failed: length of value for key \"a\" is 0 but must be 0 < len(value) \
                 <= 512\n\n",
            ),
        ),
    ] {
        let mut bench = with(&["a"]);
        assert_eq!(write(&mut bench, "metadata/a", json!({"custom_metadata": custom})), wanted, "{custom}");
    }
    // What a patch adds counts with what is there.
    let mut bench = with(&["a"]);
    write(&mut bench, "metadata/a", json!({"custom_metadata": pairs(64)}));
    assert_eq!(patch(&mut bench, "metadata/a", json!({"custom_metadata": {"more": "x"}})).0, 400);
    assert_eq!(patch(&mut bench, "metadata/a", json!({"custom_metadata": {"more": "x", "k0": null}})), DONE);
}

#[test]
fn s38_no_error_repeats_what_was_sent() {
    let canary = "canary-3141";
    let wrong =
        [json!(canary), json!([canary]), json!([[canary]]), json!({canary: canary}), json!({"a": [{canary: 1}]})];
    let mut bench = with(&["a"]);
    for (path, fields) in [
        ("data/a", &["data", "options"][..]),
        ("config", &["max_versions", "cas_required", "metadata_cas_required", "delete_version_after"]),
        ("metadata/a", &["max_versions", "cas_required", "metadata_cas", "delete_version_after", "custom_metadata"]),
        ("delete/a", &["versions"]),
        ("undelete/a", &["versions"]),
        ("destroy/a", &["versions"]),
    ] {
        for field in fields {
            for value in &wrong {
                for operation in [Operation::Update, Operation::Patch] {
                    let mut body = json!({"data": {}});
                    body[*field] = value.clone();
                    let (status, text) = answer(&mut bench, operation, path, body);
                    assert!(status < 500, "{operation} {path} {field} {value}");
                    assert!(status < 400 || !text.to_string().contains(canary), "{operation} {path} {field}: {text}");
                }
            }
        }
    }
    for (path, field) in [("data/a", "version"), ("subkeys/a", "depth"), ("subkeys/a", "version")] {
        for value in &wrong {
            let (status, text) = answer(&mut bench, Operation::Read, path, json!({ field: value }));
            assert!(status == 400 && !text.to_string().contains(canary), "{path} {field}: {text}");
        }
    }
    let cas = json!({"data": {}, "options": {"cas": canary}});
    assert_eq!(write(&mut bench, "data/a", cas), bad("error parsing check-and-set parameter"));
}

#[test]
fn s46_values_and_keys_at_their_limits() {
    let mut bench = bench();
    for length in [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1] {
        let secret = json!({"value": "v".repeat(length)});
        write(&mut bench, "data/big", json!({ "data": secret }));
        assert_eq!(bench.data("data/big").unwrap()["data"], secret);
    }
    for name in ["k".repeat(8 * 1024 - "test/metadata/".len()), "b ".into(), "x/ /y".into(), "ü".into()] {
        assert_eq!(write(&mut bench, &format!("data/{name}"), json!({"data": {}})).0, 200);
        assert_eq!(delete(&mut bench, &format!("metadata/{name}")), DONE);
    }
    for name in ["k".repeat(8 * 1024), "k".repeat(32 * 1024), "a\0b".into(), "a\u{7f}b".into(), "a\nb".into()] {
        assert_eq!(write(&mut bench, &format!("data/{name}"), json!({"data": {}})).0, 400);
    }
}

#[test]
fn s78_max_versions_is_a_number_within_its_range() {
    let mut bench = with(&["a"]);
    for path in ["config", "metadata/a"] {
        for (number, taken) in numbers() {
            let wanted = if taken && number != json!(-1) { DONE.0 } else { 400 };
            assert_eq!(write(&mut bench, path, json!({ "max_versions": number })).0, wanted, "{path} {number}");
        }
    }
    for (after, wanted) in
        [(json!(-1), 400), (json!("1e9"), 400), (json!(9_223_372_036_854_775_808_u64), 400), (json!(5), 204)]
    {
        assert_eq!(write(&mut bench, "metadata/a", json!({ "delete_version_after": after })).0, wanted, "{after}");
    }
    for (number, taken) in numbers() {
        let (status, _) = write(&mut bench, "metadata/new", json!({"metadata_cas": number, "max_versions": 1}));
        assert_eq!(status, if taken && number == json!(0) { 204 } else { 400 }, "{number}");
        delete(&mut bench, "metadata/new");
    }
}
