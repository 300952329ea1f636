//! Ceremonies through the whole shell: request, audit, commit, reply.

use super::*;
use crate::audit::Device;
use crate::config::Config;
use crate::seal;
use barrier::{Initialiser, ShareRequest, parse_share};
use engine::crypto::MacKey;
use engine::{Headers, Input, OpenCeremonies, Peer, RequestPath, Secret};
use kernel::audit::AuditDevice;
use serde_json::{Value, json};
use std::sync::Mutex;
use store::memory::MemoryLog;
use store::{ChainMac, Committed, Log, Snapshot, StoreError};

mod outside;

/// A node that was initialised and unsealed, and its shares in base64.
struct Node {
    shell: Arc<Shell>,
    unsealed: Arc<Unsealed>,
    shares: Vec<String>,
    open: OpenCeremonies,
}

const ROOT: &str = "root";

impl Node {
    /// A node that opens by a static key, and the recovery shares of which so many are needed.
    async fn with_static_key(shares: i64, threshold: i64) -> Self {
        let shell = Arc::new(Shell::new(Arc::new(MemoryLog::new()), Config::development("127.0.0.1:0")));
        let recovery = Some(ShareRequest::new(shares, threshold, Vec::new()).unwrap());
        let how = Initialiser::Static { key: Secret::new([7; 32]), recovery };
        let made = seal::initialise(&shell, &how, Some(ROOT.to_owned())).await.unwrap();
        let (_, shares) = kernel::sys::ceremonies::share_texts(&made.issued);
        let unsealed = shell.unsealed().unwrap();
        Self { shell, unsealed, shares, open: OpenCeremonies::default() }
    }

    async fn new(shares: i64, threshold: i64) -> Self {
        Self::on(Arc::new(MemoryLog::new()), shares, threshold).await
    }

    async fn on(log: Arc<dyn Log>, shares: i64, threshold: i64) -> Self {
        let shell = Arc::new(Shell::new(log, Config::development("127.0.0.1:0")));
        let how = Initialiser::Shamir(ShareRequest::new(shares, threshold, Vec::new()).unwrap());
        let made = seal::initialise(&shell, &how, Some(ROOT.to_owned())).await.unwrap();
        let (_, shares) = kernel::sys::ceremonies::share_texts(&made.issued);
        for share in shares.iter().take(usize::try_from(threshold).unwrap()) {
            seal::give_share(&shell, parse_share(share).unwrap()).unwrap();
        }
        let unsealed = shell.unsealed().unwrap();
        Self { shell, unsealed, shares, open: OpenCeremonies::default() }
    }

    /// Status and body of a request.
    async fn call(&self, token: &str, operation: Operation, path: &str, body: Value) -> (u16, Value) {
        self.send(token, operation, path, body, None).await
    }

    /// A wrapping token around some data, made by root.
    async fn wrapped(&self) -> String {
        let (_, reply) = self.send(ROOT, Operation::Update, "sys/wrapping/wrap", json!({ "a": 1 }), Some(60)).await;
        reply["wrap_info"]["token"].as_str().unwrap().to_owned()
    }

    async fn send(
        &self,
        token: &str,
        operation: Operation,
        path: &str,
        body: Value,
        wrap_ttl: Option<i64>,
    ) -> (u16, Value) {
        let fields = body.as_object().cloned().unwrap_or_default();
        let request = Request {
            id: "request".to_owned(),
            operation,
            path: RequestPath::new(path).unwrap(),
            namespace: None,
            token: (!token.is_empty()).then(|| Secret::new(token.to_owned())),
            input: Input { body: fields.clone(), fields },
            wrap_ttl,
            headers: Headers::default(),
            peer: Peer { open: self.open, ..Peer::default() },
            head: false,
        };
        let rendered = drive(&self.shell, &self.unsealed, Arc::new(request)).await;
        (rendered.status, serde_json::from_slice(&rendered.bytes).unwrap_or(Value::Null))
    }

    async fn write(&self, token: &str, path: &str, body: Value) -> (u16, Value) {
        self.call(token, Operation::Update, path, body).await
    }

