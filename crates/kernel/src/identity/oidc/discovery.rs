//! `identity/oidc/.well-known/*`: what others need to verify identity tokens. Anybody may read it.

use super::{config, jwt::Jwk, named_key, role_routes};
use crate::Kx;
use crypto::signing::SigningAlgorithm;
use engine::{Fault, Reply, Route};
use serde_json::json;
use std::collections::BTreeSet;

pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("oidc/.well-known/keys", "Public keys of identity tokens.").unauthenticated().read(public_keys),
        Route::at("oidc/.well-known/openid-configuration", "Where identity tokens come from.")
            .unauthenticated()
            .read(configuration),
    ]
}

/// The keys that sign for some role.
fn public_keys(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let names: BTreeSet<String> = role_routes::all(kx)?.into_iter().map(|role| role.key).collect();
    let now = kx.now;
    let mut keys: Vec<Jwk> = Vec::new();
    for name in names {
        if let Some(key) = named_key::load(kx, &name)? {
            keys.extend(key.public_keys(now).cloned());
        }
    }
    Ok(Reply::raw_json(json!({ "keys": keys })))
}

fn configuration(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let issuer = config::issuer(kx)?;
    Ok(Reply::raw_json(json!({
        "issuer": issuer,
        "jwks_uri": format!("{issuer}/.well-known/keys"),
        "response_types_supported": ["id_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": SigningAlgorithm::ALL.map(SigningAlgorithm::name),
    })))
}
