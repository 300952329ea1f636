//! S02 for every kind of named resource: who is denied a name cannot reach it by another spelling.

use crate::node::Node;
use crate::routes;
use serde_json::{Value, json};

/// A kind of resource: the folder of its names, and what an operator and an intruder write under one.
struct Kind {
    folder: &'static str,
    kept: Value,
    hostile: Value,
}

fn kind(folder: &'static str, kept: Value, hostile: Value) -> Kind {
    Kind { folder, kept, hostile }
}

/// All kinds. That none is missing is checked against the route table.
fn kinds() -> Vec<Kind> {
    let policy = |rule: &str| json!({ "policy": format!("path \"{rule}\" {{ capabilities = [\"read\"] }}") });
    let words = |words: i64| json!({ "policy": format!("length = {words}\nrule \"charset\" {{ charset = \"abc\" }}") });
    let meta = |value: &str| json!({ "metadata": { "v": value } });
    vec![
        kind("sys/policies/acl/", policy("kept"), policy("hostile")),
        kind("sys/policy/", policy("kept"), policy("hostile")),
        kind("sys/policies/password/", words(20), words(4)),
        kind(
            "sys/namespaces/",
            json!({ "custom_metadata": { "v": "kept" } }),
            json!({ "custom_metadata": { "v": "hostile" } }),
        ),
        kind(
            "sys/mounts/",
            json!({ "type": "kv", "description": "kept" }),
            json!({ "type": "kv", "description": "hostile" }),
        ),
        kind("sys/auth/", json!({ "type": "userpass" }), json!({ "type": "approle" })),
        kind("sys/quotas/rate-limit/", json!({ "rate": 9999 }), json!({ "rate": 8888 })),
        kind("sys/quotas/lease-count/", json!({ "max_leases": 9999 }), json!({ "max_leases": 8888 })),
        kind("sys/config/auditing/request-headers/", json!({ "hmac": true }), json!({ "hmac": false })),
        kind("sys/config/ui/headers/", json!({ "values": ["kept"] }), json!({ "values": ["hostile"] })),
        kind("auth/token/roles/", json!({ "allowed_policies": ["kept"] }), json!({ "allowed_policies": ["hostile"] })),
        kind(
            "auth/userpass/users/",
            json!({ "password": "kept-1", "token_ttl": 60 }),
            json!({ "password": "hostile", "token_ttl": 70 }),
        ),
        kind(
            "auth/jwt/role/",
            json!({ "role_type": "jwt", "user_claim": "sub", "bound_subject": "kept" }),
            json!({ "role_type": "jwt", "user_claim": "sub", "bound_subject": "hostile" }),
        ),
        kind("auth/approle/role/", json!({ "token_ttl": 60 }), json!({ "token_ttl": 70 })),
        kind(
            "auth/cert/certs/",
            json!({ "certificate": AUTHORITY, "display_name": "kept" }),
            json!({ "certificate": AUTHORITY, "display_name": "hostile" }),
        ),
        kind("auth/cert/crls/", json!({ "crl": REVOKED_LIST }), json!({ "crl": EMPTY_LIST })),
        kind(
            "auth/kubernetes/role/",
            json!({ "bound_service_account_names": "kept", "bound_service_account_namespaces": "*" }),
            json!({ "bound_service_account_names": "hostile", "bound_service_account_namespaces": "*" }),
        ),
        kind("auth/github/map/teams/", json!({ "value": "kept" }), json!({ "value": "hostile" })),
        kind("auth/github/map/users/", json!({ "value": "kept" }), json!({ "value": "hostile" })),
        kind(
            "ssh/roles/",
            json!({ "key_type": "otp", "default_user": "kept" }),
            json!({ "key_type": "otp", "default_user": "hostile" }),
        ),
        kind("pki/roles/", json!({ "max_ttl": 60 }), json!({ "max_ttl": 70 })),
        kind(
            "totp/keys/",
            json!({ "key": "GEZDGNBVGY3TQOJQ", "issuer": "kept" }),
            json!({ "key": "GEZDGNBVGY3TQOJQ", "issuer": "hostile" }),
        ),
        kind("identity/entity/name/", meta("kept"), meta("hostile")),
        kind("identity/group/name/", meta("kept"), meta("hostile")),
        kind("identity/oidc/key/", json!({ "rotation_period": "24h" }), json!({ "rotation_period": "48h" })),
        kind("identity/oidc/role/", json!({ "key": "admin", "ttl": "1h" }), json!({ "key": "admin", "ttl": "2h" })),
        kind("secret/data/", json!({ "data": { "v": "kept" } }), json!({ "data": { "v": "hostile" } })),
        kind(
            "secret/metadata/",
            json!({ "custom_metadata": { "v": "kept" } }),
            json!({ "custom_metadata": { "v": "hostile" } }),
        ),
        kind("transit/keys/", json!({ "type": "aes256-gcm96" }), json!({ "type": "chacha20-poly1305" })),
        kind("kv1/", json!({ "v": "kept" }), json!({ "v": "hostile" })),
        kind("cubbyhole/", json!({ "v": "kept" }), json!({ "v": "hostile" })),
    ]
}

