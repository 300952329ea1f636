//! One path, one spelling: what the policies see is what the engines and the audit trail see.

use crate::node::Node;
use crate::routes;
use serde_json::{Value, json};

fn kv(node: &Node) {
    node.write("sys/mounts/secret", json!({ "type": "kv", "options": { "version": "2" } }));
    node.write("sys/mounts/kv1", json!({ "type": "kv", "options": { "version": "1" } }));
}

#[test]
fn s01_no_spelling_of_a_path_reaches_what_the_policy_does_not_name() {
    let node = Node::start();
    kv(&node);
    for path in ["secret/data/a/b", "secret/data/b", "secret/data/a"] {
        node.write(path, json!({ "data": { "v": path } }));
    }
    let token = node.token(r#"path "secret/metadata/a/*" { capabilities = ["delete", "read", "list"] }"#);
    let forms = [
        "a/%2e%2e/b",
        "a/..%2fb",
        "a/%252e%252e/b",
        "a/./../b",
        "a//b",
        "a/../b",
        "a/%2e./b",
        "a/.%2e/b",
        "a/%2E%2E/b",
        "a%2f..%2fb",
        "a/..;/b",
        "a/..\\b",
        "a/..%5cb",
        "a/%c0%ae%c0%ae/b",
        "a/%ef%bc%8e%ef%bc%8e/b",
        "a/%00/../b",
        "./b",
        "%2e/b",
        "a/../../metadata/b",
        "a/%2e%2e%2fb",
        "/b",
        "b/../b",
        "A/../b",
        "b",
    ];
    for form in forms {
        for method in ["DELETE", "GET", "LIST"] {
            let answer = node.call(method, &format!("secret/metadata/{form}"), &token, None);
            // A doubly encoded or folded form may name another secret in the caller's own folder, and there is none there.
            let own = (method == "DELETE" && answer.status == 204) || answer.status == 404;
            assert!(
                [400, 403].contains(&answer.status) || (own && form.starts_with("a/")),
                "{method} {form}: {}",
                answer.status
            );
        }
    }
    for path in ["secret/data/a/b", "secret/data/b", "secret/data/a"] {
        let answer = node.root("GET", path, Value::Null);
        assert_eq!(answer.json()["data"]["data"]["v"], path, "what the policy does not name is as it was");
    }
}

#[test]
fn s03_a_list_or_scan_of_a_denied_folder_is_denied_however_its_slash_is_written() {
    let node = Node::start();
    kv(&node);
    for name in ["private/x/y", "private/z", "open"] {
        node.write(&format!("secret/data/{name}"), json!({ "data": { "v": 1 } }));
        node.write(&format!("kv1/{name}"), json!({ "v": 1 }));
    }
    let token = node.token(
        r#"path "secret/metadata/*" { capabilities = ["list", "scan", "read"] }
           path "secret/metadata/private/*" { capabilities = ["deny"] }
           path "kv1/*" { capabilities = ["list", "scan", "read"] }
           path "kv1/private/*" { capabilities = ["deny"] }"#,
    );
    for mount in ["secret/metadata", "kv1"] {
        for folder in ["private", "private/", "private/x", "private/x/"] {
            for (method, query) in [("LIST", ""), ("SCAN", ""), ("GET", "?list=true"), ("GET", "?scan=true")] {
                let path = format!("{mount}/{folder}{query}");
                assert_eq!(node.status(method, &path, &token), 403, "{method} {path}");
            }
        }
        assert_eq!(node.status("LIST", mount, &token), 200, "what is not denied works");
    }
}

#[test]
fn s05_a_deny_that_cannot_render_closes_the_token() {
    let node = Node::start();
    kv(&node);
    node.write("secret/data/a", json!({ "data": { "v": 1 } }));
    let token = node.token(
        r#"path "*" { capabilities = ["read", "list"] }
           path "secret/data/{{identity.entity.metadata.team}}/*" { capabilities = ["deny"] }"#,
    );
    let answer = node.call("GET", "secret/data/a", &token, None);
    assert_eq!((answer.status, answer.json()["data"].is_null()), (403, true));
}

/// Every form of F23, put at the end of a path and in front of its last segment.
const FORMS: [&str; 24] = [
    "%2e%2e",
    "..",
    ".",
    "%2f",
    "%5c",
    "\\",
    "//",
    "/./",
    "/.",
    "/..",
    "%20",
    "%00",
    "%c0%af",
    "%e0%80%af",
    "%c3%a9",
    "e%cc%81",
    "%e2%80%ae",
    "%ef%bb%bf",
    ";x",
    "%3f",
    "%23",
    "*",
    "%2a",
    "%ff",
];

#[test]
fn f23_a_path_is_refused_or_is_the_same_to_policy_store_and_audit_trail() {
    let node = Node::start();
    routes::mount_all(&node);
    let all = routes::all(&node);
    let token = node.token(r#"path "none" { capabilities = ["read"] }"#);
    let mut connection = node.connection();
    let (mut refused, mut same) = (0, 0);
    for route in &all {
        for form in FORMS {
            let path = format!("{}{form}", route.filled("x"));
            let request = e2e::http::Request::api("GET", &path, &token);
            let answer = connection.send(&request, true).unwrap();
            match answer.status {
                400 => refused += 1,
                403 => same += 1,
                // Open routes answer everybody.
                200 | 404 | 405 if open(&route.pattern) => {}
                other => panic!("GET {path}: {other}"),
            }
        }
    }
    assert!(refused > all.len() * 8 && same > all.len() * 4, "{refused} refused, {same} judged");
    every_audited_path_is_canonical(&node);
}

fn open(pattern: &str) -> bool {
    let open = crate::rights::OPEN.iter().map(|(_, path)| path.trim_end_matches('*')).chain(crate::rights::BY_SHARE);
    open.into_iter().any(|path| pattern.starts_with(path))
}

fn every_audited_path_is_canonical(node: &Node) {
    for line in node.trail().lines() {
        let entry: Value = serde_json::from_str(line).unwrap();
        let path = entry["request"]["path"].as_str().unwrap();
        let body = path.strip_suffix('/').unwrap_or(path);
        assert!(!body.split('/').any(|segment| ["", ".", ".."].contains(&segment)), "{path:?}");
        assert!(!path.chars().any(char::is_control), "{path:?}");
    }
}

#[test]
fn f23_a_stored_name_is_the_name_that_was_audited_and_listed() {
    let node = Node::start();
    kv(&node);
    for (raw, name) in [
        ("%2a", "*"),
        ("a%20b", "a b"),
        ("%c3%a9", "é"),
        ("e%cc%81", "e\u{301}"),
        (";x", ";x"),
        ("%3f", "?"),
        ("%23", "#"),
        ("%252e", "%2e"),
        ("a+b", "a+b"),
        ("%5c", "\\"),
        ("Ab", "Ab"),
        ("ab", "ab"),
    ] {
        node.write(&format!("kv1/forms/{raw}"), json!({ "v": name }));
        let trail = node.trail();
        let entry: Value = serde_json::from_str(trail.lines().last().unwrap()).unwrap();
        assert_eq!(entry["request"]["path"], format!("kv1/forms/{name}"));
        assert_eq!(node.root("GET", &format!("kv1/forms/{raw}"), Value::Null).json()["data"]["v"], name);
        let listed = node.root("LIST", "kv1/forms", Value::Null).json();
        assert!(listed["data"]["keys"].as_array().unwrap().contains(&json!(name)), "{name} in {listed}");
    }
    let listed = node.root("LIST", "kv1/forms", Value::Null).json();
    assert_eq!(listed["data"]["keys"].as_array().unwrap().len(), 12, "no two forms are one");
}

#[test]
fn f24_only_declared_methods_do_anything() {
    let node = Node::start();
    routes::mount_all(&node);
    let mut connection = node.connection();
    let root = node.server.root_token.clone();
    for route in routes::all(&node) {
        let path = route.filled("method-matrix");
        for method in ["TRACE", "OPTIONS", "get", "PROPFIND", "LIST2", "COPY", "M-SEARCH"] {
            let answer = connection.send(&e2e::http::Request::api(method, &path, &root), true).unwrap();
            assert_eq!(answer.status, 405, "{method} {path}");
        }
        // What a header calls the method is nothing.
        let mut request = e2e::http::Request::api("GET", &path, "");
        for name in ["X-HTTP-Method-Override", "X-HTTP-Method", "X-Method-Override", "_method"] {
            request.headers.push((name.to_owned(), "DELETE".to_owned()));
        }
        let plain = connection.send(&e2e::http::Request::api("GET", &path, ""), true).unwrap();
        assert_eq!(connection.send(&request, true).unwrap().status, plain.status, "{path}");
    }
    assert_eq!(node.status("GET", "sys/mounts", &root), 200);
    let answer = node.send(&e2e::http::Request {
        headers: vec![("X-Vault-Token".into(), root)],
        ..e2e::http::Request::api("PATCH", "sys/policies/acl/default", "").with_json(&json!({ "policy": "" }))
    });
    assert!([400, 415].contains(&answer.status), "a patch says that it is one: {}", answer.status);
}
