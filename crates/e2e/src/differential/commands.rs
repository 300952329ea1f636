//! The peer's own command line against both servers: its exit codes, the shape of its JSON and what it complains about;
//! and our command line against our server: the same exit codes and the same shape of JSON, in words of its own.
//!
//! The commands are the lines of a text file; `$name=/pointer` before a command keeps a string of its JSON output, and
//! later lines may use `$name`. `@` stands for a folder that both sides can write to.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use super::compare::{Comparison, Side};
use super::normal;
use super::reviewed::Reviewed;
use super::run::{Report, Sides};
use crate::failure::{Context, Failure, Outcome};
use crate::server::Server;

/// One line of the file.
#[derive(Debug, Clone)]
struct Line {
    keep: Option<(String, String)>,
    words: Vec<String>,
}

struct Session<'a> {
    program: &'a Path,
    server: Server,
    captures: BTreeMap<String, String>,
}

/// Runs the commands of `file` with the peer's command line `program` against fresh servers of both sides, and with our
/// own against a third. Names of what is found begin with `cli/` and `own-cli/`.
///
/// # Errors
/// If a server or the command line cannot be started.
pub fn run_commands(program: &Path, sides: &Sides, file: &Path, reviewed: &Reviewed) -> Outcome<Report> {
    let lines = read(file)?;
    let mut report = Report { uses: vec![0; reviewed.0.len()], ..Report::default() };
    let mut peer = Session::start(program, Server::start_unsealed(&sides.peer).at("peer")?);
    let mut ours = Session::start(program, Server::start_unsealed(&sides.ours).at("ours")?);
    let own_program = &sides.ours.binary;
    let mut own = Session::start(own_program, Server::start_unsealed(&sides.ours).at("ours")?);
    for line in &lines {
        let (left, right) = (peer.perform(line)?, ours.perform(line)?);
        let words = line.words.join(" ");
        report.add(Comparison::of(&format!("cli/{words}"), &[], sides.values, &left, &right), reviewed);
        let (left, right) = (without_complaint(left), without_complaint(own.perform(line)?));
        report.add(Comparison::of(&format!("own-cli/{words}"), &[], false, &left, &right), reviewed);
    }
    Ok(report)
}

/// What programs see of a command: its exit code and what it printed. What it says to people is its own.
fn without_complaint(side: Side) -> Side {
    let printed = side.body.get("printed").cloned().unwrap_or_default();
    Side { body: json!({ "printed": printed }), ..side }
}

fn read(file: &Path) -> Outcome<Vec<Line>> {
    let text = fs::read_to_string(file).at(file.display())?;
    let mut lines = Vec::new();
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#')) {
        let mut words: Vec<String> = words(line);
        let keep = words.first().filter(|word| word.starts_with('$')).and_then(|word| word.split_once('='));
        let keep = keep.map(|(name, pointer)| (name.trim_start_matches('$').to_owned(), pointer.to_owned()));
        if keep.is_some() {
            words.remove(0);
        }
        lines.push(Line { keep, words });
    }
    Ok(lines)
}

/// Words parted by spaces; single quotes keep spaces together.
fn words(line: &str) -> Vec<String> {
    let mut words = Vec::new();
    for (index, part) in line.split('\'').enumerate() {
        if index % 2 == 1 {
            words.push(part.to_owned());
        } else {
            words.extend(part.split_whitespace().map(str::to_owned));
        }
    }
    words
}

impl<'a> Session<'a> {
    fn start(program: &'a Path, server: Server) -> Session<'a> {
        let mut captures = BTreeMap::new();
        captures.insert("root".to_owned(), server.root_token.clone());
        captures.insert("share".to_owned(), server.shares.first().cloned().unwrap_or_default());
        captures.insert("folder".to_owned(), server.folder().display().to_string());
        Session { program, server, captures }
    }

    /// The exit code stands where a reply has its status.
    fn perform(&mut self, line: &Line) -> Outcome<Side> {
        let mut command = Command::new("timeout");
        command.arg("20").arg(self.program);
        command.args(line.words.iter().map(|word| self.fill(word)));
        let address = format!("http://{}", self.server.client.address);
        command.env("BAO_ADDR", &address).env("VAULT_ADDR", &address);
        command.env("BAO_TOKEN", &self.server.root_token).env("VAULT_TOKEN", &self.server.root_token);
        command.env("BAO_FORMAT", "json").env("HOME", self.server.folder()).env("BAO_MAX_RETRIES", "0");
        let output = command.stdin(Stdio::null()).output()?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let json = serde_json::from_str(&text).unwrap_or(Value::Null);
        if let Some((name, pointer)) = &line.keep {
            let found = json.pointer(pointer).and_then(Value::as_str);
            let found = found.ok_or_else(|| Failure::new(format!("{:?} printed no {pointer}: {text}", line.words)));
            self.captures.insert(name.clone(), found.map_or_else(|_| format!("no-{name}"), str::to_owned));
        }
        let complaint = String::from_utf8_lossy(&output.stderr).into_owned();
        let printed =
            if json.is_null() && !text.is_empty() { json!("text") } else { normal::value(&json, &self.captures) };
        let errors = normal::text(complaint.trim(), &self.captures);
        let status = output.status.code().and_then(|code| u16::try_from(code).ok()).unwrap_or(999);
        Ok(Side { status, headers: Vec::new(), body: json!({"printed": printed, "errors": [errors]}) })
    }

    fn fill(&self, word: &str) -> String {
        let mut filled = word.to_owned();
        for (name, value) in self.captures.iter().rev() {
            filled = filled.replace(&format!("${name}"), value);
        }
        filled
    }
}
