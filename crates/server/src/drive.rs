//! The shell around the kernel: snapshot, pure function, audit, commit, reply. A conflict runs the function again, and so
//! does an answer from outside.

use crate::audit::{Phase, Receipt, Shared, Unaudited};
use crate::http::{self, Rendered};
use crate::shell::{Shell, Unsealed};
use crate::traces::Trace;
use engine::outside::Call;
use engine::{Fault, Operation, Outside, Request, SystemRandomness};
use kernel::Effect;
use kernel::pipeline::{Arrival, Facts, Outcome};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::time::Duration;
use store::{Commit, CommitError};
use tokio::sync::{OwnedSemaphorePermit, oneshot};

#[cfg(test)]
mod tests;

/// Runs of one request; a request that conflicts so often meets a store that makes no progress.
const RUNS_MAX: usize = 64;
/// How long all calls of one request may take; the next then fails as late.
const OUTSIDE_TIME_MAX: Duration = Duration::from_secs(60);

/// Serves a request on an unsealed node.
pub async fn drive(shell: &Arc<Shell>, unsealed: &Arc<Unsealed>, request: Arc<Request>) -> Rendered {
    let mut driven = Driven::new(shell, unsealed, request);
    loop {
        match driven.step().await {
            Step::Done(rendered) => return rendered,
            Step::Again => {}
            // From here on a client that goes away changes nothing: what was asked outside is also audited to its end.
            Step::Outside(call) => return tokio::spawn(driven.outside(call)).await.unwrap_or_else(|_| lost_request()),
        }
    }
}

/// A request under way.
struct Driven {
    shell: Arc<Shell>,
    unsealed: Arc<Unsealed>,
    request: Arc<Request>,
    started: std::time::Instant,
    /// Whether the request's entry is stored.
    audited: bool,
    /// The turn of a step of a ceremony.
    turn: Option<OwnedSemaphorePermit>,
    trace: Trace,
    /// What was asked of the outside so far.
    outside: Outside,
    /// How long its calls took so far.
    outside_time: Duration,
    runs: usize,
}

enum Step {
    Done(Rendered),
    /// Nothing is committed: the request runs again.
    Again,
    /// The request runs again when it has the answer to this call.
    Outside(Box<Call>),
}

impl Driven {
    fn new(shell: &Arc<Shell>, unsealed: &Arc<Unsealed>, request: Arc<Request>) -> Self {
        Self {
            shell: shell.clone(),
            unsealed: unsealed.clone(),
            started: std::time::Instant::now(),
            audited: false,
            turn: None,
            trace: shell.traces.begin(&request),
            outside: Outside::default(),
            outside_time: Duration::ZERO,
            runs: 0,
            request,
        }
    }

    /// Runs the request once, and settles what it decided.
    async fn step(&mut self) -> Step {
        self.runs += 1;
        if self.runs > RUNS_MAX {
            let busy = Fault::Status(503, vec!["the store is too busy with conflicting writes; try again".to_owned()]);
            return Step::Done(self.pass().answer(Err(busy), Facts::default()).await);
        }
        let outcome = run(&self.shell, &self.unsealed, &self.request, &self.outside).await;
        self.trace.step("handle");
        if let Err(Fault::Outside(call)) = outcome.result {
            return self.asks(call, &outcome.facts).await;
        }
        if self.turn.is_none() && outcome.effects.iter().any(Effect::is_of_ceremony) {
            // What ran is as if it had not. Another step may be under way, so it runs again when it is alone.
            self.turn = self.shell.ceremony_turn.clone().acquire_owned().await.ok();
            return Step::Again;
        }
        // A fault of the shell itself is what the log is for; the client only learns that there was one.
        if let Err(fault @ (Fault::Store(_) | Fault::Internal(_))) = &outcome.result {
            tracing::error!(request = %self.request.id, path = %self.request.path, error = %fault, "request failed");
        }
        let pass = self.pass();
        if outcome.commit.is_none() && outcome.effects.is_empty() {
            return Step::Done(pass.answer(outcome.result, outcome.facts).await);
        }
        // From here on a client that goes away changes nothing: what is committed is also carried out and audited.
        let settled = match self.turn.take() {
            None => tokio::spawn(pass.settle(outcome)).await,
            Some(alone) => tokio::spawn(pass.settle_ceremony(outcome, self.unsealed.clone(), alone)).await,
        };
        match settled {
            Ok(Settled::Answered(rendered)) => Step::Done(rendered),
            Ok(Settled::Conflict(again, kept)) => {
                (self.audited, self.turn, self.trace) = (true, again, kept);
                Step::Again
            }
            Err(_) => Step::Done(lost_request()),
        }
    }

