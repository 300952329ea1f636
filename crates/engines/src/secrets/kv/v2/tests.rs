//! Tables of requests and the answers that a real OpenBao 2.6.2 gave to them; the model that random histories are
//! compared with is in [`model`].

mod model;

use super::super::answers::{answer, numbers, seen};
use super::super::engine;
use engine::bench::Bench;
use engine::{Engine, Fault, Mount, Operation, Timestamp};
use serde_json::{Value, json};
use std::sync::Arc;

const START: &str = "2027-01-15T08:00:00Z";

fn bench() -> Bench {
    let bench = Bench::new(engine(), &[("version", "2")]);
    assert_eq!(bench.now.to_rfc3339(), START);
    bench
}

/// A bench where each of these secrets has one version.
fn with(names: &[&str]) -> Bench {
    let mut bench = bench();
    for name in names {
        bench.write(&format!("data/{name}"), json!({"data": {"x": 1}})).unwrap();
    }
    bench
}

fn read(bench: &mut Bench, path: &str) -> (u16, Value) {
    answer(bench, Operation::Read, path, Value::Null)
}

fn write(bench: &mut Bench, path: &str, body: Value) -> (u16, Value) {
    answer(bench, Operation::Update, path, body)
}

fn patch(bench: &mut Bench, path: &str, body: Value) -> (u16, Value) {
    answer(bench, Operation::Patch, path, body)
}

fn delete(bench: &mut Bench, path: &str) -> (u16, Value) {
    answer(bench, Operation::Delete, path, Value::Null)
}

fn version(bench: &mut Bench, path: &str, version: Value) -> (u16, Value) {
    answer(bench, Operation::Read, path, json!({ "version": version }))
}

const DONE: (u16, Value) = (204, Value::Null);
const MISSING: (u16, Value) = (404, Value::Null);

fn bad(message: &str) -> (u16, Value) {
    (400, json!(message))
}

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
fn versions_are_deleted_undeleted_and_destroyed() {
    let mut bench = with(&["a", "a"]);
    let states = |bench: &mut Bench| [1, 2].map(|number| version(bench, "data/a", json!(number)).0);
    for (path, versions, wanted) in [
        ("delete/a", json!([1]), [404, 200]),
        ("delete/a", json!("1,2"), [404, 404]),
        ("undelete/a", json!(["1"]), [200, 404]),
        ("undelete/a", json!(2), [200, 200]),
        ("delete/a", json!([0, -1, 99, 9_223_372_036_854_775_807_u64]), [200, 200]),
        ("destroy/a", json!([1, 1]), [404, 200]),
        ("undelete/a", json!([1, 2]), [404, 200]),
        ("delete/nope", json!([1]), [404, 200]),
        ("destroy/nope", json!([1]), [404, 200]),
    ] {
        assert_eq!(write(&mut bench, path, json!({ "versions": versions })), DONE, "{path} {versions}");
        assert_eq!(states(&mut bench), wanted, "{path} {versions}");
    }
    assert_eq!(bench.stored().iter().filter(|(key, _)| key.starts_with("version/")).count(), 1);
    for (path, wanted) in [
        ("delete/a", "No version number provided"),
        ("undelete/a", "No version number provided"),
        ("destroy/a", "no version number provided"),
    ] {
        for body in [json!({}), json!({"versions": []}), json!({"versions": null})] {
            assert_eq!(write(&mut bench, path, body), bad(wanted), "{path}");
        }
        let wrong = bad("Field validation failed: error converting input for field \"versions\": expected integers");
        for versions in [json!(["x"]), json!(["1e9"]), json!([1.5]), json!([9_223_372_036_854_775_808_u64])] {
            assert_eq!(write(&mut bench, path, json!({ "versions": versions })), wrong, "{path} {versions}");
        }
        assert_eq!(write(&mut bench, path, json!({"versions": {"a": 1}})).0, 400);
        assert_eq!(read(&mut bench, path).0, 405);
        assert_eq!(delete(&mut bench, path).0, 405);
    }
}

