//! `secrets` and `auth`: what is mounted where. Both families are the same but for their words and paths.

mod change;
mod list;
mod options;

use crate::command::{Action, Command, Count};
use crate::failure::{Failure, Outcome};
use crate::flags::Arguments;
use crate::session::Session;
use change::{disable, enable, relocate, tune};
use client::Request;
use list::{DETAILED, list};
use options::{ENABLE_AUTH, ENABLE_SECRETS, TUNE_AUTH, TUNE_SECRETS};
use serde_json::Value;

/// One of the two families.
pub(super) struct Family {
    /// Where its table is in the API.
    table: &'static str,
    /// What stands before a path when it moves.
    prefix: &'static str,
    /// What is mounted.
    what: &'static str,
}

static SECRET_ENGINES: Family = Family { table: "sys/mounts", prefix: "", what: "secrets engine" };
static AUTH_METHODS: Family = Family { table: "sys/auth", prefix: "auth/", what: "auth method" };

/// `secrets`.
pub static SECRETS: Command = Command {
    name: "secrets",
    summary: "Enable, list and tune secrets engines",
    arguments: "",
    count: Count::Exactly(0),
    about: "Secrets engines store or make secrets. Each is mounted at a path of its own.",
    examples: &[("What is there", "secrets list"), ("A new place for secrets", "secrets enable -path=team kv-v2")],
    flags: &[],
    action: Action::Group(&[&SECRETS_DISABLE, &SECRETS_ENABLE, &SECRETS_LIST, &SECRETS_MOVE, &SECRETS_TUNE]),
};

static SECRETS_ENABLE: Command = Command {
    name: "enable",
    summary: "Mount a secrets engine",
    arguments: "TYPE",
    count: Count::Exactly(1),
    about: "Mounts a secrets engine, at a path with the name of its type unless -path says another.",
    examples: &[
        ("kv with versions", "secrets enable -path=team kv-v2"),
        ("With a description", "secrets enable -description='old things' -path=old kv"),
    ],
    flags: &ENABLE_SECRETS,
    action: Action::Remote(|session, arguments| enable(session, arguments, &SECRET_ENGINES)),
};

static SECRETS_DISABLE: Command = Command {
    name: "disable",
    summary: "Remove a secrets engine and all it holds",
    arguments: "PATH",
    count: Count::Exactly(1),
    about: "Removes a secrets engine. Its leases are revoked, and everything it holds is gone for good.",
    examples: &[("The one at old/", "secrets disable old")],
    flags: &[],
    action: Action::Remote(|session, arguments| disable(session, arguments, &SECRET_ENGINES)),
};

static SECRETS_LIST: Command = Command {
    name: "list",
    summary: "List secrets engines",
    arguments: "",
    count: Count::Exactly(0),
    about: "Lists the secrets engines of the namespace.",
    examples: &[("With lifetimes and options", "secrets list -detailed")],
    flags: &[&DETAILED.about],
    action: Action::Remote(|session, arguments| list(session, arguments, &SECRET_ENGINES)),
};

static SECRETS_MOVE: Command = Command {
    name: "move",
    summary: "Mount a secrets engine elsewhere",
    arguments: "FROM TO",
    count: Count::Exactly(2),
    about: "Moves a secrets engine with all it holds to another path. Leases of the old path are revoked; policies have to \
            be changed by you.",
    examples: &[("From old/ to team/", "secrets move old team")],
    flags: &[],
    action: Action::Remote(|session, arguments| relocate(session, arguments, &SECRET_ENGINES)),
};

static SECRETS_TUNE: Command = Command {
    name: "tune",
    summary: "Change how a secrets engine is mounted",
    arguments: "PATH",
    count: Count::Exactly(1),
    about: "Changes lifetimes and options of a mount; what is not named stays.",
    examples: &[("Shorter leases", "secrets tune -default-lease-ttl=1h -max-lease-ttl=24h team")],
    flags: &TUNE_SECRETS,
    action: Action::Remote(|session, arguments| tune(session, arguments, &SECRET_ENGINES)),
};

