//! Random histories of tokens and leases while the system behind an engine goes down and up: compared after every step
//! with a model that knows only who made whom. No lease is lost while its account lives, and nothing is left in the end.

use crate::harness::{At, ROOT, World};
use engine::Operation;
use serde_json::{Value, json};

/// A token of the model.
struct Token {
    text: String,
    parent: Option<usize>,
    expires: i64,
    gone: bool,
}

struct History {
    world: World,
    tokens: Vec<Token>,
    down: bool,
    dice: u64,
}

impl History {
    fn new(seed: u64) -> Self {
        let mut world = World::new();
        world.mount_accounts("");
        let all = r#"path "*" { capabilities = ["create", "read", "update", "sudo"] }"#;
        world.write(ROOT, "sys/policies/acl/all", json!({ "policy": all })).unwrap();
        Self { world, tokens: Vec::new(), down: false, dice: seed }
    }

    /// Knuth's MMIX constants: good enough to choose steps, and the same everywhere.
    fn below(&mut self, bound: usize) -> usize {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from((self.dice >> 33) % bound.max(1) as u64).unwrap()
    }

    fn now(&self) -> i64 {
        self.world.now.seconds()
    }

    fn alive(&self, token: usize) -> bool {
        !self.tokens[token].gone && self.tokens[token].expires > self.now()
    }

    fn step(&mut self) -> String {
        let token = self.below(self.tokens.len());
        let known = token < self.tokens.len();
        match self.below(12) {
            0..3 => self.create(known.then_some(token)),
            3..6 if known => self.lease(token),
            6..8 if known => self.revoke(token),
            8 => {
                self.down = !self.down;
                self.world.accounts.set_down(self.down);
                format!("down: {}", self.down)
            }
            9..11 => {
                let seconds = i64::try_from(self.below(60)).unwrap();
                self.world.now = self.world.now.plus_seconds(seconds);
                format!("{seconds} s pass")
            }
            _ => {
                self.world.expire();
                // While the system is down a token that leased from it stays, and is dead all the same.
                if !self.down {
                    self.end_expired();
                }
                "expiry".to_owned()
            }
        }
    }

    fn create(&mut self, by: Option<usize>) -> String {
        let ttl = i64::try_from(20 + self.below(100)).unwrap();
        let parent = by.filter(|by| self.ancestors_live(*by));
        let token = parent.map_or("root".to_owned(), |parent| self.tokens[parent].text.clone());
        let at = At { token: &token, namespace: "" };
        let body = json!({ "policies": ["all"], "ttl": ttl });
        let auth = self.world.call(at, Operation::Update, "auth/token/create", body).unwrap().auth.unwrap();
        self.tokens.push(Token { text: auth.client_token, parent, expires: self.now() + ttl, gone: false });
        format!("token {} below {parent:?}", self.tokens.len() - 1)
    }

    fn lease(&mut self, token: usize) -> String {
        let text = self.tokens[token].text.clone();
        let at = At { token: &text, namespace: "" };
        let status = self.world.status(at, Operation::Read, "accounts/creds", Value::Null);
        if self.ancestors_live(token) {
            assert_eq!(status, 200, "token {token}");
        } else if !self.alive(token) {
            assert_eq!(status, 403, "token {token}");
        }
        format!("lease of {token}: {status}")
    }

    /// A child outlives its parent's time until the expiry job gets to the parent, so that only this is sure.
    fn ancestors_live(&self, token: usize) -> bool {
        let mut at = Some(token);
        while let Some(number) = at {
            if !self.alive(number) {
                return false;
            }
            at = self.tokens[number].parent;
        }
        true
    }

    fn revoke(&mut self, token: usize) -> String {
        let before = self.world.keys_below("root/").len();
        let text = self.tokens[token].text.clone();
        let status = self.world.status(ROOT, Operation::Update, "auth/token/revoke", json!({ "token": text }));
        if status == 200 {
            self.end(token);
        } else {
            assert!(self.down && status == 500, "token {token}: {status}");
            assert_eq!(self.world.keys_below("root/").len(), before, "a revocation that failed is none");
        }
        format!("revoke {token}: {status}")
    }

    fn end(&mut self, token: usize) {
        self.tokens[token].gone = true;
        for child in 0..self.tokens.len() {
            if self.tokens[child].parent == Some(token) && !self.tokens[child].gone {
                self.end(child);
            }
        }
    }

    fn end_expired(&mut self) {
        let now = self.now();
        // Postponed ones wait for their next attempt; what lives below them goes with them then.
        let ended: Vec<usize> = (0..self.tokens.len()).filter(|token| self.tokens[*token].expires <= now).collect();
        ended.into_iter().for_each(|token| self.tokens[token].gone = true);
    }

    fn compare(&mut self, when: &str) {
        let leases = self.world.keys_below("root/lease/accounts/").len();
        assert_eq!(self.world.accounts.live(), leases, "{when}: a lease for each account");
        let all = self.world.keys_below("root/lease/").len();
        assert_eq!(self.world.keys_below("root/due/").len(), all, "{when}: each lease comes up once");
        assert_eq!(self.world.keys_below("root/token-lease/").len(), leases, "{when}: each lease has its token");
        for token in 0..self.tokens.len() {
            let text = self.tokens[token].text.clone();
            let at = At { token: &text, namespace: "" };
            let status = self.world.status(at, Operation::Read, "auth/token/lookup-self", Value::Null);
            if !self.alive(token) {
                assert_eq!(status, 403, "{when}: token {token} has ended");
            } else if self.ancestors_live(token) {
                assert_eq!(status, 200, "{when}: token {token} lives");
            }
        }
    }

    /// The system is up again: in the end only what was given up is left, and that is listed and can be forced.
    fn end_all(&mut self, seed: u64) {
        self.world.accounts.set_down(false);
        for _ in 0..3 {
            self.world.now = self.world.now.plus_seconds(5_000);
            self.world.expire();
        }
        let left = self.world.keys_below("root/lease/").len();
        let kind = json!({ "type": "irrevocable" });
        let given_up = self.world.data(ROOT, Operation::Read, "sys/leases", kind).unwrap();
        assert_eq!(given_up["lease_count"], left, "seed {seed}: what is left is listed");
        for prefix in ["accounts", "auth/token"] {
            self.world.write(ROOT, &format!("sys/leases/revoke-force/{prefix}"), Value::Null).unwrap();
        }
        assert_eq!(self.world.accounts.live(), 0, "seed {seed}: {left} were left");
        for area in ["lease/", "due/", "token-lease/", "token-child/"] {
            assert_eq!(self.world.keys_below(&format!("root/{area}")), Vec::<String>::new(), "seed {seed}");
        }
        assert_eq!(self.world.keys_below("root/token/").len(), 1, "seed {seed}: the root token");
        assert_eq!(self.world.keys_below("root/token-accessor/").len(), 1, "seed {seed}");
    }
}

#[test]
fn no_history_loses_a_lease_or_revives_a_token() {
    for seed in 0..40 {
        let mut history = History::new(seed);
        for step in 0..60 {
            let what = history.step();
            history.compare(&format!("seed {seed}, step {step}: {what}"));
        }
        history.end_all(seed);
    }
}
