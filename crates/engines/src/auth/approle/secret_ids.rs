//! Secret-ids: generated or brought along, listed, looked up, destroyed, tidied.

use super::answers::{no_role};
use super::role::{Role, blocks};
use super::roles::not_negative;
use super::salt::Salt;
use super::secret_id::SecretId;
use super::wire::{AccessorField, ListRequest, NewSecretId, RolePath, SecretIdField};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{BoundCidrs, CommaList, Cx, Fault, Name, Randomness as _, Reply, Seconds, Secret};
use serde_json::json;
use std::collections::BTreeMap;

/// Upstream repeats what was sent; it may be a secret-id in the wrong field, so it is not repeated here.
const NO_ACCESSOR: &str = "failed to find accessor entry for secret_id_accessor";
/// Most metadata of one secret-id, in bytes as sent.
const METADATA_BYTES_MAX: usize = 16 * 1024;
/// Most expired secret-ids that one request to tidy frees; the background job frees the rest.
const TIDY_MAX: usize = 1000;

/// Generates a secret-id.
pub(super) fn generate(cx: &mut Cx, (path, sent): (RolePath, NewSecretId)) -> Result<Reply, Fault> {
    let secret_id = Secret::new(cx.randomness.uuid());
    register(cx, &path, sent, &secret_id)
}

/// Takes a secret-id that the client chose.
pub(super) fn custom(
    cx: &mut Cx,
    (path, (chosen, sent)): (RolePath, (SecretIdField, NewSecretId)),
) -> Result<Reply, Fault> {
    if chosen.secret_id.0.as_str().is_empty() {
        return Err(Fault::invalid("missing secret_id"));
    }
    register(cx, &path, sent, &chosen.secret_id.0)
}

/// Lists the accessors of a role.
pub(super) fn list(cx: &mut Cx, (path, _page): (RolePath, ListRequest)) -> Result<Reply, Fault> {
    let name = Name::exact(&path.role_name)?;
    if !Role::exists(cx, &name)? {
        return Err(Fault::invalid(no_role(&name)));
    }
    Ok(Reply::keys(SecretId::accessors(cx, &name)?))
}

/// Shows the properties of a secret-id, nothing if there is none.
pub(super) fn lookup(cx: &mut Cx, (path, sent): (RolePath, SecretIdField)) -> Result<Reply, Fault> {
    let (name, hash) = named(cx, &path, &sent)?;
    Ok(SecretId::find(cx, name.as_str(), &hash)?.map_or_else(Reply::empty, |found| Reply::data(found.shown())))
}

/// Destroys a secret-id; one that does not exist is no error.
pub(super) fn destroy(cx: &mut Cx, (path, sent): (RolePath, SecretIdField)) -> Result<Reply, Fault> {
    let (name, hash) = named(cx, &path, &sent)?;
    SecretId::destroy(cx, name.as_str(), &hash)?;
    Ok(Reply::empty())
}

/// Shows the properties of the secret-id with an accessor. Upstream answers with the error inside of the data of a 404.
pub(super) fn lookup_accessor(cx: &mut Cx, (path, sent): (RolePath, AccessorField)) -> Result<Reply, Fault> {
    let (name, hash) = accessed(cx, &path, &sent)?;
    let found = match hash {
        Some(hash) => SecretId::find(cx, name.as_str(), &hash)?,
        None => None,
    };
    let missing = || Reply::data(json!({ "error": NO_ACCESSOR })).status(404);
    Ok(found.map_or_else(missing, |found| Reply::data(found.shown())))
}

/// Destroys the secret-id with an accessor. One of another role is as unknown as one that never was (security row S64).
pub(super) fn destroy_accessor(cx: &mut Cx, (path, sent): (RolePath, AccessorField)) -> Result<Reply, Fault> {
    let (name, hash) = accessed(cx, &path, &sent)?;
    let Some(hash) = hash else { return Err(Fault::missing(NO_ACCESSOR)) };
    SecretId::destroy(cx, name.as_str(), &hash)?;
    Ok(Reply::empty())
}

/// Frees what expired secret-ids take.
pub(super) fn tidy(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    SecretId::tidy(cx, TIDY_MAX)?;
    let started = "Tidy operation successfully started. Any information from the operation will be printed to the \
                   server's logs.";
    Ok(Reply::empty().warn(started).status(202))
}

