//! Authorities: made or taken, named, listed, chosen as the default, deleted; their public keys.

use super::authority::new_key;
use super::issuer::{DEFAULT, ISSUERS_MAX, Issuer, default_id, set_default};
use super::names::is_name;
use super::role::Role;
use super::wire::{DefaultIssuer, ImportFields, IssuerName, IssuerPath, ListRequest, NewIssuer};
use engine::crypto::ssh::PublicKey;
use engine::{Body, Cx, Fault, Page, Randomness as _, Raw, Reply};
use serde_json::{Map, json};

/// Adds an authority and makes it the default.
pub(super) fn write_default(cx: &mut Cx, sent: NewIssuer) -> Result<Reply, Fault> {
    add(cx, &sent, String::new(), true)
}

/// Shows the default.
pub(super) fn read_default(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let id = Issuer::resolve(cx, DEFAULT)?;
    shown(cx, &id)
}

/// Deletes all authorities, as upstream does.
pub(super) fn delete_all(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let ids = Issuer::ids(cx, &Page::all())?;
    for id in &ids {
        Issuer::delete(cx, id)?;
    }
    if ids.is_empty() {
        return Ok(Reply::empty());
    }
    Ok(Reply::empty().warn(format!("Deleted {} issuers, including default issuer if configured.", ids.len())))
}

/// Adds an authority.
pub(super) fn import(cx: &mut Cx, (fields, sent): (ImportFields, NewIssuer)) -> Result<Reply, Fault> {
    let name = fields.issuer_name.unwrap_or_default();
    free_name(cx, &name, None)?;
    add(cx, &sent, name, fields.set_default.unwrap_or_default())
}

/// Chooses the default.
pub(super) fn write_config(cx: &mut Cx, sent: DefaultIssuer) -> Result<Reply, Fault> {
    let reference = sent.default.filter(|reference| !reference.is_empty() && reference != DEFAULT);
    let reference = reference.ok_or_else(|| {
        Fault::invalid("invalid issuer specification; must be non-empty and can't be 'default'.")
    })?;
    let id = match Issuer::resolve(cx, &reference) {
        Err(Fault::Invalid(texts)) => {
            return Err(Fault::invalid(format!("error resolving issuer reference: {}", texts.join("; "))));
        }
        other => other?,
    };
    let previous = default_id(cx)?;
    if previous.as_ref() == Some(&id) {
        return Ok(Reply::empty().warn("The default issuer is already set to the specified issuer."));
    }
    set_default(cx, &id)?;
    let reply = Reply::data(json!({ "default": id }));
    Ok(match previous {
        None => reply,
        Some(previous) => reply.warn(format!(
            "Previous default ({previous}) has been updated with the issuer '{reference}' (resolved to {id})"
        )),
    })
}

/// Shows which is the default.
pub(super) fn read_config(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let id = Issuer::resolve(cx, DEFAULT)?;
    Ok(Reply::data(json!({ "default": id })))
}

/// Lists the authorities.
pub(super) fn list(cx: &mut Cx, _request: ListRequest) -> Result<Reply, Fault> {
    let page = cx.page.clone();
    let ids = Issuer::ids(cx, &page)?;
    let default = default_id(cx)?;
    let mut info = Map::new();
    for id in &ids {
        let issuer = Issuer::load(cx, id)?;
        let is_default = default.as_deref() == Some(id);
        info.insert(
            id.clone(),
            json!({ "is_default": is_default, "issuer_name": issuer.name, "public_key": issuer.public_key }),
        );
    }
    Ok(Reply::keys_with_info(ids, info))
}

/// Shows an authority.
pub(super) fn read(cx: &mut Cx, path: IssuerPath) -> Result<Reply, Fault> {
    let id = Issuer::resolve(cx, &path.issuer_ref)?;
    shown(cx, &id)
}

