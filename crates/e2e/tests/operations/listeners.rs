//! Listeners: certificates that change while they serve, whom they believe, and what they demand.

use crate::node::{Node, audit_file, entries, eventually, settings};
use e2e::http::{Client, Request};
use e2e::server::{Folder, free_address};
use rcgen::{CertificateParams, KeyPair};
use rustls::pki_types::{CertificateDer, PrivateKeyDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};
use serde_json::{Value, json};
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

type Tls = StreamOwned<ClientConnection, TcpStream>;

/// A certificate of its own for `localhost`, and its key, in DER.
fn certificate() -> (CertificateDer<'static>, KeyPair, String) {
    let key = KeyPair::generate().unwrap();
    let certificate = CertificateParams::new(vec!["localhost".to_owned()]).unwrap().self_signed(&key).unwrap();
    (certificate.der().clone(), key, certificate.pem())
}

/// Puts a new certificate where the listener reads it.
fn put(folder: &Path) -> CertificateDer<'static> {
    let (der, key, pem) = certificate();
    std::fs::write(folder.join("cert.pem"), pem).unwrap();
    std::fs::write(folder.join("key.pem"), key.serialize_pem()).unwrap();
    der
}

fn tls_node(folder: &Path, more: Value) -> (Node, SocketAddr) {
    let address = free_address().unwrap();
    let mut keys = json!({
        "address": address.to_string(),
        "tls_cert_file": folder.join("cert.pem"),
        "tls_key_file": folder.join("key.pem"),
    });
    keys.as_object_mut().unwrap().extend(more.as_object().cloned().unwrap());
    let mut settings = settings(json!({}));
    settings.listeners.push(json!({ "tcp": keys }));
    (Node::start_with(&settings), address)
}

