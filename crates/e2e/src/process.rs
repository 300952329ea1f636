//! A child process that is ended by its own id when its owner goes away, and what `/proc` says of it.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use crate::failure::{Context, Failure, Outcome};

/// Clock ticks of `/proc/PID/stat` in a second (`USER_HZ`, 100 on every Linux that Rust supports).
const TICKS_PER_SECOND: f64 = 100.0;

/// A running program.
pub struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command` with no input and both outputs in the file `log`.
    ///
    /// # Errors
    /// If the program cannot be started or the log not be written.
    pub fn start(mut command: Command, log: &Path) -> Outcome<Process> {
        let output = File::options().create(true).append(true).open(log)?;
        let errors = output.try_clone()?;
        let name = command.get_program().to_string_lossy().into_owned();
        let child = command.stdin(Stdio::null()).stdout(output).stderr(errors).spawn().at(format!("start {name}"))?;
        Ok(Process { child, log: log.to_owned() })
    }

    /// The process id.
    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Ends it with SIGKILL and waits until it is gone.
    pub fn kill(&mut self) {
        let _gone_already = self.child.kill();
        let _status = self.child.wait();
    }

    /// Its exit status if it has ended.
    pub fn ended(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().ok().flatten()
    }

    /// Waits until it ends, at most `patience`.
    pub fn wait(&mut self, patience: Duration) -> Option<ExitStatus> {
        let start = Instant::now();
        loop {
            if let Some(status) = self.ended() {
                return Some(status);
            }
            if start.elapsed() > patience {
                return None;
            }
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// The last `lines_max` lines of its output.
    pub fn log_tail(&self, lines_max: usize) -> String {
        let bytes = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&bytes);
        let lines: Vec<&str> = text.lines().collect();
        lines.get(lines.len().saturating_sub(lines_max)..).unwrap_or_default().join("\n")
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.kill();
    }
}

/// Seconds of processor time (user and system) that process `id` has used.
///
/// # Errors
/// If the process is gone.
pub fn cpu_seconds(id: u32) -> Outcome<f64> {
    let stat = fs::read_to_string(format!("/proc/{id}/stat"))?;
    let after_name = stat.rsplit_once(')').map(|(_, rest)| rest).unwrap_or_default();
    let ticks = |index: usize| after_name.split_whitespace().nth(index).and_then(|word| word.parse::<f64>().ok());
    match (ticks(11), ticks(12)) {
        (Some(user), Some(system)) => Ok((user + system) / TICKS_PER_SECOND),
        _ => Err(Failure::new(format!("/proc/{id}/stat has no times"))),
    }
}

/// Bytes of anonymous memory that process `id` holds (`RssAnon`; mapped files apart).
///
/// # Errors
/// If there is no such process.
pub fn anonymous_bytes(id: u32) -> Outcome<u64> {
    status_bytes(id, "RssAnon")
}

/// Bytes of memory that process `id` holds, pages of mapped files among them (`VmRSS`).
///
/// # Errors
/// If there is no such process.
pub fn resident_bytes(id: u32) -> Outcome<u64> {
    status_bytes(id, "VmRSS")
}

fn status_bytes(id: u32, field: &str) -> Outcome<u64> {
    let status = fs::read_to_string(format!("/proc/{id}/status"))?;
    let kilobytes = status
        .lines()
        .find_map(|line| line.strip_prefix(field)?.strip_prefix(':'))
        .and_then(|rest| rest.split_whitespace().next())
        .and_then(|word| word.parse::<u64>().ok())
        .ok_or_else(|| Failure::new(format!("/proc/{id}/status has no {field}")))?;
    Ok(kilobytes * 1024)
}

/// The direct children of process `id`.
pub fn children(id: u32) -> Vec<u32> {
    let text = fs::read_to_string(format!("/proc/{id}/task/{id}/children")).unwrap_or_default();
    text.split_whitespace().filter_map(|word| word.parse().ok()).collect()
}
