//! Roles: create, change, read, list, delete.

use super::claims;
use super::role::{CallbackMode, ClaimsType, ROLES, Role, RoleType};
use super::template;
use super::wire::{DeprecatedFields, ListRequest, RolePath, WriteFlow, WriteRole};
use engine::{CommaList, Cx, Fault, Name, Object, Pairs, Reply, Seconds, TokenFields};
use std::collections::BTreeSet;

/// Tokens of the provider that may become metadata.
pub(super) const OAUTH2_METADATA: [&str; 3] = ["access_token", "id_token", "refresh_token"];
/// Most members of one list or map of a role.
const MEMBERS_MAX: usize = 1024;
const VERBOSE: &str = "verbose_oidc_logging has been enabled for this role. This is not recommended in production since \
                       sensitive information may be present in OIDC responses.";
const TOO_LONG: &str = "token max ttl is greater than the system or backend mount's maximum TTL value; issued tokens' max \
                        TTL value will be truncated";

/// Whether a role exists, for telling create from update.
pub(super) fn exists(cx: &mut Cx, path: RolePath) -> Result<bool, Fault> {
    let name = Name::exact(&path.name)?;
    Role::exists(cx, &name)
}

/// All that may be sent to a role.
type Sent = ((WriteRole, WriteFlow), (TokenFields, DeprecatedFields));

/// Creates or changes a role. What is left out stays as it is, the type aside, as upstream.
pub(super) fn write(cx: &mut Cx, (path, sent): (RolePath, Sent)) -> Result<Reply, Fault> {
    let name = Name::exact(&path.name)?;
    let ((identity, flow), (fields, old)) = sent;
    let mut role = Role::load(cx, &name)?.unwrap_or_default();
    role.role_type = match identity.role_type.as_deref() {
        None | Some("" | "oidc") => RoleType::Oidc,
        Some("jwt") => RoleType::Jwt,
        Some(other) => return Err(Fault::invalid(format!("invalid 'role_type': {other}"))),
    };
    apply_token(&mut role, fields, old)?;
    apply_identity(&mut role, identity)?;
    apply_flow(&mut role, flow)?;
    check(&role)?;
    role.save(cx, &name)?;
    let mut reply = Reply::empty();
    if role.verbose_oidc_logging {
        reply = reply.warn(VERBOSE);
    }
    if role.token.max_ttl > cx.mount.max_lease_ttl {
        reply = reply.warn(TOO_LONG);
    }
    Ok(reply)
}

/// Shows a role.
pub(super) fn read(cx: &mut Cx, path: RolePath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.name)?;
    Ok(Role::load(cx, &name)?.map_or_else(Reply::empty, |role| Reply::data(role.shown())))
}

/// Deletes a role.
pub(super) fn delete(cx: &mut Cx, path: RolePath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.name)?;
    Role::delete(cx, &name);
    Ok(Reply::empty())
}

/// Lists the roles.
pub(super) fn list(cx: &mut Cx, _request: ListRequest) -> Result<Reply, Fault> {
    Ok(Reply::keys(cx.tx.list(ROLES, &cx.page)?))
}

/// The parameters of tokens, under their new and old names.
fn apply_token(role: &mut Role, mut fields: TokenFields, old: DeprecatedFields) -> Result<(), Fault> {
    if let Some(kind) = fields.token_type.as_deref().filter(|kind| kind.starts_with("default-")) {
        return Err(Fault::invalid(format!("invalid 'token_type' value {kind:?}")));
    }
    let mut names: BTreeSet<String> = std::mem::take(&mut role.old_names).into_iter().collect();
    let mut note = |name: &str, new: bool, old: bool| {
        if old {
            names.insert(name.to_owned());
        } else if new {
            names.remove(name);
        }
    };
    note("policies", fields.token_policies.is_some(), old.policies.is_some());
    note("ttl", fields.token_ttl.is_some(), old.ttl.is_some());
    note("max_ttl", fields.token_max_ttl.is_some(), old.max_ttl.is_some());
    note("period", fields.token_period.is_some(), old.period.is_some());
    note("num_uses", fields.token_num_uses.is_some(), old.num_uses.is_some());
    note("bound_cidrs", fields.token_bound_cidrs.is_some(), old.bound_cidrs.is_some());
    role.old_names = names.into_iter().collect();
    fields.token_policies = fields.token_policies.or(old.policies);
    fields.token_ttl = fields.token_ttl.or(old.ttl);
    fields.token_max_ttl = fields.token_max_ttl.or(old.max_ttl);
    fields.token_period = fields.token_period.or(old.period);
    fields.token_num_uses = fields.token_num_uses.or(old.num_uses);
    fields.token_bound_cidrs = fields.token_bound_cidrs.or(old.bound_cidrs);
    fields.apply(&mut role.token)
}

