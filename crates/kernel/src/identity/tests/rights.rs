//! Security rows: names, namespaces, root, merging.

use super::world::{World, id};
use engine::{Fault, Operation};
use serde_json::{Value, json};

#[test]
fn s02_a_path_names_an_entity_or_group_by_its_own_spelling_only() {
    let mut world = World::new();
    for kind in ["entity", "group"] {
        world.write(kind, json!({ "name": "admin" })).unwrap();
        world.write(kind, json!({ "name": "Capital" })).unwrap();
        for spelling in ["AdMiN", "ADMIN", "Admin", "CAPITAL"] {
            let path = format!("{kind}/name/{spelling}");
            for operation in [Operation::Read, Operation::Update, Operation::Delete] {
                let refused = world.call(operation, &path, json!({}));
                assert!(matches!(refused, Err(Fault::Invalid(_))), "{operation} {path}");
            }
        }
        for spelling in ["admin", "capital", "Capital"] {
            assert_ne!(world.read(&format!("{kind}/name/{spelling}")), Value::Null, "{spelling}");
        }
        // What does not exist yet begins in its canonical spelling.
        for spelling in ["New", "new ", " new"] {
            assert!(
                matches!(world.write(&format!("{kind}/name/{spelling}"), json!({})), Err(Fault::Invalid(_))),
                "{spelling:?}"
            );
        }
        assert_eq!(world.list(&format!("{kind}/name")), ["admin", "Capital"]);
    }
}

#[test]
fn ids_of_another_namespace_are_unknown() {
    let mut world = World::new();
    world.create_namespace("tenant");
    let mount = world.auth_mount("root", "people");
    let entity = world.entity("e", &["p"]);
    let alias = world.alias("x", &mount, &entity);
    let group = world.group(json!({ "name": "g" }));
    world.namespace = Some("tenant".into());
    for path in [
        format!("entity/id/{entity}"),
        format!("entity-alias/id/{alias}"),
        format!("group/id/{group}"),
        "entity/name/e".into(),
    ] {
        assert_eq!(world.read(&path), Value::Null, "{path}");
        world.delete(&path);
    }
    for (path, body, text) in [
        ("entity", json!({ "id": entity }), "entity not found from id".to_owned()),
        ("entity-alias", json!({ "id": alias }), "invalid alias ID provided".into()),
        ("entity-alias", json!({ "name": "z", "mount_accessor": mount }), format!("invalid mount accessor {mount:?}")),
        ("group", json!({ "id": group }), "invalid group ID".into()),
        ("group", json!({ "member_entity_ids": [entity] }), format!("invalid entity ID {entity:?}")),
        ("group", json!({ "member_group_ids": [group] }), format!("invalid member group ID {group:?}")),
        (
            "entity/merge",
            json!({ "to_entity_id": entity, "from_entity_ids": ["x"] }),
            "entity id to merge to is invalid".into(),
        ),
    ] {
        assert_eq!(world.refusal(path, body.clone()), text, "{path} {body}");
    }
    assert_eq!(world.write("lookup/entity", json!({ "id": entity })).unwrap(), Value::Null);
    assert!(matches!(world.view(&entity), Err(Fault::Denied)));
    world.namespace = None;
    assert_eq!(world.policies(&entity), ["p"]);
    assert_eq!(world.list("entity-alias/id"), [alias]);
}

#[test]
fn s15_batch_delete_touches_its_own_namespace_only() {
    let mut world = World::new();
    world.create_namespace("tenant");
    let foreign = world.entity("foreign", &[]);
    world.namespace = Some("tenant".into());
    let own = world.entity("own", &[]);
    assert_eq!(
        world.write("entity/batch-delete", json!({ "entity_ids": [foreign, own, "nope"] })).unwrap(),
        Value::Null
    );
    assert_eq!(world.read(&format!("entity/id/{own}")), Value::Null);
    world.namespace = None;
    assert_eq!(id(&world.read(&format!("entity/id/{foreign}"))), foreign);
}

#[test]
fn s72_no_spelling_of_root_becomes_a_policy() {
    let mut world = World::new();
    let entity = world.entity("e", &[]);
    let group = world.group(json!({ "name": "g" }));
    let paths = ["entity", "entity/name/e", "group", "group/name/g", "persona"];
    let by_id = [format!("entity/id/{entity}"), format!("group/id/{group}")];
    for path in paths.into_iter().chain(by_id.iter().map(String::as_str)) {
        for policies in [
            json!("root"),
            json!(["root"]),
            json!([" root"]),
            json!(["ROOT"]),
            json!("a, Root ,b"),
            json!(["\troot\n"]),
            json!(["\u{a0}root\u{3000}"]),
            json!(["default", "rOOt\r"]),
        ] {
            assert_eq!(
                world.refusal(path, json!({ "policies": policies })),
                "policies cannot contain root",
                "{path} {policies}"
            );
        }
        for policies in [json!(["root\0"]), json!(["ro\u{7}ot"])] {
            assert_eq!(
                world.refusal(path, json!({ "policies": policies })),
                "policies cannot contain control characters",
                "{path}"
            );
        }
    }
    world.write(&by_id[1], json!({ "member_entity_ids": [entity] })).unwrap();
    assert_eq!(world.policies(&entity), [""; 0]);
}

const WRITER: &str = r#"path "identity/*" { capabilities = ["create", "read", "update", "delete", "list"] }"#;
const MERGE_ONLY: &str = r#"
    path "identity/*" { capabilities = ["create", "read", "update", "delete", "list"] }
    path "identity/entity/merge" { capabilities = ["update", "sudo"] }
"#;
const ADMIN: &str = r#"path "identity/*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }"#;

#[test]
fn s73_no_write_merges_or_moves_identities_without_sudo() {
    let mut world = World::new();
    let (mount, other) = (world.auth_mount("root", "a"), world.auth_mount("root", "b"));
    let (admin, own) = (world.entity("boss", &["admin"]), world.entity("own", &["low"]));
    world.group(json!({ "name": "bosses", "member_entity_ids": [admin], "policies": ["bosses"] }));
    let alias = world.alias("boss", &mount, &admin);
    let merge = json!({ "to_entity_id": own, "from_entity_ids": [admin] });
    let moves = [
        (format!("entity-alias/id/{alias}"), json!({ "canonical_id": own })),
        (format!("alias/id/{alias}"), json!({ "entity_id": own })),
        ("entity-alias".to_owned(), json!({ "id": alias, "canonical_id": own })),
        ("entity-alias".to_owned(), json!({ "name": "Boss", "mount_accessor": mount, "canonical_id": own })),
    ];
    for policy in [WRITER, MERGE_ONLY] {
        world.token = world.token_with(policy);
        assert!(matches!(world.write("entity/merge", merge.clone()), Err(Fault::Forbidden)));
        for (path, body) in &moves {
            assert!(matches!(world.write(path, body.clone()), Err(Fault::Forbidden)), "{path} {body}");
        }
        // What takes nothing from anybody needs no more than before.
        assert_eq!(
            world.write("entity-alias", json!({ "id": alias, "custom_metadata": { "n": policy.len() } })).unwrap()["id"],
            json!(alias)
        );
    }
    world.alias("new", &other, &own);
    assert_eq!(world.policies(&own), ["low"]);
    assert_eq!(world.policies(&admin), ["admin", "bosses"]);
    world.token = world.token_with(ADMIN);
    world.write(&moves[0].0, moves[0].1.clone()).unwrap();
    world.write("entity/merge", merge).unwrap();
    assert_eq!(world.policies(&own), ["bosses", "low"]);
}
