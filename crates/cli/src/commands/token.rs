//! `token`: making, looking at and ending tokens.

use super::strings;
use crate::command::{Action, Command, Count};
use crate::failure::{Failure, Outcome};
use crate::flags::{Arguments, Flag, Seconds};
use crate::session::Session;
use client::Request;
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

static POLICY: Flag<Vec<String>> = Flag::new("policy", "NAME", "Policy of the token; may be repeated.");
static TTL: Flag<Option<Seconds>> = Flag::new("ttl", "DURATION", "How long it lives unless it is renewed.");
static MAX_TTL: Flag<Option<Seconds>> =
    Flag::new("explicit-max-ttl", "DURATION", "How long it lives at most, however often it is renewed.");
static PERIOD: Flag<Option<Seconds>> =
    Flag::new("period", "DURATION", "Lives as long as it is renewed within this time.");
static DISPLAY_NAME: Flag<Option<String>> = Flag::new("display-name", "NAME", "Name that audit shows.");
static METADATA: Flag<BTreeMap<String, String>> =
    Flag::new("metadata", "KEY=VALUE", "Something to know of it, which audit shows; may be repeated.");
static ENTITY_ALIAS: Flag<Option<String>> = Flag::new("entity-alias", "NAME", "Whom it is for; needs -role.");
static ID: Flag<Option<String>> = Flag::new("id", "TEXT", "Text of the token. Only for tests: it should be random.");
static ROLE: Flag<Option<String>> = Flag::new("role", "NAME", "Role of tokens that it is made by.");
static TYPE: Flag<Option<String>> = Flag::new("type", "TYPE", "service or batch. Default: service.");
static USE_LIMIT: Flag<Option<i64>> = Flag::new("use-limit", "COUNT", "How often it can be used.");
static ORPHAN: Flag<bool> = Flag::switch("orphan", "Does not end with the token that makes it.");
static NO_DEFAULT: Flag<bool> = Flag::switch("no-default-policy", "Does not have the policy \"default\".");
static RENEWABLE: Flag<Option<bool>> = Flag::new("renewable", "", "Whether it can be renewed. Default: true.");
static ACCESSOR: Flag<bool> = Flag::switch("accessor", "The argument is an accessor and not a token.");
static INCREMENT: Flag<Option<Seconds>> =
    Flag::new("increment", "DURATION", "How long it should live from now.").alias("i");
static SELF: Flag<bool> = Flag::switch("self", "Revokes the token of this session.");
static MODE: Flag<Option<String>> =
    Flag::new("mode", "MODE", "orphan lets the tokens made by it live; path revokes all whose path begins so.");

/// `token`.
pub static TOKEN: Command = Command {
    name: "token",
    summary: "Make, look at and revoke tokens",
    arguments: "",
    count: Count::Exactly(0),
    about: "Tokens are what requests are allowed by.",
    examples: &[("Whose token is this?", "token lookup"), ("One for an hour", "token create -policy=web -ttl=1h")],
    flags: &[],
    action: Action::Group(&[&CAPABILITIES, &CREATE, &LOOKUP, &RENEW, &REVOKE]),
};

static CREATE: Command = Command {
    name: "create",
    summary: "Make a token",
    arguments: "",
    count: Count::Exactly(0),
    about: "Makes a token, which ends with the token it is made by. Without policies it has those of that token.",
    examples: &[
        ("For an hour", "token create -policy=web -ttl=1h"),
        ("For a service that renews it", "token create -policy=web -period=24h -orphan"),
        ("The token alone, for a script", "token create -field=token -policy=web"),
        ("Wrapped, to hand it over", "token create -policy=web -wrap-ttl=5m"),
    ],
    flags: &[
        &POLICY.about,
        &TTL.about,
        &MAX_TTL.about,
        &PERIOD.about,
        &DISPLAY_NAME.about,
        &METADATA.about,
        &ENTITY_ALIAS.about,
        &ID.about,
        &ROLE.about,
        &TYPE.about,
        &USE_LIMIT.about,
        &ORPHAN.about,
        &NO_DEFAULT.about,
        &RENEWABLE.about,
    ],
    action: Action::Remote(create),
};

static LOOKUP: Command = Command {
    name: "lookup",
    summary: "Show what a token is",
    arguments: "[TOKEN | ACCESSOR]",
    count: Count::Between(0, 1),
    about: "Shows policies, age and life of a token; without an argument of that of this session.",
    examples: &[("Your own", "token lookup"), ("By its accessor", "token lookup -accessor 9793c9b3-e04a")],
    flags: &[&ACCESSOR.about],
    action: Action::Remote(lookup),
};

static RENEW: Command = Command {
    name: "renew",
    summary: "Let a token live longer",
    arguments: "[TOKEN | ACCESSOR]",
    count: Count::Between(0, 1),
    about: "Renews a token; without an argument that of this session.",
    examples: &[("Your own", "token renew"), ("For half an hour", "token renew -increment=30m")],
    flags: &[&ACCESSOR.about, &INCREMENT.about],
    action: Action::Remote(renew),
};

static REVOKE: Command = Command {
    name: "revoke",
    summary: "End a token",
    arguments: "[TOKEN | ACCESSOR]",
    count: Count::Between(0, 1),
    about: "Ends a token, all tokens made by it, and all their leases.",
    examples: &[("By its accessor", "token revoke -accessor 9793c9b3-e04a"), ("Your own", "token revoke -self")],
    flags: &[&ACCESSOR.about, &SELF.about, &MODE.about],
    action: Action::Remote(revoke),
};

