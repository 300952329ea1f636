//! No effect and no reply without an entry in the audit trail, and a trail that cannot be turned into anything else.

use crate::node::{Node, settings};
use e2e::http::Request;
use serde_json::{Value, json};
use std::fs;
use std::time::Duration;

const UNAUDITED: &str = "request could not be audited";

#[test]
fn s28_what_cannot_be_audited_has_no_effect_and_tells_nothing() {
    let mut settings =
        settings(&json!({ "audit": { "file": { "main": { "options": { "file_path": "trail/audit.log" } } } } }));
    settings.wrapper = ["sh", "-c", "mkdir -p trail; exec \"$0\" \"$@\""].map(str::to_owned).to_vec();
    let node = Node::start_with(&settings);
    node.write("sys/mounts/kv1", json!({ "type": "kv" }));
    node.write("kv1/a", json!({ "v": "kept" }));
    let root = node.server.root_token.clone();
    let tokens = |node: &Node| {
        node.root("LIST", "auth/token/accessors", Value::Null).json()["data"]["keys"].as_array().map(Vec::len)
    };
    let before = tokens(&node);
    // The folder goes away under the open file, which is noticed within half a second.
    fs::remove_dir_all(node.folder().join("trail")).unwrap();
    std::thread::sleep(Duration::from_millis(700));
    for (method, path, body) in [
        ("GET", "kv1/a", Value::Null),
        ("POST", "kv1/a", json!({ "v": "changed" })),
        ("POST", "sys/policies/acl/made", json!({ "policy": "path \"x\" { capabilities = [\"read\"] }" })),
        ("POST", "auth/token/create", json!({ "policies": ["default"] })),
        ("POST", "sys/wrapping/wrap", json!({ "v": "s28-canary" })),
        ("POST", "sys/rotate", json!({})),
        ("POST", "sys/rekey/init", json!({ "secret_shares": 1, "secret_threshold": 1 })),
        ("POST", "sys/generate-root/attempt", json!({})),
        ("POST", "sys/loggers", json!({ "level": "error" })),
        ("PUT", "sys/seal", json!({})),
        ("GET", "sys/mounts", Value::Null),
    ] {
        let answer = node.call(method, path, &root, Some(body).filter(|body| !body.is_null()));
        let text = String::from_utf8_lossy(&answer.body).into_owned();
        // What is no route here yet is refused the same way: the refusal has no entry either.
        assert_eq!(answer.status, 500, "{method} {path}: {text}");
        assert!(text.contains(UNAUDITED), "{method} {path}: {text}");
    }
    fs::create_dir(node.folder().join("trail")).unwrap();
    std::thread::sleep(Duration::from_millis(700));
    assert_eq!(node.root("GET", "kv1/a", Value::Null).json()["data"]["v"], "kept", "it works again, without a restart");
    assert_eq!(node.status("GET", "sys/policies/acl/made", &root), 404);
    assert_eq!(tokens(&node), before);
    for ceremony in ["sys/generate-root/attempt", "sys/rekey/init"] {
        assert_ne!(node.call("GET", ceremony, &root, None).json()["started"], true, "{ceremony}");
    }
    node.canary("s28-canary");
}

#[test]
fn s33_s34_no_audit_device_writes_into_what_is_not_an_audit_log() {
    let node = Node::start();
    let folder = node.folder().to_owned();
    fs::write(folder.join("script.sh"), "#!/bin/sh\n").unwrap();
    fs::write(folder.join("crontab"), "* * * * * true\n").unwrap();
    std::os::unix::fs::symlink(folder.join("audit.log"), folder.join("link.log")).unwrap();
    std::os::unix::fs::symlink(&folder, folder.join("folder-link")).unwrap();
    let journal = fs::read_dir(folder.join("data"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .find(|path| path.is_file())
        .unwrap();
    let at = |path: &str| folder.join(path).display().to_string();
    let file = |path: String| json!({ "type": "file", "options": { "file_path": path } });
    let new = file(at("new.log"));
    let with = |name: &str, value: &str| {
        let mut body = new.clone();
        body["options"][name] = json!(value);
        body
    };
    for body in [
        with("prefix", "#!/bin/sh\n"),
        with("mode", "0755"),
        with("mode", "4600"),
        with("path", &at("other.log")),
        with("format", "jsonx"),
        file(at("script.sh")),
        file(at("crontab")),
        file(at("server.json")),
        file(at("link.log")),
        file(at("data/new.log")),
        file(journal.display().to_string()),
        file(at("folder-link/data/new.log")),
        file(at("no-such-folder/new.log")),
        file("/proc/self/mem".into()),
        file("/proc/self/fd/3".into()),
        file("/sys/kernel/x".into()),
        json!({ "type": "file", "options": { "path": at("script.sh") } }),
        json!({ "type": "file", "options": { "path": at("data/new.log") } }),
        json!({ "type": "file", "options": {} }),
        json!({ "type": "exec", "options": { "command": "/bin/sh" } }),
    ] {
        let answer = node.call("POST", "sys/audit/evil", &node.server.root_token, Some(body.clone()));
        assert_eq!(answer.status, 400, "{body}: {}", String::from_utf8_lossy(&answer.body));
    }
    assert_eq!(fs::read_to_string(folder.join("script.sh")).unwrap(), "#!/bin/sh\n");
    assert_eq!(fs::read_to_string(folder.join("crontab")).unwrap(), "* * * * * true\n");
    assert!(!folder.join("data/new.log").exists());
    assert_eq!(node.call("POST", "sys/audit/good", &node.server.root_token, Some(new)).status, 204);
    let mode = std::os::unix::fs::PermissionsExt::mode(&fs::metadata(folder.join("new.log")).unwrap().permissions());
    assert_eq!(mode & 0o777, 0o600);
    assert_eq!(node.status("GET", "sys/health", ""), 200);
}

#[test]
fn s34_devices_over_the_api_need_the_configuration() {
    let node = Node::start_with(&settings(&json!({ "unsafe_allow_api_audit_creation": false })));
    for (path, body) in [
        ("sys/audit/x", json!({ "type": "file", "options": { "file_path": "x.log" } })),
        ("sys/audit/y", json!({ "type": "file", "options": { "path": "x.log" } })),
    ] {
        let answer = node.send(&Request::api("POST", path, &node.server.root_token).with_json(&body));
        assert!((400..500).contains(&answer.status), "{}", answer.status);
    }
    assert!(!node.folder().join("x.log").exists());
}