/// An authority, a list of what it revoked, and a list of nothing.
const AUTHORITY: &str = include_str!("fixtures/authority.pem");
const REVOKED_LIST: &str = include_str!("fixtures/revoked.pem");
const EMPTY_LIST: &str = include_str!("fixtures/empty.pem");

/// Named routes of the table that keep nothing under a name of the caller's choice, by how they begin.
const NOT_NAMED: &[&str] = &[
    "transit/keys/{name}/",
    "transit/encrypt/", // makes keys by names that `transit/keys/` is about, with rights of its own, as upstream has it
    "transit/decrypt/",
    "transit/rewrap/",
    "transit/datakey/",
    "transit/sign/",
    "transit/verify/",
    "transit/hmac/",
    "transit/hash/",
    "transit/random/",
    "transit/restore/", // refuses a name that there is, unless told to replace it
    "transit/derive-key/",
    "sys/audit", // devices are root's own, and are made by files here
    "sys/audit-hash/",
    "sys/tools/",
    "sys/leases/",
    "sys/renew/",
    "sys/revoke",
    "sys/remount",
    "sys/capabilities",
    "sys/internal/",
    "sys/plugins/",
    "sys/loggers/",
    "sys/locked-users/",
    "sys/config/reload/",
    "sys/namespaces/api-lock/",
    "sys/wrapping/",
    "sys/policies/detailed/",
    "sys/policies/password/{name}/generate",
    "sys/mounts/{path}/tune",
    "sys/auth/{path}/tune",
    "sys/seal",
    "sys/rotate",
    "sys/rekey",
    "sys/generate-root",
    "sys/decode-token",
    "sys/init",
    "auth/token/create",
    "auth/userpass/login/",
    "auth/userpass/users/{username}/",
    "auth/approle/role/{role_name}/",
    "totp/code/",              // one that was accepted is kept under the name of its key
    "ssh/issuer/{issuer_ref}", // an id of ours, or a name that an import gave
    "ssh/issuers/import/",
    "ssh/sign/",
    "ssh/issue/",
    "ssh/creds/",
    "pki/issuer/{issuer_ref}", // an id of ours, or a name that a change gave
    "pki/key/{key_ref}",
    "pki/issuers/generate/",
    "pki/intermediate/generate/",
    "pki/root/",
    "pki/keys/generate/",
    "pki/issue/",
    "pki/sign/",
    "pki/sign-verbatim/",
    "identity/entity/id/",
    "identity/oidc/key/{name}/rotate",
    "identity/entity-alias/id/",
    "identity/persona/id/",
    "identity/alias/id/",
    "identity/group/id/",
    "identity/group-alias/id/",
    "secret/subkeys/",
    "secret/delete/",
    "secret/undelete/",
    "secret/destroy/",
    "secret/detailed-metadata/",
    "secret/{path}", // tells who comes with a path of version 1
];

/// Spellings that something, somewhere, folds into `admin`.
const SPELLINGS: [&str; 14] = [
    "AdMiN",
    "ADMIN",
    "Admin",
    "admin%20",
    "%20admin",
    "admin/",
    "ADMIN/",
    "%ef%bd%81dmin",
    "admi%6e%cc%88",
    "adm%c4%b1n",
    "admin%09",
    "admin.",
    "%c2%a0admin",
    "a%cc%80dmin",
];

