//! What a tenant makes in its namespace is nothing outside of it, and the chain of 2026 breaks at each of its links.

use crate::node::{DENIED, Node};
use e2e::http::{Answer, Request};
use serde_json::{Value, json};

/// A request within a namespace.
fn within(node: &Node, namespace: &str, method: &str, path: &str, token: &str, body: Option<Value>) -> Answer {
    let mut request = Request::api(method, path, token);
    request.headers.push(("X-Vault-Namespace".into(), namespace.into()));
    if let Some(body) = body {
        request = request.with_json(&body);
    }
    node.send(&request)
}

/// Two namespaces, each with a secret and an all-powerful operator of its own.
fn two_tenants(node: &Node) -> [String; 2] {
    ["ta", "tb"].map(|namespace| {
        node.write(&format!("sys/namespaces/{namespace}"), json!({}));
        let root = node.server.root_token.clone();
        let rules = r#"path "*" { capabilities = ["create", "read", "update", "delete", "list", "patch", "sudo"] }"#;
        for (path, body) in [
            ("sys/policies/acl/admin", json!({ "policy": rules })),
            ("sys/mounts/kv", json!({ "type": "kv" })),
            ("kv/secret", json!({ "v": node.canary(&format!("{namespace}-canary-value")) })),
        ] {
            assert!(within(node, namespace, "POST", path, &root, Some(body)).status < 300, "{path}");
        }
        let made = within(node, namespace, "POST", "auth/token/create", &root, Some(json!({ "policies": ["admin"] })));
        node.minted(&made)
    })
}

/// Spellings that some reader takes for a policy of the other tenant.
const CROSSINGS: [&str; 12] = [
    "../tb/admin",
    "..%2ftb%2fadmin",
    "tb/admin",
    "tb:admin",
    "tb\\admin",
    "/tb/admin",
    "tb/../tb/admin",
    "root/tb/admin",
    "tb\u{0}admin",
    "admin@tb",
    "tb//admin",
    "./admin",
];

#[test]
fn s06_no_name_of_a_policy_means_one_of_another_tenant() {
    let node = Node::start();
    let [_, operator_b] = two_tenants(&node);
    let root = node.server.root_token.clone();
    let identifier = within(&node, "", "GET", "sys/namespaces/tb", &root, None).text_at("/data/id").unwrap();
    let names = CROSSINGS.iter().map(|name| (*name).to_owned());
    let forged = (1..60).map(|revision| format!("{identifier}@{revision}:admin"));
    for name in names.chain(forged).chain([format!("{identifier}/admin"), format!("{identifier}:admin")]) {
        // The other tenant's own operator keeps its rules compiled and remembered.
        assert_eq!(within(&node, "tb", "GET", "kv/secret", &operator_b, None).status, 200);
        let body = json!({ "policies": ["admin-of-nothing", name], "no_default_policy": true });
        let made = within(&node, "ta", "POST", "auth/token/create", &root, Some(body));
        if made.status != 200 {
            assert_eq!(made.status, 400, "{name:?}");
            continue;
        }
        let token = node.minted(&made);
        for (namespace, path) in [("ta", "kv/secret"), ("tb", "kv/secret"), ("", "sys/mounts")] {
            assert_eq!(within(&node, namespace, "GET", path, &token, None).status, 403, "{name:?} in {namespace:?}");
        }
    }
    for name in ["%2e%2e/tb/admin", "..%2ftb", "a//b", "a/../b", "%2e%2e"] {
        let body = json!({ "policy": "path \"*\" { capabilities = [\"read\"] }" });
        assert_eq!(
            within(&node, "ta", "POST", &format!("sys/policies/acl/{name}"), &root, Some(body)).status,
            400,
            "{name}"
        );
    }
}

#[test]
fn s11_controls_of_one_tenant_change_nothing_in_another() {
    let node = Node::start();
    let [operator_a, operator_b] = two_tenants(&node);
    let seen = |node: &Node| {
        let read = within(node, "tb", "GET", "kv/secret", &operator_b, None);
        let mounts = within(node, "tb", "GET", "sys/mounts", &operator_b, None);
        (read.status, read.json()["data"].clone(), mounts.status, mounts.json()["data"].clone())
    };
    let before = seen(&node);
    for (path, body) in [
        ("sys/quotas/rate-limit/none", json!({ "rate": 0.000_1, "path": "tb/" })),
        ("sys/quotas/rate-limit/none2", json!({ "rate": 0.000_1, "path": "../tb/" })),
        ("sys/quotas/rate-limit/none3", json!({ "rate": 0.000_1 })),
        ("sys/quotas/lease-count/none", json!({ "max_leases": 1, "path": "tb/kv" })),
        (
            "sys/policies/acl/denying",
            json!({ "policy": "path \"tb/*\" { capabilities = [\"deny\"] } path \"../tb/*\" { capabilities = [\"deny\"] }" }),
        ),
        ("sys/policies/egp/all", json!({ "policy": "main = rule { false }", "paths": ["*"] })),
        ("sys/namespaces/api-lock/lock", json!({})),
        ("sys/namespaces/api-lock/lock/tb", json!({})),
        ("sys/config/cors", json!({ "enabled": true, "allowed_origins": "*" })),
    ] {
        within(&node, "ta", "POST", path, &operator_a, Some(body));
        for _ in 0..3 {
            assert_eq!(seen(&node), before, "after {path}");
        }
    }
}

