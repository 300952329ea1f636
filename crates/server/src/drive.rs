//! The shell around the kernel: snapshot, pure function, audit, commit, reply. A conflict runs the function again.

use crate::audit::{Phase, Receipt};
use crate::http::{self, Rendered};
use crate::shell::{Shell, Unsealed};
use crate::traces::Trace;
use engine::{Fault, Operation, Request, SystemRandomness};
use kernel::Effect;
use kernel::pipeline::{Arrival, Facts, Outcome};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use store::{Commit, CommitError};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

#[cfg(test)]
mod tests;

/// Runs of one request; a request that conflicts so often meets a store that makes no progress.
const RUNS_MAX: usize = 64;

/// Serves a request on an unsealed node.
pub async fn drive(shell: &Arc<Shell>, unsealed: &Arc<Unsealed>, request: Arc<Request>) -> Rendered {
    let started = std::time::Instant::now();
    let mut audited = false;
    let mut turn = None;
    let mut trace = shell.traces.begin(&request);
    for _ in 0..RUNS_MAX {
        let outcome = run(shell, unsealed, &request).await;
        trace.step("handle");
        if turn.is_none() && outcome.effects.iter().any(Effect::is_of_ceremony) {
            // What ran is as if it had not. Another step may be under way, so it runs again when it is alone.
            turn = shell.ceremony_turn.clone().acquire_owned().await.ok();
            continue;
        }
        // A fault of the shell itself is what the log is for; the client only learns that there was one.
        if let Err(fault @ (Fault::Store(_) | Fault::Internal(_))) = &outcome.result {
            tracing::error!(request = %request.id, path = %request.path, error = %fault, "request failed");
        }
        let pass = Pass { shell: shell.clone(), request: request.clone(), started, audited, trace };
        if outcome.commit.is_none() && outcome.effects.is_empty() {
            return pass.answer(outcome.result, outcome.facts).await;
        }
        // From here on a client that goes away changes nothing: what is committed is also carried out and audited.
        let settled = match turn.take() {
            None => tokio::spawn(pass.settle(outcome)).await,
            Some(alone) => tokio::spawn(pass.settle_ceremony(outcome, unsealed.clone(), alone)).await,
        };
        match settled {
            Ok(Settled::Answered(rendered)) => return rendered,
            Ok(Settled::Conflict(again, kept)) => (audited, turn, trace) = (true, again, kept),
            Err(_) => return http::fault(&Fault::Internal("request was lost".to_owned())),
        }
    }
    let busy = Fault::Status(503, vec!["the store is too busy with conflicting writes; try again".to_owned()]);
    Pass { shell: shell.clone(), request, started, audited, trace }.answer(Err(busy), Facts::default()).await
}

/// One run of a request, from the kernel's outcome on.
struct Pass {
    shell: Arc<Shell>,
    request: Arc<Request>,
    started: std::time::Instant,
    /// Whether the request's entry is stored.
    audited: bool,
    trace: Trace,
}

enum Settled {
    Answered(Rendered),
    /// Nothing is committed: the request has to run again, in the same turn if it has one.
    Conflict(Option<OwnedSemaphorePermit>, Trace),
}

impl Pass {
    /// Request entry, commit, effects, response entry. Without the first nothing is committed; without the last nothing of
    /// the reply leaves.
    async fn settle(mut self, outcome: Outcome) -> Settled {
        let Outcome { mut result, commit, effects, facts } = outcome;
        if !self.audited && self.shell.audit.record(&self.request, &facts, Phase::Request).await.is_err() {
            return Settled::Answered(unaudited());
        }
        self.audited = true;
        self.trace.step("audit request");
        if let Some(commit) = commit {
            let committed = submit(&self.shell, commit).await;
            self.trace.step("commit");
            match committed {
                Ok(()) if self.shell.audit_changed() => self.shell.refresh_audit(),
                Ok(()) => {}
                Err(CommitError::Conflict) => return Settled::Conflict(None, self.trace),
                Err(error) => {
                    tracing::error!(request = %self.request.id, error = %error, "commit failed");
                    result = Err(Fault::Internal("commit failed".to_owned()));
                    return Settled::Answered(self.answer(result, facts).await);
                }
            }
        }
        self.shell.perform(effects).await;
        Settled::Answered(self.answer(result, facts).await)
    }

