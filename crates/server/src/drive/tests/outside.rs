//! Requests that ask other servers on their way: Kubernetes logins and the configuration of `github`, against a server on
//! loopback that can change the store while it is asked.

use super::*;
use crate::outbound::fake::{Answer, Fake, response};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use std::path::Path;

/// Something to do at the next request to the fake server.
type Hook = Arc<Mutex<Option<Box<dyn FnOnce() + Send>>>>;

struct World {
    node: Node,
    log: Arc<Interrupted>,
    fake: Fake,
    hook: Hook,
    status: Arc<Mutex<u16>>,
}

impl World {
    /// A node with both methods mounted, whose servers are one fake.
    async fn new() -> Self {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let log = Arc::new(Interrupted { inner: MemoryLog::new(), then: Mutex::default() });
        let node = Node::on(log.clone(), 1, 1).await;
        let (hook, status) = (Hook::default(), Arc::new(Mutex::new(201)));
        let (hooked, answered) = (hook.clone(), status.clone());
        let fake = Fake::start(None, move |head| {
            if let Some(hook) = hooked.lock().unwrap().take() {
                hook();
            }
            answer(head, *answered.lock().unwrap())
        })
        .await;
        for kind in ["kubernetes", "github"] {
            assert_eq!(node.write(ROOT, &format!("sys/auth/{kind}"), json!({ "type": kind })).await.0, 204);
        }
        let world = Self { node, log, fake, hook, status };
        let host = format!("http://{}", world.fake.address);
        let config = json!({ "kubernetes_host": host, "kubernetes_ca_cert": "x", "token_reviewer_jwt": "rev" });
        world.write("auth/kubernetes/config", config).await;
        let role = json!({ "bound_service_account_names": "sa", "bound_service_account_namespaces": "default" });
        world.write("auth/kubernetes/role/r", role).await;
        world
    }

    async fn write(&self, path: &str, body: Value) {
        let (status, reply) = self.node.write(ROOT, path, body).await;
        assert_eq!(status, 204, "{path}: {reply}");
    }

    async fn log_in(&self) -> (u16, Value) {
        self.node.write("", "auth/kubernetes/login", json!({ "role": "r", "jwt": jwt() })).await
    }

    /// How many tokens there are.
    fn tokens(&self) -> usize {
        self.keys("root/token/").len()
    }

    fn keys(&self, prefix: &str) -> Vec<String> {
        let mut keys = Vec::new();
        let visited = self.log.inner.snapshot().visit(prefix, &store::prefix_end(prefix), &mut |key, _, _| {
            keys.push(key.to_owned());
            std::ops::ControlFlow::Continue(())
        });
        visited.unwrap();
        keys
    }

    /// A change of the role that another node commits: deletes it, or writes what it is.
    fn change_of_role(&self, delete: bool) -> Box<dyn FnOnce() + Send> {
        let (unsealed, log) = (self.node.unsealed.clone(), self.log.clone());
        let key = self.keys("root/data/").into_iter().find(|key| key.ends_with("/role/r")).unwrap();
        Box::new(move || {
            let snapshot = log.inner.snapshot();
            let barrier = unsealed.barrier(snapshot.as_ref()).unwrap();
            let mut tx = store::Tx::new(snapshot, barrier);
            let role = tx.get("kubernetes-role/1", &key).unwrap().unwrap().to_vec();
            if delete {
                tx.delete(&key);
            } else {
                tx.put("kubernetes-role/1", &key, role);
            }
            let commit = tx.into_commit(&mut |bytes| bytes.fill(7)).unwrap();
            log.inner.submit(commit, Box::new(|result| assert!(result.is_ok())));
        })
    }

    /// Writes entries into a file from now on.
    fn audit_into(&self, path: &Path) {
        let options = [("file_path".to_owned(), path.to_str().unwrap().to_owned())].into();
        let record = AuditDevice { path: "file/".into(), kind: "file".into(), options, ..AuditDevice::default() };
        let device = Device::new(&record, MacKey::new(&[0; 32]), self.node.shell.clock.clone());
        self.node.shell.audit.replace(vec![Arc::new(device)]);
    }
}

