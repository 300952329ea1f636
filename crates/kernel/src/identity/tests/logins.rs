//! What a login makes of identities.

use super::world::World;
use crate::identity::{self, LoginIdentity};
use engine::Fault;
use serde_json::json;

fn login(accessor: &str, name: &str, metadata: &[(&str, &str)], groups: &[&str]) -> LoginIdentity {
    LoginIdentity {
        namespace: "root".into(),
        mount_accessor: accessor.into(),
        name: name.into(),
        metadata: metadata.iter().map(|(key, value)| ((*key).into(), (*value).into())).collect(),
        groups: groups.iter().map(|group| (*group).into()).collect(),
        ..LoginIdentity::default()
    }
}

#[test]
fn the_first_login_makes_an_entity_and_the_next_writes_nothing() {
    let mut world = World::new();
    let mount = world.auth_mount("root", "people");
    let first = login(&mount, "bob", &[("team", "a")], &[]);
    let entity = world.login(&first).unwrap().unwrap();
    assert_eq!(world.login(&first).unwrap().unwrap(), entity);
    assert!(!world.login_writes(&first));
    let alias = world.read(&format!("entity/id/{entity}"))["aliases"][0].clone();
    assert_eq!((&alias["metadata"], &alias["custom_metadata"]), (&json!({ "team": "a" }), &json!(null)));
    let changed = login(&mount, "bob", &[("team", "b")], &[]);
    assert!(world.login_writes(&changed));
    world.login(&changed).unwrap();
    assert_eq!(world.read(&format!("entity/id/{entity}"))["aliases"][0]["metadata"], json!({ "team": "b" }));
    assert_eq!(world.login(&login(&mount, "", &[], &[])).unwrap(), None);
}

#[test]
fn a_disabled_or_deleted_entity_logs_nobody_in_as_itself() {
    let mut world = World::new();
    let mount = world.auth_mount("root", "people");
    let bob = login(&mount, "bob", &[], &[]);
    let entity = world.login(&bob).unwrap().unwrap();
    world.write(&format!("entity/id/{entity}"), json!({ "disabled": true })).unwrap();
    assert!(matches!(world.login(&bob), Err(Fault::Denied)));
    assert!(matches!(world.view(&entity), Err(Fault::Denied)));
    world.write(&format!("entity/id/{entity}"), json!({ "disabled": false })).unwrap();
    assert!(world.view(&entity).is_ok());
    world.delete(&format!("entity/id/{entity}"));
    assert!(matches!(world.view(&entity), Err(Fault::Denied)), "tokens of a deleted entity are refused");
    assert_ne!(world.login(&bob).unwrap().unwrap(), entity);
    assert!(world.view("").unwrap().is_none(), "a token without an entity has no view");
}

#[test]
fn s07_each_alias_of_an_entity_keeps_its_own_metadata() {
    let mut world = World::new();
    let (first, second) = (world.auth_mount("root", "a"), world.auth_mount("root", "b"));
    let entity = world.entity("both", &[]);
    world.alias("x", &first, &entity);
    world.alias("y", &second, &entity);
    assert_eq!(world.login(&login(&second, "y", &[("scope", "second")], &[])).unwrap().unwrap(), entity);
    let metadata = |world: &mut World, accessor: &str| {
        let shown = world.read(&format!("entity/id/{entity}"));
        let aliases = shown["aliases"].as_array().unwrap().clone();
        aliases.into_iter().find(|alias| alias["mount_accessor"] == accessor).unwrap()["metadata"].clone()
    };
    assert_eq!(metadata(&mut world, &first), json!(null));
    assert_eq!(metadata(&mut world, &second), json!({ "scope": "second" }));
    world.login(&login(&first, "x", &[("scope", "first")], &[])).unwrap();
    assert_eq!(metadata(&mut world, &first), json!({ "scope": "first" }));
    assert_eq!(metadata(&mut world, &second), json!({ "scope": "second" }));
}

#[test]
fn s08_one_name_on_two_mounts_is_two_identities() {
    let mut world = World::new();
    let (first, second) = (world.auth_mount("root", "a"), world.auth_mount("root", "b"));
    let one = world.login(&login(&first, "same", &[("k", "1")], &[])).unwrap().unwrap();
    let two = world.login(&login(&second, "same", &[("k", "2")], &[])).unwrap().unwrap();
    assert_ne!(one, two);
    for (entity, value) in [(one, "1"), (two, "2")] {
        assert_eq!(world.read(&format!("entity/id/{entity}"))["aliases"][0]["metadata"], json!({ "k": value }));
    }
}

#[test]
fn s74_every_way_out_of_a_group_acts_on_the_next_view() {
    let mut world = World::new();
    let entity = world.entity("e", &["own"]);
    let inner = world.group(json!({ "name": "inner", "member_entity_ids": [entity], "policies": ["p-inner"] }));
    let outer = world.group(json!({ "name": "outer", "member_group_ids": [inner], "policies": ["p-outer"] }));
    assert_eq!(world.policies(&entity), ["own", "p-inner", "p-outer"]);
    // Direct.
    world.write(&format!("group/id/{inner}"), json!({ "member_entity_ids": [] })).unwrap();
    assert_eq!(world.policies(&entity), ["own"]);
    // Nested: the inner group leaves the outer one.
    world.write(&format!("group/id/{inner}"), json!({ "member_entity_ids": [entity] })).unwrap();
    world.write(&format!("group/id/{outer}"), json!({ "member_group_ids": [] })).unwrap();
    assert_eq!(world.policies(&entity), ["own", "p-inner"]);
    // The policies of a group change.
    world.write(&format!("group/id/{inner}"), json!({ "policies": ["other"] })).unwrap();
    assert_eq!(world.policies(&entity), ["other", "own"]);
    // The group goes.
    world.delete(&format!("group/id/{inner}"));
    assert_eq!(world.policies(&entity), ["own"]);
}

