//! Mounting, tuning, moving and removing.

use super::Family;
use super::options::{PATH, config, kind, outside};
use crate::commands::with_slash;
use crate::failure::{Failure, Outcome};
use crate::flags::Arguments;
use crate::progress::Progress;
use crate::session::Session;
use client::Request;
use serde_json::{Value, json};
use std::time::Duration;

/// Time between two looks at a move under way.
const LOOK_INTERVAL: Duration = Duration::from_millis(200);

pub(super) fn enable(session: &Session, arguments: &Arguments, family: &Family) -> Outcome {
    let name = arguments.at(0);
    let path = with_slash(&arguments.get(&PATH).unwrap_or_else(|| name.to_owned()));
    let mut body = kind(arguments, name);
    body.extend(outside(arguments));
    let config = config(arguments);
    if !config.is_empty() {
        body.insert("config".to_owned(), Value::Object(config));
    }
    let request = Request::write(&format!("{}/{}", family.table, path.trim_end_matches('/')), Value::Object(body));
    session.send(&request, &format!("enabling the {} {name}", family.what))?;
    session.success(&format!("Enabled the {name} {} at: {path}", family.what))
}

pub(super) fn disable(session: &Session, arguments: &Arguments, family: &Family) -> Outcome {
    let path = with_slash(arguments.at(0).trim_start_matches(family.prefix));
    let request = Request::delete(&format!("{}/{}", family.table, path.trim_end_matches('/')));
    session.send(&request, &format!("disabling the {} at {path}", family.what))?;
    session.success(&format!("Disabled the {} (if it existed) at: {path}", family.what))
}

pub(super) fn tune(session: &Session, arguments: &Arguments, family: &Family) -> Outcome {
    let path = with_slash(arguments.at(0).trim_start_matches(family.prefix));
    let mut body = config(arguments);
    body.extend(outside(arguments));
    let request = Request::write(&format!("{}/{path}tune", family.table), Value::Object(body));
    session.send(&request, &format!("tuning the {} {path}", family.what))?;
    session.success(&format!("Tuned the {} at: {path}", family.what))
}

pub(super) fn relocate(session: &Session, arguments: &Arguments, family: &Family) -> Outcome {
    let place = |text: &str| with_slash(text.trim_start_matches('/').trim_start_matches(family.prefix));
    let (from, to) = (place(arguments.at(0)), place(arguments.at(1)));
    let body = json!({ "from": format!("{}{from}", family.prefix), "to": format!("{}{to}", family.prefix) });
    let tried = format!("moving the {} {from} to {to}", family.what);
    let reply = session.send(&Request::write("sys/remount", body), &tried)?;
    let Some(id) = reply.data().get("migration_id").and_then(Value::as_str) else {
        return session.success(&format!("Moved the {} {from} to: {to}", family.what));
    };
    session.terminal.print(&format!("Started moving the {} {from} to {to}, with migration ID {id}", family.what))?;
    let progress = Progress::spinner(&format!("moving {from} to {to}"));
    let moved = wait(session, &format!("sys/remount/status/{id}"), &tried);
    progress.end();
    moved?;
    session.success(&format!("Finished moving the {} {from} to {to}, with migration ID {id}", family.what))
}

/// Until the server has moved everything; the server ends this, in success or failure.
fn wait(session: &Session, status: &str, tried: &str) -> Outcome {
    loop {
        let reply = session.send(&Request::read(status), tried)?;
        let state = reply.data().pointer("/migration_info/status").and_then(Value::as_str).unwrap_or_default();
        match state {
            "success" => return Ok(()),
            "in-progress" => session.pause(LOOK_INTERVAL),
            other => {
                return Err(Failure::refused(format!("Error {tried}: the server says {other:?}"))
                    .hint("The server's log tells why.".to_owned()));
            }
        }
    }
}
