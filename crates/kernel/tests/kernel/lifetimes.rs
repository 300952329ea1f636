//! How long tokens and leases live, whichever door they are renewed, used up or ended by.

use crate::harness::{At, ROOT, World};
use engine::Operation;
use serde_json::{Value, json};

const ALL: &str = r#"path "*" { capabilities = ["create", "read", "update", "delete", "list", "sudo"] }"#;

/// A token with every right and these further parameters. Returns its text, its accessor and its lease's id.
fn token(world: &mut World, by: At<'_>, body: Value) -> (String, String) {
    world.write(ROOT, "sys/policies/acl/all", json!({ "policy": ALL })).unwrap();
    let mut asked = json!({ "policies": ["all"], "ttl": 100 });
    asked.as_object_mut().unwrap().extend(body.as_object().cloned().unwrap_or_default());
    let auth = world.call(by, Operation::Update, "auth/token/create", asked).unwrap().auth.unwrap();
    (auth.client_token, auth.accessor)
}

fn status(world: &mut World, token: &str) -> u16 {
    world.status(At { token, namespace: "" }, Operation::Read, "auth/token/lookup-self", Value::Null)
}

#[test]
fn a_renewal_costs_a_use_and_gives_none_back() {
    let mut world = World::new();
    let (text, _) = token(&mut world, ROOT, json!({ "num_uses": 3 }));
    let own = At { token: &text, namespace: "" };
    assert_eq!(world.read(own, "auth/token/lookup-self").unwrap()["num_uses"], 2);
    world.write(own, "auth/token/renew-self", Value::Null).unwrap();
    assert_eq!(status(&mut world, &text), 200);
    assert_eq!(status(&mut world, &text), 403);
}

#[test]
fn s75_a_token_that_ended_is_not_renewed_through_its_lease() {
    let mut world = World::new();
    let (text, _) = token(&mut world, ROOT, json!({}));
    let leases = world.keys_below("root/lease/auth/token/create/");
    let lease = leases.first().unwrap().strip_prefix("root/lease/").unwrap().to_owned();
    world.now = world.now.plus_seconds(100);
    assert_eq!(status(&mut world, &text), 403);
    // The expiry job has not run yet: the record is still there.
    let renewed = world.status(ROOT, Operation::Update, "sys/leases/renew", json!({ "lease_id": lease }));
    assert_eq!((renewed, status(&mut world, &text)), (400, 403));
}

#[test]
fn a_batch_token_ends_with_its_parent() {
    for expires in [false, true] {
        let mut world = World::new();
        world.mount_accounts("");
        let (parent, _) = token(&mut world, ROOT, json!({ "ttl": 50 }));
        let by = At { token: &parent, namespace: "" };
        let (batch, _) = token(&mut world, by, json!({ "type": "batch", "ttl": 100 }));
        let own = At { token: &batch, namespace: "" };
        world.read(own, "accounts/creds").unwrap();
        assert_eq!((status(&mut world, &batch), world.accounts.live()), (200, 1));
        if expires {
            world.now = world.now.plus_seconds(50);
            assert_eq!(status(&mut world, &batch), 403);
            world.expire();
        } else {
            world.write(ROOT, "auth/token/revoke", json!({ "token": parent })).unwrap();
        }
        assert_eq!((status(&mut world, &batch), world.accounts.live()), (403, 0), "expired: {expires}");
        let asked = json!({ "token": batch, "paths": ["x"] });
        assert_eq!(world.status(ROOT, Operation::Update, "sys/capabilities", asked), 400);
        assert_eq!(world.status(ROOT, Operation::Update, "auth/token/lookup", json!({ "token": batch })), 403);
    }
}

#[test]
fn s76_no_renewal_takes_a_lease_beyond_its_batch_token() {
    let mut world = World::new();
    world.mount_accounts("");
    let (batch, _) = token(&mut world, ROOT, json!({ "type": "batch", "ttl": 100, "no_parent": true }));
    let lease = world.call(At { token: &batch, namespace: "" }, Operation::Read, "accounts/creds", Value::Null);
    let id = lease.unwrap().lease.unwrap().id;
    world.now = world.now.plus_seconds(50);
    world.write(ROOT, "sys/leases/renew", json!({ "lease_id": id, "increment": 3600 })).unwrap();
    world.now = world.now.plus_seconds(50);
    world.expire();
    assert_eq!(world.accounts.live(), 0);
}

#[test]
fn s76_what_a_token_leased_in_a_namespace_below_its_own_ends_with_it() {
    let mut world = World::new();
    world.namespace("a");
    world.mount_accounts("a");
    let (text, _) = token(&mut world, ROOT, json!({}));
    world.read(At { token: &text, namespace: "a" }, "accounts/creds").unwrap();
    assert_eq!(world.accounts.live(), 1);
    world.write(ROOT, "auth/token/revoke", json!({ "token": text })).unwrap();
    assert_eq!(world.accounts.live(), 0);
    assert_eq!(world.keys_below("root/due/"), Vec::<String>::new());
}

#[test]
fn s10_a_mount_is_not_moved_onto_a_namespace() {
    let mut world = World::new();
    world.namespace("a");
    world.mount_accounts("");
    for to in ["a", "a/b"] {
        let status = world.status(ROOT, Operation::Update, "sys/remount", json!({ "from": "accounts", "to": to }));
        assert_eq!(status, 400, "{to}");
    }
    assert_eq!(world.status(ROOT, Operation::Read, "accounts/creds", Value::Null), 200);
}

#[test]
fn a_revocation_that_asks_outside_is_postponed_by_the_job_and_never_lost() {
    let mut world = World::new();
    world.mount_accounts("");
    world.lease("");
    world.accounts.set_far(true);
    world.now = world.now.plus_seconds(601);
    world.expire();
    let leases = |world: &World| world.keys_below("root/lease/accounts/").len();
    assert_eq!((world.accounts.live(), leases(&world)), (1, 1));
    world.accounts.set_far(false);
    world.now = world.now.plus_seconds(3_600);
    world.expire();
    assert_eq!((world.accounts.live(), leases(&world)), (0, 0));
}
