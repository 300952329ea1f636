//! Who may do what: no route of the kernel's tables answers somebody without rights, a rule about a name holds for every
//! spelling of it, and what has an end ends.

use crate::harness::{At, ROOT, World, told};
use engine::{Operation, Table};
use kernel::{Kx, identity, sys, tokens};
use serde_json::{Value, json};

/// Routes that need no token, each with its reason: reviewed. A route of the tables that is open and not here fails the
/// test, as does one that is here and needs a token.
const OPEN: [&str; 16] = [
    // Whether the node is there, asked before anyone has a token.
    "sys/health",
    "sys/leader",
    "sys/seal-status",
    "sys/init",
    // Shares and one-time passwords are what is authorised here.
    "sys/unseal",
    "sys/decode-token",
    // The wrapping token is what is authorised.
    "sys/wrapping/unwrap",
    "sys/wrapping/lookup",
    "sys/wrapping/rewrap",
    // Public keys of identity tokens, and where they are: whoever checks such a token has none of ours.
    "identity/oidc/.well-known/keys",
    "identity/oidc/.well-known/openid-configuration",
    // Show what the caller may see, which is nothing without a token.
    "sys/internal/ui/mounts",
    "sys/internal/ui/mounts/{path:path}",
    "sys/internal/ui/namespaces",
    "sys/internal/specs/openapi",
    "sys/internal/ui/version",
];

/// Ceremonies, which are open in the root namespace to who has no token: a share of the key is what is authorised there.
const BY_SHARE: [&str; 2] = ["sys/generate-root/", "sys/rekey/"];

/// Every operation of a table: its path pattern, whether it is open, and a path that matches.
fn operations(mount: &str, table: &Table<Kx>) -> Vec<(String, bool, String, Operation)> {
    let mut found = Vec::new();
    for route in table.routes() {
        let filled: Vec<&str> =
            route.path.split('/').map(|segment| if segment.starts_with('{') { "kept" } else { segment }).collect();
        for operation in route.operations() {
            let path = format!("{mount}{}", filled.join("/"));
            found.push((format!("{mount}{}", route.path), route.flags.unauthenticated, path, operation));
        }
    }
    found
}

fn all() -> Vec<(String, bool, String, Operation)> {
    let mut found = operations("sys/", &sys::table());
    found.extend(operations("identity/", &identity::table()));
    found.extend(operations("auth/token/", &tokens::table()));
    assert!(found.len() > 150, "{} operations", found.len());
    found
}

#[test]
fn no_operation_of_any_table_answers_who_has_no_rights() {
    let mut world = World::new();
    world.namespace("child");
    let made = json!({ "policies": ["none"], "no_default_policy": true, "ttl": "1h" });
    let made = world.call(ROOT, Operation::Update, "auth/token/create-orphan", made).unwrap();
    let nothing = made.auth.unwrap().client_token;
    let (elsewhere, _) = world.token(
        "child",
        r#"path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo", "patch"] }"#,
    );
    let before = world.keys_below("");
    for (pattern, open, path, operation) in all() {
        assert_eq!(
            open,
            OPEN.contains(&pattern.as_str()),
            "{pattern} is open: {open}, and the reviewed list says otherwise"
        );
        if open {
            continue;
        }
        let by_share = BY_SHARE.iter().any(|folder| pattern.starts_with(folder));
        for (token, namespace) in [
            ("", ""),
            ("hvs.unknown", ""),
            (nothing.as_str(), ""),
            (elsewhere.as_str(), ""),
            ("", "child"),
            (nothing.as_str(), "child"),
        ] {
            if by_share && namespace.is_empty() && token != nothing {
                // No step succeeds without a share, whatever else is answered.
                assert!(
                    operation == Operation::Read
                        || world.status(At { token, namespace }, operation, &path, json!({})) >= 400
                );
                continue;
            }
            let refused = world.call(At { token, namespace }, operation, &path, json!({})).map(|_| ()).unwrap_err();
            let (status, text) = told(&refused);
            assert_eq!(
                (status, text.as_str()),
                (403, "permission denied"),
                "{operation:?} {path} with {token:?} in {namespace:?}"
            );
        }
    }
    assert_eq!(world.keys_below(""), before, "nothing was written");
}

#[test]
fn s02_a_rule_about_a_policy_holds_for_every_spelling_of_it() {
    let mut world = World::new();
    world.namespace("Admin");
    let text = |rule: &str| json!({ "policy": format!("path \"{rule}\" {{ capabilities = [\"read\"] }}") });
    for namespace in ["", "Admin"] {
        let root = At { namespace, ..ROOT };
        world.write(root, "sys/policies/acl/admin", text("kept")).unwrap();
        let (token, _) = world.token(
            namespace,
            r#"path "*" { capabilities = ["create", "read", "update", "delete", "list", "patch", "sudo"] }
               path "sys/policies/acl/admin" { capabilities = ["deny"] }
               path "sys/policy/admin" { capabilities = ["deny"] }"#,
        );
        // By header and by prefix of the path: where the namespace is named like the policy, both are spelled with it.
        for (namespace, prefix) in [(namespace, ""), ("", namespace)] {
            let at = At { token: &token, namespace };
            let prefix = if prefix.is_empty() { String::new() } else { format!("{prefix}/") };
            for folder in ["sys/policies/acl", "sys/policy"] {
                for name in ["admin", "AdMiN", "Admin", "ADMIN", "admin/", "Admin/"] {
                    let path = format!("{prefix}{folder}/{name}");
                    for operation in [Operation::Read, Operation::Update, Operation::Delete] {
                        let status = world.status(at, operation, &path, text("hostile"));
                        assert!([400, 403].contains(&status), "{operation:?} {path}: {status}");
                    }
                }
            }
        }
        let kept = world.read(root, "sys/policies/acl/admin").unwrap();
        assert!(kept["policy"].as_str().unwrap().contains("kept"), "{kept}");
    }
}