#[test]
fn s12_no_spelling_of_root_is_a_namespace() {
    let node = Node::start();
    let root = node.server.root_token.clone();
    let before = node.root("GET", "sys/mounts", Value::Null).json()["data"].clone();
    node.write("sys/namespaces/parent", json!({}));
    for name in
        ["root", "root/", "Root", "ROOT", ".", "..", "", "%2e", "root%20", "%20root", "/root", "root//", "r%6fot"]
    {
        for namespace in ["", "parent"] {
            for method in ["POST", "PATCH", "DELETE"] {
                let mut request = Request::api(method, &format!("sys/namespaces/{name}"), &root)
                    .with_json(&json!({ "custom_metadata": { "x": "y" } }));
                request.headers.push(("X-Vault-Namespace".into(), namespace.into()));
                request.headers.push(("Content-Type".into(), "application/merge-patch+json".into()));
                let status = node.send(&request).status;
                assert!(
                    (400..500).contains(&status) || (method == "DELETE" && status == 204),
                    "{method} {name:?} in {namespace:?}: {status}"
                );
            }
        }
    }
    assert_eq!(node.root("GET", "sys/mounts", Value::Null).json()["data"], before);
    assert_eq!(node.root("GET", "sys/namespaces/parent", Value::Null).json()["data"]["path"], "parent/");
}

#[test]
fn s18_a_tenant_reaches_nothing_of_the_node() {
    let node = Node::start();
    let [operator, _] = two_tenants(&node);
    for path in [
        "sys/plugins/catalog",
        "sys/plugins/catalog/secret/x",
        "sys/plugins/reload/backend",
        "sys/audit",
        "sys/audit/file",
        "sys/audit-hash/file",
        "sys/seal",
        "sys/unseal",
        "sys/step-down",
        "sys/storage/raft/configuration",
        "sys/storage/raft/snapshot",
        "sys/raw/x",
        "sys/rotate",
        "sys/rotate/root",
        "sys/rekey/init",
        "sys/generate-root/attempt",
        "sys/config/state/sanitized",
        "sys/config/auditing/request-headers/x",
        "sys/loggers",
        "sys/metrics",
        "sys/host-info",
        "sys/in-flight-req",
        "sys/config/cors",
        "sys/config/reload/x",
        "sys/init",
        "sys/pprof",
        "sys/monitor",
    ] {
        for method in ["GET", "LIST", "POST", "PUT", "DELETE"] {
            let status = within(
                &node,
                "ta",
                method,
                path,
                &operator,
                Some(json!({ "type": "file", "options": { "file_path": "x" } })),
            )
            .status;
            assert!([400, 403, 404, 405].contains(&status), "{method} {path}: {status}");
            let by_prefix = node.call(method, &format!("ta/{path}"), &operator, Some(json!({}))).status;
            assert!([400, 403, 404, 405].contains(&by_prefix), "{method} ta/{path}: {by_prefix}");
        }
    }
    assert_eq!(node.root("GET", "sys/seal-status", Value::Null).json()["sealed"], false);
}

#[test]
fn s13_s14_ids_of_one_tenant_are_nothing_to_another() {
    let node = Node::start();
    let [operator_a, operator_b] = two_tenants(&node);
    let victim = within(&node, "tb", "POST", "auth/token/create", &operator_b, Some(json!({ "policies": ["admin"] })));
    let (token, accessor) = (node.minted(&victim), victim.text_at("/auth/accessor").unwrap());
    for path in ["auth/token/lookup-accessor", "auth/token/revoke-accessor", "auth/token/renew-accessor"] {
        let foreign = within(&node, "ta", "POST", path, &operator_a, Some(json!({ "accessor": accessor })));
        let unknown = within(&node, "ta", "POST", path, &operator_a, Some(json!({ "accessor": "nobody" })));
        assert_eq!(told(&foreign, &accessor), told(&unknown, "nobody"), "{path}");
        let across = within(&node, "tb", "POST", path, &operator_a, Some(json!({ "accessor": accessor })));
        assert_eq!((across.status, String::from_utf8_lossy(&across.body).as_ref()), (403, DENIED), "{path}");
    }
    assert_eq!(within(&node, "tb", "GET", "auth/token/lookup-self", &token, None).status, 200, "it lives");
}

