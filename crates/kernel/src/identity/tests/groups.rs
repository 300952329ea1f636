//! Groups: upstream's answers, members, nesting.

use super::world::{World, id};
use engine::Operation;
use serde_json::{Value, json};

#[test]
fn a_group_is_made_updated_and_shown() {
    let mut world = World::new();
    let entity = world.entity("e", &[]);
    let made = world
        .write(
            "group",
            json!({ "name": "G1", "metadata": { "a": "b" }, "policies": "P, q", "member_entity_ids": [entity] }),
        )
        .unwrap();
    let group = id(&made);
    assert_eq!(made, json!({ "id": group, "name": "G1" }));
    assert_eq!(world.write("group", json!({ "name": "g1" })).unwrap(), Value::Null);
    assert_eq!(
        world.read("group/name/g1"),
        json!({
            "alias": {},
            "creation_time": "2027-01-15T08:00:00Z",
            "id": group,
            "last_update_time": "2027-01-15T08:00:00Z",
            "member_entity_ids": [entity],
            "member_group_ids": null,
            "metadata": { "a": "b" },
            "modify_index": 2,
            "name": "g1",
            "namespace_id": "root",
            "parent_group_ids": null,
            "policies": ["p", "q"],
            "type": "internal",
        })
    );
    let by_id = format!("group/id/{group}");
    world.write(&by_id, json!({ "metadata": {}, "member_entity_ids": [], "policies": [] })).unwrap();
    let shown = world.read(&by_id);
    assert_eq!(
        (&shown["metadata"], &shown["member_entity_ids"], &shown["policies"]),
        (&json!(null), &json!([]), &json!([]))
    );
    let listed = world.call(Operation::List, "group/id", Value::Null).unwrap();
    assert_eq!(listed["key_info"][&group], json!({ "name": "g1", "num_member_entities": 0, "num_parent_groups": 0 }));
}

#[test]
fn writes_are_refused_with_upstreams_words() {
    let mut world = World::new();
    let entity = world.entity("e", &[]);
    let inner = world.group(json!({ "name": "inner" }));
    let outer = world.group(json!({ "name": "outer", "member_group_ids": [inner] }));
    let external = world.group(json!({ "name": "ext", "type": "external" }));
    let (inner_path, external_path) = (format!("group/id/{inner}"), format!("group/id/{external}"));
    for (path, body, text) in [
        ("group", json!({ "type": "weird" }), "invalid group type \"weird\"".to_owned()),
        (
            "group",
            json!({ "type": "external", "member_entity_ids": [entity] }),
            "member entities can't be set manually for external groups".into(),
        ),
        (
            "group",
            json!({ "type": "external", "member_group_ids": [inner] }),
            "member groups can't be set for external groups".into(),
        ),
        (
            &external_path,
            json!({ "member_entity_ids": [entity] }),
            "member entities can't be set manually for external groups".into(),
        ),
        (&external_path, json!({ "type": "internal" }), "group type cannot be changed".into()),
        (&inner_path, json!({ "type": "external" }), "group type cannot be changed".into()),
        (&inner_path, json!({ "name": "EXT" }), "group name is already in use".into()),
        (&inner_path, json!({ "member_entity_ids": ["nope"] }), "invalid entity ID \"nope\"".into()),
        (&inner_path, json!({ "member_group_ids": ["nope"] }), "invalid member group ID \"nope\"".into()),
        (
            &inner_path,
            json!({ "member_group_ids": [inner] }),
            format!("member group ID \"{inner}\" is same as the ID of the group"),
        ),
        (
            &inner_path,
            json!({ "member_group_ids": [outer] }),
            format!("cyclic relationship detected for member group ID \"{outer}\""),
        ),
        ("group/id/nope", json!({}), "invalid group ID".into()),
        ("lookup/group", json!({}), "query parameter not supplied".into()),
    ] {
        assert_eq!(world.refusal(path, body.clone()), text, "{path} {body}");
    }
    assert_eq!(world.read(&inner_path)["modify_index"], json!(1), "a refused write changes nothing");
}

#[test]
fn groups_nest_so_deep_and_no_deeper() {
    let mut world = World::new();
    let mut below = world.group(json!({ "name": "level1" }));
    for level in 2..=crate::identity::GROUP_DEPTH_MAX {
        below = world.group(json!({ "name": format!("level{level}"), "member_group_ids": [below] }));
    }
    assert_eq!(world.refusal("group", json!({ "member_group_ids": [below] })), "groups can be nested 32 levels deep");
    let entity = world.entity("e", &[]);
    world.write("group/name/level1", json!({ "member_entity_ids": [entity] })).unwrap();
    assert_eq!(world.read(&format!("entity/id/{entity}"))["inherited_group_ids"].as_array().unwrap().len(), 31);
}

#[test]
fn a_group_alias_belongs_to_one_external_group() {
    let mut world = World::new();
    let mount = world.auth_mount("root", "a");
    let internal = world.group(json!({ "name": "int" }));
    let (first, second) = (
        world.group(json!({ "name": "x1", "type": "external" })),
        world.group(json!({ "name": "x2", "type": "external" })),
    );
    let body = |name: &str, group: &str| json!({ "name": name, "mount_accessor": mount, "canonical_id": group });
    let alias = id(&world.write("group-alias", body("devs", &first)).unwrap());
    for (path, body, text) in [
        ("group-alias", body("x", &internal), "alias can't be set on an internal group"),
        ("group-alias", body("DEVS", &first), "combination of mount and group alias name is already in use"),
        ("group-alias", body("devs", &second), "combination of mount and group alias name is already in use"),
        ("group-alias", body("x", "nope"), "invalid group ID given in 'canonical_id'"),
        ("group-alias", body("", &second), "missing alias name"),
        ("group-alias", json!({ "name": "x" }), "missing mount_accessor"),
        ("group-alias", json!({ "name": "x", "mount_accessor": "nope" }), "invalid mount accessor \"nope\""),
        ("group-alias/id/nope", json!({ "name": "x" }), "invalid group alias ID"),
    ] {
        assert_eq!(world.refusal(path, body.clone()), text, "{path} {body}");
    }
    let shown = world.read(&format!("group/id/{first}"))["alias"].clone();
    let names = [
        "canonical_id",
        "creation_time",
        "id",
        "last_update_time",
        "merged_from_canonical_ids",
        "metadata",
        "mount_accessor",
        "mount_path",
        "mount_type",
        "name",
    ];
    assert_eq!(shown.as_object().unwrap().keys().collect::<Vec<_>>(), names);
    // The second alias of a group takes the place of the first, whose name is free again.
    let replaced = id(&world.write("group-alias", body("ops", &first)).unwrap());
    assert_eq!(world.read(&format!("group-alias/id/{alias}")), Value::Null);
    world.write("group-alias", body("devs", &second)).unwrap();
    // Moving one leaves its old group without.
    world.write(&format!("group-alias/id/{replaced}"), body("ops2", &second)).unwrap();
    assert_eq!(world.read(&format!("group/id/{first}"))["alias"], json!({}));
    assert_eq!(
        id(&world.write("lookup/group", json!({ "alias_name": "OPS2", "alias_mount_accessor": mount })).unwrap()),
        second
    );
    assert_eq!(world.list("group-alias/id"), [replaced]);
    // Without a group, one is made.
    let made = world.write("group-alias", json!({ "name": "auto", "mount_accessor": mount })).unwrap();
    assert_eq!(world.read(&format!("group/id/{}", made["canonical_id"].as_str().unwrap()))["type"], json!("external"));
}
