//! Entities and their aliases: upstream's answers.

use super::world::{World, id};
use engine::{Fault, Operation};
use serde_json::{Value, json};

#[test]
fn an_entity_is_made_once_and_then_updated() {
    let mut world = World::new();
    let made = world.write("entity", json!({ "name": "Alice", "policies": ["P1", "p1", " p2 "] })).unwrap();
    let entity = id(&made);
    assert_eq!(made, json!({ "aliases": null, "id": entity, "name": "Alice" }));
    for body in [json!({ "name": "alice" }), json!({ "id": entity, "metadata": { "a": "b" } }), json!({ "id": entity })]
    {
        assert_eq!(world.write("entity", body).unwrap(), Value::Null);
    }
    assert_eq!(world.write(&format!("entity/id/{entity}"), json!({ "disabled": true })).unwrap(), Value::Null);
    assert_eq!(
        world.read(&format!("entity/id/{entity}")),
        json!({
            "aliases": [],
            "creation_time": "2027-01-15T08:00:00Z",
            "direct_group_ids": [],
            "disabled": true,
            "group_ids": [],
            "id": entity,
            "inherited_group_ids": [],
            "last_update_time": "2027-01-15T08:00:00Z",
            "merged_entity_ids": null,
            "metadata": { "a": "b" },
            "name": "alice",
            "namespace_id": "root",
            "policies": ["p1", "p2"],
        })
    );
}

#[test]
fn an_entity_without_a_name_gets_one() {
    let mut world = World::new();
    let made = world.write("entity", json!({})).unwrap();
    let name = made["name"].as_str().unwrap();
    assert!(name.starts_with("entity_") && name.ends_with(".root") && name.len() == 20, "{name}");
    world.create_namespace("tenant");
    world.namespace = Some("tenant".into());
    let made = world.write("entity", json!({})).unwrap();
    assert!(id(&made).ends_with(".tenant") && made["name"].as_str().unwrap().ends_with(".tenant"), "{made}");
}

#[test]
fn names_are_one_whatever_their_case() {
    let mut world = World::new();
    let alice = world.entity("Alice", &[]);
    let bob = world.entity("bob", &[]);
    assert_eq!(world.refusal("entity", json!({ "id": bob, "name": "ALICE" })), "entity name is already in use");
    assert_eq!(world.refusal("entity/name/bob", json!({ "id": alice })), "entity name is already in use");
    assert_eq!(id(&world.write("lookup/entity", json!({ "name": "aLICE" })).unwrap()), alice);
    // A new name frees the old one.
    world.write("entity", json!({ "id": alice, "name": "carol" })).unwrap();
    assert_ne!(world.entity("alice", &[]), alice);
    assert_eq!(world.list("entity/name"), ["alice", "bob", "carol"]);
}

#[test]
fn writes_are_refused_with_upstreams_words() {
    let mut world = World::new();
    world.entity("x", &[]);
    for (path, body, text) in [
        ("entity", json!({ "id": "nope" }), "entity not found from id"),
        ("entity/id/nope", json!({}), "entity not found from id"),
        ("entity/name/new", json!({ "id": "nope" }), "entity not found from id"),
        ("entity/batch-delete", json!({}), "missing entity ids to delete"),
        ("entity/batch-delete", json!({ "entity_ids": [] }), "missing entity ids to delete"),
        (
            "entity",
            json!({ "metadata": { "": "y" } }),
            "invalid entity metadata: failed to load metadata pair \"\": key cannot be blank",
        ),
        ("entity", json!({ "name": "a\u{1}" }), "name must not contain control characters"),
        ("lookup/entity", json!({}), "query parameter not supplied"),
        (
            "lookup/entity",
            json!({ "id": "a", "name": "b" }),
            "query parameter conflict; please supply distinct set of query parameters",
        ),
        ("lookup/entity", json!({ "alias_name": "a" }), "both 'alias_name' and 'alias_mount_accessor' needs to be set"),
        ("entity/merge", json!({}), "missing entity id to merge to"),
        ("entity/merge", json!({ "to_entity_id": "x" }), "missing entity ids to merge from"),
        ("entity/merge", json!({ "to_entity_id": "x", "from_entity_ids": "y" }), "entity id to merge to is invalid"),
        ("entity-alias", json!({ "name": "x" }), "'id' or 'mount_accessor' and 'name' must be provided"),
        ("entity-alias", json!({ "name": "x", "mount_accessor": "nope" }), "invalid mount accessor \"nope\""),
        ("entity-alias/id/nope", json!({ "name": "x" }), "invalid alias ID provided"),
    ] {
        assert_eq!(world.refusal(path, body.clone()), text, "{path} {body}");
    }
    let pairs: serde_json::Map<String, Value> = (0..65).map(|n| (format!("k{n}"), "v".into())).collect();
    assert!(world.refusal("entity", json!({ "metadata": pairs })).contains("more than 64 key/value pairs"));
    assert_eq!(world.list("entity/name"), ["x"], "a refused write changes nothing");
}