/// Status, errors and warnings of a reply, without the accessor that was asked for.
fn told(answer: &Answer, accessor: &str) -> (u16, String) {
    let json = answer.json();
    assert!(json["data"].is_null() && json["auth"].is_null(), "nothing is told of another tenant's token");
    (answer.status, format!("{} {}", json["errors"], json["warnings"]).replace(accessor, "…"))
}

/// The chain of September 2026: each link is tried by itself with everything before it granted.
#[test]
fn s_chain_every_link_fails_on_its_own() {
    let node = Node::start();
    let [operator_a, operator_b] = two_tenants(&node);
    let root = node.server.root_token.clone();
    // 1, S90: a certificate for a name that nobody validated. No path of ACME exists, and a role issues its names alone.
    node.write("sys/mounts/pki", json!({ "type": "pki" }));
    node.write("pki/root/generate/internal", json!({ "common_name": "authority", "key_type": "ec" }));
    node.write(
        "pki/roles/r",
        json!({ "allowed_domains": "tenant-a", "allow_bare_domains": true, "allow_ip_sans": false, "key_type": "ec" }),
    );
    for path in ["pki/acme/new-order", "pki/roles/r/acme/new-order", "pki/issuer/default/acme/new-order"] {
        assert_eq!(node.status("POST", path, &root), 404, "{path}");
        assert_eq!(node.status("POST", path, ""), 403, "{path}");
    }
    let issue = |body: Value| node.call("POST", "pki/issue/r", &root, Some(body)).status;
    assert_eq!(issue(json!({ "common_name": "tenant-a" })), 200);
    for (field, name) in [
        ("common_name", "admin"),
        ("alt_names", "admin"),
        ("alt_names", "admin@tenant-b"),
        ("uri_sans", "spiffe://tenant-b/admin"),
        ("ip_sans", "127.0.0.1"),
        ("other_sans", "1.3.6.1.4.1.311.20.2.3;utf8:admin"),
    ] {
        let mut body = json!({ "common_name": "tenant-a" });
        body[field] = name.into();
        assert_eq!(issue(body), 400, "{field}={name}");
    }
    // 2: logging in by certificate takes a connection that showed one; what a header says is nothing.
    assert_eq!(node.status("POST", "auth/cert/login", &root), 404);
    node.write("sys/auth/cert", json!({ "type": "cert" }));
    let trusted = include_str!("fixtures/authority.pem");
    node.write("auth/cert/certs/admin", json!({ "certificate": trusted, "token_policies": ["s-chain"] }));
    for header in ["x-forwarded-client-cert", "x-ssl-client-cert", "ssl-client-cert", "client-cert"] {
        let mut login = Request { body: Some(b"{}".to_vec()), ..Request::api("POST", "auth/cert/login", "") };
        login.headers.push((header.to_owned(), trusted.replace('\n', "")));
        assert_eq!(node.send(&login).status, 400, "{header}");
    }
    // 3, S02: editing the denied role by another spelling, with everything else allowed.
    node.write("sys/auth/approle", json!({ "type": "approle" }));
    node.write("auth/approle/role/admin", json!({ "token_policies": ["default"] }));
    let editor = node.token(
        r#"path "auth/approle/role/*" { capabilities = ["create", "read", "update", "list"] }
           path "auth/approle/role/admin" { capabilities = ["deny"] }"#,
    );
    for spelling in ["AdMiN", "ADMIN", "admin%20", "%EF%BD%81dmin"] {
        let body = json!({ "token_policies": ["s-chain"] });
        assert!(
            [400, 403, 404]
                .contains(&node.call("POST", &format!("auth/approle/role/{spelling}"), &editor, Some(body)).status),
            "{spelling}"
        );
    }
    let role = node.root("GET", "auth/approle/role/admin", Value::Null).json();
    assert_eq!(role["data"]["token_policies"], json!(["default"]));
    // 4, S06: a policy of the other tenant by name, in the hands of this tenant's operator.
    assert_eq!(within(&node, "tb", "GET", "kv/secret", &operator_b, None).status, 200);
    for name in CROSSINGS {
        let made = within(&node, "ta", "POST", "auth/token/create", &operator_a, Some(json!({ "policies": [name] })));
        if made.status == 200 {
            let token = node.minted(&made);
            assert_eq!(within(&node, "tb", "GET", "kv/secret", &token, None).status, 403, "{name:?}");
        }
    }
    // 5, S97: restoring a made-up snapshot. There is no route that takes one, not even for root.
    for path in ["sys/storage/raft/snapshot", "sys/storage/raft/snapshot-force"] {
        let crafted = Request { body: Some(b"\x1f\x8b\x08\x00crafted".to_vec()), ..Request::api("POST", path, &root) };
        assert!([400, 404, 405].contains(&node.send(&crafted).status), "{path}");
        let anonymous = Request { body: Some(b"{}".to_vec()), ..Request::api("POST", path, "") };
        assert_eq!(node.send(&anonymous).status, 403, "{path}");
    }
}