    /// A run that needs an answer from outside. The request's entry is stored before anything goes out.
    async fn asks(&mut self, call: Box<Call>, facts: &Facts) -> Step {
        if !self.audited && self.shell.audit.record(&self.request, facts, Phase::Request).await.is_err() {
            return Step::Done(unaudited());
        }
        self.audited = true;
        self.trace.step("audit request");
        Step::Outside(call)
    }

    /// Makes the call and goes on to the reply, with whatever else is asked on the way.
    async fn outside(mut self, first: Box<Call>) -> Rendered {
        let mut call = Some(first);
        loop {
            if let Some(call) = call.take() {
                let begun = std::time::Instant::now();
                let left = OUTSIDE_TIME_MAX.saturating_sub(self.outside_time);
                let outcome = self.shell.outbound.make(&call, left).await;
                self.outside_time += begun.elapsed();
                self.shell.metrics.outbound.add(outcome.as_ref().err(), begun.elapsed());
                self.trace.step("outside");
                if !self.outside.answered(*call, outcome) {
                    let fault = Fault::internal("more calls than a request may make");
                    tracing::error!(request = %self.request.id, error = %fault, "request failed");
                    return self.pass().answer(Err(fault), Facts::default()).await;
                }
            }
            match self.step().await {
                Step::Done(rendered) => return rendered,
                Step::Again => {}
                Step::Outside(next) => call = Some(next),
            }
        }
    }

    /// What it takes to settle a run. The trace goes with it, and comes back if the commit conflicts.
    fn pass(&mut self) -> Pass {
        Pass {
            shell: self.shell.clone(),
            request: self.request.clone(),
            started: self.started,
            audited: self.audited,
            entries: Shared::default(),
            trace: std::mem::take(&mut self.trace),
        }
    }
}

/// One run of a request, from the kernel's outcome on.
struct Pass {
    shell: Arc<Shell>,
    request: Arc<Request>,
    started: std::time::Instant,
    /// Whether the request's entry is stored.
    audited: bool,
    /// What its entries share.
    entries: Shared,
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
        if !self.audited && self.record(&facts, Phase::Request).await.is_err() {
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
        let receipt = self.record(&facts, phase).await;
        self.trace.step("audit response");
        self.finish(result, &facts, receipt)
    }

    async fn record(&mut self, facts: &Facts, phase: Phase<'_>) -> Result<Receipt, Unaudited> {
        self.shell.audit.record_next(&self.request, facts, phase, &mut self.entries).await
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

async fn run(shell: &Arc<Shell>, unsealed: &Arc<Unsealed>, request: &Arc<Request>, outside: &Outside) -> Outcome {
    if !kernel::heavy::is_heavy(&unsealed.kernel, request, || unsealed.view(shell.log.as_ref())) {
        return guarded(shell, unsealed, request, outside);
    }
    // Hashing passwords and making keys waits its turn on its own threads, so that it never starves reads.
    let Ok(_turn) = shell.heavy.acquire().await else { return lost() };
    let (shell, unsealed, request, outside) = (shell.clone(), unsealed.clone(), request.clone(), outside.clone());
    tokio::task::spawn_blocking(move || guarded(&shell, &unsealed, &request, &outside)).await.unwrap_or_else(|_| lost())
}

/// A panic in a handler costs its request and nothing else: all it touched was its own transaction.
fn guarded(shell: &Arc<Shell>, unsealed: &Arc<Unsealed>, request: &Arc<Request>, outside: &Outside) -> Outcome {
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
        outside: outside.clone(),
    };
    catch_unwind(AssertUnwindSafe(|| kernel::handle(&unsealed.kernel, arrival))).unwrap_or_else(|_| lost())
}

/// The task that served a request is gone.
fn lost_request() -> Rendered {
    http::fault(&Fault::Internal("request was lost".to_owned()))
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
