//! Keys: list, show, generate, name, delete.

use super::answers::{internal, serial_text};
use super::issuer::Issuer;
use super::key::{DefaultKey, KEYS, Key, kind_of};
use super::root::check_key_name;
use super::wire::{ExportedPath, KeyFields, KeyKindFields, KeyPath, ListRequest};
use engine::crypto::x509::PrivateKey;
use engine::{Cx, Fault, Reply, Route};
use serde_json::{Map, json};

pub(super) fn routes() -> Vec<Route<Cx>> {
    vec![
        Route::at("keys", "List the keys.").list(list),
        Route::at("keys/generate/{exported}", "A new key without a certificate.").write(generate).heavy(),
        Route::at("key/{key_ref}", "A key.").read(read).write(write).delete(delete),
    ]
}

fn list(cx: &mut Cx, _request: ListRequest) -> Result<Reply, Fault> {
    let ids = cx.tx.list(KEYS, &cx.page)?;
    let default = DefaultKey::load(cx)?.default;
    let mut info = Map::new();
    for id in &ids {
        let Some(key) = Key::load(cx, id)? else { continue };
        info.insert(id.clone(), json!({ "is_default": key.id == default, "key_name": key.name }));
    }
    Ok(Reply::keys_with_info(ids, info))
}

fn generate(
    cx: &mut Cx,
    (path, (kind, fields)): (ExportedPath, (KeyKindFields, KeyFields)),
) -> Result<Reply, Fault> {
    match path.exported.as_str() {
        "internal" | "exported" => {}
        "kms" => return Err(Fault::invalid("Unknown type of key to generate")),
        _ => return Err(Fault::UnsupportedPath),
    }
    check_key_name(cx, &fields.key_name, None)?;
    let kind = kind_of(kind.key_type.as_deref().unwrap_or("rsa"), kind.key_bits.unwrap_or_default())?;
    let private = PrivateKey::generate(kind, cx.randomness.as_mut()).map_err(internal)?;
    let (key, _) = Key::add(cx, &private, &fields.key_name)?;
    let mut data = Map::new();
    data.insert("key_id".to_owned(), key.id.into());
    data.insert("key_name".to_owned(), key.name.into());
    data.insert("key_type".to_owned(), key.kind.into());
    if path.exported == "exported" {
        let pem = private.to_pem(false).map_err(internal)?;
        data.insert("private_key".to_owned(), pem.as_str().trim_end().into());
    }
    Ok(Reply::data(data))
}

fn found(cx: &mut Cx, path: &KeyPath) -> Result<Key, Fault> {
    if path.key_ref.is_empty() {
        return Err(Fault::UnsupportedPath);
    }
    let missing = || Fault::upstream_error(format!("unable to find PKI key for reference: {}", path.key_ref));
    Key::find(cx, &path.key_ref)?.ok_or_else(missing)
}

fn read(cx: &mut Cx, path: KeyPath) -> Result<Reply, Fault> {
    let key = found(cx, &path)?;
    Ok(Reply::data(json!({
        "key_id": key.id,
        "key_name": key.name,
        "key_type": key.kind,
        "subject_key_id": serial_text(&key.identifier),
    })))
}

fn write(cx: &mut Cx, (path, sent): (KeyPath, KeyFields)) -> Result<Reply, Fault> {
    let mut key = found(cx, &path)?;
    check_key_name(cx, &sent.key_name, Some(&key.id))?;
    key.name = sent.key_name;
    key.save(cx)?;
    Ok(Reply::data(json!({ "key_id": key.id, "key_name": key.name, "key_type": key.kind })))
}

fn delete(cx: &mut Cx, path: KeyPath) -> Result<Reply, Fault> {
    let Some(key) = Key::find(cx, &path.key_ref)? else { return Ok(Reply::empty()) };
    if let Some(issuer) = Issuer::all(cx)?.into_iter().find(|issuer| issuer.key_id == key.id) {
        return Err(Fault::invalid(format!("Failed to Delete Key.  Key in Use by Issuer: {}", issuer.id)));
    }
    key.delete(cx);
    if DefaultKey::load(cx)?.default == key.id {
        DefaultKey::default().save(cx)?;
        return Ok(Reply::empty().status(200).warn(format!(
            "Deleted key {} (via key_ref {}); this was configured as the default key. Operations without an explicit key \
             will not work until a new default is configured.",
            key.id, path.key_ref
        )));
    }
    Ok(Reply::empty())
}