/// What a client does beside trusting some certificates.
#[derive(Default)]
struct How {
    own: Option<(CertificateDer<'static>, KeyPair)>,
    only_tls12: bool,
}

fn connect(address: SocketAddr, trusted: &[&CertificateDer<'static>], how: How) -> std::io::Result<Tls> {
    let mut roots = RootCertStore::empty();
    trusted.iter().for_each(|one| roots.add((*one).clone()).unwrap());
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider);
    let versions: &[&rustls::SupportedProtocolVersion] =
        if how.only_tls12 { &[&rustls::version::TLS12] } else { &[&rustls::version::TLS13] };
    let builder = builder.with_protocol_versions(versions).unwrap().with_root_certificates(roots);
    let config = match how.own {
        Some((certificate, key)) => {
            let key = PrivateKeyDer::try_from(key.serialize_der()).unwrap();
            builder.with_client_auth_cert(vec![certificate], key).unwrap()
        }
        None => builder.with_no_client_auth(),
    };
    let name = ServerName::try_from("localhost").unwrap();
    let connection = ClientConnection::new(Arc::new(config), name).unwrap();
    let stream = TcpStream::connect(address)?;
    stream.set_read_timeout(Some(Duration::from_secs(10)))?;
    Ok(StreamOwned::new(connection, stream))
}

/// Asks for the health of the server and tells the status.
fn health(stream: &mut (impl Read + Write)) -> std::io::Result<u16> {
    stream.write_all(b"GET /v1/sys/health HTTP/1.1\r\nHost: localhost\r\n\r\n")?;
    let mut bytes = Vec::new();
    let mut chunk = [0; 1024];
    while !bytes.ends_with(b"}") {
        let read = stream.read(&mut chunk)?;
        if read == 0 {
            return Err(std::io::ErrorKind::UnexpectedEof.into());
        }
        bytes.extend_from_slice(&chunk[..read]);
    }
    Ok(String::from_utf8_lossy(&bytes).split(' ').nth(1).unwrap().parse().unwrap())
}

#[test]
fn certificates_are_read_again_for_new_connections_and_old_ones_live() {
    let folder = Folder::new("tls").unwrap();
    let first = put(folder.path());
    let (node, address) = tls_node(folder.path(), json!({}));
    let mut old = connect(address, &[&first], How::default()).unwrap();
    assert_eq!(health(&mut old).unwrap(), 200);
    let second = put(folder.path());
    node.signal("HUP");
    eventually("a new connection sees the new certificate", || {
        connect(address, &[&second], How::default()).is_ok_and(|mut stream| health(&mut stream).is_ok())
    });
    let seen = old.conn.peer_certificates().unwrap().to_vec();
    assert_eq!((health(&mut old).unwrap(), seen), (200, vec![first]), "the old connection lives");
    // A certificate that cannot be read leaves the one that is in force.
    std::fs::write(folder.path().join("cert.pem"), "nonsense").unwrap();
    node.signal("HUP");
    eventually("the log tells", || node.log().contains("certificate could not be reloaded"));
    assert_eq!(health(&mut connect(address, &[&second], How::default()).unwrap()).unwrap(), 200);
}

#[test]
fn client_certificates_are_taken_unverified_unless_an_authority_is_named() {
    let folder = Folder::new("tls").unwrap();
    let server = put(folder.path());
    let own = || {
        let (certificate, key, _) = certificate();
        How { own: Some((certificate, key)), only_tls12: false }
    };
    let (_open, address) = tls_node(folder.path(), json!({}));
    for how in [own(), How::default(), How { only_tls12: true, ..own() }] {
        assert_eq!(health(&mut connect(address, &[&server], how).unwrap()).unwrap(), 200);
    }
    let authority = folder.path().join("cert.pem");
    let strict = json!({ "tls_client_ca_file": authority, "tls_require_and_verify_client_cert": true });
    let (_strict, address) = tls_node(folder.path(), strict);
    for how in [own(), How::default()] {
        assert!(connect(address, &[&server], how).and_then(|mut stream| health(&mut stream)).is_err());
    }
    let (_modern, address) = tls_node(folder.path(), json!({ "tls_min_version": "tls13" }));
    assert_eq!(health(&mut connect(address, &[&server], How::default()).unwrap()).unwrap(), 200);
    let old = How { only_tls12: true, ..How::default() };
    assert!(connect(address, &[&server], old).and_then(|mut stream| health(&mut stream)).is_err());
}

/// A server with an audit file and one more listener.
fn node_with(kind: &str, keys: Value) -> (Node, SocketAddr) {
    let mut settings = settings(audit_file());
    let address = free_address().unwrap();
    let mut all = json!({ "address": address.to_string(), "tls_disable": true });
    all.as_object_mut().unwrap().extend(keys.as_object().cloned().unwrap());
    settings.listeners.push(json!({ kind: all }));
    (Node::start_with(&settings), address)
}

/// Who sent the last request, as the audit trail tells it.
fn last_client(node: &Node) -> String {
    let entries = entries(&node.folder().join("audit.log"));
    entries.last().unwrap()["request"]["remote_address"].as_str().unwrap_or_default().to_owned()
}

#[test]
fn a_proxy_tells_the_client_before_the_first_byte() {
    let (node, address) = node_with("tcp", json!({ "proxy_protocol_behavior": "use_always" }));
    let request = "GET /v1/sys/health HTTP/1.1\r\nHost: x\r\n\r\n";
    let send = |head: &str| {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(format!("{head}{request}").as_bytes()).unwrap();
        health(&mut stream)
    };
    assert_eq!(send("PROXY TCP4 203.0.113.7 192.0.2.2 56324 443\r\n").unwrap(), 200);
    assert_eq!(last_client(&node), "203.0.113.7");
    assert_eq!(send("").unwrap(), 200);
    assert_eq!(last_client(&node), "127.0.0.1");
    // S44: what is malformed costs its own connection.
    for _ in 0..200 {
        assert!(send("PROXY nonsense\r\n").is_err());
    }
    assert_eq!(send("").unwrap(), 200);
}

#[test]
fn s44_a_connection_from_elsewhere_is_closed_and_the_listener_goes_on() {
    let keys =
        json!({ "proxy_protocol_behavior": "deny_unauthorized", "proxy_protocol_authorized_addrs": "192.0.2.0/24" });
    let (node, address) = node_with("tcp", keys);
    for _ in 0..200 {
        let mut stream = TcpStream::connect(address).unwrap();
        assert!(health(&mut stream).is_err());
    }
    assert_eq!(node.root("GET", "sys/health", None).status, 200);
    TcpStream::connect(address).unwrap();
}

#[test]
fn f25_only_known_proxies_are_believed_about_whom_they_forward() {
    let keys = json!({ "x_forwarded_for_authorized_addrs": "127.0.0.0/8", "x_forwarded_for_hop_skips": 0 });
    let (node, address) = node_with("tcp", keys);
    let send = |client: Client, value: Option<&str>| {
        let mut request = Request::api("GET", "sys/health", "");
        request.headers.extend(value.map(|value| ("X-Forwarded-For".to_owned(), value.to_owned())));
        client.send(&request).unwrap().status
    };
    let there = Client::new(address);
    assert_eq!(send(there, Some("1.1.1.1, 203.0.113.7")), 200);
    assert_eq!(last_client(&node), "203.0.113.7");
    assert_eq!(send(there, None), 400);
    // Another listener without the rule believes nobody.
    assert_eq!(send(node.server.client, Some("203.0.113.7")), 200);
    assert_eq!(last_client(&node), "127.0.0.1");
}

#[test]
fn a_listener_demands_and_adds_what_it_is_told() {
    let headers = json!({ "default": { "X-Site": "here" }, "404": { "X-Site": ["not", "here"] } });
    let (_node, address) = node_with(
        "tcp",
        json!({ "custom_response_headers": headers, "require_request_header": true, "max_request_size": 100 }),
    );
    let client = Client::new(address);
    let mut request = Request::api("GET", "sys/health", "");
    assert_eq!(client.send(&request).unwrap().status, 412);
    request.headers.push(("X-Vault-Request".to_owned(), "true".to_owned()));
    let answer = client.send(&request).unwrap();
    assert_eq!((answer.status, answer.header("x-site")), (200, Some("here")));
    let missing = Request { path: "/nothing".to_owned(), ..request.clone() };
    assert_eq!(client.send(&missing).unwrap().header("x-site"), Some("not; here"));
    let large = Request { method: "POST".to_owned(), ..request }.with_json(&json!({ "x": "y".repeat(200) }));
    assert_eq!(client.send(&large).unwrap().status, 413);
}

#[test]
fn a_unix_socket_has_the_permissions_it_should_have() {
    use std::os::unix::fs::PermissionsExt as _;
    let folder = Folder::new("unix").unwrap();
    let socket = folder.path().join("s");
    let (node, _) = node_with("unix", json!({ "address": socket, "socket_mode": "0620" }));
    assert_eq!(std::fs::metadata(&socket).unwrap().permissions().mode() & 0o777, 0o620);
    let mut stream = std::os::unix::net::UnixStream::connect(&socket).unwrap();
    assert_eq!(health(&mut stream).unwrap(), 200);
    assert_eq!(last_client(&node), "");
}

#[test]
fn metrics_are_open_where_they_are_told_to_be_also_while_sealed() {
    let (node, address) = node_with("tcp", json!({ "telemetry": { "unauthenticated_metrics_access": true } }));
    let there = Client::new(address);
    let metrics = || {
        let answer = there.send(&Request::api("GET", "sys/metrics?format=prometheus", "")).unwrap();
        (answer.status, String::from_utf8(answer.body).unwrap())
    };
    assert!(metrics().1.contains("coffer_unsealed 1\n"));
    assert_eq!(node.call("GET", "sys/metrics", "", None).status, 403, "not elsewhere");
    assert_eq!(node.root("POST", "sys/seal", None).status, 204);
    let (status, text) = metrics();
    assert!(status == 200 && text.contains("coffer_unsealed 0\n"));
}
