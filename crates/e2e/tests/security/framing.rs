//! Bytes that two readers would read differently (fault F25), and headers of proxies that nobody configured (S44).

use crate::node::Node;
use crate::routes;
use serde_json::json;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::time::Duration;

/// Sends bytes and reads until the server closes or is silent.
fn exchange(node: &Node, bytes: &[u8]) -> String {
    let mut stream = TcpStream::connect(node.server.client.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
    // The server may close before all is sent.
    let _sent = stream.write_all(bytes);
    let _closed = stream.shutdown(std::net::Shutdown::Write);
    let mut answer = Vec::new();
    let _ended = stream.read_to_end(&mut answer);
    String::from_utf8_lossy(&answer).into_owned()
}

/// Status codes of the replies in an answer, in order.
fn statuses(answer: &str) -> Vec<u16> {
    answer.split("HTTP/1.1 ").skip(1).filter_map(|reply| reply.get(..3)?.parse().ok()).collect()
}

#[test]
fn f25_no_request_is_smuggled_in_another() {
    let node = Node::start();
    routes::mount_all(&node);
    let root = node.server.root_token.clone();
    // What a reader that errs would take for a request of its own.
    let inner = format!(
        "POST /v1/kv1/smuggled HTTP/1.1\r\nHost: x\r\nX-Vault-Token: {root}\r\nContent-Length: 7\r\n\r\n{{\"v\":1}}"
    );
    let length = inner.len();
    let chunked = "0\r\n\r\n";
    let heads = [
        format!("Content-Length: {length}\r\nTransfer-Encoding: chunked\r\n\r\n{chunked}{inner}"),
        format!("Transfer-Encoding: chunked\r\nContent-Length: {length}\r\n\r\n{chunked}{inner}"),
        format!("Content-Length: 0\r\nContent-Length: {length}\r\n\r\n{inner}"),
        format!("Content-Length: {length}\r\nContent-Length: 0\r\n\r\n{inner}"),
        format!("Content-Length: 0, {length}\r\n\r\n{inner}"),
        format!("Content-Length: +0\r\n\r\n{inner}"),
        format!("Content-Length: -1\r\n\r\n{inner}"),
        format!("Content-Length: 0x0\r\n\r\n{inner}"),
        format!("Content-Length: 18446744073709551616\r\n\r\n{inner}"),
        format!("Content-Length : 0\r\n\r\n{inner}"),
        format!(" Content-Length: 0\r\n\r\n{inner}"),
        format!("Transfer-Encoding: xchunked\r\n\r\n{chunked}{inner}"),
        format!("Transfer-Encoding : chunked\r\n\r\n{chunked}{inner}"),
        format!("Transfer-Encoding: chunked, identity\r\n\r\n{chunked}{inner}"),
        format!("Transfer-Encoding: identity\r\nContent-Length: 5\r\n\r\n{chunked}{inner}"),
        format!("Transfer-Encoding:\x0bchunked\r\n\r\n{chunked}{inner}"),
        format!("Transfer-Encoding: chunked\r\n\r\n0x0\r\n\r\n{inner}"),
        format!("Transfer-Encoding: chunked\r\n\r\n-0\r\n\r\n{inner}"),
        format!("Transfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFFFFFFF\r\n\r\n{inner}"),
        format!("Transfer-Encoding: chunked\r\n\r\n0\n\n{inner}"),
        format!("X: y\r\n folded\r\nContent-Length: 0, 0\r\n\r\n{inner}"),
        format!("X\x00: y\r\n\r\n{inner}"),
    ];
    for head in &heads {
        let bytes = format!("POST /v1/kv1/outer HTTP/1.1\r\nHost: x\r\n{head}");
        let answer = exchange(&node, bytes.as_bytes());
        let seen = statuses(&answer);
        assert_eq!(node.status("GET", "kv1/smuggled", &root), 404, "smuggled by {head:?}: {seen:?}");
        assert!(seen.len() <= 1 && seen.iter().all(|status| (400..500).contains(status)), "{head:?}: {seen:?}");
    }
    for line in [
        "GET /v1/sys/mounts\r\n\r\n".to_owned(),
        "GET  /v1/sys/mounts HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET /v1/sys/mounts HTTP/1.1 x\r\nHost: x\r\n\r\n".to_owned(),
        "GET /v1/sys/mounts HTTP/9.9\r\nHost: x\r\n\r\n".to_owned(),
        "GET /v1/sys/mounts HTTP/1.1\r\nHo st: x\r\n\r\n".to_owned(),
        "CONNECT 127.0.0.1:22 HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "GET http://evil.example/v1/sys/mounts HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
        "OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n".to_owned(),
    ] {
        let seen = statuses(&exchange(&node, line.as_bytes()));
        assert!(seen.iter().all(|status| (400..600).contains(status)), "{line:?}: {seen:?}");
    }
    assert_eq!(node.status("GET", "sys/health", ""), 200, "the server goes on");
}

#[test]
fn f25_a_client_cannot_say_where_it_comes_from() {
    let node = Node::start();
    routes::mount_all(&node);
    node.write("sys/policies/acl/p", json!({ "policy": "path \"kv1/*\" { capabilities = [\"read\"] }" }));
    node.write("auth/token/roles/far", json!({ "token_bound_cidrs": "10.9.8.0/24", "allowed_policies": "p" }));
    let token = node.minted(&node.write("auth/token/create/far", json!({ "policies": ["p"] })));
    for name in ["X-Forwarded-For", "Forwarded", "X-Real-IP", "True-Client-IP", "X-Client-IP", "CF-Connecting-IP"] {
        for value in ["10.9.8.7", "10.9.8.7, 127.0.0.1", "for=10.9.8.7", "127.0.0.1, 10.9.8.7"] {
            let mut request = e2e::http::Request::api("GET", "auth/token/lookup-self", &token);
            request.headers.push((name.into(), value.into()));
            assert_eq!(node.send(&request).status, 403, "{name}: {value}");
        }
    }
    assert!(!node.trail().contains("\"remote_address\":\"10.9.8.7\""));
}

#[test]
fn s44_headers_of_a_proxy_protocol_do_not_stop_the_listener() {
    let node = Node::start();
    let request = "GET /v1/sys/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let version_two = b"\x0d\x0a\x0d\x0a\x00\x0d\x0a\x51\x55\x49\x54\x0a";
    let mut headers: Vec<Vec<u8>> = [
        "PROXY TCP4 10.9.8.7 127.0.0.1 56324 8200\r\n",
        "PROXY UNKNOWN\r\n",
        "PROXY TCP6 ::1 ::1 1 2\r\n",
        "PROXY",
        "PROXY \r",
        "\r\n",
    ]
    .map(|header| header.as_bytes().to_vec())
    .to_vec();
    for rest in [
        &b"\x21\x11\x00\x0c\x0a\x09\x08\x07\x7f\x00\x00\x01\x00\x01\x00\x02"[..],
        b"\x20\x00\x00\x00",
        b"\x21\x11\xff\xff",
        b"\x21",
        b"",
    ] {
        headers.push([&version_two[..], rest].concat());
    }
    for round in 0..2_000_usize {
        let header = &headers[round % headers.len()];
        let mut stream = TcpStream::connect(node.server.client.address).unwrap();
        let _sent = stream.write_all(header);
        if round % 3 == 0 {
            let _sent = stream.write_all(request.as_bytes());
        }
    }
    // Whoever comes after them is served, at once.
    let start = std::time::Instant::now();
    assert_eq!(node.status("GET", "sys/health", ""), 200);
    assert!(start.elapsed() < Duration::from_secs(2), "{:?}", start.elapsed());
    let answer = exchange(&node, [headers[0].as_slice(), request.as_bytes()].concat().as_slice());
    assert!(statuses(&answer).iter().all(|status| (400..500).contains(status)), "{answer}");
}

#[test]
fn s44_a_denied_source_does_not_stop_a_listener_that_reads_proxy_headers() {
    let [strict, open] = [(); 2].map(|()| e2e::server::free_address().unwrap());
    let mut settings = crate::node::settings(&serde_json::Value::Null);
    let listener = |address: &std::net::SocketAddr, behavior: &str, authorized: &str| {
        json!({ "tcp": {
            "address": address.to_string(),
            "tls_disable": true,
            "proxy_protocol_behavior": behavior,
            "proxy_protocol_authorized_addrs": authorized,
        } })
    };
    settings.listeners =
        vec![listener(&strict, "deny_unauthorized", "10.0.0.0/8"), listener(&open, "allow_authorized", "127.0.0.1")];
    let node = Node::start_with(&settings);
    let request = "GET /v1/sys/health HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
    let good = "PROXY TCP4 10.9.8.7 127.0.0.1 56324 8200\r\n";
    let headers =
        [good, "PROXY", "PROXY TCP4 999.1.1.1 x y z\r\n", "\r\n\r\n\0\r\nQUIT\n\u{11}", "GET / HTTP/1.1\r\n", ""];
    let exchange = |address: std::net::SocketAddr, bytes: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(3))).unwrap();
        let _sent = stream.write_all(bytes.as_bytes());
        let mut answer = Vec::new();
        let _ended = stream.read_to_end(&mut answer);
        String::from_utf8_lossy(&answer).into_owned()
    };
    for round in 0..1_000_usize {
        for address in [strict, open] {
            let mut stream = TcpStream::connect(address).unwrap();
            let _sent = stream.write_all(headers[round % headers.len()].as_bytes());
        }
    }
    assert_eq!(statuses(&exchange(strict, &format!("{good}{request}"))), [] as [u16; 0], "the denied source is closed");
    assert_eq!(statuses(&exchange(open, &format!("{good}{request}"))), [200], "the authorised source is served");
    assert!(node.trail().contains("\"remote_address\":\"10.9.8.7\""), "and believed");
    assert_eq!(node.status("GET", "sys/health", ""), 200);
}
