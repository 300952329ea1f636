//! The cases of memory and of starting.

use std::path::Path;
use std::thread::sleep;
use std::time::{Duration, Instant};

use serde_json::json;

use super::load::{Load, Loads};
use super::report::{Line, Report};
use super::subject::bare;
use crate::failure::{Context, Failure, Outcome};
use crate::http::Request;
use crate::process::anonymous_bytes;
use crate::server::Server;

/// How long a server rests before its memory counts as idle.
const REST: Duration = Duration::from_secs(5);
/// The longest that filling one server may take.
const FILL_MAX: Duration = Duration::from_secs(1500);
/// Starts of which the median counts.
const STARTS: usize = 5;

/// Idle memory, memory with `tokens` live tokens, start on an empty store, and, for ours alone, start on a store of
/// `secrets` secrets and as many leases (0 leaves that out).
///
/// # Errors
/// If a server refuses what fills it.
pub fn memory(loads: &Loads, peer: &Path, ours: &Path, tokens: u64, secrets: u64, report: &mut Report) -> Outcome<()> {
    let mut servers = (bare(peer).at("peer")?, bare(ours).at("ours")?);
    sleep(REST);
    let idle = (anonymous_bytes(servers.0.process.id())?, anonymous_bytes(servers.1.process.id())?);
    report.print(bytes("idle memory", idle, 0.25));
    let starts = (start_ms(&mut servers.0)?, start_ms(&mut servers.1)?);
    report.print(Line::at_most("start to first read, empty", "ms", starts.0, starts.1, 100.0));
    fill_tokens(loads, &servers.0, tokens).at("peer")?;
    fill_tokens(loads, &servers.1, tokens).at("ours")?;
    sleep(REST);
    let full = (anonymous_bytes(servers.0.process.id())?, anonymous_bytes(servers.1.process.id())?);
    report.print(bytes(&format!("memory with {tokens} tokens"), full, 0.05));
    drop(servers);
    if secrets > 0 {
        let mut server = bare(ours)?;
        fill_secrets(loads, &server, secrets)?;
        fill_tokens(loads, &server, secrets)?;
        let took = start_ms(&mut server)?;
        report.print(Line::at_most(
            &format!("start to first read, {secrets} secrets and leases"),
            "ms",
            0.0,
            took,
            300.0,
        ));
    }
    Ok(())
}

fn bytes(case: &str, (peer, ours): (u64, u64), share_max: f64) -> Line {
    let megabytes = |bytes: u64| bytes as f64 / f64::from(1 << 20);
    let line = Line::at_most(case, "MB", megabytes(peer), megabytes(ours), 0.0);
    Line { ratio: ours as f64 / peer.max(1) as f64, aim: -share_max, ..line }
}

/// The median time from the start of the process to the first secret read, unsealing in between.
fn start_ms(server: &mut Server) -> Outcome<f64> {
    if server.as_root("GET", "sys/mounts/secret", None).is_err() {
        server.as_root("POST", "sys/mounts/secret", Some(json!({"type": "kv", "options": {"version": "1"}})))?;
        server.as_root("POST", "secret/start", Some(json!({"value": "1"})))?;
    }
    let mut times = Vec::new();
    for _ in 0..STARTS {
        server.process.kill();
        let start = Instant::now();
        server.restart()?;
        server.unseal()?;
        loop {
            let answer = server.client.send(&Request::api("GET", "sys/mounts", &server.root_token))?;
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

fn fill_tokens(loads: &Loads, server: &Server, tokens: u64) -> Outcome<()> {
    let environment = vec![("TOKEN", server.root_token.clone())];
    let load = Load { script: "token", path: "/v1/auth/token/create".to_owned(), connections: 64, environment };
    fill(loads, server, &load, tokens)
}

fn fill_secrets(loads: &Loads, server: &Server, secrets: u64) -> Outcome<()> {
    let _mounted_before = server.as_root("DELETE", "sys/mounts/secret", None);
    server.as_root("POST", "sys/mounts/secret", Some(json!({"type": "kv", "options": {"version": "2"}})))?;
    let environment = vec![("TOKEN", server.root_token.clone()), ("ROUND", "0".to_owned())];
    fill(loads, server, &Load { script: "fill", path: "/".to_owned(), connections: 256, environment }, secrets)
}

/// Repeats a load until it has been answered `wanted` times.
fn fill(loads: &Loads, server: &Server, load: &Load, wanted: u64) -> Outcome<()> {
    let start = Instant::now();
    let mut done = 0.0;
    let mut round = 0;
    while done < wanted as f64 {
        if start.elapsed() > FILL_MAX {
            return Err(Failure::new(format!("only {done} of {wanted} were written in {FILL_MAX:?}")));
        }
        round += 1;
        let mut load = load.clone();
        for (name, value) in &mut load.environment {
            if *name == "ROUND" {
                *value = round.to_string();
            }
        }
        let seconds = if done == 0.0 || wanted as f64 - done > done * 5.0 { 2 } else { 5 };
        done += loads.run(&load, &server.client.address.to_string(), server.process.id(), seconds)?.requests;
    }
    Ok(())
}
