//! What a provider says of a user: its token, verified, and what its other endpoint adds.

use super::claims::Claims;
use super::config::Config;
use super::flow::{Flow, Verified};
use super::flows::not_exchanged;
use super::jws::Jws;
use super::keys;
use super::provider::{Discovery, Tokens};
use super::role::{CallbackMode, Role};
use super::validation;
use engine::crypto::same;
use engine::{Cx, Fault};

/// Verifies what the provider gave (OpenID Connect Core 1.0 section 3.1.3.7), and adds what it knows of the user.
pub(super) fn verify(
    cx: &mut Cx,
    config: &Config,
    discovery: &Discovery,
    role: &Role,
    flow: &Flow,
    tokens: &Tokens,
) -> Result<Verified, Fault> {
    let token = Jws::parse(&tokens.id_token)?;
    if !keys::verified(cx, config, &token)? {
        return Err(not_exchanged("id_token failed verification: its signature does not hold"));
    }
    let mut claims = token.into_claims()?;
    check_id_token(cx, config, discovery, role, flow, &claims)
        .map_err(|why| not_exchanged(&format!("id_token failed verification: {why}")))?;
    let known = discovery.userinfo(cx, config, &tokens.access_token)?.map_err(|reason| not_exchanged(&reason))?;
    // OpenID Connect Core 1.0 section 5.3.2.
    if !known.is_empty() && known.get("sub") != claims.get("sub") {
        return Err(not_exchanged("the user of the userinfo endpoint is another"));
    }
    claims.extend(known);
    let given = [
        ("access_token", &tokens.access_token),
        ("id_token", &tokens.id_token),
        ("refresh_token", &tokens.refresh_token),
    ];
    let wanted = |name: &str| role.oauth2_metadata.iter().any(|wanted| wanted == name);
    let granted = given.into_iter().filter(|(name, token)| wanted(name) && !token.is_empty());
    let granted = granted.map(|(name, token)| (format!("oauth2_{name}"), token.clone())).collect();
    Ok(Verified { claims, granted })
}

/// The claims of a provider's token; the error says which is wrong.
fn check_id_token(
    cx: &Cx,
    config: &Config,
    discovery: &Discovery,
    role: &Role,
    flow: &Flow,
    claims: &Claims,
) -> Result<(), String> {
    let told = |fault: Fault| fault.to_string();
    let text = |name: &str| validation::text(claims, name).map_err(told);
    if text("iss")? != discovery.issuer || (!config.bound_issuer.is_empty() && text("iss")? != config.bound_issuer) {
        return Err("invalid issuer".to_owned());
    }
    let audiences = validation::audiences(claims).map_err(told)?;
    if !audiences.contains(&config.oidc_client_id) {
        return Err("invalid audience".to_owned());
    }
    let party = text("azp")?;
    if !party.is_empty() && party != config.oidc_client_id {
        return Err("invalid authorized party".to_owned());
    }
    if !role.bound_audiences.is_empty() && !role.bound_audiences.iter().any(|bound| audiences.contains(bound)) {
        return Err("invalid audience".to_owned());
    }
    if !role.bound_subject.is_empty() && text("sub")? != role.bound_subject {
        return Err("invalid subject".to_owned());
    }
    if validation::time(claims, "exp").map_err(told)?.is_none() {
        return Err("missing expiration time".to_owned());
    }
    validation::times(role, claims, cx.now).map_err(told)?;
    // A device carries no nonce: its code came to this server alone.
    if flow.mode != CallbackMode::Device && !same(flow.nonce.as_bytes(), text("nonce")?.as_bytes()) {
        return Err("invalid nonce".to_owned());
    }
    fresh(cx, role, claims)
}

/// Whether the user gave proof to the provider lately enough.
#[expect(clippy::cast_precision_loss, reason = "ages are small")]
fn fresh(cx: &Cx, role: &Role, claims: &Claims) -> Result<(), String> {
    if role.max_age == 0 {
        return Ok(());
    }
    let given = validation::time(claims, "auth_time").map_err(|fault| fault.to_string())?;
    let Some(given) = given else { return Err("missing auth_time claim when max age was requested".to_owned()) };
    let oldest = validation::seconds(cx.now) - role.max_age as f64;
    if given >= oldest { Ok(()) } else { Err("auth_time is beyond max age".to_owned()) }
}
