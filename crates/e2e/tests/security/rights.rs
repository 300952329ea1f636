//! Who has no right gets one answer, whatever is there.

use crate::node::{DENIED, Node};
use crate::routes::{self, METHODS};
use e2e::http::{Answer, Connection, Request};
use serde_json::{Value, json};

/// Every request that is served without a token, with the reason: method and path, which may end in `*`. Reviewed: a route
/// that is not here and answers without a token fails the test.
pub const OPEN: &[(&str, &str)] = &[
    // Whether there is a server, and whether it is sealed: load balancers and clients ask before they have a token.
    ("GET HEAD", "sys/health"),
    ("GET HEAD", "sys/leader"),
    ("GET HEAD", "sys/seal-status"),
    ("GET HEAD POST PUT", "sys/init"),
    // Shares are what is authorised here.
    ("POST PUT", "sys/unseal"),
    // Only takes apart what the caller holds: a token under a one-time password of their own.
    ("POST PUT", "sys/decode-token"),
    // Logins.
    ("POST PUT", "auth/userpass/login/*"),
    ("POST PUT", "auth/approle/login"),
    ("POST PUT", "auth/cert/login"),
    ("POST PUT", "auth/kubernetes/login"),
    ("POST PUT", "auth/github/login"),
    // Public keys of SSH authorities: hosts trust them, and have no token.
    ("GET HEAD", "ssh/public_key"),
    ("GET HEAD", "ssh/issuer/kept/public_key"),
    // The one-time password in the body is what is authorised.
    ("POST PUT", "ssh/verify"),
    ("POST PUT", "auth/jwt/login"),
    // A browser or client in the middle of a login, which has no token yet: the state and the client's nonce are checked.
    ("POST PUT", "auth/jwt/oidc/auth_url"),
    ("GET HEAD POST PUT", "auth/jwt/oidc/callback"),
    ("POST PUT", "auth/jwt/oidc/poll"),
    // The wrapping token in the body is what is authorised.
    ("POST PUT", "sys/wrapping/unwrap"),
    ("POST PUT", "sys/wrapping/rewrap"),
    ("GET HEAD POST PUT", "sys/wrapping/lookup"),
    // Public keys of identity tokens, and where they are: whoever checks such a token has none of ours.
    ("GET HEAD", "identity/oidc/.well-known/*"),
    // What verifiers of certificates read, who have no token: authorities, lists, certificates by serial number, statuses.
    ("GET HEAD", "pki/ca"),
    ("GET HEAD", "pki/ca/pem"),
    ("GET HEAD", "pki/ca_chain"),
    ("GET HEAD", "pki/crl"),
    ("GET HEAD", "pki/crl/pem"),
    ("GET HEAD", "pki/crl/delta"),
    ("GET HEAD", "pki/crl/delta/pem"),
    ("GET HEAD", "pki/cert/*"),
    ("LIST", "pki/issuers"),
    ("GET HEAD", "pki/issuer/kept/json"),
    ("GET HEAD", "pki/issuer/kept/pem"),
    ("GET HEAD", "pki/issuer/kept/der"),
    ("GET HEAD", "pki/issuer/kept/crl"),
    ("GET HEAD", "pki/issuer/kept/crl/*"),
    ("GET HEAD", "pki/ocsp/*"),
    // Filtered by what the caller may see: nothing, here.
    ("GET HEAD", "sys/internal/ui/mounts"),
    ("GET HEAD", "sys/internal/ui/mounts/*"),
    ("GET HEAD", "sys/internal/ui/namespaces"),
    ("GET HEAD POST PUT", "sys/internal/specs/openapi"),
    ("GET HEAD", "sys/internal/ui/version"),
];

/// Ceremonies, which whoever has no token can watch, and take part in with a share of the key, in the root namespace.
pub const BY_SHARE: [&str; 2] = ["sys/rekey/", "sys/generate-root/"];

fn is_open(method: &str, path: &str) -> bool {
    OPEN.iter().any(|(methods, open)| {
        let here = match open.strip_suffix('*') {
            Some(folder) => path.starts_with(folder),
            None => path == *open,
        };
        here && methods.split(' ').any(|candidate| candidate == method)
    })
}