    async fn read(&self, path: &str) -> Value {
        self.call(ROOT, Operation::Read, path, Value::Null).await.1
    }

    /// Starts a change of shares as root; its nonce.
    async fn start(&self, family: &str, body: Value) -> String {
        let (status, started) = self.write(ROOT, &format!("{family}/init"), body).await;
        assert_eq!(status, 200, "{started}");
        let fields = started.get("data").unwrap_or(&started);
        fields["nonce"].as_str().unwrap().to_owned()
    }

    /// Gives shares; the last reply.
    async fn give(&self, path: &str, nonce: &str, shares: &[String]) -> (u16, Value) {
        let mut last = (0, Value::Null);
        for share in shares {
            last = self.write(ROOT, path, json!({ "key": share, "nonce": nonce })).await;
        }
        last
    }

    /// Whether these shares open a node that starts on the same store.
    fn opens(&self, shares: &[String]) -> bool {
        let restarted = Arc::new(Shell::new(self.shell.log.clone(), Config::development("127.0.0.1:0")));
        shares.iter().all(|share| seal::give_share(&restarted, parse_share(share).unwrap()).is_ok())
            && restarted.unsealed().is_some()
    }

    fn break_audit(&self) {
        // No such kind: it stores nothing, however often it is tried.
        let record = AuditDevice { path: "none/".to_owned(), kind: "none".to_owned(), ..AuditDevice::default() };
        let device = Device::new(&record, MacKey::new(&[0; 32]), self.shell.clock.clone());
        self.shell.audit.replace(vec![Arc::new(device)]);
    }

    fn mend_audit(&self) {
        self.shell.audit.replace(Vec::new());
    }
}

fn texts(reply: &Value, name: &str) -> Vec<String> {
    let fields = reply.get("data").unwrap_or(reply);
    fields[name].as_array().unwrap().iter().map(|text| text.as_str().unwrap().to_owned()).collect()
}

fn run(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(test);
}

#[test]
fn s26_nobody_cancels_or_advances_a_ceremony_without_token_or_share() {
    run(async {
        let node = Node::new(3, 2).await;
        for (family, token_family) in [("sys/rekey", "sys/rotate/root")] {
            let nonce = node.start(family, json!({ "secret_shares": 3, "secret_threshold": 2 })).await;
            node.give(&format!("{family}/update"), &nonce, &node.shares[..1]).await;
            for stranger in ["", "hvs.wrong"] {
                for family in [family, token_family] {
                    let (init, update) = (format!("{family}/init"), format!("{family}/update"));
                    let foreign = json!({ "key": "00".repeat(33), "nonce": nonce });
                    assert_eq!(node.call(stranger, Operation::Delete, &init, Value::Null).await.0, 403);
                    assert_eq!(node.call(stranger, Operation::Read, &init, Value::Null).await.0, 403);
                    assert_eq!(
                        node.write(stranger, &init, json!({ "secret_shares": 1, "secret_threshold": 1 })).await.0,
                        403
                    );
                    assert_eq!(node.write(stranger, &update, foreign.clone()).await.0, 403);
                    assert_eq!(node.write(stranger, &update, json!({ "nonce": nonce })).await.0, 403);
                    assert_eq!(node.write(stranger, &format!("{family}/verify"), foreign).await.0, 403);
                }
            }
            assert_eq!(node.read(&format!("{family}/init")).await["progress"], 1);
        }
    });
}

#[test]
fn s26_an_open_listener_lets_nobody_end_what_an_operator_started() {
    run(async {
        let mut node = Node::new(1, 1).await;
        node.open = OpenCeremonies { rekey: true, generate_root: true };
        node.start("sys/rekey", json!({ "secret_shares": 1, "secret_threshold": 1 })).await;
        node.write(ROOT, "sys/generate-root/attempt", json!({})).await;
        for path in ["sys/rekey/init", "sys/generate-root/attempt"] {
            assert_eq!(node.call("", Operation::Delete, path, Value::Null).await.0, 403);
            assert_eq!(node.read(path).await["started"], true);
            assert_eq!(node.call(ROOT, Operation::Delete, path, Value::Null).await.0, 204);
            assert_eq!(node.read(path).await["started"], false);
        }
    });
}

