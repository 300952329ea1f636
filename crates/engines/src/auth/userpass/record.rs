//! What is stored: one record per user, at `user/<canonical name>`.

use super::wire::DeprecatedFields;
use engine::{Cx, Fault, Name, Record, StoreError, TokenFields, TokenParams};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// Where the users are.
pub(super) const USERS: &str = "user/";

/// A user.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct User {
    /// Argon2id PHC string, or bcrypt where an operator brought a hash along.
    pub password_hash: String,
    /// Parameters of the tokens that the user's logins get.
    pub token: TokenParams,
    /// Which of them were set by their old names.
    #[serde(default)]
    pub deprecated: Deprecated,
}

impl Record for User {
    const KIND: &'static str = "userpass-user/1";
}

/// Which token parameters were last set by their old names: a read then repeats them under those.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Deprecated {
    /// `policies`
    pub policies: bool,
    /// `ttl`
    pub ttl: bool,
    /// `max_ttl`
    pub max_ttl: bool,
    /// `bound_cidrs`
    pub bound_cidrs: bool,
}

impl User {
    /// The user of this name.
    pub(super) fn load(cx: &mut Cx, name: &Name) -> Result<Option<Self>, StoreError> {
        cx.tx.load(&key(name))
    }

    /// Writes it.
    pub(super) fn save(&self, cx: &mut Cx, name: &Name) -> Result<(), StoreError> {
        cx.tx.save(&key(name), self)
    }

    /// Lays sent parameters over the stored ones and checks the whole.
    pub(super) fn apply(&mut self, old_names: DeprecatedFields, mut fields: TokenFields) -> Result<(), Fault> {
        if let Some(name @ ("default-service" | "default-batch")) = fields.token_type.as_deref() {
            return Err(Fault::invalid(format!("invalid 'token_type' value {name:?}")));
        }
        let marks = &mut self.deprecated;
        alias(&mut fields.token_policies, old_names.policies, &mut marks.policies);
        alias(&mut fields.token_ttl, old_names.ttl, &mut marks.ttl);
        alias(&mut fields.token_max_ttl, old_names.max_ttl, &mut marks.max_ttl);
        alias(&mut fields.token_bound_cidrs, old_names.bound_cidrs, &mut marks.bound_cidrs);
        fields.apply(&mut self.token)
    }

    /// What a read shows: everything but the password.
    pub(super) fn shown(&self) -> Value {
        let mut data = Map::new();
        let token = &self.token;
        if self.deprecated.policies && !token.policies.is_empty() {
            data.insert("policies".into(), token.policies.clone().into());
        }
        if self.deprecated.ttl && token.ttl > 0 {
            data.insert("ttl".into(), token.ttl.into());
        }
        if self.deprecated.max_ttl && token.max_ttl > 0 {
            data.insert("max_ttl".into(), token.max_ttl.into());
        }
        if self.deprecated.bound_cidrs && !token.bound_cidrs.is_empty() {
            data.insert("bound_cidrs".into(), token.bound_cidrs.texts().into());
        }
        token.reply_into(&mut data);
        Value::Object(data)
    }
}

/// The key of a user's record.
pub(super) fn key(name: &Name) -> String {
    format!("{USERS}{name}")
}

/// The new name wins; a read repeats the value under the old name only if that was among what was sent last.
fn alias<T>(new: &mut Option<T>, old: Option<T>, mark: &mut bool) {
    if new.is_some() || old.is_some() {
        *mark = old.is_some();
    }
    if new.is_none() {
        *new = old;
    }
}
