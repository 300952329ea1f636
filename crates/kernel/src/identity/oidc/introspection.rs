//! `identity/oidc/introspect`: whether an identity token is one of ours, alive, and about somebody who is.

use super::{config, jwt::Unverified, named_key};
use crate::Kx;
use crate::identity::entities;
use engine::{Fault, Reply, Route};
use serde_json::{Map, Value, json};

pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![Route::at("oidc/introspect", "Verify an identity token.").write(introspect)]
}

engine::request! {
    /// A token to verify.
    pub struct Introspect {
        /// Token to verify.
        token: String,
        /// Optional client_id to verify.
        client_id: String,
    }
}

fn introspect(kx: &mut Kx, request: Introspect) -> Result<Reply, Fault> {
    Ok(Reply::raw_json(match refusal(kx, &request)? {
        None => json!({ "active": true }),
        Some(why) => json!({ "active": false, "error": why }),
    }))
}

/// Why a token does not hold. Nothing of it is believed before its signature is verified.
fn refusal(kx: &mut Kx, request: &Introspect) -> Result<Option<&'static str>, Fault> {
    let Some(token) = Unverified::parse(&request.token) else {
        return Ok(Some("error parsing token: not a token in compact form"));
    };
    let Some(claims) = verified(kx, token)? else { return Ok(Some("unable to validate the token signature")) };
    let issuer = config::issuer(kx)?;
    if text(&claims, "iss") != issuer {
        return Ok(Some("error validating claims: invalid issuer claim (iss)"));
    }
    if !request.client_id.is_empty() && text(&claims, "aud") != request.client_id {
        return Ok(Some("error validating claims: invalid audience claim (aud)"));
    }
    if claims.get("exp").and_then(Value::as_i64).is_none_or(|end| end <= kx.now.seconds()) {
        return Ok(Some("error validating claims: token is expired (exp)"));
    }
    let namespace = kx.namespace_id();
    Ok(match entities::load_surviving(&mut kx.cx.tx, &namespace, text(&claims, "sub"))? {
        None => Some("entity was not found"),
        Some(entity) if entity.disabled => Some("entity is disabled"),
        Some(_) => None,
    })
}

/// The claims of a token that a key of this namespace signed.
fn verified(kx: &mut Kx, token: Unverified<'_>) -> Result<Option<Map<String, Value>>, Fault> {
    let now = kx.now;
    for name in named_key::names(kx)? {
        let Some(key) = named_key::load(kx, &name)? else { continue };
        if let Some(public) = key.public_keys(now).find(|public| public.kid == token.kid) {
            return Ok(token.verified(public));
        }
    }
    Ok(None)
}

fn text<'a>(claims: &'a Map<String, Value>, name: &str) -> &'a str {
    claims.get(name).and_then(Value::as_str).unwrap_or_default()
}
