//! `operator rotate` and `key-status`.

use crate::command::{Action, Command, Count};
use crate::failure::Outcome;
use crate::flags::Arguments;
use crate::render;
use crate::session::Session;
use client::Request;
use serde_json::{Value, json};

/// `operator rotate`.
pub static ROTATE: Command = Command {
    name: "rotate",
    summary: "Encrypt with a new key from now on",
    arguments: "",
    count: Count::Exactly(0),
    about: "Makes a new key that everything is encrypted with from now on. What is stored is encrypted again in the \
            background; nobody notices, and the keys that unseal stay the same.",
    examples: &[("Rotate", "operator rotate")],
    flags: &[],
    action: Action::Remote(rotate),
};

/// `operator key-status`.
pub static KEY_STATUS: Command = Command {
    name: "key-status",
    summary: "Show the key that is encrypted with",
    arguments: "",
    count: Count::Exactly(0),
    about: "Shows the number of the key that everything is encrypted with, how old it is and how often it was used.",
    examples: &[("Show it", "operator key-status")],
    flags: &[],
    action: Action::Remote(key_status),
};

fn rotate(session: &Session, _: &Arguments) -> Outcome {
    session.send(&Request::act("sys/rotate"), "rotating key")?;
    if session.is_table() && session.field.is_none() {
        session.success("Rotated key\n\n")?;
    }
    show(session)
}

fn key_status(session: &Session, _: &Arguments) -> Outcome {
    show(session)
}

fn show(session: &Session) -> Outcome {
    let reply = session.send(&Request::read("sys/key-status"), "reading key status")?;
    let of = |name: &str| reply.data().get(name).or_else(|| reply.body.get(name)).cloned().unwrap_or(Value::Null);
    let value = json!({ "term": of("term"), "install_time": of("install_time"), "encryptions": of("encryptions") });
    let rows = [("Key Term", "term"), ("Install Time", "install_time"), ("Encryption Count", "encryptions")]
        .map(|(head, name)| (head.to_owned(), render::or_none(&of(name))));
    session.show_value(&value, || render::pairs(&rows))
}
