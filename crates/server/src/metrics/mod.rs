//! Counters, gauges and histograms of this node.

mod exposition;
mod histogram;
mod host;
mod outbound;
mod stored;

pub use host::{host_info, hostname};

use crate::shell::Shell;
use engine::{Body, Fault, Operation, Request, Timestamp};
use exposition::{Exposition, Family, Kind};
use histogram::Histogram;
use kernel::pipeline::{Answer, Facts};
use outbound::OutboundCalls;
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};
use store::CommitError;
use stored::StoredCounts;

/// Upper bounds of the latency buckets in seconds.
const LATENCIES: &[f64] =
    &[0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0];
/// Upper bounds of the numbers of commits that were made durable by one sync.
const GROUPS: &[f64] = &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];
/// Pairs of operation and mount that are told apart; the rest is counted together.
const SERIES_MAX: usize = 1_000;
/// The mount under which the rest is counted.
const OTHER: &str = "other";

/// The node's counters.
pub struct Metrics {
    started: Instant,
    series: Mutex<AllSeries>,
    flight: Mutex<BTreeMap<u64, Flight>>,
    next: AtomicU64,
    /// Replies by the first digit of their status.
    replies: [AtomicU64; 6],
    /// Times of the reads of secrets that found one.
    retrievals: Mutex<Histogram>,
    /// Reads of secrets that found none or failed.
    not_retrieved: AtomicU64,
    /// Requests without a good token, and logins that did not hold.
    auth_failures: AtomicU64,
    /// Requests that a policy did not allow.
    denials: AtomicU64,
    /// Requests with a token that had ended.
    token_expired: AtomicU64,
    /// Requests over a rate limit.
    pub rate_limited: AtomicU64,
    /// Jobs that failed.
    pub job_failures: AtomicU64,
    /// Leases ended by the expiry job.
    pub leases_expired: AtomicU64,
    /// Times of commits, from the hand-over to the log until they are durable.
    commits: Mutex<Histogram>,
    conflicts: AtomicU64,
    commit_failures: AtomicU64,
    /// Calls to the outside.
    pub outbound: OutboundCalls,
    stored: StoredCounts,
}

/// Series by operation and path of the mount.
#[derive(Default)]
struct AllSeries {
    by_operation: BTreeMap<&'static str, BTreeMap<String, Histogram>>,
    count: usize,
}

struct Flight {
    request: Arc<Request>,
    method: hyper::Method,
    started: Instant,
    at: Timestamp,
}

impl Default for Metrics {
    fn default() -> Self {
        Self {
            started: Instant::now(),
            series: Mutex::default(),
            flight: Mutex::default(),
            next: AtomicU64::new(1),
            replies: Default::default(),
            retrievals: Mutex::new(Histogram::new(LATENCIES)),
            not_retrieved: AtomicU64::new(0),
            auth_failures: AtomicU64::new(0),
            denials: AtomicU64::new(0),
            token_expired: AtomicU64::new(0),
            rate_limited: AtomicU64::new(0),
            job_failures: AtomicU64::new(0),
            leases_expired: AtomicU64::new(0),
            commits: Mutex::new(Histogram::new(LATENCIES)),
            conflicts: AtomicU64::new(0),
            commit_failures: AtomicU64::new(0),
            outbound: OutboundCalls::default(),
            stored: StoredCounts::default(),
        }
    }
}

/// A request under way; ends when dropped.
pub struct InFlight<'a>(&'a Metrics, u64);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        locked(&self.0.flight).remove(&self.1);
    }
}

