//! Logging in and renewing a login. A login reads the salt, the index of role-ids, the role and the secret-id, and
//! writes nothing unless the uses of the secret-id are counted.

use super::answers::{login_failed, no_role};
use super::role::{Role, role_id_allowed};
use super::salt::Salt;
use super::secret_id::SecretId;
use super::wire::LoginRequest;
use engine::{Alias, Cx, Fault, FieldType as _, Input, Login, LoginRecord, Name, Reply, TokenParams};
use serde_json::{Value, json};
use std::net::IpAddr;

/// The role-id that a login tries, for its lockout: read as the verifier reads it (security row S66).
pub(super) fn alias(input: &Input) -> Option<String> {
    String::take(input.field("role_id")).ok().filter(|role_id| role_id_allowed(role_id))
}

/// Logs a machine in.
pub(super) fn login(cx: &mut Cx, request: LoginRequest) -> Result<Reply, Fault> {
    if request.role_id.is_empty() {
        return Err(Fault::invalid("missing role_id"));
    }
    let salt = Salt::load(cx)?;
    let found = if role_id_allowed(&request.role_id) { Role::find(cx, &salt, &request.role_id)? } else { None };
    // Roles that do not exist answer and work as those that want a secret-id (security row S58).
    let wants_secret_id = found.as_ref().is_none_or(|(_, role)| role.bind_secret_id);
    let presented = request.secret_id.0.as_str();
    if wants_secret_id && presented.is_empty() {
        return Err(Fault::invalid("missing secret_id"));
    }
    let name = found.as_ref().map_or("", |(name, _)| name.as_str());
    let hash = salt.secret_id(name, presented);
    let secret_id = if wants_secret_id { SecretId::find(cx, name, &hash)? } else { None };
    let (name, role) = found.ok_or_else(login_failed)?;
    if role.bind_secret_id && secret_id.is_none() {
        return Err(login_failed());
    }
    check_address(cx.request.peer.ip(), &role, secret_id.as_ref())?;
    let reply = Reply::login(identity(&name, role, secret_id.as_ref()));
    if let Some(secret_id) = secret_id {
        secret_id.spend(cx, &name, &hash)?;
    }
    Ok(reply)
}

/// Renews a login: the role is still there. The secret-id need not be, as upstream.
pub(super) fn renew(cx: &mut Cx, login: &LoginRecord) -> Result<TokenParams, Fault> {
    let role = login.binding.get("role_name").and_then(Value::as_str).and_then(Name::folded);
    let name = role.ok_or_else(|| Fault::internal("a login is bound to no role"))?;
    let gone = || Fault::upstream_error(format!("failed to renew entry: {} during renewal", no_role(&name)));
    Ok(Role::load(cx, &name)?.ok_or_else(gone)?.token)
}

fn identity(name: &str, role: Role, secret_id: Option<&SecretId>) -> Login {
    let mut metadata = secret_id.map(|secret_id| secret_id.metadata.clone()).unwrap_or_default();
    // Last, so that what a client put on its secret-id cannot name another role.
    metadata.insert("role_name".to_owned(), name.to_owned());
    let mut token = role.token;
    if let Some(secret_id) = secret_id.filter(|secret_id| !secret_id.token_bound_cidrs.is_empty()) {
        token.bound_cidrs = secret_id.token_bound_cidrs.clone();
    }
    Login {
        alias: Alias { name: role.role_id, metadata: metadata.clone() },
        display_name: String::new(),
        metadata,
        groups: Vec::new(),
        token,
        binding: json!({ "role_name": name }),
    }
}

/// Where the login comes from, against the blocks of the role and of the secret-id; the role's may have been narrowed
/// after the secret-id was made.
fn check_address(address: Option<IpAddr>, role: &Role, secret_id: Option<&SecretId>) -> Result<(), Fault> {
    let shown = address.map(|address| format!("{:?} ", address.to_string())).unwrap_or_default();
    if let Some(secret_id) = secret_id {
        if !secret_id.cidr_list.within(&role.secret_id_bound_cidrs) {
            return Err(Fault::invalid(
                "failed to verify subset relationship between CIDR blocks on the role and CIDR blocks on the secret ID",
            ));
        }
        if !secret_id.cidr_list.admit(address) {
            let text = format!("source address {shown}unauthorized through CIDR restrictions on the secret ID");
            return Err(Fault::invalid(text));
        }
    }
    if !role.secret_id_bound_cidrs.admit(address) {
        return Err(Fault::invalid(format!("source address {shown}unauthorized by CIDR restrictions on the role")));
    }
    Ok(())
}
