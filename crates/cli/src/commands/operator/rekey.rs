//! `operator rekey` and `rotate-keys`: new keys to unseal with.

use super::shares::{PGP_KEYS, SHARES, THRESHOLD, pgp_keys, share};
use crate::command::{Action, Command, Count};
use crate::commands::strings;
use crate::failure::{Failure, Outcome};
use crate::flags::{Arguments, Flag};
use crate::render::{self, or_none, text};
use crate::session::Session;
use client::{Reply, Request};
use serde_json::{Map, Value, json};

static INIT: Flag<bool> = Flag::switch("init", "Begins. Does nothing else.");
static CANCEL: Flag<bool> = Flag::switch("cancel", "Gives up; the old keys stay.");
static STATUS: Flag<bool> = Flag::switch("status", "Shows how far it is.");
static VERIFY: Flag<bool> = Flag::switch(
    "verify",
    "With -init: the new keys count only once they were given back. Then: gives a new key back.",
);
static NONCE: Flag<Option<String>> = Flag::new("nonce", "NONCE", "The nonce that -init printed.");
static TARGET: Flag<Option<String>> =
    Flag::new("target", "TARGET", "barrier, or recovery for the recovery keys. Default: barrier.");
static BACKUP: Flag<bool> =
    Flag::switch("backup", "With -init and -pgp-keys: the server keeps a copy of the encrypted keys.");
static BACKUP_RETRIEVE: Flag<bool> = Flag::switch("backup-retrieve", "Shows that copy.");
static BACKUP_DELETE: Flag<bool> = Flag::switch("backup-delete", "Deletes that copy.");

/// `operator rekey`.
pub static REKEY: Command = Command {
    name: "rekey",
    summary: "Make new keys to unseal with",
    arguments: "[KEY]",
    count: Count::Between(0, 1),
    about: "Makes new keys to unseal with, as many as you like; the old ones stop to work. Begin with -init, then give as \
            many of the present keys as it takes, with the nonce that -init printed. They are asked for and not shown.",
    examples: &[
        ("Begin: five new keys, three of which unseal", "operator rekey -init -key-shares=5 -key-threshold=3"),
        ("Give a present key", "operator rekey -nonce=NONCE"),
        ("Give up", "operator rekey -cancel"),
    ],
    flags: &FLAGS,
    action: Action::Remote(|session, arguments| {
        run(session, arguments, &area(arguments, "sys/rekey", "sys/rekey-recovery-key")?)
    }),
};

/// `operator rotate-keys`.
pub static ROTATE_KEYS: Command = Command {
    name: "rotate-keys",
    summary: "Make new keys to unseal with, by the newer paths",
    arguments: "[KEY]",
    count: Count::Between(0, 1),
    about: "Does what \"{program} operator rekey\" does, by the paths below sys/rotate, which need a token that may write \
            there.",
    examples: &[
        ("Begin", "operator rotate-keys -init -key-shares=5 -key-threshold=3"),
        ("Give a present key", "operator rotate-keys -nonce=NONCE"),
    ],
    flags: &FLAGS,
    action: Action::Remote(|session, arguments| {
        run(session, arguments, &area(arguments, "sys/rotate/root", "sys/rotate/recovery")?)
    }),
};

static FLAGS: [&crate::flags::FlagAbout; 12] = [
    &INIT.about,
    &CANCEL.about,
    &STATUS.about,
    &VERIFY.about,
    &NONCE.about,
    &TARGET.about,
    &SHARES.about,
    &THRESHOLD.about,
    &PGP_KEYS.about,
    &BACKUP.about,
    &BACKUP_RETRIEVE.about,
    &BACKUP_DELETE.about,
];

fn area(arguments: &Arguments, barrier: &str, recovery: &str) -> Outcome<String> {
    match arguments.get(&TARGET).as_deref() {
        None | Some("barrier") => Ok(barrier.to_owned()),
        Some("recovery" | "hsm") => Ok(recovery.to_owned()),
        Some(other) => Err(Failure::usage(format!("Unknown target {other}: give barrier or recovery"))),
    }
}

fn run(session: &Session, arguments: &Arguments, area: &str) -> Outcome {
    let verify = arguments.get(&VERIFY);
    let status_path = if verify { format!("{area}/verify") } else { format!("{area}/init") };
    if arguments.get(&BACKUP_RETRIEVE) {
        return session.show(&session.send(&Request::read(&format!("{area}/backup")), "retrieving keys")?);
    }
    if arguments.get(&BACKUP_DELETE) {
        session.send(&Request::delete(&format!("{area}/backup")), "deleting keys")?;
        return session.success("Delete stored keys");
    }
    if arguments.get(&CANCEL) {
        session.send(&Request::delete(&status_path), "canceling rekey")?;
        return session.success("Canceled rekeying (if it was started)");
    }
    if arguments.get(&STATUS) {
        return show(session, &session.send(&Request::read(&status_path), "reading rekey status")?);
    }
    if arguments.get(&INIT) {
        return begin(session, arguments, area);
    }
    give(session, arguments, area, verify)
}

