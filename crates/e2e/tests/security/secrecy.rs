//! What was sent or returned stands in no sink in clear: the harness looks for every canary when a test ends.

use crate::node::{Node, settings};
use crate::routes;
use e2e::http::Request;
use e2e::server::{Server, Settings, Storage};
use serde_json::{Value, json};

#[test]
fn s35_a_raw_device_does_not_make_another_raw() {
    let settings = settings(&json!({ "audit": { "file": [
        { "raw": { "options": { "file_path": "raw.log", "log_raw": "true" } } },
        { "hashed": { "options": { "file_path": "audit.log" } } },
        { "last": { "options": { "file_path": "last.log", "log_raw": "true" } } },
    ] } }));
    let node = Node::start_with(&settings);
    routes::mount_all(&node);
    node.write("kv1/a", json!({ "v": "s35-canary-value" }));
    node.root("GET", "kv1/a", Value::Null);
    let text = |name: &str| std::fs::read_to_string(node.folder().join(name)).unwrap();
    for raw in ["raw.log", "last.log"] {
        assert!(text(raw).contains("s35-canary-value"), "{raw} is raw");
        std::fs::remove_file(node.folder().join(raw)).unwrap();
    }
    assert!(text("audit.log").contains("kv1/a"));
    node.canary("s35-canary-value");
}

#[test]
fn s36_no_kind_of_request_shows_a_token_or_accessor_or_secret_header() {
    let node = Node::start();
    routes::mount_all(&node);
    let auth = node.write("auth/token/create", json!({ "policies": ["default"] }));
    let token = node.minted(&auth);
    let accessor = node.untold(&auth.text_at("/auth/accessor").unwrap());
    node.write("sys/config/auditing/request-headers/x-shown-hashed", json!({ "hmac": true }));
    node.write("sys/config/auditing/request-headers/authorization", json!({ "hmac": false }));
    node.write("sys/config/auditing/request-headers/x-vault-token", json!({ "hmac": false }));
    node.write("sys/config/auditing/request-headers/cookie", json!({ "hmac": false }));
    for route in routes::all(&node) {
        for method in crate::routes::METHODS {
            // What the path itself names is no secret; what goes with it is.
            let path = route.filled("x");
            if ["sys/seal", "sys/step-down", "auth/token/revoke-self"].contains(&path.as_str()) {
                continue;
            }
            let mut request = Request::api(method, &path, &token).with_json(&json!({
                "token": token, "accessor": accessor, "value": "s36-canary-body", "password": "s36-canary-password",
            }));
            for (name, value) in [
                ("X-Shown-Hashed", "s36-canary-header"),
                ("Authorization", "Bearer s36-canary-bearer"),
                ("Cookie", "session=s36-canary-cookie"),
                ("X-Vault-Wrap-TTL", "5m"),
            ] {
                request.headers.push((name.to_owned(), value.to_owned()));
            }
            node.send(&request);
        }
    }
    // By header alone, and for another token than the request's own.
    let bearer = Request {
        headers: vec![("Authorization".into(), format!("Bearer {token}"))],
        ..Request::api("GET", "auth/token/lookup-self", "")
    };
    assert_eq!(node.send(&bearer).status, 200);
    let wrapped = Request {
        headers: vec![("X-Vault-Wrap-TTL".into(), "5m".into()), ("X-Vault-Token".into(), token.clone())],
        ..Request::api("GET", "auth/token/lookup-self", "")
    };
    let wrapping = node.canary(&node.send(&wrapped).text_at("/wrap_info/token").unwrap());
    assert_eq!(node.call("POST", "sys/wrapping/lookup", "", Some(json!({ "token": wrapping }))).status, 200);
    assert_eq!(node.call("POST", "sys/wrapping/unwrap", &wrapping, None).status, 200);
    node.write("auth/token/lookup", json!({ "token": token }));
    node.write("auth/token/lookup-accessor", json!({ "accessor": accessor }));
    node.write("auth/token/revoke-accessor", json!({ "accessor": accessor }));
    for canary in
        ["s36-canary-body", "s36-canary-password", "s36-canary-header", "s36-canary-bearer", "s36-canary-cookie"]
    {
        node.canary(canary);
    }
    assert!(node.trail().contains("x-shown-hashed"), "the configured header is there, by its hash");
}