fn register(cx: &mut Cx, path: &RolePath, sent: NewSecretId, secret_id: &Secret<String>) -> Result<Reply, Fault> {
    let name = Name::exact(&path.role_name)?;
    let role = Role::load(cx, &name)?.ok_or_else(|| Fault::missing(no_role(&name)))?;
    if !role.bind_secret_id {
        return Err(Fault::invalid("bind_secret_id is not set on the role"));
    }
    let made = made(cx, &role, sent)?;
    let hash = Salt::load(cx)?.secret_id(name.as_str(), secret_id.as_str());
    if !made.register(cx, &name, &hash)? {
        return Err(Fault::upstream_error("failed to store secret_id: SecretID is already registered"));
    }
    Ok(Reply::data(json!({
        "secret_id": secret_id.as_str(),
        "secret_id_accessor": made.accessor,
        "secret_id_num_uses": made.num_uses,
        "secret_id_ttl": made.ttl.min(cx.mount.max_lease_ttl),
    })))
}

/// The record of what was sent, within what the role allows.
fn made(cx: &mut Cx, role: &Role, sent: NewSecretId) -> Result<SecretId, Fault> {
    let cidr_list = within(sent.cidr_list, "CIDR blocks", &role.secret_id_bound_cidrs)?;
    let token_bound_cidrs = within(sent.token_bound_cidrs, "token CIDR blocks", &role.token.bound_cidrs)?;
    let num_uses = not_negative(sent.num_uses.unwrap_or(role.secret_id_num_uses), "num_uses")?;
    if role.secret_id_num_uses > 0 && (num_uses == 0 || num_uses > role.secret_id_num_uses) {
        return Err(Fault::invalid("num_uses cannot be higher than the role's secret_id_num_uses"));
    }
    let ttl = not_negative(sent.ttl.map_or(role.secret_id_ttl, |Seconds(ttl)| ttl), "ttl")?;
    if role.secret_id_ttl > 0 && (ttl == 0 || ttl > role.secret_id_ttl) {
        return Err(Fault::invalid("ttl cannot be longer than the role's secret_id_ttl"));
    }
    Ok(SecretId {
        accessor: cx.randomness.uuid(),
        num_uses,
        ttl,
        created: cx.now,
        updated: cx.now,
        expires: (ttl > 0).then(|| cx.now.plus_seconds(ttl.min(cx.mount.max_lease_ttl))),
        metadata: metadata(&sent.metadata.unwrap_or_default())?,
        cidr_list,
        token_bound_cidrs,
    })
}

fn within(sent: Option<CommaList>, what: &str, outer: &BoundCidrs) -> Result<BoundCidrs, Fault> {
    let CommaList(list) = sent.unwrap_or_default();
    let inner = blocks(&list, what).map_err(Fault::upstream_error)?;
    if !inner.within(outer) {
        return Err(Fault::upstream_error(
            "failed to verify subset relationship between CIDR blocks on the role and CIDR blocks on the secret ID",
        ));
    }
    Ok(inner)
}

/// A JSON object of strings, plain or in base64, or `key=value` pairs with commas between them.
fn metadata(text: &str) -> Result<BTreeMap<String, String>, Fault> {
    let invalid = || Fault::invalid("failed to parse metadata: failed to parse the input: invalid <key,value> format");
    if text.len() > METADATA_BYTES_MAX {
        return Err(Fault::invalid("failed to parse metadata: too large"));
    }
    if text.trim().is_empty() {
        return Ok(BTreeMap::new());
    }
    if let Ok(pairs) = serde_json::from_str(text) {
        return Ok(pairs);
    }
    if let Some(pairs) = STANDARD.decode(text).ok().and_then(|json| serde_json::from_slice(&json).ok()) {
        return Ok(pairs);
    }
    text.split(',')
        .map(|pair| match pair.split('=').map(str::trim).collect::<Vec<_>>().as_slice() {
            [key, value] if !key.is_empty() => Ok(((*key).to_owned(), (*value).to_owned())),
            _ => Err(invalid()),
        })
        .collect()
}

/// The role, which must exist, and the hash of the secret-id that was sent.
fn named(cx: &mut Cx, path: &RolePath, sent: &SecretIdField) -> Result<(Name, String), Fault> {
    let name = Name::exact(&path.role_name)?;
    if sent.secret_id.0.as_str().is_empty() {
        return Err(Fault::invalid("missing secret_id"));
    }
    if !Role::exists(cx, &name)? {
        return Err(Fault::upstream_error(no_role(&name)));
    }
    let hash = Salt::load(cx)?.secret_id(name.as_str(), sent.secret_id.0.as_str());
    Ok((name, hash))
}

/// The role, which must exist, and the hash of the secret-id whose accessor was sent.
fn accessed(cx: &mut Cx, path: &RolePath, sent: &AccessorField) -> Result<(Name, Option<String>), Fault> {
    let name = Name::exact(&path.role_name)?;
    if sent.secret_id_accessor.is_empty() {
        return Err(Fault::invalid("missing secret_id_accessor"));
    }
    if !Role::exists(cx, &name)? {
        return Err(Fault::upstream_error(no_role(&name)));
    }
    let hash = SecretId::hash_of(cx, &name, &sent.secret_id_accessor)?;
    Ok((name, hash))
}
