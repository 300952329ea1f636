//! `plugin`: what can be mounted.

use crate::command::{Action, Command, Count};
use crate::failure::Outcome;
use crate::flags::Arguments;
use crate::render::{self, Rows};
use crate::session::Session;
use client::Request;
use serde_json::{Map, Value};

/// `plugin`.
pub static PLUGIN: Command = Command {
    name: "plugin",
    summary: "List what can be mounted",
    arguments: "",
    count: Count::Exactly(0),
    about: "Types of secrets engines and auth methods that this server has.",
    examples: &[("All of them", "plugin list")],
    flags: &[],
    action: Action::Group(&[&INFO, &LIST]),
};

static LIST: Command = Command {
    name: "list",
    summary: "List types",
    arguments: "[auth|database|secret]",
    count: Count::Between(0, 1),
    about: "Lists the types that can be mounted, of one kind or of all.",
    examples: &[("Ways to log in", "plugin list auth")],
    flags: &[],
    action: Action::Remote(list),
};

static INFO: Command = Command {
    name: "info",
    summary: "Show a type",
    arguments: "auth|database|secret NAME",
    count: Count::Exactly(2),
    about: "Shows what is known of a type.",
    examples: &[("One of them", "plugin info secret kv")],
    flags: &[],
    action: Action::Remote(info),
};

fn list(session: &Session, arguments: &Arguments) -> Outcome {
    let kind = arguments.at(0);
    let reply = session.send(&Request::read("sys/plugins/catalog"), "listing available plugins")?;
    let catalog = reply.data().as_object().cloned().unwrap_or_default();
    let is_wanted = |plugin: &Value| kind.is_empty() || plugin.get("type").and_then(Value::as_str) == Some(kind);
    let mut details = catalog.get("detailed").and_then(Value::as_array).cloned().unwrap_or_default();
    details.retain(is_wanted);
    let cell = |plugin: &Value, name: &str| render::or_none(plugin.get(name).unwrap_or(&Value::from("")));
    let row = |plugin: &Value| ["name", "type", "version"].map(|name| cell(plugin, name)).to_vec();
    let rows: Rows = details.iter().map(row).collect();
    let mut value: Map<String, Value> =
        catalog.into_iter().filter(|(name, _)| name != "detailed" && (kind.is_empty() || name == kind)).collect();
    value.insert("details".to_owned(), details.into());
    session.show_value(&Value::Object(value), || render::table(&["Name", "Type", "Version"], &rows))
}

fn info(session: &Session, arguments: &Arguments) -> Outcome {
    let path = format!("sys/plugins/catalog/{}/{}", arguments.at(0), arguments.at(1));
    session.show_data(&session.send(&Request::read(&path), &format!("reading plugin named {}", arguments.at(1)))?)
}