#[test]
fn s02_a_denied_name_is_not_reached_by_another_spelling() {
    let node = Node::start();
    routes::mount_all(&node);
    let mut tried = 0;
    for Kind { folder, kept, hostile } in kinds() {
        let rules = format!(
            "path \"{folder}*\" {{ capabilities = [\"create\", \"read\", \"update\", \"delete\", \"list\", \"patch\", \"sudo\"] }}\n\
             path \"{folder}admin\" {{ capabilities = [\"deny\"] }}"
        );
        let token = node.token(&rules);
        // A mount and a namespace cannot both be here.
        let unused = if folder == "sys/mounts/" { "sys/namespaces/admin" } else { "sys/policies/acl/none" };
        node.root("DELETE", unused, Value::Null);
        let admin = format!("{folder}admin");
        node.write(&admin, kept);
        let before = seen(&node, &admin);
        assert_eq!(node.status("GET", &admin, &token), 403, "{folder}: the deny holds for the name itself");
        for spelling in SPELLINGS {
            let path = format!("{folder}{spelling}");
            for method in ["POST", "PATCH", "DELETE"] {
                let body = Some(hostile.clone()).filter(|_| method != "DELETE");
                node.call(method, &path, &token, body);
                assert_eq!(seen(&node, &admin), before, "{method} {path} changed {admin}");
                tried += 1;
            }
            let read = node.call("GET", &path, &token, None);
            assert!(read.status != 200 || shown(&read.json()) != before, "{path} shows {admin}");
        }
    }
    assert_eq!(tried, kinds().len() * SPELLINGS.len() * 3);
}

/// What root sees of an object.
fn seen(node: &Node, path: &str) -> Value {
    let answer = node.root("GET", path, Value::Null).json();
    assert!(!answer["data"].is_null() || answer.is_object(), "{path}");
    shown(&answer)
}

fn shown(answer: &Value) -> Value {
    let mut answer = answer.clone();
    for passing in ["request_id", "warnings"] {
        answer.as_object_mut().map(|members| members.remove(passing));
    }
    answer
}

#[test]
fn s02_no_kind_of_name_is_forgotten() {
    let node = Node::start();
    routes::mount_all(&node);
    let kinds = kinds();
    let forgotten: Vec<String> = routes::all(&node)
        .into_iter()
        .filter(|route| route.methods.iter().any(|method| method == "post" || method == "delete"))
        .map(|route| route.pattern)
        .filter(|pattern| pattern.contains('{'))
        .filter(|pattern| !NOT_NAMED.iter().any(|known| pattern.starts_with(known)))
        .filter(|pattern| {
            let folder = pattern.split('{').next().unwrap_or_default();
            !kinds.iter().any(|kind| kind.folder == folder)
        })
        .collect();
    assert!(forgotten.is_empty(), "named routes without a spelling test: {forgotten:?}");
}

/// Routes that give out something to log in with or to use, by what their patterns hold.
const ISSUING: [&str; 6] = ["creds", "login", "secret-id", "/generate", "token/create", "oidc/token/"];

/// Issuing routes that lie below a kind of configuration, as upstream has them: a rule `…/role/*` covers them too, and a
/// narrower one says `…/role/+`. Reviewed: whatever else comes to lie there fails the test.
const ISSUING_BELOW: [&str; 7] = [
    "auth/approle/role/{role_name}/custom-secret-id",
    "auth/approle/role/{role_name}/secret-id",
    "auth/approle/role/{role_name}/secret-id-accessor/destroy",
    "auth/approle/role/{role_name}/secret-id-accessor/lookup",
    "auth/approle/role/{role_name}/secret-id/destroy",
    "auth/approle/role/{role_name}/secret-id/lookup",
    "sys/policies/password/{name}/generate",
];

#[test]
fn s09_a_rule_about_configuration_covers_no_route_that_issues() {
    let node = Node::start();
    routes::mount_all(&node);
    let issuing = |pattern: &str| ISSUING.iter().any(|word| pattern.contains(word));
    let patterns: Vec<String> = routes::all(&node).into_iter().map(|route| route.pattern).collect();
    assert!(patterns.iter().filter(|pattern| issuing(pattern)).count() > 10, "issuing routes are found");
    let kinds = kinds();
    let below = |pattern: &String| kinds.iter().any(|kind| pattern.starts_with(kind.folder));
    let mut covered: Vec<&str> =
        patterns.iter().filter(|pattern| issuing(pattern) && below(pattern)).map(String::as_str).collect();
    // Settings that are only called after what is issued.
    let settings =
        ["bind-secret-id", "secret-id-bound-cidrs", "secret-id-num-uses", "secret-id-ttl", "local-secret-ids"];
    covered.retain(|pattern| !settings.iter().any(|setting| pattern.ends_with(setting)));
    covered.sort_unstable();
    assert_eq!(covered, ISSUING_BELOW);
}
