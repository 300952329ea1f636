//! Which path means what, and the change from version 1.

use super::*;
use crate::secrets::kv::answers::seen;
use crate::secrets::kv::v2;
use engine::{Engine, Mount};
use std::sync::Arc;

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
fn create_and_update_are_told_apart() {
    let mut bench = with(&["a", "gone"]);
    write(&mut bench, "metadata/only", json!({"max_versions": 3}));
    delete(&mut bench, "data/gone");
    for (name, wanted) in [("a", true), ("gone", true), ("only", true), ("new", false), ("a/", false)] {
        for prefix in ["data", "metadata"] {
            let exists = bench.with(Operation::Update, &format!("{prefix}/{name}"), Default::default(), |cx, _| {
                if prefix == "data" { v2::metadata::exists_for_data(cx, ()) } else { v2::metadata::exists(cx, ()) }
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
            let reply = as_version(&mut bench, "2", |cx| v2::data::read_version(cx, name, 1, "data", |data| data));
            let (status, data) = seen(Operation::Read, reply);
            assert_eq!((status, &data["data"]), (200, &json!({ "name": name })));
        }
    }
    assert!(bench.stored().iter().all(|(key, _)| !key.starts_with("secret/")));
    for version in ["1", "", "3"] {
        assert!(matches!(as_version(&mut bench, version, |cx| kv.mounted(cx)), Err(Fault::Invalid(_))), "{version:?}");
    }
}
