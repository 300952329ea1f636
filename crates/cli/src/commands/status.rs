//! `status`: whether the server is there, initialised and open.

use crate::command::{Action, Command, Count};
use crate::failure::{Failure, Outcome, REFUSED, WRONG_USE};
use crate::flags::Arguments;
use crate::render::{self, envelope::Pairs, or_none, text};
use crate::session::Session;
use client::Request;
use serde_json::Value;

/// `status`.
pub static STATUS: Command = Command {
    name: "status",
    summary: "Show whether the server is initialized and unsealed",
    arguments: "",
    count: Count::Exactly(0),
    about: "Shows the state of the server. The exit code is 0 if it is unsealed, 2 if it is sealed, and 1 if it could not \
            be asked. Needs no token.",
    examples: &[("Wait for a server in a script", "status -format=json | jq .sealed")],
    flags: &[],
    action: Action::Remote(status),
};

fn status(session: &Session, _: &Arguments) -> Outcome {
    let reply = session.send(&Request::read("sys/seal-status"), "checking seal status");
    let reply = reply.map_err(|failure| Failure { exit: failure.exit.min(WRONG_USE), ..failure })?;
    show(session, reply.body.clone())?;
    if reply.body.get("sealed") == Some(&Value::Bool(true)) { Err(Failure::ended(REFUSED)) } else { Ok(()) }
}

/// Prints a seal status, with what is known of other nodes.
pub(super) fn show(session: &Session, mut status: Value) -> Outcome {
    // The leader of a sealed server is not known.
    let leader = session.ask(&Request::read("sys/leader")).map(|reply| reply.body).unwrap_or_default();
    if let Some(members) = status.as_object_mut() {
        members.insert("ha_enabled".to_owned(), leader.get("ha_enabled").cloned().unwrap_or(Value::Bool(false)));
    }
    session.show_value(&status, || render::pairs(&rows(&status, &leader)))
}

fn rows(status: &Value, leader: &Value) -> Pairs {
    let of = |name: &str| status.get(name).cloned().unwrap_or_default();
    let is = |name: &str| of(name) == Value::Bool(true);
    let mut rows = vec![
        ("Seal Type", text(&of("type"))),
        ("Initialized", text(&of("initialized"))),
        ("Sealed", text(&of("sealed"))),
        (if is("recovery_seal") { "Total Recovery Shares" } else { "Total Shares" }, text(&of("n"))),
        ("Threshold", text(&of("t"))),
    ];
    if is("sealed") {
        rows.push(("Unseal Progress", format!("{}/{}", text(&of("progress")), text(&of("t")))));
        rows.push(("Unseal Nonce", or_none(&of("nonce"))));
    }
    rows.push(("Version", text(&of("version"))));
    for (head, name) in [
        ("Build Date", "build_date"),
        ("Storage Type", "storage_type"),
        ("Cluster Name", "cluster_name"),
        ("Cluster ID", "cluster_id"),
    ] {
        if of(name).as_str().is_some_and(|value| !value.is_empty()) {
            rows.push((head, text(&of(name))));
        }
    }
    rows.push(("HA Enabled", text(&of("ha_enabled"))));
    if is("ha_enabled") && !is("sealed") {
        let of = |name: &str| leader.get(name).cloned().unwrap_or_default();
        let mode = if of("is_self") == Value::Bool(true) { "active" } else { "standby" };
        rows.push(("HA Cluster", or_none(&of("leader_cluster_address"))));
        rows.push(("HA Mode", mode.to_owned()));
        rows.push(("Active Node Address", or_none(&of("leader_address"))));
    }
    rows.into_iter().map(|(key, value)| (key.to_owned(), value)).collect()
}
