//! The shell around the kernel: snapshot, pure function, audit, commit, reply. A conflict runs the function again.

use crate::audit::{Phase, Receipt};
use crate::http::{self, Rendered};
use crate::shell::{Shell, Unsealed};
use engine::{Fault, Operation, Request, SystemRandomness};
use kernel::pipeline::{Arrival, Outcome};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use store::{Commit, CommitError};
use tokio::sync::oneshot;

/// Runs of one request; a request that conflicts so often meets a store that makes no progress.
const RUNS_MAX: usize = 64;

/// Serves a request on an unsealed node.
pub async fn drive(shell: &Arc<Shell>, unsealed: &Arc<Unsealed>, request: Arc<Request>) -> Rendered {
    let started = std::time::Instant::now();
    let mut audited = false;
    for _ in 0..RUNS_MAX {
        let Outcome { result, commit, effects, facts } = run(shell, unsealed, &request).await;
        // A fault of the shell itself is what the log is for; the client only learns that there was one.
        if let Err(fault @ (Fault::Store(_) | Fault::Internal(_))) = &result {
            tracing::error!(request = %request.id, path = %request.path, error = %fault, "request failed");
        }
        if let Some(commit) = commit {
            if !audited && shell.audit.record(&request, &facts, Phase::Request).await.is_err() {
                return unaudited();
            }
            audited = true;
            match submit(shell, commit).await {
                Ok(()) if shell.audit_changed() => shell.refresh_audit(),
                Ok(()) => {}
                Err(CommitError::Conflict) => continue,
                Err(error) => {
                    tracing::error!(request = %request.id, error = %error, "commit failed");
                    let failed = Fault::Internal("commit failed".to_owned());
                    let receipt = shell.audit.record(&request, &facts, Phase::Failure(&failed)).await;
                    return send(http::fault(&failed), receipt);
                }
            }
        }
        shell.perform(effects).await;
        let operation = facts.operation.unwrap_or(request.operation);
        let phase = match &result {
            Ok(answer) => Phase::Response { answer, with_request: !audited },
            Err(fault) if audited => Phase::Failure(fault),
            Err(fault) => Phase::Refusal(fault),
        };
        let receipt = shell.audit.record(&request, &facts, phase).await;
        shell.metrics.request(&request, &facts, &result, started.elapsed());
        return send(finished(&request, operation, result), receipt);
    }
    http::error(503, &["the store is too busy with conflicting writes; try again"])
}

fn finished(request: &Request, operation: Operation, result: Result<kernel::pipeline::Answer, Fault>) -> Rendered {
    match result {
        Ok(answer) => http::rendered(&request.id, operation, answer),
        Err(fault) => http::fault(&fault),
    }
}

/// Lets a reply out, for a receipt (security decision D11).
fn send<E>(rendered: Rendered, receipt: Result<Receipt, E>) -> Rendered {
    match receipt {
        Ok(_receipt) => rendered,
        Err(_) => unaudited(),
    }
}

/// No audit device took the entry: nothing of the reply leaves.
fn unaudited() -> Rendered {
    http::error(500, &["internal error: request could not be audited"])
}

async fn run(shell: &Arc<Shell>, unsealed: &Arc<Unsealed>, request: &Arc<Request>) -> Outcome {
    if !crate::heavy::is_heavy(unsealed, request) {
        return guarded(shell, unsealed, request);
    }
    // Password hashing waits its turn on its own threads, so that it never starves reads.
    let Ok(_turn) = shell.heavy.acquire().await else { return lost() };
    let (shell, unsealed, request) = (shell.clone(), unsealed.clone(), request.clone());
    tokio::task::spawn_blocking(move || guarded(&shell, &unsealed, &request)).await.unwrap_or_else(|_| lost())
}

/// A panic in a handler costs its request and nothing else: all it touched was its own transaction.
fn guarded(shell: &Arc<Shell>, unsealed: &Arc<Unsealed>, request: &Arc<Request>) -> Outcome {
    let snapshot = shell.log.snapshot();
    let barrier = match unsealed.barrier(snapshot.as_ref()) {
        Ok(barrier) => barrier,
        Err(fault) => return Outcome { result: Err(fault), ..lost() },
    };
    let arrival = Arrival {
        snapshot,
        barrier,
        now: shell.clock.now(),
        randomness: Box::new(SystemRandomness),
        request: request.clone(),
        node: shell.clone(),
    };
    catch_unwind(AssertUnwindSafe(|| kernel::handle(&unsealed.kernel, arrival))).unwrap_or_else(|_| lost())
}

fn lost() -> Outcome {
    Outcome {
        result: Err(Fault::Internal("handler panicked".to_owned())),
        commit: None,
        effects: Vec::new(),
        facts: kernel::pipeline::Facts::default(),
    }
}

/// Hands a commit to the log and waits until it is durable.
pub async fn submit(shell: &Shell, commit: Commit) -> Result<(), CommitError> {
    let (send, receive) = oneshot::channel();
    shell.log.submit(commit, Box::new(move |result| drop(send.send(result))));
    match receive.await {
        Ok(result) => result.map(|_| ()),
        Err(_) => Err(CommitError::Stopped("the log went away".to_owned())),
    }
}
