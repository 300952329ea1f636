//! What the server has promised to one client, and the audit that holds it to that.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::object::Object;
use crate::failure::Outcome;
use crate::http::{Connection, Request};
use crate::server::Server;

/// Refusals that are remembered.
const REFUSED_MAX: usize = 16;

/// What is known of an object: the acknowledged state, and one more that an unacknowledged request may have made.
#[derive(Debug, Clone, Default)]
struct Belief {
    certain: Option<String>,
    possible: Option<Option<String>>,
}

/// What is known of a token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Life {
    Alive,
    Dead,
    Unknown,
}

#[derive(Debug, Clone)]
struct Token {
    secret: String,
    /// Empty for a wrapping token.
    accessor: String,
    parent: Option<usize>,
    life: Life,
}

/// One client's requests and what came back.
#[derive(Debug, Default)]
pub struct Ledger {
    /// The prefix of this client's names, so that clients do not share objects.
    pub client: String,
    objects: BTreeMap<Object, Belief>,
    tokens: Vec<Token>,
    /// What the server refused to do. Random clients ask for what is gone; the fixed workload asks for nothing of the kind.
    pub(super) refused: Vec<String>,
    /// An unseal share that a rekey gave out, and whether the rekey was acknowledged.
    pub(super) rekeyed: Option<(String, bool)>,
}

impl Ledger {
    /// An empty ledger of the client with that name.
    pub fn of_client(client: impl Into<String>) -> Ledger {
        Ledger { client: client.into(), ..Ledger::default() }
    }

    /// Takes an object to be there that nobody here wrote.
    pub(super) fn assume(&mut self, object: Object, value: &str) {
        self.objects.insert(object, Belief { certain: Some(value.to_owned()), possible: None });
    }

    /// How many tokens were handed out.
    pub fn token_count(&self) -> usize {
        self.tokens.len()
    }

    /// Forgets dead tokens but the last `kept`, so that an audit stays bounded; living ones stay.
    pub fn trim(&mut self, kept: usize) {
        let excess = self.tokens.len().saturating_sub(kept);
        let dead_family = self.tokens.iter().all(|token| token.life == Life::Dead);
        if dead_family {
            self.tokens.drain(..excess);
        }
    }

    /// Writes `value` to the object; false if no answer came.
    pub fn write(&mut self, connection: &mut Connection, root: &str, object: Object, value: &str) -> bool {
        let request = object.write_request(&self.client, root, value);
        self.change(connection, &request, object, Some(value.to_owned()))
    }

    /// Deletes the object altogether; false if no answer came.
    pub fn delete(&mut self, connection: &mut Connection, root: &str, object: Object) -> bool {
        let request = object.delete_request(&self.client, root);
        self.change(connection, &request, object, None)
    }

    /// Creates a token as a child of an earlier one, or of the root token; false if no answer came.
    pub fn create_token(&mut self, connection: &mut Connection, root: &str, parent: Option<usize>) -> bool {
        let holder = parent.and_then(|index| self.tokens.get(index)).map_or(root, |token| token.secret.as_str());
        let request = Request::api("POST", "auth/token/create", holder).with_json(&json!({"ttl": "1h"}));
        self.receive_token(connection, &request, parent)
    }

    /// Sends a request whose answer holds a new token; false if no answer came.
    pub(super) fn receive_token(
        &mut self,
        connection: &mut Connection,
        request: &Request,
        parent: Option<usize>,
    ) -> bool {
        let Ok(answer) = connection.send(request, true) else { return false };
        self.note_refusal(request, answer.status);
        if let Ok(secret) = answer.text_at("/wrap_info/token") {
            self.tokens.push(Token { secret, accessor: String::new(), parent, life: Life::Alive });
        }
        if let (Ok(secret), Ok(accessor)) = (answer.text_at("/auth/client_token"), answer.text_at("/auth/accessor")) {
            self.tokens.push(Token { secret, accessor, parent, life: Life::Alive });
        }
        true
    }

    /// Revokes a token and with it its children, or unwraps what a wrapping token holds; false if no answer came.
    pub fn revoke_token(&mut self, connection: &mut Connection, root: &str, index: usize) -> bool {
        let Some(token) = self.tokens.get(index) else { return true };
        let request = match token.accessor.as_str() {
            "" => Request::api("POST", "sys/wrapping/unwrap", &token.secret),
            _ => Request::api("POST", "auth/token/revoke", root).with_json(&json!({"token": token.secret})),
        };
        let answer = connection.send(&request, true);
        if let Ok(answer) = &answer {
            self.note_refusal(&request, answer.status);
        }
        let life = match answer {
            Ok(answer) if answer.status < 300 => Life::Dead,
            _ => Life::Unknown,
        };
        self.set_family(index, life);
        life == Life::Dead
    }

