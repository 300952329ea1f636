//! The fixed workload, and the endless random one.

use serde_json::{Value, json};

use super::ledger::Ledger;
use super::object::{Object, PASSWORD};
use crate::http::{Answer, Connection, Request};
use crate::random::Random;

/// Names per kind that a random client uses.
const NAMES: u64 = 12;

/// What a login to the prepared `approle` role needs.
#[derive(Debug, Clone, Default)]
pub(super) struct Role {
    pub(super) role_id: String,
    pub(super) secret_id: String,
    /// The share that the server was initialised with.
    pub(super) share: String,
}

/// Who runs the fixed workload.
pub(super) struct Actor<'a> {
    pub(super) ledger: &'a mut Ledger,
    pub(super) connection: &'a mut Connection,
    pub(super) root: &'a str,
    pub(super) role: &'a Role,
}

/// One operation: false if no answer came.
type Operation = fn(&mut Actor<'_>) -> bool;

/// Secrets with versions one by one, policies, users, logins by both methods, a tree of tokens, wrapping, rotation, mounts,
/// namespaces, and last a rekey. Token numbers count what was handed out before.
const OPERATIONS: [Operation; 36] = [
    |it| it.write(secret("s0"), "v0"),
    |it| it.write(secret("s1"), "v1"),
    |it| it.write(secret("s0"), "v2"),
    |it| it.write_version(0, "v3"),
    |it| it.write_version(1, "v4"),
    |it| it.patch("v5"),
    |it| it.end_versions("DELETE", "data", None),
    |it| it.write_version(3, "v7"),
    |it| it.end_versions("PUT", "destroy", Some(4)),
    |it| it.delete(secret("s1")),
    |it| it.write(policy("p0"), "v10"),
    |it| it.write(policy("p0"), "v11"),
    |it| it.write(policy("p1"), "v12"),
    |it| it.delete(policy("p1")),
    |it| it.write(Object::User("u0".to_owned()), "600"),
    |it| it.password_login("u0"),
    |it| it.password_login("u0"),
    |it| it.role_login(),
    |it| it.role_login(),
    |it| it.role_login(),
    |it| it.create_token(None),
    |it| it.create_token(Some(5)),
    |it| it.create_token(Some(6)),
    |it| it.revoke(3),
    |it| it.revoke(5),
    |it| it.wrap(),
    |it| it.wrap(),
    |it| it.revoke(8),
    |it| it.write(Object::Term, "2"),
    |it| it.write(mount("m0"), "v29"),
    |it| it.delete(mount("m0")),
    |it| it.write(mount("m1"), "v31"),
    |it| it.write(namespace("n0"), "there"),
    |it| it.delete(namespace("n0")),
    |it| it.write(namespace("n1"), "there"),
    |it| it.rekey(),
];

/// Runs the fixed workload until its end or until the server is gone; gives how many operations were answered.
pub(super) fn fixed(mut actor: Actor<'_>) -> usize {
    actor.ledger.assume(Object::Term, "1");
    OPERATIONS.iter().take_while(|operation| operation(&mut actor)).count()
}

/// How many operations the fixed workload has.
pub(super) fn operation_count() -> usize {
    OPERATIONS.len()
}

fn secret(name: &str) -> Object {
    Object::Secret(name.to_owned())
}

fn policy(name: &str) -> Object {
    Object::Policy(name.to_owned())
}

fn mount(name: &str) -> Object {
    Object::Mount(name.to_owned())
}

fn namespace(name: &str) -> Object {
    Object::Namespace(name.to_owned())
}

fn versioned() -> Object {
    Object::Versioned("c".to_owned())
}

impl Actor<'_> {
    fn write(&mut self, object: Object, value: &str) -> bool {
        self.ledger.write(self.connection, self.root, object, value)
    }

    fn delete(&mut self, object: Object) -> bool {
        self.ledger.delete(self.connection, self.root, object)
    }

    /// Writes the next version if the current one is `current`.
    fn write_version(&mut self, current: u32, value: &str) -> bool {
        let request = Request::api("POST", &versioned().path(&self.ledger.client), self.root)
            .with_json(&json!({"options": {"cas": current}, "data": {"value": value, "other": "kept"}}));
        self.ledger.change(self.connection, &request, versioned(), Some(value.to_owned()))
    }

    fn patch(&mut self, value: &str) -> bool {
        let mut request = Request::api("PATCH", &versioned().path(&self.ledger.client), self.root)
            .with_json(&json!({"data": {"value": value}}));
        request.headers.push(("Content-Type".to_owned(), "application/merge-patch+json".to_owned()));
        self.ledger.change(self.connection, &request, versioned(), Some(value.to_owned()))
    }

    /// Deletes the newest version, or destroys one.
    fn end_versions(&mut self, method: &str, what: &str, version: Option<u32>) -> bool {
        let path = versioned().path(&self.ledger.client).replacen("data", what, 1);
        let mut request = Request::api(method, &path, self.root);
        if let Some(version) = version {
            request = request.with_json(&json!({"versions": [version]}));
        }
        self.ledger.change(self.connection, &request, versioned(), None)
    }

    fn password_login(&mut self, user: &str) -> bool {
        let path = format!("auth/userpass/login/{}-{user}", self.ledger.client);
        let request = Request::api("POST", &path, "").with_json(&json!({"password": PASSWORD}));
        self.ledger.receive_token(self.connection, &request, None)
    }

    fn role_login(&mut self) -> bool {
        let body = json!({"role_id": self.role.role_id, "secret_id": self.role.secret_id});
        let request = Request::api("POST", "auth/approle/login", "").with_json(&body);
        self.ledger.receive_token(self.connection, &request, None)
    }

    fn create_token(&mut self, parent: Option<usize>) -> bool {
        self.ledger.create_token(self.connection, self.root, parent)
    }

    fn revoke(&mut self, token: usize) -> bool {
        self.ledger.revoke_token(self.connection, self.root, token)
    }

    fn wrap(&mut self) -> bool {
        let mut request = Request::api("POST", "sys/wrapping/wrap", self.root).with_json(&json!({"wrapped": "yes"}));
        request.headers.push(("X-Vault-Wrap-TTL".to_owned(), "1h".to_owned()));
        self.ledger.receive_token(self.connection, &request, None)
    }

    /// Sends a request of a ceremony; `None` if no answer came.
    fn ask(&mut self, path: &str, body: Value) -> Option<Answer> {
        let request = Request::api("PUT", path, self.root).with_json(&body);
        let answer = self.connection.send(&request, true).ok()?;
        self.ledger.note_refusal(&request, answer.status);
        Some(answer)
    }

    /// Changes the unseal share, by way of the verification that lets nobody lose it.
    fn rekey(&mut self) -> bool {
        let shares = json!({"secret_shares": 1, "secret_threshold": 1, "require_verification": true});
        let Some(begun) = self.ask("sys/rekey/init", shares) else { return false };
        let nonce = begun.json().get("nonce").cloned().unwrap_or_default();
        let Some(made) = self.ask("sys/rekey/update", json!({"key": self.role.share, "nonce": nonce})) else {
            return false;
        };
        let (Ok(share), Ok(nonce)) = (made.text_at("/keys_base64/0"), made.text_at("/verification_nonce")) else {
            return true;
        };
        self.ledger.rekeyed = Some((share.clone(), false));
        let verified = self.ask("sys/rekey/verify", json!({"key": share, "nonce": nonce}));
        let certain = verified.as_ref().is_some_and(|answer| answer.status == 200);
        self.ledger.rekeyed = Some((share, certain));
        verified.is_some()
    }
}

/// Performs one random operation; false if the server is gone.
pub(super) fn random_step(ledger: &mut Ledger, connection: &mut Connection, root: &str, random: &mut Random) -> bool {
    let name = format!("n{:02}", random.below(NAMES));
    let value = format!("v{}", random.next_word());
    let tokens = ledger.token_count() as u64;
    let token = usize::try_from(random.below(tokens)).unwrap_or(0);
    match random.below(20) {
        0..=9 => ledger.write(connection, root, Object::Secret(name), &value),
        10..=11 => ledger.delete(connection, root, Object::Secret(name)),
        12..=13 => ledger.write(connection, root, Object::Policy(name), &value),
        14 => ledger.delete(connection, root, Object::Policy(name)),
        15..=16 if tokens < 24 => ledger.create_token(connection, root, None),
        17 if tokens < 24 => ledger.create_token(connection, root, (tokens > 0).then_some(token)),
        _ => ledger.revoke_token(connection, root, token),
    }
}
