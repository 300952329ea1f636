//! Rows S10, S12, S16, S17 and S18: namespaces come, collide, end and keep to themselves.

use crate::harness::{At, ROOT, World, told};
use engine::Operation;
use serde_json::{Value, json};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use store::{Revision, Snapshot, StoreError, Stored, Visit};

#[test]
fn s10_a_namespace_cannot_take_the_path_of_a_mount_nor_a_mount_that_of_a_namespace() {
    let mut world = World::new();
    world.write(ROOT, "sys/mounts/x", json!({ "type": "accounts" })).unwrap();
    world.write(ROOT, "sys/mounts/y/z", json!({ "type": "accounts" })).unwrap();
    let (token, _) = world.token("", r#"path "x/*" { capabilities = ["read"] }"#);
    for name in ["x", "y"] {
        assert_eq!(
            world.status(ROOT, Operation::Update, &format!("sys/namespaces/{name}"), Value::Null),
            400,
            "{name}"
        );
        assert_eq!(world.read(ROOT, &format!("sys/namespaces/{name}")).unwrap(), Value::Null);
    }
    // The grant still means the mount it was written for.
    assert_eq!(world.status(At { token: &token, ..ROOT }, Operation::Read, "x/creds", Value::Null), 200);
    world.namespace("n");
    // Nor below it: no request would ever reach such a mount.
    for path in ["n", "n/kv"] {
        let body = json!({ "type": "accounts" });
        assert_eq!(world.status(ROOT, Operation::Update, &format!("sys/mounts/{path}"), body), 400, "{path}");
    }
}

#[test]
fn s12_no_name_of_a_namespace_means_its_parent() {
    let mut world = World::new();
    world.namespace("n");
    let before = world.keys_below("").len();
    for at in [ROOT, At { namespace: "n", ..ROOT }] {
        for name in [
            "root",
            "Root",
            "ROOT",
            "sys",
            "auth",
            "Identity",
            "cubbyhole",
            "audit",
            "a b",
            "a*",
            "+",
            "a/b",
            "…/\u{7}",
        ] {
            let path = format!("sys/namespaces/{name}");
            for operation in [Operation::Update, Operation::Patch, Operation::Delete, Operation::Read] {
                // What the edge refuses to parse never arrives here.
                if engine::RequestPath::new(path.clone()).is_err() {
                    continue;
                }
                assert_eq!(world.status(at, operation, &path, Value::Null), 400, "{operation:?} {name:?}");
            }
        }
    }
    assert_eq!(world.keys_below("").len(), before);
}

#[test]
fn s16_a_namespace_is_not_deleted_while_it_has_live_leases() {
    let mut world = World::new();
    world.namespace("n");
    world.mount_accounts("n");
    world.lease("n");
    let id = world.read(ROOT, "sys/namespaces/n").unwrap()["id"].as_str().unwrap().to_owned();
    world.accounts.set_down(true);
    for _ in 0..3 {
        assert_eq!(world.delete(ROOT, "sys/namespaces/n").unwrap()["status"], "in-progress");
        world.expire();
        assert_eq!(world.read(ROOT, "sys/namespaces/n").unwrap()["tainted"], true, "not reported as deleted");
        assert_eq!(world.accounts.live(), 1);
        assert_eq!(world.status(At { namespace: "n", ..ROOT }, Operation::Read, "accounts/creds", Value::Null), 404);
        assert_eq!(
            world.status(ROOT, Operation::Update, "sys/namespaces/n", Value::Null),
            400,
            "not made anew meanwhile"
        );
    }
    world.accounts.set_down(false);
    world.delete(ROOT, "sys/namespaces/n").unwrap();
    world.expire();
    assert_eq!(world.accounts.live(), 0, "its account went before the namespace");
    assert_eq!(world.read(ROOT, "sys/namespaces/n").unwrap(), Value::Null);
    assert_eq!(world.keys_below(&format!("{id}/")), Vec::<String>::new());
    assert!(!world.keys_below("").iter().any(|key| key.contains(&id)), "nothing of it is left, its key included");
}

#[test]
fn s16_the_expiry_job_finishes_a_deletion_by_itself() {
    let mut world = World::new();
    world.namespace("n");
    world.mount_accounts("n");
    // More than one step of a deletion does.
    for _ in 0..600 {
        world.lease("n");
    }
    world.delete(ROOT, "sys/namespaces/n").unwrap();
    assert!(world.accounts.live() > 0, "one step does not do all");
    world.expire();
    assert_eq!(world.accounts.live(), 0);
    assert_eq!(world.read(ROOT, "sys/namespaces/n").unwrap(), Value::Null);
}

#[test]
fn tokens_of_a_deleted_namespace_end_and_children_are_not_orphaned() {
    let mut world = World::new();
    world.namespace("n");
    world.namespace("n/m");
    let (token, _) = world.token("n/m", r#"path "sys/mounts" { capabilities = ["read"] }"#);
    let at = At { token: &token, namespace: "n/m" };
    assert_eq!(world.status(at, Operation::Read, "sys/mounts", Value::Null), 200);
    assert_eq!(world.status(ROOT, Operation::Delete, "sys/namespaces/n", Value::Null), 400, "has a child");
    world.delete(At { namespace: "n", ..ROOT }, "sys/namespaces/m").unwrap();
    world.delete(ROOT, "sys/namespaces/n").unwrap();
    world.expire();
    world.namespace("n");
    world.namespace("n/m");
    assert_eq!(
        world.status(at, Operation::Read, "sys/mounts", Value::Null),
        403,
        "a namespace of the same name is another"
    );
}

#[test]
fn s17_a_failing_store_makes_no_half_namespace() {
    let mut world = World::new();
    let before = world.keys_below("");
    let mut failures = 0;
    for reads in 0.. {
        let snapshot = Arc::new(Failing { inner: world.snapshot(), left: AtomicUsize::new(reads) });
        let outcome = world.run_on(snapshot, ROOT, Operation::Update, "sys/namespaces/n", Value::Null);
        match outcome.result {
            // The first run that meets no failure.
            Ok(_) => break,
            Err(fault) => {
                assert_eq!(told(&fault).0, 500, "{fault}");
                assert!(outcome.commit.is_none(), "after {reads} reads");
                failures += 1;
            }
        }
    }
    assert!(failures > 3, "the store was asked more than {failures} times");
    assert_eq!(world.keys_below(""), before);
    world.namespace("n");
    assert_eq!(world.status(At { namespace: "n", ..ROOT }, Operation::Read, "sys/mounts", Value::Null), 200);
}

/// A snapshot that fails after so many reads.
struct Failing {
    inner: Arc<dyn Snapshot>,
    left: AtomicUsize,
}

impl Failing {
    fn read(&self) -> Result<(), StoreError> {
        let left = self.left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1));
        left.map(drop).map_err(|_| StoreError::Engine("injected".to_owned()))
    }
}

