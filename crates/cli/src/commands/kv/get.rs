//! `kv get`, `kv list` and `kv scan`.

use super::place::{MOUNT, Place};
use crate::command::{Action, Command, Count};
use crate::commands::data;
use crate::failure::{Failure, Outcome};
use crate::flags::{Arguments, Flag};
use crate::render::{self, envelope, section};
use crate::session::Session;
use client::{Reply, Request};
use serde_json::Value;

static VERSION: Flag<Option<i64>> = Flag::new("version", "NUMBER", "This version instead of the newest.");

/// `kv get`.
pub static GET: Command = Command {
    name: "get",
    summary: "Read a secret",
    arguments: "KEY",
    count: Count::Exactly(1),
    about: "Reads a secret. Of a version that is deleted or destroyed only the metadata is shown.",
    examples: &[
        ("Read", "kv get -mount=secret app"),
        ("One value", "kv get -mount=secret -field=password app"),
        ("An older version", "kv get -mount=secret -version=3 app"),
    ],
    flags: &[&MOUNT.about, &VERSION.about],
    action: Action::Remote(get),
};

/// `kv list`.
pub static LIST: Command = Command {
    name: "list",
    summary: "List secrets",
    arguments: "[KEY]",
    count: Count::Between(0, 1),
    about: "Lists the secrets below a place; those that end in / have more below.",
    examples: &[("A mount", "kv list -mount=secret"), ("A folder", "kv list -mount=secret app")],
    flags: &[&MOUNT.about],
    action: Action::Remote(list),
};

/// `kv scan`.
pub static SCAN: Command = Command {
    name: "scan",
    summary: "List secrets of all levels",
    arguments: "[KEY]",
    count: Count::Between(0, 1),
    about: "Lists all secrets below a place, at any depth.",
    examples: &[("A mount", "kv scan -mount=secret")],
    flags: &[&MOUNT.about],
    action: Action::Remote(scan),
};

fn get(session: &Session, arguments: &Arguments) -> Outcome {
    let place = Place::of_secret(session, arguments)?;
    let path = place.path("data");
    let mut request = Request::read(&path);
    if let Some(version) = arguments.get(&VERSION) {
        place.must_be_versioned("-version")?;
        request = request.with_query("version", &version.to_string());
    }
    let Some(reply) = data::find(session, &request, &format!("reading {path}"))? else {
        return Err(Failure::refused(format!("No value found at {path}")));
    };
    if !place.versioned {
        return session.show(&reply);
    }
    if session.field.is_some() {
        return session.show(&values(&reply));
    }
    session.show_as(&reply, || table(&path, &reply))
}

/// What `-field` can name: the secret's values, and `data` and `metadata` where no value has that name.
fn values(reply: &Reply) -> Reply {
    let mut all = reply.data().as_object().cloned().unwrap_or_default();
    if let Some(values) = reply.data().get("data").and_then(Value::as_object) {
        all.extend(values.clone());
    }
    data::as_reply(Value::Object(all))
}

fn table(path: &str, reply: &Reply) -> String {
    let part = |name: &str| reply.data().get(name).cloned().unwrap_or_default();
    let mut text = format!("{}\n\n{}", section("Secret Path", path), section("Metadata", &object(&part("metadata"))));
    if part("data").is_object() {
        text.push_str(&format!("\n\n{}", section("Data", &object(&part("data")))));
    }
    text
}

/// A table of an object.
pub(super) fn object(value: &Value) -> String {
    let members = value.as_object().cloned().unwrap_or_default();
    let rows: envelope::Pairs = members.iter().map(|(name, value)| (name.clone(), render::or_none(value))).collect();
    render::pairs(&rows)
}

fn list(session: &Session, arguments: &Arguments) -> Outcome {
    let path = folder(session, arguments)?;
    data::show_keys(session, &Request::list(&path), "listing", false)
}

fn scan(session: &Session, arguments: &Arguments) -> Outcome {
    let path = folder(session, arguments)?;
    data::show_keys(session, &Request::scan(&path), "scanning", false)
}

fn folder(session: &Session, arguments: &Arguments) -> Outcome<String> {
    if arguments.positional.is_empty() && !arguments.has(&MOUNT) {
        return Err(Failure::usage("Not enough arguments (expected 1, got 0)")
            .hint("Name a mount: \"{program} kv list -mount=secret\".".to_owned()));
    }
    Ok(Place::of(session, arguments, arguments.at(0))?.path("metadata"))
}
