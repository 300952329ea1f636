//! Background work: sleeps until something is due or a signal comes, runs the kernel's jobs, commits what they decide.

use crate::drive;
use crate::shell::{Shell, Unsealed, lock};
use barrier::Pass;
use engine::{Fault, Headers, Input, Operation, Peer, Request, RequestPath, SystemRandomness};
use kernel::jobs::{self, JobOutcome, Progress};
use kernel::key_jobs;
use kernel::pipeline::Arrival;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::CommitError;

#[cfg(test)]
mod tests;

/// Longest sleep: new leases may be due earlier than the ones known when it began.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// Sleep after a failure.
const SLEEP_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// Records freed in one activation of the tidy job.
const TIDIED_MAX: usize = 1_000;
/// How often the tidy job runs.
const TIDY_EVERY: Duration = Duration::from_secs(3600);

/// How often to look whether a new key of the barrier is due.
const KEYS_EVERY: Duration = Duration::from_secs(60);
/// Pause between two steps of re-encryption, which leaves the store to requests most of the time.
const REENCRYPTION_PAUSE: Duration = Duration::from_millis(20);

/// Runs until the process stops.
pub async fn run(shell: Arc<Shell>) {
    let mut tidied = tokio::time::Instant::now();
    let mut keys = KeyWork::default();
    loop {
        let sleep = match shell.unsealed() {
            None => SLEEP_MAX,
            Some(unsealed) => {
                if tidied.elapsed() > TIDY_EVERY {
                    tidied = tokio::time::Instant::now();
                    note(&shell, "tidy", tidy(&shell, &unsealed).await.map(|_| ()));
                }
                let keys = keys.go_on(&shell, &unsealed).await;
                note(&shell, "identity-keys", turn_identity_keys(&shell, &unsealed).await.map(|_| ()));
                forget_ended_ceremonies(&shell);
                match expire(&shell, &unsealed).await {
                    Ok(progress) => sleep_until(&shell, progress).min(keys),
                    Err(fault) => {
                        note(&shell, "expire", Err(fault));
                        SLEEP_AFTER_FAILURE
                    }
                }
            }
        };
        tokio::select! {
            () = tokio::time::sleep(sleep) => {}
            () = shell.wake.notified() => {}
        }
    }
}

fn sleep_until(shell: &Shell, progress: Progress) -> Duration {
    shell.metrics.leases_expired.fetch_add(progress.done as u64, Ordering::Relaxed);
    let Some(next) = progress.next else { return SLEEP_MAX };
    let left = next.nanoseconds().saturating_sub(shell.clock.now().nanoseconds());
    Duration::from_nanos(u64::try_from(left).unwrap_or_default()).min(SLEEP_MAX)
}

async fn expire(shell: &Arc<Shell>, unsealed: &Arc<Unsealed>) -> Result<Progress, Fault> {
    activate(shell, unsealed, jobs::expire).await
}

/// Keys of identity tokens; what else is due does not wait for one that cannot turn.
async fn turn_identity_keys(shell: &Arc<Shell>, unsealed: &Arc<Unsealed>) -> Result<Progress, Fault> {
    activate(shell, unsealed, jobs::turn_identity_keys).await
}

async fn tidy(shell: &Arc<Shell>, unsealed: &Arc<Unsealed>) -> Result<Progress, Fault> {
    activate(shell, unsealed, |kernel, arrival| jobs::tidy(kernel, arrival, TIDIED_MAX)).await
}

async fn activate(
    shell: &Arc<Shell>,
    unsealed: &Arc<Unsealed>,
    job: impl Fn(&Arc<kernel::Kernel>, Arrival) -> Result<JobOutcome, Fault>,
) -> Result<Progress, Fault> {
    loop {
        let outcome = job(&unsealed.kernel, arrival(shell, unsealed)?)?;
        let Some(commit) = outcome.commit else { return Ok(outcome.progress) };
        match drive::submit(shell, commit).await {
            Ok(()) => return Ok(outcome.progress),
            Err(CommitError::Conflict) => {}
            Err(error) => return Err(Fault::internal(error.to_string())),
        }
    }
}

