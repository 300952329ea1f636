//! Keys: made or taken, shown without the key itself, listed, deleted.

use super::address::{Parsed, address};
use super::image::{QR_SIZE_MAX, barcode};
use super::key::{Algorithm, KEY_BYTES_MAX, Key, TEXT_BYTES_MAX, name_in_path};
use super::wire::{ListRequest, NamePath, Origin, Settings};
use data_encoding::BASE32_NOPAD;
use engine::crypto::Zeroizing;
use engine::{Cx, Fault, Reply};
use serde_json::json;

const KEY_SIZE_DEFAULT: i64 = 20;
const QR_SIZE_DEFAULT: i64 = 200;
const PERIOD_DEFAULT: i64 = 30;
const DIGITS_DEFAULT: i64 = 6;
const SKEW_DEFAULT: i64 = 1;

/// Creates a key, or replaces it as a whole.
pub(super) fn write(cx: &mut Cx, (path, (origin, settings)): (NamePath, (Origin, Settings))) -> Result<Reply, Fault> {
    let name = name_in_path(&path.name)?;
    if origin.generate.unwrap_or_default() {
        return generated(cx, name, &origin, settings);
    }
    let parsed = Parsed::of(origin.url.0.as_str())?;
    let text = parsed.secret.as_ref().map_or_else(|| origin.key.0.as_str(), |secret| secret.as_str());
    if text.is_empty() {
        return Err(Fault::invalid("the key value is required"));
    }
    let bytes = decoded(text)?;
    let settings = Settings {
        issuer: parsed.issuer.or(settings.issuer),
        account_name: parsed.account_name.or(settings.account_name),
        period: parsed.period.or(settings.period),
        algorithm: parsed.algorithm.or(settings.algorithm),
        digits: parsed.digits.or(settings.digits),
        skew: settings.skew,
    };
    key(settings, bytes)?.save(cx, name)?;
    Ok(Reply::empty())
}

/// Shows the settings of a key.
pub(super) fn read(cx: &mut Cx, path: NamePath) -> Result<Reply, Fault> {
    let name = name_in_path(&path.name)?;
    Ok(Key::load(cx, name)?.map_or_else(Reply::empty, |key| Reply::data(key.shown())))
}

/// Deletes a key; one that does not exist is no error.
pub(super) fn delete(cx: &mut Cx, path: NamePath) -> Result<Reply, Fault> {
    Key::delete(cx, name_in_path(&path.name)?);
    Ok(Reply::empty())
}

/// Lists the keys.
pub(super) fn list(cx: &mut Cx, _request: ListRequest) -> Result<Reply, Fault> {
    let page = cx.page.clone();
    Ok(Reply::keys(Key::names(cx, &page)?))
}

fn generated(cx: &mut Cx, name: &str, origin: &Origin, settings: Settings) -> Result<Reply, Fault> {
    for (sent, what) in [(&origin.key, "a key"), (&origin.url, "a url")] {
        if !sent.0.as_str().is_empty() {
            return Err(Fault::invalid(format!("{what} should not be passed if generate is true")));
        }
    }
    let size = origin.key_size.unwrap_or(KEY_SIZE_DEFAULT);
    let size = usize::try_from(size).ok().filter(|size| *size > 0);
    let size = size.ok_or_else(|| Fault::invalid("the key_size value must be greater than zero"))?;
    if size > KEY_BYTES_MAX {
        return Err(Fault::invalid(format!("the key_size value must not be greater than {KEY_BYTES_MAX}")));
    }
    let pixels = u32::try_from(origin.qr_size.unwrap_or(QR_SIZE_DEFAULT))
        .map_err(|_| Fault::invalid("the qr_size value must be greater than or equal to zero"))?;
    if pixels > QR_SIZE_MAX {
        return Err(Fault::invalid(format!("the qr_size value must not be greater than {QR_SIZE_MAX}")));
    }
    for (sent, what) in [(&settings.account_name, "account_name"), (&settings.issuer, "issuer")] {
        if sent.as_deref().unwrap_or_default().is_empty() {
            return Err(Fault::invalid(format!("the {what} value is required for generated keys")));
        }
    }
    let mut bytes = vec![0; size];
    cx.randomness.fill(&mut bytes);
    let key = key(settings, bytes)?;
    key.save(cx, name)?;
    if !origin.exported.unwrap_or(true) {
        return Ok(Reply::empty());
    }
    let url = address(&key);
    if pixels == 0 {
        return Ok(Reply::data(json!({ "url": url.as_str() })));
    }
    let barcode = barcode(&url, pixels)?;
    Ok(Reply::data(json!({ "barcode": barcode.as_str(), "url": url.as_str() })))
}

/// The key with what was sent, within what upstream allows.
fn key(sent: Settings, bytes: Vec<u8>) -> Result<Key, Fault> {
    let mut key = Key {
        key: bytes,
        issuer: sent.issuer.unwrap_or_default(),
        account_name: sent.account_name.unwrap_or_default(),
        period: sent.period.map_or(PERIOD_DEFAULT, |period| period.0),
        algorithm: Algorithm::Sha1,
        digits: 0,
        skew: 0,
    };
    if key.issuer.len() > TEXT_BYTES_MAX || key.account_name.len() > TEXT_BYTES_MAX {
        return Err(Fault::invalid(format!("issuer and account_name must not be longer than {TEXT_BYTES_MAX} bytes")));
    }
    if key.period <= 0 {
        return Err(Fault::invalid("the period value must be greater than zero"));
    }
    key.algorithm = Algorithm::parse(sent.algorithm.as_deref().unwrap_or("SHA1"))
        .ok_or_else(|| Fault::invalid("the algorithm value is not valid"))?;
    key.digits = match sent.digits.unwrap_or(DIGITS_DEFAULT) {
        6 => 6,
        8 => 8,
        _ => return Err(Fault::invalid("the digits value can only be 6 or 8")),
    };
    key.skew = match sent.skew.unwrap_or(SKEW_DEFAULT) {
        0 => 0,
        1 => 1,
        _ => return Err(Fault::invalid("the skew value must be 0 or 1")),
    };
    Ok(key)
}

/// The bytes of a key in base32 (RFC 4648 section 6), in capitals or not, padded or not.
fn decoded(text: &str) -> Result<Vec<u8>, Fault> {
    let capitals = Zeroizing::new(text.trim_end_matches('=').to_ascii_uppercase());
    let bytes = BASE32_NOPAD.decode(capitals.as_bytes());
    let bytes = bytes.map_err(|_| Fault::invalid("invalid key value: not base32"))?;
    if bytes.is_empty() || bytes.len() > KEY_BYTES_MAX {
        return Err(Fault::invalid(format!("invalid key value: a key has 1 to {KEY_BYTES_MAX} bytes")));
    }
    Ok(bytes)
}
