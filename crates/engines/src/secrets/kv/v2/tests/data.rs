//! Reads, writes and patches of data.

use super::*;

#[test]
fn a_write_answers_with_its_version_and_a_read_with_the_data() {
    let mut bench = bench();
    assert_eq!(read(&mut bench, "data/a"), MISSING);
    let described = json!({
        "created_time": START, "custom_metadata": null, "deletion_time": "", "destroyed": false, "version": 1,
    });
    assert_eq!(write(&mut bench, "data/a", json!({"data": {"x": 1}})), (200, described.clone()));
    assert_eq!(read(&mut bench, "data/a"), (200, json!({"data": {"x": 1}, "metadata": described})));
    bench.now = bench.now.plus_seconds(1);
    write(&mut bench, "metadata/a", json!({"custom_metadata": {"owner": "me"}}));
    write(&mut bench, "data/a", json!({"data": null}));
    let described = json!({
        "created_time": "2027-01-15T08:00:01Z", "custom_metadata": {"owner": "me"}, "deletion_time": "",
        "destroyed": false, "version": 2,
    });
    assert_eq!(read(&mut bench, "data/a"), (200, json!({"data": null, "metadata": described})));
}

#[test]
fn data_is_kept_to_the_last_digit() {
    let sent = r#"{"":1,"big":12345678901234567890123,"deep":{"e":1e+5},"f":0.10,"minus":-0,"n":null,"x":1.000}"#;
    let mut bench = bench();
    let body = serde_json::from_str(&format!("{{\"data\":{sent}}}")).unwrap();
    assert_eq!(write(&mut bench, "data/a", body).0, 200);
    assert_eq!(bench.data("data/a").unwrap()["data"].to_string(), sent);
    assert_eq!(patch(&mut bench, "data/a", serde_json::from_str(r#"{"data":{"f":2.50}}"#).unwrap()).0, 200);
    assert_eq!(bench.data("data/a").unwrap()["data"].to_string(), sent.replace("0.10", "2.50"));
}

#[test]
fn a_write_without_data_is_refused() {
    let mut bench = with(&["a"]);
    let wrong = bad("Field validation failed: error converting input for field \"data\": expected an object");
    let options = bad("Field validation failed: error converting input for field \"options\": expected an object");
    for (body, wanted) in [
        (json!({}), bad("no data provided")),
        (json!({"x": 1}), bad("no data provided")),
        (json!({"options": {"cas": "x"}}), bad("no data provided")),
        (json!({"data": "canary"}), wrong.clone()),
        (json!({"data": ["canary"]}), wrong.clone()),
        (json!({"data": 5, "options": {"cas": 9}}), wrong.clone()),
        (json!({"data": {}, "options": "canary"}), options.clone()),
    ] {
        assert_eq!(write(&mut bench, "data/a", body.clone()), wanted, "{body}");
        assert_eq!(patch(&mut bench, "data/a", body.clone()), wanted, "{body}");
    }
}

#[test]
fn check_and_set_names_the_version_it_replaces() {
    let differs = bad("check-and-set parameter did not match the current version");
    let unreadable = bad("error parsing check-and-set parameter");
    let mut bench = with(&["a"]);
    for (cas, wanted) in [
        (json!(0), &differs),
        (json!(-1), &differs),
        (json!(2), &differs),
        (json!(2_147_483_648_u64), &differs),
        (json!("5"), &differs),
        (json!(null), &differs),
        (json!(""), &differs),
        (json!(false), &differs),
        (json!(9_223_372_036_854_775_808_u64), &unreadable),
        (json!("1e9"), &unreadable),
        (json!(" 5"), &unreadable),
        (json!("x"), &unreadable),
        (json!(1.5), &unreadable),
        (json!([1]), &unreadable),
        (json!({"a": 1}), &unreadable),
    ] {
        let body = json!({"data": {"x": 2}, "options": {"cas": cas}});
        assert_eq!(write(&mut bench, "data/a", body.clone()), *wanted, "{cas}");
        assert_eq!(patch(&mut bench, "data/a", body), *wanted, "{cas}");
    }
    for (number, cas) in [(2, json!(1)), (3, json!("2"))] {
        let (status, data) = write(&mut bench, "data/a", json!({"data": {}, "options": {"cas": cas}}));
        assert_eq!((status, &data["version"]), (200, &json!(number)));
    }
    assert_eq!(write(&mut bench, "data/new", json!({"data": {}, "options": {"cas": 5}})), differs);
    assert_eq!(write(&mut bench, "data/new", json!({"data": {}, "options": {"cas": 0}})).0, 200);
    // A deleted version is still the current one.
    assert_eq!(delete(&mut bench, "data/new"), DONE);
    assert_eq!(write(&mut bench, "data/new", json!({"data": {}, "options": {"cas": 0}})), differs);
    assert_eq!(write(&mut bench, "data/new", json!({"data": {}, "options": {"cas": 1}})).0, 200);
}

#[test]
fn check_and_set_can_be_required_by_mount_and_by_key() {
    let required = bad("check-and-set parameter required for this call");
    let mut bench = with(&["a", "b"]);
    write(&mut bench, "metadata/a", json!({"cas_required": true}));
    assert_eq!(write(&mut bench, "data/a", json!({"data": {}})), required);
    assert_eq!(patch(&mut bench, "data/a", json!({"data": {}})), required);
    assert_eq!(write(&mut bench, "data/a", json!({"data": {}, "options": {"cas": 1}})).0, 200);
    assert_eq!(write(&mut bench, "data/b", json!({"data": {}})).0, 200);
    assert_eq!(write(&mut bench, "config", json!({"cas_required": true})), DONE);
    assert_eq!(write(&mut bench, "data/b", json!({"data": {}})), required);
    let warning = "\"cas_required\" set to false, but is mandated by backend config. This value will be ignored.";
    assert_eq!(write(&mut bench, "metadata/b", json!({"cas_required": false})), (200, json!(warning)));
    assert_eq!(patch(&mut bench, "metadata/b", json!({"cas_required": false})), (200, json!(warning)));
    assert_eq!(write(&mut bench, "data/b", json!({"data": {}})), required);
}

#[test]
fn a_patch_merges_as_rfc_7396_says() {
    // The examples of RFC 7396, appendix A, that lie within an object.
    for (target, change, wanted) in [
        (json!({"a": "b"}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "b"}), json!({"b": "c"}), json!({"a": "b", "b": "c"})),
        (json!({"a": "b"}), json!({"a": null}), json!({})),
        (json!({"a": "b", "b": "c"}), json!({"a": null}), json!({"b": "c"})),
        (json!({"a": ["b"]}), json!({"a": "c"}), json!({"a": "c"})),
        (json!({"a": "c"}), json!({"a": ["b"]}), json!({"a": ["b"]})),
        (json!({"a": {"b": "c"}}), json!({"a": {"b": "d", "c": null}}), json!({"a": {"b": "d"}})),
        (json!({"a": [{"b": "c"}]}), json!({"a": [1]}), json!({"a": [1]})),
        (json!({"e": null}), json!({"a": 1}), json!({"e": null, "a": 1})),
        (json!({}), json!({"a": {"bb": {"ccc": null}}}), json!({"a": {"bb": {}}})),
        (json!({"a": 1}), json!(null), json!(null)),
        (json!(null), json!({"a": 1, "b": null}), json!({"a": 1})),
    ] {
        let mut bench = bench();
        write(&mut bench, "data/a", json!({ "data": target }));
        let (status, data) = patch(&mut bench, "data/a", json!({ "data": change }));
        assert_eq!((status, &data["version"]), (200, &json!(2)));
        assert_eq!(bench.data("data/a").unwrap()["data"], wanted, "{target} {change}");
    }
}

#[test]
fn a_patch_needs_something_to_change() {
    let mut bench = with(&["a"]);
    let change = json!({"data": {"y": 1}});
    assert_eq!(patch(&mut bench, "data/nope", change.clone()), MISSING);
    assert_eq!(patch(&mut bench, "data/nope", json!({})), bad("no data provided"));
    write(&mut bench, "metadata/only", json!({"max_versions": 3}));
    assert_eq!(patch(&mut bench, "data/only", change.clone()), MISSING);
    delete(&mut bench, "data/a");
    let gone = |destroyed| {
        let about = json!({
            "created_time": START, "custom_metadata": null, "deletion_time": START, "destroyed": destroyed,
            "version": 1,
        });
        (404, about)
    };
    assert_eq!(patch(&mut bench, "data/a", change.clone()), gone(false));
    write(&mut bench, "destroy/a", json!({"versions": [1]}));
    assert_eq!(patch(&mut bench, "data/a", change), gone(true));
}

#[test]
fn the_version_of_a_read_is_a_number_and_the_newest_unless_positive() {
    let mut bench = with(&["a", "a"]);
    for path in ["data/a", "subkeys/a"] {
        for (number, wanted) in [(json!(0), 2), (json!(-1), 2), (json!(""), 2), (json!("1"), 1), (json!(2), 2)] {
            let (status, data) = version(&mut bench, path, number.clone());
            assert_eq!((status, &data["metadata"]["version"]), (200, &json!(wanted)), "{path} {number}");
        }
        for (number, taken) in numbers() {
            assert_eq!(version(&mut bench, path, number.clone()).0 == 400, !taken, "{path} {number}");
        }
    }
}

#[test]
fn subkeys_shows_keys_and_no_values() {
    let mut bench = bench();
    let secret = json!({"a": {"b": {"c": "canary"}, "e": {}}, "d": ["canary", {"z": 1}], "n": null, "f": ""});
    write(&mut bench, "data/s", json!({ "data": secret }));
    write(&mut bench, "data/empty", json!({"data": {}}));
    write(&mut bench, "data/null", json!({"data": null}));
    let all = json!({"a": {"b": {"c": null}, "e": null}, "d": null, "f": null, "n": null});
    let two = json!({"a": {"b": null, "e": null}, "d": null, "f": null, "n": null});
    let one = json!({"a": null, "d": null, "f": null, "n": null});
    for (depth, wanted) in [
        (json!(null), &all),
        (json!(0), &all),
        (json!(1), &one),
        (json!("2"), &two),
        (json!(3), &all),
        (json!(-1), &one),
        (json!(2_147_483_648_u64), &all),
    ] {
        let (status, data) = answer(&mut bench, Operation::Read, "subkeys/s", json!({ "depth": depth }));
        assert_eq!((status, &data["subkeys"]), (200, wanted), "{depth}");
        assert_eq!(data["metadata"]["version"], json!(1));
    }
    for (number, taken) in numbers() {
        let (status, _) = answer(&mut bench, Operation::Read, "subkeys/s", json!({ "depth": number }));
        assert_eq!(status, if taken { 200 } else { 400 }, "{number}");
    }
    assert_eq!(bench.data("subkeys/empty").unwrap()["subkeys"], json!({}));
    assert_eq!(bench.data("subkeys/null").unwrap()["subkeys"], Value::Null);
    assert_eq!(read(&mut bench, "subkeys/nope"), MISSING);
    assert_eq!(write(&mut bench, "subkeys/s", json!({})).0, 405);
    assert_eq!(delete(&mut bench, "subkeys/s").0, 405);
}
