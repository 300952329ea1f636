//! One run: the events of a seed, one after the other.

use crate::dice::Dice;
use crate::model::{Model, Policy, Seen};
use crate::node::{Job, Node, Ran};
use crate::operation::{Ask, What, Wish};
use crate::plan::Plan;
use crate::trace::History;
use crate::view::View;
use crate::{Planted, Prepared, Trace, Violation, indexes};
use barrier::Barrier;
use engine::Timestamp;
use kernel::pipeline::Outcome;
use std::collections::BTreeMap;
use std::sync::Arc;
use store::{Commit, CommitError, Snapshot};

/// Events of one run.
const EVENTS: u64 = 300;
/// Clients whose requests may be under way at once.
const CLIENTS: usize = 4;
/// Runs of one request; more means that it makes no progress.
const RUNS_MAX: u32 = 64;
/// Activations of a job until it says that nothing is left to do now.
const ACTIVATIONS_MAX: usize = 20;
/// Seconds after which nothing that a run makes is left.
const LATER: i64 = 4_000_000;

/// What a seed came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Passed {
    /// Everything that happened, as one number.
    pub trace: Trace,
    /// Events.
    pub events: u64,
    /// Transactions that were run again.
    pub conflicts: u64,
    /// Crashes.
    pub crashes: u64,
    /// How often each operation had each status.
    pub answers: BTreeMap<(String, u16), u64>,
}

/// Runs a seed, with a bug if one is planted.
pub fn simulate(prepared: &Prepared, seed: u64, planted: Option<Planted>) -> Result<Passed, Violation> {
    let violation = |event, what, history| Violation { seed, event, what, history };
    let mut run = Run::begin(prepared, seed, planted).map_err(|what| violation(0, what, Vec::new()))?;
    let result = run.all();
    let Run { history, event, conflicts, crashes, answers, .. } = run;
    result.map_err(|what| violation(event, what, history.lines))?;
    Ok(Passed { trace: history.trace, events: event, conflicts, crashes, answers })
}

struct Run<'a> {
    prepared: &'a Prepared,
    dice: Dice,
    node: Node,
    model: Model,
    now: Timestamp,
    clients: [Option<Flight>; CLIENTS],
    /// A snapshot of some time ago, and the barrier that fitted it.
    older: Option<(Arc<dyn Snapshot>, Arc<Barrier>)>,
    job: Option<(Job, Timestamp, Ran)>,
    history: History,
    event: u64,
    conflicts: u64,
    crashes: u64,
    answers: BTreeMap<(String, u16), u64>,
}

/// A request that ran and waits for its commit.
struct Flight {
    wish: Wish,
    ask: Ask,
    /// The moment it was told.
    now: Timestamp,
    commit: Commit,
    seen: Seen,
    runs: u32,
}

impl<'a> Run<'a> {
    fn begin(prepared: &'a Prepared, seed: u64, planted: Option<Planted>) -> Result<Self, String> {
        let (mut node, model) = prepared.fork(seed)?;
        node.planted = planted;
        Ok(Self {
            prepared,
            dice: Dice::new(seed),
            node,
            model,
            now: Prepared::start(),
            clients: [None, None, None, None],
            older: None,
            job: None,
            history: History::default(),
            event: 0,
            conflicts: 0,
            crashes: 0,
            answers: BTreeMap::new(),
        })
    }

    fn note(&mut self, event: String) {
        self.history.note(format!("{} at {}: {event}", self.event, self.now.seconds()));
    }

    fn all(&mut self) -> Result<(), String> {
        while self.event < EVENTS {
            self.event += 1;
            self.step()?;
        }
        self.end()
    }

    fn step(&mut self) -> Result<(), String> {
        match self.dice.below(100) {
            0..80 => {
                let client = usize::try_from(self.dice.below(CLIENTS as u64)).unwrap_or_default();
                self.client(client)
            }
            80..88 => self.background(),
            88..96 => {
                self.pass_time();
                Ok(())
            }
            96 => {
                self.older = Some(self.node.fresh()?);
                Ok(())
            }
            97 => self.crash(),
            _ => self.check(),
        }
    }

    /// A client goes on: asks for something, or has its commit handed in.
    fn client(&mut self, client: usize) -> Result<(), String> {
        let flight = self.clients.get_mut(client).and_then(Option::take);
        let left = match flight {
            Some(flight) => self.hand_in(flight)?,
            None => {
                let now = self.now.seconds();
                let wish = Plan { dice: &mut self.dice, model: &self.model, event: self.event, now }.wish();
                let ask = wish.ask(&self.model);
                match self.dice.below(100) {
                    0..6 => self.run_on_older(wish, ask)?,
                    6..9 => self.run_on_failing(wish, ask)?,
                    _ => self.run(wish, ask, 1)?,
                }
            }
        };
        if let Some(slot) = self.clients.get_mut(client) {
            *slot = left;
        }
        Ok(())
    }

