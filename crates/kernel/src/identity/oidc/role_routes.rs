//! `identity/oidc/role*`: for whom tokens are, what they say and how long they live.

use super::signer::Signer;
use super::{name_in_path, not_negative, template};
use crate::Kx;
use crate::identity::keys;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::{Fault, Page, Randomness, Record, Reply, Route, Seconds};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Roles in one namespace.
const ROLES_MAX: usize = 1_000;
/// Longest template.
const TEMPLATE_BYTES_MAX: usize = 32 * 1024;
/// Characters of a client id that is made here.
const CLIENT_ID_CHARACTERS: usize = 26;
const DAY: i64 = 86_400;

/// A role as it is kept.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Role {
    /// Name.
    pub(super) name: String,
    /// The named key that signs.
    pub(super) key: String,
    /// Further claims, with directives.
    pub(super) template: String,
    /// Seconds that a token lives.
    pub(super) ttl: i64,
    /// For whom: the `aud` of its tokens.
    pub(super) client_id: String,
}

impl Record for Role {
    const KIND: &'static str = "oidc-role/1";
}

pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("oidc/role", "List roles of identity tokens.").list(list),
        // The first role of the default key makes that key.
        Route::at("oidc/role/{name}", "Manage a role of identity tokens.").heavy().create_or_update(exists, write),
        Route::at("oidc/role/{name}", "Manage a role of identity tokens.").read(read).delete(delete),
    ]
}

engine::request! {
    /// Creates or changes a role.
    pub struct WriteRole {
        /// Name of the role.
        name: String,
        /// The OIDC key to use for generating tokens. The specified key must already exist.
        key: Option<String>,
        /// The template string to use for generating tokens. This may be in string-ified JSON or base64 format.
        template: Option<String>,
        /// TTL of the tokens generated against the role.
        ttl: Option<Seconds>,
        /// Optional client_id.
        client_id: Option<String>,
    }
}

engine::request! {
    /// Names a role.
    pub struct RoleName {
        /// Name of the role.
        name: String,
    }
}

/// The role of a name in the request's namespace.
pub(super) fn load(kx: &mut Kx, name: &str) -> Result<Option<Role>, Fault> {
    let key = keys::oidc_role(&kx.namespace_id(), name);
    Ok(kx.tx.load(&key)?)
}

/// All roles of the request's namespace.
pub(super) fn all(kx: &mut Kx) -> Result<Vec<Role>, Fault> {
    let mut roles = Vec::new();
    for name in names(kx, &Page::all())? {
        roles.extend(load(kx, &name)?);
    }
    Ok(roles)
}

/// The roles that a key signs for.
pub(super) fn of_key(kx: &mut Kx, key: &str) -> Result<Vec<Role>, Fault> {
    let mut roles = all(kx)?;
    roles.retain(|role| role.key == key);
    Ok(roles)
}

/// Refuses a verification TTL that tokens of the key's roles outlive.
pub(super) fn check_lifetimes(kx: &mut Kx, key: &str, verification_ttl: i64) -> Result<(), Fault> {
    if of_key(kx, key)?.iter().all(|role| role.ttl <= verification_ttl) {
        return Ok(());
    }
    Err(Fault::invalid(format!(
        "unable to update key {key:?} because it is currently referenced by one or more roles with a token ttl greater \
         than {verification_ttl} seconds"
    )))
}

fn names(kx: &mut Kx, page: &Page) -> Result<Vec<String>, Fault> {
    let folder = keys::oidc_role(&kx.namespace_id(), "");
    Ok(kx.tx.list(&folder, page)?)
}

fn exists(kx: &mut Kx, request: RoleName) -> Result<bool, Fault> {
    Ok(load(kx, &request.name)?.is_some())
}

fn write(kx: &mut Kx, request: WriteRole) -> Result<Reply, Fault> {
    let name = name_in_path(request.name)?;
    let mut role = match load(kx, &name)? {
        Some(role) => role,
        None if names(kx, &Page::all())?.len() >= ROLES_MAX => {
            return Err(Fault::invalid(format!("a namespace has at most {ROLES_MAX} roles of identity tokens")));
        }
        None => {
            let client_id = kx.cx.randomness.base62(CLIENT_ID_CHARACTERS);
            Role { name: name.clone(), key: String::new(), template: String::new(), ttl: DAY, client_id }
        }
    };
    role.key = request.key.unwrap_or(role.key);
    if role.key.is_empty() {
        return Err(Fault::invalid("the key parameter is required"));
    }
    let Some(signer) = Signer::load_ready(kx, &role.key)? else {
        return Err(Fault::invalid(format!("cannot find key {:?}", role.key)));
    };
    if let Some(template) = request.template {
        role.template = checked_template(template, kx.now)?;
    }
    if let Some(Seconds(ttl)) = request.ttl {
        role.ttl = not_negative("ttl", ttl)?;
    }
    if role.ttl > signer.key.verification_ttl {
        return Err(Fault::invalid(
            "a role's token ttl cannot be longer than the verification_ttl of the key it references",
        ));
    }
    if let Some(client_id) = request.client_id {
        let made = |randomness: &mut dyn Randomness| randomness.base62(CLIENT_ID_CHARACTERS);
        role.client_id = if client_id.is_empty() { made(kx.cx.randomness.as_mut()) } else { client_id };
    }
    let at = keys::oidc_role(&kx.namespace_id(), &name);
    kx.tx.save(&at, &role)?;
    Ok(Reply::empty())
}

/// A template that can be filled, out of its base64 if it came in that.
fn checked_template(template: String, now: engine::Timestamp) -> Result<String, Fault> {
    let decoded = STANDARD.decode(&template).ok().and_then(|bytes| String::from_utf8(bytes).ok());
    let template = decoded.unwrap_or(template);
    if template.len() > TEMPLATE_BYTES_MAX {
        return Err(Fault::invalid(format!("template is longer than {TEMPLATE_BYTES_MAX} bytes")));
    }
    template::filled(&template, &template::nobody(), now)?;
    Ok(template)
}

fn read(kx: &mut Kx, request: RoleName) -> Result<Reply, Fault> {
    let name = name_in_path(request.name)?;
    let Some(role) = load(kx, &name)? else { return Ok(Reply::empty()) };
    Ok(Reply::data(json!({
        "client_id": role.client_id,
        "key": role.key,
        "template": role.template,
        "ttl": role.ttl,
    })))
}

fn delete(kx: &mut Kx, request: RoleName) -> Result<Reply, Fault> {
    let name = name_in_path(request.name)?;
    let at = keys::oidc_role(&kx.namespace_id(), &name);
    kx.tx.delete(&at);
    Ok(Reply::empty())
}

fn list(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let page = kx.page.clone();
    names(kx, &page).map(Reply::keys)
}
