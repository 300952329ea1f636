//! `identity/oidc/token/{name}`: a signed token about the entity of the request's own token.

use super::signer::Signer;
use super::{config, name_in_path, role_routes, template};
use crate::Kx;
use crate::identity;
use engine::{Fault, Reply, Route};
use serde_json::json;

pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![Route::at("oidc/token/{name}", "Get an identity token by a role.").read(generate)]
}

engine::request! {
    /// Names a role.
    pub struct RoleName {
        /// Name of the role.
        name: String,
    }
}

fn generate(kx: &mut Kx, request: RoleName) -> Result<Reply, Fault> {
    let name = name_in_path(request.name)?;
    let Some(role) = role_routes::load(kx, &name)? else {
        return Err(Fault::invalid(format!("role {name:?} not found")));
    };
    let Some(signer) = Signer::load_ready(kx, &role.key)? else {
        return Err(Fault::invalid(format!("key {:?} not found", role.key)));
    };
    if !signer.key.allows(&role.client_id) {
        return Err(Fault::invalid(format!(
            "the key {:?} does not list the client ID of the role {name:?} as an allowed client ID",
            role.key
        )));
    }
    let token = kx.session()?.token.clone();
    let kernel = kx.kernel.clone();
    let view = identity::view(&kernel, &mut kx.cx.tx, &token.namespace, &token.entity_id)?;
    let view = view.ok_or_else(|| Fault::invalid("no entity associated with the request's token"))?;
    let mut claims = template::filled(&role.template, &view.template, kx.now)?;
    let issued = kx.now.seconds();
    let ttl = role.ttl.min(signer.key.verification_ttl);
    let issuer = config::issuer(kx)?;
    let own = json!({
        "aud": role.client_id,
        "exp": issued.saturating_add(ttl),
        "iat": issued,
        "iss": issuer,
        "namespace": kx.namespace.id,
        "sub": view.entity.id,
    });
    claims.extend(own.as_object().cloned().unwrap_or_default());
    let text = signer.sign(&claims)?;
    Ok(Reply::data(json!({ "client_id": role.client_id, "token": text, "ttl": role.ttl })))
}
