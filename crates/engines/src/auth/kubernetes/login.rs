//! Logging in and renewing a login: both are the same check of the same JWT.

use super::claims::{self, Account, refused};
use super::cluster::Cluster;
use super::record::{AliasSource, Config, Role};
use super::selector::{Selector, admits};
use super::wire::LoginRequest;
use engine::{Alias, Cx, Fault, Login, LoginRecord, Name, Reply, TokenParams};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Logs a workload in.
pub(super) fn login(cx: &mut Cx, request: LoginRequest) -> Result<Reply, Fault> {
    if request.role.is_empty() {
        return Err(Fault::invalid("missing role"));
    }
    let jwt = request.jwt.0.as_str();
    if jwt.is_empty() {
        return Err(Fault::invalid("missing jwt"));
    }
    let unknown = || Fault::invalid(format!("invalid role name {:?}", request.role));
    let name = Name::folded(&request.role).ok_or_else(unknown)?;
    let role = Role::load(cx, &name)?.ok_or_else(unknown)?;
    // Known before anybody outside is asked, so that a stranger from elsewhere makes no call.
    if !role.token.bound_cidrs.admit(cx.request.peer.ip()) {
        return Err(Fault::Denied);
    }
    let (account, annotations) = verified(cx, &role, jwt)?;
    Ok(Reply::login(identity(&name, role, account, annotations, jwt)))
}

/// Renews a login: the role is still there and lets the account in, and the cluster still takes its JWT (S70).
pub(super) fn renew(cx: &mut Cx, login: &LoginRecord) -> Result<TokenParams, Fault> {
    let bound = |name: &str| login.binding.get(name).and_then(Value::as_str);
    let unbound = || Fault::internal("a login is bound to no role or JWT");
    let name = bound("role").and_then(Name::folded).ok_or_else(unbound)?;
    let jwt = bound("jwt").ok_or_else(unbound)?;
    let gone = || {
        Fault::upstream_error(format!("failed to renew entry: role {name} does not exist during renewal"))
    };
    let role = Role::load(cx, &name)?.ok_or_else(gone)?;
    let (account, _) = verified(cx, &role, jwt)?;
    if alias(&role, &account) != login.alias {
        return Err(Fault::Denied);
    }
    Ok(role.token)
}

/// The account behind a JWT, once everything about it holds, and what its annotations say.
fn verified(cx: &mut Cx, role: &Role, jwt: &str) -> Result<(Account, BTreeMap<String, String>), Fault> {
    let missing = || Fault::Status(500, vec!["could not load backend configuration".to_owned()]);
    let config = Config::load(cx)?.ok_or_else(missing)?;
    let account = claims::checked(&config, role, jwt, cx.now)?;
    let cluster = Cluster::new(cx, &config, jwt)?;
    cluster.review(cx, jwt, &account, &role.audience)?;
    if !admits(&role.namespaces, &account.namespace) {
        let selector = Selector::parse(&role.selector).ok_or_else(|| Fault::internal("a role's selector is none"))?;
        if !selector.matches(&cluster.labels(cx, &account)?) {
            return Err(refused("namespace not authorized"));
        }
    }
    let annotations = if config.annotations { cluster.alias_metadata(cx, &account)? } else { BTreeMap::new() };
    Ok((account, annotations))
}

fn alias(role: &Role, account: &Account) -> String {
    match role.alias {
        AliasSource::Uid => account.uid.clone(),
        AliasSource::Name => format!("{}/{}", account.namespace, account.name),
    }
}

fn identity(name: &Name, role: Role, account: Account, annotations: BTreeMap<String, String>, jwt: &str) -> Login {
    let known: BTreeMap<String, String> = [
        ("service_account_name", account.name.clone()),
        ("service_account_namespace", account.namespace.clone()),
        ("service_account_secret_name", account.secret.clone()),
        ("service_account_uid", account.uid.clone()),
    ]
    .map(|(name, value)| (name.to_owned(), value))
    .into();
    let mut metadata = known.clone();
    metadata.insert("role".to_owned(), name.as_str().to_owned());
    // What the cluster confirmed comes last, so that no annotation can say otherwise.
    let mut of_alias = annotations;
    of_alias.extend(known);
    Login {
        alias: Alias { name: alias(&role, &account), metadata: of_alias },
        display_name: format!("{}-{}", account.namespace, account.name),
        metadata,
        groups: Vec::new(),
        token: role.token,
        binding: json!({ "role": name.as_str(), "jwt": jwt }),
    }
}
