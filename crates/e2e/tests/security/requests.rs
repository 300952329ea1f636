//! Requests that no client sends: unknown operations, floods of wrong tokens, features that do not exist.

use crate::node::{DENIED, Node, settings};
use crate::routes;
use e2e::http::Request;
use e2e::process::anonymous_bytes;
use e2e::random::Random;
use e2e::server::Server;
use serde_json::{Value, json};

/// How many tokens there are.
fn tokens(node: &Node) -> usize {
    let listed = node.root("LIST", "auth/token/accessors", Value::Null).json();
    listed["data"]["keys"].as_array().map_or(0, Vec::len)
}

/// Names of operations that upstream uses inside.
const INTERNAL: [&str; 9] =
    ["alias-lookahead", "resolve-role", "rollback", "renew", "revoke", "help", "header", "initialize", "continue"];

#[test]
fn s19_no_internal_operation_can_be_named_from_outside() {
    let node = Node::start();
    routes::mount_all(&node);
    let before = tokens(&node);
    let root = node.server.root_token.clone();
    for operation in INTERNAL {
        for path in ["auth/userpass/login/x", "auth/approle/login", "auth/token/create", "sys/mounts"] {
            assert_eq!(node.call(operation, path, &root, None).status, 405, "{operation} {path}");
            assert_eq!(node.call(&operation.to_uppercase(), path, &root, None).status, 405, "{operation} {path}");
            for header in ["X-Vault-Operation", "X-Vault-Inline-Auth-Operation", "X-HTTP-Method-Override"] {
                let mut request = Request::api("GET", path, "");
                request.headers.push((header.into(), operation.into()));
                assert!([403, 405].contains(&node.send(&request).status), "{header}: {operation} {path}");
            }
            let query = node.call("GET", &format!("{path}?operation={operation}&{operation}=true"), "", None);
            assert!([400, 403, 405].contains(&query.status), "{operation} {path}: {}", query.status);
            let body = json!({ "operation": operation, "Operation": operation, operation: true });
            let body = node.call("POST", path, "", Some(body));
            assert!([400, 403, 405].contains(&body.status), "{operation} {path}: {}", body.status);
        }
    }
    assert_eq!(tokens(&node), before, "no token was made");
}

#[test]
fn s21_s58_failing_logins_all_look_alike_and_leave_nothing() {
    let node = Node::start();
    routes::mount_all(&node);
    node.write("sys/auth/userpass/tune", json!({ "user_lockout_config": { "lockout_disable": true } }));
    node.write("auth/userpass/users/known", json!({ "password": "right-1" }));
    let role = node.write("auth/approle/role/r", json!({ "token_ttl": 60 }));
    assert!(role.status < 300);
    let before = tokens(&node);
    let mut answers = Vec::new();
    for user in ["known", "unknown", "Known2", "KNOWN"] {
        for password in ["wrong", "", "right-1x"] {
            let answer =
                node.call("POST", &format!("auth/userpass/login/{user}"), "", Some(json!({ "password": password })));
            answers.push((password.is_empty(), answer.status, String::from_utf8_lossy(&answer.body).into_owned()));
        }
    }
    for empty in [false, true] {
        let mut alike = answers.iter().filter(|(is_empty, ..)| *is_empty == empty);
        let first = alike.next().unwrap();
        assert!(first.1 >= 400 && alike.all(|other| other == first), "{answers:?}");
    }
    for (role_id, secret_id) in [("r", "s"), ("00000000-0000-0000-0000-000000000000", "s"), ("r", "")] {
        assert_eq!(
            node.call("POST", "auth/approle/login", "", Some(json!({ "role_id": role_id, "secret_id": secret_id })))
                .status,
            400
        );
    }
    assert_eq!(tokens(&node), before);
}

