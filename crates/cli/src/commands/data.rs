//! `read`, `write`, `patch`, `delete`, `list`, `scan`: any path of the API.

use super::strings;
use crate::command::{Action, Command, Count};
use crate::failure::{Failure, Outcome};
use crate::flags::{Arguments, Flag};
use crate::render::envelope::{self, cell};
use crate::session::{Format, Session};
use crate::{fields, render};
use client::{ClientError, Reply, Request};
use serde_json::{Map, Value};

static FORCE: Flag<bool> = Flag::switch("force", "Writes without any data.").alias("f");
static AFTER: Flag<Option<String>> = Flag::new("after", "KEY", "Lists what comes after this key.");
static LIMIT: Flag<Option<i64>> = Flag::new("limit", "COUNT", "Lists so many keys at most.");
static DETAILED: Flag<bool> = Flag::switch("detailed", "Shows what the server tells of each key.");

/// `read`.
pub static READ: Command = Command {
    name: "read",
    summary: "Read data and secrets",
    arguments: "PATH [K=V...]",
    count: Count::AtLeast(1),
    about: "Reads a path of the API. Further arguments become parameters of the request.\n\nSecrets of a kv engine are \
            read more easily with \"{program} kv get\".",
    examples: &[
        ("Read the configuration of a role", "read auth/approle/role/web"),
        ("One field, for a script", "read -field=role_id auth/approle/role/web/role-id"),
        ("A certain version of a secret", "read secret/data/app version=2"),
    ],
    flags: &[],
    action: Action::Remote(read),
};

/// `write`.
pub static WRITE: Command = Command {
    name: "write",
    summary: "Write data, configuration and secrets",
    arguments: "PATH [K=V...]",
    count: Count::AtLeast(1),
    about: "Writes to a path of the API. A value is text, @FILE for the content of a file, or - for standard input; @FILE \
            or - alone is an object in JSON. A value that begins with @ itself is written \\@.",
    examples: &[
        (
            "Create a user; the password is read from standard input",
            "write auth/userpass/users/ann password=- policies=app",
        ),
        ("Write what a file holds", "write auth/cert/certs/web certificate=@web.pem"),
        ("Write an object", "write secret/data/app @app.json"),
        ("Call a path that needs no data", "write -force auth/approle/role/web/secret-id"),
    ],
    flags: &[&FORCE.about],
    action: Action::Remote(write),
};

/// `patch`.
pub static PATCH: Command = Command {
    name: "patch",
    summary: "Change some of what a path holds",
    arguments: "PATH [K=V...]",
    count: Count::AtLeast(1),
    about: "Changes the fields that are named and leaves all others (JSON merge patch). Values are given as for \"write\".",
    examples: &[("Change the description of a group", "patch identity/group/name/ops metadata=@meta.json")],
    flags: &[&FORCE.about],
    action: Action::Remote(patch),
};

/// `delete`.
pub static DELETE: Command = Command {
    name: "delete",
    summary: "Delete secrets and configuration",
    arguments: "PATH [K=V...]",
    count: Count::AtLeast(1),
    about: "Deletes what is at a path of the API. What this means depends on what serves the path: a version of a secret \
            can be undeleted, a role is gone.",
    examples: &[("Delete a role", "delete auth/approle/role/web")],
    flags: &[],
    action: Action::Remote(delete),
};

/// `list`.
pub static LIST: Command = Command {
    name: "list",
    summary: "List keys",
    arguments: "PATH",
    count: Count::Exactly(1),
    about: "Lists the keys below a path of the API; those that end in / have more below.",
    examples: &[
        ("Roles", "list auth/approle/role"),
        ("The next hundred secrets", "list -after=m -limit=100 secret/metadata"),
    ],
    flags: &[&AFTER.about, &LIMIT.about, &DETAILED.about],
    action: Action::Remote(list),
};

/// `scan`.
pub static SCAN: Command = Command {
    name: "scan",
    summary: "List keys of all levels",
    arguments: "PATH",
    count: Count::Exactly(1),
    about: "Lists all keys below a path of the API, at any depth.",
    examples: &[("All secrets of a mount", "scan secret/metadata")],
    flags: &[&AFTER.about, &LIMIT.about, &DETAILED.about],
    action: Action::Remote(scan),
};