#[test]
fn what_is_not_there_is_empty_and_deleting_it_is_no_error() {
    let mut world = World::new();
    for path in ["entity/id/x", "entity/name/x", "entity-alias/id/x", "group/id/x", "group/name/x", "group-alias/id/x"]
    {
        assert_eq!(world.read(path), Value::Null, "{path}");
        world.delete(path);
    }
    for path in ["entity/id", "entity/name", "entity-alias/id", "group/id", "group/name", "group-alias/id"] {
        assert_eq!(world.call(Operation::List, path, Value::Null).unwrap(), Value::Null, "{path}");
        assert!(matches!(world.call(Operation::Read, path, Value::Null), Err(Fault::UnsupportedOperation)), "{path}");
    }
    assert!(matches!(world.call(Operation::Read, "entity/x", Value::Null), Err(Fault::UnsupportedPath)));
}

#[test]
fn an_alias_is_made_updated_and_shown() {
    let mut world = World::new();
    let mount = world.auth_mount("root", "people");
    let entity = world.entity("alice", &[]);
    let body =
        json!({ "name": "bob", "mount_accessor": mount, "canonical_id": entity, "custom_metadata": { "c": "d" } });
    let alias = id(&world.write("entity-alias", body.clone()).unwrap());
    assert_eq!(world.write("entity-alias", body).unwrap(), Value::Null, "the same again changes nothing");
    let shown = json!({
        "canonical_id": entity,
        "creation_time": "2027-01-15T08:00:00Z",
        "custom_metadata": { "c": "d" },
        "id": alias,
        "last_update_time": "2027-01-15T08:00:00Z",
        "local": false,
        "merged_from_canonical_ids": null,
        "metadata": null,
        "mount_accessor": mount,
        "mount_path": "auth/people/",
        "mount_type": "userpass",
        "name": "bob",
        "namespace_id": "root",
    });
    for path in ["entity-alias/id", "alias/id", "persona/id"] {
        assert_eq!(world.read(&format!("{path}/{alias}")), shown, "{path}");
        assert_eq!(world.list(path), std::slice::from_ref(&alias), "{path}");
    }
    let updated = world.write("entity-alias", json!({ "name": "BOB", "mount_accessor": mount })).unwrap();
    assert_eq!(updated, json!({ "canonical_id": entity, "id": alias }), "found whatever its case, and renamed");
    let found = json!({ "alias_name": "Bob", "alias_mount_accessor": mount });
    assert_eq!(id(&world.write("lookup/entity", found).unwrap()), entity);
    let listed = world.call(Operation::List, "entity/id", Value::Null).unwrap();
    let brief = json!({ "id": alias, "mount_accessor": mount, "mount_path": "auth/people/", "mount_type": "userpass", "name": "BOB" });
    assert_eq!(listed["key_info"][&entity], json!({ "name": "alice", "aliases": [brief] }));
    world.delete(&format!("entity-alias/id/{alias}"));
    assert_eq!(world.read(&format!("entity/id/{entity}"))["aliases"], json!([]));
}

