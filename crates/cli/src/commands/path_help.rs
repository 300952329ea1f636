//! `path-help`: what the server says of a path.

use crate::command::{Action, Command, Count};
use crate::failure::{Failure, Outcome};
use crate::flags::Arguments;
use crate::session::Session;
use client::Request;
use serde_json::Value;

/// `path-help`.
pub static PATH_HELP: Command = Command {
    name: "path-help",
    summary: "Show the server's help for a path",
    arguments: "PATH",
    count: Count::Exactly(1),
    about: "Shows what the server says of a path: what it is for, its operations and parameters. With -format=json the \
            path's OpenAPI description; that of everything you may use is at sys/internal/specs/openapi.",
    examples: &[("A mount", "path-help secret"), ("One path", "path-help auth/approle/role/web")],
    flags: &[],
    action: Action::Remote(help),
};

fn help(session: &Session, arguments: &Arguments) -> Outcome {
    let path = arguments.at(0);
    let reply = session.send(&Request::read(path).with_query("help", "1"), "retrieving help")?;
    let of = |name: &str| reply.data().get(name).or_else(|| reply.body.get(name)).cloned();
    let text = of("help").ok_or_else(|| Failure::refused(format!("There is no help for {path}.")))?;
    session.show_value(
        &of("openapi").filter(|value| !value.is_null()).unwrap_or_else(|| text.clone()),
        || match &text {
            Value::String(text) => text.clone(),
            other => other.to_string(),
        },
    )
}
