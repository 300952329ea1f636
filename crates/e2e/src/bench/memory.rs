//! The cases of memory and of starting.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use super::fill;
use super::report::{Line, Report};
use super::subject::bare;
use crate::failure::{Context, Failure, Outcome};
use crate::http::Request;
use crate::process::{Process, anonymous_bytes, resident_bytes};
use crate::server::Server;

/// How long a server rests before its memory counts as idle.
const REST: Duration = Duration::from_secs(5);
/// The longest that filling a store that is not served may take.
const FILL_MAX: Duration = Duration::from_secs(1500);
/// Starts of which the median counts.
const STARTS: usize = 5;

/// What the cases of memory and of starting need.
#[derive(Debug, Clone)]
pub struct Amounts {
    /// Live tokens in both servers.
    pub tokens: u64,
    /// Secrets, and as many leases, in ours alone; 0 leaves that out.
    pub secrets: u64,
    /// The program that fills a store that is not served: the example `fill` of `sim`.
    pub filler: PathBuf,
}

/// Idle memory, memory with many live tokens, start on an empty store, and, for ours alone, start on a large one.
///
/// # Errors
/// If a server refuses what fills it.
pub fn memory(peer: &Path, ours: &Path, amounts: &Amounts, report: &mut Report) -> Outcome<()> {
    let mut servers = (bare(peer).at("peer")?, bare(ours).at("ours")?);
    sleep(REST);
    let idle = (anonymous_bytes(servers.0.process.id())?, anonymous_bytes(servers.1.process.id())?);
    report.print(bytes("idle memory", idle, 0.25));
    let read = "sys/mounts";
    let starts = (start_ms(&mut servers.0, read)?, start_ms(&mut servers.1, read)?);
    report.print(Line::at_most("start to first read, empty", "ms", starts.0, starts.1, 100.0));
    fill::tokens("peer", &servers.0, amounts.tokens)?;
    fill::tokens("ours", &servers.1, amounts.tokens)?;
    sleep(REST);
    let full = (anonymous_bytes(servers.0.process.id())?, anonymous_bytes(servers.1.process.id())?);
    let resident = (resident_bytes(servers.0.process.id())?, resident_bytes(servers.1.process.id())?);
    report.print(Line {
        detail: format!("resident {:.1} / {:.1} MB", megabytes(resident.0), megabytes(resident.1)),
        ..bytes(&format!("memory with {} tokens", amounts.tokens), full, 0.05)
    });
    drop(servers);
    if amounts.secrets > 0 { large(ours, amounts, report) } else { Ok(()) }
}

/// Start and memory on a store of many secrets and leases.
fn large(ours: &Path, amounts: &Amounts, report: &mut Report) -> Outcome<()> {
    let mut server = bare(ours)?;
    server.as_root("POST", "sys/mounts/secret", Some(json!({"type": "kv", "options": {"version": "2"}})))?;
    server.process.kill();
    fill_store(&server, amounts)?;
    let took = start_ms(&mut server, "secret/data/fill/1/1")?;
    let case = format!("start to first read, {} secrets and leases", amounts.secrets);
    report.print(Line::at_most(&case, "ms", 0.0, took, 300.0));
    sleep(REST);
    let held = megabytes(anonymous_bytes(server.process.id())?);
    report.print(Line::at_most("memory with these", "MB", 0.0, held, 0.0));
    Ok(())
}

fn fill_store(server: &Server, amounts: &Amounts) -> Outcome<()> {
    let log = server.folder().join("fill.log");
    let mut fill = Command::new(&amounts.filler);
    fill.arg(server.folder().join("data")).args(&server.shares).arg(&server.root_token);
    fill.args([amounts.secrets, amounts.secrets].map(|amount| amount.to_string()));
    let mut process = Process::start(fill, &log)?;
    match process.wait(FILL_MAX) {
        Some(status) if status.success() => Ok(()),
        Some(status) => Err(Failure::new(format!("filling ended with {status}: {}", process.log_tail(5)))),
        None => Err(Failure::new(format!("filling took longer than {FILL_MAX:?}"))),
    }
}

fn bytes(case: &str, (peer, ours): (u64, u64), share_max: f64) -> Line {
    let line = Line::at_most(case, "MB", megabytes(peer), megabytes(ours), 0.0);
    Line { ratio: ours as f64 / peer.max(1) as f64, aim: -share_max, ..line }
}

fn megabytes(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// The median time from the start of the process to the first answer to a read as root, unsealing in between.
fn start_ms(server: &mut Server, read: &str) -> Outcome<f64> {
    let mut times = Vec::new();
    for _ in 0..STARTS {
        server.process.kill();
        let start = Instant::now();
        server.restart()?;
        server.unseal()?;
        loop {
            let answer = server.client.send(&Request::api("GET", read, &server.root_token))?;
            if answer.status == 200 {
                break;
            }
            if start.elapsed() > Duration::from_secs(60) {
                return Err(Failure::new(format!("after a restart reads give {}", answer.status)));
            }
        }
        times.push(start.elapsed().as_secs_f64() * 1e3);
    }
    Ok(super::median(&times))
}