    /// A step of a ceremony: no state advances and nothing of the reply leaves unless the reply's audit entry is stored
    /// before the commit (S28). If the commit conflicts, the entry of the last run is the one that counts.
    async fn settle_ceremony(self, outcome: Outcome, unsealed: Arc<Unsealed>, turn: OwnedSemaphorePermit) -> Settled {
        let Outcome { result, commit, effects, facts } = outcome;
        let phase = match &result {
            Ok(answer) => Phase::Response { answer, with_request: !self.audited },
            Err(fault) => Phase::Refusal(fault),
        };
        let receipt = self.shell.audit.record(&self.request, &facts, phase).await;
        if receipt.is_err() {
            return Settled::Answered(unaudited());
        }
        for effect in &effects {
            if let Effect::Ceremonies { barrier: Some(next), .. } = effect {
                unsealed.expect(next);
            }
        }
        if let Some(commit) = commit {
            match submit(&self.shell, commit).await {
                Ok(()) => {}
                Err(CommitError::Conflict) => return Settled::Conflict(Some(turn), self.trace),
                Err(error) => {
                    tracing::error!(request = %self.request.id, error = %error, "commit failed");
                    let failed = Err(Fault::Internal("commit failed".to_owned()));
                    let pass = Self { audited: true, ..self };
                    return Settled::Answered(pass.answer(failed, facts).await);
                }
            }
        }
        if effects.iter().any(|effect| matches!(effect, Effect::Ceremonies { barrier: Some(_), .. })) {
            tracing::info!(request = %self.request.id, "a ceremony changed the shares or the root key");
        }
        self.shell.perform(effects).await;
        drop(turn);
        Settled::Answered(self.finish(result, &facts, receipt))
    }

    /// The response entry and the reply.
    async fn answer(mut self, result: Result<kernel::pipeline::Answer, Fault>, facts: Facts) -> Rendered {
        let phase = match &result {
            Ok(answer) => Phase::Response { answer, with_request: !self.audited },
            Err(fault) if self.audited => Phase::Failure(fault),
            Err(fault) => Phase::Refusal(fault),
        };
        let receipt = self.shell.audit.record(&self.request, &facts, phase).await;
        self.trace.step("audit response");
        self.finish(result, &facts, receipt)
    }

    /// Counts the request, ends its trace, and renders the reply if there is a receipt for it.
    fn finish<E>(
        self,
        result: Result<kernel::pipeline::Answer, Fault>,
        facts: &Facts,
        receipt: Result<Receipt, E>,
    ) -> Rendered {
        let Self { shell, request, started, trace, .. } = self;
        shell.metrics.request(&request, facts, &result, started.elapsed());
        let operation = facts.operation.unwrap_or(request.operation);
        let rendered = send(finished(&request, operation, result), receipt);
        let mount = facts.mount.as_ref().map_or("", |mount| &mount.path);
        tracing::debug!(
            request = %request.id,
            operation = operation.name(),
            mount,
            status = rendered.status,
            microseconds = started.elapsed().as_micros(),
            "request served"
        );
        shell.traces.end(trace, rendered.status, || {
            let namespace = facts.namespace.as_ref().map_or("", |namespace| &namespace.path);
            vec![
                ("coffer.request_id", request.id.clone()),
                ("coffer.operation", operation.name().to_owned()),
                ("coffer.mount", mount.to_owned()),
                ("coffer.namespace", namespace.to_owned()),
            ]
        });
        rendered
    }
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
    if !kernel::heavy::is_heavy(&unsealed.kernel, request, || unsealed.view(shell.log.as_ref())) {
        return guarded(shell, unsealed, request);
    }
    // Hashing passwords and making keys waits its turn on its own threads, so that it never starves reads.
    let Ok(_turn) = shell.heavy.acquire().await else { return lost() };
    let (shell, unsealed, request) = (shell.clone(), unsealed.clone(), request.clone());
    tokio::task::spawn_blocking(move || guarded(&shell, &unsealed, &request)).await.unwrap_or_else(|_| lost())
}

/// A panic in a handler costs its request and nothing else: all it touched was its own transaction.
fn guarded(shell: &Arc<Shell>, unsealed: &Arc<Unsealed>, request: &Arc<Request>) -> Outcome {
    let (snapshot, barrier) = match unsealed.view(shell.log.as_ref()) {
        Ok(view) => view,
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
        facts: Facts::default(),
    }
}

/// Hands a commit to the log and waits until it is durable.
pub async fn submit(shell: &Shell, commit: Commit) -> Result<(), CommitError> {
    let begun = std::time::Instant::now();
    let (send, receive) = oneshot::channel();
    shell.log.submit(commit, Box::new(move |result| drop(send.send(result))));
    let result = match receive.await {
        Ok(result) => result.map(|_| ()),
        Err(_) => Err(CommitError::Stopped("the log went away".to_owned())),
    };
    shell.metrics.commit(&result, begun.elapsed());
    result
}