#[test]
fn s27_anonymous_starts_never_block_an_operator() {
    run(async {
        let mut node = Node::new(1, 1).await;
        let start = json!({ "secret_shares": 1, "secret_threshold": 1 });
        for open in [false, true] {
            node.open = OpenCeremonies { rekey: open, generate_root: open };
            for _ in 0..100 {
                let (rekey, _) = node.write("", "sys/rekey/init", start.clone()).await;
                let (root, _) = node.write("", "sys/generate-root/attempt", json!({})).await;
                assert!(if open { [200, 400] } else { [403, 403] }.contains(&rekey), "{rekey}");
                assert!(if open { [200, 400] } else { [403, 403] }.contains(&root), "{root}");
            }
            node.start("sys/rekey", start.clone()).await;
            assert_eq!(node.write(ROOT, "sys/generate-root/attempt", json!({})).await.0, 200);
            node.call(ROOT, Operation::Delete, "sys/rekey/init", Value::Null).await;
            node.call(ROOT, Operation::Delete, "sys/generate-root/attempt", Value::Null).await;
        }
    });
}

#[test]
fn s27_shares_that_are_none_do_not_make_others_start_over() {
    run(async {
        let mut node = Node::new(3, 2).await;
        let nonce = node.start("sys/rekey", json!({ "secret_shares": 1, "secret_threshold": 1 })).await;
        node.give("sys/rekey/update", &nonce, &node.shares[..1]).await;
        let (_, started) = node.write(ROOT, "sys/generate-root/attempt", json!({})).await;
        let root_nonce = started["nonce"].as_str().unwrap();
        node.give("sys/generate-root/update", root_nonce, &node.shares[..1]).await;
        node.open = OpenCeremonies { rekey: true, generate_root: true };
        for _ in 0..10 {
            let none = |nonce: &str| json!({ "key": "11".repeat(33), "nonce": nonce });
            assert_eq!(node.write("", "sys/rekey/update", none(&nonce)).await.0, 400);
            assert_eq!(node.write("", "sys/generate-root/update", none(root_nonce)).await.0, 400);
        }
        assert_eq!(node.read("sys/rekey/init").await["progress"], 1);
        assert_eq!(node.read("sys/generate-root/attempt").await["progress"], 1);
        // A share that is one counts, whoever gives it.
        let given = json!({ "key": node.shares[1], "nonce": root_nonce });
        assert_eq!(node.write("", "sys/generate-root/update", given).await.1["complete"], true);
    });
}

#[test]
fn s27_a_holder_of_one_share_starts_and_goes_on_without_a_token() {
    run(async {
        let node = Node::new(3, 2).await;
        let share = |at: usize| node.shares[at].clone();
        let begun = json!({ "secret_shares": 1, "secret_threshold": 1, "key": share(0) });
        let (status, started) = node.write("", "sys/rekey/init", begun).await;
        assert_eq!((status, &started["started"]), (200, &json!(true)));
        let nonce = started["nonce"].clone();
        assert_eq!(node.write("", "sys/rekey/update", json!({ "key": share(1), "nonce": nonce })).await.0, 200);
        let (status, reply) = node.write("", "sys/rekey/update", json!({ "key": share(2), "nonce": nonce })).await;
        assert_eq!(status, 200, "{reply}");
        assert!(node.opens(&texts(&reply, "keys")));
    });
}

