//! Counters, gauges and histograms in Prometheus' text format, and what the host looks like.

use crate::shell::Shell;
use engine::{Fault, Request, Timestamp};
use kernel::pipeline::{Answer, Facts};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use store::{Page, Tx};

/// Upper bounds of the latency buckets in seconds.
const BUCKETS: [f64; 14] = [0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0];
/// Pairs of operation and mount that are told apart; the rest is counted together.
const SERIES_MAX: usize = 1_000;

/// The node's counters.
pub struct Metrics {
    started: Instant,
    series: Mutex<BTreeMap<(&'static str, String), Series>>,
    flight: Mutex<BTreeMap<u64, Flight>>,
    next: AtomicU64,
    /// Reads of secrets that found one.
    retrieved: AtomicU64,
    /// Reads of secrets that failed.
    not_retrieved: AtomicU64,
    /// Requests without a good token, and logins that did not hold.
    auth_failures: AtomicU64,
    /// Requests with a token that had ended.
    token_expired: AtomicU64,
    /// Requests over a rate limit.
    pub rate_limited: AtomicU64,
    /// Jobs that failed.
    pub job_failures: AtomicU64,
    /// Leases ended by the expiry job.
    pub leases_expired: AtomicU64,
}

#[derive(Default, Clone)]
struct Series {
    count: u64,
    sum: f64,
    buckets: [u64; BUCKETS.len()],
}

struct Flight {
    path: String,
    method: String,
    client: String,
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
            retrieved: AtomicU64::new(0),
            not_retrieved: AtomicU64::new(0),
            auth_failures: AtomicU64::new(0),
            token_expired: AtomicU64::new(0),
            rate_limited: AtomicU64::new(0),
            job_failures: AtomicU64::new(0),
            leases_expired: AtomicU64::new(0),
        }
    }
}

/// A request under way; ends when dropped.
pub struct InFlight<'a>(&'a Metrics, u64);

impl Drop for InFlight<'_> {
    fn drop(&mut self) {
        self.0.flight.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.1);
    }
}

impl Metrics {
    /// Notes that a request began.
    pub fn begin(&self, method: &str, path: &str, client: String, at: Timestamp) -> InFlight<'_> {
        let id = self.next.fetch_add(1, Ordering::Relaxed);
        let flight = Flight { path: path.to_owned(), method: method.to_owned(), client, started: Instant::now(), at };
        self.flight.lock().unwrap_or_else(PoisonError::into_inner).insert(id, flight);
        InFlight(self, id)
    }

    /// `sys/in-flight-req`.
    pub fn in_flight(&self) -> Value {
        let flight = self.flight.lock().unwrap_or_else(PoisonError::into_inner);
        let one = |flight: &Flight| {
            json!({
                "start_time": flight.at.to_rfc3339(),
                "client_remote_address": flight.client,
                "request_path": flight.path,
                "request_method": flight.method,
                "duration_ms": u64::try_from(flight.started.elapsed().as_millis()).unwrap_or(u64::MAX),
            })
        };
        Value::Object(flight.iter().map(|(id, flight)| (id.to_string(), one(flight))).collect())
    }

    /// Counts a finished request.
    pub fn request(&self, request: &Request, facts: &Facts, result: &Result<Answer, Fault>, took: Duration) {
        let mount = facts.mount.as_ref().map_or(String::new(), |mount| mount.path.clone());
        let operation = facts.operation.unwrap_or(request.operation);
        let secret = facts
            .mount
            .as_ref()
            .is_some_and(|mount| mount.class == engine::Class::Secret && mount.built_in().is_none());
        if secret && operation == engine::Operation::Read {
            let counter = if result.is_ok() { &self.retrieved } else { &self.not_retrieved };
            counter.fetch_add(1, Ordering::Relaxed);
        }
        if matches!(result, Err(Fault::Denied | Fault::LoginFailed(_))) {
            self.auth_failures.fetch_add(1, Ordering::Relaxed);
        }
        if facts.token_ended {
            self.token_expired.fetch_add(1, Ordering::Relaxed);
        }
        let mut series = self.series.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (operation.name(), mount);
        let known = series.len() < SERIES_MAX || series.contains_key(&key);
        let slot = series.entry(if known { key } else { (operation.name(), "other".to_owned()) }).or_default();
        slot.add(took.as_secs_f64());
    }

    fn write(&self, out: &mut String) {
        head(out, "coffer_request_duration_seconds", "histogram", "Time to serve a request, by operation and mount.");
        for ((operation, mount), series) in self.series.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            series.write(out, operation, mount);
        }
        let counters = [
            ("coffer_secret_retrieval_success_total", "Reads of secrets that found one.", &self.retrieved),
            ("coffer_secret_retrieval_failure_total", "Reads of secrets that failed.", &self.not_retrieved),
            (
                "coffer_auth_failures_total",
                "Requests without a good token and logins that did not hold.",
                &self.auth_failures,
            ),
            ("coffer_token_expiry_errors_total", "Requests with a token that had ended.", &self.token_expired),
            ("coffer_rate_limit_hits_total", "Requests refused by a rate limit.", &self.rate_limited),
            ("coffer_job_failures_total", "Background activations that failed.", &self.job_failures),
            ("coffer_leases_expired_total", "Leases ended by the expiry job.", &self.leases_expired),
        ];
        for (name, text, counter) in counters {
            single(out, name, "counter", text, counter.load(Ordering::Relaxed));
        }
        let flying = self.flight.lock().unwrap_or_else(PoisonError::into_inner).len() as u64;
        single(out, "coffer_requests_in_flight", "gauge", "Requests being served.", flying);
        single(out, "coffer_uptime_seconds", "gauge", "Seconds since the start.", self.started.elapsed().as_secs());
    }
}