impl Snapshot for Failing {
    fn revision(&self) -> Revision {
        self.inner.revision()
    }
    fn get(&self, key: &str) -> Result<Option<Stored>, StoreError> {
        self.read()?;
        self.inner.get(key)
    }
    fn visit(&self, from: &str, to: &str, visit: &mut Visit<'_>) -> Result<(), StoreError> {
        self.read()?;
        self.inner.visit(from, to, visit)
    }
    fn area_revision(&self, area: &str) -> Revision {
        self.inner.area_revision(area)
    }
}

#[test]
fn s18_what_is_the_nodes_own_cannot_be_reached_from_a_child_namespace() {
    let mut world = World::new();
    world.namespace("n");
    let all = r#"path "*" { capabilities = ["create", "read", "update", "patch", "delete", "list", "scan", "sudo"] }"#;
    let (token, _) = world.token("n", all);
    for namespace in ["n", ""] {
        let at = At { token: &token, namespace };
        for (operation, path) in [
            (Operation::Read, "sys/audit"),
            (Operation::Update, "sys/audit/f"),
            (Operation::Delete, "sys/audit/f"),
            (Operation::Update, "sys/audit-hash/f"),
            (Operation::Update, "sys/config/auditing/request-headers/x"),
            (Operation::Read, "sys/config/cors"),
            (Operation::Update, "sys/config/cors"),
            (Operation::Update, "sys/config/ui/headers/x"),
            (Operation::Update, "sys/plugins/catalog/secret/x"),
            (Operation::Delete, "sys/plugins/catalog/secret/x"),
            (Operation::Update, "sys/plugins/reload/backend"),
            (Operation::Update, "sys/quotas/rate-limit/x"),
            (Operation::Update, "sys/quotas/config"),
            (Operation::Read, "sys/internal/inspect/router/root"),
            (Operation::Update, "sys/seal"),
            (Operation::Update, "sys/step-down"),
            (Operation::Update, "sys/rotate"),
            (Operation::Read, "sys/raw/root"),
            (Operation::Read, "sys/storage/raft/configuration"),
            (Operation::Update, "sys/storage/raft/snapshot"),
            (Operation::Read, "sys/metrics"),
            (Operation::Update, "sys/loggers"),
            (Operation::Read, "sys/host-info"),
        ] {
            let status =
                world.status(at, operation, path, json!({ "type": "file", "allowed_origins": "*", "rate": 1 }));
            assert!(matches!(status, 403 | 404), "{namespace:?} {operation:?} {path}: {status}");
        }
    }
    assert_eq!(world.keys_below("root/audit/"), Vec::<String>::new());
    assert_eq!(world.keys_below("root/quota/"), Vec::<String>::new());
    assert_eq!(world.keys_below("root/config/"), Vec::<String>::new());
}

#[test]
fn a_token_looks_itself_up_from_its_namespace_and_those_below() {
    let mut world = World::new();
    world.namespace("n");
    world.namespace("n/m");
    world.namespace("other");
    let at = At { namespace: "n", ..ROOT };
    let made = world.call(at, Operation::Update, "auth/token/create", json!({ "policies": ["default"] })).unwrap();
    let token = made.auth.unwrap().client_token;
    for (namespace, status) in [("n", 200), ("n/m", 200), ("", 403), ("other", 403)] {
        let at = At { token: &token, namespace };
        assert_eq!(world.status(at, Operation::Read, "auth/token/lookup-self", Value::Null), status, "{namespace:?}");
    }
    // Nothing else of the default policy reaches below.
    let below = At { token: &token, namespace: "n/m" };
    for path in ["sys/capabilities-self", "sys/wrapping/wrap", "auth/token/lookup"] {
        assert_eq!(world.status(below, Operation::Update, path, json!({ "paths": ["a"] })), 403, "{path}");
    }
    assert_eq!(world.status(below, Operation::Update, "auth/token/revoke-self", Value::Null), 200);
    assert_eq!(world.status(At { token: &token, ..at }, Operation::Read, "auth/token/lookup-self", Value::Null), 403);
}
