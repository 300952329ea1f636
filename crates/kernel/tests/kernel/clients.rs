//! What clients of the peer rely on and no stage has alone: second names of operations, help pages, token roles.

use crate::harness::{At, ROOT, World};
use engine::{Body, Operation};
use serde_json::{Value, json};

fn refusal(world: &mut World, at: At<'_>, path: &str, body: Value) -> String {
    world.write(at, path, body).map_or_else(|fault| fault.to_string(), |data| format!("accepted: {data}"))
}

#[test]
fn a_login_method_is_tuned_below_sys_mounts_with_rights_on_that_path_alone() {
    let mut world = World::new();
    let path = "sys/mounts/auth/token/tune";
    let (allowed, _) = world.token("", &format!(r#"path "{path}" {{ capabilities = ["read", "update"] }}"#));
    let (other, _) = world.token("", r#"path "sys/auth/token/tune" { capabilities = ["read", "update"] }"#);
    let body = json!({ "description": "tokens", "default_lease_ttl": "1h" });
    let at = At { token: &other, namespace: "" };
    assert_eq!(world.status(at, Operation::Update, path, body.clone()), 403);
    assert_eq!(world.status(at, Operation::Update, "sys/auth/token/tune", body.clone()), 403, "it takes sudo");
    let at = At { token: &allowed, namespace: "" };
    world.write(at, path, body).unwrap();
    assert_eq!(world.read(at, path).unwrap()["default_lease_ttl"], 3_600);
    assert_eq!(world.read(ROOT, "sys/auth/token/tune").unwrap()["description"], "tokens");
    assert_eq!(world.status(ROOT, Operation::Update, "sys/mounts/auth/none/tune", json!({})), 400);
}

#[test]
fn policies_are_listed_below_a_name_by_their_whole_names() {
    let mut world = World::new();
    for name in ["team/a", "team/b/c", "teams"] {
        world
            .write(
                ROOT,
                &format!("sys/policies/acl/{name}"),
                json!({ "policy": "path \"a\" { capabilities = [\"read\"] }" }),
            )
            .unwrap();
    }
    for path in ["sys/policies/acl/team", "sys/policies/detailed/acl/team"] {
        let data = world.data(ROOT, Operation::List, path, Value::Null).unwrap();
        assert_eq!(data["keys"], json!(["team/a", "team/b/c"]), "{path}");
    }
    let data = world.data(ROOT, Operation::List, "sys/policies/detailed/acl/team", Value::Null).unwrap();
    assert_eq!(data["key_info"]["team/a"]["name"], "team/a");
    assert_eq!(data["key_info"].as_object().unwrap().len(), 2);
}

#[test]
fn a_help_page_brings_the_document_of_its_paths() {
    let mut world = World::new();
    let mut help = |path: &str| -> Value {
        let answer = world.call(ROOT, Operation::Help, path, Value::Null).unwrap();
        match answer.reply.body {
            Body::Raw(raw) => serde_json::from_slice(&raw.bytes).unwrap(),
            _ => panic!("an envelope"),
        }
    };
    let page = help("identity/oidc/key/k");
    let operations = &page["openapi"]["paths"]["/oidc/key/{name}"];
    for method in ["get", "post", "delete"] {
        assert!(operations[method].is_object(), "{method}: {operations}");
    }
    assert_eq!(page["openapi"]["servers"], json!([{ "url": "/v1/identity" }]));
    assert_eq!(page["openapi"]["paths"].as_object().unwrap().len(), 1);
    assert!(page["help"].as_str().unwrap().contains("rotation_period"));
    assert!(help("identity")["openapi"]["paths"].as_object().unwrap().len() > 10);
}

#[test]
fn a_role_of_batch_tokens_promises_nothing_that_only_a_kept_token_has() {
    let mut world = World::new();
    let role = |body: Value| {
        let mut whole = json!({ "token_type": "batch", "orphan": true, "renewable": false });
        whole.as_object_mut().unwrap().extend(body.as_object().unwrap().clone());
        whole
    };
    let refused = [
        (json!({ "orphan": false }), "non-orphan tokens"),
        (json!({ "token_period": "1h" }), "periodic tokens"),
        (json!({ "renewable": true }), "renewable tokens"),
        (json!({ "token_explicit_max_ttl": "1h" }), "tokens with an explicit max TTL"),
    ];
    for (body, why) in refused {
        let answer = refusal(&mut world, ROOT, "auth/token/roles/r", role(body));
        assert!(answer.contains(why), "{answer}");
    }
    world.write(ROOT, "auth/token/roles/r", role(json!({}))).unwrap();
    assert_eq!(
        refusal(&mut world, ROOT, "auth/token/create", json!({ "type": "batch", "policies": ["root"] })),
        "batch tokens cannot be root tokens"
    );
    for id in ["hvs.mine", "hvb.mine", "a.b"] {
        assert!(refusal(&mut world, ROOT, "auth/token/create", json!({ "id": id })).starts_with("custom token ID"));
    }
}

#[test]
fn a_role_says_which_policies_it_refuses() {
    let mut world = World::new();
    let mut create = |role: Value, policy: &str| {
        world.write(ROOT, "auth/token/roles/r", role).unwrap();
        refusal(&mut world, ROOT, "auth/token/create/r", json!({ "policies": [policy] }))
    };
    assert_eq!(
        create(json!({ "allowed_policies": "a,b", "allowed_policies_glob": "x*" }), "p"),
        "token policies ([\"default\" \"p\"]) must be subset of the role's allowed policies ([\"a\" \"b\" \"default\"]) \
         or glob policies ([\"x*\"])"
    );
    assert_eq!(
        create(json!({ "disallowed_policies_glob": "xy*" }), "xyz"),
        "token policy \"xyz\" is disallowed by this role"
    );
}

#[test]
fn a_role_shows_old_names_only_if_they_were_used() {
    let mut world = World::new();
    let mut role = |body: Value| {
        world.write(ROOT, "auth/token/roles/r", body).unwrap();
        world.read(ROOT, "auth/token/roles/r").unwrap()
    };
    let read = role(json!({ "period": "1h" }));
    assert_eq!((&read["period"], &read["token_period"]), (&json!(3_600), &json!(3_600)));
    let read = role(json!({ "token_period": "2h" }));
    assert_eq!((&read["period"], &read["token_period"]), (&json!(0), &json!(7_200)));
    let read = role(json!({ "renewable": true }));
    assert_eq!((&read["period"], &read["token_period"]), (&json!(0), &json!(7_200)));
    assert_eq!((&read["explicit_max_ttl"], &read["token_type"]), (&json!(0), &json!("default-service")));
}
