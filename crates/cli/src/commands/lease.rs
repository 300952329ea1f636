//! `lease`: secrets that end by themselves.

use crate::command::{Action, Command, Count};
use crate::failure::{Failure, Outcome};
use crate::flags::{Arguments, Flag, Seconds};
use crate::session::Session;
use client::Request;
use serde_json::{Value, json};

static INCREMENT: Flag<Option<Seconds>> =
    Flag::new("increment", "DURATION", "How long it should live from now.").alias("i");
static FORCE: Flag<bool> =
    Flag::switch("force", "With -prefix: forgets the leases even if what they stand for cannot be revoked.").alias("f");
static PREFIX: Flag<bool> = Flag::switch("prefix", "The argument is the beginning of ids: revokes all that begin so.");
static SYNC: Flag<bool> = Flag::switch("sync", "Waits until everything is revoked.");

/// `lease`.
pub static LEASE: Command = Command {
    name: "lease",
    summary: "Look up, renew and revoke leases",
    arguments: "",
    count: Count::Exactly(0),
    about: "A lease says how long a secret lives; when it ends, the secret is revoked.",
    examples: &[
        ("Renew one", "lease renew database/creds/web/abc123"),
        ("Revoke all of a role", "lease revoke -prefix database/creds/web"),
    ],
    flags: &[],
    action: Action::Group(&[&LOOKUP, &RENEW, &REVOKE]),
};

static LOOKUP: Command = Command {
    name: "lookup",
    summary: "Show a lease",
    arguments: "ID",
    count: Count::Exactly(1),
    about: "Shows since when and how long a lease lives.",
    examples: &[("One of a database", "lease lookup database/creds/web/abc123")],
    flags: &[],
    action: Action::Remote(lookup),
};

static RENEW: Command = Command {
    name: "renew",
    summary: "Let a lease live longer",
    arguments: "ID",
    count: Count::Exactly(1),
    about: "Renews a lease. How long it lives then is decided by the server.",
    examples: &[("For an hour", "lease renew -increment=1h database/creds/web/abc123")],
    flags: &[&INCREMENT.about],
    action: Action::Remote(renew),
};

static REVOKE: Command = Command {
    name: "revoke",
    summary: "Revoke leases",
    arguments: "ID",
    count: Count::Exactly(1),
    about: "Ends leases and the secrets they stand for, now.",
    examples: &[
        ("One", "lease revoke database/creds/web/abc123"),
        ("All of a role", "lease revoke -prefix database/creds/web"),
    ],
    flags: &[&FORCE.about, &PREFIX.about, &SYNC.about],
    action: Action::Remote(revoke),
};

fn lookup(session: &Session, arguments: &Arguments) -> Outcome {
    let id = arguments.at(0);
    let request = Request::write("sys/leases/lookup", json!({ "lease_id": id }));
    session.show(&session.send(&request, &format!("looking up lease id {id}"))?)
}

fn renew(session: &Session, arguments: &Arguments) -> Outcome {
    let id = arguments.at(0);
    let mut body = json!({ "lease_id": id });
    if let (Some(Seconds(seconds)), Some(members)) = (arguments.get(&INCREMENT), body.as_object_mut()) {
        members.insert("increment".to_owned(), Value::from(seconds));
    }
    session.show(&session.send(&Request::write("sys/leases/renew", body), &format!("renewing {id}"))?)
}

fn revoke(session: &Session, arguments: &Arguments) -> Outcome {
    let (id, sync) = (arguments.at(0).trim_matches('/'), arguments.get(&SYNC));
    let (force, prefix) = (arguments.get(&FORCE), arguments.get(&PREFIX));
    if force && !prefix {
        return Err(Failure::usage("Specifying -force requires also specifying -prefix"));
    }
    if force {
        session
            .terminal
            .warn("What these leases stand for may live on outside of this server, and has to be removed by hand.");
        session.send(
            &Request::act(&format!("sys/leases/revoke-force/{id}")),
            &format!("force revoking leases with prefix {id}"),
        )?;
        return session.success(&format!("Force revoked any leases with prefix: {id}"));
    }
    let request = if prefix {
        Request::write(&format!("sys/leases/revoke-prefix/{id}"), json!({ "sync": sync }))
    } else {
        Request::write("sys/leases/revoke", json!({ "lease_id": id, "sync": sync }))
    };
    session.send(&request, &format!("revoking {}{id}", if prefix { "leases with prefix " } else { "lease " }))?;
    if sync {
        return session.success(&format!("Revoked {}{id}", if prefix { "leases with prefix: " } else { "lease: " }));
    }
    session.terminal.print("All revocation operations queued successfully!")
}
