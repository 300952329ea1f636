//! Rows S13 and S14: what has an id in one namespace is nothing in another.

use crate::harness::{At, ROOT, World, told};
use engine::Operation;
use serde_json::{Value, json};

const NAMESPACES: [&str; 3] = ["", "a", "b"];
const LEASES: &str = r#"
path "sys/leases/*" { capabilities = ["create", "read", "update", "list", "sudo"] }
path "sys/renew/*" { capabilities = ["update"] }
path "sys/renew" { capabilities = ["update"] }
path "sys/revoke/*" { capabilities = ["update"] }
path "sys/revoke" { capabilities = ["update"] }
path "sys/revoke-prefix/*" { capabilities = ["update", "sudo"] }
path "sys/revoke-force/*" { capabilities = ["update", "sudo"] }
"#;

fn world() -> World {
    let mut world = World::new();
    for namespace in NAMESPACES {
        if !namespace.is_empty() {
            world.namespace(namespace);
        }
        world.mount_accounts(namespace);
    }
    world
}

/// Every operation on a lease: the path, and what goes with it.
fn operations(lease: &str) -> Vec<(String, Value)> {
    let body = json!({ "lease_id": lease });
    let named = ["sys/leases/lookup", "sys/leases/renew", "sys/renew", "sys/leases/revoke", "sys/revoke"];
    let by_body = named.into_iter().map(|path| (path.to_owned(), body.clone()));
    let in_path = [
        "sys/leases/renew",
        "sys/renew",
        "sys/leases/revoke",
        "sys/revoke",
        "sys/revoke-force",
        "sys/leases/revoke-force",
    ];
    let by_path = in_path.into_iter().map(|path| (format!("{path}/{lease}"), Value::Null));
    let prefixes = ["sys/leases/revoke-prefix", "sys/leases/revoke-force", "sys/revoke-prefix", "sys/revoke-force"];
    let by_prefix = prefixes.into_iter().map(|path| (format!("{path}/accounts"), Value::Null));
    by_body.chain(by_path).chain(by_prefix).collect()
}

#[test]
fn s13_a_lease_is_reached_only_in_its_own_namespace_by_who_may() {
    let mut world = world();
    let tokens = NAMESPACES.map(|namespace| world.token(namespace, LEASES).0);
    let mut done = 0;
    for (home, token) in NAMESPACES.into_iter().zip(&tokens) {
        for asked in NAMESPACES {
            for held in NAMESPACES {
                let fresh = world.lease(held);
                let at = At { token, namespace: asked };
                for (path, body) in operations(&fresh) {
                    let lease = world.lease(held);
                    let before = world.accounts.live();
                    let (path, body) = renamed(&path, &body, &fresh, &lease);
                    let status = world.status(at, Operation::Update, &path, body);
                    let cell = format!("token of {home:?}, request to {asked:?}, lease of {held:?}: {path}");
                    // A token's rules are written for its own namespace: they reach into no other here.
                    if home != asked {
                        assert_eq!(status, 403, "{cell}");
                        assert_eq!(world.accounts.live(), before, "{cell}");
                        continue;
                    }
                    if held != asked {
                        // The id is unknown there; prefixes cover what is there, which is not this lease.
                        assert!(exists(&mut world, held, &lease), "{cell}");
                        continue;
                    }
                    assert_eq!(status, 200, "{cell}");
                    let ends = path.contains("revoke") && !path.contains("revoke-force/accounts/creds/");
                    assert_eq!(exists(&mut world, held, &lease), !ends, "{cell}");
                    done += 1;
                }
            }
        }
    }
    assert_eq!(done, 3 * operations("x").len(), "each operation worked where it should");
}

fn renamed(path: &str, body: &Value, from: &str, to: &str) -> (String, Value) {
    let body = if body.is_null() { Value::Null } else { json!({ "lease_id": to }) };
    (path.replace(from, to), body)
}

fn exists(world: &mut World, namespace: &str, lease: &str) -> bool {
    let at = At { namespace, ..ROOT };
    world.write(at, "sys/leases/lookup", json!({ "lease_id": lease })).is_ok()
}

#[test]
fn s14_an_accessor_of_one_namespace_is_unknown_in_every_other() {
    let rules = r#"path "auth/token/*" { capabilities = ["create", "read", "update", "sudo"] }"#;
    for (home, asked) in [("a", "b"), ("a", ""), ("", "a"), ("a/c", "a"), ("a", "a/c")] {
        let mut world = world();
        world.namespace("a/c");
        let (victim, accessor) = world.token(home, rules);
        let (caller, own) = world.token(asked, rules);
        let at = At { token: &caller, namespace: asked };
        for path in ["auth/token/lookup-accessor", "auth/token/renew-accessor", "auth/token/revoke-accessor"] {
            let answer = |world: &mut World, accessor: &str| {
                // Revoking what is not there is a success with a warning.
                match world.call(at, Operation::Update, path, json!({ "accessor": accessor })) {
                    Ok(answer) => (200, format!("{:?} {:?}", answer.reply.value(), answer.reply.warnings)),
                    Err(fault) => told(&fault),
                }
            };
            let foreign = answer(&mut world, &accessor);
            let unknown = answer(&mut world, "nobody");
            assert_eq!(foreign.0, unknown.0, "{home:?} from {asked:?}: {path}");
            assert_eq!(foreign.1.replace(&accessor, "nobody"), unknown.1, "{home:?} from {asked:?}: {path}");
        }
        let at = At { token: &victim, namespace: home };
        assert_eq!(world.status(at, Operation::Read, "auth/token/lookup-self", Value::Null), 200, "it lives");
        let at = At { token: &caller, namespace: asked };
        let own = json!({ "accessor": own });
        assert_eq!(world.status(at, Operation::Update, "auth/token/lookup-accessor", own), 200, "its own is known");
    }
}

#[test]
fn a_token_takes_what_it_kept_in_cubbyholes_of_namespaces_below_with_it() {
    let mut world = World::new();
    world.namespace("n");
    world.namespace("n/m");
    let before = world.keys_below("");
    let policy =
        r#"path "+/cubbyhole/*" { capabilities = ["update"] } path "n/m/cubbyhole/*" { capabilities = ["update"] }"#;
    let (token, accessor) = world.token("", policy);
    for namespace in ["n", "n/m", "n", ""] {
        let at = At { token: &token, namespace };
        world.write(at, "cubbyhole/own", json!({ "value": "v" })).unwrap();
    }
    let hidden = |world: &World| world.keys_below("").iter().filter(|key| key.ends_with("/own")).count();
    assert_eq!(hidden(&world), 3);
    world.write(ROOT, "auth/token/revoke-accessor", json!({ "accessor": accessor })).unwrap();
    assert_eq!(hidden(&world), 0);
    let left: Vec<String> = world.keys_below("").into_iter().filter(|key| !before.contains(key)).collect();
    assert!(left.iter().all(|key| key.contains("/policy/")), "{left:?}");
}
