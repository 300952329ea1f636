//! How the server starts, what it shows of itself, and how it stops.

use crate::doubles::HttpSink;
use crate::node::{Node, audit, eventually, settings, signal, text};
use e2e::http::{Client, Request};
use e2e::process::Process;
use e2e::server::{Folder, Storage, binary_under_test, free_address};
use serde_json::{Value, json};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

#[test]
fn development_mode_is_ready_in_seconds_and_stops_at_once() {
    for signal_name in ["TERM", "INT"] {
        let folder = Folder::new("dev").unwrap();
        let address = free_address().unwrap();
        let mut command = Command::new(binary_under_test().unwrap());
        command.args(["server", "-dev", &format!("-dev-listen-address={address}")]);
        command.current_dir(folder.path()).env("HOME", folder.path());
        let start = Instant::now();
        let log = folder.path().join("log");
        let mut process = Process::start(command, &log).unwrap();
        eventually("it says that it started", || text(&log).contains("Coffer server started!"));
        assert!(start.elapsed() < Duration::from_secs(10), "{:?}", start.elapsed());
        let word = |mark: &str| text(&log).lines().find_map(|line| line.strip_prefix(mark).map(str::to_owned)).unwrap();
        let (key, token) = (word("Unseal Key: "), word("Root Token: "));
        assert!(key.len() >= 44 && !token.is_empty());
        assert!(text(&log).contains(&format!("export VAULT_ADDR='http://{address}'")));
        assert_eq!(text(&folder.path().join(".vault-token")), token, "clients find the token");
        let client = Client::new(address);
        let write = Request::api("POST", "secret/data/x", &token).with_json(&json!({ "data": { "a": "b" } }));
        assert_eq!(client.send(&write).unwrap().status, 200, "kv version 2 is at secret/");
        // A connection that idles does not hold up the end.
        let idle = client.connect().unwrap();
        let stop = Instant::now();
        signal(process.id(), signal_name);
        let status = process.wait(Duration::from_secs(5)).expect("it ends");
        assert!(status.success() && stop.elapsed() < Duration::from_secs(4), "{status} after {:?}", stop.elapsed());
        drop(idle);
    }
}

#[test]
fn requests_under_way_finish_and_are_shown_meanwhile() {
    let sink = HttpSink::start();
    let uri = format!("http://{}/audit", sink.address);
    let mut settings = settings(audit(&[("http", "away", json!({ "uri": uri }))]));
    let other = free_address().unwrap();
    settings.listeners.push(json!({ "tcp": {
        "address": other.to_string(), "tls_disable": true,
        "profiling": { "unauthenticated_in_flight_request_access": true },
    }}));
    settings.storage = Storage::Durable;
    let mut node = Node::start_with(&settings);
    node.mount_kv();
    sink.take_if(|_| {
        std::thread::sleep(Duration::from_millis(600));
        true
    });
    let (client, token) = (node.server.client, node.server.root_token.clone());
    let slow = std::thread::spawn(move || {
        let request = Request::api("POST", "secret/slow", &token).with_json(&json!({ "value": "x" }));
        client.send(&request).unwrap().status
    });
    let in_flight = || Client::new(other).send(&Request::api("GET", "sys/in-flight-req", "")).unwrap().json();
    eventually("it is under way", || {
        in_flight().as_object().unwrap().values().any(|flight| flight["request_path"] == "/v1/secret/slow")
    });
    node.signal("TERM");
    assert_eq!(slow.join().unwrap(), 204, "a request under way finishes");
    assert!(node.server.process.wait(Duration::from_secs(6)).is_some_and(|status| status.success()));
    sink.take_if(|_| true);
    node.server.restart().unwrap();
    node.server.unseal().unwrap();
    assert_eq!(node.root("GET", "secret/slow", None).json()["data"]["value"], "x");
}

#[test]
fn the_pid_file_is_there_as_long_as_the_process() {
    let mut node = Node::start(json!({ "pid_file": "coffer.pid" }));
    let file = node.folder().join("coffer.pid");
    assert_eq!(text(&file), node.server.process.id().to_string());
    node.signal("TERM");
    assert!(node.server.process.wait(Duration::from_secs(5)).is_some());
    assert!(!file.exists());
}

#[test]
fn f38_memory_stays_out_of_core_dumps() {
    let node = Node::start(json!({}));
    let limits = text(Path::new(&format!("/proc/{}/limits", node.server.process.id())));
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().skip(4).take(2).collect::<Vec<_>>(), ["0", "0"]);
}

#[test]
fn s41_s103_the_process_shows_itself_without_secrets() {
    let node = Node::start(json!({
        "audit": { "file": { "main": { "options": { "file_path": "CANARY-audit.log" } } } },
    }));
    let config = node.root("GET", "sys/config/state/sanitized", None);
    let text = String::from_utf8(config.body.clone()).unwrap();
    assert!(!text.contains("CANARY") && !text.contains(&node.server.root_token));
    let data = config.json()["data"].clone();
    assert_eq!((&data["storage"]["type"], &data["cluster_name"]), (&json!("inmem"), &json!("judged")));
    assert_eq!(data["listeners"][0]["type"], "tcp");
    let host = node.root("GET", "sys/host-info", None).json()["data"].clone();
    assert!(host["memory"]["total"].as_u64().is_some_and(|bytes| bytes > 0));
    assert!(host["cpu"].as_array().is_some_and(|cores| !cores.is_empty()));
    assert!(host["host"]["hostname"].is_string() && host["disk"].is_array());
    let counters = node.root("GET", "sys/internal/counters/tokens", None).json();
    assert_eq!(counters["data"]["counters"]["service_tokens"]["total"], 1);
}

#[test]
fn what_cannot_start_says_why() {
    let start = |configuration: Value| {
        let folder = Folder::new("refused").unwrap();
        let file = folder.path().join("coffer.json");
        std::fs::write(&file, configuration.to_string()).unwrap();
        let mut command = Command::new(binary_under_test().unwrap());
        command.arg("server").arg(format!("-config={}", file.display())).current_dir(folder.path());
        let log = folder.path().join("log");
        let mut process = Process::start(command, &log).unwrap();
        let status = process.wait(Duration::from_secs(10)).expect("it ends");
        assert_eq!(status.code(), Some(1));
        text(&log)
    };
    let address = free_address().unwrap().to_string();
    let listener = json!({ "tcp": { "address": address, "tls_disable": true } });
    assert!(start(json!({ "listener": listener })).contains("storage backend must be specified"));
    let raw = json!({ "storage": { "inmem": {} }, "listener": listener, "raw_storage_endpoint": true });
    assert!(start(raw).contains("as good as root"));
    let tls = json!({ "tcp": { "address": address, "tls_cert_file": "none.pem", "tls_key_file": "none.key" } });
    assert!(start(json!({ "storage": { "inmem": {} }, "listener": tls })).contains("none.pem"));
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let there = json!({ "tcp": { "address": taken.local_addr().unwrap().to_string(), "tls_disable": true } });
    assert!(start(json!({ "storage": { "inmem": {} }, "listener": there })).contains("error initializing listener"));
}
