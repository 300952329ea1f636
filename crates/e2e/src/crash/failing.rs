//! A sync that fails: strace answers one of the committer's with an input/output error. What was acknowledged stays,
//! nothing more is, reads go on, and the sync is never tried again, since after an error the kernel may call data durable
//! that it has dropped (row F04).

use std::fs;
use std::time::{Duration, Instant};

use super::ledger::Ledger;
use super::object::Object;
use super::syncs::copy_folder;
use super::workload::{self, Actor, Role};
use super::{Findings, prepared};
use crate::failure::{Failure, Outcome};
use crate::process::children;
use crate::server::{Server, Settings};

/// Which of the committer's syncs fail, counted from 1. Opening the store makes fewer.
const FAILING: [usize; 4] = [10, 15, 21, 28];

/// Lets single syncs fail in lives of their own.
///
/// # Errors
/// If strace is missing or the machinery fails; faults of the server are findings.
pub fn at_failed_syncs(settings: &Settings, bound: Duration) -> Outcome<Findings> {
    let start = Instant::now();
    let mut findings = Findings::default();
    let (mut server, role) = prepared(settings)?;
    server.process.kill();
    let (data, template) = (server.folder().join("data"), server.folder().join("template"));
    copy_folder(&data, &template)?;
    for sync in FAILING {
        if start.elapsed() > bound {
            return Err(Failure::new(format!("not done after {bound:?}, at failing sync {sync}")));
        }
        fs::remove_dir_all(&data)?;
        copy_folder(&template, &data)?;
        server.shares = vec![role.share.clone()];
        let mut ledgers = [Ledger::of_client("failing")];
        let [ledger] = &mut ledgers;
        let death = format!("sync {sync} failed");
        for fault in one_life(&mut server, sync, ledger, &role)? {
            findings.faults.push(format!("{death}: {fault}"));
        }
        if findings.judge(&mut server, &mut ledgers, &death).is_err() {
            return Ok(findings);
        }
        server.process.kill();
    }
    Ok(findings)
}

/// Runs the workload over the failure, looks at what the server does then, and kills it. Gives what was wrong.
fn one_life(server: &mut Server, sync: usize, ledger: &mut Ledger, role: &Role) -> Outcome<Vec<String>> {
    let trace = server.folder().join("trace");
    let (output, injected) = (trace.display().to_string(), format!("inject=fdatasync:error=EIO:when={sync}"));
    let words = ["strace", "-f", "-q", "-o", &output, "-e", "trace=fdatasync", "-e", &injected];
    server.restart_with(words.map(str::to_owned).to_vec())?;
    server.unseal()?;
    let mut connection = server.client.connect()?;
    let root = server.root_token.clone();
    workload::fixed(Actor { ledger, connection: &mut connection, root: &root, role });
    let mut faults = Vec::new();
    let late = Object::Secret("late".to_owned()).write_request("failing", &root, "late");
    let status = connection.send(&late, true)?.status;
    if status < 500 {
        faults.push(format!("a write after it gives {status}"));
    }
    let read = crate::http::Request::api("GET", "secret/data/failing/s0", &root);
    let status = connection.send(&read, true)?.status;
    if status != 200 {
        faults.push(format!("a read after it gives {status}"));
    }
    for child in children(server.process.id()) {
        let _gone_already = std::process::Command::new("kill").arg("-9").arg(child.to_string()).status();
    }
    let _ended = server.process.wait(Duration::from_secs(5));
    let calls = fs::read_to_string(&trace)?;
    let mut lines = calls.lines().skip_while(|line| !line.contains("(INJECTED)"));
    match lines.next().and_then(|line| line.split(' ').next()) {
        None => faults.push("no sync failed".to_owned()),
        Some(thread) => {
            let call = format!("{thread} fdatasync(");
            faults.extend(lines.filter(|line| line.starts_with(&call)).map(|line| format!("tried again: {line}")));
        }
    }
    Ok(faults)
}
