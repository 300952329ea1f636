//! A role as it is stored, at `role/<name>`, and the index that finds it by its role-id.

use super::salt::Salt;
use engine::{BoundCidrs, Cx, Fault, Name, Record, TokenParams};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::sync::Arc;

/// Where the roles are.
pub(super) const ROLES: &str = "role/";
/// Longest role-id, in bytes.
pub(super) const ROLE_ID_BYTES_MAX: usize = 512;
/// Most CIDR blocks in one list.
const BLOCKS_MAX: usize = 1024;

/// A role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Role {
    /// What a login names it by; also the alias of its logins.
    pub(super) role_id: String,
    /// Whether logins need a secret-id.
    pub(super) bind_secret_id: bool,
    /// Where logins may come from.
    pub(super) secret_id_bound_cidrs: BoundCidrs,
    /// Uses of a new secret-id; 0 is unlimited.
    pub(super) secret_id_num_uses: i64,
    /// Seconds a new secret-id lives; 0 is for ever.
    pub(super) secret_id_ttl: i64,
    /// Kept because clients read it back: every secret-id is local here.
    pub(super) local_secret_ids: bool,
    /// Parameters of the tokens.
    pub(super) token: TokenParams,
    /// Whether the policies were last set by their old name, which a read then repeats.
    #[serde(default)]
    pub(super) old_policies: bool,
    /// Whether the period was last set by its old name.
    #[serde(default)]
    pub(super) old_period: bool,
}

impl Record for Role {
    const KIND: &'static str = "approle-role/1";
}

/// Which role has a role-id.
#[derive(Serialize, Deserialize)]
struct RoleIdIndex {
    role: String,
}

impl Record for RoleIdIndex {
    const KIND: &'static str = "approle-role-id/1";
}

impl Role {
    /// A role before anything was sent.
    pub(super) fn new() -> Self {
        Self {
            role_id: String::new(),
            bind_secret_id: true,
            secret_id_bound_cidrs: BoundCidrs::default(),
            secret_id_num_uses: 0,
            secret_id_ttl: 0,
            local_secret_ids: false,
            token: TokenParams::default(),
            old_policies: false,
            old_period: false,
        }
    }

    /// Whether there is a role of this name.
    pub(super) fn exists(cx: &mut Cx, name: &Name) -> Result<bool, Fault> {
        Ok(cx.tx.exists(&key(name.as_str()))?)
    }

    /// The role of this name.
    pub(super) fn load(cx: &mut Cx, name: &Name) -> Result<Option<Self>, Fault> {
        Ok(cx.tx.load(&key(name.as_str()))?)
    }

    /// The name and the role that a role-id stands for.
    pub(super) fn find(cx: &mut Cx, salt: &Salt, role_id: &str) -> Result<Option<(String, Self)>, Fault> {
        let Some(index) = cx.tx.load_shared::<RoleIdIndex>(&role_id_key(salt, role_id))? else { return Ok(None) };
        let role = cx.tx.load_shared::<Self>(&key(&index.role))?;
        Ok(role.map(|role| (index.role.clone(), Arc::unwrap_or_clone(role))))
    }

    /// Writes it; somebody must have to show something to log in.
    pub(super) fn save(&self, cx: &mut Cx, name: &Name) -> Result<(), Fault> {
        if !self.bind_secret_id && self.secret_id_bound_cidrs.is_empty() && self.token.bound_cidrs.is_empty() {
            return Err(Fault::upstream_error("at least one constraint should be enabled on the role"));
        }
        Ok(cx.tx.save(&key(name.as_str()), self)?)
    }

    /// Gives it another role-id, which no other role may have.
    pub(super) fn rename(&mut self, cx: &mut Cx, name: &Name, role_id: String) -> Result<(), Fault> {
        if !role_id_allowed(&role_id) {
            return Err(Fault::invalid("role_id is too long or holds control characters"));
        }
        let salt = Salt::load(cx)?;
        let at = role_id_key(&salt, &role_id);
        if cx.tx.load::<RoleIdIndex>(&at)?.is_some_and(|index| index.role != name.as_str()) {
            return Err(Fault::upstream_error("role_id already in use"));
        }
        if !self.role_id.is_empty() {
            cx.tx.delete(&role_id_key(&salt, &self.role_id));
        }
        cx.tx.save(&at, &RoleIdIndex { role: name.as_str().to_owned() })?;
        self.role_id = role_id;
        Ok(())
    }

    /// Deletes it with its index; its secret-ids are another's to delete.
    pub(super) fn delete(&self, cx: &mut Cx, name: &Name) -> Result<(), Fault> {
        let salt = Salt::load(cx)?;
        cx.tx.delete(&role_id_key(&salt, &self.role_id));
        cx.tx.delete(&key(name.as_str()));
        Ok(())
    }

    /// What a read shows.
    pub(super) fn shown(&self) -> Value {
        let mut data = Map::new();
        data.insert("bind_secret_id".into(), self.bind_secret_id.into());
        data.insert("local_secret_ids".into(), self.local_secret_ids.into());
        data.insert("secret_id_bound_cidrs".into(), list_or_null(&self.secret_id_bound_cidrs));
        data.insert("secret_id_num_uses".into(), self.secret_id_num_uses.into());
        data.insert("secret_id_ttl".into(), self.secret_id_ttl.into());
        self.token.reply_into(&mut data);
        self.old_policies_into(&mut data);
        self.old_period_into(&mut data);
        Value::Object(data)
    }

    /// Repeats the policies under their old name, if they were set by it.
    pub(super) fn old_policies_into(&self, data: &mut Map<String, Value>) {
        if self.old_policies && !self.token.policies.is_empty() {
            data.insert("policies".into(), self.token.policies.clone().into());
        }
    }

    /// Repeats the period under its old name, if it was set by it.
    pub(super) fn old_period_into(&self, data: &mut Map<String, Value>) {
        if self.old_period && self.token.period > 0 {
            data.insert("period".into(), self.token.period.into());
        }
    }
}

/// Whether a text may be a role-id at all. It becomes an alias and the name of a lockout, hence the limits.
pub(super) fn role_id_allowed(role_id: &str) -> bool {
    !role_id.is_empty() && role_id.len() <= ROLE_ID_BYTES_MAX && !role_id.chars().any(char::is_control)
}

/// Reads CIDR blocks as secret-ids have them, which must tell their length; `what` says which, in upstream's words.
pub(super) fn blocks(blocks: &[String], what: &str) -> Result<BoundCidrs, String> {
    let failed = || format!("failed to validate {what}: invalid CIDR address");
    if blocks.len() > BLOCKS_MAX || !blocks.iter().all(|block| block.contains('/')) {
        return Err(failed());
    }
    BoundCidrs::parse(blocks).map_err(|_| failed())
}

/// Upstream shows no blocks as `null`.
pub(super) fn list_or_null(blocks: &BoundCidrs) -> Value {
    if blocks.is_empty() { Value::Null } else { blocks.texts().into() }
}

fn key(name: &str) -> String {
    format!("{ROLES}{name}")
}

fn role_id_key(salt: &Salt, role_id: &str) -> String {
    format!("role_id/{}", salt.role_id(role_id))
}
