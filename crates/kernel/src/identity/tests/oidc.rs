//! Identity tokens: what they say, who verifies them, and how their keys turn.

use super::world::World;
use crate::identity::oidc::KEYS_ROTATED_MAX;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use engine::{Fault, Operation};
use serde_json::{Value, json};

const ALGORITHMS: [&str; 7] = ["RS256", "RS384", "RS512", "ES256", "ES384", "ES512", "EdDSA"];
const READ: &str = r#"path "identity/oidc/*" { capabilities = ["read", "update"] }"#;

/// A world with a key and a role of it, and the token of an entity that may ask for identity tokens.
fn world(key: Value) -> (World, String) {
    let mut world = World::new();
    world.policy("reader", READ);
    let entity = world.entity("ann", &[]);
    let token = world.token_of(&entity, &["reader"]);
    let mut body = json!({ "algorithm": "EdDSA", "allowed_client_ids": "*" });
    body.as_object_mut().unwrap().extend(key.as_object().unwrap().clone());
    world.write("oidc/key/k", body).unwrap();
    world.write("oidc/role/r", json!({ "key": "k", "ttl": "1m", "client_id": "app" })).unwrap();
    (world, token)
}

fn identity_token(world: &mut World, asker: &str, role: &str) -> Result<String, Fault> {
    let outer = std::mem::replace(&mut world.token, asker.to_owned());
    let made = world.call(Operation::Read, &format!("oidc/token/{role}"), Value::Null);
    world.token = outer;
    made.map(|data| data["token"].as_str().unwrap().to_owned())
}

fn part(token: &str, index: usize) -> Value {
    serde_json::from_slice(&URL_SAFE_NO_PAD.decode(token.split('.').nth(index).unwrap()).unwrap()).unwrap()
}

fn introspected(world: &mut World, token: &str) -> Value {
    world.raw(Operation::Update, "oidc/introspect", json!({ "token": token })).unwrap()
}

fn public_ids(world: &mut World) -> Vec<String> {
    let keys = world.raw(Operation::Read, "oidc/.well-known/keys", Value::Null).unwrap();
    keys["keys"].as_array().unwrap().iter().map(|key| key["kid"].as_str().unwrap().to_owned()).collect()
}

#[test]
fn a_token_says_who_for_whom_and_how_long_and_verifies_in_every_algorithm() {
    let (mut world, ann) = world(json!({}));
    for algorithm in ALGORITHMS {
        world.write("oidc/key/k", json!({ "algorithm": algorithm })).unwrap();
        let token = identity_token(&mut world, &ann, "r").unwrap();
        let header = part(&token, 0);
        assert_eq!(header["alg"], algorithm);
        assert!(public_ids(&mut world).contains(&header["kid"].as_str().unwrap().to_owned()));
        let claims = part(&token, 1);
        let entity = world.read("entity/name/ann")["id"].clone();
        assert_eq!(
            claims,
            json!({
                "aud": "app",
                "exp": world.now.seconds() + 60,
                "iat": world.now.seconds(),
                "iss": "https://vault.example:8200/v1/identity/oidc",
                "namespace": "root",
                "sub": entity,
            })
        );
        assert_eq!(introspected(&mut world, &token), json!({ "active": true }), "{algorithm}");
    }
}

