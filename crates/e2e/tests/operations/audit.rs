//! The audit trail: nothing happens that is not on it, and nothing on it is lost.

use crate::doubles::HttpSink;
use crate::node::{Node, audit, audit_file, entries, eventually, settings, text};
use e2e::http::Request;
use e2e::server::Storage;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

const SECRET: &str = "canary-5f0c";

fn sink_node() -> (HttpSink, Node) {
    let sink = HttpSink::start();
    let uri = format!("http://{}/audit", sink.address);
    let node = Node::start(audit(&[("http", "away", json!({ "uri": uri }))]));
    node.mount_kv();
    (sink, node)
}

/// Number, hash before and hash of each line.
fn links(text: &str) -> Vec<(u64, String, String)> {
    let word = |value: &Value| value.as_str().unwrap().to_owned();
    text.lines()
        .map(|line| serde_json::from_str::<Value>(line).unwrap())
        .map(|entry| {
            let chain = &entry["chain"];
            (chain["seq"].as_u64().unwrap(), word(&chain["prev"]), word(&chain["hash"]))
        })
        .collect()
}

fn assert_chained(links: &[(u64, String, String)]) {
    for pair in links.windows(2) {
        assert_eq!((pair[1].0, &pair[1].1), (pair[0].0 + 1, &pair[0].2), "the chain breaks after line {}", pair[0].0);
    }
}

#[test]
fn f08_without_the_request_entry_nothing_is_changed_and_nothing_leaks() {
    let (sink, node) = sink_node();
    node.write("secret/x", json!({ "value": SECRET }));
    sink.take_if(|_| false);
    let write = node.root("POST", "secret/x", Some(json!({ "value": "second" })));
    let read = node.root("GET", "secret/x", None);
    let denied = node.call("GET", "secret/x", "nobody", None);
    // A load balancer sees it too.
    let health = node.call("GET", "sys/health", "", None);
    for answer in [&write, &read, &denied, &health] {
        assert_eq!(answer.status, 500);
        assert!(!String::from_utf8_lossy(&answer.body).contains(SECRET));
    }
    assert_eq!(node.root("POST", "sys/mounts/other", Some(json!({ "type": "kv" }))).status, 500);
    sink.take_if(|_| true);
    assert_eq!(node.root("GET", "secret/x", None).json()["data"]["value"], SECRET, "it heals without a restart");
    assert_eq!(node.root("GET", "sys/mounts/other", None).status, 400);
}

#[test]
fn f08_a_file_that_is_full_in_the_middle_of_a_line_keeps_whole_lines_and_heals() {
    let mut settings = settings(audit_file());
    // A limit of the process on the size of files stands for a full disk: it cuts the write that passes it.
    let limited = "ulimit -f 64; trap '' XFSZ; exec \"$@\"";
    settings.wrapper = ["sh", "-c", limited, "sh"].map(str::to_owned).to_vec();
    let node = Node::start_with(&settings);
    node.mount_kv();
    let log = node.folder().join("audit.log");
    let value = json!({ "list": vec![SECRET; 7] });
    let refused =
        (0..200).find(|number| node.root("POST", &format!("secret/{number}"), Some(value.clone())).status == 500);
    assert!(refused.is_some(), "the file has a limit");
    let full = text(&log);
    assert!(full.ends_with('\n'), "no half line");
    assert_chained(&links(&full));
    let moved = node.folder().join("audit.log.1");
    std::fs::rename(&log, &moved).unwrap();
    node.signal("HUP");
    eventually("it heals", || node.root("GET", "secret/0", None).status == 200);
    assert_chained(&links(&(text(&moved) + &text(&log))));
}

#[test]
fn without_the_response_entry_a_change_stays_and_its_reply_does_not_leave() {
    let (sink, node) = sink_node();
    sink.take_if(|body| !body.contains("\"type\":\"response\""));
    let write = node.root("POST", "secret/x", Some(json!({ "value": SECRET })));
    assert_eq!(write.status, 500);
    let token = node.root("POST", "auth/token/create", Some(json!({ "ttl": "1h" })));
    assert_eq!((token.status, token.json().get("auth").cloned()), (500, None));
    sink.take_if(|_| true);
    assert_eq!(node.root("GET", "secret/x", None).json()["data"]["value"], SECRET);
    let bodies = sink.taken();
    assert!(bodies.iter().all(|(path, body)| path == "/audit" && body.ends_with(b"\"}}\n")));
}

#[test]
fn f09_a_broken_device_does_not_stop_the_others_and_metrics_show_it() {
    let mut settings = settings(audit(&[
        ("file", "main", json!({ "file_path": "audit.log" })),
        ("file", "full", json!({ "file_path": "/dev/full" })),
    ]));
    settings.storage = Storage::Durable;
    let node = Node::start_with(&settings);
    node.mount_kv();
    for _ in 0..20 {
        node.write("secret/x", json!({ "value": SECRET }));
    }
    let metrics = node.root("GET", "sys/metrics?format=prometheus", None);
    let metrics = String::from_utf8_lossy(&metrics.body).into_owned();
    assert!(metrics.contains("coffer_audit_device_broken{device=\"full/\"} 1"), "{metrics}");
    assert!(metrics.contains("coffer_audit_device_broken{device=\"main/\"} 0"));
    assert!(node.log().contains("audit device is broken"));
}

