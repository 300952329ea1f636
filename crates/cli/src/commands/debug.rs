//! `debug`: what helps to find out what is wrong with a server, in a folder to send on.

use crate::command::{Action, Command, Count};
use crate::failure::{Failure, Outcome};
use crate::flags::{Arguments, Flag, Seconds};
use crate::progress::Progress;
use crate::render;
use crate::session::Session;
use client::Request;
use serde_json::{Value, json};
use std::os::unix::fs::DirBuilderExt as _;
use std::path::{Path, PathBuf};
use std::time::Duration;

static DURATION: Flag<Option<Seconds>> = Flag::new("duration", "DURATION", "How long to watch. Default: 2m.");
static INTERVAL: Flag<Option<Seconds>> = Flag::new("interval", "DURATION", "How often to look. Default: 30s.");
static OUTPUT: Flag<Option<String>> =
    Flag::new("output", "FOLDER", "Folder to make. Default: coffer-debug- and the time.");
static TARGET: Flag<Vec<String>> =
    Flag::new("target", "NAME", "config, host, metrics, requests or server-status; may be repeated. Default: all.");

/// `debug`.
pub static DEBUG: Command = Command {
    name: "debug",
    summary: "Collect what helps to find a fault",
    arguments: "",
    count: Count::Exactly(0),
    about: "Watches a server for a while and writes what it sees into a folder: state, configuration without secrets, \
            metrics, requests under way, the machine. What the token may not read is left out and noted in index.json.",
    examples: &[
        ("Two minutes", "debug"),
        ("A short look", "debug -duration=10s -interval=5s -output=look -target=metrics"),
    ],
    flags: &[&DURATION.about, &INTERVAL.about, &OUTPUT.about, &TARGET.about],
    action: Action::Remote(debug),
};

/// What is looked at: name, path, whether it changes.
const TARGETS: [(&str, &str, bool); 6] = [
    ("config", "sys/config/state/sanitized", false),
    ("host", "sys/host-info", true),
    ("metrics", "sys/metrics", true),
    ("requests", "sys/in-flight-req", true),
    ("server-status", "sys/health", true),
    ("server-status", "sys/seal-status", true),
];
/// Most looks, so that a folder stays a folder.
const LOOKS_MAX: i64 = 10_000;

fn debug(session: &Session, arguments: &Arguments) -> Outcome {
    let targets = targets(arguments)?;
    let seconds = |flag, default| arguments.get::<Option<Seconds>>(flag).map_or(default, |Seconds(seconds)| seconds);
    let (duration, interval) = (seconds(&DURATION, 120), seconds(&INTERVAL, 30));
    if interval < 1 || duration < 1 || duration / interval > LOOKS_MAX {
        return Err(Failure::usage("-duration and -interval have to be a second or more, and at most 10000 looks"));
    }
    let folder = folder(arguments)?;
    let looks = duration / interval + 1;
    session.terminal.say(&format!("Writing to {}", folder.display()));
    let progress = Progress::bar("watching", u64::try_from(looks).unwrap_or_default());
    let mut errors = Vec::new();
    for look in 0..looks {
        if look > 0 {
            session.pause(Duration::from_secs(interval.unsigned_abs()));
        }
        for (name, path, changes) in targets.iter().filter(|(_, _, changes)| *changes || look == 0) {
            let file = file_name(name, path, *changes, look);
            match session.ask(&Request::read(path)) {
                Ok(reply) => write(&folder.join(file), &reply.body)?,
                Err(error) => errors.push(json!({ "target": name, "look": look, "error": error.to_string() })),
            }
        }
        progress.step();
    }
    progress.end();
    let mut names: Vec<&str> = targets.iter().map(|(name, _, _)| *name).collect();
    names.dedup();
    let index =
        json!({ "targets": names, "duration_seconds": duration, "interval_seconds": interval, "errors": errors });
    write(&folder.join("index.json"), &index)?;
    session.success(&format!("Bundle written to: {}", folder.display()))
}

fn targets(arguments: &Arguments) -> Outcome<Vec<(&'static str, &'static str, bool)>> {
    let named = arguments.get(&TARGET);
    if let Some(unknown) = named.iter().find(|name| !TARGETS.iter().any(|(known, _, _)| known == name)) {
        return Err(Failure::usage(format!("Unknown target {unknown}."))
            .hint("The targets are config, host, metrics, requests and server-status.".to_owned()));
    }
    Ok(TARGETS
        .into_iter()
        .filter(|(name, _, _)| named.is_empty() || named.iter().any(|wanted| wanted == name))
        .collect())
}

fn folder(arguments: &Arguments) -> Outcome<PathBuf> {
    let stamp = jiff::Timestamp::now().strftime("%Y-%m-%dT%H-%M-%SZ").to_string();
    let folder = PathBuf::from(arguments.get(&OUTPUT).unwrap_or_else(|| format!("coffer-debug-{stamp}")));
    if folder.exists() {
        return Err(Failure::usage(format!("{} exists already", folder.display()))
            .hint("Name another with -output.".to_owned()));
    }
    // What it holds is nobody else's business: addresses, mounts, what is being asked.
    std::fs::DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&folder)
        .map_err(|error| Failure::file(&folder.display().to_string(), &error))?;
    Ok(folder)
}

fn file_name(name: &str, path: &str, changes: bool, look: i64) -> String {
    let last = path.rsplit('/').next().unwrap_or(name);
    if changes { format!("{name}-{last}-{look:05}.json") } else { format!("{name}-{last}.json") }
}

fn write(path: &Path, value: &Value) -> Outcome {
    let text = match value {
        Value::String(text) => text.clone(),
        other => render::json(other),
    };
    std::fs::write(path, text).map_err(|error| Failure::file(&path.display().to_string(), &error))
}
