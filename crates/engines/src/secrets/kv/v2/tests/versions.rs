//! What becomes of versions: deleted by hand and by time, undeleted, destroyed, dropped.

use super::*;

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