/// Names an authority.
pub(super) fn rename(cx: &mut Cx, (path, sent): (IssuerPath, IssuerName)) -> Result<Reply, Fault> {
    let id = Issuer::resolve(cx, &path.issuer_ref)?;
    let name = sent.issuer_name.unwrap_or_default();
    free_name(cx, &name, Some(&id))?;
    let mut issuer = Issuer::load(cx, &id)?;
    issuer.name = name;
    issuer.save(cx, &id)?;
    shown(cx, &id)
}

/// Deletes an authority; one that does not exist is no error.
pub(super) fn delete(cx: &mut Cx, path: IssuerPath) -> Result<Reply, Fault> {
    let id = match Issuer::resolve(cx, &path.issuer_ref) {
        Ok(id) => id,
        Err(Fault::Invalid(_)) => return Ok(Reply::empty()),
        Err(other) => return Err(other),
    };
    let was_default = default_id(cx)?.as_ref() == Some(&id);
    Issuer::delete(cx, &id)?;
    if !was_default {
        return Ok(Reply::empty());
    }
    let reply = Reply::empty().warn(format!(
        "Deleted issuer {id} (via issuer_ref {}); this was configured as the default issuer. Operations without an \
         explicit issuer will not work until a new default is configured.",
        path.issuer_ref
    ));
    Ok(match Role::signed_by(cx, DEFAULT)? {
        0 => reply,
        roles => reply.warn(format!("{roles} roles reference '{DEFAULT}'")),
    })
}

/// The public key of an authority, as it is, for whoever asks.
pub(super) fn public_key(cx: &mut Cx, path: IssuerPath) -> Result<Reply, Fault> {
    let id = Issuer::resolve(cx, &path.issuer_ref)?;
    let bytes = Issuer::load(cx, &id)?.public_key.clone().into_bytes();
    Ok(Reply { body: Body::Raw(Raw { content_type: "text/plain", bytes }), ..Reply::default() })
}

/// The public key of the default authority.
pub(super) fn default_public_key(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    public_key(cx, IssuerPath { issuer_ref: DEFAULT.to_owned() })
}

fn add(cx: &mut Cx, sent: &NewIssuer, name: String, becomes_default: bool) -> Result<Reply, Fault> {
    let (key, public, line) = new_key(cx, sent)?;
    let ids = Issuer::ids(cx, &Page::all())?;
    for id in &ids {
        let known = Issuer::load(cx, id)?;
        if PublicKey::parse(&known.public_key).is_some_and(|known| known.same_key(&public)) {
            let text = "An issuer with the provided public key already exists, returning the existing issuer";
            return Ok(shown(cx, id)?.warn(text));
        }
    }
    if ids.len() >= ISSUERS_MAX {
        return Err(Fault::invalid(format!("there are {ISSUERS_MAX} issuers already")));
    }
    let id = cx.randomness.uuid();
    Issuer::new(name, line, &key).save(cx, &id)?;
    if becomes_default || ids.is_empty() {
        set_default(cx, &id)?;
    }
    shown(cx, &id)
}

/// Whether an authority may have a name: it is one, and no other has it.
fn free_name(cx: &mut Cx, name: &str, own: Option<&str>) -> Result<(), Fault> {
    if name.is_empty() {
        return Ok(());
    }
    if name == DEFAULT {
        return Err(Fault::invalid("reserved keyword 'default' can not be used as issuer name"));
    }
    if !is_name(name) {
        return Err(Fault::invalid("issuer name contained invalid characters"));
    }
    match Issuer::resolve(cx, name) {
        Ok(id) if own != Some(id.as_str()) => Err(Fault::invalid("issuer name already in use")),
        Ok(_) | Err(Fault::Invalid(_)) => Ok(()),
        Err(other) => Err(other),
    }
}

fn shown(cx: &mut Cx, id: &str) -> Result<Reply, Fault> {
    let issuer = Issuer::load(cx, id)?;
    Ok(Reply::data(json!({ "issuer_id": id, "issuer_name": issuer.name, "public_key": issuer.public_key })))
}
