//! Logging in and renewing a login: both ask GitHub about the same personal access token.

use super::directory::{Person, person};
use super::record::{Config, Mapped};
use super::wire::LoginRequest;
use engine::{Alias, Cx, Fault, Login, LoginRecord, Reply, TokenParams, canonical_policies};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Longest personal access token, in bytes.
const TOKEN_BYTES_MAX: usize = 1_024;

/// Logs a person in.
pub(super) fn login(cx: &mut Cx, request: LoginRequest) -> Result<Reply, Fault> {
    let token = request.token.0.as_str();
    if token.is_empty() {
        return Err(Fault::invalid("missing token"));
    }
    // Such a text is no header either.
    if token.len() > TOKEN_BYTES_MAX || !token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(Fault::Denied);
    }
    let config = Config::load(cx)?.ok_or_else(not_configured)?;
    // Known before anybody outside is asked, so that a stranger from elsewhere makes no call.
    if !config.token.bound_cidrs.admit(cx.request.peer.ip()) {
        return Err(Fault::Denied);
    }
    let person = person(cx, &config, token)?;
    let params = params(cx, &config, &person)?;
    let metadata: BTreeMap<String, String> =
        [("org".to_owned(), config.organization), ("username".to_owned(), person.login.clone())].into();
    Ok(Reply::login(Login {
        alias: Alias { name: person.login.clone(), metadata: BTreeMap::new() },
        display_name: person.login,
        metadata,
        groups: person.teams,
        token: params,
        binding: json!({ "token": token }),
    }))
}

/// Renews a login: GitHub still takes the token, for the same user, and the policies are those it was issued with.
pub(super) fn renew(cx: &mut Cx, login: &LoginRecord) -> Result<TokenParams, Fault> {
    let token = login.binding.get("token").and_then(Value::as_str);
    let token = token.ok_or_else(|| Fault::internal("a login is bound to no personal access token"))?;
    let config = Config::load(cx)?.ok_or_else(not_configured)?;
    let person = person(cx, &config, token)?;
    if !person.login.eq_ignore_ascii_case(&login.alias) {
        return Err(Fault::Denied);
    }
    let params = params(cx, &config, &person)?;
    if !login.was_given(&params.policies) {
        return Err(Fault::upstream_error("policies do not match"));
    }
    Ok(params)
}

/// The parameters of a person's tokens: the configured ones, with the policies of user and teams.
fn params(cx: &mut Cx, config: &Config, person: &Person) -> Result<TokenParams, Fault> {
    let mut policies = config.token.policies.clone();
    policies.extend(Mapped::User.policies(cx, &person.login)?);
    for team in &person.teams {
        policies.extend(Mapped::Team.policies(cx, team)?);
    }
    Ok(TokenParams { policies: canonical_policies(policies), ..config.token.clone() })
}

fn not_configured() -> Fault {
    Fault::invalid("configuration has not been set")
}
