//! `kv put`, `kv patch` and `kv rollback`: new versions.

use super::get::object;
use super::place::{MOUNT, Place};
use crate::command::{Action, Command, Count};
use crate::failure::{Failure, Outcome};
use crate::fields;
use crate::flags::{Arguments, Flag};
use crate::render::section;
use crate::session::Session;
use client::{ClientError, Reply, Request};
use serde_json::{Map, Value, json};

static CAS: Flag<Option<i64>> =
    Flag::new("cas", "VERSION", "Writes only if this is the newest version; 0 if there must be none.");
static METHOD: Flag<Option<String>> = Flag::new(
    "method",
    "METHOD",
    "patch has the server change the secret; rw reads, changes and writes it, and needs no right to patch. Without it rw \
     is tried where patch is not allowed.",
);
static REMOVE: Flag<Vec<String>> = Flag::new("remove-data", "KEY", "Removes this key; may be repeated.");
static VERSION: Flag<Option<i64>> = Flag::new("version", "NUMBER", "The version to go back to.");

/// `kv put`.
pub static PUT: Command = Command {
    name: "put",
    summary: "Write a secret",
    arguments: "KEY [K=V...]",
    count: Count::AtLeast(1),
    about: "Writes a secret: a new version with exactly these values. A value is text, @FILE, or - for standard input.",
    examples: &[
        ("Write", "kv put -mount=secret app user=web password=@password.txt"),
        ("An object of a file", "kv put -mount=secret app @app.json"),
        ("Only if nobody has written it before", "kv put -mount=secret -cas=0 app user=web"),
    ],
    flags: &[&MOUNT.about, &CAS.about],
    action: Action::Remote(put),
};

/// `kv patch`.
pub static PATCH: Command = Command {
    name: "patch",
    summary: "Change some values of a secret",
    arguments: "KEY [K=V...]",
    count: Count::AtLeast(1),
    about: "Writes a new version of a secret, in which these values are changed and all others stay.",
    examples: &[
        ("Change one value", "kv patch -mount=secret app password=@password.txt"),
        ("Remove one", "kv patch -mount=secret -remove-data=user app"),
    ],
    flags: &[&MOUNT.about, &CAS.about, &METHOD.about, &REMOVE.about],
    action: Action::Remote(patch),
};

/// `kv rollback`.
pub static ROLLBACK: Command = Command {
    name: "rollback",
    summary: "Write an older version again",
    arguments: "KEY",
    count: Count::Exactly(1),
    about: "Writes a new version with the values of an older one.",
    examples: &[("Go back to version 2", "kv rollback -mount=secret -version=2 app")],
    flags: &[&MOUNT.about, &VERSION.about],
    action: Action::Remote(rollback),
};

fn put(session: &Session, arguments: &Arguments) -> Outcome {
    if arguments.from(1).is_empty() {
        return Err(Failure::usage("Must supply data")
            .hint("For example: \"{program} kv put -mount=secret app key=value\".".into()));
    }
    let values = fields::parse(session.terminal, arguments.from(1))?;
    let place = Place::of_secret(session, arguments)?;
    let path = place.path("data");
    if !place.versioned {
        let reply = session.send(&Request::write(&path, Value::Object(values)), &format!("writing data to {path}"))?;
        return session.show_written(&reply, &format!("Data written to: {path}"));
    }
    let reply = session.send(&Request::write(&path, version(values, arguments)), &format!("writing data to {path}"))?;
    show(session, &path, &reply)
}

/// The body of a new version.
fn version(values: Map<String, Value>, arguments: &Arguments) -> Value {
    let options = arguments.get(&CAS).map(|cas| json!({ "cas": cas })).unwrap_or_else(|| json!({}));
    json!({ "data": values, "options": options })
}

