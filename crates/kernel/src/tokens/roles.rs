//! Token roles: what tokens made through `create/{role_name}` may be.

use crate::{Kx, keys};
use engine::{CommaList, Fault, Record, Reply, Seconds, TokenFields, TokenKind, TokenParams};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

/// A role as it is kept.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenRole {
    /// Name.
    pub name: String,
    /// Policies a token may have; empty allows what the caller may give.
    pub allowed_policies: Vec<String>,
    /// Globs of policies a token may have.
    pub allowed_policies_glob: Vec<String>,
    /// Policies a token must not have.
    pub disallowed_policies: Vec<String>,
    /// Globs of policies a token must not have.
    pub disallowed_policies_glob: Vec<String>,
    /// Aliases a token may be made for.
    pub allowed_entity_aliases: Vec<String>,
    /// Tokens have no parent.
    pub orphan: bool,
    /// Put behind the path of its tokens, so that they can be revoked by prefix.
    pub path_suffix: String,
    /// Whether tokens may be renewed.
    pub renewable: bool,
    /// Whether the period was set by its old name, under which it then shows too.
    pub period_by_old_name: bool,
    /// The same of the explicit maximum.
    pub explicit_max_ttl_by_old_name: bool,
    /// The `token_*` parameters.
    pub token: TokenParams,
}

impl Record for TokenRole {
    const KIND: &'static str = "token-role/1";
}

engine::request! {
    /// Names a role.
    pub struct RoleName {
        /// Name of the role.
        role_name: String,
    }
}

engine::request! {
    /// Creates or changes a role.
    pub struct WriteRole {
        /// Name of the role.
        role_name: String,
        /// Policies tokens may have.
        allowed_policies: Option<CommaList>,
        /// Globs of policies tokens may have.
        allowed_policies_glob: Option<CommaList>,
        /// Policies tokens must not have.
        disallowed_policies: Option<CommaList>,
        /// Globs of policies tokens must not have.
        disallowed_policies_glob: Option<CommaList>,
        /// Entity aliases tokens may be made for.
        allowed_entity_aliases: Option<CommaList>,
        /// If true, tokens have no parent.
        orphan: Option<bool>,
        /// Deprecated: use token_period.
        period: Option<Seconds>,
        /// Put behind the path of tokens made by this role.
        path_suffix: Option<String>,
        /// Deprecated: use token_explicit_max_ttl.
        explicit_max_ttl: Option<Seconds>,
        /// Whether tokens may be renewed.
        renewable: Option<bool>,
        /// Deprecated: use token_bound_cidrs.
        bound_cidrs: Option<CommaList>,
    }
}

pub(super) fn load(kx: &mut Kx, name: &str) -> Result<Option<TokenRole>, Fault> {
    let key = keys::token_role(&kx.namespace_id(), name);
    Ok(kx.tx.load(&key)?)
}

pub(super) fn list(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let folder = keys::token_role(&kx.namespace_id(), "");
    let page = kx.page.clone();
    Ok(Reply::keys(kx.tx.list(&folder, &page)?))
}

pub(super) fn exists(kx: &mut Kx, request: RoleName) -> Result<bool, Fault> {
    Ok(load(kx, &request.role_name)?.is_some())
}

pub(super) fn delete(kx: &mut Kx, request: RoleName) -> Result<Reply, Fault> {
    let key = keys::token_role(&kx.namespace_id(), &request.role_name);
    kx.tx.delete(&key);
    Ok(Reply::empty())
}

pub(super) fn read(kx: &mut Kx, request: RoleName) -> Result<Reply, Fault> {
    let Some(role) = load(kx, &request.role_name)? else { return Ok(Reply::empty()) };
    let mut data = Map::new();
    let lists = [
        ("allowed_policies", &role.allowed_policies),
        ("allowed_policies_glob", &role.allowed_policies_glob),
        ("disallowed_policies", &role.disallowed_policies),
        ("disallowed_policies_glob", &role.disallowed_policies_glob),
    ];
    for (name, list) in lists {
        data.insert(name.to_owned(), list.clone().into());
    }
    let aliases =
        if role.allowed_entity_aliases.is_empty() { Value::Null } else { role.allowed_entity_aliases.clone().into() };
    data.insert("allowed_entity_aliases".to_owned(), aliases);
    data.insert("name".to_owned(), role.name.clone().into());
    data.insert("orphan".to_owned(), role.orphan.into());
    data.insert("path_suffix".to_owned(), role.path_suffix.clone().into());
    data.insert("renewable".to_owned(), role.renewable.into());
    let mut token = Map::new();
    role.token.reply_into(&mut token);
    for name in ["token_bound_cidrs", "token_explicit_max_ttl", "token_no_default_policy", "token_period", "token_type"]
    {
        if let Some(value) = token.remove(name) {
            data.insert(name.to_owned(), value);
        }
    }
    if role.token.bound_cidrs.is_empty() {
        data.remove("token_bound_cidrs");
    }
    if role.token.num_uses > 0 {
        data.insert("token_num_uses".to_owned(), role.token.num_uses.into());
    }
    if role.token.strictly_bind_ip {
        data.insert("token_strictly_bind_ip".to_owned(), true.into());
    }
    let old_names = [
        ("period", role.token.period, role.period_by_old_name),
        ("explicit_max_ttl", role.token.explicit_max_ttl, role.explicit_max_ttl_by_old_name),
    ];
    for (name, seconds, set) in old_names {
        data.insert(name.to_owned(), if set { seconds } else { 0 }.into());
    }
    if role.token.kind == TokenKind::Default {
        data.insert("token_type".to_owned(), "default-service".into());
    }
    Ok(Reply::data(data))
}

