//! `policy`: who may do what.

mod format;

use super::strings;
use crate::command::{Action, Command, Count};
use crate::commands::data;
use crate::failure::{Failure, Outcome};
use crate::flags::Arguments;
use crate::session::Session;
use crate::terminal::Terminal;
use client::Request;
use serde_json::{Value, json};

/// `policy`.
pub static POLICY: Command = Command {
    name: "policy",
    summary: "Read, write and list policies",
    arguments: "",
    count: Count::Exactly(0),
    about: "Policies say which paths a token may use, and how.",
    examples: &[("All of them", "policy list"), ("Write one", "policy write web web.hcl")],
    flags: &[],
    action: Action::Group(&[&DELETE, &FORMAT, &LIST, &READ, &WRITE]),
};

static LIST: Command = Command {
    name: "list",
    summary: "List policies",
    arguments: "",
    count: Count::Exactly(0),
    about: "Lists the policies of the namespace.",
    examples: &[("All of them", "policy list")],
    flags: &[],
    action: Action::Remote(list),
};

static READ: Command = Command {
    name: "read",
    summary: "Show a policy",
    arguments: "NAME",
    count: Count::Exactly(1),
    about: "Shows the text of a policy.",
    examples: &[("Into a file", "policy read web > web.hcl")],
    flags: &[],
    action: Action::Remote(read),
};

static WRITE: Command = Command {
    name: "write",
    summary: "Write a policy",
    arguments: "NAME FILE",
    count: Count::Exactly(2),
    about: "Writes a policy, in HCL or JSON, from a file or with - from standard input. Tokens that have it follow it at \
            once.",
    examples: &[
        ("From a file", "policy write web web.hcl"),
        ("What a command needs", "kv get -output-policy -mount=secret app"),
    ],
    flags: &[],
    action: Action::Remote(write),
};

static DELETE: Command = Command {
    name: "delete",
    summary: "Delete a policy",
    arguments: "NAME",
    count: Count::Exactly(1),
    about: "Deletes a policy. Tokens that have it lose what it allowed at once.",
    examples: &[("Delete it", "policy delete web")],
    flags: &[],
    action: Action::Remote(delete),
};

static FORMAT: Command = Command {
    name: "fmt",
    summary: "Format a policy file",
    arguments: "FILE",
    count: Count::Exactly(1),
    about: "Indents a policy file and aligns its values, in place. Needs no server.",
    examples: &[("In place", "policy fmt web.hcl")],
    flags: &[],
    action: Action::Local(format),
};

fn list(session: &Session, _: &Arguments) -> Outcome {
    let reply = session.send(&Request::list("sys/policies/acl"), "listing policies")?;
    let names = strings(reply.data().get("keys").unwrap_or(&Value::Null));
    session.show_value(&json!(names), || names.join("\n"))
}

fn read(session: &Session, arguments: &Arguments) -> Outcome {
    let name = arguments.at(0).trim().to_lowercase();
    let request = Request::read(&format!("sys/policies/acl/{name}"));
    let Some(reply) = data::find(session, &request, &format!("reading policy named {name}"))? else {
        return Err(Failure::refused(format!("No policy named: {name}"))
            .hint("\"{program} policy list\" shows those that there are.".to_owned()));
    };
    let text = reply.data().get("policy").cloned().unwrap_or_default();
    session.show_value(&json!({ "policy": text }), || text.as_str().unwrap_or_default().trim().to_owned())
}

fn write(session: &Session, arguments: &Arguments) -> Outcome {
    let name = arguments.at(0).trim().to_lowercase();
    let text = match arguments.at(1) {
        "-" => session.terminal.input()?,
        file => session.terminal.file(file)?,
    };
    let request = Request::write(&format!("sys/policies/acl/{name}"), json!({ "policy": text.as_str() }));
    let reply = session.send(&request, "uploading policy")?;
    session.show_warnings(&reply);
    session.success(&format!("Uploaded policy: {name}"))
}

fn delete(session: &Session, arguments: &Arguments) -> Outcome {
    let name = arguments.at(0).trim().to_lowercase();
    session.send(&Request::delete(&format!("sys/policies/acl/{name}")), &format!("deleting {name}"))?;
    session.success(&format!("Deleted policy: {name}"))
}

fn format(terminal: &Terminal, arguments: &Arguments) -> Outcome {
    let path = arguments.at(0);
    let text =
        terminal.file(path).map_err(|failure| Failure::usage(format!("Error reading source file: {failure}")))?;
    let formatted = format::format(&text).map_err(|why| Failure::usage(format!("Error parsing {path}: {why}")))?;
    std::fs::write(path, formatted).map_err(|error| Failure::file(path, &error))?;
    terminal.print(&format!("Success! Formatted policy: {path}"))
}
