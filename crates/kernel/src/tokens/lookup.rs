//! Looking tokens up: by text, by accessor, one's own.

use super::{Token, batch, find, find_by_accessor};
use crate::{Kx, identity, keys};
use engine::{Fault, Page, Reply};
use serde_json::{Map, Value, json};
use std::sync::Arc;

engine::request! {
    /// Names a token.
    pub struct ByText {
        /// The token.
        token: engine::SecretText,
    }
}

engine::request! {
    /// Names a token by its accessor.
    pub struct ByAccessor {
        /// Accessor of the token.
        accessor: String,
    }
}

pub(super) fn by_text(kx: &mut Kx, request: ByText) -> Result<Reply, Fault> {
    let text = request.token.0.expose().clone();
    if text.is_empty() {
        return own(kx, ());
    }
    let kernel = kx.kernel.clone();
    let bad = || Fault::Status(403, vec!["bad token".to_owned()]);
    let token = match find(&kernel, &mut kx.tx, &text)? {
        // S14: another namespace's token is nobody's here, unless that lies below.
        Some((_, token)) => token,
        None => {
            let now = kx.now;
            batch::find(&kernel, &mut kx.tx, now, &text)?.ok_or_else(bad)?
        }
    };
    if token.ended(kx.now) || !visible(kx, &token)? {
        return Err(bad());
    }
    reply(kx, &token, &text)
}

pub(super) fn own(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let session = kx.session()?.clone();
    let text = kx.request.token.as_ref().map(|token| token.expose().clone()).unwrap_or_default();
    reply(kx, &session.token, &text)
}

pub(super) fn by_accessor(kx: &mut Kx, request: ByAccessor) -> Result<Reply, Fault> {
    let (_, token) = at_accessor(kx, &request.accessor)?;
    reply(kx, &token, "")
}

pub(super) fn accessors(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let folder = keys::accessor(&kx.namespace_id(), "");
    let page = Page { limit: kx.page.limit, after: kx.page.after.clone() };
    Ok(Reply::keys(kx.tx.list(&folder, &page)?))
}

/// The live token with an accessor of this namespace.
pub(super) fn at_accessor(kx: &mut Kx, accessor: &str) -> Result<(super::TokenRef, Arc<Token>), Fault> {
    let fault = |text: &str| Fault::invalid(wire::join_errors(&[text]));
    if accessor.is_empty() {
        return Err(fault("missing accessor"));
    }
    let kernel = kx.kernel.clone();
    let namespace = kx.namespace_id();
    let found = find_by_accessor(&kernel, &mut kx.cx.tx, &namespace, accessor)?;
    found.filter(|(_, token)| !token.ended(kx.now)).ok_or_else(|| fault("invalid accessor"))
}

/// Whether a token of another namespace may be seen from this one: only if it lies at or below it.
pub(super) fn visible(kx: &mut Kx, token: &Token) -> Result<bool, Fault> {
    let kernel = kx.kernel.clone();
    let tree = crate::namespaces::NamespaceTree::load(&kernel.memo, &mut kx.tx)?;
    Ok(tree.by_id(&token.namespace).is_some_and(|home| kx.namespace.holds(home) || home.holds(&kx.namespace)))
}

fn reply(kx: &mut Kx, token: &Token, text: &str) -> Result<Reply, Fault> {
    let now = kx.now;
    let mut data = Map::new();
    let mut put = |name: &str, value: Value| drop(data.insert(name.to_owned(), value));
    put("accessor", token.accessor.clone().into());
    put("creation_time", token.issued.seconds().into());
    put("creation_ttl", token.creation_ttl.into());
    put("display_name", token.display_name.clone().into());
    put("entity_id", token.entity_id.clone().into());
    put("expire_time", token.expires.map_or(Value::Null, |at| at.to_rfc3339().into()));
    put("explicit_max_ttl", token.explicit_max_ttl.into());
    put("id", text.into());
    put("meta", if token.metadata.is_empty() { Value::Null } else { json!(token.metadata) });
    put("num_uses", token.num_uses.into());
    put("orphan", token.parent.is_none().into());
    put("path", token.path.clone().into());
    put("policies", token.policies.clone().into());
    put("ttl", token.expires.map_or(0, |end| now.seconds_until(end)).into());
    put("type", token.kind.name().into());
    if token.expires.is_some() {
        put("issue_time", token.issued.to_rfc3339().into());
        put("renewable", token.renewable.into());
    }
    if let Some(renewed) = token.renewed {
        put("last_renewal", renewed.to_rfc3339().into());
        put("last_renewal_time", renewed.seconds().into());
    }
    // The period of a role is the role's to tell.
    if token.period > 0 && token.role.is_empty() {
        put("period", token.period.into());
    }
    if !token.role.is_empty() {
        put("role", token.role.clone().into());
    }
    if !token.bound_cidrs.is_empty() {
        put("bound_cidrs", token.bound_cidrs.texts().into());
    }
    if !kx.namespace.is_root() {
        put("namespace_path", kx.namespace.path.clone().into());
    }
    identity_policies(kx, token, &mut data)?;
    Ok(Reply::data(data))
}

fn identity_policies(kx: &mut Kx, token: &Token, data: &mut Map<String, Value>) -> Result<(), Fault> {
    if token.entity_id.is_empty() || token.no_identity_policies {
        return Ok(());
    }
    let kernel = kx.kernel.clone();
    let Ok(Some(view)) = identity::view(&kernel, &mut kx.tx, &token.namespace, &token.entity_id) else { return Ok(()) };
    let mut names: Vec<String> = view
        .policies
        .iter()
        .filter(|(namespace, _)| *namespace == token.namespace)
        .map(|(_, name)| name.clone())
        .collect();
    names.sort();
    names.dedup();
    if !names.is_empty() {
        data.insert("identity_policies".to_owned(), names.into());
        data.insert("external_namespace_policies".to_owned(), json!({}));
    }
    Ok(())
}
