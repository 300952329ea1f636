//! `operator init`.

use super::shares::{PGP_KEYS, SHARES, THRESHOLD, pgp_key, pgp_keys};
use crate::command::{Action, Command, Count};
use crate::commands::strings;
use crate::failure::{Failure, Outcome, REFUSED};
use crate::flags::{Arguments, Flag};
use crate::session::Session;
use client::Request;
use serde_json::{Map, Value, json};

static STATUS: Flag<bool> =
    Flag::switch("status", "Only says whether the server is initialized: exit code 0 if it is, 2 if it is not.");
static ROOT_PGP: Flag<Option<String>> = Flag::new(
    "root-token-pgp-key",
    "FILE",
    "File with an OpenPGP public key; the root token is printed encrypted to it.",
);
static RECOVERY_SHARES: Flag<Option<i64>> =
    Flag::new("recovery-shares", "COUNT", "How many recovery keys to make, if the server unseals itself.");
static RECOVERY_THRESHOLD: Flag<Option<i64>> =
    Flag::new("recovery-threshold", "COUNT", "How many recovery keys are needed together.");
static RECOVERY_PGP: Flag<Vec<String>> = Flag::new("recovery-pgp-keys", "FILES", "As -pgp-keys, for recovery keys.");

/// `operator init`.
pub static INIT: Command = Command {
    name: "init",
    summary: "Initialize a new server",
    arguments: "",
    count: Count::Exactly(0),
    about: "Initializes a new server: makes its keys and its first token, and prints them. They are never printed again, \
            and without them the data of the server is lost. Give each key to another person, and revoke the root token \
            once there are better ones.",
    examples: &[
        ("Five keys, any three of which unseal", "operator init"),
        ("One key, for a test", "operator init -key-shares=1 -key-threshold=1"),
        ("Keys that only their owners can read", "operator init -n=2 -t=2 -pgp-keys=ann.asc,bob.asc"),
    ],
    flags: &[
        &STATUS.about,
        &SHARES.about,
        &THRESHOLD.about,
        &PGP_KEYS.about,
        &ROOT_PGP.about,
        &RECOVERY_SHARES.about,
        &RECOVERY_THRESHOLD.about,
        &RECOVERY_PGP.about,
    ],
    action: Action::Remote(init),
};

fn init(session: &Session, arguments: &Arguments) -> Outcome {
    if arguments.get(&STATUS) {
        return status(session);
    }
    let reply = session.send(&Request::write("sys/init", body(session, arguments)?), "initializing")?;
    let shares = arguments.get(&SHARES).unwrap_or(5);
    let threshold = arguments.get(&THRESHOLD).unwrap_or(3);
    let of = |name: &str| reply.body.get(name).cloned().unwrap_or_default();
    let value = json!({
        "unseal_keys_b64": of("keys_base64"), "unseal_keys_hex": of("keys"),
        "unseal_shares": shares, "unseal_threshold": threshold,
        "recovery_keys_b64": of("recovery_keys_base64"), "recovery_keys_hex": of("recovery_keys"),
        "recovery_keys_shares": arguments.get(&RECOVERY_SHARES).unwrap_or(0),
        "recovery_keys_threshold": arguments.get(&RECOVERY_THRESHOLD).unwrap_or(0),
        "root_token": of("root_token"),
    });
    session.show_value(&value, || table(&session.terminal.program, &reply.body, shares, threshold))
}

fn body(session: &Session, arguments: &Arguments) -> Outcome<Value> {
    let mut body = Map::new();
    body.insert("secret_shares".to_owned(), arguments.get(&SHARES).unwrap_or(5).into());
    body.insert("secret_threshold".to_owned(), arguments.get(&THRESHOLD).unwrap_or(3).into());
    for (name, flag) in [("pgp_keys", &PGP_KEYS), ("recovery_pgp_keys", &RECOVERY_PGP)] {
        let keys = pgp_keys(session, &arguments.get(flag))?;
        if !keys.is_empty() {
            body.insert(name.to_owned(), keys.into());
        }
    }
    for (name, flag) in [("recovery_shares", &RECOVERY_SHARES), ("recovery_threshold", &RECOVERY_THRESHOLD)] {
        if let Some(count) = arguments.get(flag) {
            body.insert(name.to_owned(), count.into());
        }
    }
    if let Some(file) = arguments.get(&ROOT_PGP) {
        body.insert("root_token_pgp_key".to_owned(), pgp_key(session, &file)?.into());
    }
    Ok(Value::Object(body))
}

fn status(session: &Session) -> Outcome {
    let reply = session.send(&Request::read("sys/init"), "checking initialization status")?;
    if reply.body.get("initialized") == Some(&Value::Bool(true)) {
        return session.terminal.print("Vault is initialized");
    }
    session.terminal.print("Vault is not initialized")?;
    Err(Failure::ended(REFUSED))
}

fn table(program: &str, body: &Value, shares: i64, threshold: i64) -> String {
    let keys = |name: &str| strings(body.get(name).unwrap_or(&Value::Null));
    let mut text = String::new();
    for (what, name) in [("Unseal", "keys_base64"), ("Recovery", "recovery_keys_base64")] {
        for (index, key) in keys(name).iter().enumerate() {
            text.push_str(&format!("{what} Key {}: {key}\n", index + 1));
        }
    }
    let token = body.get("root_token").and_then(Value::as_str).unwrap_or_default();
    text.push_str(&format!("\nInitial Root Token: {token}\n\n"));
    if keys("keys_base64").is_empty() {
        text.push_str("The server is initialized and unseals itself. Keep the recovery keys apart from each other.");
    } else {
        text.push_str(&format!(
            "The server is initialized with {shares} keys, {threshold} of which unseal it after each start:\n\"{program} \
             operator unseal\". Nobody can make them again: keep them apart from each other,\nand apart from this server."
        ));
    }
    text
}