impl Series {
    fn add(&mut self, seconds: f64) {
        self.count += 1;
        self.sum += seconds;
        for (bucket, bound) in self.buckets.iter_mut().zip(BUCKETS) {
            if seconds <= bound {
                *bucket += 1;
            }
        }
    }

    fn write(&self, out: &mut String, operation: &str, mount: &str) {
        let name = "coffer_request_duration_seconds";
        let labels = format!("operation=\"{operation}\",mount=\"{}\"", mount.replace(['"', '\\', '\n'], "_"));
        for (count, bound) in self.buckets.iter().zip(BUCKETS) {
            let _ = writeln!(out, "{name}_bucket{{{labels},le=\"{bound}\"}} {count}");
        }
        let _ = writeln!(out, "{name}_bucket{{{labels},le=\"+Inf\"}} {}", self.count);
        let _ = writeln!(out, "{name}_sum{{{labels}}} {}", self.sum);
        let _ = writeln!(out, "{name}_count{{{labels}}} {}", self.count);
    }
}

impl Shell {
    /// All metrics in Prometheus' text format.
    pub fn metrics_text(&self) -> String {
        let mut out = String::new();
        self.metrics.write(&mut out);
        let (stored, failed) = self.audit.counts();
        single(&mut out, "coffer_audit_success_total", "counter", "Audit entries stored.", stored);
        single(&mut out, "coffer_audit_failure_total", "counter", "Audit entries that no device could store.", failed);
        head(&mut out, "coffer_audit_device_broken", "gauge", "Whether a device failed to store its last entry.");
        for device in self.audit.devices().iter() {
            let _ = writeln!(
                out,
                "coffer_audit_device_broken{{device=\"{}\"}} {}",
                device.path,
                u8::from(device.is_broken())
            );
        }
        let open = self.unsealed();
        single(&mut out, "coffer_unsealed", "gauge", "Whether the node is unsealed.", u64::from(open.is_some()));
        single(
            &mut out,
            "coffer_store_revision",
            "counter",
            "Commits ordered by the log.",
            self.log.snapshot().revision().0,
        );
        if let Some(open) = open {
            let mut tx = Tx::new(self.log.snapshot(), open.latest_barrier());
            let mut count = |folder: &str| tx.scan(folder, &Page::all()).map_or(0, |keys| keys.len() as u64);
            single(&mut out, "coffer_leases", "gauge", "Leases of the root namespace.", count("root/lease/"));
            single(&mut out, "coffer_tokens", "gauge", "Service tokens of the root namespace.", count("root/token/"));
        }
        out
    }
}

fn head(out: &mut String, name: &str, kind: &str, text: &str) {
    // Writing to a string does not fail.
    let _ = writeln!(out, "# HELP {name} {text}\n# TYPE {name} {kind}");
}

fn single(out: &mut String, name: &str, kind: &str, text: &str, value: u64) {
    head(out, name, kind, text);
    let _ = writeln!(out, "{name} {value}");
}

/// The same metrics for clients that ask for JSON.
pub fn as_json(text: &str) -> Value {
    let samples: Vec<Value> = text
        .lines()
        .filter(|line| !line.starts_with('#'))
        .filter_map(|line| line.rsplit_once(' '))
        .map(|(name, value)| json!({ "Name": name, "Value": value.parse::<f64>().unwrap_or_default() }))
        .collect();
    json!({ "Timestamp": "", "Gauges": samples, "Points": [], "Counters": [], "Samples": [] })
}

/// The host's name.
pub fn hostname() -> String {
    rustix::system::uname().nodename().to_string_lossy().into_owned()
}

/// `sys/host-info`.
pub fn host_info(now: Timestamp) -> Value {
    let names = rustix::system::uname();
    let memory = rustix::system::sysinfo();
    let unit = u64::from(memory.mem_unit);
    let total = memory.totalram * unit;
    let free = memory.freeram * unit;
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    json!({
        "timestamp": now.to_rfc3339(),
        "host": {
            "hostname": hostname(),
            "os": names.sysname().to_string_lossy().to_lowercase(),
            "kernelVersion": names.release().to_string_lossy(),
            "kernelArch": names.machine().to_string_lossy(),
            "uptime": memory.uptime,
            "procs": memory.procs,
        },
        "memory": { "total": total, "free": free, "available": free, "used": total.saturating_sub(free) },
        "cpu": (0..cores).map(|core| json!({ "cpu": core })).collect::<Vec<_>>(),
        "disk": [],
    })
}