fn read(session: &Session, arguments: &Arguments) -> Outcome {
    let path = arguments.at(0);
    let mut request = Request::read(path);
    for (name, value) in fields::parse(session.terminal, arguments.from(1))? {
        request = request.with_query(&name, &render::text(&value));
    }
    if session.format == Format::Raw {
        let reply = session.send(&request.raw(), &format!("reading {path}"))?;
        return session.terminal.print_bare(&reply.bytes);
    }
    let reply = find(session, &request, &format!("reading {path}"))?;
    match reply.filter(|reply| !reply.body.is_null()) {
        None => Err(Failure::refused(format!("No value found at {path}"))),
        Some(Reply { body: Value::String(text), .. }) => session.terminal.print(&text),
        // Paths of the system answer some requests without an envelope.
        Some(reply) if reply.body.get("request_id").is_none() => {
            session.show(&Reply { body: serde_json::json!({ "data": reply.body }), ..reply })
        }
        Some(reply) => session.show(&reply),
    }
}

fn write(session: &Session, arguments: &Arguments) -> Outcome {
    let (path, body) = target(session, arguments)?;
    let reply = session.send(&Request::write(&path, body), &format!("writing data to {path}"))?;
    session.show_written(&reply, &format!("Data written to: {path}"))
}

fn patch(session: &Session, arguments: &Arguments) -> Outcome {
    let (path, body) = target(session, arguments)?;
    let reply = session.send(&Request::patch(&path, body), &format!("writing data to {path}"))?;
    session.show_written(&reply, &format!("Data written to: {path}"))
}

fn target(session: &Session, arguments: &Arguments) -> Outcome<(String, Value)> {
    let path = arguments.at(0).trim_start_matches('/').to_owned();
    if arguments.from(1).is_empty() && !arguments.get(&FORCE) {
        return Err(Failure::usage("Must supply data or use -force"));
    }
    Ok((path, Value::Object(fields::parse(session.terminal, arguments.from(1))?)))
}

fn delete(session: &Session, arguments: &Arguments) -> Outcome {
    let path = arguments.at(0);
    let mut request = Request::delete(path);
    for (name, value) in fields::parse(session.terminal, arguments.from(1))? {
        request = request.with_query(&name, &render::text(&value));
    }
    let reply = session.send(&request, &format!("deleting {path}"))?;
    session.show_written(&reply, &format!("Data deleted (if it existed) at: {path}"))
}

fn list(session: &Session, arguments: &Arguments) -> Outcome {
    keys(session, arguments, Request::list(arguments.at(0)), "listing")
}

fn scan(session: &Session, arguments: &Arguments) -> Outcome {
    keys(session, arguments, Request::scan(arguments.at(0)), "scanning")
}

fn keys(session: &Session, arguments: &Arguments, mut request: Request, tried: &str) -> Outcome {
    if let Some(after) = arguments.get(&AFTER) {
        request = request.with_query("after", &after);
    }
    if let Some(limit) = arguments.get(&LIMIT) {
        request = request.with_query("limit", &limit.to_string());
    }
    show_keys(session, &request, tried, arguments.get(&DETAILED))
}

/// Asks for a list and prints its keys.
pub(super) fn show_keys(session: &Session, request: &Request, tried: &str, detailed: bool) -> Outcome {
    let none = format!("No value found at {}", request.path.trim_end_matches('/'));
    let Some(reply) = find(session, request, &format!("{tried} {}", request.path))? else {
        return session.nothing(&none);
    };
    let keys = strings(reply.data().get("keys").unwrap_or(&Value::Null));
    session.show_warnings(&reply);
    match reply.data().get("key_info").and_then(Value::as_object) {
        Some(details) if detailed && session.is_table() => session.terminal.print(&with_details(&keys, details)),
        Some(_) if detailed => session.show(&reply),
        _ => session.show_keys(&keys, &none),
    }
}

fn with_details(keys: &[String], details: &Map<String, Value>) -> String {
    let mut heads: Vec<&str> =
        details.values().filter_map(Value::as_object).flat_map(|object| object.keys().map(String::as_str)).collect();
    heads.sort_unstable();
    heads.dedup();
    let row = |key: &String| {
        let of = |head: &&str| details.get(key).and_then(|object| object.get(*head)).map(|value| cell(head, value));
        std::iter::once(key.clone())
            .chain(heads.iter().map(|head| of(head).unwrap_or_else(|| "n/a".to_owned())))
            .collect()
    };
    let rows = keys.iter().map(row).collect();
    let heads: Vec<&str> = std::iter::once("Keys").chain(heads.iter().copied()).collect();
    render::table(&heads, &rows)
}

/// Asks for something that may not be there.
pub(super) fn find(session: &Session, request: &Request, tried: &str) -> Outcome<Option<Reply>> {
    match session.send_or(request)? {
        Ok(reply) => Ok(Some(reply)),
        Err(ClientError::Refused(refusal)) if refusal.status == 404 && refusal.errors.is_empty() => Ok(None),
        Err(error) => Err(Failure::of_client(tried, &error)),
    }
}

/// Data as the reply it would be.
pub(super) fn as_reply(data: Value) -> Reply {
    envelope::of_data(data)
}
