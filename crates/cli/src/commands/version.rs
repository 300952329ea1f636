//! `version` and `version-history`.

use crate::command::{Action, Command, Count};
use crate::failure::Outcome;
use crate::flags::Arguments;
use crate::render::{self, or_none};
use crate::session::Session;
use crate::terminal::Terminal;
use client::Request;
use serde_json::Value;

/// `version`.
pub static VERSION: Command = Command {
    name: "version",
    summary: "Print the version",
    arguments: "",
    count: Count::Exactly(0),
    about: "Prints the version that the server reports to its clients, in the form that scripts around this API read. \
            COFFER_REPORTED_VERSION sets another.",
    examples: &[("Print it", "version")],
    flags: &[],
    action: Action::Local(|terminal, _| print(terminal)),
};

/// `version-history`.
pub static HISTORY: Command = Command {
    name: "version-history",
    summary: "Show which versions have run on a server's data",
    arguments: "",
    count: Count::Exactly(0),
    about: "Shows the versions that have run on this server's data, and since when.",
    examples: &[("As data", "version-history -format=json")],
    flags: &[],
    action: Action::Remote(history),
};

/// Product, version, revision, date.
pub fn print(terminal: &Terminal) -> Outcome {
    terminal.print(&server::version_line())
}

fn history(session: &Session, _: &Arguments) -> Outcome {
    let reply = session.send(&Request::list("sys/version-history"), "listing versions")?;
    let info = reply.data().get("key_info").and_then(Value::as_object).cloned().unwrap_or_default();
    let row = |version: &String, of: &Value| {
        let cell = |name: &str| or_none(of.get(name).unwrap_or(&Value::from("")));
        vec![version.clone(), cell("timestamp_installed"), cell("build_date")]
    };
    let rows = info.iter().map(|(version, of)| row(version, of)).collect();
    session.show_as(&reply, || render::table(&["Version", "Installation Time", "Build Date"], &rows))
}
