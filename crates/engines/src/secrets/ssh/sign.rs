//! Signing: a key that is sent or one that is made, under what a role allows.

use super::authority::{generate, kind};
use super::issuer::Issuer;
use super::names::in_path;
use super::role::{Ca, Kind, OPTIONS_MAX, Role, entries, options};
use super::wire::{CertificateRequest, NewKeyFields, PublicKeyField, RolePath};
use engine::crypto::RandomBytes as _;
use engine::crypto::ssh::{Certificate, KeyKind, PublicKey, SignatureHash};
use engine::{Cx, Fault, Object, Reply};
use serde_json::{Map, Value};
use std::collections::BTreeMap;

/// What is put in for a key id where the role says nothing.
const KEY_ID_FORMAT: &str = "vault-{{token_display_name}}-{{public_key_hash}}";
/// Most bytes of a key id or of a principal.
const TEXT_BYTES_MAX: usize = 1024;

/// Signs a key.
pub(super) fn sign(
    cx: &mut Cx,
    (path, (key, sent)): (RolePath, (PublicKeyField, CertificateRequest)),
) -> Result<Reply, Fault> {
    let name = in_path(&path.role)?;
    let line = key.public_key.filter(|key| !key.is_empty()).ok_or_else(|| Fault::invalid("missing public_key"))?;
    let role = role(cx, name)?;
    let key = PublicKey::parse(&line)
        .ok_or_else(|| Fault::invalid("failed to parse public_key as SSH key: not a key that is known here"))?;
    if let Kind::Ca(ca) = &role.kind {
        key_length(ca, &key).map_err(|why| {
            Fault::invalid(format!("public_key failed to meet the key requirements: {why}"))
        })?;
    }
    Ok(Reply::data(signed(cx, name, &role, &key, sent)?))
}

/// Makes a key and signs it.
pub(super) fn issue(
    cx: &mut Cx,
    (path, (new, sent)): (RolePath, (NewKeyFields, CertificateRequest)),
) -> Result<Reply, Fault> {
    let name = in_path(&path.role)?;
    let role = role(cx, name)?;
    let key_type = new.key_type.filter(|kind| !kind.is_empty()).unwrap_or_else(|| "rsa".to_owned());
    let kind = kind(&key_type, new.key_bits.unwrap_or_default())?;
    if let Kind::Ca(ca) = &role.kind {
        new_key_length(ca, kind)?;
    }
    let (private, public) = generate(cx, kind)?;
    let mut data = signed(cx, name, &role, &public, sent)?;
    let text = private.to_pem().ok_or_else(|| Fault::internal("a new key could not be written"))?;
    data.insert("private_key".into(), text.as_str().into());
    data.insert("private_key_type".into(), key_type.into());
    Ok(Reply::data(data))
}

fn role(cx: &mut Cx, name: &str) -> Result<Role, Fault> {
    Role::load(cx, name)?.ok_or_else(|| Fault::invalid(format!("Unknown role: {name}")))
}

fn signed(cx: &mut Cx, name: &str, role: &Role, key: &PublicKey, sent: CertificateRequest) -> Result<Map<String, Value>, Fault> {
    let host = match sent.cert_type.as_deref().unwrap_or_default() {
        "" | "user" => false,
        "host" => true,
        _ => return Err(Fault::invalid("cert_type must be either 'user' or 'host'")),
    };
    let Kind::Ca(ca) = &role.kind else { return Err(not_allowed(host)) };
    if !(if host { ca.allow_host_certificates } else { ca.allow_user_certificates }) {
        return Err(not_allowed(host));
    }
    let principals = principals(role, ca, host, sent.valid_principals.as_deref().unwrap_or_default())?;
    let ttl = ttl(cx, ca, sent.ttl.map_or(0, |ttl| ttl.0))?;
    let key_id = key_id(cx, name, ca, key, sent.key_id.unwrap_or_default())?;
    let critical_options = critical_options(ca, sent.critical_options)?;
    let extensions = extensions(ca, sent.extensions)?;
    let id = Issuer::resolve(cx, &ca.issuer_ref)?;
    let authority = Issuer::load(cx, &id)?.key()?;
    let now = cx.now.seconds();
    let serial = u64::from_be_bytes(cx.randomness.bytes());
    let moment = |seconds: i64| u64::try_from(seconds).unwrap_or_default();
    let certificate = Certificate {
        public_key: key,
        serial,
        host,
        key_id: &key_id,
        principals: &principals,
        valid_after: moment(now.saturating_sub(ca.not_before_duration)),
        valid_before: moment(now.saturating_add(ttl)),
        critical_options: &critical_options,
        extensions: &extensions,
    };
    let hash = if ca.algorithm_signer == "rsa-sha2-512" { SignatureHash::Sha512 } else { SignatureHash::Sha256 };
    let line = certificate.issue(&authority, hash, cx.randomness.as_mut());
    let line = line.map_err(|error| Fault::invalid(format!("failed to sign: {error}")))?;
    let mut data = Map::new();
    data.insert("issuer_id".into(), id.into());
    data.insert("serial_number".into(), format!("{serial:x}").into());
    data.insert("signed_key".into(), format!("{line}\n").into());
    Ok(data)
}

