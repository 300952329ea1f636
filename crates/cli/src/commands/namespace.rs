//! `namespace`: servers within the server.

use super::data;
use crate::command::{Action, Command, Count};
use crate::common;
use crate::failure::{Failure, Outcome};
use crate::flags::{Arguments, Flag};
use crate::session::Session;
use client::Request;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

static CUSTOM: Flag<BTreeMap<String, String>> =
    Flag::new("custom-metadata", "KEY=VALUE", "Something to know of it; may be repeated.");
static REMOVE: Flag<Vec<String>> = Flag::new("remove-custom-metadata", "KEY", "Removes this key; may be repeated.");
static DETAILED: Flag<bool> = Flag::switch("detailed", "Shows what is known of each.");

/// `namespace`.
pub static NAMESPACE: Command = Command {
    name: "namespace",
    summary: "Create, list and lock namespaces",
    arguments: "",
    count: Count::Exactly(0),
    about: "A namespace has its own mounts, policies and people, and sees nothing of others. Commands run in the one that \
            -namespace or VAULT_NAMESPACE names.",
    examples: &[("Create one", "namespace create team"), ("Work in it", "secrets list -namespace=team")],
    flags: &[],
    action: Action::Group(&[&CREATE, &DELETE, &LIST, &LOCK, &LOOKUP, &PATCH, &SCAN, &UNLOCK]),
};

static CREATE: Command = Command {
    name: "create",
    summary: "Create a namespace",
    arguments: "PATH",
    count: Count::Exactly(1),
    about: "Creates a namespace below the present one.",
    examples: &[("One for a team", "namespace create -custom-metadata=owner=ann team")],
    flags: &[&CUSTOM.about],
    action: Action::Remote(create),
};

static DELETE: Command = Command {
    name: "delete",
    summary: "Delete a namespace and all it holds",
    arguments: "PATH",
    count: Count::Exactly(1),
    about: "Deletes a namespace with everything in it, for good. Namespaces below it have to be deleted before.",
    examples: &[("Delete it", "namespace delete team")],
    flags: &[],
    action: Action::Remote(delete),
};

static LIST: Command = Command {
    name: "list",
    summary: "List namespaces",
    arguments: "",
    count: Count::Exactly(0),
    about: "Lists the namespaces below the present one.",
    examples: &[("With what is known of them", "namespace list -detailed")],
    flags: &[&DETAILED.about],
    action: Action::Remote(|session, arguments| list(session, arguments, Request::list("sys/namespaces"))),
};

static SCAN: Command = Command {
    name: "scan",
    summary: "List namespaces of all levels",
    arguments: "",
    count: Count::Exactly(0),
    about: "Lists all namespaces below the present one, at any depth.",
    examples: &[("All of them", "namespace scan")],
    flags: &[&DETAILED.about],
    action: Action::Remote(|session, arguments| list(session, arguments, Request::scan("sys/namespaces"))),
};

static LOOKUP: Command = Command {
    name: "lookup",
    summary: "Show a namespace",
    arguments: "PATH",
    count: Count::Exactly(1),
    about: "Shows what is known of a namespace.",
    examples: &[("Show it", "namespace lookup team")],
    flags: &[],
    action: Action::Remote(lookup),
};

static PATCH: Command = Command {
    name: "patch",
    summary: "Change the notes of a namespace",
    arguments: "PATH",
    count: Count::Exactly(1),
    about: "Changes the notes that are named, and leaves all others.",
    examples: &[("One more", "namespace patch -custom-metadata=owner=bob team")],
    flags: &[&CUSTOM.about, &REMOVE.about],
    action: Action::Remote(patch),
};

static LOCK: Command = Command {
    name: "lock",
    summary: "Lock a namespace",
    arguments: "[PATH]",
    count: Count::Between(0, 1),
    about: "Locks a namespace and all below it: nothing is answered there until it is unlocked with the key that this prints.",
    examples: &[("Lock it", "namespace lock team")],
    flags: &[],
    action: Action::Remote(lock),
};