fn answer(head: &str, status: u16) -> Answer {
    if head.starts_with("GET /orgs/acme ") {
        return response(200, "", r#"{"id":7}"#);
    }
    let user = json!({ "username": "system:serviceaccount:default:sa", "uid": "uid-1" });
    response(status, "", &json!({ "status": { "authenticated": true, "user": user } }).to_string())
}

fn jwt() -> String {
    let account = json!({ "namespace": "default", "serviceaccount": { "name": "sa", "uid": "uid-1" } });
    let parts = [json!({ "alg": "RS256" }), json!({ "kubernetes.io": account, "note": "jwt-content" })];
    let [header, claims] = parts.map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
    format!("{header}.{claims}.c2ln")
}

/// Types of the entries in an audit file.
fn entries(path: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(path).unwrap();
    assert!(!text.contains(&jwt()) && !text.contains("jwt-content"), "no credential is in the trail");
    let kind = |line: &str| serde_json::from_str::<Value>(line).unwrap()["type"].as_str().unwrap().to_owned();
    text.lines().map(kind).collect()
}

#[test]
fn an_answer_from_outside_makes_one_token_and_one_pair_of_entries() {
    run(async {
        let world = World::new().await;
        let folder = tempfile::tempdir().unwrap();
        let trail = folder.path().join("audit.log");
        world.audit_into(&trail);
        let before = world.tokens();
        let (status, reply) = world.log_in().await;
        assert_eq!(status, 200, "{reply}");
        assert_eq!((world.fake.asked(), world.tokens()), (1, before + 1));
        assert_eq!(entries(&trail), ["request", "response"]);
    });
}

#[test]
fn the_run_with_the_answer_reads_a_fresh_snapshot() {
    run(async {
        let world = World::new().await;
        let before = world.tokens();
        *world.hook.lock().unwrap() = Some(world.change_of_role(true));
        let (status, reply) = world.log_in().await;
        assert_eq!((status, reply), (400, json!({ "errors": ["invalid role name \"r\""] })));
        assert_eq!(world.tokens(), before, "the role went while the cluster was asked");
    });
}

#[test]
fn a_conflict_after_the_call_asks_nobody_twice() {
    run(async {
        let world = World::new().await;
        let folder = tempfile::tempdir().unwrap();
        let trail = folder.path().join("audit.log");
        world.audit_into(&trail);
        let before = world.tokens();
        let (change, log) = (world.change_of_role(false), world.log.clone());
        // At the next snapshot, which is that of the run with the answer, the role changes behind it.
        *world.hook.lock().unwrap() = Some(Box::new(move || *log.then.lock().unwrap() = Some(change)));
        let (status, reply) = world.log_in().await;
        assert_eq!(status, 200, "{reply}");
        assert!(world.log.then.lock().unwrap().is_none(), "the change has happened");
        assert_eq!((world.fake.asked(), world.tokens()), (1, before + 1));
        assert_eq!(entries(&trail), ["request", "response"]);
        assert_eq!(world.node.shell.metrics.conflicts(), 1, "and it was in the way");
    });
}

#[test]
fn a_call_that_fails_changes_nothing_and_says_why() {
    run(async {
        let world = World::new().await;
        let folder = tempfile::tempdir().unwrap();
        let trail = folder.path().join("audit.log");
        world.audit_into(&trail);
        *world.status.lock().unwrap() = 500;
        let before = world.log.inner.snapshot().revision();
        let (status, reply) = world.log_in().await;
        let text = "the Kubernetes API was asked about the token, but it answered with status 500";
        assert_eq!((status, reply), (503, json!({ "errors": [text] })));
        assert_eq!(world.log.inner.snapshot().revision(), before);
        assert_eq!(entries(&trail), ["request", "response"]);
        let gone = std::net::TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
        let config = json!({ "kubernetes_host": format!("http://{gone}"), "kubernetes_ca_cert": "x" });
        world.node.mend_audit();
        world.write("auth/kubernetes/config", config).await;
        let (status, reply) = world.log_in().await;
        let text = "the Kubernetes API was asked about the token, but it could not be reached";
        assert_eq!((status, reply), (503, json!({ "errors": [text] })));
    });
}

#[test]
fn nothing_is_asked_that_cannot_be_audited() {
    run(async {
        let world = World::new().await;
        let before = world.tokens();
        world.node.break_audit();
        let (status, reply) = world.log_in().await;
        assert_eq!((status, reply), (500, json!({ "errors": ["internal error: request could not be audited"] })));
        assert_eq!((world.fake.asked(), world.tokens()), (0, before));
    });
}

#[test]
fn a_use_of_a_token_is_spent_once() {
    run(async {
        let world = World::new().await;
        let limited = json!({ "policies": ["root"], "num_uses": 3 });
        let (_, made) = world.node.write(ROOT, "auth/token/create", limited).await;
        let token = made["auth"]["client_token"].as_str().unwrap().to_owned();
        let config = json!({ "organization": "acme", "base_url": format!("http://{}", world.fake.address) });
        let (status, reply) = world.node.write(&token, "auth/github/config", config).await;
        assert_eq!((status, world.fake.asked()), (204, 1), "{reply}");
        let (_, shown) = world.node.call(&token, Operation::Read, "auth/token/lookup-self", Value::Null).await;
        assert_eq!(shown["data"]["num_uses"], 1, "one for the write and one for this");
        assert_eq!(world.node.read("auth/github/config").await["data"]["organization_id"], 7);
    });
}

#[test]
fn s70_a_renewal_is_reviewed_again() {
    run(async {
        let world = World::new().await;
        let (_, reply) = world.log_in().await;
        let token = reply["auth"]["client_token"].as_str().unwrap().to_owned();
        assert_eq!(world.node.write(&token, "auth/token/renew-self", json!({})).await.0, 200);
        assert_eq!(world.fake.asked(), 2);
        *world.status.lock().unwrap() = 401;
        assert_eq!(world.node.write(&token, "auth/token/renew-self", json!({})).await.0, 403);
        let (_, shown) = world.node.call(&token, Operation::Read, "auth/token/lookup-self", Value::Null).await;
        assert!(!shown.to_string().contains(&jwt()), "the credential is shown nowhere");
        let lookup = json!({ "accessor": shown["data"]["accessor"] });
        let (_, shown) = world.node.write(ROOT, "auth/token/lookup-accessor", lookup).await;
        assert!(!shown.to_string().contains(&jwt()));
    });
}

#[test]
fn a_client_that_goes_away_leaves_a_whole_trail() {
    run(async {
        let world = World::new().await;
        let folder = tempfile::tempdir().unwrap();
        let trail = folder.path().join("audit.log");
        world.audit_into(&trail);
        let (told, asked) = tokio::sync::oneshot::channel();
        *world.hook.lock().unwrap() = Some(Box::new(move || told.send(()).unwrap()));
        let before = world.tokens();
        tokio::select! {
            biased;
            _ = asked => {}
            _ = world.log_in() => panic!("it is given up while it asks"),
        }
        let whole = async {
            while entries(&trail).len() < 2 {
                tokio::task::yield_now().await;
            }
        };
        tokio::time::timeout(std::time::Duration::from_secs(20), whole).await.expect("the request goes on to its end");
        assert_eq!((entries(&trail), world.tokens()), (vec!["request".into(), "response".into()], before + 1));
    });
}