    /// Runs a request on the newest snapshot. One that writes nothing is answered at once.
    fn run(&mut self, wish: Wish, ask: Ask, runs: u32) -> Result<Option<Flight>, String> {
        if runs > RUNS_MAX {
            return Err(format!("{wish:?} makes no progress"));
        }
        let Outcome { result, commit, .. } = self.node.run(self.now, &ask, View::Newest)?;
        let seen = Seen::of(&result);
        if let (500, Err(fault)) = (seen.status, &result) {
            return Err(format!("{wish:?} failed: {fault}"));
        }
        self.note(format!("{wish:?}: {}", seen.status));
        let Some(commit) = commit else {
            self.settle(&wish, self.now, &seen)?;
            return Ok(None);
        };
        self.history.commit(&commit);
        Ok(Some(Flight { wish, ask, now: self.now, commit, seen, runs }))
    }

    /// Runs a request on a snapshot of earlier: what it only read is true of earlier, and what it wants to write commits
    /// only if nothing that it read has changed.
    fn run_on_older(&mut self, wish: Wish, ask: Ask) -> Result<Option<Flight>, String> {
        let Some((snapshot, barrier)) = self.older.clone() else { return self.run(wish, ask, 1) };
        let Outcome { result, commit, .. } = self.node.run(self.now, &ask, View::Older(snapshot, barrier))?;
        let seen = Seen::of(&result);
        self.note(format!("{wish:?} on an older snapshot: {}", seen.status));
        if let (500, Err(fault)) = (seen.status, &result) {
            return Err(format!("{wish:?} failed on an older snapshot: {fault}"));
        }
        Ok(commit.map(|commit| Flight { wish, ask, now: self.now, commit, seen, runs: 1 }))
    }

    /// Runs a request while the store fails: it is answered with the failure, and nothing of it is written.
    fn run_on_failing(&mut self, wish: Wish, ask: Ask) -> Result<Option<Flight>, String> {
        let reads = self.dice.below(12);
        let Outcome { result, commit, .. } = self.node.run(self.now, &ask, View::Failing { reads })?;
        let seen = Seen::of(&result);
        self.note(format!("{wish:?} with {reads} reads: {}", seen.status));
        let counted = self.model.token(wish.actor).is_some_and(|token| token.uses > 0);
        match commit {
            Some(_) if seen.status == 500 && !counted => Err(format!("{wish:?} failed and wants to write")),
            // A use that was spent is not told to the model.
            Some(_) if seen.status == 500 => Ok(None),
            Some(commit) => Ok(Some(Flight { wish, ask, now: self.now, commit, seen, runs: 1 })),
            None if seen.status == 500 => Ok(None),
            None => self.settle(&wish, self.now, &seen).map(|()| None),
        }
    }

    fn hand_in(&mut self, flight: Flight) -> Result<Option<Flight>, String> {
        let Flight { wish, ask, now, commit, seen, runs } = flight;
        match self.node.submit(commit) {
            Ok(revision) => {
                self.note(format!("commit {}", revision.0));
                self.settle(&wish, now, &seen)?;
                Ok(None)
            }
            Err(CommitError::Conflict) => {
                self.note("conflict".to_owned());
                self.conflicts += 1;
                self.run(wish, ask, runs + 1)
            }
            Err(error) => Err(format!("{wish:?}: {error}")),
        }
    }

    fn settle(&mut self, wish: &Wish, now: Timestamp, seen: &Seen) -> Result<(), String> {
        let tokens = self.model.tokens().len();
        self.model.settle(wish, now, seen)?;
        *self.answers.entry((wish.what.name(), seen.status)).or_default() += 1;
        // Clients do not learn the lease of a token; an operator may find it in a list.
        if let Some(token) = self.model.tokens().get(tokens) {
            let lease = self.node.lease_of(&token.text)?;
            self.model.note_lease(tokens, lease);
        }
        Ok(())
    }

    /// The job that is under way commits, or another one runs.
    fn background(&mut self) -> Result<(), String> {
        match self.job.take() {
            Some((job, now, ran)) => self.finish(job, now, ran).map(drop),
            None => {
                let job = match self.dice.below(20) {
                    0..10 => Job::Expire,
                    10..12 => Job::Tidy,
                    12 => Job::Tend,
                    _ => Job::Renew,
                };
                self.job = Some(self.start(job)?);
                Ok(())
            }
        }
    }

    fn start(&mut self, job: Job) -> Result<(Job, Timestamp, Ran), String> {
        let ran = self.node.job(self.now, job)?;
        self.note(format!("job {job:?}"));
        if let Some(commit) = &ran.commit {
            self.history.commit(commit);
        } else if job == Job::Expire && self.model.is_due(self.now.seconds()) {
            return Err("the expiry job leaves what is due".to_owned());
        }
        Ok((job, self.now, ran))
    }

