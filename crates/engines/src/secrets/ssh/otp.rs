//! One-time passwords: made for one user on one host, and told to that host once. They are kept under their hash and
//! taken by one compare-and-delete, so that of many hosts that ask at once one is answered (security row S89).

use super::names::in_path;
use super::role::{Kind, Otp, ROLES_MAX, Role};
use super::roles::zero_address;
use super::wire::{CredsRequest, OtpField, RolePath};
use engine::crypto::{digest, hex};
use engine::{Cx, Fault, Lease, LeaseRecord, Page, Randomness as _, Record, Reply, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::net::IpAddr;

const OTPS: &str = "otp/";
/// What a host asks to see whether it gets through, and what it is answered.
const ECHO: (&str, &str) = ("verify-echo-request", "verify-echo-response");

/// A password that was given out; itself it is stored nowhere.
#[derive(Serialize, Deserialize)]
struct Given {
    username: String,
    ip: String,
    role: String,
    expires: Timestamp,
}

impl Record for Given {
    const KIND: &'static str = "ssh-otp/1";
}

/// Makes a password.
pub(super) fn create(cx: &mut Cx, (path, sent): (RolePath, CredsRequest)) -> Result<Reply, Fault> {
    let name = in_path(&path.role)?;
    let ip = sent.ip.filter(|ip| !ip.is_empty()).ok_or_else(|| Fault::invalid("Missing ip"))?;
    let role = Role::load(cx, name)?.ok_or_else(|| Fault::invalid(format!("Role {name:?} not found")))?;
    let username = username(&role, sent.username.unwrap_or_default())?;
    let address = address(&ip)?;
    let Kind::Otp(otp) = &role.kind else {
        return Err(Fault::invalid("Error validating IP: role gives out no one-time passwords"));
    };
    if !serves(cx, name, otp, address)? {
        return Err(Fault::invalid("Error validating IP: IP does not belong to role"));
    }
    let password = engine::Secret::new(cx.randomness.uuid());
    let hash = hash(password.as_str());
    let ttl = cx.bounded_ttl(0);
    let given = Given {
        username: username.clone(),
        ip: address.to_string(),
        role: name.to_owned(),
        expires: cx.now.plus_seconds(ttl),
    };
    cx.tx.save(&format!("{OTPS}{hash}"), &given)?;
    let lease = Lease { ttl, internal: json!({ "otp": hash }), ..Lease::default() };
    let data = json!({
        "ip": given.ip,
        "key": password.as_str(),
        "key_type": "otp",
        "port": otp.port,
        "username": username,
    });
    Ok(Reply::data(data).leased(lease))
}

/// Tells a host whom a password is for, and forgets the password. Whether it has expired is decided here and never by
/// the lease alone (security row S65).
pub(super) fn verify(cx: &mut Cx, sent: OtpField) -> Result<Reply, Fault> {
    let (request, response) = ECHO;
    if sent.otp.0.as_str() == request {
        return Ok(Reply::data(json!({ "message": response })));
    }
    let given: Option<Given> = cx.tx.take(&format!("{OTPS}{}", hash(sent.otp.0.as_str())))?;
    let given = given.filter(|given| cx.now < given.expires).ok_or_else(|| Fault::invalid("OTP not found"))?;
    Ok(Reply::data(json!({ "ip": given.ip, "username": given.username, "role_name": given.role })))
}

/// Lists the roles that serve an address.
pub(super) fn lookup(cx: &mut Cx, sent: CredsRequest) -> Result<Reply, Fault> {
    let ip = sent.ip.filter(|ip| !ip.is_empty()).ok_or_else(|| Fault::invalid("Missing ip"))?;
    let address = address(&ip)?;
    let mut found = Vec::new();
    for name in Role::names(cx, &Page { limit: Some(ROLES_MAX), ..Page::default() })? {
        if let Some(Role { kind: Kind::Otp(otp), .. }) = Role::load(cx, &name)?
            && serves(cx, &name, &otp, address)?
        {
            found.push(name);
        }
    }
    let roles = if found.is_empty() { Value::Null } else { found.into() };
    Ok(Reply::data(json!({ "roles": roles })))
}

/// Forgets the password of a lease; one that was used is gone already.
pub(super) fn revoke(cx: &mut Cx, lease: &LeaseRecord) {
    if let Some(hash) = lease.internal.get("otp").and_then(Value::as_str) {
        cx.tx.delete(&format!("{OTPS}{hash}"));
    }
}

fn serves(cx: &mut Cx, name: &str, otp: &Otp, address: IpAddr) -> Result<bool, Fault> {
    Ok(otp.serves(address)? || zero_address(cx)?.iter().any(|role| role == name))
}

fn username(role: &Role, asked: String) -> Result<String, Fault> {
    if asked.is_empty() {
        if role.default_user.is_empty() {
            return Err(Fault::invalid("No default username registered. Use 'username' option"));
        }
        return Ok(role.default_user.clone());
    }
    let allowed = super::role::entries(&role.allowed_users);
    if asked == role.default_user || allowed.iter().any(|user| *user == "*" || *user == asked) {
        return Ok(asked);
    }
    Err(Fault::invalid(if allowed.is_empty() {
        "Username has to be either in allowed users list or has to be a default username"
    } else {
        "Username is not present is allowed users list"
    }))
}

fn address(text: &str) -> Result<IpAddr, Fault> {
    text.parse::<IpAddr>()
        .map(|address| address.to_canonical())
        .map_err(|_| Fault::invalid(format!("Invalid IP {text:?}")))
}

/// A password has 122 random bits, so its plain hash gives nothing away.
fn hash(password: &str) -> String {
    hex(&digest::sha256(&[password.as_bytes()]))
}
