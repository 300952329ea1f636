//! `audit`: devices, and whether their files are whole.

use crate::command::{Action, Command, Count};
use crate::commands::with_slash;
use crate::failure::{Failure, Outcome, REFUSED};
use crate::fields;
use crate::flags::{Arguments, Flag};
use crate::render::{self, text};
use crate::session::Session;
use crate::terminal::Terminal;
use client::Request;
use serde_json::{Value, json};

static DETAILED: Flag<bool> = Flag::switch("detailed", "Shows options too.");
static DESCRIPTION: Flag<Option<String>> = Flag::new("description", "TEXT", "What it is for.");
static PATH: Flag<Option<String>> = Flag::new("path", "PATH", "Its name, if not that of its type.");
static LOCAL: Flag<bool> = Flag::switch("local", "Is not replicated to other clusters.");

/// `audit`.
pub static AUDIT: Command = Command {
    name: "audit",
    summary: "List audit devices and check their files",
    arguments: "",
    count: Count::Exactly(0),
    about: "Audit devices keep what was asked and answered. If none of them can, the server answers nothing.",
    examples: &[("What is there", "audit list"), ("Is a file whole?", "audit verify /var/log/coffer/audit.log")],
    flags: &[],
    action: Action::Group(&[&DISABLE, &ENABLE, &LIST, &VERIFY]),
};

static LIST: Command = Command {
    name: "list",
    summary: "List audit devices",
    arguments: "",
    count: Count::Exactly(0),
    about: "Lists the audit devices.",
    examples: &[("With options", "audit list -detailed")],
    flags: &[&DETAILED.about],
    action: Action::Remote(list),
};

static ENABLE: Command = Command {
    name: "enable",
    summary: "Add an audit device",
    arguments: "TYPE [K=V...]",
    count: Count::AtLeast(1),
    about: "Adds an audit device: file, syslog, socket or http. Servers allow it only if their configuration says so \
            (unsafe_allow_api_audit_creation); devices are better declared there.",
    examples: &[("A file", "audit enable file file_path=/var/log/coffer/audit.log")],
    flags: &[&DESCRIPTION.about, &PATH.about, &LOCAL.about],
    action: Action::Remote(enable),
};

static DISABLE: Command = Command {
    name: "disable",
    summary: "Remove an audit device",
    arguments: "PATH",
    count: Count::Exactly(1),
    about: "Removes an audit device. What it has written stays.",
    examples: &[("That named file/", "audit disable file")],
    flags: &[],
    action: Action::Remote(disable),
};

static VERIFY: Command = Command {
    name: "verify",
    summary: "Check that an audit file is whole",
    arguments: "FILE",
    count: Count::Exactly(1),
    about: "Checks the chain of an audit file and names the first line that was removed, added or edited. Needs no server; \
            - reads standard input. The exit code is 0 for a whole file, 2 for one that is not, 1 if it cannot be read.\n\n\
            Whoever can write the whole file can make a whole new chain. Note the last hash that this prints somewhere else, \
            and compare: the next file's first line repeats it as prev.",
    examples: &[
        ("Check it", "audit verify /var/log/coffer/audit.log"),
        ("A packed one", "audit verify - < audit.log.1"),
    ],
    flags: &[],
    action: Action::Local(verify),
};

fn list(session: &Session, arguments: &Arguments) -> Outcome {
    let reply = session.send(&Request::read("sys/audit"), "listing audits")?;
    let devices = reply.data().as_object().cloned().unwrap_or_default();
    if devices.is_empty() && session.is_table() {
        session.terminal.print("No audit devices are enabled.")?;
        return Err(Failure::ended(REFUSED));
    }
    session.show_value(reply.data(), || {
        let detailed = arguments.get(&DETAILED);
        let of = |device: &Value, name: &str| device.get(name).map(text).unwrap_or_default();
        let row = |(path, device): (&String, &Value)| {
            let mut row = vec![path.clone(), of(device, "type"), of(device, "description")];
            if detailed {
                let local = device.get("local") == Some(&Value::Bool(true));
                row.push(if local { "local" } else { "replicated" }.to_owned());
                row.push(options(device));
            }
            row
        };
        let heads = ["Path", "Type", "Description", "Replication", "Options"];
        let shown = if detailed { 5 } else { 3 };
        render::table(heads.get(..shown).unwrap_or_default(), &devices.iter().map(row).collect())
    })
}

fn options(device: &Value) -> String {
    let options = device.get("options").and_then(Value::as_object).cloned().unwrap_or_default();
    options.iter().map(|(name, value)| format!("{name}={}", text(value))).collect::<Vec<_>>().join(" ")
}

fn enable(session: &Session, arguments: &Arguments) -> Outcome {
    let kind = arguments.at(0);
    let path = with_slash(&arguments.get(&PATH).unwrap_or_else(|| kind.to_owned()));
    let body = json!({
        "type": kind,
        "description": arguments.get(&DESCRIPTION).unwrap_or_default(),
        "local": arguments.get(&LOCAL),
        "options": fields::parse(session.terminal, arguments.from(1))?,
    });
    let request = Request::write(&format!("sys/audit/{}", path.trim_end_matches('/')), body);
    session.send(&request, "enabling audit device")?;
    session.success(&format!("Enabled the {kind} audit device at: {path}"))
}

fn disable(session: &Session, arguments: &Arguments) -> Outcome {
    let path = with_slash(arguments.at(0));
    session.send(&Request::delete(&format!("sys/audit/{}", path.trim_end_matches('/'))), "disabling audit device")?;
    session.success(&format!("Disabled audit device (if it was enabled) at: {path}"))
}

fn verify(terminal: &Terminal, arguments: &Arguments) -> Outcome {
    let path = arguments.at(0);
    let checked = if path == "-" {
        server::audit::verify::verify(std::io::stdin().lock())
    } else {
        let file = std::fs::File::open(path).map_err(|error| Failure::usage(format!("open {path}: {error}")))?;
        server::audit::verify::verify(std::io::BufReader::new(file))
    };
    let summary = checked.map_err(|broken| {
        Failure::refused(format!("{path}: {broken}"))
            .hint("All lines before it are whole. Keep a copy of the file as it is.".to_owned())
    })?;
    if summary.lines == 0 {
        return terminal.print(&format!("{path} has no lines."));
    }
    if summary.first > 1 {
        terminal.warn(&format!(
            "The file begins with entry {}: what came before it is in an older file, or was removed.",
            summary.first
        ));
    }
    let text = format!("{path} is whole: {} lines, entries {} to {}.", summary.lines, summary.first, summary.last);
    terminal.print(&format!("Success! {text}\nLast hash: {}", summary.hash))
}