#[test]
fn an_entity_has_one_alias_on_a_mount_and_an_alias_one_entity() {
    let mut world = World::new();
    let (first, second) = (world.auth_mount("root", "a"), world.auth_mount("root", "b"));
    let (alice, bob) = (world.entity("alice", &[]), world.entity("bob", &[]));
    let alias = world.alias("x", &first, &alice);
    let other = world.alias("x", &second, &alice);
    let of_bob = world.alias("y", &first, &bob);
    let by_id = format!("entity-alias/id/{alias}");
    let create = |name: &str, mount: &str, entity: &str| json!({ "name": name, "mount_accessor": mount, "canonical_id": entity });
    let has_one = "Alias cannot be updated as the given entity already has an alias for this mount ";
    for (path, body, text) in [
        ("entity-alias", create("z", &first, &alice), "Alias already exists for requested entity and mount accessor"),
        ("entity-alias", create("z", &first, "nope"), "invalid canonical ID"),
        ("entity-alias", create("y", &first, &alice), has_one),
        (by_id.as_str(), json!({ "name": "Y" }), "alias with combination of mount accessor and name already exists"),
        (by_id.as_str(), json!({ "canonical_id": "nope" }), "given 'canonical_id' is not associated with an entity"),
        (by_id.as_str(), json!({ "canonical_id": bob }), has_one),
        (
            by_id.as_str(),
            json!({ "mount_accessor": second }),
            "Alias cannot be updated as the entity already has an alias for the given 'mount_accessor' ",
        ),
    ] {
        assert_eq!(world.refusal(path, body.clone()), text, "{path} {body}");
    }
    assert_eq!(world.write(&by_id, json!({})).unwrap(), Value::Null);
    // Root may move it: its name then leads to the other entity.
    world.delete(&format!("entity-alias/id/{of_bob}"));
    assert_eq!(world.write(&by_id, json!({ "canonical_id": bob })).unwrap()["canonical_id"], json!(bob));
    assert_eq!(world.read(&format!("entity/id/{alice}"))["aliases"].as_array().unwrap().len(), 1);
    assert_eq!(world.read(&format!("entity-alias/id/{other}"))["canonical_id"], json!(alice));
    assert_eq!(id(&world.write("lookup/entity", json!({ "alias_id": alias })).unwrap()), bob);
}

#[test]
fn merging_moves_logins_and_groups_and_old_ids_lead_to_the_survivor() {
    let mut world = World::new();
    let (first, second) = (world.auth_mount("root", "a"), world.auth_mount("root", "b"));
    let (to, from) = (world.entity("to", &["p-to"]), world.entity("from", &["p-from"]));
    let group = world.group(json!({ "name": "g", "member_entity_ids": [from], "policies": ["p-group"] }));
    let (mine, theirs) = (world.alias("a", &first, &to), world.alias("b", &first, &from));
    let free = world.alias("b", &second, &from);
    let merge =
        |keep: &[&str]| json!({ "to_entity_id": to, "from_entity_ids": [from], "conflicting_alias_ids_to_keep": keep });
    assert!(
        world
            .refusal("entity/merge", merge(&[]))
            .starts_with("2 errors occurred:\n\t* toEntity and at least one fromEntity have aliases")
    );
    assert_eq!(
        world.refusal("entity/merge", merge(&["other"])),
        format!(
            "conflicting mount accessors in following alias IDs and neither were present in conflicting_alias_ids_to_keep: {theirs}, {mine}"
        )
    );
    assert_eq!(
        world.refusal("entity/merge", json!({ "to_entity_id": to, "from_entity_ids": [to] })),
        "to_entity_id should not be present in from_entity_ids"
    );
    assert_eq!(world.write("entity/merge", merge(&[&theirs])).unwrap(), Value::Null);
    let merged = world.read(&format!("entity/id/{to}"));
    let mut kept: Vec<&str> =
        merged["aliases"].as_array().unwrap().iter().map(|alias| alias["id"].as_str().unwrap()).collect();
    kept.sort_unstable();
    let mut wanted = [theirs.as_str(), free.as_str()];
    wanted.sort_unstable();
    assert_eq!(kept, wanted);
    assert_eq!(merged["merged_entity_ids"], json!([from]));
    assert_eq!(merged["policies"], json!(["p-to"]));
    assert_eq!(merged["direct_group_ids"], json!([group]));
    for gone in [format!("entity/id/{from}"), "entity/name/from".into(), format!("entity-alias/id/{mine}")] {
        assert_eq!(world.read(&gone), Value::Null, "{gone}");
    }
    assert_eq!(world.refusal("entity/merge", merge(&[&theirs])), "entity id to merge from is invalid");
    assert_eq!(world.policies(&from), ["p-group", "p-to"], "a token of the merged entity acts as the survivor");
    world.delete(&format!("entity/id/{to}"));
    assert!(matches!(world.view(&from), Err(Fault::Denied)));
}

