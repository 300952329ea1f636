//! `sys/metrics` after known traffic.

use crate::node::{Node, audit_file, settings};
use e2e::http::Answer;
use e2e::server::Storage;
use serde_json::{Value, json};

/// The value of a sample by its full name with labels.
fn value(text: &str, sample: &str) -> f64 {
    let line = text.lines().find(|line| line.strip_prefix(sample).is_some_and(|rest| rest.starts_with(' ')));
    let line = line.unwrap_or_else(|| panic!("no sample {sample} in:\n{text}"));
    line.rsplit_once(' ').unwrap().1.parse().unwrap()
}

fn prometheus(node: &Node) -> String {
    let answer = node.root("GET", "sys/metrics?format=prometheus", None);
    assert_eq!(answer.header("content-type"), Some("text/plain; version=0.0.4; charset=utf-8"));
    String::from_utf8(answer.body).unwrap()
}

fn statuses(answers: impl IntoIterator<Item = Answer>) -> Vec<u16> {
    answers.into_iter().map(|answer| answer.status).collect()
}

#[test]
fn counts_are_those_of_known_traffic() {
    let mut settings = settings(audit_file());
    settings.storage = Storage::Durable;
    let node = Node::start_with(&settings);
    node.mount_kv();
    for number in 0..5 {
        node.write(&format!("secret/{number}"), json!({ "value": "x" }));
    }
    let found = (0..7).map(|_| node.root("GET", "secret/1", None));
    assert_eq!(statuses(found), [200; 7]);
    let missing = (0..3).map(|_| node.root("GET", "secret/nothing", None));
    assert_eq!(statuses(missing), [404; 3]);
    let nobody = (0..2).map(|_| node.call("GET", "secret/1", "hvs.nobody", None));
    assert_eq!(statuses(nobody), [403; 2]);
    let limited = node.write("auth/token/create", json!({ "policies": ["default"] })).text_at("/auth/client_token");
    let limited = limited.unwrap();
    assert_eq!(node.call("GET", "secret/1", &limited, None).status, 403);

    let text = prometheus(&node);
    let series = |name: &str, operation: &str| {
        value(&text, &format!("coffer_request_duration_seconds_{name}{{operation=\"{operation}\",mount=\"secret/\"}}"))
    };
    assert_eq!(series("count", "create"), 5.0);
    assert_eq!(series("count", "read"), 13.0, "found, missing, and the three refused");
    assert!(series("sum", "read") > 0.0);
    assert_eq!(value(&text, "coffer_secret_retrieval_success_total"), 7.0);
    assert_eq!(value(&text, "coffer_secret_retrieval_failure_total"), 6.0);
    assert_eq!(value(&text, "coffer_secret_retrieval_duration_seconds_count"), 7.0);
    let quantile =
        |share: &str| value(&text, &format!("coffer_secret_retrieval_quantile_seconds{{quantile=\"{share}\"}}"));
    assert!(0.0 < quantile("0.5") && quantile("0.5") <= quantile("0.95") && quantile("0.95") <= quantile("0.99"));
    assert_eq!(value(&text, "coffer_auth_failures_total"), 2.0);
    assert_eq!(value(&text, "coffer_policy_denials_total"), 1.0);
    assert_eq!(value(&text, "coffer_tokens"), 2.0, "root and the limited one");
    assert_eq!(value(&text, "coffer_unsealed"), 1.0);
    assert_eq!(value(&text, "coffer_audit_failure_total"), 0.0);
    let stored = value(&text, "coffer_audit_device_success_total{device=\"main/\"}");
    assert_eq!(stored, value(&text, "coffer_audit_success_total"));
    let commits = value(&text, "coffer_store_commit_duration_seconds_count");
    assert!(commits >= 7.0, "initialise, mount, five writes, a token");
    assert_eq!(value(&text, "coffer_store_commits_per_sync_sum"), commits);
    assert_eq!(value(&text, "coffer_replies_total{status=\"5xx\"}"), 0.0);
    assert!(value(&text, "coffer_replies_total{status=\"4xx\"}") >= 6.0);
    assert_eq!(value(&text, "coffer_requests_in_flight"), 1.0, "the one that asks");
    assert!(value(&text, "process_resident_memory_bytes") > 1e6);
}

#[test]
fn tokens_that_ended_and_requests_over_a_limit_are_counted() {
    let node = Node::start(json!({}));
    node.mount_kv();
    let token = node.write("auth/token/create", json!({ "ttl": "1s" })).text_at("/auth/client_token").unwrap();
    crate::node::eventually("the token ends", || {
        node.call("GET", "auth/token/lookup-self", &token, None).status == 403
    });
    node.write("sys/quotas/rate-limit/tight", json!({ "rate": 1, "interval": "1h", "path": "secret/" }));
    let answers = (0..4).map(|_| node.root("GET", "secret/x", None));
    assert_eq!(statuses(answers), [404, 429, 429, 429]);
    let text = prometheus(&node);
    assert_eq!(value(&text, "coffer_rate_limit_hits_total"), 3.0);
    assert!(
        value(&text, "coffer_token_expiry_errors_total") >= 1.0 || value(&text, "coffer_leases_expired_total") >= 1.0
    );
}

#[test]
fn json_has_the_same_numbers_in_upstreams_lists() {
    let node = Node::start(json!({}));
    node.mount_kv();
    node.write("secret/x", json!({ "value": "x" }));
    assert_eq!(node.root("GET", "secret/x", None).status, 200);
    let json = node.root("GET", "sys/metrics", None).json();
    let named = |list: &str, name: &str| {
        let found = json[list].as_array().unwrap().iter().find(|one| one["Name"] == name);
        found.cloned().unwrap_or(Value::Null)
    };
    assert_eq!(named("Counters", "coffer_secret_retrieval_success_total")["Count"].as_f64(), Some(1.0));
    assert_eq!(named("Gauges", "coffer_unsealed")["Value"].as_f64(), Some(1.0));
    assert_eq!(named("Samples", "coffer_secret_retrieval_duration_seconds")["Count"].as_u64(), Some(1));
    assert!(json["Timestamp"].is_string() && json["Points"].is_array());
}
