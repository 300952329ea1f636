//! Tokens that are out already: what changes of identities do to them.

use super::world::World;
use crate::identity::LoginIdentity;
use engine::{Fault, Operation};
use serde_json::{Value, json};

/// Whether a token may read a path now.
fn may_read(world: &mut World, token: &str, path: &str) -> bool {
    let asked = std::mem::replace(&mut world.token, token.to_owned());
    let read = world.call(Operation::Read, path, Value::Null);
    world.token = asked;
    match read {
        Ok(_) => true,
        Err(Fault::Denied | Fault::Forbidden) => false,
        Err(fault) => panic!("{path}: {fault:?}"),
    }
}

fn reader(path: &str) -> String {
    format!("path \"{path}\" {{ capabilities = [\"read\"] }}")
}

#[test]
fn s74_a_token_loses_with_the_membership_what_came_with_it() {
    let mut world = World::new();
    let mount = world.auth_mount("root", "a");
    let entity = world.entity("e", &[]);
    world.alias("e", &mount, &entity);
    for name in ["inner", "outer", "external"] {
        world.policy(name, &reader(&format!("identity/group/name/{name}")));
    }
    let inner = world.group(json!({ "name": "inner", "policies": ["inner"], "member_entity_ids": [entity] }));
    let outer = world.group(json!({ "name": "outer", "policies": ["outer"], "member_group_ids": [inner] }));
    let external = world.group(json!({ "name": "external", "policies": ["external"], "type": "external" }));
    world.write("group-alias", json!({ "name": "x", "mount_accessor": mount, "canonical_id": external })).unwrap();
    let mut login = LoginIdentity {
        namespace: "root".into(),
        mount_accessor: mount,
        name: "e".into(),
        groups: vec!["x".into()],
        ..LoginIdentity::default()
    };
    world.login(&login).unwrap();
    let token = world.token_of(&entity, &[]);
    let may = |world: &mut World| {
        ["inner", "outer", "external"].map(|name| may_read(world, &token, &format!("group/name/{name}")))
    };
    assert_eq!(may(&mut world), [true, true, true]);
    world.write(&format!("group/id/{outer}"), json!({ "member_group_ids": [] })).unwrap();
    assert_eq!(may(&mut world), [true, false, true]);
    world.write(&format!("group/id/{inner}"), json!({ "member_entity_ids": [] })).unwrap();
    assert_eq!(may(&mut world), [false, false, true]);
    login.groups.clear();
    world.login(&login).unwrap();
    assert_eq!(may(&mut world), [false, false, false]);
}

#[test]
fn a_disabled_merged_or_deleted_entity_acts_on_its_tokens_at_once() {
    let mut world = World::new();
    world.policy("own", &reader("identity/entity/id/{{identity.entity.id}}"));
    let (entity, survivor) = (world.entity("e", &["own"]), world.entity("s", &["own"]));
    let token = world.token_of(&entity, &[]);
    let own = format!("entity/id/{entity}");
    assert!(may_read(&mut world, &token, &own));
    assert!(!may_read(&mut world, &token, &format!("entity/id/{survivor}")));
    world.write(&own, json!({ "disabled": true })).unwrap();
    assert!(!may_read(&mut world, &token, &own));
    world.write(&own, json!({ "disabled": false })).unwrap();
    assert!(may_read(&mut world, &token, &own));
    world.write("entity/merge", json!({ "to_entity_id": survivor, "from_entity_ids": [entity] })).unwrap();
    assert!(!may_read(&mut world, &token, &own), "the token is the survivor's now");
    assert!(may_read(&mut world, &token, &format!("entity/id/{survivor}")));
    world.delete(&format!("entity/id/{survivor}"));
    assert!(!may_read(&mut world, &token, &format!("entity/id/{survivor}")));
}

#[test]
fn s07_s08_a_template_sees_the_metadata_of_the_mount_it_names() {
    let mut world = World::new();
    let (first, second) = (world.auth_mount("root", "a"), world.auth_mount("root", "b"));
    let login = |mount: &str, scope: &str| LoginIdentity {
        namespace: "root".into(),
        mount_accessor: mount.into(),
        name: "same".into(),
        metadata: [("scope".to_owned(), scope.to_owned())].into(),
        ..LoginIdentity::default()
    };
    let entity = world.login(&login(&first, "one")).unwrap().unwrap();
    world.alias("same", &second, &entity);
    world.login(&login(&second, "two")).unwrap();
    let stranger = world.auth_mount("root", "c");
    let other = world.login(&login(&stranger, "one")).unwrap().unwrap();
    for (mount, wanted) in [(&first, [true, false]), (&second, [false, true])] {
        let name = format!("of-{mount}");
        world.policy(
            &name,
            &reader(&format!("identity/entity/name/{{{{identity.entity.aliases.{mount}.metadata.scope}}}}")),
        );
        let token = world.token_of(&entity, &[&name]);
        assert_eq!(["one", "two"].map(|scope| may_read(&mut world, &token, &format!("entity/name/{scope}"))), wanted);
        let token = world.token_of(&other, &[&name]);
        assert_eq!(
            ["one", "two"].map(|scope| may_read(&mut world, &token, &format!("entity/name/{scope}"))),
            [false, false]
        );
    }
}