fn begin(session: &Session, arguments: &Arguments, area: &str) -> Outcome {
    let mut body = Map::new();
    body.insert("secret_shares".to_owned(), arguments.get(&SHARES).unwrap_or(5).into());
    body.insert("secret_threshold".to_owned(), arguments.get(&THRESHOLD).unwrap_or(3).into());
    body.insert("backup".to_owned(), arguments.get(&BACKUP).into());
    body.insert("require_verification".to_owned(), arguments.get(&VERIFY).into());
    let keys = pgp_keys(session, &arguments.get(&PGP_KEYS))?;
    if keys.is_empty() {
        session
            .terminal
            .warn("The new keys are shown once and in clear. With -pgp-keys each is encrypted to its owner.");
    } else {
        body.insert("pgp_keys".to_owned(), keys.into());
    }
    let reply = session.send(&Request::write(&format!("{area}/init"), Value::Object(body)), "initializing rekey")?;
    show(session, &reply)
}

fn give(session: &Session, arguments: &Arguments, area: &str, verify: bool) -> Outcome {
    let path = if verify { format!("{area}/verify") } else { format!("{area}/update") };
    let missing = || {
        Failure::usage("Missing nonce value: specify it via the -nonce flag")
            .hint("\"{program} operator rekey -status\" shows it.".to_owned())
    };
    let nonce = match arguments.get(&NONCE) {
        Some(nonce) => nonce,
        // Somebody who is asked for the key sees what they take part in.
        None if arguments.positional.is_empty() => {
            let path = if verify { path.clone() } else { format!("{area}/init") };
            let status = session.send(&Request::read(&path), "reading rekey status")?;
            let nonce = member(&status, "nonce").as_str().filter(|nonce| !nonce.is_empty()).map(str::to_owned);
            let nonce = nonce.ok_or_else(|| {
                Failure::usage("No rekey is under way.")
                    .hint("\"{program} operator rekey -init\" begins one.".to_owned())
            })?;
            session.terminal.say(&format!("Rekey operation nonce: {nonce}"));
            nonce
        }
        None => return Err(missing()),
    };
    let key = share(session, arguments, "Unseal Key")?;
    let reply =
        session.send(&Request::write(&path, json!({ "key": key.as_str(), "nonce": nonce })), "updating rekey")?;
    show(session, &reply)
}

/// A member of the reply, in or out of an envelope.
fn member(reply: &Reply, name: &str) -> Value {
    reply.body.get(name).or_else(|| reply.data().get(name)).cloned().unwrap_or_default()
}

fn show(session: &Session, reply: &Reply) -> Outcome {
    let value = if reply.body.get("nonce").is_some() { &reply.body } else { reply.data() };
    session.show_value(value, || {
        let keys = strings(&member(reply, "keys_base64"));
        if keys.is_empty() { progress(reply) } else { finished(reply, &keys) }
    })
}

fn progress(reply: &Reply) -> String {
    let of = |name: &str| member(reply, name);
    let mut rows = vec![("Nonce", or_none(&of("nonce"))), ("Started", text(&of("started")))];
    if of("started") == Value::Bool(true) {
        let needed = if of("required").is_null() { of("t") } else { of("required") };
        rows.push(("Progress", format!("{}/{}", text(&of("progress")), text(&needed))));
        rows.push(("New Shares", text(&of("n"))));
        rows.push(("New Threshold", text(&of("t"))));
        rows.push(("Verification Required", text(&of("verification_required"))));
        if of("verification_nonce").as_str().is_some_and(|nonce| !nonce.is_empty()) {
            rows.push(("Verification Nonce", text(&of("verification_nonce"))));
        }
    }
    let rows: Vec<_> = rows.into_iter().map(|(key, value)| (key.to_owned(), value)).collect();
    render::pairs(&rows)
}

fn finished(reply: &Reply, keys: &[String]) -> String {
    let prints = strings(&member(reply, "pgp_fingerprints"));
    let mut lines: String = keys
        .iter()
        .enumerate()
        .map(|(index, key)| {
            let print = prints.get(index).map(|print| format!(" fingerprint: {print};")).unwrap_or_default();
            format!("Key {}:{print} {key}\n", index + 1)
        })
        .collect();
    lines.push_str(&format!("\nOperation nonce: {}\n\n", text(&member(reply, "nonce"))));
    if member(reply, "verification_required") == Value::Bool(true) {
        lines.push_str(&format!(
            "The keys above count only once enough of them were given back, with -verify and the\nnonce {}. Until then the old keys \
             unseal.",
            text(&member(reply, "verification_nonce"))
        ));
    } else {
        lines.push_str(
            "These keys unseal the server from now on; the old ones do not. Keep them apart from each other.",
        );
    }
    lines
}