fn not_allowed(host: bool) -> Fault {
    let kind = if host { "host" } else { "user" };
    Fault::invalid(format!("cert_type '{kind}' is not allowed by role"))
}

/// Who the certificate holds for: what is asked for, else the default user, all of it allowed by the role. Never nobody,
/// which ssh takes for everybody (security row S88).
fn principals(role: &Role, ca: &Ca, host: bool, asked: &str) -> Result<Vec<String>, Fault> {
    let mut wanted = entries(asked);
    if wanted.is_empty() && !host {
        wanted = entries(&role.default_user);
    }
    if wanted.is_empty() {
        return Err(Fault::invalid(
            "refusing to issue unsafe, globally-valid certificate with no principals specified; set valid_principals or \
             default_user",
        ));
    }
    let allowed = entries(if host { &ca.allowed_domains } else { &role.allowed_users });
    if allowed.is_empty() {
        return Err(Fault::invalid("role is not configured to allow any principals"));
    }
    if wanted.len() > OPTIONS_MAX {
        return Err(Fault::invalid(format!("more than {OPTIONS_MAX} principals")));
    }
    let any = allowed.contains(&"*");
    let mut principals: Vec<String> = Vec::with_capacity(wanted.len());
    for principal in wanted {
        let shaped = principal.len() <= TEXT_BYTES_MAX && !principal.chars().any(char::is_control);
        let matches = any || if host { host_allowed(ca, &allowed, principal) } else { allowed.contains(&principal) };
        if !shaped || !matches {
            return Err(Fault::invalid(format!("{principal} is not a valid value for valid_principals")));
        }
        if !principals.iter().any(|known| known == principal) {
            principals.push(principal.to_owned());
        }
    }
    Ok(principals)
}

fn host_allowed(ca: &Ca, domains: &[&str], host: &str) -> bool {
    domains.iter().any(|domain| {
        let below = host.strip_suffix(domain).and_then(|rest| rest.strip_suffix('.'));
        (ca.allow_bare_domains && host == *domain) || (ca.allow_subdomains && below.is_some_and(|rest| !rest.is_empty()))
    })
}

fn ttl(cx: &Cx, ca: &Ca, asked: i64) -> Result<i64, Fault> {
    let most = if ca.max_ttl > 0 { ca.max_ttl } else { cx.mount.max_lease_ttl };
    if asked > most {
        return Err(Fault::invalid(format!("ttl is larger than maximum allowed {most}")));
    }
    let own = if ca.ttl > 0 { ca.ttl } else { cx.mount.default_lease_ttl };
    Ok(if asked > 0 { asked } else { own.min(most) })
}

fn key_id(cx: &Cx, name: &str, ca: &Ca, key: &PublicKey, asked: String) -> Result<String, Fault> {
    if !asked.is_empty() {
        if !ca.allow_user_key_ids {
            return Err(Fault::invalid("setting key_id is not allowed by role"));
        }
        if asked.len() > TEXT_BYTES_MAX || asked.chars().any(char::is_control) {
            return Err(Fault::invalid("key_id is too long or holds control characters"));
        }
        return Ok(asked);
    }
    let display_name = cx.caller.as_ref().map(|caller| caller.display_name.clone()).unwrap_or_default();
    let format = match ca.key_id_format.as_str() {
        "" if display_name.is_empty() => "vault-{{public_key_hash}}",
        "" => KEY_ID_FORMAT,
        own => own,
    };
    // What is put in is not looked through again.
    let mut made = String::new();
    let mut rest = format;
    while let Some((before, after)) = rest.split_once("{{") {
        made.push_str(before);
        let Some((variable, tail)) = after.split_once("}}") else {
            made.push_str("{{");
            rest = after;
            continue;
        };
        match variable.trim() {
            "token_display_name" => made.push_str(&display_name),
            "public_key_hash" => made.push_str(&key.fingerprint()),
            "role_name" => made.push_str(name),
            _ => {
                made.push_str("{{");
                made.push_str(variable);
                made.push_str("}}");
            }
        }
        rest = tail;
    }
    made.push_str(rest);
    Ok(made)
}