/// What a job begins with.
fn arrival(shell: &Arc<Shell>, unsealed: &Unsealed) -> Result<Arrival, Fault> {
    let (snapshot, barrier) = unsealed.view(shell.log.as_ref())?;
    Ok(Arrival {
        barrier,
        snapshot,
        now: shell.clock.now(),
        randomness: Box::new(SystemRandomness),
        request: Arc::new(own_request()),
        node: shell.clone(),
        outside: engine::Outside::default(),
    })
}

/// Wipes the shares of ceremonies whose time is over.
fn forget_ended_ceremonies(shell: &Shell) {
    let mut ceremonies = lock(&shell.ceremonies);
    *ceremonies = std::mem::take(&mut *ceremonies).live(shell.clock.now());
}

/// The work on the barrier's keys: looks now and then whether a new term is due, and walks over the store a step at a
/// time while there are records of older terms.
#[derive(Default)]
struct KeyWork {
    looked: Option<tokio::time::Instant>,
    pass: Option<Pass>,
}

impl KeyWork {
    /// Does what is due, and says how soon to come back at the latest.
    async fn go_on(&mut self, shell: &Arc<Shell>, unsealed: &Arc<Unsealed>) -> Duration {
        if self.looked.is_none_or(|looked| looked.elapsed() > KEYS_EVERY) {
            self.looked = Some(tokio::time::Instant::now());
            note(shell, "rotate", tend_keys(shell, unsealed).await);
            self.pass = self.pass.take().or_else(|| key_jobs::begin(&arrival(shell, unsealed).ok()?));
        }
        let Some(pass) = self.pass.take() else { return SLEEP_MAX };
        match reencrypt(shell, unsealed, &pass).await {
            Ok(Some(next)) => {
                self.pass = Some(next);
                REENCRYPTION_PAUSE
            }
            Ok(None) => SLEEP_MAX,
            Err(fault) => {
                note(shell, "reencrypt", Err(fault));
                SLEEP_MAX
            }
        }
    }
}

async fn tend_keys(shell: &Arc<Shell>, unsealed: &Arc<Unsealed>) -> Result<(), Fault> {
    loop {
        let arrival = arrival(shell, unsealed)?;
        let barrier = arrival.barrier.clone();
        let tended = key_jobs::tend(arrival)?;
        let Some(commit) = tended.commit else { return Ok(()) };
        match drive::submit(shell, commit).await {
            Ok(()) => {
                if tended.rotated {
                    tracing::info!("a new key of the barrier was due and is installed");
                }
                if let Some(recorded) = tended.recorded {
                    barrier.usage_recorded(recorded);
                }
                return Ok(());
            }
            Err(CommitError::Conflict) => {}
            Err(error) => return Err(Fault::internal(error.to_string())),
        }
    }
}

async fn reencrypt(shell: &Arc<Shell>, unsealed: &Arc<Unsealed>, pass: &Pass) -> Result<Option<Pass>, Fault> {
    loop {
        let step = key_jobs::reencrypt(arrival(shell, unsealed)?, pass, key_jobs::REWRITTEN_MAX)?;
        let committed = match step.commit {
            Some(commit) => drive::submit(shell, commit).await,
            None => Ok(()),
        };
        match committed {
            Ok(()) => {
                if step.retired {
                    tracing::info!("all records are under the newest key of the barrier; older keys are dropped");
                }
                return Ok(step.next);
            }
            Err(CommitError::Conflict) => {}
            Err(error) => return Err(Fault::internal(error.to_string())),
        }
    }
}

fn note(shell: &Shell, job: &str, result: Result<(), Fault>) {
    if let Err(fault) = result {
        shell.metrics.job_failures.fetch_add(1, Ordering::Relaxed);
        tracing::error!(job, error = %fault, "background job failed");
    }
}

/// The request that work of the node's own carries: nobody's, for no path.
pub fn own_request() -> Request {
    Request {
        id: String::new(),
        operation: Operation::Update,
        // The empty path is valid by definition.
        path: RequestPath::new("").expect("the empty path is a path"),
        namespace: None,
        token: None,
        input: Input::default(),
        wrap_ttl: None,
        headers: Headers::default(),
        peer: Peer::default(),
        head: false,
    }
}