    /// Holds the server to everything written here, and takes what it finds as the new truth.
    ///
    /// # Errors
    /// If the server does not answer.
    pub fn audit(&mut self, server: &Server) -> Outcome<Vec<String>> {
        let mut faults = Vec::new();
        let objects: Vec<Object> = self.objects.keys().cloned().collect();
        for object in objects {
            self.audit_object(server, &object, &mut faults)?;
        }
        self.audit_listing(server, &mut faults)?;
        for index in 0..self.tokens.len() {
            self.audit_token(server, index, &mut faults)?;
        }
        Ok(faults)
    }

    pub(super) fn change(
        &mut self,
        connection: &mut Connection,
        request: &Request,
        object: Object,
        new: Option<String>,
    ) -> bool {
        let answer = connection.send(request, true);
        if let Ok(answer) = &answer {
            self.note_refusal(request, answer.status);
            // Refused outright: nothing may have changed. A server that is going down may say 5xx after it committed.
            if (300..500).contains(&answer.status) {
                return true;
            }
        }
        let belief = self.objects.entry(object).or_default();
        match answer {
            Ok(answer) if answer.status < 300 => {
                *belief = Belief { certain: new, possible: None };
                true
            }
            Ok(_) => {
                belief.possible = Some(new);
                true
            }
            Err(_) => {
                belief.possible = Some(new);
                false
            }
        }
    }

    /// Notes an answer that is no success.
    pub(super) fn note_refusal(&mut self, request: &Request, status: u16) {
        if status >= 300 && self.refused.len() < REFUSED_MAX {
            self.refused.push(format!("{} {}: {status}", request.method, request.path));
        }
    }

    fn set_family(&mut self, index: usize, life: Life) {
        let mut family = vec![index];
        for (child, token) in self.tokens.iter_mut().enumerate() {
            let in_family = child == index || token.parent.is_some_and(|parent| family.contains(&parent));
            if in_family && token.life != Life::Dead {
                family.push(child);
                token.life = life;
            }
        }
    }

    fn audit_object(&mut self, server: &Server, object: &Object, faults: &mut Vec<String>) -> Outcome<()> {
        let found = object.read(server, &self.client, faults)?;
        let belief = self.objects.entry(object.clone()).or_default();
        if found != belief.certain && belief.possible.as_ref() != Some(&found) {
            let (certain, possible) = (&belief.certain, &belief.possible);
            faults.push(format!("{object:?} is {found:?}, acknowledged {certain:?}, possible {possible:?}"));
        }
        *belief = Belief { certain: found, possible: None };
        Ok(())
    }

    fn audit_listing(&self, server: &Server, faults: &mut Vec<String>) -> Outcome<()> {
        let request = Request::api("LIST", &format!("secret/metadata/{}/", self.client), &server.root_token);
        let listed = server.client.send(&request)?.json();
        let listed: Vec<&str> = listed
            .pointer("/data/keys")
            .and_then(Value::as_array)
            .map(|keys| keys.iter().filter_map(Value::as_str).collect())
            .unwrap_or_default();
        let known = self.objects.iter().filter_map(|(object, belief)| match object {
            Object::Secret(name) if belief.certain.is_some() => Some(name.as_str()),
            _ => None,
        });
        let known: Vec<&str> = known.collect();
        if listed != known {
            faults.push(format!("the list of {} is {listed:?}, readable are {known:?}", self.client));
        }
        Ok(())
    }

    fn audit_token(&mut self, server: &Server, index: usize, faults: &mut Vec<String>) -> Outcome<()> {
        let Some(token) = self.tokens.get(index).cloned() else { return Ok(()) };
        let by_secret = match token.accessor.as_str() {
            "" => {
                let request =
                    Request::api("POST", "sys/wrapping/lookup", "").with_json(&json!({"token": token.secret}));
                server.client.send(&request)?.status == 200
            }
            accessor => {
                let request = Request::api("GET", "auth/token/lookup-self", &token.secret);
                let by_secret = server.client.send(&request)?.status == 200;
                let request = Request::api("POST", "auth/token/lookup-accessor", &server.root_token);
                let by_accessor = server.client.send(&request.with_json(&json!({"accessor": accessor})))?.status == 200;
                if by_secret != by_accessor {
                    let half = format!("token {index} is half there: by itself {by_secret}, by accessor {by_accessor}");
                    faults.push(half);
                }
                by_secret
            }
        };
        match (token.life, by_secret) {
            (Life::Dead, true) => faults.push(format!("revoked token {index} is alive")),
            (Life::Alive, false) => faults.push(format!("token {index} is lost")),
            _ => {}
        }
        let parent_dead =
            token.parent.and_then(|parent| self.tokens.get(parent)).is_some_and(|it| it.life == Life::Dead);
        if parent_dead && by_secret {
            faults.push(format!("token {index} outlives its revoked parent"));
        }
        if let Some(token) = self.tokens.get_mut(index) {
            token.life = if by_secret { Life::Alive } else { Life::Dead };
        }
        Ok(())
    }
}
