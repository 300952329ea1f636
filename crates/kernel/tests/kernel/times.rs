//! How long tokens and leases live: nothing lives for ever by arithmetic, and what hangs on a token ends with it.

use crate::harness::{At, ROOT, World};
use engine::Operation;
use serde_json::{Value, json};

/// When a token ends, in seconds from now; `None` if it is gone.
fn left(world: &mut World, token: &str) -> Option<i64> {
    let at = At { token, namespace: "" };
    world.read(at, "auth/token/lookup-self").ok().map(|data| data["ttl"].as_i64().unwrap())
}

#[test]
fn s75_no_sequence_of_renewals_passes_the_maximum_or_means_for_ever() {
    for (seed, maximum) in [(1_i64, 600), (7, 61), (13, 2), (29, 3600)] {
        let mut world = World::new();
        let body =
            json!({ "policies": ["default"], "ttl": maximum.min(60), "explicit_max_ttl": maximum, "renewable": true });
        let auth = world.call(ROOT, Operation::Update, "auth/token/create-orphan", body).unwrap().auth.unwrap();
        let token = auth.client_token;
        let issued = world.now;
        // Steps of all sizes, the last second before the end among them.
        let mut step = seed;
        while let Some(ttl) = left(&mut world, &token) {
            assert!(ttl > 0, "a live token has an end ahead");
            assert!(world.now.plus_seconds(ttl) <= issued.plus_seconds(maximum), "it does not pass its maximum");
            step = (step * 31 + 7) % 97;
            let wait = if step % 3 == 0 { ttl - 1 } else { (ttl * (step % 10)) / 10 }.max(1);
            world.now = world.now.plus_seconds(wait);
            let increment = [json!(0), json!(1), json!("0s"), json!(maximum * 100), json!(i64::MAX), Value::Null]
                [usize::try_from(step % 6).unwrap()]
            .clone();
            let at = At { token: &token, namespace: "" };
            let renewed = world.call(at, Operation::Update, "auth/token/renew-self", json!({ "increment": increment }));
            if let Ok(answer) = renewed {
                let granted = answer.auth.unwrap().lease_duration;
                assert!(granted > 0, "0 would read as for ever");
                assert!(world.now.plus_seconds(i64::try_from(granted).unwrap()) <= issued.plus_seconds(maximum));
            }
        }
        assert!(world.now <= issued.plus_seconds(maximum), "it ended in time");
        world.expire();
        world.now = world.now.plus_seconds(1_000_000);
        assert_eq!(left(&mut world, &token), None, "what ended stays ended");
    }
}

#[test]
fn s76_a_lease_does_not_outlive_its_batch_token() {
    let mut world = World::new();
    world.mount_accounts("");
    world.write(ROOT, "sys/policies/acl/creds", json!({ "policy": "path \"accounts/*\" { capabilities = [\"read\"] } path \"sys/leases/renew\" { capabilities = [\"update\"] }" })).unwrap();
    let body = json!({ "policies": ["creds"], "type": "batch", "ttl": 60 });
    let token = world.call(ROOT, Operation::Update, "auth/token/create", body).unwrap().auth.unwrap().client_token;
    let at = At { token: &token, namespace: "" };
    let lease = world.call(at, Operation::Read, "accounts/creds", Value::Null).unwrap().lease.unwrap();
    assert!(lease.duration <= 60, "{} s", lease.duration);
    world.now = world.now.plus_seconds(40);
    if let Ok(renewed) =
        world.call(at, Operation::Update, "sys/leases/renew", json!({ "lease_id": lease.id, "increment": 600 }))
    {
        assert!(renewed.lease.unwrap().duration <= 20, "a renewal ends with the token");
    }
    assert_eq!(world.accounts.live(), 1);
    world.now = world.now.plus_seconds(20);
    world.expire();
    assert_eq!(world.accounts.live(), 0, "the account is gone with the token");
}

#[test]
fn s77_the_narrowest_of_role_mount_and_system_bounds_a_life() {
    let day = 86_400;
    // Maximum of the mount, maximum of the token's role, what is asked for, and what is granted at most.
    for (mount, role, asked, most) in [
        (None, None, 40 * day, 32 * day),
        (Some(3600), None, 40 * day, 3600),
        (Some(3600), Some(600), 7200, 600),
        (None, Some(600), 7200, 600),
        (Some(600), Some(3600), 7200, 600),
        (Some(3600), None, 60, 60),
    ] {
        let mut world = World::new();
        if let Some(maximum) = mount {
            world
                .write(ROOT, "sys/auth/token/tune", json!({ "max_lease_ttl": maximum, "default_lease_ttl": maximum }))
                .unwrap();
        }
        let path = match role {
            Some(maximum) => {
                world
                    .write(
                        ROOT,
                        "auth/token/roles/r",
                        json!({ "token_explicit_max_ttl": maximum, "allowed_policies": "default" }),
                    )
                    .unwrap();
                "auth/token/create/r"
            }
            None => "auth/token/create",
        };
        let body = json!({ "policies": ["default"], "ttl": asked });
        let auth = world.call(ROOT, Operation::Update, path, body).unwrap().auth.unwrap();
        assert!(
            auth.lease_duration > 0 && auth.lease_duration <= u64::try_from(most).unwrap(),
            "mount {mount:?}, role {role:?}, asked {asked}: {}",
            auth.lease_duration
        );
    }
}

#[test]
fn s77_a_leased_secret_obeys_its_own_mount() {
    let mut world = World::new();
    world.mount_accounts("");
    for (maximum, most) in [(None, 600), (Some(120), 120), (Some(5), 5)] {
        if let Some(maximum) = maximum {
            world
                .write(
                    ROOT,
                    "sys/mounts/accounts/tune",
                    json!({ "max_lease_ttl": maximum, "default_lease_ttl": maximum }),
                )
                .unwrap();
        }
        let lease = world.call(ROOT, Operation::Read, "accounts/creds", Value::Null).unwrap().lease.unwrap();
        assert!(lease.duration > 0 && lease.duration <= most, "{maximum:?}: {}", lease.duration);
    }
}
