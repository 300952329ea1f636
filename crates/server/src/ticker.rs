//! Background work: sleeps until something is due or a signal comes, runs the kernel's jobs, commits what they decide.

use crate::drive;
use crate::shell::{Shell, Unsealed};
use engine::{Fault, Headers, Input, Operation, Peer, Request, RequestPath, SystemRandomness};
use kernel::jobs::{self, JobOutcome, Progress};
use kernel::pipeline::Arrival;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;
use store::CommitError;

/// Longest sleep: new leases may be due earlier than the ones known when it began.
const SLEEP_MAX: Duration = Duration::from_secs(1);
/// Sleep after a failure.
const SLEEP_AFTER_FAILURE: Duration = Duration::from_secs(5);
/// Records freed in one activation of the tidy job.
const TIDIED_MAX: usize = 1_000;
/// How often the tidy job runs.
const TIDY_EVERY: Duration = Duration::from_secs(3600);

/// Runs until the process stops.
pub async fn run(shell: Arc<Shell>) {
    let mut tidied = tokio::time::Instant::now();
    loop {
        let sleep = match shell.unsealed() {
            None => SLEEP_MAX,
            Some(unsealed) => {
                if tidied.elapsed() > TIDY_EVERY {
                    tidied = tokio::time::Instant::now();
                    note(&shell, "tidy", tidy(&shell, &unsealed).await);
                }
                match expire(&shell, &unsealed).await {
                    Ok(progress) => sleep_until(&shell, progress),
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

async fn tidy(shell: &Arc<Shell>, unsealed: &Arc<Unsealed>) -> Result<Progress, Fault> {
    activate(shell, unsealed, |kernel, arrival| jobs::tidy(kernel, arrival, TIDIED_MAX)).await
}

async fn activate(
    shell: &Arc<Shell>,
    unsealed: &Arc<Unsealed>,
    job: impl Fn(&Arc<kernel::Kernel>, Arrival) -> Result<JobOutcome, Fault>,
) -> Result<Progress, Fault> {
    loop {
        let snapshot = shell.log.snapshot();
        let arrival = Arrival {
            barrier: unsealed.barrier(snapshot.as_ref())?,
            snapshot,
            now: shell.clock.now(),
            randomness: Box::new(SystemRandomness),
            request: Arc::new(own_request()),
            node: shell.clone(),
        };
        let outcome = job(&unsealed.kernel, arrival)?;
        let Some(commit) = outcome.commit else { return Ok(outcome.progress) };
        match drive::submit(shell, commit).await {
            Ok(()) => return Ok(outcome.progress),
            Err(CommitError::Conflict) => {}
            Err(error) => return Err(Fault::internal(error.to_string())),
        }
    }
}

fn note(shell: &Shell, job: &str, result: Result<Progress, Fault>) {
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
        headers: Headers::new(),
        peer: Peer::default(),
        head: false,
    }
}