#[test]
fn lists_come_in_pages() {
    let mut world = World::new();
    for name in ["C", "a", "b/x", "b"] {
        world.entity(name, &[]);
    }
    assert_eq!(world.list("entity/name"), ["a", "b", "b/x", "C"]);
    let mut page = |after: &str, limit: Value| {
        let data = world.call(Operation::List, "entity/name", json!({ "after": after, "limit": limit })).unwrap();
        serde_json::from_value::<Vec<String>>(data["keys"].clone()).unwrap_or_default()
    };
    assert_eq!(page("", json!(2)), ["a", "b"]);
    assert_eq!(page("b", json!(1)), ["b/x"]);
    assert_eq!(page("B/X", json!("7")), ["C"]);
    assert_eq!(page("c", json!(2)), [""; 0]);
}

#[test]
fn s78_odd_limits_never_widen_a_list() {
    let mut world = World::new();
    world.entity("a", &[]);
    world.entity("b", &[]);
    for (limit, outcome) in [
        (json!(0), Some(2)),
        (json!(-1), Some(2)),
        (json!(1), Some(1)),
        (json!(2_147_483_648_u64), Some(2)),
        (json!(9_223_372_036_854_775_808_u64), None),
        (json!("1e9"), None),
        (json!(" 1"), None),
    ] {
        let listed = world.call(Operation::List, "entity/id", json!({ "limit": limit }));
        let count = listed.ok().map(|data| data["keys"].as_array().unwrap().len());
        assert_eq!(count, outcome, "{limit}");
    }
}

#[test]
fn nothing_is_left_of_what_was_deleted() {
    let mut world = World::new();
    let before = world.kept();
    let (first, second) = (world.auth_mount("root", "a"), world.auth_mount("root", "b"));
    let ids: Vec<String> = ["a", "B", "c"].iter().map(|name| world.entity(name, &[])).collect();
    world.alias("x", &first, &ids[0]);
    world.alias("y", &first, &ids[1]);
    world.alias("y", &second, &ids[1]);
    let inner = world.group(json!({ "name": "Inner", "member_entity_ids": ids }));
    let external = world.group(json!({ "name": "ext", "type": "external" }));
    world.write("group-alias", json!({ "name": "devs", "mount_accessor": first, "canonical_id": external })).unwrap();
    let outer = world.group(json!({ "name": "outer", "member_group_ids": [inner, external] }));
    world.write("entity/merge", json!({ "to_entity_id": ids[0], "from_entity_ids": [ids[2]] })).unwrap();
    world.write("entity", json!({ "id": ids[0], "name": "renamed" })).unwrap();
    world.write("group", json!({ "id": inner, "name": "renamed" })).unwrap();
    world.delete("entity/name/renamed");
    world.write("entity/batch-delete", json!({ "entity_ids": [ids[1]] })).unwrap();
    for group in [inner, external, outer] {
        world.delete(&format!("group/id/{group}"));
    }
    assert_eq!(world.kept(), before);
}
