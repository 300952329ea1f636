//! The operational log and traces: what they say, and what they must not.

use crate::doubles::HttpSink;
use crate::node::{Node, eventually, settings};
use e2e::http::Request;
use serde_json::{Value, json};

const SECRET: &str = "canary-77aa";

fn settings_with_log(level: &str) -> e2e::server::Settings {
    settings(json!({ "log_level": level, "log_format": "json" }))
}

/// The log's entries; lines that are not JSON are the banner's.
fn entries(node: &Node) -> Vec<Value> {
    node.log().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
}

#[test]
fn f39_the_log_is_json_and_holds_no_secret_at_its_most_talkative_level() {
    let node = Node::start_with(&settings_with_log("trace"));
    node.mount_kv();
    node.write("secret/x", json!({ "value": SECRET }));
    node.root("GET", "secret/x", None);
    node.write("sys/auth/userpass", json!({ "type": "userpass" }));
    node.write("auth/userpass/users/ada", json!({ "password": SECRET, "policies": ["default"] }));
    let wrong = node.call("POST", "auth/userpass/login/ada", "", Some(json!({ "password": "canary-77ab" })));
    assert_eq!(wrong.status, 400);
    node.call("POST", "secret/x", &node.server.root_token, Some(json!({ "value": [SECRET], "ttl": { "x": SECRET } })));
    let served = entries(&node).into_iter().filter(|entry| entry["message"] == "request served");
    assert!(served.count() >= 6);
    let log = node.log();
    for secret in [SECRET, "canary-77ab", &node.server.root_token, &node.server.shares[0]] {
        assert!(!log.contains(secret), "the log holds a secret");
    }
}

#[test]
fn levels_change_for_real_and_for_one_logger() {
    let node = Node::start_with(&settings_with_log("warn"));
    node.mount_kv();
    let levels = || node.root("GET", "sys/loggers", None).json()["data"].clone();
    assert_eq!(levels()["core"], "warn");
    let count = || entries(&node).iter().filter(|entry| entry["message"] == "request served").count();
    node.root("GET", "secret/x", None);
    assert_eq!(count(), 0);
    node.write("sys/loggers/core", json!({ "level": "debug" }));
    assert_eq!((levels()["core"].clone(), levels()["audit"].clone()), (json!("debug"), json!("warn")));
    assert!(count() >= 1);
    assert_eq!(node.root("DELETE", "sys/loggers/core", None).status, 204);
    let before = count();
    node.root("GET", "secret/x", None);
    assert_eq!((count(), levels()["core"].clone()), (before, json!("warn")));
    node.write("sys/loggers", json!({ "level": "error" }));
    assert!(levels().as_object().unwrap().values().all(|level| level == "error"));
    assert_eq!(node.root("GET", "sys/loggers/nothing", None).status, 404);
}

#[test]
fn s41_credentials_of_a_proxy_stand_nowhere() {
    let mut settings = settings_with_log("trace");
    for name in ["https_proxy", "HTTP_PROXY", "ALL_PROXY"] {
        settings.environment.push((name.to_owned(), format!("http://user:{SECRET}@127.0.0.1:9")));
    }
    settings.environment.push(("NO_PROXY".to_owned(), "127.0.0.1".to_owned()));
    let node = Node::start_with(&settings);
    let shown = ["sys/config/state/sanitized", "sys/metrics", "sys/host-info", "sys/metrics?format=prometheus"]
        .map(|path| String::from_utf8(node.root("GET", path, None).body).unwrap());
    assert!(shown.iter().all(|text| !text.contains(SECRET)));
    assert!(!node.log().contains(SECRET));
}

fn spans(collector: &HttpSink) -> Vec<Value> {
    let documents = collector.taken().into_iter().filter(|(path, _)| path == "/v1/traces");
    documents
        .map(|(_, body)| serde_json::from_slice::<Value>(&body).unwrap())
        .flat_map(|document| document["resourceSpans"][0]["scopeSpans"][0]["spans"].as_array().cloned().unwrap())
        .collect()
}

#[test]
fn traces_reach_a_collector_and_hold_no_secret() {
    let collector = HttpSink::start();
    let endpoint = format!("http://{}", collector.address);
    let node = Node::start(json!({ "telemetry": { "otlp_endpoint": endpoint } }));
    node.mount_kv();
    let parent = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";
    let mut request = Request::api("POST", "secret/canary-path", &node.server.root_token);
    request.headers.push(("traceparent".to_owned(), parent.to_owned()));
    assert_eq!(node.server.client.send(&request.with_json(&json!({ "value": SECRET }))).unwrap().status, 204);
    let ours = || spans(&collector).into_iter().filter(|span| span["traceId"] == "4bf92f3577b34da6a3ce929d0e0e4736");
    eventually("the spans arrive", || ours().count() >= 5);
    let ours: Vec<Value> = ours().collect();
    let root = ours.iter().find(|span| span["name"] == "request").unwrap();
    assert_eq!((&root["parentSpanId"], &root["kind"]), (&json!("00f067aa0ba902b7"), &json!(2)));
    let attribute = |key: &str| {
        let found = root["attributes"].as_array().unwrap().iter().find(|one| one["key"] == key);
        found.map(|one| one["value"].clone()).unwrap_or_default()
    };
    assert_eq!(attribute("coffer.mount")["stringValue"], "secret/");
    assert_eq!(attribute("coffer.operation")["stringValue"], "create");
    assert_eq!(attribute("http.response.status_code")["intValue"], "204");
    for step in ["handle", "audit request", "commit", "audit response"] {
        let span = ours.iter().find(|span| span["name"] == step).unwrap();
        assert_eq!(span["parentSpanId"], root["spanId"]);
        let time = |name: &str| span[name].as_str().unwrap().parse::<u64>().unwrap();
        assert!(time("startTimeUnixNano") <= time("endTimeUnixNano"));
    }
    for (_, body) in collector.taken() {
        let text = String::from_utf8(body).unwrap();
        for secret in [SECRET, "canary-path", &node.server.root_token] {
            assert!(!text.contains(secret), "a span holds {secret}");
        }
    }
}

#[test]
fn traces_follow_the_environment_and_a_dead_collector_costs_no_request() {
    let collector = HttpSink::start();
    let mut settings = settings(json!({}));
    let endpoint = format!("http://{}", collector.address);
    settings.environment.push(("OTEL_EXPORTER_OTLP_ENDPOINT".to_owned(), endpoint));
    settings.environment.push(("OTEL_SERVICE_NAME".to_owned(), "vault of the test".to_owned()));
    let node = Node::start_with(&settings);
    node.mount_kv();
    eventually("the spans arrive", || !spans(&collector).is_empty());
    let (_, body) = collector.taken().remove(0);
    assert!(String::from_utf8(body).unwrap().contains("vault of the test"));
    collector.take_if(|_| false);
    for _ in 0..50 {
        node.write("secret/x", json!({ "value": SECRET }));
    }
    eventually("the log tells once", || node.log().contains("traces could not be sent"));
    assert_eq!(node.log().matches("traces could not be sent").count(), 1);
}
