//! Configuration, metadata and the lists of it.

use super::*;

#[test]
fn the_configuration_keeps_what_is_not_sent() {
    let mut bench = bench();
    let config = |cas, after: &str, max, metadata_cas| {
        (
            200,
            json!({
                "cas_required": cas, "delete_version_after": after, "max_versions": max,
                "metadata_cas_required": metadata_cas,
            }),
        )
    };
    assert_eq!(read(&mut bench, "config"), config(false, "0s", 0, false));
    for (body, wanted) in [
        (json!({}), config(false, "0s", 0, false)),
        (json!({"max_versions": 5, "delete_version_after": "1h30m"}), config(false, "1h30m0s", 5, false)),
        (json!({"cas_required": "true"}), config(true, "1h30m0s", 5, false)),
        (json!({"metadata_cas_required": 1, "delete_version_after": "-5s"}), config(true, "-1s", 5, true)),
        (json!({"delete_version_after": null, "cas_required": null}), config(false, "-1s", 5, true)),
        (json!({"delete_version_after": 2_147_483_648_u64}), config(false, "596523h14m8s", 5, true)),
        (json!({"delete_version_after": "90"}), config(false, "1m30s", 5, true)),
        (json!({"delete_version_after": "1.5s", "max_versions": null}), config(false, "1s", 0, true)),
        (
            json!({"delete_version_after": 0, "max_versions": 4_294_967_295_u64}),
            config(false, "0s", 4_294_967_295_u64, true),
        ),
    ] {
        assert_eq!(write(&mut bench, "config", body.clone()), DONE, "{body}");
        assert_eq!(read(&mut bench, "config"), wanted, "{body}");
    }
    assert_eq!(delete(&mut bench, "config"), (405, Value::Null));
    assert_eq!(patch(&mut bench, "config", json!({})), (405, Value::Null));
}

#[test]
fn metadata_shows_settings_and_versions() {
    let mut bench = bench();
    assert_eq!(write(&mut bench, "metadata/a", json!({})), DONE);
    assert_eq!(read(&mut bench, "metadata/a"), MISSING);
    let settings =
        json!({"max_versions": 2, "delete_version_after": "1h", "custom_metadata": {"a": "b", "n": 1.5, "t": true}});
    assert_eq!(write(&mut bench, "metadata/a", settings), DONE);
    bench.now = bench.now.plus_seconds(1);
    write(&mut bench, "data/a", json!({"data": {}}));
    bench.now = bench.now.plus_seconds(1);
    delete(&mut bench, "data/a");
    let wanted = json!({
        "cas_required": false, "created_time": START, "current_metadata_version": 1, "current_version": 1,
        "custom_metadata": {"a": "b", "n": "1.5", "t": "1"}, "delete_version_after": "1h0m0s", "max_versions": 2,
        "metadata_cas_required": false, "oldest_version": 0, "updated_time": "2027-01-15T08:00:01Z",
        "versions": {"1": {
            "created_time": "2027-01-15T08:00:01Z", "deletion_time": "2027-01-15T08:00:02Z", "destroyed": false,
        }},
    });
    assert_eq!(read(&mut bench, "metadata/a"), (200, wanted));
    for (body, wanted) in [
        (json!({"custom_metadata": {"q": "r"}}), json!({"q": "r"})),
        (json!({"max_versions": 3}), json!({"q": "r"})),
        (json!({"custom_metadata": {}}), Value::Null),
        (json!({"custom_metadata": {"q": "r"}}), json!({"q": "r"})),
        (json!({"custom_metadata": null}), Value::Null),
    ] {
        assert_eq!(write(&mut bench, "metadata/a", body), DONE);
        assert_eq!(bench.data("metadata/a").unwrap()["custom_metadata"], wanted);
    }
    let metadata = bench.data("metadata/a").unwrap();
    assert_eq!(metadata["current_metadata_version"], json!(6));
    assert_eq!((&metadata["created_time"], &metadata["updated_time"]), (&json!(START), &json!("2027-01-15T08:00:02Z")));
}

#[test]
fn deleting_metadata_deletes_everything() {
    let mut bench = with(&["a", "a", "a/1", "b"]);
    assert_eq!(delete(&mut bench, "metadata/nope"), DONE);
    assert_eq!(delete(&mut bench, "metadata/a"), DONE);
    assert_eq!(read(&mut bench, "metadata/a"), MISSING);
    assert_eq!(read(&mut bench, "data/a"), MISSING);
    let stored: Vec<String> = bench.stored().into_iter().map(|(key, _)| key).collect();
    assert_eq!(stored, ["meta/a/1", "meta/b", "version/a/1/1", "version/b/1"]);
    assert_eq!(write(&mut bench, "data/a", json!({"data": {}})).1["version"], json!(1));
}

#[test]
fn a_metadata_patch_merges_and_needs_a_secret() {
    let mut bench = bench();
    assert_eq!(patch(&mut bench, "metadata/a", json!({"max_versions": 1})), MISSING);
    assert_eq!(patch(&mut bench, "metadata/a", json!({})), DONE);
    write(&mut bench, "metadata/a", json!({"custom_metadata": {"a": "1", "b": "2"}, "max_versions": 3}));
    for (body, wanted, version) in [
        (json!({}), json!({"a": "1", "b": "2"}), 1),
        (json!({"custom_metadata": {"a": null, "c": "3"}}), json!({"b": "2", "c": "3"}), 2),
        (json!({"custom_metadata": {}}), json!({"b": "2", "c": "3"}), 3),
        (json!({"custom_metadata": {"zz": null}}), json!({"b": "2", "c": "3"}), 4),
        (json!({"custom_metadata": null}), Value::Null, 5),
    ] {
        assert_eq!(patch(&mut bench, "metadata/a", body.clone()), DONE, "{body}");
        let metadata = bench.data("metadata/a").unwrap();
        assert_eq!((&metadata["custom_metadata"], &metadata["max_versions"]), (&wanted, &json!(3)), "{body}");
        assert_eq!(metadata["current_metadata_version"], json!(version), "{body}");
    }
    assert_eq!(patch(&mut bench, "metadata/a", json!({"max_versions": null})), DONE);
    assert_eq!(bench.data("metadata/a").unwrap()["max_versions"], json!(0));
}

