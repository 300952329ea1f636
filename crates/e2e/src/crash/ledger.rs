//! What the server has promised to one client, and the audit that holds it to that.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::failure::Outcome;
use crate::http::{Answer, Connection, Request};
use crate::server::Server;

/// An object that can be written, read and deleted.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum Object {
    /// A kv version 2 secret of that name.
    Secret(String),
    /// An access policy of that name.
    Policy(String),
}

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
}

impl Ledger {
    /// An empty ledger of the client with that name.
    pub fn of_client(client: impl Into<String>) -> Ledger {
        Ledger { client: client.into(), ..Ledger::default() }
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
        let request = match &object {
            Object::Secret(name) => Request::api("POST", &format!("secret/data/{}/{name}", self.client), root)
                .with_json(&json!({"data": {"value": value}})),
            Object::Policy(name) => Request::api("PUT", &format!("sys/policies/acl/{}-{name}", self.client), root)
                .with_json(&json!({"policy": format!("path \"{value}\" {{ capabilities = [\"read\"] }}")})),
        };
        self.change(connection, &request, object, Some(value.to_owned()))
    }

    /// Deletes the object altogether; false if no answer came.
    pub fn delete(&mut self, connection: &mut Connection, root: &str, object: Object) -> bool {
        let path = match &object {
            Object::Secret(name) => format!("secret/metadata/{}/{name}", self.client),
            Object::Policy(name) => format!("sys/policies/acl/{}-{name}", self.client),
        };
        self.change(connection, &Request::api("DELETE", &path, root), object, None)
    }

    /// Creates a token as a child of an earlier one, or of the root token; false if no answer came.
    pub fn create_token(&mut self, connection: &mut Connection, root: &str, parent: Option<usize>) -> bool {
        let holder = parent.and_then(|index| self.tokens.get(index)).map_or(root, |token| token.secret.as_str());
        let request = Request::api("POST", "auth/token/create", holder).with_json(&json!({"ttl": "1h"}));
        let Ok(answer) = connection.send(&request, true) else { return false };
        if let (Ok(secret), Ok(accessor)) = (answer.text_at("/auth/client_token"), answer.text_at("/auth/accessor")) {
            self.tokens.push(Token { secret, accessor, parent, life: Life::Alive });
        }
        true
    }

    /// Revokes a token and with it its children; false if no answer came.
    pub fn revoke_token(&mut self, connection: &mut Connection, root: &str, index: usize) -> bool {
        let Some(token) = self.tokens.get(index) else { return true };
        let request = Request::api("POST", "auth/token/revoke", root).with_json(&json!({"token": token.secret}));
        let life = match connection.send(&request, true) {
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

    fn change(&mut self, connection: &mut Connection, request: &Request, object: Object, new: Option<String>) -> bool {
        let answer = connection.send(request, true);
        let belief = self.objects.entry(object).or_default();
        match answer {
            Ok(answer) if answer.status < 300 => {
                *belief = Belief { certain: new, possible: None };
                true
            }
            // Refused outright: nothing may have changed. A server that is going down may say 5xx after it committed.
            Ok(answer) if answer.status < 500 => true,
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
        let found = match object {
            Object::Secret(name) => self.read_secret(server, name, faults)?,
            Object::Policy(name) => {
                let path = format!("sys/policies/acl/{}-{name}", self.client);
                let answer = get(server, &path)?;
                let text = answer.text_at("/data/policy").ok();
                text.and_then(|policy| policy.split('"').nth(1).map(str::to_owned))
            }
        };
        let belief = self.objects.entry(object.clone()).or_default();
        if found != belief.certain && belief.possible.as_ref() != Some(&found) {
            let (certain, possible) = (&belief.certain, &belief.possible);
            faults.push(format!("{object:?} is {found:?}, acknowledged {certain:?}, possible {possible:?}"));
        }
        *belief = Belief { certain: found, possible: None };
        Ok(())
    }

    /// The value, after checking that data and metadata tell of the same version.
    fn read_secret(&self, server: &Server, name: &str, faults: &mut Vec<String>) -> Outcome<Option<String>> {
        let data = get(server, &format!("secret/data/{}/{name}", self.client))?.json();
        let metadata = get(server, &format!("secret/metadata/{}/{name}", self.client))?.json();
        let version = data.pointer("/data/metadata/version").cloned();
        let current = metadata.pointer("/data/current_version").cloned();
        if version != current {
            faults.push(format!("secret {name} is half written: version {version:?}, metadata says {current:?}"));
        }
        Ok(data.pointer("/data/data/value").and_then(Value::as_str).map(str::to_owned))
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
        let by_secret =
            server.client.send(&Request::api("GET", "auth/token/lookup-self", &token.secret))?.status == 200;
        let request = Request::api("POST", "auth/token/lookup-accessor", &server.root_token);
        let request = request.with_json(&json!({"accessor": token.accessor}));
        let by_accessor = server.client.send(&request)?.status == 200;
        if by_secret != by_accessor {
            faults.push(format!("token {index} is half there: by itself {by_secret}, by accessor {by_accessor}"));
        }
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

fn get(server: &Server, path: &str) -> Outcome<Answer> {
    server.client.send(&Request::api("GET", path, &server.root_token))
}
