//! Bodies made to cost more than they weigh: time and memory are measured from outside.

use crate::node::Node;
use crate::routes;
use e2e::http::Request;
use serde_json::json;
use std::fs;
use std::io::{Read, Write};
use std::net::TcpStream;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

const MEBIBYTE: usize = 1 << 20;

/// The largest resident size that the server ever had, in bytes.
fn peak_bytes(node: &Node) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", node.server.process.id())).unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[test]
fn s42_a_body_that_expands_is_refused_quickly_and_without_expanding() {
    let node = Node::start();
    routes::mount_all(&node);
    let bombs: [(&str, Vec<u8>); 8] = [
        ("deep arrays", b"[".repeat(31 * MEBIBYTE)),
        ("deep arrays in an object", [b"{\"a\":".as_slice(), &b"[".repeat(31 * MEBIBYTE)].concat()),
        ("deep objects", b"{\"a\":".repeat(6 * MEBIBYTE)),
        ("many keys", [b"{".as_slice(), &many(1_000_000, |n| format!("\"{n}\":0,")), b"\"x\":0}"].concat()),
        ("many strings", [b"{\"a\":[".as_slice(), &many(1_000_000, |_| "\"\",".into()), b"0]}"].concat()),
        ("many empty objects", [b"{\"a\":[".as_slice(), &many(1_000_000, |_| "{},".into()), b"0]}"].concat()),
        ("a form of many fields", b"a&".repeat(15 * MEBIBYTE)),
        ("a long number", [b"{\"a\":1e".as_slice(), &b"9".repeat(31 * MEBIBYTE), b"}"].concat()),
    ];
    for (name, body) in bombs {
        for path in ["auth/approle/login", "kv1/x", "sys/unseal"] {
            let before = peak_bytes(&node);
            let length = body.len() as u64;
            let start = Instant::now();
            let mut request = Request { body: Some(body.clone()), ..Request::api("POST", path, "") };
            if name.contains("form") {
                request.headers.push(("Content-Type".into(), "application/x-www-form-urlencoded".into()));
            }
            let answer = node.send(&request);
            let took = start.elapsed();
            let grown = peak_bytes(&node).saturating_sub(before);
            println!(
                "{name} of {} KiB to {path}: {} in {took:?}, {} KiB more",
                length >> 10,
                answer.status,
                grown >> 10
            );
            assert!((400..500).contains(&answer.status), "{name} to {path}: {}", answer.status);
            // The bound is for a busy machine and a build without optimisation; what is measured is printed.
            assert!(took < Duration::from_secs(10), "{name} to {path} took {took:?}");
            assert!(grown <= 2 * length + (16 << 20), "{name} to {path}: {grown} bytes for a body of {length}");
        }
    }
}

fn many(count: usize, piece: impl Fn(usize) -> String) -> Vec<u8> {
    (0..count).flat_map(|number| piece(number).into_bytes()).collect()
}

#[test]
fn s42_the_limiter_answers_before_the_body_is_read() {
    let node = Node::start();
    routes::mount_all(&node);
    node.write("sys/quotas/rate-limit/tight", json!({ "rate": 1, "interval": "1h", "path": "kv1/" }));
    assert_eq!(node.status("GET", "kv1/x", ""), 403, "the first is within the limit");
    // Only the head of the second is ever sent: an answer means that nobody waited for its body.
    let mut stream = TcpStream::connect(node.server.client.address).unwrap();
    stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    stream.write_all(b"POST /v1/kv1/x HTTP/1.1\r\nHost: x\r\nContent-Length: 30000000\r\n\r\n{").unwrap();
    let mut answer = [0; 12];
    stream.read_exact(&mut answer).unwrap();
    assert_eq!(&answer, b"HTTP/1.1 429");
}

#[test]
fn s43_a_declared_length_over_the_limit_is_refused_before_it_is_sent() {
    let node = Node::start();
    for path in ["kv1/x", "auth/approle/login", "sys/unseal"] {
        let mut stream = TcpStream::connect(node.server.client.address).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
        stream
            .write_all(
                format!("POST /v1/{path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1073741824\r\n\r\n{{").as_bytes(),
            )
            .unwrap();
        let mut answer = [0; 12];
        stream.read_exact(&mut answer).unwrap();
        assert_eq!(&answer, b"HTTP/1.1 413", "{path}");
    }
}

#[test]
fn s43_many_slow_large_bodies_leave_memory_and_others_alone() {
    let node = Node::start();
    routes::mount_all(&node);
    let before = peak_bytes(&node);
    let stop = AtomicBool::new(false);
    let slowest = std::thread::scope(|scope| {
        // 200 connections, each with a body of no declared length, as much of it as the server takes.
        for _ in 0..4 {
            scope.spawn(|| pour(&node, 50, &stop));
        }
        let start = Instant::now();
        let mut slowest = Duration::ZERO;
        while start.elapsed() < Duration::from_secs(6) {
            let asked = Instant::now();
            assert_eq!(node.status("GET", "sys/health", ""), 200);
            slowest = slowest.max(asked.elapsed());
            std::thread::sleep(Duration::from_millis(50));
        }
        stop.store(true, Ordering::Relaxed);
        slowest
    });
    let grown = peak_bytes(&node).saturating_sub(before);
    println!("200 slow bodies: {} MiB more, slowest other request {slowest:?}", grown >> 20);
    assert!(grown < 600 << 20, "{} MiB for bodies nobody is known to send", grown >> 20);
    assert!(slowest < Duration::from_secs(2), "others waited {slowest:?}");
}

/// Keeps so many chunked bodies going until told to stop.
fn pour(node: &Node, connections: usize, stop: &AtomicBool) {
    let connect = || {
        let mut stream = TcpStream::connect(node.server.client.address).unwrap();
        stream.set_write_timeout(Some(Duration::from_millis(20))).unwrap();
        let head = b"POST /v1/kv1/x HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
        stream.write_all(head).map(|()| stream)
    };
    let mut streams: Vec<_> = (0..connections).map(|_| connect()).collect();
    let chunk = [b"10000\r\n".as_slice(), &b" ".repeat(1 << 16), b"\r\n"].concat();
    while !stop.load(Ordering::Relaxed) {
        for stream in &mut streams {
            let open = stream.as_mut().is_ok_and(|stream| stream.write_all(&chunk).is_ok());
            if !open && !stop.load(Ordering::Relaxed) {
                *stream = connect();
            }
        }
    }
}