#[test]
fn s28_without_audit_no_share_leaves_and_the_old_shares_stay() {
    run(async {
        for family in ["sys/rekey", "sys/rotate/root"] {
            let node = Node::new(3, 2).await;
            let nonce = node.start(family, json!({ "secret_shares": 1, "secret_threshold": 1 })).await;
            let update = format!("{family}/update");
            node.give(&update, &nonce, &node.shares[..1]).await;
            node.break_audit();
            let (status, reply) = node.give(&update, &nonce, &node.shares[1..2]).await;
            assert_eq!(status, 500);
            assert_eq!(reply, json!({ "errors": ["internal error: request could not be audited"] }));
            node.mend_audit();
            let status = node.read(&format!("{family}/init")).await;
            assert_eq!(status.get("data").unwrap_or(&status)["progress"], 1);
            assert!(node.opens(&node.shares[..2]));
            // The same share finishes it once entries are stored again.
            let (_, reply) = node.give(&update, &nonce, &node.shares[1..2]).await;
            assert!(node.opens(&texts(&reply, "keys")));
            assert!(!node.opens(&node.shares[..2]));
        }
    });
}

#[test]
fn s28_without_audit_no_root_token_is_made() {
    run(async {
        let node = Node::new(1, 1).await;
        let (_, started) = node.write(ROOT, "sys/generate-root/attempt", json!({})).await;
        let nonce = started["nonce"].as_str().unwrap();
        let tokens = || {
            let mut count = 0;
            let visited = node.shell.log.snapshot().visit("root/token/", "root/token0", &mut |_, _, _| {
                count += 1;
                std::ops::ControlFlow::Continue(())
            });
            visited.unwrap();
            count
        };
        let before = tokens();
        node.break_audit();
        let (status, reply) = node.give("sys/generate-root/update", nonce, &node.shares).await;
        assert_eq!((status, reply.get("encoded_token")), (500, None));
        node.mend_audit();
        assert_eq!(tokens(), before);
        assert_eq!(node.read("sys/generate-root/attempt").await["progress"], 0);
        let (_, reply) = node.give("sys/generate-root/update", nonce, &node.shares).await;
        assert_eq!(reply["complete"], true);
        assert_eq!(tokens(), before + 1);
        let decoded = node
            .write(ROOT, "sys/decode-token", json!({ "encoded_token": reply["encoded_token"], "otp": started["otp"] }))
            .await;
        let token = decoded.1["data"]["token"].as_str().unwrap().to_owned();
        assert_eq!(node.call(&token, Operation::Read, "auth/token/lookup-self", Value::Null).await.0, 200);
    });
}

#[test]
fn s28_two_last_shares_at_once_make_one_root_token() {
    run(async {
        let node = Node::new(3, 2).await;
        let (_, started) = node.write(ROOT, "sys/generate-root/attempt", json!({})).await;
        let nonce = &started["nonce"];
        let give =
            |at: usize| node.write(ROOT, "sys/generate-root/update", json!({ "key": node.shares[at], "nonce": nonce }));
        give(0).await;
        let (first, second) = tokio::join!(give(1), give(2));
        let complete = |reply: &Value| reply["complete"] == true;
        assert!(complete(&first.1) ^ complete(&second.1), "{first:?} {second:?}");
    });
}

#[test]
fn s32_exactly_one_set_of_shares_opens_a_restarted_node() {
    run(async {
        for (family, verified) in
            [("sys/rekey", false), ("sys/rekey", true), ("sys/rotate/root", false), ("sys/rotate/root", true)]
        {
            let node = Node::new(3, 2).await;
            let wanted = json!({ "secret_shares": 2, "secret_threshold": 2, "require_verification": verified });
            let nonce = node.start(family, wanted).await;
            let (status, reply) = node.give(&format!("{family}/update"), &nonce, &node.shares[..2]).await;
            assert_eq!(status, 200, "{reply}");
            let new = texts(&reply, "keys_base64");
            if verified {
                assert!(
                    node.opens(&node.shares[..2]) && !node.opens(&new),
                    "{family}: nothing counts before it is verified"
                );
                let fields = reply.get("data").unwrap_or(&reply);
                let nonce = fields["verification_nonce"].as_str().unwrap();
                let (status, reply) = node.give(&format!("{family}/verify"), nonce, &new).await;
                assert_eq!(status, 200, "{reply}");
            }
            assert!(node.opens(&new) && !node.opens(&node.shares[..2]), "{family} {verified}");
            // The node itself goes on, and its other rotations leave the shares alone.
            for path in ["sys/rotate", "sys/rotate/root"] {
                assert_eq!(node.write(ROOT, path, json!({})).await.0, 204);
                assert!(node.opens(&new), "{path}");
            }
            assert_eq!(node.call(ROOT, Operation::Read, "auth/token/lookup-self", Value::Null).await.0, 200);
        }
    });
}

