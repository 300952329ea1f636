//! Logging in and renewing a login. Who it is is decided by the certificate alone, and only after a role vouched for it.

use super::config::Config;
use super::revocation::Revoked;
use super::role::{ROLES_MAX, Role};
use super::wire::LoginRequest;
use engine::crypto::client_certificate::{Certificate, Trust, Verdict};
use engine::crypto::{digest, hex};
use engine::{Alias, Cx, Fault, Login, LoginRecord, Name, Page, Reply, TokenParams};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const NOT_TRUSTED: &str = "invalid certificate or no client certificate supplied";
const NOT_ADMITTED: &str = "no chain matching all constraints could be found for this login certificate";
/// Most certificates of a connection that are looked at.
const PRESENTED_MAX: usize = 16;

/// Logs in with the certificate of the connection.
pub(super) fn login(cx: &mut Cx, request: LoginRequest) -> Result<Reply, Fault> {
    let presented = presented(cx)?;
    let wanted = request.name.filter(|name| !name.is_empty());
    let (name, role) = vouching(cx, &presented, wanted.as_deref())?;
    let leaf = presented.first().ok_or_else(|| Fault::invalid(NOT_TRUSTED))?;
    if !role.token.bound_cidrs.admit(cx.request.peer.ip()) {
        return Err(Fault::Denied);
    }
    let common_name = leaf.common_name.clone().filter(|name| !name.is_empty());
    let common_name = common_name.ok_or_else(|| Fault::LoginFailed("missing name in alias".to_owned()))?;
    let metadata = metadata(&name, &common_name, &role, leaf);
    let on_alias = Config::load(cx)?.enable_identity_alias_metadata;
    Ok(Reply::login(Login {
        alias: Alias { name: common_name, metadata: if on_alias { metadata.clone() } else { BTreeMap::new() } },
        display_name: role.display_name.clone(),
        metadata,
        groups: Vec::new(),
        token: role.token.clone(),
        binding: json!({ "role": name.as_str(), "certificate": fingerprint(leaf) }),
    }))
}

/// Renews a login: the connection shows the certificate that the login was made with (security row S56), the role is
/// still there and vouches for it, and its policies are those of the token.
pub(super) fn renew(cx: &mut Cx, login: &LoginRecord) -> Result<TokenParams, Fault> {
    let bound = |name: &str| login.binding.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let role = bound("role");
    let role = if Config::load(cx)?.disable_binding {
        let name = Name::folded(&role).ok_or_else(|| Fault::internal("a login is bound to no role"))?;
        Role::load(cx, &name)?.ok_or_else(|| Fault::invalid(NOT_TRUSTED))?
    } else {
        let presented = presented(cx)?;
        let (_, role) = vouching(cx, &presented, Some(&role))?;
        let same = presented.first().is_some_and(|leaf| fingerprint(leaf) == bound("certificate"));
        if !same {
            return Err(not_renewed("client identity during renewal not matching client identity used during login"));
        }
        role
    };
    if !login.was_given(&role.token.policies) {
        return Err(not_renewed("policies have changed, not renewing"));
    }
    Ok(role.token.clone())
}

/// The certificates of the connection, the client's own first.
fn presented(cx: &Cx) -> Result<Vec<Certificate>, Fault> {
    let (leaf, others) = match cx.request.peer.certificates.split_first() {
        Some((leaf, others)) => (leaf, others),
        None => return Err(Fault::invalid("no client certificate found")),
    };
    let leaf = Certificate::from_der(leaf).ok_or_else(|| Fault::LoginFailed(NOT_TRUSTED.to_owned()))?;
    // One that cannot be read helps no chain.
    let others = others.iter().take(PRESENTED_MAX - 1).filter_map(|der| Certificate::from_der(der));
    Ok(std::iter::once(leaf).chain(others).collect())
}

/// The first role, of all or of the one that is named, that vouches for a certificate and admits it.
fn vouching(cx: &mut Cx, presented: &[Certificate], wanted: Option<&str>) -> Result<(Name, Arc<Role>), Fault> {
    let names: Vec<Name> = match wanted {
        Some(name) => Name::folded(name).into_iter().collect(),
        None => {
            let page = Page { limit: Some(ROLES_MAX), ..Page::default() };
            Role::names(cx, &page)?.iter().filter_map(|name| Name::folded(name)).collect()
        }
    };
    let revoked = Revoked::load(cx)?;
    let mut failure = NOT_TRUSTED;
    for name in names {
        let Some(role) = Role::load(cx, &name)? else { continue };
        let certificates = role.trusted();
        let is_revoked = |serial: &str| revoked.contains(serial);
        let trust = Trust { certificates: &certificates, now: cx.now.seconds(), revoked: &is_revoked };
        match trust.vouches_for(presented) {
            Verdict::Trusted if presented.first().is_some_and(|leaf| role.constraints.admit(leaf)) => {
                return Ok((name, role));
            }
            Verdict::Trusted | Verdict::Refused => failure = NOT_ADMITTED,
            Verdict::Unknown => {}
        }
    }
    Err(Fault::LoginFailed(failure.to_owned()))
}

fn metadata(name: &Name, common_name: &str, role: &Role, leaf: &Certificate) -> BTreeMap<String, String> {
    // Extensions first, so that none of them stands for what the method says itself.
    let mut metadata: BTreeMap<String, String> = role.constraints.metadata(leaf).collect();
    for (key, value) in [
        ("cert_name", name.as_str()),
        ("common_name", common_name),
        ("serial_number", &leaf.serial),
        ("subject_key_id", &leaf.subject_key_id),
        ("authority_key_id", &leaf.authority_key_id),
    ] {
        metadata.insert(key.to_owned(), value.to_owned());
    }
    metadata
}

fn fingerprint(certificate: &Certificate) -> String {
    hex(&digest::sha256(&[&certificate.der]))
}

fn not_renewed(why: &str) -> Fault {
    Fault::upstream_error(format!("failed to renew entry: {why}"))
}
