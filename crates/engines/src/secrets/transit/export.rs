//! `export/<type>/<name>[/<version>]` shows key material of exportable keys, `byok-export/<destination>/<source>[/<version>]` wraps
//! it for another service.

use super::answers::{SOFT_DELETED};
use super::keys::{chain_pem, drawn};
use super::kind::KeyType;
use super::record::{Key, Material};
use super::wire::{ByokExportRequest, ExportRequest};
use super::{base64, hashes};
use engine::crypto::keypair::{OldForm, PairKind, pem};
use engine::crypto::{Zeroizing, keywrap};
use engine::{Cx, Fault, Reply};
use serde_json::{Map, Value, json};

/// What of a key is shown.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Encryption,
    Signing,
    Hmac,
    Public,
    Certificates,
}

impl Part {
    fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "encryption-key" => Self::Encryption,
            "signing-key" => Self::Signing,
            "hmac-key" => Self::Hmac,
            "public-key" => Self::Public,
            "certificate-chain" => Self::Certificates,
            _ => return None,
        })
    }

    fn is_private(self) -> bool {
        !matches!(self, Self::Public | Self::Certificates)
    }
}

pub(super) fn export(cx: &mut Cx, request: ExportRequest) -> Result<Reply, Fault> {
    let part = Part::parse(&request.r#type)
        .ok_or_else(|| Fault::invalid(format!("invalid export type: {}", request.r#type)))?;
    if !["", "raw", "der", "pem"].contains(&request.format.as_str()) {
        return Err(Fault::invalid(format!("invalid format: {}", request.format)));
    }
    let Some(key) = Key::load(cx, &request.name)? else { return Ok(Reply::empty()) };
    if part.is_private() && !key.exportable {
        return Err(Fault::invalid("private key material is not exportable"));
    }
    if key.soft_deleted {
        return Err(Fault::upstream_error(SOFT_DELETED));
    }
    if part == Part::Encryption && !key.kind.encrypts() {
        return Err(Fault::invalid("encryption not supported for the key"));
    }
    if part == Part::Signing && !key.kind.signs() {
        return Err(Fault::invalid("signing not supported for the key"));
    }
    if part == Part::Certificates && !key.kind.signs() {
        return Err(Fault::invalid("certificate chain not supported for keys that do not support signing"));
    }
    let shown = each_version(cx, &request.name, &key, &request.version, |_, material| {
        shown(part, &key, material, &request.format)
    })?;
    Ok(Reply::data(json!({ "name": request.name, "type": key.kind.name(), "keys": shown })))
}

/// What `show` makes of each version that is asked for.
fn each_version(
    cx: &mut Cx,
    name: &str,
    key: &Key,
    asked: &str,
    mut show: impl FnMut(&mut Cx, &Material) -> Result<String, Fault>,
) -> Result<Map<String, Value>, Fault> {
    let lowest = key.min_decryption_version.max(key.lowest());
    let versions = match asked {
        "" => lowest..=key.latest_version,
        "latest" => key.latest_version..=key.latest_version,
        number => {
            let number: i64 = number.parse().map_err(|_| Fault::invalid("invalid key version"))?;
            if number < lowest {
                return Err(Fault::invalid("version for export is below minimum decryption version"));
            }
            if number > key.latest_version {
                return Err(Fault::invalid("version does not exist or cannot be found"));
            }
            number..=number
        }
    };
    let mut keys = Map::new();
    for version in versions {
        let material = Material::load(cx, name, version)?;
        keys.insert(version.to_string(), show(cx, &material)?.into());
    }
    Ok(keys)
}

fn shown(part: Part, key: &Key, material: &Material, format: &str) -> Result<String, Fault> {
    match part {
        Part::Hmac => bytes_shown(material.hmac_key.expose(), format),
        Part::Encryption if key.kind.cipher().is_some() => bytes_shown(material.key.expose(), format),
        Part::Encryption | Part::Signing => private_shown(key, material, format),
        Part::Public => public_shown(key, material, format),
        Part::Certificates if material.certificate_chain.is_empty() => {
            Err(Fault::upstream_error("selected key version does not have a certificate chain imported"))
        }
        Part::Certificates => Ok(chain_pem(material)),
    }
}

fn bytes_shown(bytes: &[u8], format: &str) -> Result<String, Fault> {
    match format {
        "" | "raw" => Ok(base64::encode(bytes)),
        _ => Err(Fault::upstream_error("unknown format for HMAC key; supported values are `` or `raw`")),
    }
}

fn private_shown(key: &Key, material: &Material, format: &str) -> Result<String, Fault> {
    if material.is_public_only() {
        // Among versions that have a private half one without is shown as an empty text, as upstream has it.
        let is_known = format != "raw" || key.kind == KeyType::Ed25519;
        return if is_known { Ok(String::new()) } else { Err(unknown_format(key)) };
    }
    match format {
        "der" => Ok(base64::encode(material.private.expose())),
        "pem" => Ok(pem::encode("PRIVATE KEY", material.private.expose()) + line_end(key)),
        _ => {
            let old = material.private()?.to_old_form();
            match (old.map_err(|_| Fault::internal("a stored key is unreadable"))?, format) {
                (OldForm::Bytes(bytes), _) => Ok(base64::encode(bytes.expose())),
                (OldForm::Pem(text), "") => Ok(text.expose().clone() + line_end(key)),
                (OldForm::Pem(_), _) => Err(unknown_format(key)),
            }
        }
    }
}

/// Upstream ends the last line of RSA's keys alone.
fn line_end(key: &Key) -> &'static str {
    if key.kind.is_rsa() { "\n" } else { "" }
}

fn unknown_format(key: &Key) -> Fault {
    let kind = if key.kind.is_rsa() { "rsa" } else { "ec" };
    Fault::upstream_error(format!("unknown key format for {kind} key; supported values are ``, `der`, or `pem`"))
}

fn public_shown(key: &Key, material: &Material, format: &str) -> Result<String, Fault> {
    let kind = key.kind.name();
    let unknown = || Fault::upstream_error(format!("unknown key type {kind} for export type public-key"));
    let pair = key.kind.pair().ok_or_else(unknown)?;
    let encoded = material.public_der().ok_or_else(|| Fault::internal("a stored key is unreadable"))?;
    match (pair, format) {
        (_, "der") => Ok(base64::encode(&encoded)),
        (PairKind::Ed25519, "" | "raw") => {
            let bytes = material.public()?.ed25519_bytes();
            Ok(base64::encode(&bytes.ok_or_else(|| Fault::internal("a stored key is unreadable"))?))
        }
        (_, "" | "pem") => Ok(pem::encode("PUBLIC KEY", &encoded) + line_end(key)),
        _ => Err(unknown_format(key)),
    }
}

pub(super) fn byok_export(cx: &mut Cx, request: ByokExportRequest) -> Result<Reply, Fault> {
    let Some(destination) = Key::load(cx, &request.destination)? else {
        return Err(Fault::upstream_error("no such destination key to export to"));
    };
    if destination.soft_deleted {
        return Err(Fault::upstream_error(format!("for destination key: {SOFT_DELETED}")));
    }
    let Some(source) = Key::load(cx, &request.source)? else {
        return Err(Fault::upstream_error("no such source key for export"));
    };
    if !source.exportable {
        return Err(Fault::invalid("key is not exportable"));
    }
    if source.soft_deleted {
        return Err(Fault::upstream_error(format!("for source key: {SOFT_DELETED}")));
    }
    if !destination.kind.is_rsa() {
        let text = match destination.kind.pair() {
            Some(_) => "unsupported key type in use; must be a rsa key".to_owned(),
            None => format!("message signing not supported for key type {}", destination.kind.name()),
        };
        return Err(Fault::upstream_error(text));
    }
    let hash = hashes::of_oaep(&request.hash)
        .ok_or_else(|| Fault::upstream_error(format!("unknown hash function: {}", request.hash)))?;
    let wrapping = Material::load(cx, &request.destination, destination.latest_version)?;
    let keys = each_version(cx, &request.source, &source, &request.version, |cx, material| {
        let target: &[u8] = match (source.kind.pair(), material.is_public_only()) {
            (Some(_), true) => return Err(Fault::upstream_error("key version does not have a private counterpart")),
            (Some(_), false) => material.private.expose(),
            (None, _) => material.key.expose(),
        };
        let ephemeral = drawn(32, cx.randomness.as_mut());
        let unwrappable = |_| Fault::internal("a key cannot be wrapped");
        let public = wrapping.public()?;
        let mut wrapped = public.encrypt_oaep(hash, ephemeral.expose(), cx.randomness.as_mut()).map_err(unwrappable)?;
        let target = Zeroizing::new(target.to_vec());
        wrapped.extend(keywrap::wrap(ephemeral.expose(), &target).map_err(|_| Fault::internal("a key cannot be wrapped"))?);
        Ok(base64::encode(&wrapped))
    })?;
    Ok(Reply::data(json!({ "name": request.source, "type": source.kind.name(), "keys": keys })))
}