impl Metrics {
    /// Notes that a request began.
    pub fn begin(&self, method: &hyper::Method, request: &Arc<Request>, at: Timestamp) -> InFlight<'_> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let flight = Flight { request: request.clone(), method: method.clone(), started: Instant::now(), at };
        locked(&self.flight).insert(id, flight);
        InFlight(self, id)
    }

    /// `sys/in-flight-req`.
    pub fn in_flight(&self) -> Value {
        let flight = locked(&self.flight);
        let one = |flight: &Flight| {
            json!({
                "start_time": flight.at.to_rfc3339(),
                "client_remote_address": flight.request.peer.address.map(|it| it.to_string()).unwrap_or_default(),
                "request_path": format!("/v1/{}", flight.request.path),
                "request_method": flight.method.as_str(),
                "duration_ms": u64::try_from(flight.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            })
        };
        Value::Object(flight.values().map(|flight| (flight.request.id.clone(), one(flight))).collect())
    }

    /// Counts a finished request.
    pub fn request(&self, request: &Request, facts: &Facts, result: &Result<Answer, Fault>, took: Duration) {
        let mount = facts.mount.as_ref().map_or("", |mount| &mount.path);
        let operation = facts.operation.unwrap_or(request.operation);
        let seconds = took.as_secs_f64();
        let secret = facts
            .mount
            .as_ref()
            .is_some_and(|mount| mount.class == engine::Class::Secret && mount.built_in().is_none());
        if secret && operation == Operation::Read {
            if is_found(result) {
                locked(&self.retrievals).add(seconds);
            } else {
                self.not_retrieved.fetch_add(1, Ordering::Relaxed);
            }
        }
        match result {
            Err(Fault::Denied | Fault::LoginFailed(_)) => drop(self.auth_failures.fetch_add(1, Ordering::Relaxed)),
            Err(Fault::Forbidden) => drop(self.denials.fetch_add(1, Ordering::Relaxed)),
            _ => {}
        }
        if facts.token_ended {
            self.token_expired.fetch_add(1, Ordering::Relaxed);
        }
        locked(&self.series).at(operation.name(), mount).add(seconds);
    }

    /// Counts a reply by its status.
    pub fn reply(&self, status: u16) {
        if let Some(count) = self.replies.get(usize::from(status / 100)) {
            count.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Counts a commit that was handed to the log.
    pub fn commit<T>(&self, result: &Result<T, CommitError>, took: Duration) {
        match result {
            Ok(_) => locked(&self.commits).add(took.as_secs_f64()),
            Err(CommitError::Conflict) => drop(self.conflicts.fetch_add(1, Ordering::Relaxed)),
            Err(_) => drop(self.commit_failures.fetch_add(1, Ordering::Relaxed)),
        }
    }

    /// Commits that had to be tried again.
    #[cfg(test)]
    pub fn conflicts(&self) -> u64 {
        self.conflicts.load(Ordering::Relaxed)
    }

    fn requests(&self, out: &mut Exposition) {
        let mut durations = Family::new(
            "coffer_request_duration_seconds",
            Kind::Histogram,
            "Time to serve a request, by operation and mount.",
        );
        for (operation, of_operation) in &locked(&self.series).by_operation {
            for (mount, series) in of_operation {
                durations
                    .histogram(vec![("operation", (*operation).to_owned()), ("mount", mount.clone())], series.clone());
            }
        }
        out.add(durations);
        let mut replies = Family::new("coffer_replies_total", Kind::Counter, "Replies by class of status.");
        for (class, count) in self.replies.iter().enumerate().skip(1) {
            replies.number(vec![("status", format!("{class}xx"))], count.load(Ordering::Relaxed) as f64);
        }
        out.add(replies);
        out.gauge("coffer_requests_in_flight", "Requests being served.", locked(&self.flight).len() as f64);
    }

    fn retrievals(&self, out: &mut Exposition) {
        let retrievals = locked(&self.retrievals).clone();
        let help = "Time to read a secret that was found, since the start, by quantile.";
        let mut quantiles = Family::new("coffer_secret_retrieval_quantile_seconds", Kind::Gauge, help);
        for (name, share) in [("0.5", 0.5), ("0.95", 0.95), ("0.99", 0.99)] {
            if let Some(value) = retrievals.quantile(share) {
                quantiles.number(vec![("quantile", name.to_owned())], value);
            }
        }
        out.counter("coffer_secret_retrieval_success_total", "Reads of secrets that found one.", retrievals.count());
        let mut durations = Family::new(
            "coffer_secret_retrieval_duration_seconds",
            Kind::Histogram,
            "Time to read a secret that was found.",
        );
        durations.histogram(Vec::new(), retrievals);
        out.add(durations);
        out.add(quantiles);
    }

    fn counters(&self, out: &mut Exposition) {
        let counters = [
            (
                "coffer_secret_retrieval_failure_total",
                "Reads of secrets that found none or failed.",
                &self.not_retrieved,
            ),
            (
                "coffer_auth_failures_total",
                "Requests without a good token and logins that did not hold.",
                &self.auth_failures,
            ),
            ("coffer_policy_denials_total", "Requests that no policy of the caller allows.", &self.denials),
            ("coffer_token_expiry_errors_total", "Requests with a token that had ended.", &self.token_expired),
            ("coffer_rate_limit_hits_total", "Requests refused by a rate limit.", &self.rate_limited),
            ("coffer_job_failures_total", "Background activations that failed.", &self.job_failures),
            ("coffer_leases_expired_total", "Leases ended by the expiry job.", &self.leases_expired),
            ("coffer_store_conflicts_total", "Commits that had to be tried again.", &self.conflicts),
            ("coffer_store_failures_total", "Commits that failed.", &self.commit_failures),
        ];

        for (name, help, counter) in counters {
            out.counter(name, help, counter.load(Ordering::Relaxed));
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> std::sync::MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Whether a read came back with something.
fn is_found(result: &Result<Answer, Fault>) -> bool {
    result.as_ref().is_ok_and(|answer| {
        let status = answer.reply.status.unwrap_or(200);
        status < 400 && (answer.wrap_info.is_some() || !matches!(answer.reply.body, Body::Empty))
    })
}

impl AllSeries {
    /// The series of an operation on a mount, or the one that all further mounts share.
    fn at(&mut self, operation: &'static str, mount: &str) -> &mut Histogram {
        let of_operation = self.by_operation.entry(operation).or_default();
        let mount = if of_operation.contains_key(mount) || self.count < SERIES_MAX { mount } else { OTHER };
        // Asked by reference first: a name that is known is the usual case and needs no copy.
        if !of_operation.contains_key(mount) {
            self.count += 1;
            of_operation.insert(mount.to_owned(), Histogram::new(LATENCIES));
        }
        of_operation.get_mut(mount).expect("it was there or was just put there")
    }
}

impl Shell {
    /// All metrics in the format a client asks for: `prometheus` for its text, JSON otherwise.
    pub fn metrics_as(&self, format: &str) -> (&'static str, Vec<u8>) {
        let all = self.exposition();
        match format {
            "prometheus" => ("text/plain; version=0.0.4; charset=utf-8", all.text().into_bytes()),
            _ => ("application/json", all.json(self.clock.now()).to_string().into_bytes()),
        }
    }

    fn exposition(&self) -> Exposition {
        let mut out = Exposition::default();
        self.metrics.requests(&mut out);
        self.metrics.retrievals(&mut out);
        self.metrics.counters(&mut out);
        let dropped = self.traces.dropped.load(Ordering::Relaxed);
        out.counter("coffer_traces_dropped_total", "Requests whose trace was lost: too many waited.", dropped);
        self.audited(&mut out);
        self.metrics.outbound.show(&mut out);
        self.stored(&mut out);
        out.gauge("coffer_unsealed", "Whether the node is unsealed.", f64::from(u8::from(self.unsealed().is_some())));
        let uptime = self.metrics.started.elapsed().as_secs_f64();
        out.gauge("coffer_uptime_seconds", "Seconds since the start.", uptime.floor());
        if let Some(bytes) = host::resident_bytes() {
            out.gauge("process_resident_memory_bytes", "Resident memory.", bytes as f64);
        }
        if let Some(count) = host::open_descriptors() {
            out.gauge("process_open_fds", "Open file descriptors.", count as f64);
        }
        out
    }

    fn audited(&self, out: &mut Exposition) {
        let (stored, failed) = self.audit.counts();
        out.counter("coffer_audit_success_total", "Audit entries that a device stored.", stored);
        out.counter("coffer_audit_failure_total", "Audit entries that no device could store.", failed);
        let device = |name, kind, help| Family::new(name, kind, help);
        let mut success = device("coffer_audit_device_success_total", Kind::Counter, "Entries stored, by device.");
        let mut failure =
            device("coffer_audit_device_failure_total", Kind::Counter, "Entries that could not be stored, by device.");
        let mut broken =
            device("coffer_audit_device_broken", Kind::Gauge, "Whether a device failed to store its last entry.");
        for device in self.audit.devices().iter() {
            let labels = || vec![("device", device.path.clone())];
            let (stored, failed) = device.counts();
            success.number(labels(), stored as f64);
            failure.number(labels(), failed as f64);
            broken.number(labels(), f64::from(u8::from(device.is_broken())));
        }
        [success, failure, broken].into_iter().for_each(|family| out.add(family));
    }

    fn stored(&self, out: &mut Exposition) {
        let snapshot = self.log.snapshot();
        out.counter("coffer_store_revision", "Commits ordered by the log.", snapshot.revision().0);
        let mut commits =
            Family::new("coffer_store_commit_duration_seconds", Kind::Histogram, "Time until a commit is durable.");
        commits.histogram(Vec::new(), locked(&self.metrics.commits).clone());
        out.add(commits);
        let mut groups =
            Family::new("coffer_store_commits_per_sync", Kind::Histogram, "Commits made durable by one sync.");
        let sizes = self.log.group_sizes();
        groups.histogram(Vec::new(), Histogram::of_counts(GROUPS, &sizes.counts, sizes.commits as f64));
        out.add(groups);
        let gauges = [
            ("coffer_leases", "Leases of all namespaces.", "lease"),
            ("coffer_tokens", "Service tokens of all namespaces.", "token"),
        ];
        for (name, help, area) in gauges {
            match self.metrics.stored.total(snapshot.as_ref(), area) {
                Ok(count) => out.gauge(name, help, count as f64),
                Err(error) => tracing::error!(area, error = %error, "records could not be counted"),
            }
        }
    }
}
