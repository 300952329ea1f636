//! Users: create, change, read, list, delete; their passwords and policies.
//!
//! A new password or fewer policies end no token that the user already has, as upstream: the operator revokes by the
//! prefix `auth/<mount>/login/<name>`, and a token whose policies changed is not renewed.

use super::record::{USERS, User, key};
use super::wire::{DeprecatedFields, ListUsers, NewPassword, UserPath, WritePolicies};
use engine::crypto::password;
use engine::{Cx, Fault, Name, Reply, SecretText, TokenFields, TokenParams};

/// Whether a user exists, for telling create from update.
pub(super) fn exists(cx: &mut Cx, path: UserPath) -> Result<bool, Fault> {
    let name = Name::exact(&path.username)?;
    Ok(cx.tx.exists(&key(&name))?)
}

type WriteUser = (UserPath, (NewPassword, (DeprecatedFields, TokenFields)));

/// Creates or changes a user.
pub(super) fn write(cx: &mut Cx, (path, (secret, (old_names, fields))): WriteUser) -> Result<Reply, Fault> {
    let name = Name::exact(&path.username)?;
    let known = User::load(cx, &name)?;
    let creates = known.is_none();
    let mut user = known.unwrap_or_else(|| User {
        password_hash: String::new(),
        token: TokenParams::default(),
        deprecated: super::record::Deprecated::default(),
    });
    user.apply(old_names, fields)?;
    // Hashing comes last: it is the one dear step, and a bad request should not buy it.
    match hash(cx, &secret)? {
        Some(hash) => user.password_hash = hash,
        None if creates => return Err(no_password()),
        None => {}
    }
    user.save(cx, &name)?;
    Ok(Reply::empty())
}

/// Shows a user.
pub(super) fn read(cx: &mut Cx, path: UserPath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.username)?;
    Ok(User::load(cx, &name)?.map_or_else(Reply::empty, |user| Reply::data(user.shown())))
}

/// Deletes a user; one that does not exist is no error.
pub(super) fn delete(cx: &mut Cx, path: UserPath) -> Result<Reply, Fault> {
    let name = Name::exact(&path.username)?;
    cx.tx.delete(&key(&name));
    Ok(Reply::empty())
}

/// Lists the users.
pub(super) fn list(cx: &mut Cx, _request: ListUsers) -> Result<Reply, Fault> {
    Ok(Reply::keys(cx.tx.list(USERS, &cx.page)?))
}

/// Changes the password of a user.
pub(super) fn write_password(cx: &mut Cx, (path, secret): (UserPath, NewPassword)) -> Result<Reply, Fault> {
    let name = Name::exact(&path.username)?;
    let mut user = User::load(cx, &name)?.ok_or_else(no_user)?;
    user.password_hash = hash(cx, &secret)?.ok_or_else(no_password)?;
    user.save(cx, &name)?;
    Ok(Reply::empty())
}

/// Changes the policies of a user.
pub(super) fn write_policies(cx: &mut Cx, request: WritePolicies) -> Result<Reply, Fault> {
    let name = Name::exact(&request.username)?;
    let mut user = User::load(cx, &name)?.ok_or_else(no_user)?;
    let old_names = DeprecatedFields { policies: request.policies, ttl: None, max_ttl: None, bound_cidrs: None };
    user.apply(old_names, TokenFields { token_policies: request.token_policies, ..TokenFields::default() })?;
    user.save(cx, &name)?;
    Ok(Reply::empty())
}

/// The hash to store, if a password or a hash was sent; empty ones count as not sent.
fn hash(cx: &mut Cx, secret: &NewPassword) -> Result<Option<String>, Fault> {
    match (sent(secret.password.as_ref()), sent(secret.password_hash.as_ref())) {
        (Some(_), Some(_)) => Err(Fault::invalid("only one of password or password_hash may be provided")),
        (Some(new), None) => password::hash(cx.randomness.as_mut(), new.as_bytes())
            .map(Some)
            .map_err(|error| Fault::invalid(error.to_string())),
        (None, Some(hash)) => match password::check_hash(hash) {
            Ok(()) => Ok(Some(hash.to_owned())),
            Err(password::PasswordError::Cost) => Err(Fault::invalid("password_hash has too high a cost")),
            Err(_) => Err(Fault::invalid("password_hash is not a valid bcrypt hash")),
        },
        (None, None) => Ok(None),
    }
}

fn sent(secret: Option<&SecretText>) -> Option<&str> {
    secret.map(|text| text.0.as_str()).filter(|text| !text.is_empty())
}

fn no_password() -> Fault {
    Fault::invalid("must provide either password or password_hash")
}

/// Upstream's status for it, which is an internal error there.
fn no_user() -> Fault {
    Fault::upstream_error("username does not exist")
}