static UNLOCK: Command = Command {
    name: "unlock",
    summary: "Unlock a namespace",
    arguments: "[PATH]",
    count: Count::Between(0, 1),
    about: "Unlocks a namespace, with the key that \"{program} namespace lock\" printed. Whoever may use sudo needs no key.",
    examples: &[("With the key", "namespace unlock -unlock-key=KEY team")],
    flags: &[],
    action: Action::Remote(unlock),
};

fn bare(arguments: &Arguments) -> &str {
    arguments.at(0).trim_matches('/')
}

fn create(session: &Session, arguments: &Arguments) -> Outcome {
    let mut body = Map::new();
    if arguments.has(&CUSTOM) {
        body.insert("custom_metadata".to_owned(), json!(arguments.get(&CUSTOM)));
    }
    let request = Request::write(&format!("sys/namespaces/{}", bare(arguments)), Value::Object(body));
    session.show_data(&session.send(&request, "creating namespace")?)
}

fn delete(session: &Session, arguments: &Arguments) -> Outcome {
    let path = bare(arguments);
    let reply = session.send(&Request::delete(&format!("sys/namespaces/{path}")), "deleting namespace")?;
    session.show_warnings(&reply);
    if reply.data().is_null() && !reply.warnings().is_empty() {
        // The warning has said it: there was nothing to delete.
        return Ok(());
    }
    let state = reply.data().get("status").and_then(Value::as_str).unwrap_or_default();
    let done =
        if state == "in-progress" { "Namespace deletion scheduled" } else { "Namespace deleted (if it existed)" };
    session.success(&format!("{done}: {path}/"))
}

fn list(session: &Session, arguments: &Arguments, request: Request) -> Outcome {
    if arguments.get(&DETAILED) && !session.is_table() {
        let found = data::find(session, &request, "listing namespaces")?;
        let Some(reply) = found else { return session.nothing("No namespaces found") };
        return session.show_value(reply.data().get("key_info").unwrap_or(&Value::Null), String::new);
    }
    match data::show_keys(session, &request, "listing namespaces at", arguments.get(&DETAILED)) {
        Err(failure) if failure.message.starts_with("No value found") => Err(Failure::refused("No namespaces found")),
        other => other,
    }
}

fn lookup(session: &Session, arguments: &Arguments) -> Outcome {
    let request = Request::read(&format!("sys/namespaces/{}", bare(arguments)));
    match data::find(session, &request, "looking up namespace")? {
        Some(reply) => session.show_data(&reply),
        None => Err(Failure::refused("Namespace not found")
            .hint("\"{program} namespace list\" shows those that there are.".to_owned())),
    }
}

fn patch(session: &Session, arguments: &Arguments) -> Outcome {
    let mut notes: Map<String, Value> =
        arguments.get(&CUSTOM).into_iter().map(|(key, value)| (key, value.into())).collect();
    notes.extend(arguments.get(&REMOVE).into_iter().map(|key| (key, Value::Null)));
    let request = Request::patch(&format!("sys/namespaces/{}", bare(arguments)), json!({ "custom_metadata": notes }));
    session.show_data(&session.send(&request, "patching namespace")?)
}

fn below(area: &str, arguments: &Arguments) -> String {
    format!("sys/namespaces/api-lock/{area}/{}", bare(arguments)).trim_end_matches('/').to_owned()
}

fn lock(session: &Session, arguments: &Arguments) -> Outcome {
    let reply = session.send(&Request::act(&below("lock", arguments)), "locking namespace")?;
    let key = reply.data().get("unlock_key").and_then(Value::as_str).unwrap_or_default();
    session.show_value(&json!({ "unlock_key": key }), || {
        format!("Unlock Key: {key}\n\nThe namespace is locked. Keep this key: without it only somebody who may use sudo can unlock it.")
    })
}

fn unlock(session: &Session, arguments: &Arguments) -> Outcome {
    let key = arguments.get(&common::UNLOCK_KEY);
    let body = key.as_ref().map_or_else(|| json!({}), |key| json!({ "unlock_key": key }));
    session.send(&Request::write(&below("unlock", arguments), body), "unlocking namespace")?;
    session.terminal.say(if key.is_some() {
        "Namespace unlocked"
    } else {
        "Namespace unlocked using sudo capabilities"
    });
    Ok(())
}
