//! `operator unseal`, `seal`, `step-down` and `members`.

use super::shares::share;
use crate::command::{Action, Command, Count};
use crate::commands::status;
use crate::failure::Outcome;
use crate::flags::{Arguments, Flag};
use crate::render;
use crate::session::Session;
use client::Request;
use serde_json::{Value, json};

static RESET: Flag<bool> = Flag::switch("reset", "Forgets the keys that were given so far.");
static MIGRATE: Flag<bool> = Flag::switch("migrate", "Gives the key for a change of the seal.");

/// `operator unseal`.
pub static UNSEAL: Command = Command {
    name: "unseal",
    summary: "Give a key to unseal the server",
    arguments: "[KEY]",
    count: Count::Between(0, 1),
    about: "Gives one of the keys that unseal the server. It opens when there are enough of them, which may come from \
            several people and places. The key is asked for and not shown; with - it is read from standard input.",
    examples: &[
        ("Asked for", "operator unseal"),
        ("Of a file", "operator unseal - < key"),
        ("Begin again", "operator unseal -reset"),
    ],
    flags: &[&RESET.about, &MIGRATE.about],
    action: Action::Remote(unseal),
};

/// `operator seal`.
pub static SEAL: Command = Command {
    name: "seal",
    summary: "Seal the server",
    arguments: "",
    count: Count::Exactly(0),
    about: "Seals the server: it forgets its keys and answers nothing until it is unsealed again. For emergencies; secrets \
            stay as they are.",
    examples: &[("Seal", "operator seal")],
    flags: &[],
    action: Action::Remote(seal),
};

/// `operator step-down`.
pub static STEP_DOWN: Command = Command {
    name: "step-down",
    summary: "Make a node give up leadership",
    arguments: "",
    count: Count::Exactly(0),
    about: "Makes the active node of a cluster give up, so that another takes over.",
    examples: &[("Step down", "operator step-down")],
    flags: &[],
    action: Action::Remote(step_down),
};

/// `operator members`.
pub static MEMBERS: Command = Command {
    name: "members",
    summary: "List the nodes of the cluster",
    arguments: "",
    count: Count::Exactly(0),
    about: "Lists the nodes of the cluster, and which is active.",
    examples: &[("List them", "operator members")],
    flags: &[],
    action: Action::Remote(members),
};

fn unseal(session: &Session, arguments: &Arguments) -> Outcome {
    let body = if arguments.get(&RESET) {
        json!({ "reset": true })
    } else {
        let key = share(session, arguments, "Unseal Key")?;
        json!({ "key": key.as_str(), "migrate": arguments.get(&MIGRATE) })
    };
    let reply = session.send(&Request::write("sys/unseal", body), "unsealing")?;
    status::show(session, reply.body)
}

fn seal(session: &Session, _: &Arguments) -> Outcome {
    session.send(&Request::act("sys/seal"), "sealing")?;
    session.success("Vault is sealed.")
}

fn step_down(session: &Session, _: &Arguments) -> Outcome {
    session.send(&Request::act("sys/step-down"), "stepping down")?;
    session.success("Stepped down.")
}

fn members(session: &Session, _: &Arguments) -> Outcome {
    let reply = session.send(&Request::read("sys/ha-status"), "reading members")?;
    let nodes = reply.data().get("nodes").or_else(|| reply.body.get("nodes")).cloned().unwrap_or_default();
    let row = |node: &Value| {
        let cell = |name: &str| match node.get(name) {
            None | Some(Value::Null) => "n/a".to_owned(),
            Some(value) => render::or_none(value),
        };
        ["hostname", "api_address", "cluster_address", "active_node", "version", "last_echo"].map(cell).to_vec()
    };
    let rows = nodes.as_array().map(|nodes| nodes.iter().map(row).collect()).unwrap_or_default();
    let heads = ["Host Name", "API Address", "Cluster Address", "Active Node", "Version", "Last Echo"];
    session.show_value(&json!({ "Nodes": nodes }), || render::table(&heads, &rows))
}