/// Who may log in.
fn apply_identity(role: &mut Role, sent: WriteRole) -> Result<(), Fault> {
    set_list(&mut role.bound_audiences, sent.bound_audiences, "bound_audiences")?;
    set(&mut role.bound_subject, sent.bound_subject);
    set(&mut role.bound_claims, sent.bound_claims.map(|Object(claims)| claims));
    set(&mut role.claim_mappings, sent.claim_mappings.map(|Pairs(mappings)| mappings));
    if role.bound_claims.len().max(role.claim_mappings.len()) > MEMBERS_MAX {
        return Err(Fault::invalid("too many claims"));
    }
    role.bound_claims_type = match sent.bound_claims_type.as_deref() {
        None => role.bound_claims_type,
        Some("string") => ClaimsType::String,
        Some("glob") => ClaimsType::Glob,
        Some(other) => return Err(Fault::invalid(format!("invalid 'bound_claims_type': {other}"))),
    };
    set(&mut role.user_claim, sent.user_claim);
    set(&mut role.user_claim_json_pointer, sent.user_claim_json_pointer);
    set(&mut role.groups_claim, sent.groups_claim);
    set(&mut role.expiration_leeway, sent.expiration_leeway.map(|Seconds(seconds)| seconds));
    set(&mut role.not_before_leeway, sent.not_before_leeway.map(|Seconds(seconds)| seconds));
    set(&mut role.clock_skew_leeway, sent.clock_skew_leeway.map(|Seconds(seconds)| seconds));
    Ok(())
}

/// How logins at the provider go.
fn apply_flow(role: &mut Role, sent: WriteFlow) -> Result<(), Fault> {
    set_list(&mut role.allowed_redirect_uris, sent.allowed_redirect_uris, "allowed_redirect_uris")?;
    set_list(&mut role.oidc_scopes, sent.oidc_scopes, "oidc_scopes")?;
    set_list(&mut role.oauth2_metadata, sent.oauth2_metadata, "oauth2_metadata")?;
    if let Some(Seconds(seconds)) = sent.max_age {
        if seconds < 0 {
            let text =
                format!("error converting input for field \"max_age\": cannot provide negative value '{seconds}'");
            return Err(Fault::invalid(text));
        }
        role.max_age = seconds;
    }
    role.callback_mode = match sent.callback_mode.as_deref() {
        None => role.callback_mode,
        Some("client") => CallbackMode::Client,
        Some("direct") => CallbackMode::Direct,
        Some("device") => CallbackMode::Device,
        Some(other) => return Err(Fault::invalid(format!("invalid 'callback_mode': {other}"))),
    };
    set(&mut role.poll_interval, sent.poll_interval);
    set(&mut role.oidc_disable_confirmation, sent.oidc_disable_confirmation);
    set(&mut role.verbose_oidc_logging, sent.verbose_oidc_logging);
    set(&mut role.token_policies_template_claims, sent.token_policies_template_claims);
    Ok(())
}

/// What must hold of the whole.
fn check(role: &Role) -> Result<(), Fault> {
    if role.user_claim.is_empty() {
        return Err(Fault::invalid("a user claim must be defined on the role"));
    }
    let bound = !role.bound_audiences.is_empty()
        || !role.bound_subject.is_empty()
        || !role.bound_claims.is_empty()
        || !role.token.bound_cidrs.is_empty();
    if role.role_type == RoleType::Jwt && !bound {
        return Err(Fault::invalid("must have at least one bound constraint when creating/updating a role"));
    }
    if role.role_type == RoleType::Oidc && role.allowed_redirect_uris.is_empty() {
        return Err(Fault::invalid("'allowed_redirect_uris' must be set if 'role_type' is 'oidc' or unspecified."));
    }
    if let Some(name) = role.oauth2_metadata.iter().find(|name| !OAUTH2_METADATA.contains(&name.as_str())) {
        return Err(Fault::invalid(format!("Unrecognized oauth2 metadata name {name}")));
    }
    claims::check_bound(&role.bound_claims, role.bound_claims_type)?;
    claims::check_mappings(&role.claim_mappings)?;
    if role.token_policies_template_claims {
        template::check(&role.token.policies)?;
    }
    if role.poll_interval < 0 {
        return Err(Fault::invalid("'poll_interval' cannot be negative"));
    }
    Ok(())
}

fn set<T>(slot: &mut T, sent: Option<T>) {
    if let Some(value) = sent {
        *slot = value;
    }
}

fn set_list(slot: &mut Vec<String>, sent: Option<CommaList>, name: &str) -> Result<(), Fault> {
    if let Some(CommaList(list)) = sent {
        if list.len() > MEMBERS_MAX {
            return Err(Fault::invalid(format!("too many members of {name}")));
        }
        *slot = list;
    }
    Ok(())
}