#[test]
fn a_token_ends_and_no_other_thing_is_taken_for_one() {
    let (mut world, ann) = world(json!({}));
    let token = identity_token(&mut world, &ann, "r").unwrap();
    let of = |world: &mut World, body: Value| world.raw(Operation::Update, "oidc/introspect", body).unwrap();
    assert_eq!(of(&mut world, json!({ "token": token, "client_id": "app" })), json!({ "active": true }));
    let refused = |answer: Value| answer["active"] == false && answer["error"].is_string();
    assert!(refused(of(&mut world, json!({ "token": token, "client_id": "other" }))));
    assert!(refused(of(&mut world, json!({ "token": "" }))));
    assert!(refused(of(&mut world, json!({ "token": "a.b" }))));
    let mut parts: Vec<String> = token.split('.').map(str::to_owned).collect();
    let forged = |parts: &[String], header: Value| {
        let header = URL_SAFE_NO_PAD.encode(header.to_string());
        format!("{header}.{}.{}", parts[1], parts[2])
    };
    let kid = part(&token, 0)["kid"].clone();
    for alg in ["none", "HS256", "ES256", "RS256"] {
        let text = forged(&parts, json!({ "alg": alg, "kid": kid }));
        assert!(refused(introspected(&mut world, &text)), "the key decides the algorithm, not {alg}");
        parts[2].clear();
        assert!(refused(introspected(&mut world, &forged(&parts, json!({ "alg": alg, "kid": kid })))), "{alg}");
        parts[2] = token.split('.').nth(2).unwrap().to_owned();
    }
    let mut claims = part(&token, 1);
    claims["exp"] = json!(9_999_999_999_i64);
    let longer = format!("{}.{}.{}", parts[0], URL_SAFE_NO_PAD.encode(claims.to_string()), parts[2]);
    assert!(refused(introspected(&mut world, &longer)), "claims are signed");
    world.now = world.now.plus_seconds(60);
    assert_eq!(introspected(&mut world, &token)["error"], "error validating claims: token is expired (exp)");
}

#[test]
fn a_token_is_about_somebody_who_is_and_is_not_disabled() {
    let (mut world, ann) = world(json!({}));
    let token = identity_token(&mut world, &ann, "r").unwrap();
    world.write("entity/name/ann", json!({ "disabled": true })).unwrap();
    assert_eq!(introspected(&mut world, &token)["error"], "entity is disabled");
    assert!(matches!(identity_token(&mut world, &ann, "r"), Err(Fault::Denied)));
    world.delete("entity/name/ann");
    assert_eq!(introspected(&mut world, &token)["error"], "entity was not found");
    let nobody = identity_token(&mut world, "root", "r").unwrap_err().to_string();
    assert_eq!(nobody, "no entity associated with the request's token");
}

#[test]
fn a_key_signs_only_for_the_roles_it_names() {
    let (mut world, ann) = world(json!({ "allowed_client_ids": "other" }));
    let refused = identity_token(&mut world, &ann, "r").unwrap_err().to_string();
    assert_eq!(refused, "the key \"k\" does not list the client ID of the role \"r\" as an allowed client ID");
    world.write("oidc/key/k", json!({ "allowed_client_ids": "other,app" })).unwrap();
    assert!(identity_token(&mut world, &ann, "r").is_ok());
    assert_eq!(identity_token(&mut world, &ann, "none").unwrap_err().to_string(), "role \"none\" not found");
}

#[test]
fn a_turned_key_verifies_until_its_time_is_over_and_the_next_was_published_before() {
    let (mut world, ann) = world(json!({ "rotation_period": "30m", "verification_ttl": "1h" }));
    let token = identity_token(&mut world, &ann, "r").unwrap();
    let first = part(&token, 0)["kid"].as_str().unwrap().to_owned();
    let before = public_ids(&mut world);
    assert_eq!(before.len(), 2);

    world.now = world.now.plus_seconds(1_799);
    assert_eq!(world.rotate().done, 0, "not yet");
    world.now = world.now.plus_seconds(1);
    let progress = world.rotate();
    assert_eq!((progress.done, progress.next), (1, None));
    assert_eq!(world.rotate().next, Some(world.now.plus_seconds(1_800)));
    let next = identity_token(&mut world, &ann, "r").unwrap();
    let second = part(&next, 0)["kid"].as_str().unwrap().to_owned();
    assert_ne!(first, second);
    assert!(before.contains(&second), "whoever read the keys before can verify what is signed now");
    assert!(public_ids(&mut world).contains(&first), "and what was signed before");

    // Whether a key has ended is asked when it is used, whether or not the job has run.
    world.now = world.now.plus_seconds(3_599);
    assert!(public_ids(&mut world).contains(&first));
    world.now = world.now.plus_seconds(1);
    assert!(!public_ids(&mut world).contains(&first));
    assert_eq!(introspected(&mut world, &token)["error"], "unable to validate the token signature");
    while world.rotate().done > 0 {}
    assert_eq!(public_ids(&mut world).len(), 3, "two of its own, one that signed before");
}