#[test]
fn s23_no_error_shows_where_the_server_listens() {
    let node = Node::start();
    let address = node.server.client.address.to_string();
    let port = format!(":{}", node.server.client.address.port());
    let mut random = Random::of_seed(23);
    let mut connection = node.connection();
    let routes = routes::all(&node);
    for round in 0..5000_usize {
        let route = &routes[round % routes.len()];
        let junk: String = (0..random.below(12))
            .map(|_| char::from(b'!' + u8::try_from(random.below(90)).unwrap()))
            .filter(|c| *c != '%' && *c != '#')
            .collect();
        let method = routes::METHODS[usize::try_from(random.below(8)).unwrap()];
        let mut request = Request::api(
            method,
            &format!("{}{junk}", route.filled("x")),
            if round % 3 == 0 { "hvs.wrong" } else { "" },
        );
        request.headers.push(("X-Vault-Namespace".into(), if round % 5 == 0 { "nope".into() } else { String::new() }));
        request.headers.push(("Host".into(), format!("evil{round}.example")));
        request.body = Some(junk.clone().into_bytes());
        let Ok(answer) = connection.send(&request, true) else {
            connection = node.connection();
            continue;
        };
        let mut text = String::from_utf8_lossy(&answer.body).into_owned();
        answer.headers.iter().for_each(|(name, value)| text.push_str(&format!("\n{name}: {value}")));
        // What a leader's address is for is to be told; every other reply is silent.
        if !request.path.starts_with("/v1/sys/leader") {
            assert!(!text.contains(&address) && !text.contains(&port), "{method} {}: {text}", request.path);
        }
        assert!(answer.header("location").is_none(), "{method} {}", request.path);
    }
}

#[test]
fn s24_a_sealed_node_answers_its_open_routes_only() {
    let node = Node::start();
    routes::mount_all(&node);
    let all = routes::all(&node);
    let root = node.server.root_token.clone();
    assert_eq!(node.call("PUT", "sys/seal", &root, None).status, 204);
    let open = ["sys/health", "sys/leader", "sys/seal-status", "sys/init", "sys/unseal"];
    let mut connection = node.connection();
    for token in ["", root.as_str()] {
        for route in &all {
            let path = route.filled("x");
            for method in ["GET", "LIST", "POST", "DELETE"] {
                let answer = connection.send(&Request::api(method, &path, token), true).unwrap();
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                if open.contains(&path.as_str()) {
                    assert!(!text.contains("secret") && answer.status != 500, "{method} {path}: {text}");
                    continue;
                }
                assert_eq!(
                    (answer.status, text.as_str()),
                    (503, "{\"errors\":[\"Vault is sealed\"]}\n"),
                    "{method} {path}"
                );
            }
        }
    }
}

#[test]
fn s24_a_node_that_is_not_initialised_answers_its_open_routes_only() {
    let server = Server::start(&settings(&Value::Null)).unwrap();
    for path in [
        "sys/mounts",
        "sys/policies/acl/x",
        "auth/token/lookup-self",
        "sys/license/status",
        "sys/metrics",
        "secret/data/x",
    ] {
        for method in ["GET", "LIST", "POST", "DELETE"] {
            assert_eq!(server.client.send(&Request::api(method, path, "")).unwrap().status, 503, "{method} {path}");
        }
    }
}