#[test]
fn f35_whatever_is_wrong_with_the_shares_gives_one_text_and_starts_over() {
    run(async {
        let node = Node::new(3, 2).await;
        let nonce = node.start("sys/rekey", json!({ "secret_shares": 1, "secret_threshold": 1 })).await;
        let mut told = Vec::new();
        for wrong in ["11".repeat(33), "00".repeat(33), "22".repeat(20)] {
            node.give("sys/rekey/update", &nonce, &node.shares[..1]).await;
            told.push(node.give("sys/rekey/update", &nonce, &[wrong]).await);
            assert_eq!(node.read("sys/rekey/init").await["progress"], 0);
        }
        assert_eq!(told[0].0, 400);
        assert!(told.iter().all(|reply| *reply == told[0]), "{told:?}");
    });
}

#[test]
fn f36_an_interrupted_change_leaves_the_old_shares() {
    run(async {
        let node = Node::new(3, 2).await;
        let nonce = node.start("sys/rekey", json!({ "secret_shares": 1, "secret_threshold": 1 })).await;
        assert!(node.opens(&node.shares[..2]), "started");
        node.give("sys/rekey/update", &nonce, &node.shares[..1]).await;
        assert!(node.opens(&node.shares[..2]), "one share given");
        node.shell.seal();
        assert!(node.opens(&node.shares[1..3]), "sealed in the middle");
        for share in &node.shares[..2] {
            seal::give_share(&node.shell, parse_share(share).unwrap()).unwrap();
        }
        let node = Node { unsealed: node.shell.unsealed().unwrap(), ..node };
        assert_eq!(node.read("sys/rekey/init").await["started"], false, "a seal forgets it");
    });
}

#[test]
fn recovery_shares_change_themselves_and_the_root_key_of_a_static_seal() {
    run(async {
        let node = Node::with_static_key(3, 2).await;
        let mut shares = node.shares.clone();
        for family in ["sys/rotate/root", "sys/rekey", "sys/rotate/recovery", "sys/rekey-recovery-key"] {
            let nonce = node.start(family, json!({ "secret_shares": 3, "secret_threshold": 2 })).await;
            let (status, reply) = node.give(&format!("{family}/update"), &nonce, &shares[..2]).await;
            assert_eq!(status, 200, "{family}: {reply}");
            let new = texts(&reply, "keys_base64");
            let recovery = family.contains("recovery");
            assert_eq!(new.len(), if recovery { 3 } else { 0 }, "{family}");
            if recovery {
                let nonce = node.start(family, json!({ "secret_shares": 1, "secret_threshold": 1 })).await;
                let (status, _) = node.give(&format!("{family}/update"), &nonce, &shares[..2]).await;
                assert_eq!(status, 400, "{family}: the old shares are no more");
                node.call(ROOT, Operation::Delete, &format!("{family}/init"), Value::Null).await;
                shares = new;
            }
            let restarted = Arc::new(Shell::new(node.shell.log.clone(), Config::development("127.0.0.1:0")));
            seal::unseal_static(&restarted, &Secret::new([7; 32])).unwrap();
        }
        let (_, started) = node.write(ROOT, "sys/generate-root/attempt", json!({})).await;
        let nonce = started["nonce"].as_str().unwrap();
        let (_, reply) = node.give("sys/generate-root/update", nonce, &shares[..2]).await;
        assert_eq!(reply["complete"], true, "{reply}");
    });
}

/// A log that lets something happen right behind a snapshot, as on another thread.
struct Interrupted {
    inner: MemoryLog,
    then: Mutex<Option<Box<dyn FnOnce() + Send>>>,
}