    /// Hands in what a job decided; whether it says that more is to be done now.
    fn finish(&mut self, job: Job, now: Timestamp, ran: Ran) -> Result<bool, String> {
        let Ran { commit, progress, pass } = ran;
        let more = progress.next.is_some_and(|next| next <= now);
        let Some(commit) = commit else { return Ok(more) };
        match self.node.submit(commit) {
            Ok(_) => {
                self.node.passed(pass);
                if job == Job::Expire {
                    self.model.expire(now.seconds());
                }
                Ok(more)
            }
            Err(CommitError::Conflict) => {
                self.conflicts += 1;
                Ok(true)
            }
            Err(error) => Err(format!("{job:?}: {error}")),
        }
    }

    /// The clock goes on: a little, to the edge of something's life, or far.
    fn pass_time(&mut self) {
        let seconds = match self.dice.below(10) {
            0..3 => i64::try_from(self.dice.below(4)).unwrap_or_default(),
            3..9 => self.seconds_to_edge(),
            _ => i64::try_from(self.dice.below(400)).unwrap_or_default(),
        };
        self.now = self.now.plus_seconds(seconds);
        self.note("clock".to_owned());
    }

    /// Seconds to just before, exactly at, or just after the end of something that lives.
    fn seconds_to_edge(&mut self) -> i64 {
        let now = self.now.seconds();
        let tokens = self.model.tokens().iter().filter(|token| !token.gone).filter_map(|token| token.expires);
        let leases = self.model.leases().iter().filter(|lease| !lease.gone).map(|lease| lease.expires);
        let secret_ids = self.model.secret_ids().iter().filter_map(|secret_id| secret_id.expires);
        let mut ends: Vec<i64> = tokens.chain(leases).chain(secret_ids).filter(|end| *end > now).collect();
        ends.sort_unstable();
        ends.truncate(4);
        let off = i64::try_from(self.dice.below(3)).unwrap_or_default() - 1;
        self.dice.pick(&ends).map_or(0, |end| (end - now + off).max(0))
    }

    /// The node stops and starts. Of what was handed in and not answered, the first so many are durable.
    fn crash(&mut self) -> Result<(), String> {
        self.crashes += 1;
        self.note("crash".to_owned());
        let durable = usize::try_from(self.dice.below(CLIENTS as u64 + 1)).unwrap_or_default();
        let flights: Vec<Flight> = self.clients.iter_mut().filter_map(Option::take).collect();
        for flight in flights.into_iter().take(durable) {
            if self.node.submit(flight.commit).is_ok() {
                self.settle(&flight.wish, flight.now, &flight.seen)?;
            }
        }
        self.job = None;
        self.older = None;
        self.node.crash(&self.prepared.key())?;
        self.check()
    }

    fn check(&mut self) -> Result<(), String> {
        let (snapshot, barrier) = self.node.fresh()?;
        indexes::check(snapshot, barrier)
    }

    /// All that is under way finishes; then everybody who is alive is alive, and in the end nothing is left.
    fn end(&mut self) -> Result<(), String> {
        for client in 0..CLIENTS {
            while self.clients.get(client).is_some_and(Option::is_some) {
                self.client(client)?;
            }
        }
        if let Some((job, now, ran)) = self.job.take() {
            self.finish(job, now, ran)?;
        }
        self.check()?;
        self.expire()?;
        for actor in 0..self.model.tokens().len() {
            self.look(actor)?;
        }
        self.now = self.now.plus_seconds(LATER);
        self.expire()?;
        let left =
            self.model.tokens().iter().filter(|token| token.policy != Policy::Root && !token.batch && !token.gone);
        let leases = self.model.leases().iter().filter(|lease| !lease.gone);
        if left.count() + leases.count() > 0 {
            return Err("something outlives its time".to_owned());
        }
        self.check()?;
        self.nothing_due()
    }

    fn look(&mut self, actor: usize) -> Result<(), String> {
        let wrapping = self.model.token(actor).is_none_or(|token| token.policy == Policy::Wrapping);
        if wrapping {
            return Ok(());
        }
        let space = self.model.token(actor).map(|token| token.space.clone()).unwrap_or_default();
        let wish = Wish { actor, space, what: What::Lookup };
        let ask = wish.ask(&self.model);
        if let Some(flight) = self.run(wish, ask, 1)? {
            // A use was counted.
            self.hand_in(flight)?;
        }
        Ok(())
    }

    fn expire(&mut self) -> Result<(), String> {
        for _ in 0..ACTIVATIONS_MAX {
            let (job, now, ran) = self.start(Job::Expire)?;
            if !self.finish(job, now, ran)? {
                return Ok(());
            }
        }
        Err("the expiry job does not come to an end".to_owned())
    }

    fn nothing_due(&mut self) -> Result<(), String> {
        let (snapshot, barrier) = self.node.fresh()?;
        let due = store::Tx::new(snapshot, barrier).scan(kernel::keys::DUE, &store::Page::all());
        match due.map_err(|error| error.to_string())?.first() {
            Some(entry) => Err(format!("{entry} is due for ever")),
            None => Ok(()),
        }
    }
}
