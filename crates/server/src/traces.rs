//! Traces of requests, sent to a collector as OTLP over HTTP with JSON bodies (OpenTelemetry protocol 1.x), when the
//! configuration or the usual `OTEL_*` variables name one. A span says which operation on which mount took how long in
//! which step; it holds no path, no value and no token. A collector that is slow or gone costs spans, never requests.

use crate::config::Config;
use engine::{Randomness, Request, SystemRandomness};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};
use tokio::sync::mpsc::{Receiver, Sender, channel};

/// Requests whose spans may wait to be sent.
const WAITING_MAX: usize = 4_096;
/// Requests whose spans are sent at once.
const BATCH_MAX: usize = 512;
/// How long spans gather before they are sent.
const GATHER: Duration = Duration::from_millis(500);
/// How long the collector may take.
const COLLECTOR_TIME_MAX: Duration = Duration::from_secs(5);

/// Where the spans of finished requests go; nowhere unless a collector is configured.
#[derive(Default)]
pub struct Traces {
    queue: Option<Sender<Box<Finished>>>,
    /// Requests whose spans were lost since too many waited.
    pub dropped: Arc<AtomicU64>,
}

/// The collector.
pub struct Collector {
    url: String,
    headers: reqwest::header::HeaderMap,
    service: String,
}

/// The trace of one request; costs nothing if none is kept.
#[derive(Default)]
pub struct Trace(Option<Box<Open>>);

struct Open {
    trace: [u8; 16],
    parent: Option<[u8; 8]>,
    began: SystemTime,
    clock: Instant,
    last: Instant,
    steps: Vec<(&'static str, Instant, Instant)>,
}

struct Finished {
    open: Open,
    ended: Instant,
    attributes: Vec<(&'static str, String)>,
    status: u16,
}

impl Collector {
    /// The collector that the configuration or the environment names. The configuration wins; `OTEL_SDK_DISABLED=true`
    /// and `OTEL_TRACES_EXPORTER=none` switch off what the environment asks for.
    pub fn configured(config: &Config) -> Option<Self> {
        let variable = |name: &str| std::env::var(name).ok().filter(|value| !value.is_empty());
        let below = |base: String| format!("{}/v1/traces", base.trim_end_matches('/'));
        let disabled = variable("OTEL_SDK_DISABLED").is_some_and(|value| value.eq_ignore_ascii_case("true"))
            || variable("OTEL_TRACES_EXPORTER").is_some_and(|value| value == "none");
        let from_environment = || {
            variable("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
                .or_else(|| variable("OTEL_EXPORTER_OTLP_ENDPOINT").map(below))
                .filter(|_| !disabled)
        };
        let url = config.otlp_endpoint.clone().map(below).or_else(from_environment)?;
        let mut headers = reqwest::header::HeaderMap::new();
        let pairs = variable("OTEL_EXPORTER_OTLP_TRACES_HEADERS").or_else(|| variable("OTEL_EXPORTER_OTLP_HEADERS"));
        for (name, value) in pairs.iter().flat_map(|pairs| pairs.split(',')).filter_map(|pair| pair.split_once('=')) {
            let name = reqwest::header::HeaderName::try_from(name.trim());
            if let (Ok(name), Ok(value)) = (name, reqwest::header::HeaderValue::from_str(value.trim())) {
                headers.insert(name, value);
            }
        }
        let service = variable("OTEL_SERVICE_NAME").unwrap_or_else(|| "coffer".to_owned());
        Some(Self { url, headers, service })
    }
}

impl Traces {
    /// Starts to send, if there is a collector. Has to be called within a runtime.
    pub fn start(collector: Option<Collector>) -> Self {
        let Some(collector) = collector else { return Self::default() };
        let client = reqwest::Client::builder()
            .timeout(COLLECTOR_TIME_MAX)
            .redirect(reqwest::redirect::Policy::none())
            .default_headers(collector.headers.clone())
            .build();
        match client {
            Ok(client) => {
                let (queue, finished) = channel(WAITING_MAX);
                tokio::spawn(send(client, collector, finished));
                Self { queue: Some(queue), dropped: Arc::default() }
            }
            Err(error) => {
                tracing::error!(error = %error.without_url(), "traces cannot be sent");
                Self::default()
            }
        }
    }

    /// Begins the trace of a request, below the span that its `traceparent` names (W3C Trace Context). A caller that does
    /// not keep its own trace gets none.
    pub fn begin(&self, request: &Request) -> Trace {
        if self.queue.is_none() {
            return Trace(None);
        }
        let parent = request.headers.values("traceparent").next().and_then(parse_parent);
        if let Some((_, _, false)) = parent {
            return Trace(None);
        }
        let (trace, parent) = match parent {
            Some((trace, span, _)) => (trace, Some(span)),
            None => {
                let mut trace = [0; 16];
                SystemRandomness.fill(&mut trace);
                (trace, None)
            }
        };
        let now = Instant::now();
        let steps = Vec::with_capacity(4);
        Trace(Some(Box::new(Open { trace, parent, began: SystemTime::now(), clock: now, last: now, steps })))
    }

