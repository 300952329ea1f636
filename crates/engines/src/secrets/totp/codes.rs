//! Codes: made as an authenticator does, or checked. A code that was accepted is not accepted again while it would be
//! (security row S62).

use super::key::{Key, name_in_path, save_used, used};
use super::wire::{CodeField, NamePath};
use engine::crypto::same;
use engine::{Cx, Fault, Reply};
use serde_json::json;

/// The code of now.
pub(super) fn make(cx: &mut Cx, path: NamePath) -> Result<Reply, Fault> {
    let (_, key) = key(cx, &path)?;
    let counter = key.counter(cx.now);
    let expires = i64::try_from(counter).unwrap_or_default().saturating_add(1).saturating_mul(key.period);
    Ok(Reply::data(json!({
        "code": key.code(counter),
        "generated": cx.now.seconds(),
        "expire_time": expires,
        "period": duration(key.period),
    })))
}

/// Whether a code is one of now.
pub(super) fn check(cx: &mut Cx, (path, sent): (NamePath, CodeField)) -> Result<Reply, Fault> {
    let name = name_in_path(&path.name)?;
    let code = sent.code.0.as_str();
    if code.is_empty() {
        return Err(Fault::invalid("the code value is required"));
    }
    let (name, key) = key(cx, &NamePath { name: name.to_owned() })?;
    // One spelling for each code: neither blanks nor signs nor digits of other scripts.
    let digits = usize::try_from(key.digits).unwrap_or_default();
    if code.len() != digits || !code.bytes().all(|byte| byte.is_ascii_digit()) {
        return Err(Fault::invalid("invalid number of digits for the code"));
    }
    let window = key.window(key.counter(cx.now));
    let matching: Vec<u64> =
        window.clone().filter(|counter| same(key.code(*counter).as_bytes(), code.as_bytes())).collect();
    if matching.is_empty() {
        return Ok(Reply::data(json!({ "valid": false })));
    }
    let mut used = used(cx, &name)?;
    if matching.iter().any(|counter| used.counters.contains(counter)) {
        return Err(Fault::invalid("code already used; wait until the next time period"));
    }
    used.counters.retain(|counter| counter >= window.start());
    used.counters.extend(matching);
    save_used(cx, &name, &used)?;
    Ok(Reply::data(json!({ "valid": true })))
}

fn key(cx: &mut Cx, path: &NamePath) -> Result<(String, Key), Fault> {
    let name = name_in_path(&path.name)?;
    let key = Key::load(cx, name)?.ok_or_else(|| Fault::invalid(format!("unknown key: {name}")))?;
    Ok((name.to_owned(), key))
}

/// Seconds as upstream prints a duration: `30s`, `1m0s`, `1h0m0s`.
fn duration(seconds: i64) -> String {
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{rest}s"),
        (0, _) => format!("{minutes}m{rest}s"),
        _ => format!("{hours}h{minutes}m{rest}s"),
    }
}