#[test]
fn the_job_is_bounded_and_passes_over_what_is_gone() {
    let (mut world, _) = world(json!({}));
    for number in 0..KEYS_ROTATED_MAX + 2 {
        world
            .write(&format!("oidc/key/n{number}"), json!({ "algorithm": "ES256", "rotation_period": "1m" }))
            .unwrap_err();
        let body = json!({ "algorithm": "ES256", "rotation_period": "1m", "verification_ttl": "1m" });
        world.write(&format!("oidc/key/n{number}"), body).unwrap();
    }
    world.delete("oidc/key/n0");
    world.now = world.now.plus_seconds(60);
    let progress = world.rotate();
    assert_eq!((progress.done, progress.next), (KEYS_ROTATED_MAX, Some(world.now)));
    assert_eq!(world.rotate().done, 1, "one was deleted");
    assert_eq!(world.rotate().done, 0);
}

#[test]
fn keys_are_turned_by_hand_within_bounds() {
    let (mut world, ann) = world(json!({}));
    let token = identity_token(&mut world, &ann, "r").unwrap();
    world.write("oidc/key/k/rotate", json!({ "verification_ttl": 0 })).unwrap();
    assert_eq!(introspected(&mut world, &token)["active"], false, "it verifies nothing any more");
    assert_eq!(world.refusal("oidc/key/none/rotate", json!({})), "no named key found at \"none\"");
    for _ in 0..64 {
        world.write("oidc/key/k/rotate", json!({})).unwrap();
    }
    assert!(world.refusal("oidc/key/k/rotate", json!({})).starts_with("the key has 64 keys that still verify"));
    assert_eq!(public_ids(&mut world).len(), 66);
    // The job neither drops what verifies nor fails.
    world.now = world.now.plus_seconds(86_399);
    world.write("oidc/key/k", json!({ "rotation_period": "3h", "verification_ttl": "24h" })).unwrap();
    assert_eq!(world.rotate().done, 0);
}

#[test]
fn keys_and_roles_are_checked_as_upstream_checks_them() {
    let (mut world, _) = world(json!({}));
    let key = |world: &mut World, body: Value| world.refusal("oidc/key/x", body);
    assert_eq!(key(&mut world, json!({ "algorithm": "RS123" })), "unknown signing algorithm \"RS123\"");
    assert_eq!(key(&mut world, json!({ "rotation_period": "10s" })), "rotation_period must be at least one minute");
    assert_eq!(
        key(&mut world, json!({ "rotation_period": "100s", "verification_ttl": "1001s" })),
        "verification_ttl cannot be longer than 10x rotation_period"
    );
    assert!(key(&mut world, json!({ "verification_ttl": "-1s" })).contains("cannot provide negative value '-1'"));
    assert_eq!(
        world.refusal("oidc/key/k", json!({ "verification_ttl": "30s" })),
        "unable to update key \"k\" because it is currently referenced by one or more roles with a token ttl greater \
         than 30 seconds"
    );
    let role = |world: &mut World, body: Value| world.refusal("oidc/role/x", body);
    assert_eq!(role(&mut world, json!({})), "the key parameter is required");
    assert_eq!(role(&mut world, json!({ "key": "none" })), "cannot find key \"none\"");
    assert_eq!(
        role(&mut world, json!({ "key": "k", "ttl": "48h" })),
        "a role's token ttl cannot be longer than the verification_ttl of the key it references"
    );
    let deletion = world.call(Operation::Delete, "oidc/key/k", Value::Null).unwrap_err().to_string();
    assert_eq!(deletion, "unable to delete key \"k\" because it is currently referenced by these roles: r");
    let deletion = world.call(Operation::Delete, "oidc/key/default", Value::Null).unwrap_err().to_string();
    assert_eq!(deletion, "deletion of key \"default\" not allowed");
    assert!(matches!(world.call(Operation::Read, "oidc/key/-x", Value::Null), Err(Fault::UnsupportedPath)));
    world.delete("oidc/role/r");
    world.delete("oidc/key/k");
    assert_eq!(world.list("oidc/key"), ["default"]);
    assert!(public_ids(&mut world).is_empty(), "no role, no key");
}

