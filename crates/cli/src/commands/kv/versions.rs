//! `kv delete`, `kv undelete` and `kv destroy`: versions that are hidden, shown again, or gone.

use super::place::{MOUNT, Place};
use crate::command::{Action, Command, Count};
use crate::failure::{Failure, Outcome};
use crate::flags::{Arguments, Flag};
use crate::session::Session;
use client::Request;
use serde_json::json;

static VERSIONS: Flag<Vec<String>> = Flag::new("versions", "NUMBERS", "Versions, such as 1,2; may be repeated.");

/// `kv delete`.
pub static DELETE: Command = Command {
    name: "delete",
    summary: "Delete versions of a secret",
    arguments: "KEY",
    count: Count::Exactly(1),
    about: "Deletes the newest version of a secret, or those named. They can be undeleted. Without versions the secret is \
            gone for good.",
    examples: &[
        ("The newest version", "kv delete -mount=secret app"),
        ("Two others", "kv delete -mount=secret -versions=1,2 app"),
    ],
    flags: &[&MOUNT.about, &VERSIONS.about],
    action: Action::Remote(delete),
};

/// `kv undelete`.
pub static UNDELETE: Command = Command {
    name: "undelete",
    summary: "Bring deleted versions back",
    arguments: "KEY",
    count: Count::Exactly(1),
    about: "Brings deleted versions of a secret back. Destroyed versions are gone.",
    examples: &[("Bring version 3 back", "kv undelete -mount=secret -versions=3 app")],
    flags: &[&MOUNT.about, &VERSIONS.about],
    action: Action::Remote(undelete),
};

/// `kv destroy`.
pub static DESTROY: Command = Command {
    name: "destroy",
    summary: "Remove versions of a secret for good",
    arguments: "KEY",
    count: Count::Exactly(1),
    about: "Removes the values of versions for good. That they existed stays in the metadata.",
    examples: &[("Destroy versions 1 and 2", "kv destroy -mount=secret -versions=1,2 app")],
    flags: &[&MOUNT.about, &VERSIONS.about],
    action: Action::Remote(destroy),
};

fn delete(session: &Session, arguments: &Arguments) -> Outcome {
    let place = Place::of_secret(session, arguments)?;
    let path = place.path("data");
    let versions = versions(arguments)?;
    let request = if versions.is_empty() {
        Request::delete(&path)
    } else {
        place.must_be_versioned("-versions")?;
        Request::write(&place.path("delete"), json!({ "versions": versions }))
    };
    let reply = session.send(&request, &format!("deleting {path}"))?;
    session.show_written(&reply, &format!("Data deleted (if it existed) at: {path}"))
}

fn undelete(session: &Session, arguments: &Arguments) -> Outcome {
    change(session, arguments, "undelete")
}

fn destroy(session: &Session, arguments: &Arguments) -> Outcome {
    change(session, arguments, "destroy")
}

fn change(session: &Session, arguments: &Arguments, area: &str) -> Outcome {
    let versions = versions(arguments)?;
    if versions.is_empty() {
        return Err(Failure::usage("No versions provided, use the \"-versions\" flag to specify the versions")
            .hint("\"{program} kv metadata get\" lists them.".to_owned()));
    }
    let place = Place::of_secret(session, arguments)?;
    place.must_be_versioned(&format!("kv {area}"))?;
    let path = place.path(area);
    let reply =
        session.send(&Request::write(&path, json!({ "versions": versions })), &format!("writing data to {path}"))?;
    session.show_written(&reply, &format!("Data written to: {path}"))
}

fn versions(arguments: &Arguments) -> Outcome<Vec<u64>> {
    let texts = arguments.get(&VERSIONS);
    let numbers = texts.iter().flat_map(|text| text.split(',')).map(str::trim).filter(|text| !text.is_empty());
    let parsed: Result<Vec<u64>, _> = numbers.map(str::parse).collect();
    parsed.map_err(|_| Failure::usage("invalid value for flag -versions: expected numbers such as 1,2"))
}