/// The metadata of the version that was written.
fn show(session: &Session, path: &str, reply: &Reply) -> Outcome {
    if !reply.data().is_object() {
        return session.show_written(reply, &format!("Data written to: {path}"));
    }
    session.show_as(reply, || {
        format!("{}\n\n{}", section("Secret Path", path), section("Metadata", &object(reply.data())))
    })
}

fn patch(session: &Session, arguments: &Arguments) -> Outcome {
    let mut values = fields::parse(session.terminal, arguments.from(1))?;
    values.extend(arguments.get(&REMOVE).into_iter().map(|key| (key, Value::Null)));
    if values.is_empty() {
        return Err(Failure::usage("Must supply data").hint("Give values to change, or -remove-data=KEY.".to_owned()));
    }
    let place = Place::of_secret(session, arguments)?;
    place.must_be_versioned("kv patch")?;
    let path = place.path("data");
    let tried = format!("writing data to {path}");
    match arguments.get(&METHOD).as_deref() {
        Some("rw") => return rewrite(session, &path, values),
        Some("patch") | None => {}
        Some(other) => return Err(Failure::usage(format!("Unknown method {other}: give patch or rw"))),
    }
    match session.send_or(&Request::patch(&path, version(values.clone(), arguments)))? {
        Ok(reply) => show(session, &path, &reply),
        Err(ClientError::Refused(refusal)) if matches!(refusal.status, 403 | 405) && !arguments.has(&METHOD) => {
            rewrite(session, &path, values)
        }
        Err(error) => Err(Failure::of_client(&tried, &error)
            .hint("Only a secret that is there can be patched: \"{program} kv put\" writes a new one.".to_owned())),
    }
}

/// Reads, changes and writes; refused if somebody else wrote in between.
fn rewrite(session: &Session, path: &str, changes: Map<String, Value>) -> Outcome {
    let (mut values, newest) = read(session, path, None)?;
    for (key, value) in changes {
        if value.is_null() {
            values.remove(&key);
        } else {
            values.insert(key, value);
        }
    }
    let body = json!({ "data": values, "options": { "cas": newest } });
    let reply = session.send(&Request::write(path, body), &format!("writing data to {path}"))?;
    show(session, path, &reply)
}

fn rollback(session: &Session, arguments: &Arguments) -> Outcome {
    let Some(wanted) = arguments.get(&VERSION).filter(|version| *version > 0) else {
        return Err(Failure::usage("Must provide a version with -version")
            .hint("\"{program} kv metadata get\" lists the versions.".to_owned()));
    };
    let place = Place::of_secret(session, arguments)?;
    place.must_be_versioned("kv rollback")?;
    let path = place.path("data");
    let metadata = session.ask(&Request::read(&place.path("metadata")));
    let metadata =
        metadata.map_err(|error| Failure::of_client(&format!("reading {}", place.path("metadata")), &error))?;
    let newest = metadata.data().get("current_version").cloned().unwrap_or_default();
    let (values, _) = read(session, &path, Some(wanted))?;
    let body = json!({ "data": values, "options": { "cas": newest } });
    let reply = session.send(&Request::write(&path, body), &format!("writing data to {path}"))?;
    session.show(&reply)
}

/// Values and number of a version, the newest if none is named.
fn read(session: &Session, path: &str, version: Option<i64>) -> Outcome<(Map<String, Value>, Value)> {
    let mut request = Request::read(path);
    if let Some(version) = version {
        request = request.with_query("version", &version.to_string());
    }
    let gone = || Failure::refused(format!("No value found at {path}"));
    let reply = match session.ask(&request) {
        Ok(reply) => reply,
        Err(ClientError::Refused(refusal)) if refusal.status == 404 => return Err(gone()),
        Err(error) => return Err(Failure::of_client(&format!("reading {path}"), &error)),
    };
    let values = reply.data().get("data").and_then(Value::as_object).cloned().ok_or_else(gone)?;
    Ok((values, reply.data().pointer("/metadata/version").cloned().unwrap_or_default()))
}