#[test]
fn s02_a_trailing_slash_is_no_way_around_a_rule() {
    let mut world = World::new();
    let (token, _) = world.token(
        "",
        r#"path "auth/token/roles/*" { capabilities = ["create", "read", "update", "delete", "list"] }
           path "auth/token/roles/admin" { capabilities = ["deny"] }"#,
    );
    world.write(ROOT, "auth/token/roles/admin", json!({ "orphan": true })).unwrap();
    let at = At { token: &token, namespace: "" };
    for operation in [Operation::Read, Operation::Update, Operation::Delete] {
        for path in ["auth/token/roles/admin", "auth/token/roles/admin/"] {
            assert_eq!(world.status(at, operation, path, json!({})), 403, "{operation:?} {path}");
        }
    }
    assert_eq!(
        world.status(at, Operation::Read, "auth/token/roles/other/", Value::Null),
        200,
        "a slash alone harms nobody"
    );
}

#[test]
fn s65_a_policy_that_has_ended_grants_nothing_and_denies_nothing() {
    let mut world = World::new();
    let secret = r#"path "sys/mounts" { capabilities = ["read"] }"#;
    world.write(ROOT, "sys/policies/acl/short", json!({ "policy": secret, "ttl": 60 })).unwrap();
    let made = json!({ "policies": ["short"], "ttl": "1h" });
    let auth = world.call(ROOT, Operation::Update, "auth/token/create-orphan", made).unwrap().auth.unwrap();
    let at = At { token: &auth.client_token, namespace: "" };
    assert_eq!(world.status(at, Operation::Read, "sys/mounts", Value::Null), 200);
    world.now = world.now.plus_seconds(59);
    assert_eq!(world.status(at, Operation::Read, "sys/mounts", Value::Null), 200);
    world.now = world.now.plus_seconds(1);
    assert_eq!(world.status(at, Operation::Read, "sys/mounts", Value::Null), 403, "nobody wrote anything in between");
}

#[test]
fn s65_a_rule_that_has_ended_grants_nothing() {
    let mut world = World::new();
    let end = world.now.plus_seconds(60).to_rfc3339();
    let (token, _) =
        world.token("", &format!("path \"sys/mounts\" {{ capabilities = [\"read\"] expiration = \"{end}\" }}"));
    let at = At { token: &token, namespace: "" };
    assert_eq!(world.status(at, Operation::Read, "sys/mounts", Value::Null), 200, "it holds until its end");
    world.now = world.now.plus_seconds(60);
    assert_eq!(world.status(at, Operation::Read, "sys/mounts", Value::Null), 403);
}

#[test]
fn s06_what_is_compiled_for_one_set_of_policies_serves_no_other() {
    let mut world = World::new();
    let read = |path: &str| json!({ "policy": format!("path \"{path}\" {{ capabilities = [\"read\"] }}") });
    // Names that spell how sets are told apart, lengths and revisions included.
    let names = ["a", "a1:b", "1:a", "ap1:b", "a\u{1}b", "p1:a", "root@1:a", "nroot@1;p1:a", "t", "a2:"];
    for name in names.iter().filter(|name| name.is_ascii() && !name.contains('\u{1}')) {
        world.write(ROOT, &format!("sys/policies/acl/{name}"), read("sys/none")).unwrap();
    }
    world.write(ROOT, "sys/policies/acl/b", read("sys/mounts")).unwrap();
    let mut token = |policies: &[&str]| {
        let body = json!({ "policies": policies, "no_default_policy": true, "ttl": "1h" });
        world
            .call(ROOT, Operation::Update, "auth/token/create-orphan", body)
            .map(|answer| answer.auth.unwrap().client_token)
    };
    let strong = token(&["a", "b"]).unwrap();
    let weak: Vec<String> =
        names.iter().flat_map(|name| [token(&[name]), token(&["a", name])]).filter_map(Result::ok).collect();
    for _ in 0..2 {
        assert_eq!(world.status(At { token: &strong, namespace: "" }, Operation::Read, "sys/mounts", Value::Null), 200);
        for token in &weak {
            assert_eq!(world.status(At { token, namespace: "" }, Operation::Read, "sys/mounts", Value::Null), 403);
        }
    }
}

#[test]
fn s78_the_limit_of_a_page_is_a_parameter_that_rules_see() {
    let mut world = World::new();
    for name in ["a", "b", "c", "d"] {
        world.namespace(name);
    }
    let (token, _) = world.token("", r#"path "sys/namespaces" { capabilities = ["list"] pagination_limit = 2 }"#);
    let at = At { token: &token, namespace: "" };
    for (limit, status) in
        [("2", 200), ("1", 200), ("0", 403), ("-1", 403), ("3", 403), ("1e9", 403), (" 2", 403), ("", 403)]
    {
        let told = world.status(at, Operation::List, "sys/namespaces", json!({ "limit": limit }));
        assert!(told == status || (status == 403 && told == 400), "{limit:?}: {told}");
    }
}