impl Log for Interrupted {
    fn snapshot(&self) -> Arc<dyn Snapshot> {
        let snapshot = self.inner.snapshot();
        let then = self.then.lock().unwrap().take();
        then.into_iter().for_each(|then| then());
        snapshot
    }
    fn submit(&self, commit: Commit, done: Committed) {
        self.inner.submit(commit, done);
    }
    fn arm(&self, mac: Arc<dyn ChainMac>) -> Result<(), StoreError> {
        self.inner.arm(mac)
    }
    fn close(&self) {
        self.inner.close();
    }
}

#[test]
fn a_request_reads_its_snapshot_though_the_barrier_goes_on_meanwhile() {
    run(async {
        let log = Arc::new(Interrupted { inner: MemoryLog::new(), then: Mutex::default() });
        let node = Node::on(log.clone(), 1, 1).await;
        assert_eq!(node.write(ROOT, "sys/namespaces/n", json!({})).await.0, 200);
        assert_eq!(node.call(ROOT, Operation::Read, "n/sys/policies/acl/default", Value::Null).await.0, 200);
        let (shell, unsealed) = (node.shell.clone(), node.unsealed.clone());
        *log.then.lock().unwrap() = Some(Box::new(move || {
            // The namespace goes with its key, and the barrier of the next request has forgotten it.
            let (snapshot, barrier) = unsealed.view(shell.log.as_ref()).unwrap();
            let mut tx = store::Tx::new(snapshot, barrier.clone());
            let id = tx.list(kernel::keys::NAMESPACES, &store::Page::all()).unwrap().remove(0);
            barrier.delete_namespace(&mut tx, &id);
            tx.delete(&kernel::keys::namespace(&id));
            shell.log.submit(tx.into_commit(&mut |_| {}).unwrap(), Box::new(|done| assert!(done.is_ok())));
            unsealed.view(shell.log.as_ref()).unwrap();
        }));
        let read = || node.call(ROOT, Operation::Read, "n/sys/policies/acl/default", Value::Null);
        assert_eq!(read().await.0, 200, "as it was when the request came");
        assert_eq!(read().await.0, 404, "and as it is now");
    });
}

#[test]
fn s62_what_is_wrapped_is_taken_by_its_token_or_by_a_caller_who_may() {
    run(async {
        let node = Node::new(1, 1).await;
        let policies = json!({ "policies": ["default"], "no_default_policy": true });
        let (_, made) = node.write(ROOT, "auth/token/create", policies).await;
        let allowed = made["auth"]["client_token"].as_str().unwrap().to_owned();
        let rules = json!({ "policy": "path \"nothing\" { capabilities = [\"read\"] }" });
        assert_eq!(node.write(ROOT, "sys/policies/acl/poor", rules).await.0, 204);
        let poor = json!({ "policies": ["poor"], "no_default_policy": true });
        let (_, made) = node.write(ROOT, "auth/token/create", poor).await;
        let refused = made["auth"]["client_token"].as_str().unwrap().to_owned();

        let token = node.wrapped().await;
        for path in ["sys/wrapping/unwrap", "sys/wrapping/rewrap"] {
            for caller in ["", "hvs.wrong", refused.as_str()] {
                assert_eq!(node.write(caller, path, json!({ "token": token })).await.0, 403, "{caller:?} {path}");
            }
            assert_eq!(node.write("", path, json!({})).await.0, 403);
        }
        // The refusals used nothing up.
        let (status, reply) = node.write(&allowed, "sys/wrapping/unwrap", json!({ "token": token })).await;
        assert_eq!((status, &reply["data"]), (200, &json!({ "a": 1 })));
        assert_eq!(node.write(&allowed, "sys/wrapping/unwrap", json!({ "token": token })).await.0, 400, "once");

        let token = node.wrapped().await;
        assert_eq!(node.write(&token, "sys/wrapping/rewrap", json!({})).await.0, 403, "unwrap is all it is good for");
        assert_eq!(node.write(&token, "sys/wrapping/unwrap", json!({})).await.0, 200);
        assert_ne!(node.write(&token, "sys/wrapping/unwrap", json!({})).await.0, 200, "once");
    });
}