    /// Ends the trace of a request; `attributes` are asked for only if it is kept.
    pub fn end(&self, trace: Trace, status: u16, attributes: impl FnOnce() -> Vec<(&'static str, String)>) {
        let (Some(open), Some(queue)) = (trace.0, &self.queue) else { return };
        let finished = Finished { open: *open, ended: Instant::now(), attributes: attributes(), status };
        if queue.try_send(Box::new(finished)).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl Trace {
    /// Ends a step, which began where the last one ended.
    pub fn step(&mut self, name: &'static str) {
        if let Some(open) = &mut self.0 {
            let now = Instant::now();
            open.steps.push((name, open.last, now));
            open.last = now;
        }
    }
}

/// `00-TRACE-SPAN-FLAGS`: the trace, the span, and whether it is kept.
fn parse_parent(text: &str) -> Option<([u8; 16], [u8; 8], bool)> {
    let mut parts = text.split('-');
    let version = parts.next().filter(|version| version.len() == 2 && *version != "ff")?;
    let (trace, span) = (unhex::<16>(parts.next()?)?, unhex::<8>(parts.next()?)?);
    let [flags] = unhex::<1>(parts.next()?)?;
    let ends = version != "00" || parts.next().is_none();
    (ends && trace != [0; 16] && span != [0; 8]).then_some((trace, span, flags & 1 == 1))
}

fn unhex<const N: usize>(text: &str) -> Option<[u8; N]> {
    if text.len() != 2 * N || !text.bytes().all(|byte| byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()) {
        return None;
    }
    let mut bytes = [0; N];
    for (at, byte) in bytes.iter_mut().enumerate() {
        *byte = u8::from_str_radix(text.get(2 * at..2 * at + 2)?, 16).ok()?;
    }
    Some(bytes)
}

async fn send(client: reqwest::Client, collector: Collector, mut finished: Receiver<Box<Finished>>) {
    let mut batch = Vec::new();
    let mut failing = false;
    while finished.recv_many(&mut batch, BATCH_MAX).await > 0 {
        let until = tokio::time::Instant::now() + GATHER;
        while batch.len() < BATCH_MAX {
            match tokio::time::timeout_at(until, finished.recv()).await {
                Ok(Some(one)) => batch.push(one),
                Ok(None) | Err(_) => break,
            }
        }
        let spans: Vec<Value> = batch.drain(..).flat_map(|one| one.spans()).collect();
        let body = document(&collector.service, &spans).to_string();
        let request = client.post(&collector.url).header("content-type", "application/json").body(body);
        let result = request.send().await.and_then(reqwest::Response::error_for_status);
        match result {
            Ok(_) => failing = false,
            // Said once, not with every batch.
            Err(error) if !failing => {
                failing = true;
                tracing::warn!(error = %error.without_url(), "traces could not be sent");
            }
            Err(_) => {}
        }
    }
}

fn document(service: &str, spans: &[Value]) -> Value {
    json!({ "resourceSpans": [{
        "resource": { "attributes": [attribute("service.name", service)] },
        "scopeSpans": [{ "scope": { "name": "coffer" }, "spans": spans }],
    }] })
}

fn attribute(key: &str, value: &str) -> Value {
    json!({ "key": key, "value": { "stringValue": value } })
}

impl Finished {
    /// The span of the request and those of its steps.
    fn spans(&self) -> Vec<Value> {
        let open = &self.open;
        let id = span_id();
        let mut attributes: Vec<Value> = self.attributes.iter().map(|(key, value)| attribute(key, value)).collect();
        let status = json!({ "intValue": self.status.to_string() });
        attributes.push(json!({ "key": "http.response.status_code", "value": status }));
        // The server failed; a refusal is no failure of the server.
        let code = if self.status >= 500 { 2 } else { 0 };
        let mut root = self.span(&id, open.parent.as_ref(), "request", open.clock, self.ended);
        root.extend([
            ("kind".to_owned(), json!(2)),
            ("attributes".to_owned(), attributes.into()),
            ("status".to_owned(), json!({ "code": code })),
        ]);
        let steps = open.steps.iter().map(|(name, from, to)| self.span(&span_id(), Some(&id), name, *from, *to));
        std::iter::once(root).chain(steps).map(Value::Object).collect()
    }

    fn span(
        &self,
        id: &[u8; 8],
        parent: Option<&[u8; 8]>,
        name: &str,
        from: Instant,
        to: Instant,
    ) -> Map<String, Value> {
        let members = [
            ("traceId", json!(hex(&self.open.trace))),
            ("spanId", json!(hex(id))),
            ("parentSpanId", json!(parent.map(|parent| hex(parent)).unwrap_or_default())),
            ("name", json!(name)),
            ("kind", json!(1)),
            ("startTimeUnixNano", json!(self.nanoseconds(from))),
            ("endTimeUnixNano", json!(self.nanoseconds(to))),
        ];
        members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()
    }

    /// A moment of the monotonic clock as wall time: 64-bit numbers are texts in OTLP's JSON.
    fn nanoseconds(&self, at: Instant) -> String {
        let since = at.saturating_duration_since(self.open.clock);
        let wall = self.open.began.duration_since(UNIX_EPOCH).unwrap_or_default() + since;
        wall.as_nanos().to_string()
    }
}

fn span_id() -> [u8; 8] {
    let mut id = [0; 8];
    SystemRandomness.fill(&mut id);
    id
}

fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::parse_parent;

    #[test]
    fn trace_parents_are_read_strictly() {
        let parent = parse_parent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
        assert_eq!((parent.0[0], parent.1[1], parent.2), (0x4b, 0xf0, true));
        assert!(!parse_parent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00").unwrap().2);
        for bad in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-x",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert!(parse_parent(bad).is_none(), "{bad}");
        }
    }
}