pub(super) fn write(kx: &mut Kx, (request, token): (WriteRole, TokenFields)) -> Result<Reply, Fault> {
    let name = request.role_name.clone();
    let mut role =
        load(kx, &name)?.unwrap_or_else(|| TokenRole { name: name.clone(), renewable: true, ..TokenRole::default() });
    let set = |slot: &mut Vec<String>, sent: Option<CommaList>| {
        if let Some(CommaList(names)) = sent {
            *slot = engine::canonical_policies(names);
        }
    };
    set(&mut role.allowed_policies, request.allowed_policies);
    set(&mut role.allowed_policies_glob, request.allowed_policies_glob);
    set(&mut role.disallowed_policies, request.disallowed_policies);
    set(&mut role.disallowed_policies_glob, request.disallowed_policies_glob);
    set(&mut role.allowed_entity_aliases, request.allowed_entity_aliases);
    role.orphan = request.orphan.unwrap_or(role.orphan);
    role.renewable = request.renewable.unwrap_or(role.renewable);
    if let Some(suffix) = request.path_suffix {
        role.path_suffix = checked_suffix(suffix)?;
    }
    let by_old_name = |new: &Option<Seconds>, old: &Option<Seconds>, before: bool| match (new, old) {
        (Some(_), _) => false,
        (None, Some(_)) => true,
        (None, None) => before,
    };
    role.period_by_old_name = by_old_name(&token.token_period, &request.period, role.period_by_old_name);
    role.explicit_max_ttl_by_old_name =
        by_old_name(&token.token_explicit_max_ttl, &request.explicit_max_ttl, role.explicit_max_ttl_by_old_name);
    // Tokens of a role get their policies from the request, so the role's own list of them stays empty.
    TokenFields {
        token_policies: None,
        token_period: token.token_period.or(request.period),
        token_explicit_max_ttl: token.token_explicit_max_ttl.or(request.explicit_max_ttl),
        token_bound_cidrs: token.token_bound_cidrs.or(request.bound_cidrs),
        ..token
    }
    .apply(&mut role.token)?;
    role.check_batch()?;
    let key = keys::token_role(&kx.namespace_id(), &name);
    kx.tx.save(&key, &role)?;
    Ok(Reply::empty())
}

/// A suffix of word characters, dots and dashes, which begins and ends with a word character.
fn checked_suffix(suffix: String) -> Result<String, Fault> {
    let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
    let inner = |c: char| word(c) || c == '-' || c == '.';
    let fits = suffix.len() >= 3 && suffix.starts_with(word) && suffix.ends_with(word) && suffix.chars().all(inner);
    if suffix.is_empty() || fits {
        return Ok(suffix);
    }
    Err(Fault::invalid("given role path suffix contains invalid characters; must match \\w[\\w-.]+\\w"))
}

impl TokenRole {
    /// A batch token is kept nowhere, so that a role cannot promise of one what only a kept token has.
    fn check_batch(&self) -> Result<(), Fault> {
        let promised = [
            (!self.orphan, "non-orphan tokens"),
            (self.token.period > 0, "periodic tokens"),
            (self.renewable, "renewable tokens"),
            (self.token.explicit_max_ttl > 0, "tokens with an explicit max TTL"),
        ];
        match promised.iter().find(|(promises, _)| *promises && self.token.kind == TokenKind::Batch) {
            None => Ok(()),
            Some((_, what)) => {
                Err(Fault::invalid(format!("'token_type' cannot be 'batch' when role is set to generate {what}")))
            }
        }
    }

    /// Why it refuses one of these policies, in upstream's words.
    pub fn refusal(&self, policies: &[String]) -> Fault {
        let quoted = |names: &[String]| {
            let names: Vec<String> = names.iter().map(|name| format!("{name:?}")).collect();
            format!("[{}]", names.join(" "))
        };
        let disallowed = |name: &&String| {
            let globs = &self.disallowed_policies_glob;
            self.disallowed_policies.contains(name) || globs.iter().any(|glob| glob_matches(glob, name))
        };
        if let Some(name) = policies.iter().find(disallowed) {
            return Fault::invalid(format!("token policy {name:?} is disallowed by this role"));
        }
        let mut allowed = self.allowed_policies.clone();
        if !allowed.is_empty() && !self.token.no_default_policy {
            allowed.push("default".to_owned());
            allowed = engine::canonical_policies(allowed);
        }
        Fault::invalid(format!(
            "token policies ({}) must be subset of the role's allowed policies ({}) or glob policies ({})",
            quoted(policies),
            quoted(&allowed),
            quoted(&self.allowed_policies_glob),
        ))
    }

    /// Whether a policy is let through by the allow and deny lists.
    pub fn refuses(&self, policy: &str) -> bool {
        let among = |names: &[String], globs: &[String]| {
            names.iter().any(|name| name == policy) || globs.iter().any(|glob| glob_matches(glob, policy))
        };
        let restricts = !self.allowed_policies.is_empty() || !self.allowed_policies_glob.is_empty();
        among(&self.disallowed_policies, &self.disallowed_policies_glob)
            || (restricts && !among(&self.allowed_policies, &self.allowed_policies_glob))
    }

    /// Whether it names policies that tokens may have.
    pub fn allows_by_name(&self) -> bool {
        !self.allowed_policies.is_empty() || !self.allowed_policies_glob.is_empty()
    }
}

/// `*` at either end or both, as role lists know it.
pub(crate) fn glob_matches(glob: &str, text: &str) -> bool {
    match (glob.strip_prefix('*'), glob.strip_suffix('*')) {
        _ if glob == "*" => true,
        (Some(inner), Some(_)) => text.contains(inner.trim_end_matches('*')),
        (Some(suffix), None) => text.ends_with(suffix),
        (None, Some(prefix)) => text.starts_with(prefix),
        (None, None) => glob == text,
    }
}