#[test]
fn s74_external_membership_follows_the_login_method() {
    let mut world = World::new();
    let (mount, other) = (world.auth_mount("root", "a"), world.auth_mount("root", "b"));
    let internal = world.group(json!({ "name": "int", "policies": ["p-int"] }));
    for (name, accessor) in [("devs", &mount), ("ops", &mount), ("there", &other)] {
        let group = world.group(json!({ "name": name, "type": "external", "policies": [format!("p-{name}")] }));
        world.write("group-alias", json!({ "name": name, "mount_accessor": accessor, "canonical_id": group })).unwrap();
    }
    let both = login(&mount, "bob", &[], &["Devs", "ops", "unknown", "there"]);
    let entity = world.login(&both).unwrap().unwrap();
    assert_eq!(world.policies(&entity), ["p-devs", "p-ops"], "names are of the login's own mount");
    assert!(!world.login_writes(&both));
    world.write(&format!("group/id/{internal}"), json!({ "member_entity_ids": [entity] })).unwrap();
    world.alias("bob", &other, &entity);
    world.login(&login(&other, "bob", &[], &["there"])).unwrap();
    assert_eq!(world.policies(&entity), ["p-devs", "p-int", "p-ops", "p-there"]);
    world.login(&login(&mount, "bob", &[], &["ops"])).unwrap();
    assert_eq!(world.policies(&entity), ["p-int", "p-ops", "p-there"], "only this mount's groups are told anew");
    // A new name for the group ends what the old one gave.
    let alias = world
        .list("group-alias/id")
        .into_iter()
        .find(|alias| world.read(&format!("group-alias/id/{alias}"))["name"] == "ops")
        .unwrap();
    world.write(&format!("group-alias/id/{alias}"), json!({ "name": "sre", "mount_accessor": mount })).unwrap();
    assert_eq!(world.policies(&entity), ["p-int", "p-there"]);
}

#[test]
fn a_mount_takes_its_aliases_along() {
    let mut world = World::new();
    let (mount, other) = (world.auth_mount("root", "a"), world.auth_mount("root", "b"));
    let group = world.group(json!({ "name": "x", "type": "external", "policies": ["p"] }));
    world.write("group-alias", json!({ "name": "devs", "mount_accessor": mount, "canonical_id": group })).unwrap();
    let logins: Vec<LoginIdentity> = (0..600).map(|n| login(&mount, &format!("user/{n}"), &[], &["devs"])).collect();
    let entities: Vec<String> = world.tx(|tx, randomness| {
        let now = engine::Timestamp::from_seconds(1);
        logins.iter().map(|login| identity::login(tx, login, now, randomness).unwrap().unwrap()).collect()
    });
    let stays = world.login(&login(&other, "stays", &[], &[])).unwrap().unwrap();
    assert_eq!(world.policies(&entities[599]), ["p"]);
    world.tx(|tx, _| identity::mount_removed(tx, "root", &mount)).unwrap();
    assert_eq!(world.policies(&entities[599]), [""; 0]);
    assert_eq!(world.read(&format!("group/id/{group}"))["alias"], json!({}));
    assert_eq!(world.list("entity-alias/id").len(), 1);
    assert_eq!(world.list("entity/id").len(), 601);
    assert_eq!(world.read(&format!("entity/id/{stays}"))["aliases"].as_array().unwrap().len(), 1);
    assert_eq!(world.kept().iter().filter(|key| key.contains(&mount) || key.starts_with("root/member")).count(), 0);
}

#[test]
fn a_fingerprint_changes_with_everything_that_fills_templates_and_with_nothing_else() {
    let mut world = World::new();
    let mount = world.auth_mount("root", "a");
    let entity = world.login(&login(&mount, "bob", &[("k", "1")], &[])).unwrap().unwrap();
    let group = world.group(json!({ "name": "g", "member_entity_ids": [entity] }));
    let mut seen = vec![world.view(&entity).unwrap().unwrap().fingerprint.clone()];
    world.write(&format!("entity/id/{entity}"), json!({ "policies": ["p"] })).unwrap();
    assert_eq!(world.view(&entity).unwrap().unwrap().fingerprint, seen[0], "policies are told apart by themselves");
    let alias = world.list("entity-alias/id").remove(0);
    for (path, body) in [
        (format!("entity/id/{entity}"), json!({ "metadata": { "a": "b" } })),
        (format!("entity/id/{entity}"), json!({ "metadata": { "ab": "" } })),
        (format!("entity/id/{entity}"), json!({ "name": "renamed" })),
        (format!("entity-alias/id/{alias}"), json!({ "custom_metadata": { "c": "d" } })),
        (format!("group/id/{group}"), json!({ "metadata": { "m": "n" } })),
        (format!("group/id/{group}"), json!({ "name": "h" })),
        (format!("group/id/{group}"), json!({ "member_entity_ids": [] })),
    ] {
        world.write(&path, body.clone()).unwrap();
        let fingerprint = world.view(&entity).unwrap().unwrap().fingerprint.clone();
        assert!(!seen.contains(&fingerprint), "{path} {body}");
        seen.push(fingerprint);
    }
    world.login(&login(&mount, "bob", &[("k", "2")], &[])).unwrap();
    assert!(!seen.contains(&world.view(&entity).unwrap().unwrap().fingerprint));
}
