//! Key shares: asked for, read, and never shown.

use crate::failure::{Failure, Outcome};
use crate::fields;
use crate::flags::{Arguments, Flag};
use crate::session::Session;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde_json::Value;
use zeroize::Zeroizing;

/// How many shares.
pub static SHARES: Flag<Option<i64>> =
    Flag::new("key-shares", "COUNT", "How many keys to make. Default: 5.").alias("n");
/// How many of them are needed.
pub static THRESHOLD: Flag<Option<i64>> =
    Flag::new("key-threshold", "COUNT", "How many of the keys are needed together. Default: 3.").alias("t");
/// Who they are encrypted for.
pub static PGP_KEYS: Flag<Vec<String>> = Flag::new(
    "pgp-keys",
    "FILES",
    "Files with OpenPGP public keys, one for each key and parted by commas; each key is printed encrypted to one.",
);

/// The share of the first argument, asked for if it is missing.
pub fn share(session: &Session, arguments: &Arguments, what: &str) -> Outcome<Zeroizing<String>> {
    match arguments.at(0) {
        "" => session.terminal.ask_secret(what, "Pipe it in and give - as the argument."),
        "-" => Ok(Zeroizing::new(session.terminal.secret_input(what)?.trim().to_owned())),
        share => {
            fields::warn_of_argument(session.terminal, "key");
            Ok(Zeroizing::new(share.to_owned()))
        }
    }
}

/// OpenPGP keys of files, in base64 without armor.
pub fn pgp_keys(session: &Session, files: &[String]) -> Outcome<Vec<Value>> {
    let names = files.iter().flat_map(|names| names.split(',')).map(str::trim).filter(|name| !name.is_empty());
    names.map(|name| pgp_key(session, name).map(Value::from)).collect()
}

/// One OpenPGP key.
pub fn pgp_key(session: &Session, name: &str) -> Outcome<String> {
    if name.starts_with("keybase:") {
        return Err(Failure::usage(format!("{name}: keys are not fetched from Keybase."))
            .hint("Export the key into a file and name the file.".to_owned()));
    }
    let name = name.trim_start_matches('@');
    let bytes = std::fs::read(name).map_err(|error| Failure::usage(format!("open {name}: {error}")))?;
    let Ok(text) = String::from_utf8(bytes.clone()) else { return Ok(STANDARD.encode(bytes)) };
    if !text.contains("-----BEGIN PGP") {
        return Ok(text.split_whitespace().collect());
    }
    // RFC 9580, 6.2: headers end at an empty line, a checksum begins with an equals sign.
    let body = text.lines().map(str::trim).skip_while(|line| !line.is_empty()).skip(1);
    let body = body.take_while(|line| !line.starts_with('=') && !line.starts_with("-----")).collect::<String>();
    if body.is_empty() {
        session.terminal.warn(&format!("{name} holds no OpenPGP key."));
    }
    Ok(body)
}
