//! `kv metadata` and `kv enable-versioning`: what is kept besides the values.

use super::get::object;
use super::place::{MOUNT, Place};
use crate::command::{Action, Command, Count};
use crate::commands::{data, with_slash};
use crate::failure::{Failure, Outcome};
use crate::flags::{Arguments, Flag, Seconds};
use crate::render::section;
use crate::session::Session;
use client::{Reply, Request};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

static CAS_REQUIRED: Flag<Option<bool>> = Flag::new("cas-required", "", "Whether every write has to give -cas.");
static MAX_VERSIONS: Flag<Option<i64>> = Flag::new("max-versions", "COUNT", "How many versions are kept.");
static DELETE_AFTER: Flag<Option<Seconds>> =
    Flag::new("delete-version-after", "DURATION", "When a version is deleted by itself.");
static CUSTOM: Flag<BTreeMap<String, String>> =
    Flag::new("custom-metadata", "KEY=VALUE", "Something to know of the secret; may be repeated.");
static REMOVE: Flag<Vec<String>> = Flag::new("remove-custom-metadata", "KEY", "Removes this key; may be repeated.");

/// `kv metadata`.
pub static METADATA: Command = Command {
    name: "metadata",
    summary: "Versions, limits and notes of a secret",
    arguments: "",
    count: Count::Exactly(0),
    about: "What an engine of version 2 keeps of a secret besides its values: versions, limits, and notes of your own.",
    examples: &[
        ("See the versions", "kv metadata get -mount=secret app"),
        ("Keep five versions", "kv metadata put -mount=secret -max-versions=5 app"),
    ],
    flags: &[],
    action: Action::Group(&[&DELETE, &GET, &PATCH, &PUT]),
};

static GET: Command = Command {
    name: "get",
    summary: "Show versions, limits and notes",
    arguments: "KEY",
    count: Count::Exactly(1),
    about: "Shows what is kept of a secret besides its values.",
    examples: &[("See the versions", "kv metadata get -mount=secret app")],
    flags: &[&MOUNT.about],
    action: Action::Remote(get),
};

static PUT: Command = Command {
    name: "put",
    summary: "Set limits and notes",
    arguments: "KEY",
    count: Count::Exactly(1),
    about: "Sets limits and notes of a secret, which need not have a version yet. Notes that are not named are removed.",
    examples: &[("Whose it is", "kv metadata put -mount=secret -custom-metadata=owner=web app")],
    flags: &[&MOUNT.about, &CAS_REQUIRED.about, &MAX_VERSIONS.about, &DELETE_AFTER.about, &CUSTOM.about],
    action: Action::Remote(put),
};

static PATCH: Command = Command {
    name: "patch",
    summary: "Change limits and notes",
    arguments: "KEY",
    count: Count::Exactly(1),
    about: "Changes the limits and notes that are named, and leaves all others.",
    examples: &[("One more note", "kv metadata patch -mount=secret -custom-metadata=team=red app")],
    flags: &[&MOUNT.about, &CAS_REQUIRED.about, &MAX_VERSIONS.about, &DELETE_AFTER.about, &CUSTOM.about, &REMOVE.about],
    action: Action::Remote(patch),
};

static DELETE: Command = Command {
    name: "delete",
    summary: "Remove a secret with all its versions",
    arguments: "KEY",
    count: Count::Exactly(1),
    about: "Removes a secret for good, with all versions and all that is known of it.",
    examples: &[("Remove it", "kv metadata delete -mount=secret app")],
    flags: &[&MOUNT.about],
    action: Action::Remote(delete),
};

/// `kv enable-versioning`.
pub static ENABLE_VERSIONING: Command = Command {
    name: "enable-versioning",
    summary: "Let a kv engine keep versions",
    arguments: "MOUNT",
    count: Count::Exactly(1),
    about: "Turns a kv engine of version 1 into one of version 2. Its secrets become their own first versions; there is no \
            way back.",
    examples: &[("The engine at old/", "kv enable-versioning old")],
    flags: &[],
    action: Action::Remote(enable_versioning),
};

