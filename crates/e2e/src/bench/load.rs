//! One run of wrk against one server, with the server's processor time taken around it.

use std::path::PathBuf;
use std::process::Command;

use serde_json::Value;

use super::CLIENT_CORE;
use crate::failure::{Failure, Outcome};
use crate::process::cpu_seconds;

/// How the loads of a measurement run.
#[derive(Debug, Clone)]
pub struct Loads {
    /// The folder of the Lua scripts.
    pub scripts: PathBuf,
    /// Seconds of a measured run.
    pub seconds: u64,
    /// Seconds of the run before the first measured one.
    pub warm_up_seconds: u64,
    /// Measured pairs.
    pub pairs: usize,
}

/// What to send.
#[derive(Debug, Clone)]
pub(super) struct Load {
    /// The script's name without ending.
    pub(super) script: &'static str,
    /// The URL's path.
    pub(super) path: String,
    /// Open connections.
    pub(super) connections: u32,
    /// The script's environment.
    pub(super) environment: Vec<(&'static str, String)>,
}

/// What a run measured.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sample {
    /// Requests per second of time.
    pub(super) per_second: f64,
    /// Requests per second of the server's processor time.
    pub(super) per_cpu_second: f64,
    /// The 99th percentile of latency in milliseconds.
    pub(super) p99_ms: f64,
}

impl Loads {
    /// Runs `load` for `seconds` against the process `id` that listens on `address`.
    ///
    /// # Errors
    /// If wrk is missing, or any reply was not a success.
    pub(super) fn run(&self, load: &Load, address: &str, id: u32, seconds: u64) -> Outcome<Sample> {
        let mut wrk = Command::new("taskset");
        wrk.args(["-c", CLIENT_CORE, "wrk", "-t1", "--timeout", "10s"]);
        wrk.arg(format!("-c{}", load.connections)).arg(format!("-d{seconds}s"));
        wrk.arg("-s").arg(self.scripts.join(format!("{}.lua", load.script)));
        wrk.arg(format!("http://{address}{}", load.path));
        wrk.env("BENCH_LUA", &self.scripts).envs(load.environment.iter().map(|(name, value)| (*name, value.as_str())));
        let before = cpu_seconds(id)?;
        let output = wrk.output()?;
        let used = cpu_seconds(id)? - before;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let line = text.lines().find_map(|line| line.strip_prefix("RESULT ")).ok_or_else(|| {
            Failure::new(format!("wrk gave no result: {text}{}", String::from_utf8_lossy(&output.stderr)))
        })?;
        let result: Value = serde_json::from_str(line)?;
        let number = |key: &str| result.get(key).and_then(Value::as_f64).unwrap_or(0.0);
        if number("refused") > 0.0 || number("broken") > 0.0 || number("requests") < 1.0 {
            return Err(Failure::new(format!("not every reply to {} was a success: {line}", load.script)));
        }
        Ok(Sample {
            per_second: number("requests") / (number("microseconds") / 1e6),
            per_cpu_second: number("requests") / used.max(0.01),
            p99_ms: number("p99") / 1e3,
        })
    }
}