fn ask(connection: &mut Connection, method: &str, path: &str, token: &str, namespace: &str) -> Answer {
    let mut request = Request::api(method, path, token);
    if method == "PATCH" {
        request.headers.push(("Content-Type".into(), "application/merge-patch+json".into()));
    }
    if !namespace.is_empty() {
        request.headers.push(("X-Vault-Namespace".into(), namespace.into()));
    }
    if matches!(method, "POST" | "PUT" | "PATCH") {
        request.body = Some(b"{}".to_vec());
    }
    connection.send(&request, true).unwrap()
}

/// The reply but for its date.
fn shown(answer: &Answer) -> (u16, Vec<(String, String)>, String) {
    let headers = answer.headers.iter().filter(|(name, _)| name != "date").cloned().collect();
    (answer.status, headers, String::from_utf8_lossy(&answer.body).into_owned())
}

/// All that an operator sees of the state.
fn state(node: &Node) -> Vec<Value> {
    let reads = [
        ("GET", "sys/mounts"),
        ("GET", "sys/auth"),
        ("LIST", "sys/policies/acl"),
        ("LIST", "sys/policies/password"),
        ("LIST", "sys/namespaces"),
        ("LIST", "auth/token/accessors"),
        ("LIST", "auth/token/roles"),
        ("LIST", "auth/userpass/users"),
        ("LIST", "auth/approle/role"),
        ("LIST", "identity/entity/id"),
        ("LIST", "identity/group/id"),
        ("LIST", "secret/metadata"),
        ("LIST", "kv1"),
        ("LIST", "sys/quotas/rate-limit"),
        ("LIST", "sys/leases/lookup/auth"),
        ("GET", "sys/audit"),
        ("GET", "sys/config/cors"),
        ("GET", "sys/seal-status"),
        ("GET", "secret/data/kept"),
    ];
    let read = |(method, path)| {
        let mut json = node.call(method, path, &node.server.root_token, None).json();
        json.as_object_mut().map(|members| members.remove("request_id"));
        json
    };
    reads.into_iter().map(read).collect()
}

#[test]
fn s22_nobody_without_rights_is_told_anything_on_any_route() {
    let node = Node::start();
    routes::mount_all(&node);
    node.write("sys/namespaces/child", json!({}));
    node.write("secret/data/kept", json!({ "data": { "v": 1 } }));
    let nothing = node.token(r#"path "none" { capabilities = ["read"] }"#);
    let all = routes::all(&node);
    let before = state(&node);
    let mut connection = node.connection();
    // No token, a wrong token, and a token that may do nothing here; in the root and from a child namespace.
    for (token, status) in [("", 403), ("hvs.AAAAAAAAAAAAAAAAAAAAAAAA", 403), (nothing.as_str(), 403)] {
        for namespace in ["", "child"] {
            let mut first = [const { None }; 2];
            for route in &all {
                for method in METHODS {
                    let path = route.filled("kept");
                    let answer = ask(&mut connection, method, &path, token, namespace);
                    if is_open(method, &path) {
                        continue;
                    }
                    if BY_SHARE.iter().any(|folder| path.starts_with(folder))
                        && namespace.is_empty()
                        && token != nothing
                    {
                        let watched = matches!(method, "GET" | "HEAD") && answer.status == 200;
                        assert!(watched || (400..500).contains(&answer.status), "{method} {path}: {}", answer.status);
                        continue;
                    }
                    assert_eq!(answer.status, status, "{method} {path} with {token:?} in {namespace:?}");
                    // A reply to HEAD has no body.
                    let expected = first[usize::from(method == "HEAD")].get_or_insert_with(|| shown(&answer));
                    assert_eq!(&shown(&answer), expected, "{method} {path} with {token:?} in {namespace:?}");
                }
            }
        }
    }
    assert_eq!(state(&node), before, "nothing has changed");
}

#[test]
fn s22_a_mount_that_is_there_and_one_that_is_not_look_the_same() {
    let node = Node::start();
    routes::mount_all(&node);
    let mut connection = node.connection();
    for method in METHODS {
        for rest in ["", "data/x", "config", "login", "x/y/z"] {
            let answers = ["secret/", "kv1/", "nope/", "auth/userpass/x/", "auth/nope/", "identity/x/"]
                .map(|mount| shown(&ask(&mut connection, method, &format!("{mount}q{rest}"), "", "")));
            assert_eq!(answers[0].0, 403);
            assert!(method == "HEAD" || answers[0].2 == DENIED, "{}", answers[0].2);
            assert!(answers.iter().all(|answer| *answer == answers[0]), "{method} {rest}");
        }
    }
}
