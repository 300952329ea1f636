//! Runs programs with their output passed on, their time bounded and measured, and their closing lines kept.

use std::env;
use std::io::{BufRead, BufReader, Read};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, Instant};

/// How many of the last lines are searched for a result.
const LINES_KEPT: usize = 4000;

/// What a program left behind.
#[derive(Debug)]
pub(crate) struct Ran {
    /// Whether it ended with success within its time.
    pub(crate) success: bool,
    /// Its last lines of output and errors.
    pub(crate) lines: Vec<String>,
    /// How long it took.
    pub(crate) took: Duration,
}

/// Makes the workspace's root the current directory.
pub(crate) fn enter_root() -> Result<(), String> {
    let manifest = env::var_os("CARGO_MANIFEST_DIR").ok_or("run this as `cargo xtask`")?;
    env::set_current_dir(PathBuf::from(manifest).join("../..")).map_err(|error| error.to_string())
}

/// Cargo's target directory.
pub(crate) fn target() -> PathBuf {
    let path = env::var_os("CARGO_TARGET_DIR").map_or_else(|| PathBuf::from("target"), PathBuf::from);
    if path.is_absolute() { path } else { env::current_dir().unwrap_or_default().join(path) }
}

/// A cargo command that is not confused by the environment of the cargo that started us.
pub(crate) fn cargo(words: &[&str]) -> Command {
    let mut command = Command::new("cargo");
    command.args(words);
    for name in ["CARGO_MANIFEST_DIR", "CARGO_PKG_NAME", "CARGO_PKG_VERSION", "CARGO_MANIFEST_PATH"] {
        command.env_remove(name);
    }
    command
}

/// Runs `command` for at most `seconds_max`, passes its output on and keeps its last lines. A program that does not end
/// in time is ended with its children by coreutils' `timeout`.
pub(crate) fn run(title: &str, command: &Command, seconds_max: u64) -> Result<Ran, String> {
    println!("\n=== {title}");
    let start = Instant::now();
    let mut bounded = Command::new("timeout");
    bounded.arg("--kill-after=10").arg(seconds_max.to_string());
    bounded.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => bounded.env(name, value),
            None => bounded.env_remove(name),
        };
    }
    if let Some(folder) = command.get_current_dir() {
        bounded.current_dir(folder);
    }
    bounded.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = bounded.spawn().map_err(|error| format!("{title}: {error}"))?;
    let lines = Arc::new(Mutex::new(Vec::new()));
    let readers = [
        child.stdout.take().map(|pipe| pass_on(pipe, Arc::clone(&lines))),
        child.stderr.take().map(|pipe| pass_on(pipe, Arc::clone(&lines))),
    ];
    let status = child.wait().map_err(|error| error.to_string())?;
    for reader in readers.into_iter().flatten() {
        let _reader_is_done = reader.join();
    }
    let took = start.elapsed();
    let outcome = match status.code() {
        Some(0) => "ok".to_owned(),
        Some(124 | 137) => format!("ended after its bound of {seconds_max} s"),
        _ => format!("{status}"),
    };
    println!("--- {title}: {outcome}, {:.1} s", took.as_secs_f64());
    let lines = lines.lock().map(|lines| lines.clone()).unwrap_or_default();
    Ok(Ran { success: status.success(), lines, took })
}

/// The output of a short command, without passing it on.
pub(crate) fn output(command: &mut Command) -> Result<String, String> {
    let name = command.get_program().to_string_lossy().into_owned();
    let output = command.stdin(Stdio::null()).output().map_err(|error| format!("{name}: {error}"))?;
    if !output.status.success() {
        return Err(format!("{name}: {}", String::from_utf8_lossy(&output.stderr).trim()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

/// Whether a program of that name is on the path.
pub(crate) fn is_installed(program: &str) -> bool {
    let paths = env::var_os("PATH").unwrap_or_default();
    env::split_paths(&paths).any(|folder| folder.join(program).is_file())
}

/// Prints the findings of a check; true if there are none.
pub(crate) fn report(check: &str, findings: &[String]) -> bool {
    for finding in findings {
        println!("{check}: {finding}");
    }
    println!("{check}: {} passed, {} failed", u8::from(findings.is_empty()), findings.len());
    findings.is_empty()
}

fn pass_on(pipe: impl Read + Send + 'static, lines: Arc<Mutex<Vec<String>>>) -> thread::JoinHandle<()> {
    thread::spawn(move || {
        let mut reader = BufReader::new(pipe);
        let mut bytes = Vec::new();
        while reader.read_until(b'\n', &mut bytes).is_ok_and(|length| length > 0) {
            let line = String::from_utf8_lossy(&bytes).trim_end().to_owned();
            println!("{line}");
            if let Ok(mut lines) = lines.lock() {
                if lines.len() >= LINES_KEPT {
                    lines.remove(0);
                }
                lines.push(line);
            }
            bytes.clear();
        }
    })
}