/// `auth`.
pub static AUTH: Command = Command {
    name: "auth",
    summary: "Enable, list and tune auth methods",
    arguments: "",
    count: Count::Exactly(0),
    about: "Auth methods are the ways to log in. Each is mounted at a path of its own below auth/.",
    examples: &[("What is there", "auth list"), ("Logins with name and password", "auth enable userpass")],
    flags: &[],
    action: Action::Group(&[&AUTH_DISABLE, &AUTH_ENABLE, &AUTH_HELP, &AUTH_LIST, &AUTH_MOVE, &AUTH_TUNE]),
};

static AUTH_ENABLE: Command = Command {
    name: "enable",
    summary: "Mount an auth method",
    arguments: "TYPE",
    count: Count::Exactly(1),
    about: "Mounts an auth method, at a path with the name of its type unless -path says another.",
    examples: &[
        ("Name and password", "auth enable userpass"),
        ("Machines, at a path of its own", "auth enable -path=machines approle"),
    ],
    flags: &ENABLE_AUTH,
    action: Action::Remote(|session, arguments| enable(session, arguments, &AUTH_METHODS)),
};

static AUTH_DISABLE: Command = Command {
    name: "disable",
    summary: "Remove an auth method and end its logins",
    arguments: "PATH",
    count: Count::Exactly(1),
    about: "Removes an auth method. Every token that came from it is revoked.",
    examples: &[("The one at people/", "auth disable people")],
    flags: &[],
    action: Action::Remote(|session, arguments| disable(session, arguments, &AUTH_METHODS)),
};

static AUTH_HELP: Command = Command {
    name: "help",
    summary: "Show how to log in with a method",
    arguments: "TYPE|PATH",
    count: Count::Exactly(1),
    about: "Shows how to log in with a method, named by its type or by where it is mounted.",
    examples: &[("Of a type", "auth help userpass"), ("Of a mount", "auth help people/")],
    flags: &[],
    action: Action::Remote(method_help),
};

static AUTH_LIST: Command = Command {
    name: "list",
    summary: "List auth methods",
    arguments: "",
    count: Count::Exactly(0),
    about: "Lists the auth methods of the namespace.",
    examples: &[("With lifetimes and options", "auth list -detailed")],
    flags: &[&DETAILED.about],
    action: Action::Remote(|session, arguments| list(session, arguments, &AUTH_METHODS)),
};

static AUTH_MOVE: Command = Command {
    name: "move",
    summary: "Mount an auth method elsewhere",
    arguments: "FROM TO",
    count: Count::Exactly(2),
    about: "Moves an auth method to another path. Tokens of the old path are revoked.",
    examples: &[("From userpass/ to people/", "auth move userpass people")],
    flags: &[],
    action: Action::Remote(|session, arguments| relocate(session, arguments, &AUTH_METHODS)),
};

static AUTH_TUNE: Command = Command {
    name: "tune",
    summary: "Change how an auth method is mounted",
    arguments: "PATH",
    count: Count::Exactly(1),
    about: "Changes lifetimes and options of a mount; what is not named stays.",
    examples: &[("Tokens of an hour", "auth tune -default-lease-ttl=1h userpass")],
    flags: &TUNE_AUTH,
    action: Action::Remote(|session, arguments| tune(session, arguments, &AUTH_METHODS)),
};

fn method_help(session: &Session, arguments: &Arguments) -> Outcome {
    let named = arguments.at(0).trim_matches('/').trim_start_matches("auth/").to_owned();
    let program = &session.terminal.program;
    if let Some(help) = super::login::method_help(program, &named) {
        return session.terminal.print(&help);
    }
    let reply = session.send(&Request::read("sys/auth"), "listing auth methods")?;
    let kind = reply.data().get(format!("{named}/")).and_then(|mount| mount.get("type")).and_then(Value::as_str);
    match kind.and_then(|kind| super::login::method_help(program, kind)) {
        Some(help) => session.terminal.print(&help),
        None => Err(Failure::usage(format!("There is no auth method of the type or at the path {named}."))
            .hint("\"{program} auth list\" shows what is mounted.".to_owned())),
    }
}