#[test]
fn s25_f26_a_flood_of_wrong_tokens_hits_nothing_and_costs_no_memory() {
    let node = Node::start();
    routes::mount_all(&node);
    let token = node.token(r#"path "none" { capabilities = ["read"] }"#);
    let mut connection = node.connection();
    let mut random = Random::of_seed(26);
    let mut flood = |requests: u32| {
        for number in 0..requests {
            let guess = match number % 4 {
                // Beginnings of a good token, and the token with its end changed.
                0 => token[..usize::try_from(random.below(token.len() as u64)).unwrap()].to_owned(),
                1 => format!("{}{:08x}", &token[..token.len() - 8], random.below(u64::from(u32::MAX))),
                2 => format!("hvb.{:x}{:x}.{:x}", random.below(u64::MAX), random.below(u64::MAX), random.below(99)),
                _ => format!("hvs.{:x}{:x}", random.below(u64::MAX), random.below(u64::MAX)),
            };
            let path = format!("secret/data/{:x}", random.below(u64::MAX));
            let answer = connection.send(&Request::api("GET", &path, &guess), true).unwrap();
            assert_eq!((answer.status, String::from_utf8_lossy(&answer.body).as_ref()), (403, DENIED));
        }
    };
    let id = node.server.process.id();
    flood(2_000);
    let warm = anonymous_bytes(id).unwrap();
    let length = flood_length();
    flood(length);
    let after = anonymous_bytes(id).unwrap();
    let grown = after.saturating_sub(warm);
    assert!(grown < warm / 10, "{grown} bytes more on {warm} after {length} requests");
    println!("{grown} bytes more on {warm} after {length} wrong tokens");
    // The token itself, on paths that all differ: what is decided of a path is not kept for ever.
    for _ in 0..length / 4 {
        let path = format!("secret/data/{:x}", random_path(&mut random));
        assert_eq!(connection.send(&Request::api("GET", &path, &token), true).unwrap().status, 403);
    }
    let last = anonymous_bytes(id).unwrap();
    assert!(last.saturating_sub(warm) < warm / 10, "{} bytes more on {warm}", last.saturating_sub(warm));
}

fn random_path(random: &mut Random) -> u64 {
    random.below(u64::MAX)
}

/// Requests of the flood: 12,000, or as many as `COFFER_FLOOD` says.
fn flood_length() -> u32 {
    std::env::var("COFFER_FLOOD").ok().and_then(|text| text.parse().ok()).unwrap_or(12_000)
}

/// Routes of features that do not exist here, by the row that is about them. They answer that there is nothing.
const ABSENT: [(&str, &str); 35] = [
    ("S11", "sys/policies/egp/x"),
    ("S11", "sys/policies/rgp/x"),
    ("S24", "sys/license"),
    ("S24", "sys/license/status"),
    ("S24", "sys/replication/status"),
    ("S24", "sys/replication/dr/status"),
    ("S45", "sys/storage/raft/join"),
    ("S45", "sys/storage/raft/bootstrap/challenge"),
    ("S45", "sys/storage/raft/bootstrap/answer"),
    ("S45", "sys/storage/raft/bootstrap"),
    ("S09", "gcp/roleset/x"),
    ("S09", "database/creds/x"),
    ("S48", "sys/plugins/runtimes/catalog/container/x"),
    ("S49", "auth/aws/login"),
    ("S50", "auth/gcp/login"),
    ("S52", "auth/azure/login"),
    ("S53", "auth/jwt/login"),
    ("S54", "auth/cert/login"),
    ("S61", "auth/ldap/login/x"),
    ("S62", "totp/code/x"),
    ("S63", "sys/mfa/validate"),
    ("S70", "auth/kubernetes/login"),
    ("S80", "database/config/x"),
    ("S84", "pki/issue/x"),
    ("S88", "ssh/sign/x"),
    ("S90", "pki/acme/new-order"),
    ("S90", "pki/roles/x/acme/directory"),
    ("S93", "sys/storage/raft/remove-peer"),
    ("S93", "sys/storage/raft/configuration"),
    ("S97", "sys/storage/raft/snapshot"),
    ("S97", "sys/storage/raft/snapshot-force"),
    ("S98", "sys/raw/core/mounts"),
    ("S98", "sys/raw/root/policy/default"),
    ("S102", "agent/v1/quit"),
    ("S19", "sys/workflows/x"),
];

/// Tries the absent routes of some rows as nobody and as root: each answers that there is nothing, and keeps nothing.
fn nothing_is_there(rows: &[&str]) {
    let node = Node::start();
    let root = node.server.root_token.clone();
    let before = stored_keys(&node);
    let mut connection = node.connection();
    let routes: Vec<_> = ABSENT.iter().filter(|(row, _)| rows.contains(row)).collect();
    assert!(routes.len() >= rows.len(), "every row has a route");
    for (row, path) in routes {
        for method in ["GET", "LIST", "POST", "PUT", "DELETE"] {
            let body = json!({
                "leader_api_addr": "https://10.0.0.1:8200", "nonce": "AAAA", "plaintext": "AAAA", "command": "/bin/sh",
                "type": "rsa-2048", "derived": true,
            });
            let request = |token: &str| Request::api(method, path, token).with_json(&body);
            let anonymous = connection.send(&request(""), true).unwrap();
            let told = (anonymous.status, String::from_utf8_lossy(&anonymous.body).into_owned());
            assert_eq!(told, (403, DENIED.to_owned()), "{row}: {method} {path}");
            let operator = connection.send(&request(&root), true).unwrap();
            assert!([404, 405].contains(&operator.status), "{row}: {method} {path}: {}", operator.status);
        }
    }
    assert_eq!(stored_keys(&node), before, "no mount, token or policy came to be");
}

#[test]
fn s11_there_are_no_governing_policies() {
    nothing_is_there(&["S11"]);
}

#[test]
fn s45_joining_a_cluster_costs_nothing_however_often_it_is_tried() {
    nothing_is_there(&["S45"]);
    let node = Node::start();
    let id = node.server.process.id();
    let mut connection = node.connection();
    let warm = anonymous_bytes(id).unwrap();
    for _ in 0..5_000 {
        let join = Request::api("POST", "sys/storage/raft/bootstrap/challenge", "");
        assert_eq!(connection.send(&join.with_json(&json!({ "server_id": "x" })), true).unwrap().status, 403);
    }
    let grown = anonymous_bytes(id).unwrap().saturating_sub(warm);
    assert!(grown < 8 << 20, "{grown} bytes");
}

#[test]
fn s49_to_s102_what_comes_later_is_not_there_by_half() {
    let rows = [
        "S09", "S19", "S24", "S48", "S49", "S50", "S52", "S53", "S54", "S61", "S62", "S63", "S70", "S80", "S84", "S88",
        "S90", "S93", "S97", "S98", "S102",
    ];
    nothing_is_there(&rows);
}

/// What an operator can list.
fn stored_keys(node: &Node) -> Vec<Value> {
    [
        ("GET", "sys/mounts"),
        ("GET", "sys/auth"),
        ("LIST", "sys/policies/acl"),
        ("LIST", "auth/token/accessors"),
        ("LIST", "identity/entity/id"),
    ]
    .into_iter()
    .map(|(method, path)| node.call(method, path, &node.server.root_token, None).json()["data"].clone())
    .collect()
}

#[test]
fn s48_no_plugin_can_be_registered_or_started() {
    let node = Node::start();
    for kind in ["secret", "auth", "database"] {
        let path = format!("sys/plugins/catalog/{kind}/evil");
        for body in [
            json!({ "command": "../../bin/sh", "sha_256": "00" }),
            json!({ "command": "sh", "sha256": "0".repeat(64), "args": ["-c", "id"], "env": ["A=b"] }),
            json!({ "oci_image": "registry.example/evil", "runtime": "runc", "sha256": "0".repeat(64) }),
        ] {
            let answer = node.call("POST", &path, &node.server.root_token, Some(body));
            assert!((400..500).contains(&answer.status), "{}", answer.status);
        }
        assert!(node.status("GET", &path, &node.server.root_token) >= 400);
    }
    let mount = node.call(
        "POST",
        "sys/mounts/evil",
        &node.server.root_token,
        Some(json!({ "type": "plugin", "plugin_name": "evil" })),
    );
    assert!((400..500).contains(&mount.status));
}

#[test]
fn s78_no_odd_limit_widens_a_list() {
    let node = Node::start();
    routes::mount_all(&node);
    for name in ["a", "b", "c", "d"] {
        node.write(&format!("kv1/{name}"), json!({ "v": 1 }));
    }
    let token = node.token(r#"path "kv1/*" { capabilities = ["list", "read"] pagination_limit = 2 }"#);
    let count = |answer: &e2e::http::Answer| answer.json()["data"]["keys"].as_array().map_or(0, Vec::len);
    for limit in [
        "0",
        "-1",
        "2147483648",
        "9223372036854775807",
        "9223372036854775808",
        "1e9",
        "%205",
        "3",
        "NaN",
        "",
        "0x9",
        "1_0",
    ] {
        let answer = node.call("LIST", &format!("kv1?limit={limit}"), &token, None);
        assert!(count(&answer) <= 2, "limit {limit:?}: {}", String::from_utf8_lossy(&answer.body));
    }
    assert_eq!(count(&node.call("LIST", "kv1?limit=2", &token, None)), 2, "the limit itself is allowed");
}

#[test]
fn s46_keys_and_values_at_their_limits_do_not_harm_the_node() {
    let node = Node::start();
    routes::mount_all(&node);
    let root = node.server.root_token.clone();
    for size in [0, 1, (1 << 20) - 1, 1 << 20, (1 << 20) + 1, 3 << 20] {
        let body = json!({ "data": { "v": "x".repeat(size) } });
        let answer = node.call("POST", "secret/data/size", &root, Some(body));
        assert!(answer.status == 200 || (400..500).contains(&answer.status), "{size}: {}", answer.status);
    }
    for length in [1, 511, 512, 513, 4096, 8191, 8192, 8193, 32 << 10] {
        let answer = node.call("POST", &format!("kv1/{}", "k".repeat(length)), &root, Some(json!({ "v": 1 })));
        assert!(answer.status == 204 || (400..500).contains(&answer.status), "{length}: {}", answer.status);
    }
    for raw in ["%00", "a%00b", "%ff%fe", "%f4%90%80%80", "%ed%a0%80"] {
        assert_eq!(node.call("POST", &format!("kv1/{raw}"), &root, Some(json!({ "v": 1 }))).status, 400, "{raw}");
    }
    assert_eq!(node.status("GET", "sys/health", ""), 200);
}

#[test]
fn s78_no_extreme_number_breaks_a_request() {
    let node = Node::start();
    routes::mount_all(&node);
    let root = node.server.root_token.clone();
    let numbers =
        ["9223372036854775807", "-9223372036854775808", "18446744073709551616", "1e308", "-1", "99999999999h"];
    let document = node.root("GET", "sys/internal/specs/openapi", Value::Null).json();
    let mut broken = Vec::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        let schema = &item["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"];
        let Some(fields) = schema.as_object() else { continue };
        let path = path.trim_start_matches('/').replace(['{', '}'], "");
        if ["sys/seal", "sys/step-down"].contains(&path.as_str()) {
            continue;
        }
        let counts = |schema: &Value| schema["type"] == "integer" || schema["format"] == "seconds";
        for (field, _) in fields.iter().filter(|(_, schema)| counts(schema)) {
            for number in numbers {
                let answer = node.call("POST", &path, &root, Some(json!({ field: number })));
                // Upstream's own 500 for what it refuses says why; a fault of ours only that there was one.
                if answer.status > 500
                    || answer.status == 500 && !String::from_utf8_lossy(&answer.body).contains("1 error occurred")
                {
                    broken.push(format!("{path} with {field} = {number}: {}", answer.status));
                }
            }
        }
    }
    for number in numbers {
        let mut request = Request::api("GET", "auth/token/lookup-self", &root);
        request.headers.push(("X-Vault-Wrap-TTL".into(), number.into()));
        let status = node.send(&request).status;
        if status >= 500 {
            broken.push(format!("X-Vault-Wrap-TTL of {number}: {status}"));
        }
    }
    assert!(broken.is_empty(), "{broken:#?}");
    let renewed =
        node.call("POST", "auth/token/create", &root, Some(json!({ "ttl": "100000h", "policies": ["default"] })));
    assert_eq!(renewed.status, 200, "the node goes on");
    node.minted(&renewed);
}