#[test]
fn a_deleted_version_is_a_404_that_tells_when() {
    let mut bench = with(&["a"]);
    bench.now = bench.now.plus_seconds(60);
    assert_eq!(delete(&mut bench, "data/a"), DONE);
    bench.now = bench.now.plus_seconds(60);
    // A second time changes nothing.
    assert_eq!(delete(&mut bench, "data/a"), DONE);
    assert_eq!(delete(&mut bench, "data/nope"), DONE);
    let metadata = json!({
        "created_time": START, "custom_metadata": null, "deletion_time": "2027-01-15T08:01:00Z",
        "destroyed": false, "version": 1,
    });
    assert_eq!(read(&mut bench, "data/a"), (404, json!({"data": null, "metadata": metadata})));
    assert_eq!(read(&mut bench, "subkeys/a"), (404, json!({"metadata": metadata, "subkeys": null})));
    assert_eq!(version(&mut bench, "data/a", json!(2)), MISSING);
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
fn old_versions_are_dropped() {
    // The larger of the limits of mount and key holds, and ten without either.
    for (mount, key, wanted) in [(0, 0, 5), (5, 2, 10), (2, 5, 10), (0, 1, 14), (12, 0, 3), (1, 1, 14), (14, 0, 0)] {
        let mut bench = bench();
        write(&mut bench, "config", json!({ "max_versions": mount }));
        write(&mut bench, "metadata/a", json!({ "max_versions": key }));
        for number in 1..=14 {
            write(&mut bench, "data/a", json!({"data": {"n": number}}));
        }
        let metadata = bench.data("metadata/a").unwrap();
        let first = wanted.max(1);
        assert_eq!((&metadata["oldest_version"], &metadata["current_version"]), (&json!(wanted), &json!(14)));
        assert_eq!(metadata["versions"].as_object().unwrap().len(), 15 - first, "{mount} {key}");
        assert_eq!(bench.stored().iter().filter(|(key, _)| key.starts_with("version/")).count(), 15 - first);
        for number in 1..=14 {
            let (status, data) = version(&mut bench, "data/a", json!(number));
            if number < first {
                assert_eq!((status, data), MISSING, "{number}");
            } else {
                assert_eq!((status, &data["data"]), (200, &json!({"n": number})));
            }
        }
    }
}

#[test]
fn a_smaller_limit_takes_effect_at_the_next_write() {
    let mut bench = with(&["a", "a", "a"]);
    write(&mut bench, "metadata/a", json!({"max_versions": 1}));
    assert_eq!(bench.data("metadata/a").unwrap()["versions"].as_object().unwrap().len(), 3);
    write(&mut bench, "data/a", json!({"data": {}}));
    let metadata = bench.data("metadata/a").unwrap();
    assert_eq!(metadata["versions"].as_object().unwrap().keys().collect::<Vec<_>>(), ["4"]);
}

#[test]
fn versions_are_deleted_after_a_time() {
    // (mount, key) → how long; the shorter holds, and a negative mount forbids it.
    for (mount, key, wanted) in [
        ("0s", "0s", None),
        ("10s", "0s", Some(10)),
        ("0s", "20s", Some(20)),
        ("10s", "20s", Some(10)),
        ("10s", "5s", Some(5)),
        ("-1s", "5s", None),
    ] {
        let mut bench = bench();
        let start = bench.now;
        write(&mut bench, "config", json!({ "delete_version_after": mount }));
        write(&mut bench, "metadata/a", json!({ "delete_version_after": key }));
        let (_, written) = write(&mut bench, "data/a", json!({"data": {"x": 1}}));
        let deletion = wanted.map(|seconds| start.plus_seconds(seconds).to_rfc3339()).unwrap_or_default();
        assert_eq!(written["deletion_time"], json!(deletion), "{mount} {key}");
        let Some(seconds) = wanted else { continue };
        bench.now = Timestamp::from_nanoseconds(start.plus_seconds(seconds).nanoseconds() - 1);
        assert_eq!(read(&mut bench, "data/a").0, 200);
        bench.now = start.plus_seconds(seconds);
        let (status, data) = read(&mut bench, "data/a");
        assert_eq!((status, &data["metadata"]["deletion_time"]), (404, &json!(deletion)));
        assert_eq!(patch(&mut bench, "data/a", json!({"data": {}})).0, 404);
        // Undeleted, it lives for the same time again.
        assert_eq!(write(&mut bench, "undelete/a", json!({"versions": [1]})), DONE);
        bench.now = bench.now.plus_seconds(seconds - 1);
        assert_eq!(read(&mut bench, "data/a").0, 200);
        bench.now = bench.now.plus_seconds(1);
        assert_eq!(read(&mut bench, "data/a").0, 404);
    }
}

#[test]
fn a_version_can_be_deleted_before_its_time_and_outlive_a_cleared_one() {
    let mut bench = bench();
    write(&mut bench, "metadata/a", json!({"delete_version_after": "1h"}));
    write(&mut bench, "data/a", json!({"data": {}}));
    bench.now = bench.now.plus_seconds(10);
    delete(&mut bench, "data/a");
    let (status, data) = read(&mut bench, "data/a");
    assert_eq!((status, &data["metadata"]["deletion_time"]), (404, &json!("2027-01-15T08:00:10Z")));
    write(&mut bench, "metadata/a", json!({"delete_version_after": 0}));
    write(&mut bench, "undelete/a", json!({"versions": [1]}));
    bench.now = bench.now.plus_seconds(100 * 86_400);
    assert_eq!(read(&mut bench, "data/a").1["metadata"]["deletion_time"], json!(""));
}

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
fn names_that_look_like_versions_do_not_collide() {
    let mut bench = bench();
    for name in ["a", "a/1", "a/1/1", "a/1", "a"] {
        write(&mut bench, &format!("data/{name}"), json!({"data": {"name": name}}));
    }
    for (name, number) in [("a", 1), ("a", 2), ("a/1", 1), ("a/1", 2), ("a/1/1", 1)] {
        let (_, data) = version(&mut bench, &format!("data/{name}"), json!(number));
        assert_eq!(data["data"], json!({ "name": name }), "{name} {number}");
    }
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

#[test]
fn paths_of_version_1_get_a_kind_word() {
    let hint = |command: &str| {
        (
            404,
            json!(format!(
                "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. \
             If using the OpenBao CLI, use 'bao kv {command}' for this operation."
            )),
        )
    };
    let root = (404, json!("Non-listing operations on the root of a K/V v2 mount are not supported."));
    let unsupported = (405, Value::Null);
    let folder = bad("cannot write to a path ending in '/'");
    let mut bench = with(&["a"]);
    for (operation, path, wanted) in [
        (Operation::Read, "", hint("get")),
        (Operation::Read, "a", hint("get")),
        (Operation::Update, "a/b", hint("put")),
        (Operation::Delete, "a", hint("delete")),
        (Operation::List, "", hint("list")),
        (Operation::List, "config", hint("list")),
        (Operation::Read, "subkeys", hint("get")),
        (Operation::Read, "data", root.clone()),
        (Operation::Update, "data", root.clone()),
        (Operation::Patch, "data", root.clone()),
        (Operation::Delete, "data", root.clone()),
        (Operation::Read, "metadata", root.clone()),
        (Operation::Update, "delete", root.clone()),
        (Operation::Read, "data/", MISSING),
        (Operation::Read, "metadata/", MISSING),
        (Operation::Read, "subkeys/", MISSING),
        (Operation::Delete, "data/", DONE),
        (Operation::Delete, "metadata/", DONE),
        (Operation::Update, "data/", folder.clone()),
        (Operation::Update, "a/", folder.clone()),
        (Operation::List, "data", unsupported.clone()),
        (Operation::List, "data/a", unsupported.clone()),
        (Operation::Scan, "data", unsupported.clone()),
        (Operation::Read, "detailed-metadata/a", unsupported.clone()),
        (Operation::Update, "detailed-metadata/a", unsupported),
    ] {
        let body = json!({"data": {}, "versions": [1]});
        assert_eq!(answer(&mut bench, operation, path, body), wanted, "{operation} {path:?}");
    }
}

#[test]
fn s01_s03_a_folder_is_not_the_secret_of_its_name() {
    let mut bench = with(&["a", "b", "f/x"]);
    for path in ["data/a/", "metadata/a/", "subkeys/a/", "data/f", "metadata/f"] {
        assert_eq!(read(&mut bench, path), MISSING, "{path}");
    }
    for path in ["data/a/", "metadata/a/", "metadata/f", "data/f"] {
        assert_eq!(delete(&mut bench, path), DONE, "{path}");
    }
    let body = json!({"data": {}, "versions": [1], "max_versions": 1});
    for path in ["data/a/", "metadata/a/", "delete/a/", "undelete/a/", "destroy/a/"] {
        assert_eq!(write(&mut bench, path, body.clone()), bad("cannot write to a path ending in '/'"), "{path}");
    }
    for path in ["data/a/", "metadata/a/"] {
        assert_eq!(patch(&mut bench, path, body.clone()), bad("cannot write to a path ending in '/'"), "{path}");
    }
    for path in ["metadata/a/../b", "metadata/./b", "metadata/a//b", "metadata//b", "data/../metadata/b"] {
        assert!(matches!(bench.delete(path), Err(Fault::Invalid(_))), "{path:?}");
    }
    assert_eq!(delete(&mut bench, "metadata/a/%2e%2e/b"), DONE);
    for name in ["a", "b", "f/x"] {
        assert_eq!(bench.data(&format!("data/{name}")).unwrap()["data"], json!({"x": 1}), "{name}");
    }
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

#[test]
fn create_and_update_are_told_apart() {
    let mut bench = with(&["a", "gone"]);
    write(&mut bench, "metadata/only", json!({"max_versions": 3}));
    delete(&mut bench, "data/gone");
    for (name, wanted) in [("a", true), ("gone", true), ("only", true), ("new", false), ("a/", false)] {
        for prefix in ["data", "metadata"] {
            let exists = bench.with(Operation::Update, &format!("{prefix}/{name}"), Default::default(), |cx, _| {
                if prefix == "data" {
                    super::metadata::exists_for_data(cx, ())
                } else {
                    super::metadata::exists(cx, ())
                }
            });
            assert_eq!(exists.unwrap(), wanted, "{prefix}/{name}");
        }
    }
    let kv = engine();
    let options = [("version".to_owned(), "2".to_owned())].into();
    let telling = kv.table(&options).routes().iter().filter(|route| route.tells_create()).map(|route| route.path);
    assert_eq!(telling.collect::<Vec<_>>(), ["data/{path:path}", "metadata/{path:path}"]);
}

/// Runs as if the mount's option `version` were set to `version` by a tune.
fn as_version<T>(
    bench: &mut Bench,
    version: &str,
    run: impl FnOnce(&mut engine::Cx) -> Result<T, Fault>,
) -> Result<T, Fault> {
    let options = [("version".to_owned(), version.to_owned())].into();
    bench.with(Operation::Update, "", Default::default(), |cx, _| {
        cx.mount = Arc::new(Mount { options, ..(*cx.mount).clone() });
        run(cx)
    })
}

#[test]
fn a_mount_of_version_1_becomes_one_of_version_2_and_not_back() {
    let mut bench = Bench::new(engine(), &[]);
    for name in ["a", "f/b", "f"] {
        bench.write(name, json!({ "name": name })).unwrap();
    }
    let kv = engine();
    for _ in 0..2 {
        as_version(&mut bench, "2", |cx| kv.mounted(cx)).unwrap();
        for name in ["a", "f/b", "f"] {
            let reply = as_version(&mut bench, "2", |cx| super::data::read_version(cx, name, 1, "data", |data| data));
            let (status, data) = seen(Operation::Read, reply);
            assert_eq!((status, &data["data"]), (200, &json!({ "name": name })));
        }
    }
    assert!(bench.stored().iter().all(|(key, _)| !key.starts_with("secret/")));
    for version in ["1", "", "3"] {
        assert!(matches!(as_version(&mut bench, version, |cx| kv.mounted(cx)), Err(Fault::Invalid(_))), "{version:?}");
    }
}