#[test]
fn f10_rotation_under_load_loses_no_line() {
    let node = Arc::new(Node::start(audit_file()));
    node.mount_kv();
    let log = node.folder().join("audit.log");
    let stop = Arc::new(AtomicBool::new(false));
    let workers: Vec<_> = (0..4)
        .map(|worker| {
            let (node, stop) = (node.clone(), stop.clone());
            std::thread::spawn(move || {
                let mut connection = node.server.client.connect().unwrap();
                let mut count = 0;
                while !stop.load(Ordering::Relaxed) {
                    let request = Request::api("POST", &format!("secret/{worker}/{count}"), &node.server.root_token);
                    let request = request.with_json(&json!({ "value": SECRET }));
                    assert_eq!(connection.send(&request, true).unwrap().status, 204);
                    count += 1;
                }
                count
            })
        })
        .collect();
    for round in 0..5 {
        std::thread::sleep(Duration::from_millis(100));
        std::fs::rename(&log, node.folder().join(format!("audit.log.{round}"))).unwrap();
        node.signal("HUP");
        eventually("the file is made anew", || log.exists());
    }
    stop.store(true, Ordering::Relaxed);
    let written: usize = workers.into_iter().map(|worker| worker.join().unwrap()).sum();
    let mut whole: String = (0..5).map(|round| text(&node.folder().join(format!("audit.log.{round}")))).collect();
    whole += &text(&log);
    assert_chained(&links(&whole));
    let of_writes =
        whole.lines().filter(|line| line.contains("\"mount_type\":\"kv\"") && line.contains("\"path\":\"secret/"));
    assert_eq!(of_writes.count(), 2 * written, "a request and a response for each of {written} writes");
    assert!(!whole.contains(SECRET));
}

#[test]
fn f11_after_a_kill_the_chain_goes_on_and_every_answer_has_its_request() {
    let mut settings = settings(audit_file());
    settings.storage = Storage::Durable;
    let mut node = Node::start_with(&settings);
    node.mount_kv();
    let log = node.folder().join("audit.log");
    for round in 0..3 {
        let (client, token) = (node.server.client, node.server.root_token.clone());
        let writer = std::thread::spawn(move || {
            let Ok(mut connection) = client.connect() else { return };
            for number in 0.. {
                let request = Request::api("POST", &format!("secret/{number}"), &token);
                if connection.send(&request.with_json(&json!({ "value": SECRET })), true).is_err() {
                    return;
                }
            }
        });
        std::thread::sleep(Duration::from_millis(100 + 37 * round));
        node.server.restart().unwrap();
        writer.join().unwrap();
        node.server.unseal().unwrap();
    }
    // A line that the end of a process cut off is told of by the next.
    node.server.process.kill();
    let whole = text(&log);
    std::fs::write(&log, &whole[..whole.len() - 40]).unwrap();
    node.server.restart().unwrap();
    node.server.unseal().unwrap();
    node.write("secret/last", json!({ "value": SECRET }));
    assert_chained(&links(&text(&log)));
    let mut requests: BTreeMap<String, i32> = BTreeMap::new();
    let mut recovered = 0;
    for entry in entries(&log) {
        let id = || entry["request"]["id"].as_str().unwrap().to_owned();
        match entry["type"].as_str().unwrap() {
            "request" => *requests.entry(id()).or_default() += 1,
            "response" => *requests.get_mut(&id()).expect("no response without a request before it") -= 1,
            "recovery" => recovered += 1,
            other => panic!("{other}"),
        }
    }
    assert!(requests.values().all(|count| (0..=1).contains(count)));
    let open = requests.values().filter(|count| **count == 1).count();
    assert!(open <= 4 && recovered >= 1, "{open} requests without an answer, {recovered} lines cut off");
}

#[test]
fn an_entry_says_who_did_what_and_no_value_in_clear() {
    let node = Node::start(audit_file());
    node.mount_kv();
    node.write("secret/x", json!({ "value": SECRET, "number": 4711, "nested": { "list": [SECRET] } }));
    let log = node.folder().join("audit.log");
    let entries = entries(&log);
    let [.., request, response] = entries.as_slice() else { panic!("two entries") };
    assert_eq!((&request["type"], &response["type"]), (&json!("request"), &json!("response")));
    assert_eq!(request["request"]["operation"], "create");
    assert_eq!(request["request"]["path"], "secret/x");
    assert_eq!(request["request"]["mount_type"], "kv");
    assert_eq!(request["request"]["remote_address"], "127.0.0.1");
    assert_eq!(request["auth"]["display_name"], "root");
    let hash = node.write("sys/audit-hash/main", json!({ "input": SECRET })).text_at("/data/hash").unwrap();
    assert_eq!(request["request"]["data"]["value"], hash, "a known value can be found by its hash");
    assert_eq!(request["request"]["data"]["nested"]["list"][0], hash);
    let text = text(&log);
    for clear in [SECRET, "4711", &node.server.root_token] {
        assert!(!text.contains(clear), "{clear}");
    }
}
