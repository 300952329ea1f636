//! Death at every sync: strace holds the server for a moment as each sync or rename begins, and the harness kills it as the
//! k-th of them, over all threads, begins.
//!
//! Strace's own `when=k` would not do: it counts for each thread apart, so that the syncs of a short-lived thread, such as
//! a checkpoint's, would hardly ever be the ones to die at.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use super::ledger::Ledger;
use super::workload::{self, Actor, Role};
use super::{Findings, prepared};
use crate::failure::{Context, Failure, Outcome};
use crate::process::children;
use crate::server::{Server, Settings};

/// More syncs than the workload may need.
const SYNCS_MAX: usize = 600;
/// The calls to die at.
const CALLS: &str = "fsync,fdatasync,msync,syncfs,sync_file_range,rename,renameat,renameat2";
/// How long each of them is held as it begins, in microseconds: time enough for the harness to see it and kill.
const HOLD_US: u32 = 40_000;
/// How long a clean stop may take.
const STOP_MAX: Duration = Duration::from_secs(20);

/// Kills the server at each sync call of start, unseal, the fixed workload and a clean stop in turn, until one life ends by
/// itself. Takes every `every`-th sync.
///
/// # Errors
/// If strace is missing or the machinery fails; faults of the server are findings.
pub fn at_every_sync(settings: &Settings, every: usize, bound: Duration) -> Outcome<Findings> {
    let start = Instant::now();
    let mut findings = Findings::default();
    let (mut server, role) = prepared(settings)?;
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
        server.shares = vec![role.share.clone()];
        let mut ledgers = [Ledger::of_client("fixed")];
        let [ledger] = &mut ledgers;
        let life = one_life(&mut server, sync, ledger, &role)?;
        let refused = ledger.refused.join(", ");
        if !life.died && (life.answered < workload::operation_count() || !refused.is_empty()) {
            let answered = life.answered;
            return Err(Failure::new(format!(
                "the workload ended alive after {answered} operations; refused: {refused}"
            )));
        }
        let death = format!("killed at sync {sync} after {} answers", life.answered);
        if findings.judge(&mut server, &mut ledgers, &death).is_err() {
            return Ok(findings);
        }
        server.process.kill();
        if !life.died {
            return Ok(findings);
        }
    }
    Err(Failure::new(format!("the workload syncs more than {SYNCS_MAX} times")))
}

/// How far a life came.
struct Life {
    answered: usize,
    died: bool,
}

/// Starts under strace, unseals, runs the workload and stops, all as far as it comes.
fn one_life(server: &mut Server, sync: usize, ledger: &mut Ledger, role: &Role) -> Outcome<Life> {
    let trace = server.folder().join("trace");
    fs::write(&trace, "")?;
    let output = trace.display().to_string();
    let (traced, injected) = (format!("trace={CALLS}"), format!("inject={CALLS}:delay_enter={HOLD_US}"));
    let wrapper = ["strace", "-f", "-q", "-o", &output, "-e", &traced, "-e", &injected].map(str::to_owned).to_vec();
    let over = AtomicBool::new(false);
    thread::scope(|scope| {
        let killer = scope.spawn(|| kill_at(&trace, sync, &over));
        let mut answered = 0;
        if server.restart_with(wrapper).is_ok() && server.unseal().is_ok() {
            if let Ok(mut connection) = server.client.connect() {
                let root = server.root_token.clone();
                answered = workload::fixed(Actor { ledger, connection: &mut connection, root: &root, role });
            }
            for child in children(server.process.id()) {
                let _gone_already = Command::new("kill").arg(child.to_string()).stderr(Stdio::null()).status();
            }
        }
        let _ended = server.process.wait(STOP_MAX);
        over.store(true, Ordering::Relaxed);
        let died = killer.join().map_err(|_| Failure::new("the thread that kills failed"))?;
        Ok(Life { answered, died })
    })
}

/// Kills the process whose call is the `sync`-th in the trace; false if it is over before there are so many.
fn kill_at(trace: &Path, sync: usize, over: &AtomicBool) -> bool {
    let names: Vec<String> = CALLS.split(',').map(|name| format!(" {name}(")).collect();
    loop {
        let last_look = over.load(Ordering::Relaxed);
        let text = fs::read_to_string(trace).unwrap_or_default();
        let calls = text.lines().filter(|line| names.iter().any(|name| line.contains(name)));
        if let Some(thread) = calls.into_iter().nth(sync - 1).and_then(|line| line.split(' ').next()) {
            // A signal to any thread's id reaches its whole process.
            return Command::new("kill")
                .arg("-9")
                .arg(thread)
                .stderr(Stdio::null())
                .status()
                .is_ok_and(|status| status.success());
        }
        if last_look {
            return false;
        }
        thread::sleep(Duration::from_millis(1));
    }
}

/// Copies with modes, since the server refuses a folder that others may read.
pub(super) fn copy_folder(from: &Path, to: &Path) -> Outcome<()> {
    fs::create_dir_all(to)?;
    fs::set_permissions(to, fs::Permissions::from_mode(0o700))?;
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