fn critical_options(ca: &Ca, sent: Option<Object>) -> Result<BTreeMap<String, String>, Fault> {
    let Some(sent) = sent.filter(|sent| !sent.0.is_empty()) else { return Ok(ca.default_critical_options.clone()) };
    let sent = options(sent)?;
    let allowed = entries(&ca.allowed_critical_options);
    let refused: Vec<&str> = sent
        .keys()
        .map(String::as_str)
        .filter(|name| !allowed.is_empty() && !allowed.contains(&"*") && !allowed.contains(name))
        .collect();
    if refused.is_empty() {
        return Ok(sent);
    }
    Err(Fault::invalid(format!("critical options not on allowed list: [{}]", refused.join(" "))))
}

fn extensions(ca: &Ca, sent: Option<Object>) -> Result<BTreeMap<String, String>, Fault> {
    let Some(sent) = sent.filter(|sent| !sent.0.is_empty()) else { return Ok(ca.default_extensions.clone()) };
    let sent = options(sent)?;
    let allowed = entries(&ca.allowed_extensions);
    let refused: Vec<&str> = sent
        .keys()
        .map(String::as_str)
        .filter(|name| !allowed.contains(&"*") && !allowed.contains(name))
        .collect();
    if refused.is_empty() {
        return Ok(sent);
    }
    Err(Fault::invalid(format!("extensions [{}] are not on allowed list", refused.join(" "))))
}

/// Whether a role allows a key of this type and length.
fn key_length(ca: &Ca, key: &PublicKey) -> Result<(), String> {
    if ca.allowed_user_key_lengths.is_empty() {
        return Ok(());
    }
    let bits = i64::from(key.bits());
    match allowed_lengths(ca, key.family(), bits) {
        None => Err(format!("key of type {} is not allowed", key.family())),
        Some(lengths) if key.family() == "ed25519" || lengths.contains(&bits) => Ok(()),
        Some(_) => Err(format!("key is of an invalid size: {bits}")),
    }
}

fn new_key_length(ca: &Ca, kind: KeyKind) -> Result<(), Fault> {
    if ca.allowed_user_key_lengths.is_empty() {
        return Ok(());
    }
    let (family, bits) = match kind {
        KeyKind::Rsa(bits) => ("rsa", i64::from(bits)),
        KeyKind::EcdsaP256 => ("ec", 256),
        KeyKind::EcdsaP384 => ("ec", 384),
        KeyKind::EcdsaP521 => ("ec", 521),
        KeyKind::Ed25519 => ("ed25519", 256),
    };
    match allowed_lengths(ca, family, bits) {
        None => Err(Fault::invalid("provided key_type value not in allowed_user_key_types")),
        Some(lengths) if family == "ed25519" || lengths.contains(&bits) => Ok(()),
        Some(_) => Err(Fault::invalid("provided key_bits value not in list of role's allowed_user_key_types")),
    }
}

/// The lengths of a family, by any of its names; a curve's own name allows the curve.
fn allowed_lengths(ca: &Ca, family: &str, bits: i64) -> Option<Vec<i64>> {
    let named: &[&str] = match family {
        "rsa" => &["rsa", "ssh-rsa"],
        "ec" => &["ec", "ecdsa"],
        _ => &["ed25519", "ssh-ed25519"],
    };
    let curve = format!("ecdsa-sha2-nistp{bits}");
    let mut lengths: Option<Vec<i64>> = None;
    for (name, allowed) in &ca.allowed_user_key_lengths {
        if named.contains(&name.as_str()) {
            lengths.get_or_insert_default().extend(allowed);
        } else if family == "ec" && *name == curve {
            lengths.get_or_insert_default().push(bits);
        }
    }
    lengths
}