#[test]
fn metadata_check_and_set() {
    let required = bad("metadata check-and-set parameter required for this call");
    let differs = bad("metadata check-and-set parameter does not match the current version");
    let not_new = bad("metadata_cas must be 0 when creating new metadata");
    let mut bench = with(&["data"]);
    for (path, body, wanted) in [
        ("metadata/a", json!({"metadata_cas": 1}), DONE),
        ("metadata/a", json!({"metadata_cas": 1, "max_versions": 3}), not_new.clone()),
        ("metadata/a", json!({"metadata_cas": 0, "max_versions": 3}), DONE),
        ("metadata/a", json!({"metadata_cas": 0, "max_versions": 3}), differs.clone()),
        ("metadata/a", json!({"metadata_cas": 1, "max_versions": 3}), DONE),
        ("metadata/a", json!({"metadata_cas": 9}), DONE),
        ("metadata/data", json!({"metadata_cas": 0, "metadata_cas_required": true}), DONE),
        ("metadata/data", json!({"max_versions": 3}), required.clone()),
        ("metadata/data", json!({"max_versions": 3, "metadata_cas": 1}), DONE),
        ("config", json!({"metadata_cas_required": true}), DONE),
        ("metadata/a", json!({"max_versions": 3}), required.clone()),
        ("metadata/new", json!({"max_versions": 3}), required.clone()),
        ("metadata/new", json!({"max_versions": 3, "metadata_cas": 0}), DONE),
        ("metadata/a", json!({"metadata_cas_required": false, "metadata_cas": 5}), differs),
        (
            "metadata/a",
            json!({"metadata_cas_required": false, "metadata_cas": 2}),
            (
                200,
                json!(
                    "\"metadata_cas_required\" set to false, but is mandated by backend config. This value will be ignored."
                ),
            ),
        ),
    ] {
        assert_eq!(write(&mut bench, path, body.clone()), wanted, "{path} {body}");
    }
    assert_eq!(patch(&mut bench, "metadata/a", json!({"max_versions": 3})), required);
    assert_eq!(patch(&mut bench, "metadata/a", json!({"max_versions": 3, "metadata_cas": 3})), DONE);
    // Data is another matter.
    assert_eq!(write(&mut bench, "data/a", json!({"data": {}})).0, 200);
}

#[test]
fn lists_and_scans_metadata() {
    let mut bench = with(&["l/a", "l/b/c", "l/b/d", "l/b", "l/e", "l.x/a", "l-"]);
    for (path, page, wanted) in [
        ("metadata", json!({}), vec!["l-", "l.x/", "l/"]),
        ("metadata/", json!({}), vec!["l-", "l.x/", "l/"]),
        ("metadata/l", json!({}), vec!["a", "b", "b/", "e"]),
        ("metadata/l/", json!({}), vec!["a", "b", "b/", "e"]),
        ("metadata/l", json!({"limit": 1}), vec!["a"]),
        ("metadata/l", json!({"limit": 2, "after": "a"}), vec!["b", "b/"]),
        ("metadata/l", json!({"after": "b"}), vec!["b/", "e"]),
        ("metadata/l", json!({"after": "b/"}), vec!["e"]),
        ("metadata/l", json!({"after": "b/c"}), vec!["e"]),
    ] {
        let keys = (200, json!({ "keys": wanted }));
        assert_eq!(answer(&mut bench, Operation::List, path, page.clone()), keys, "{path} {page}");
        let detailed = format!("detailed-{path}");
        let (status, data) = answer(&mut bench, Operation::List, &detailed, page.clone());
        assert_eq!((status, &data["keys"]), (200, &json!(wanted)), "{path} {page}");
        for key in wanted {
            let info = &data["key_info"][key];
            assert_eq!(info.get("current_version"), (!key.ends_with('/')).then_some(&json!(1)), "{path} {key}");
        }
    }
    assert_eq!(answer(&mut bench, Operation::List, "metadata/nope", json!({})), MISSING);
    assert_eq!(answer(&mut bench, Operation::List, "metadata/l/a", json!({})), MISSING);
    assert_eq!(answer(&mut bench, Operation::List, "detailed-metadata/nope", json!({})), MISSING);
    let scanned = json!({"keys": ["a", "b", "b/c", "b/d", "e"]});
    assert_eq!(answer(&mut bench, Operation::Scan, "metadata/l", json!({})), (200, scanned.clone()));
    assert_eq!(answer(&mut bench, Operation::Scan, "detailed-metadata/l", json!({})).1["keys"], scanned["keys"]);
    assert_eq!(answer(&mut bench, Operation::Scan, "metadata/nope", json!({})), (200, json!({})));
    assert_eq!(answer(&mut bench, Operation::Scan, "detailed-metadata/nope", json!({})), (200, json!({})));
    for (number, taken) in numbers() {
        for path in ["metadata/l", "detailed-metadata/l"] {
            let (status, _) = answer(&mut bench, Operation::List, path, json!({ "limit": number }));
            assert_eq!(status, if taken { 200 } else { 400 }, "{path} {number}");
        }
    }
}