static CAPABILITIES: Command = Command {
    name: "capabilities",
    summary: "Show what a token may do with a path",
    arguments: "[TOKEN | ACCESSOR] PATH",
    count: Count::Between(1, 2),
    about: "Shows what a token may do with a path; with one argument for the token of this session.",
    examples: &[
        ("May I?", "token capabilities secret/data/app"),
        ("May it?", "token capabilities -accessor 9793c9b3 secret/data/app"),
    ],
    flags: &[&ACCESSOR.about],
    action: Action::Remote(capabilities),
};

fn create(session: &Session, arguments: &Arguments) -> Outcome {
    let mut body = Map::new();
    for (name, flag) in [("ttl", &TTL), ("explicit_max_ttl", &MAX_TTL), ("period", &PERIOD)] {
        if let Some(Seconds(seconds)) = arguments.get(flag) {
            body.insert(name.to_owned(), format!("{seconds}s").into());
        }
    }
    for (name, flag) in [("display_name", &DISPLAY_NAME), ("entity_alias", &ENTITY_ALIAS), ("id", &ID), ("type", &TYPE)]
    {
        if let Some(text) = arguments.get(flag) {
            body.insert(name.to_owned(), text.into());
        }
    }
    let policies: Vec<String> =
        arguments.get(&POLICY).iter().flat_map(|names| names.split(',')).map(|name| name.trim().to_owned()).collect();
    if !policies.is_empty() {
        body.insert("policies".to_owned(), json!(policies));
    }
    if arguments.has(&METADATA) {
        body.insert("meta".to_owned(), json!(arguments.get(&METADATA)));
    }
    if let Some(count) = arguments.get(&USE_LIMIT) {
        body.insert("num_uses".to_owned(), count.into());
    }
    for (name, flag) in [("no_parent", &ORPHAN), ("no_default_policy", &NO_DEFAULT)] {
        if arguments.get(flag) {
            body.insert(name.to_owned(), true.into());
        }
    }
    body.insert("renewable".to_owned(), arguments.get(&RENEWABLE).unwrap_or(true).into());
    let path =
        arguments.get(&ROLE).map_or_else(|| "auth/token/create".to_owned(), |role| format!("auth/token/create/{role}"));
    let reply = session.send(&Request::write(&path, Value::Object(body)), "creating token")?;
    session.show(&reply)
}

/// The path for the session's token, another token or an accessor, and its body.
fn target(arguments: &Arguments, what: &str) -> Outcome<(String, Map<String, Value>)> {
    let mut body = Map::new();
    let path = match (arguments.at(0), arguments.get(&ACCESSOR)) {
        ("", true) => return Err(Failure::usage("Not enough arguments with -accessor (expected 1, got 0)")),
        ("", false) => format!("auth/token/{what}-self"),
        (accessor, true) => {
            body.insert("accessor".to_owned(), accessor.into());
            format!("auth/token/{what}-accessor")
        }
        (token, false) => {
            body.insert("token".to_owned(), token.into());
            format!("auth/token/{what}")
        }
    };
    Ok((path, body))
}

fn lookup(session: &Session, arguments: &Arguments) -> Outcome {
    let (path, body) = target(arguments, "lookup")?;
    let request = if body.is_empty() { Request::read(&path) } else { Request::write(&path, Value::Object(body)) };
    session.show(&session.send(&request, "looking up token")?)
}

fn renew(session: &Session, arguments: &Arguments) -> Outcome {
    let (path, mut body) = target(arguments, "renew")?;
    if let Some(Seconds(seconds)) = arguments.get(&INCREMENT) {
        body.insert("increment".to_owned(), seconds.into());
    }
    session.show(&session.send(&Request::write(&path, Value::Object(body)), "renewing token")?)
}

fn revoke(session: &Session, arguments: &Arguments) -> Outcome {
    let is_self = arguments.get(&SELF);
    if arguments.positional.is_empty() != is_self {
        let failure = if is_self {
            Failure::usage("Too many arguments with -self (expected 0, got 1)")
        } else {
            Failure::usage("Not enough arguments (expected 1 or -self, got 0)")
        };
        return Err(failure);
    }
    let named = arguments.at(0);
    let (path, body) = match arguments.get(&MODE).as_deref() {
        None | Some("") => target(arguments, "revoke")?,
        Some("orphan") => {
            let mut body = Map::new();
            body.insert("token".to_owned(), named.into());
            ("auth/token/revoke-orphan".to_owned(), body)
        }
        Some("path") => (format!("sys/leases/revoke-prefix/{}", named.trim_matches('/')), Map::new()),
        Some(other) => return Err(Failure::usage(format!("Unknown mode {other}: give orphan or path"))),
    };
    session.send(&Request::write(&path, Value::Object(body)), "revoking token")?;
    session.success("Revoked token (if it existed)")
}

fn capabilities(session: &Session, arguments: &Arguments) -> Outcome {
    let (path, mut body, place) = match (arguments.positional.len(), arguments.get(&ACCESSOR)) {
        (1, false) => ("sys/capabilities-self", Map::new(), 0),
        (1, true) => return Err(Failure::usage("Not enough arguments with -accessor (expected 2, got 1)")),
        (_, accessor) => {
            let name = if accessor { "accessor" } else { "token" };
            let path = if accessor { "sys/capabilities-accessor" } else { "sys/capabilities" };
            (path, Map::from_iter([(name.to_owned(), arguments.at(0).into())]), 1)
        }
    };
    let asked = arguments.at(place);
    body.insert("paths".to_owned(), json!([asked]));
    let reply = session.send(&Request::write(path, Value::Object(body)), "listing capabilities")?;
    let of = |name: &str| reply.data().get(name).or_else(|| reply.body.get(name)).map(strings);
    let mut found = of(asked).or_else(|| of("capabilities")).unwrap_or_default();
    found.sort();
    session.show_value(&json!(found), || found.join(", "))
}