#[test]
fn the_default_key_is_there_and_gets_its_keys_when_something_needs_them() {
    let mut world = World::new();
    assert_eq!(world.read("oidc/key/default")["algorithm"], "RS256");
    world.write("oidc/role/d", json!({ "key": "default" })).unwrap();
    assert_eq!(public_ids(&mut world).len(), 2);
    let kept = world.read("oidc/role/d");
    assert_eq!(kept["client_id"].as_str().unwrap().len(), 26);
    assert_eq!((&kept["ttl"], &kept["template"]), (&json!(86_400), &json!("")));
}

#[test]
fn a_template_is_filled_from_the_identity() {
    let (mut world, ann) = world(json!({}));
    let accessor = world.auth_mount("root", "users");
    let entity = world.read("entity/name/ann")["id"].as_str().unwrap().to_owned();
    world.write("entity/name/ann", json!({ "metadata": { "team": "a\"b,\"iss\":\"evil" } })).unwrap();
    world.alias("ann@x", &accessor, &entity);
    world.group(json!({ "name": "g", "member_entity_ids": [entity] }));
    let cases = [
        ("identity.entity.name", json!("ann")),
        ("identity.entity.id", json!(entity)),
        ("identity.entity.metadata", json!({ "team": "a\"b,\"iss\":\"evil" })),
        ("identity.entity.metadata.team", json!("a\"b,\"iss\":\"evil")),
        ("identity.entity.metadata.none", json!("")),
        ("identity.entity.groups.names", json!(["g"])),
        ("identity.entity.aliases.ACCESSOR.name", json!("ann@x")),
        ("identity.entity.aliases.ACCESSOR.metadata", json!({})),
        ("identity.entity.aliases.ACCESSOR.custom_metadata.x", json!("")),
        ("identity.entity.aliases.none.name", json!("")),
        ("time.now", json!(world.now.seconds())),
        ("time.now.plus.1h", json!(world.now.seconds() + 3_600)),
        (" time.now.minus.30s ", json!(world.now.seconds() - 30)),
    ];
    for (directive, expected) in cases {
        let template = format!(r#"{{ "b": {{{{{}}}}} }}"#, directive.replace("ACCESSOR", &accessor));
        let encoded = STANDARD.encode(&template);
        for template in [template, encoded] {
            world.write("oidc/role/r", json!({ "template": template })).unwrap();
            let claims = part(&identity_token(&mut world, &ann, "r").unwrap(), 1);
            assert_eq!(claims["b"], expected, "{directive}");
            assert_eq!(claims["iss"], "https://vault.example:8200/v1/identity/oidc");
        }
    }
}

#[test]
fn what_a_template_may_not_say_is_refused() {
    let (mut world, _) = world(json!({}));
    let refused = [
        (r#"{"aud": "x"}"#, "top level key \"aud\" not allowed"),
        (r#"{"sub": "x"}"#, "top level key \"sub\" not allowed"),
        (r#"{"namespace": {{identity.entity.id}}}"#, "top level key \"namespace\" not allowed"),
        ("[1]", "error parsing template JSON"),
        (r#"{"a": "#, "error parsing template JSON"),
        ("{{a", "unbalanced templating characters"),
        (r#"{"a": "}}"}"#, "unbalanced templating characters"),
        (r#"{"a": {{identity.nonsense}} }"#, "no value could be found"),
        (r#"{"a": {{time.now.plus.-1h}} }"#, "no value could be found"),
        (r#"{"a": {{identity.groups.names.g.id}} }"#, "no groups were provided"),
    ];
    for (template, why) in refused {
        let answer = world.refusal("oidc/role/r", json!({ "template": template }));
        assert!(answer.contains(why), "{template}: {answer}");
    }
    assert_eq!(world.read("oidc/role/r")["template"], "", "nothing of it was kept");
}

#[test]
fn the_issuer_is_an_origin_and_discovery_needs_no_token() {
    let (mut world, _) = world(json!({}));
    assert_eq!(world.read("oidc/config"), json!({ "issuer": "" }));
    let wrong = world.refusal("oidc/config", json!({ "issuer": "https://x.example/a" }));
    assert!(wrong.starts_with("invalid issuer"), "{wrong}");
    world.write("oidc/config", json!({ "issuer": "https://x.example:1234" })).unwrap();
    world.token.clear();
    let document = world.raw(Operation::Read, "oidc/.well-known/openid-configuration", Value::Null).unwrap();
    assert_eq!(document["issuer"], "https://x.example:1234/v1/identity/oidc");
    assert_eq!(document["jwks_uri"], "https://x.example:1234/v1/identity/oidc/.well-known/keys");
    assert_eq!(document["id_token_signing_alg_values_supported"], json!(ALGORITHMS));
    assert_eq!(public_ids(&mut world).len(), 2);
    for (operation, path) in [
        (Operation::Read, "oidc/config"),
        (Operation::Read, "oidc/token/r"),
        (Operation::List, "oidc/key"),
        (Operation::Update, "oidc/introspect"),
        (Operation::Update, "oidc/key/k/rotate"),
    ] {
        assert!(matches!(world.call(operation, path, Value::Null), Err(Fault::Denied)), "{path}");
    }
}

#[test]
fn one_namespaces_keys_verify_nothing_in_another() {
    let (mut world, ann) = world(json!({}));
    let token = identity_token(&mut world, &ann, "r").unwrap();
    world.create_namespace("other");
    world.namespace = Some("other".to_owned());
    assert_eq!(introspected(&mut world, &token)["error"], "unable to validate the token signature");
    assert!(public_ids(&mut world).is_empty());
    assert_eq!(world.list("oidc/key"), ["default"]);
    let document = world.raw(Operation::Read, "oidc/.well-known/openid-configuration", Value::Null).unwrap();
    assert_eq!(document["issuer"], "https://vault.example:8200/v1/other/identity/oidc");
}

#[test]
fn what_verifies_never_opens_a_private_key() {
    let (mut world, ann) = world(json!({}));
    let token = identity_token(&mut world, &ann, "r").unwrap();
    world.tx(|tx, _| tx.delete("root/oidc-private-key/k"));
    assert_eq!(public_ids(&mut world).len(), 2);
    assert_eq!(introspected(&mut world, &token), json!({ "active": true }));
    assert_eq!(world.read("oidc/key/k")["algorithm"], "EdDSA");
    assert!(matches!(identity_token(&mut world, &ann, "r"), Err(Fault::Internal(_))), "and nothing signs without one");
    // A key whose private half is lost signs again as soon as it turns.
    world.write("oidc/key/k/rotate", json!({})).unwrap();
    assert!(identity_token(&mut world, &ann, "r").is_ok());
}

#[test]
fn a_deleted_key_leaves_nothing() {
    let mut world = World::new();
    let before = world.kept();
    let body = json!({ "algorithm": "ES256", "rotation_period": "1m", "verification_ttl": "1m" });
    world.write("oidc/key/k", body).unwrap();
    world.write("oidc/role/r", json!({ "key": "k", "ttl": "1m" })).unwrap();
    world.write("oidc/key/k/rotate", json!({})).unwrap();
    world.now = world.now.plus_seconds(60);
    while world.rotate().done > 0 {}
    world.write("oidc/key/k", json!({ "algorithm": "EdDSA", "rotation_period": "2m" })).unwrap();
    assert_eq!(world.kept().len(), before.len() + 4, "rules, private keys, role and one due entry");
    world.delete("oidc/role/r");
    world.delete("oidc/key/k");
    assert_eq!(world.kept(), before);
}
