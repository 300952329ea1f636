//! Logging in with a token, the identity that claims make, and renewing a login.

use super::claims::{self, Claims};
use super::config::Config;
use super::jws::{Jws, unreadable};
use super::keys;
use super::role::{Role, RoleType};
use super::template;
use super::validation;
use super::wire::LoginRequest;
use engine::{Alias, Cx, Fault, Login, LoginRecord, Name, Reply, TokenParams};
use serde_json::{Value, json};
use std::collections::BTreeMap;

/// Logs in whoever shows a token.
pub(super) fn login(cx: &mut Cx, request: LoginRequest) -> Result<Reply, Fault> {
    let config = Config::load(cx)?;
    let (name, role) = named(cx, &config, &request.role)?;
    if role.role_type == RoleType::Oidc {
        return Err(Fault::invalid("role with oidc role_type is not allowed"));
    }
    if request.jwt.0.as_str().is_empty() {
        return Err(Fault::invalid("missing token"));
    }
    if !role.token.bound_cidrs.admit(cx.request.peer.ip()) {
        return Err(Fault::Denied);
    }
    let token = Jws::parse(request.jwt.0.as_str())?;
    if !keys::verified(cx, &config, &token)? {
        // Keys that were fetched for it are kept, so that the next such token does not fetch them again.
        return Ok(Reply::refusing(unreadable("no known key successfully validated the token signature")));
    }
    let claims = token.into_claims()?;
    validation::check(&role, &config.bound_issuer, &claims, cx.now)?;
    Ok(Reply::login(identity(&name, role, &claims, BTreeMap::new())?))
}

/// Renews a login: the role is still there. The token that was shown is not looked at again, as upstream.
pub(super) fn renew(cx: &mut Cx, login: &LoginRecord) -> Result<TokenParams, Fault> {
    let role = login.binding.get("role").and_then(Value::as_str).and_then(Name::folded);
    let name = role.ok_or_else(|| Fault::internal("a login is bound to no role"))?;
    let text = format!("failed to renew entry: role {name} does not exist during renewal");
    let gone = || Fault::upstream_error(text);
    Ok(Role::load(cx, &name)?.ok_or_else(gone)?.token)
}

/// The role of a login, or the mount's default.
pub(super) fn named(cx: &mut Cx, config: &Config, sent: &str) -> Result<(Name, Role), Fault> {
    let spelling = if sent.is_empty() { &config.default_role } else { sent };
    if spelling.is_empty() {
        return Err(Fault::invalid("missing role"));
    }
    let unknown = || Fault::invalid(format!("role {spelling:?} could not be found"));
    let name = Name::folded(spelling).ok_or_else(unknown)?;
    let role = Role::load(cx, &name)?.ok_or_else(unknown)?;
    Ok((name, role))
}

/// Who the claims are, with the role's token. `granted` is metadata beside that of the claims.
pub(super) fn identity(
    name: &Name,
    role: Role,
    claims: &Claims,
    granted: BTreeMap<String, String>,
) -> Result<Login, Fault> {
    let user = claims::user(&role, claims)?;
    let groups = claims::groups(&role, claims)?;
    let mut metadata = claims::metadata(&role, claims)?;
    claims::validate(&role, claims)?;
    metadata.insert("role".to_owned(), name.as_str().to_owned());
    let mut token = role.token;
    if role.token_policies_template_claims {
        token.policies = template::rendered(&token.policies, claims)?;
    }
    let alias = Alias { name: user.clone(), metadata: metadata.clone() };
    metadata.extend(granted);
    Ok(Login { alias, display_name: user, metadata, groups, token, binding: json!({ "role": name.as_str() }) })
}
