//! The rate limiter: decides by method, path and address alone, before a body is read or a token looked at (S42). Counts
//! are this node's own and are forgotten when it stops.

use crate::audit::Phase;
use crate::http::{self, Parts, Rendered};
use crate::shell::{Shell, lock};
use engine::{Fault, Peer, Randomness, RequestPath, SystemRandomness, Tx};
use kernel::pipeline::Facts;
use kernel::quotas::{FOLDER, RateLimit, RateRules};
use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};
use store::Revision;

/// Clients counted at once. Beyond them, new clients of a rule share one count.
const CLIENTS_MAX: usize = 65_536;

/// Rules in force and what is left to whom.
pub struct Limiter {
    started: Instant,
    known: Mutex<Option<Known>>,
    buckets: Mutex<Buckets>,
}

struct Known {
    /// The newest snapshot that they were seen to hold in.
    seen: Revision,
    revisions: [u64; 2],
    rules: Arc<RateRules>,
}

impl Default for Limiter {
    fn default() -> Self {
        Self { started: Instant::now(), known: Mutex::default(), buckets: Mutex::default() }
    }
}

/// What was decided of a request that a rule applies to.
#[derive(Debug, Clone, PartialEq)]
pub struct Verdict {
    /// Whether it may go on.
    pub admitted: bool,
    /// Requests per interval.
    pub limit: f64,
    /// Whole requests left now.
    pub remaining: f64,
    /// Until there is one more, or until a block ends.
    pub wait: Duration,
}

/// Counts by rule and client.
#[derive(Default)]
pub struct Buckets {
    clients: HashMap<(String, Option<IpAddr>), Bucket>,
    swept: Duration,
}

#[derive(Clone, Copy)]
struct Bucket {
    tokens: f64,
    at: Duration,
    blocked_until: Duration,
}

impl Buckets {
    /// Takes one request of a client from a rule's budget. `now` is any clock that does not go back.
    pub fn take(&mut self, rule: &RateLimit, client: Option<IpAddr>, now: Duration) -> Verdict {
        let per_second = rule.rate / whole_seconds(rule.interval);
        let full = rule.rate.max(1.0);
        let key = self.key(rule, client, now);
        let fresh = Bucket { tokens: full, at: now, blocked_until: Duration::ZERO };
        let bucket = self.clients.entry(key).or_insert(fresh);
        let passed = now.saturating_sub(bucket.at).as_secs_f64();
        bucket.tokens = (bucket.tokens + passed * per_second).min(full);
        bucket.at = now;
        if bucket.blocked_until > now {
            return Verdict { admitted: false, limit: rule.rate, remaining: 0.0, wait: bucket.blocked_until - now };
        }
        let admitted = bucket.tokens >= 1.0;
        if admitted {
            bucket.tokens -= 1.0;
        }
        let mut wait = Duration::from_secs_f64(((1.0 - bucket.tokens).max(0.0) / per_second).min(1e9));
        if !admitted && rule.block_interval > 0 {
            wait = Duration::from_secs(rule.block_interval.unsigned_abs());
            bucket.blocked_until = now + wait;
        }
        Verdict { admitted, limit: rule.rate, remaining: bucket.tokens.floor(), wait }
    }

    /// A client's own count, or the shared one when there are too many clients. Never a fresh count for pushing others out.
    fn key(&mut self, rule: &RateLimit, client: Option<IpAddr>, now: Duration) -> (String, Option<IpAddr>) {
        let key = (rule.name.clone(), client.map(network));
        if self.clients.len() >= CLIENTS_MAX && !self.clients.contains_key(&key) {
            self.sweep(rule, now);
            if self.clients.len() >= CLIENTS_MAX {
                return (rule.name.clone(), None);
            }
        }
        key
    }
}

impl Buckets {
    /// Forgets idle clients, once a second at most: it looks at all of them.
    fn sweep(&mut self, rule: &RateLimit, now: Duration) {
        if now.saturating_sub(self.swept) < Duration::from_secs(1) {
            return;
        }
        self.swept = now;
        let idle = Duration::from_secs(rule.interval.unsigned_abs().max(60));
        self.clients.retain(|_, bucket| bucket.blocked_until > now || now.saturating_sub(bucket.at) < idle);
    }
}

