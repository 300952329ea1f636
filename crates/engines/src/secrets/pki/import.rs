//! Certificates and keys that come from elsewhere.

use super::config::Urls;
use super::crl;
use super::issuer::{Issuer, rebuild_chains};
use super::key::Key;
use super::root::{NO_URLS, check_key_name};
use super::wire::{BundleField, NewKey};
use engine::crypto::x509::{Certificate, PemBlock, PrivateKey, pem_blocks};
use engine::{Cx, Fault, Reply, Route};
use serde_json::{Map, Value, json};

/// Less than any PEM text has.
const PEM_BYTES_MIN: usize = 75;

pub(super) fn routes() -> Vec<Route<Cx>> {
    let bundle = "Import issuers and keys.";
    vec![
        Route::at("config/ca", bundle).write(import_bundle),
        Route::at("issuers/import/bundle", bundle).write(import_bundle),
        Route::at("issuers/import/cert", "Import issuers.").write(import_certificates),
        Route::at("intermediate/set-signed", "Import the signed certificate of an intermediate.").write(import_certificates),
        Route::at("keys/import", "Import a key.").write(import_key),
    ]
}

fn import_bundle(cx: &mut Cx, sent: BundleField) -> Result<Reply, Fault> {
    import(cx, &sent, true)
}

fn import_certificates(cx: &mut Cx, sent: BundleField) -> Result<Reply, Fault> {
    import(cx, &sent, false)
}

/// What an import brought, by id.
#[derive(Default)]
struct Brought {
    imported_issuers: Vec<String>,
    existing_issuers: Vec<String>,
    imported_keys: Vec<String>,
    existing_keys: Vec<String>,
    all_issuers: Vec<String>,
}

fn import(cx: &mut Cx, sent: &BundleField, keys_allowed: bool) -> Result<Reply, Fault> {
    let bundle = sent.pem_bundle.0.as_str();
    let text = if bundle.is_empty() { sent.certificate.as_str() } else { bundle };
    if text.is_empty() {
        return Err(Fault::invalid("'pem_bundle' and 'certificate' parameters were empty"));
    }
    let blocks = checked_blocks(text)?;
    let (keys, certificates): (Vec<&PemBlock>, Vec<&PemBlock>) =
        blocks.iter().partition(|block| block.label.ends_with("PRIVATE KEY"));
    if !keys.is_empty() && !keys_allowed {
        return Err(Fault::invalid(
            "private keys found in the PEM bundle but not allowed by the path; use /issuers/import/bundle",
        ));
    }
    let mut brought = Brought::default();
    for block in keys {
        let private = PrivateKey::from_der(&block.der).map_err(|_| Fault::invalid("unable to parse private key"))?;
        let (key, new) = Key::add(cx, &private, "")?;
        adopt(cx, &key)?;
        if new { &mut brought.imported_keys } else { &mut brought.existing_keys }.push(key.id);
    }
    for block in certificates {
        let certificate = Certificate::from_der(&block.der)
            .map_err(|error| Fault::invalid(format!("unable to parse certificate: {error}")))?;
        if !certificate.is_authority() {
            return Err(Fault::invalid("unable to import a certificate that is none of an authority"));
        }
        let (issuer, new) = Issuer::add(cx, &certificate, "")?;
        if new { &mut brought.imported_issuers } else { &mut brought.existing_issuers }.push(issuer.id.clone());
        brought.all_issuers.push(issuer.id);
    }
    rebuild_chains(cx)?;
    crl::rebuild(cx)?;
    shown(cx, &brought)
}

fn shown(cx: &mut Cx, brought: &Brought) -> Result<Reply, Fault> {
    let mut mapping: Map<String, Value> = Map::new();
    for id in &brought.all_issuers {
        let key = Issuer::load(cx, id)?.map(|issuer| issuer.key_id).unwrap_or_default();
        mapping.insert(id.clone(), key.into());
    }
    let or_null = |list: &[String]| if list.is_empty() { Value::Null } else { json!(list) };
    let reply = Reply::data(json!({
        "mapping": mapping,
        "imported_issuers": or_null(&brought.imported_issuers),
        "imported_keys": or_null(&brought.imported_keys),
        "existing_issuers": or_null(&brought.existing_issuers),
        "existing_keys": or_null(&brought.existing_keys),
    }));
    let urls = Urls::load(cx)?;
    if urls.is_empty() && !brought.all_issuers.is_empty() { Ok(reply.warn(NO_URLS)) } else { Ok(reply) }
}

/// Gives a key to the issuers that wait for it.
fn adopt(cx: &mut Cx, key: &Key) -> Result<(), Fault> {
    for issuer in Issuer::all(cx)? {
        if issuer.key_id.is_empty() && issuer.parsed()?.public_key().identifier() == key.identifier {
            Issuer { key_id: key.id.clone(), ..issuer }.save(cx)?;
        }
    }
    Ok(())
}

fn checked_blocks(text: &str) -> Result<Vec<PemBlock>, Fault> {
    if text.len() < PEM_BYTES_MIN {
        return Err(Fault::invalid(
            "provided data for import was too short; perhaps a path was passed to the API rather than the contents of a \
             PEM file",
        ));
    }
    let blocks = pem_blocks(text).map_err(|_| Fault::invalid("error parsing PEM bundle"))?;
    if blocks.is_empty() {
        return Err(Fault::invalid("provided PEM block contained no data"));
    }
    Ok(blocks)
}

fn import_key(cx: &mut Cx, sent: NewKey) -> Result<Reply, Fault> {
    let blocks = checked_blocks(sent.pem_bundle.0.as_str())?;
    let [block] = blocks.as_slice() else {
        return Err(Fault::invalid("only a single key can be present within the pem_bundle for importing"));
    };
    if !block.label.ends_with("PRIVATE KEY") {
        return Err(Fault::invalid("the pem_bundle holds no private key"));
    }
    check_key_name(cx, &sent.key_name, None)?;
    let private = PrivateKey::from_der(&block.der).map_err(|_| Fault::invalid("unable to parse private key"))?;
    let (key, new) = Key::add(cx, &private, &sent.key_name)?;
    adopt(cx, &key)?;
    let reply = Reply::data(json!({ "key_id": key.id, "key_name": key.name, "key_type": key.kind }));
    if new { Ok(reply) } else { Ok(reply.warn("Key already imported, use key/ endpoint to update name.")) }
}