fn place(session: &Session, arguments: &Arguments) -> Outcome<Place> {
    let place = Place::of_secret(session, arguments)?;
    place.must_be_versioned("kv metadata")?;
    Ok(place)
}

fn get(session: &Session, arguments: &Arguments) -> Outcome {
    let path = place(session, arguments)?.path("metadata");
    match data::find(session, &Request::read(&path), &format!("reading {path}"))? {
        None => Err(Failure::refused(format!("No value found at {path}"))),
        Some(reply) => session.show_as(&reply, || table(&path, &reply)),
    }
}

fn table(path: &str, reply: &Reply) -> String {
    let mut members = reply.data().as_object().cloned().unwrap_or_default();
    let versions = members.remove("versions").and_then(|versions| versions.as_object().cloned()).unwrap_or_default();
    let mut versions: Vec<(u64, Value)> =
        versions.into_iter().filter_map(|(number, of)| Some((number.parse().ok()?, of))).collect();
    versions.sort_by_key(|(number, _)| *number);
    let mut parts = vec![section("Metadata Path", path), section("Metadata", &object(&Value::Object(members)))];
    parts.extend(versions.iter().map(|(number, of)| section(&format!("Version {number}"), &object(of))));
    parts.join("\n\n")
}

fn put(session: &Session, arguments: &Arguments) -> Outcome {
    let path = place(session, arguments)?.path("metadata");
    let mut body = limits(arguments);
    if arguments.has(&CUSTOM) {
        body.insert("custom_metadata".to_owned(), json!(arguments.get(&CUSTOM)));
    }
    let reply = session.send(&Request::write(&path, Value::Object(body)), &format!("writing data to {path}"))?;
    session.show_written(&reply, &format!("Data written to: {path}"))
}

fn patch(session: &Session, arguments: &Arguments) -> Outcome {
    let path = place(session, arguments)?.path("metadata");
    let mut body = limits(arguments);
    let mut notes: Map<String, Value> =
        arguments.get(&CUSTOM).into_iter().map(|(key, value)| (key, value.into())).collect();
    notes.extend(arguments.get(&REMOVE).into_iter().map(|key| (key, Value::Null)));
    if !notes.is_empty() {
        body.insert("custom_metadata".to_owned(), Value::Object(notes));
    }
    let reply = session.send(&Request::patch(&path, Value::Object(body)), &format!("writing data to {path}"))?;
    session.show_written(&reply, &format!("Data written to: {path}"))
}

fn limits(arguments: &Arguments) -> Map<String, Value> {
    let mut body = Map::new();
    if let Some(required) = arguments.get(&CAS_REQUIRED) {
        body.insert("cas_required".to_owned(), required.into());
    }
    if let Some(count) = arguments.get(&MAX_VERSIONS) {
        body.insert("max_versions".to_owned(), count.into());
    }
    if let Some(Seconds(seconds)) = arguments.get(&DELETE_AFTER) {
        body.insert("delete_version_after".to_owned(), format!("{seconds}s").into());
    }
    body
}

fn delete(session: &Session, arguments: &Arguments) -> Outcome {
    let path = place(session, arguments)?.path("metadata");
    session.send(&Request::delete(&path), &format!("deleting {path}"))?;
    session.success(&format!("Data deleted (if it existed) at: {path}"))
}

fn enable_versioning(session: &Session, arguments: &Arguments) -> Outcome {
    let mount = with_slash(arguments.at(0));
    let request = Request::write(&format!("sys/mounts/{}tune", mount), json!({ "options": { "version": "2" } }));
    session.send(&request, &format!("tuning secrets engine {mount}"))?;
    session.success(&format!("Tuned the secrets engine at: {mount}"))
}