fn whole_seconds(interval: i64) -> f64 {
    Duration::from_secs(interval.unsigned_abs().max(1)).as_secs_f64()
}

/// One client of IPv6 has a whole /64 to itself.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & (u128::MAX << 64))),
        v4 @ IpAddr::V4(_) => v4,
    }
}

impl Shell {
    /// Decides on a request by its head. `Err` is the reply of one that is refused; `Ok` holds what its reply should tell.
    pub async fn limit(&self, head: &hyper::http::request::Parts, peer: &Peer) -> Result<Option<Verdict>, Rendered> {
        let Some(rules) = self.rate_rules().filter(|rules| !rules.is_empty()) else { return Ok(None) };
        let raw = head.uri.path().strip_prefix("/v1/").unwrap_or_default();
        // A path that does not parse is limited by its spelling.
        let path = RequestPath::from_raw(raw).map_or_else(|_| raw.to_owned(), |path| path.as_str().to_owned());
        let namespace = head.headers.get("x-vault-namespace").and_then(|value| value.to_str().ok());
        let Some(rule) = rules.matching(namespace, &path) else { return Ok(None) };
        let verdict = lock(&self.limiter.buckets).take(rule, peer.ip(), self.limiter.started.elapsed());
        let told = rules.config.response_headers;
        if verdict.admitted {
            return Ok(told.then_some(verdict));
        }
        self.metrics.rate_limited.fetch_add(1, Ordering::Relaxed);
        let fault = Fault::Status(429, vec![format!("request path {path:?}: rate limit quota exceeded")]);
        if rules.config.audit_refused {
            self.audit_refused(head, peer, &fault).await;
        }
        let mut rendered = http::fault(&fault);
        rendered.headers.push(("retry-after", verdict.wait.as_millis().div_ceil(1_000).max(1).to_string()));
        if told {
            rendered.headers.extend(verdict.headers());
        }
        Err(rendered)
    }

    async fn audit_refused(&self, head: &hyper::http::request::Parts, peer: &Peer, fault: &Fault) {
        let parts =
            Parts { method: &head.method, uri: &head.uri, headers: &head.headers, body: &[], peer: peer.clone() };
        let Ok(request) = http::parse(SystemRandomness.uuid(), parts) else { return };
        // The request is refused either way.
        let _ = self.audit.record(&request, &Facts::default(), Phase::Refusal(fault)).await;
    }

    /// The rules in force, read anew when quotas or namespaces changed. A sealed node has none.
    fn rate_rules(&self) -> Option<Arc<RateRules>> {
        let open = self.unsealed()?;
        let snapshot = self.log.snapshot();
        let seen = snapshot.revision();
        if let Some(known) = lock(&self.limiter.known).as_ref().filter(|known| known.seen == seen) {
            return Some(known.rules.clone());
        }
        let revision = |area: &str| snapshot.area_revision(area).0;
        let revisions = [revision(FOLDER.trim_end_matches('/')), revision("root/namespaces")];
        if let Some(known) = lock(&self.limiter.known).as_mut().filter(|known| known.revisions == revisions) {
            known.seen = seen;
            return Some(known.rules.clone());
        }
        let barrier = open.barrier(snapshot.as_ref()).ok()?;
        match RateRules::load(&mut Tx::new(snapshot, barrier)) {
            Ok(rules) => {
                let rules = Arc::new(rules);
                *lock(&self.limiter.known) = Some(Known { seen, revisions, rules: rules.clone() });
                Some(rules)
            }
            Err(error) => {
                tracing::error!(error = %error, "rate limits could not be read");
                None
            }
        }
    }
}

impl Verdict {
    /// What a response tells of it.
    pub fn headers(&self) -> [(&'static str, String); 3] {
        [
            ("x-ratelimit-limit", format!("{:.0}", self.limit)),
            ("x-ratelimit-remaining", format!("{:.0}", self.remaining)),
            ("x-ratelimit-reset", self.wait.as_secs().to_string()),
        ]
    }
}

#[cfg(test)]
mod tests;
