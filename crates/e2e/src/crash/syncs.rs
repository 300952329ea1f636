//! Death at every sync: strace kills the server as its k-th sync call begins.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use super::ledger::Ledger;
use super::{Findings, prepared, workload};
use crate::failure::{Context, Failure, Outcome};
use crate::process::{Process, children};
use crate::server::{Server, Settings};

/// More syncs than a workload of thirty operations may need.
const SYNCS_MAX: usize = 400;

/// Kills the server at each sync call of start, unseal and the fixed workload in turn, until the workload ends alive.
/// Takes every `every`-th sync.
///
/// # Errors
/// If strace is missing or the machinery fails; faults of the server are findings.
pub fn at_every_sync(settings: &Settings, every: usize, bound: Duration) -> Outcome<Findings> {
    let start = Instant::now();
    let mut findings = Findings::default();
    let mut server = prepared(settings)?;
    server.process.kill();
    let data = server.folder().join("data");
    let template = server.folder().join("template");
    copy_folder(&data, &template)?;
    for sync in (1..SYNCS_MAX).step_by(every.max(1)) {
        if start.elapsed() > bound {
            return Err(Failure::new(format!("not done after {bound:?}, at sync {sync}")));
        }
        fs::remove_dir_all(&data)?;
        copy_folder(&template, &data)?;
        let mut ledgers = [Ledger::of_client("fixed")];
        let answered = one_life(&mut server, sync, &mut ledgers[0]);
        let died = end_traced(&mut server.process);
        let death = format!("killed at sync {sync} after {answered} answers");
        if findings.judge(&mut server, &mut ledgers, &death).is_err() {
            return Ok(findings);
        }
        server.process.kill();
        if !died {
            return Ok(findings);
        }
    }
    Err(Failure::new(format!("the workload syncs more than {SYNCS_MAX} times")))
}

/// Starts under strace, unseals and runs the workload as far as it comes.
fn one_life(server: &mut Server, sync: usize, ledger: &mut Ledger) -> usize {
    let inject = format!("inject=fsync,fdatasync,msync,syncfs,sync_file_range:signal=KILL:when={sync}");
    let words = ["strace", "-f", "-q", "-o", "/dev/null", "-e", "trace=fsync,fdatasync,msync,syncfs,sync_file_range"];
    let mut wrapper: Vec<String> = words.iter().map(|word| (*word).to_owned()).collect();
    wrapper.extend(["-e".to_owned(), inject]);
    if server.restart_with(wrapper).is_err() || server.unseal().is_err() {
        return 0;
    }
    let Ok(mut connection) = server.client.connect() else { return 0 };
    workload::fixed(ledger, &mut connection, &server.root_token)
}

/// Whether the traced server was killed; ends it if not.
fn end_traced(strace: &mut Process) -> bool {
    let died = strace.wait(Duration::from_millis(150)).is_some();
    if !died {
        for child in children(strace.id()) {
            let _status = std::process::Command::new("kill").arg("-9").arg(child.to_string()).status();
        }
        let _status = strace.wait(Duration::from_secs(5));
    }
    died
}

fn copy_folder(from: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir_all(to)?;
    for entry in fs::read_dir(from).at(from.display())? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy_folder(&entry.path(), &target)?;
        } else {
            fs::copy(entry.path(), &target).at(target.display())?;
        }
    }
    Ok(())
}