#[test]
fn s37_no_forwarding_header_changes_what_is_shown() {
    let node = Node::start();
    let token = node.token(r#"path "none" { capabilities = ["read"] }"#);
    for (name, value) in [
        ("X-Vault-Forward", "active-node"),
        ("X-Vault-No-Request-Forwarding", "true"),
        ("X-Vault-Inconsistent", "forward-active-node"),
    ] {
        let mut request = Request::api("GET", "auth/token/lookup-self", &token);
        request.headers.push((name.into(), value.into()));
        request.headers.push(("X-Custom".into(), node.canary("s37-canary-header")));
        assert_eq!(node.send(&request).status, 403, "{name}");
    }
}

#[test]
fn s38_a_value_of_the_wrong_type_is_repeated_nowhere() {
    let node = Node::start();
    routes::mount_all(&node);
    let canary = node.untold("s38-canary-7613");
    let nested = json!({ "a": [{ "b": canary }] });
    let shapes = [
        json!(canary),
        json!([canary]),
        json!({ "k": canary }),
        nested,
        json!([[canary]]),
        json!(format!("{canary}{}", "x".repeat(5000))),
    ];
    let document = node.root("GET", "sys/internal/specs/openapi", Value::Null).json();
    let mut tried = 0;
    for (path, item) in document["paths"].as_object().unwrap() {
        let schema = &item["post"]["requestBody"]["content"]["application/json"]["schema"]["properties"];
        let Some(fields) = schema.as_object() else { continue };
        let path = path.trim_start_matches('/').replace(['{', '}'], "");
        // Paths that are asked about are names.
        if ["sys/seal", "sys/step-down"].contains(&path.as_str()) || path.starts_with("sys/capabilities") {
            continue;
        }
        // What is told of a token is public: its policies, its metadata and its name.
        let public = ["policies", "meta", "metadata", "display_name"];
        for (field, schema) in fields.iter().filter(|(field, _)| !public.contains(&field.as_str())) {
            for shape in &shapes {
                // A text where a text belongs is no error of type: names of roles and modes are told back, as upstream does.
                let fits =
                    matches!(schema["type"].as_str(), None | Some("array" | "object" | "string")) && !shape.is_object();
                let answer = node.call("POST", &path, &node.server.root_token, Some(json!({ field: shape })));
                let text = String::from_utf8_lossy(&answer.body).into_owned();
                assert!(
                    fits || answer.status < 400 || !text.contains("s38-canary"),
                    "POST {path} with {field}: {text}"
                );
                tried += 1;
            }
        }
    }
    assert!(tried > 600, "{tried}");
}

#[test]
fn s38_what_is_no_json_is_repeated_nowhere() {
    let node = Node::start();
    routes::mount_all(&node);
    let canary = node.canary("s38-canary-2209");
    for text in [
        format!("{{\"a\":\"{canary}"),
        format!("{{\"a\":{canary}}}"),
        canary.clone(),
        format!("{{\"{canary}\":1,\"{canary}\":2}}"),
        format!("[\"{canary}\"]"),
        format!("{{\"a\":1}}{canary}"),
        format!("{{\"a\":\"\\u{canary}\"}}"),
    ] {
        for path in [
            "kv1/a",
            "secret/data/a",
            "auth/userpass/login/x",
            "auth/approle/login",
            "sys/unseal",
            "sys/policies/acl/x",
        ] {
            let request = Request {
                body: Some(text.clone().into_bytes()),
                ..Request::api("POST", path, &node.server.root_token)
            };
            let answer = node.send(&request);
            assert_eq!(answer.status, 400, "{path}");
            assert!(!String::from_utf8_lossy(&answer.body).contains(&canary), "{path}");
        }
    }
}

#[test]
fn s39_bodies_that_are_no_envelope_are_hashed_whole() {
    let node = Node::start();
    routes::mount_all(&node);
    // The names of mounts stand in these bodies.
    node.write("sys/mounts/s39-mount-in-a-raw-body", json!({ "type": "kv" }));
    let before = node.trail().len();
    for path in ["sys/internal/specs/openapi", "sys/metrics?format=prometheus", "sys/metrics"] {
        assert_eq!(node.status("GET", path, &node.server.root_token), 200, "{path}");
    }
    let trail = node.trail();
    assert!(trail.len() > before && !trail[before..].contains("s39-mount"), "no raw body in the trail");
}

#[test]
fn s20_s40_credentials_in_headers_go_nowhere() {
    let node = Node::start();
    routes::mount_all(&node);
    let headers = ["Authorization", "X-Vault-Token", "x-vault-token", "X-VAULT-TOKEN", "Cookie"];
    node.write("sys/auth/userpass/tune", json!({ "passthrough_request_headers": headers }));
    node.write("auth/userpass/users/u", json!({ "password": node.canary("s20-canary-password") }));
    let bearer = node.server.root_token.clone();
    let login =
        Request::api("POST", "auth/userpass/login/u", "").with_json(&json!({ "password": "s20-canary-password" }));
    let login = Request { headers: vec![("Authorization".into(), format!("Bearer {bearer}"))], ..login };
    let answer = node.send(&login);
    assert_eq!(answer.status, 200);
    node.minted(&answer);
    assert!(!String::from_utf8_lossy(&answer.body).contains(&bearer));
    // Logging in within another request is not served: the headers authenticate nobody, and are not shown.
    for name in ["Path", "Operation", "Namespace", "Parameter-password", "Parameter-role_id"] {
        let mut request = Request::api("GET", "sys/mounts", "");
        request.headers.push(("X-Vault-Inline-Auth-Path".into(), "auth/userpass/login/u".into()));
        request.headers.push((format!("X-Vault-Inline-Auth-{name}"), node.canary("s20-canary-password")));
        assert_eq!(node.send(&request).status, 403, "{name}");
    }
}

#[test]
fn s41_no_environment_secret_is_logged_at_start() {
    let canary = "s41-canary-proxy";
    let mut settings = settings(&Value::Null);
    let variables = ["https_proxy", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"]
        .map(|name| format!("{name}=http://u:{canary}@localhost:9"));
    settings.wrapper = ["env".to_owned()].into_iter().chain(variables).collect();
    settings.wrapper.push(format!("VAULT_TOKEN={canary}"));
    let node = Node::start_with(&settings);
    node.canary(canary);
    for path in ["sys/config/state/sanitized", "sys/metrics?format=prometheus", "sys/host-info", "sys/in-flight-req"] {
        let answer = node.call("GET", path, &node.server.root_token, None);
        assert_eq!(answer.status, 200, "{path}");
        assert!(!String::from_utf8_lossy(&answer.body).contains(canary), "{path}");
    }
}

#[test]
fn s103_the_configuration_shown_has_no_secret_in_it() {
    let canary = "c0ffee5103c0ffee5103c0ffee5103c0ffee5103c0ffee5103c0ffee5103beef";
    let settings: Settings = {
        let mut settings = Settings::new(&crate::node::binary(), Storage::Memory);
        settings.extra =
            json!({ "seal": { "static": { "current_key": canary, "current_key_id": "k" } }, "log_level": "trace" });
        settings
    };
    let server = Server::start(&settings).unwrap();
    let answer = server.client.send(&Request::api("POST", "sys/init", "").with_json(&json!({}))).unwrap();
    let root = answer.text_at("/root_token").unwrap();
    let shown = server.client.send(&Request::api("GET", "sys/config/state/sanitized", &root)).unwrap();
    assert_eq!(shown.status, 200);
    let log = std::fs::read_to_string(server.folder().join("server.log")).unwrap();
    assert!(!String::from_utf8_lossy(&shown.body).contains(canary) && !log.contains(canary));
}
