//! A client of the Vault API: TLS and unix sockets, namespaces, wrapping, retries with backoff, bounded replies.
//!
//! What may be retried: anything that did not reach the server, any failure of a read, and writes that the server
//! says it has not done (412, 429, 503). A sealed server is not asked again: it does not open by itself.
#![forbid(unsafe_code)]

mod address;
mod rate;
mod request;
mod settings;
#[cfg(test)]
mod tests;

pub use rate::Rate;
pub use request::{Operation, Request};
pub use settings::{DEFAULT_ADDRESS, Settings, is_true, variable};

use reqwest::header::{HeaderName, HeaderValue};
use reqwest::{StatusCode, Url};
use serde_json::Value;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};
use zeroize::Zeroizing;

/// Longest reply read, in bytes.
pub const REPLY_BYTES_MAX: usize = 256 << 20;
/// Redirects followed.
const REDIRECTS_MAX: u32 = 3;
/// Longest wait between two attempts, whatever the server asks for.
const WAIT_MAX: Duration = Duration::from_secs(30);

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The settings make no client: a file that cannot be read, an address that is none.
    #[error("{0}")]
    Settings(String),
    /// The server was not reached, or did not finish its reply.
    #[error("{0}")]
    Connection(String),
    /// The server said no.
    #[error("{0}")]
    Refused(Box<Refusal>),
}

/// What the server said instead of doing what it was asked.
#[derive(Debug, Clone)]
pub struct Refusal {
    /// HTTP status.
    pub status: u16,
    /// Method and address, without parameters.
    pub request: String,
    /// Namespace, if one was named.
    pub namespace: Option<String>,
    /// The server's messages.
    pub errors: Vec<String>,
    /// The whole body.
    pub body: Value,
}

/// The words that scripts around this API look for.
impl std::fmt::Display for Refusal {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Error making API request.\n\n")?;
        if let Some(namespace) = &self.namespace {
            writeln!(f, "Namespace: {namespace}")?;
        }
        write!(f, "URL: {}\nCode: {}. ", self.request, self.status)?;
        match &self.body {
            Value::String(text) => write!(f, "Raw Message:\n\n{}", text.trim_end()),
            _ => {
                writeln!(f, "Errors:")?;
                self.errors.iter().try_for_each(|error| write!(f, "\n* {error}"))
            }
        }
    }
}

/// A reply.
#[derive(Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body, `Null` if there is none.
    pub body: Value,
    /// The bytes of the body, for requests that want them.
    pub bytes: Vec<u8>,
}

impl Reply {
    /// The reply's data, `Null` if there is none.
    pub fn data(&self) -> &Value {
        self.body.get("data").unwrap_or(&Value::Null)
    }

    /// What the server had to say besides.
    pub fn warnings(&self) -> Vec<&str> {
        let warnings = self.body.get("warnings").and_then(Value::as_array);
        warnings.map(|list| list.iter().filter_map(Value::as_str).collect()).unwrap_or_default()
    }
}

/// A client with its settings.
pub struct Client {
    http: reqwest::Client,
    settings: Settings,
    base: String,
    pace: Option<Mutex<rate::Pace>>,
}

impl Client {
    /// A client with these settings.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        // Whoever was first in this process chose the provider already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (http, base) = settings.build()?;
        let pace = settings.rate.map(|rate| Mutex::new(rate::Pace::new(rate)));
        Ok(Self { http, settings, base, pace })
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// From now on with this token.
    pub fn set_token(&mut self, token: Option<Zeroizing<String>>) {
        self.settings.token = token;
    }

    /// From now on with replies wrapped for so long, or not wrapped.
    pub fn set_wrap_ttl(&mut self, ttl: Option<String>) {
        self.settings.wrap_ttl = ttl;
    }

    /// Address of a request.
    pub fn address(&self, request: &Request) -> Result<Url, ClientError> {
        address::of(&self.base, request)
    }

    /// Sends a request; retries what may be retried. A read that ends in 404 with data is a reply, as clients expect.
    pub async fn send(&self, request: &Request) -> Result<Reply, ClientError> {
        let mut url = self.address(request)?;
        let (mut retries, mut redirects) = (0, 0);
        loop {
            self.wait_for_turn().await;
            match self.attempt(request, &url).await? {
                Sent::Reply(reply) => return Ok(reply),
                Sent::Redirect(target) => {
                    redirects += 1;
                    url = self.follow(&url, target, redirects)?;
                }
                Sent::Retry { after, .. } if retries < self.settings.retries_max => {
                    retries += 1;
                    let pause = Duration::from_millis(250 << retries.min(4));
                    tokio::time::sleep(after.unwrap_or(pause).min(WAIT_MAX)).await;
                }
                Sent::Retry { error, .. } => return Err(error),
            }
        }
    }

    async fn wait_for_turn(&self) {
        let Some(pace) = &self.pace else { return };
        let wait = pace.lock().unwrap_or_else(PoisonError::into_inner).turn(Instant::now());
        if !wait.is_zero() {
            tokio::time::sleep(wait).await;
        }
    }

    /// A token that came over TLS does not leave without it.
    fn follow(&self, from: &Url, target: Url, redirects: u32) -> Result<Url, ClientError> {
        let refused = |why: &str| Err(ClientError::Connection(format!("{}: {why}", address::without_query(from))));
        if self.settings.disable_redirects {
            return refused("the server redirects elsewhere, and redirects are switched off");
        }
        if redirects > REDIRECTS_MAX {
            return refused("the server redirects again and again");
        }
        if from.scheme() == "https" && target.scheme() != "https" {
            return refused("the server redirects to an address without TLS, which is not followed");
        }
        Ok(target)
    }

    async fn attempt(&self, request: &Request, url: &Url) -> Result<Sent, ClientError> {
        let name = format!("{} {}", request.operation.method(), address::without_query(url));
        let response = match self.prepare(request, url)?.send().await {
            Ok(response) => response,
            Err(error) => {
                let unreached = error.is_connect();
                let error = ClientError::Connection(connection(&name, &error));
                return if unreached { Ok(Sent::Retry { after: None, error }) } else { Err(error) };
            }
        };
        let status = response.status();
        if matches!(status.as_u16(), 301 | 302 | 307 | 308) {
            let target = response.headers().get("location").and_then(|value| value.to_str().ok());
            return target
                .and_then(|value| url.join(value).ok())
                .map(Sent::Redirect)
                .ok_or_else(|| ClientError::Connection(format!("{name}: redirected without a target")));
        }
        let after = response.headers().get("retry-after").and_then(|value| value.to_str().ok()?.parse().ok());
        let bytes = read(response).await?;
        let body = if request.raw && status.is_success() { Value::Null } else { json(&bytes) };
        let has_data = ["data", "warnings"].iter().any(|member| body.get(member).is_some_and(|data| !data.is_null()));
        let is_found =
            status.is_success() || (status == StatusCode::NOT_FOUND && has_data && request.operation.is_safe());
        if is_found || request.path.trim_matches('/') == "sys/health" {
            return Ok(Sent::Reply(Reply { status: status.as_u16(), body, bytes }));
        }
        let refusal = self.refusal(status, name, body);
        let again = may_retry(request.operation, status, &refusal);
        let error = ClientError::Refused(Box::new(refusal));
        if again { Ok(Sent::Retry { after: after.map(Duration::from_secs), error }) } else { Err(error) }
    }

    fn refusal(&self, status: StatusCode, request: String, body: Value) -> Refusal {
        let errors = body.get("errors").and_then(Value::as_array);
        let errors = errors.map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        let namespace = self.settings.namespace.clone();
        Refusal { status: status.as_u16(), request, namespace, errors: errors.unwrap_or_default(), body }
    }

    fn prepare(&self, request: &Request, url: &Url) -> Result<reqwest::RequestBuilder, ClientError> {
        let method = request.operation.method().parse::<reqwest::Method>();
        let method = method.map_err(|_| ClientError::Settings("method is not valid".to_owned()))?;
        let mut builder = self.http.request(method, url.clone()).header("X-Vault-Request", "true");
        for (name, value, secret) in self.settings.headers(request.unwrapped) {
            let invalid = || ClientError::Settings(format!("{name} holds a character that no header may hold"));
            let header: HeaderName = name.parse().map_err(|_| invalid())?;
            let mut value: HeaderValue = value.parse().map_err(|_| invalid())?;
            value.set_sensitive(secret);
            builder = builder.header(header, value);
        }
        if let Some(body) = &request.body {
            let patch = request.operation == Operation::Patch;
            let media = if patch { "application/merge-patch+json" } else { "application/json" };
            builder = builder.header("Content-Type", media).body(body.to_string());
        }
        Ok(builder)
    }
}

enum Sent {
    Reply(Reply),
    Redirect(Url),
    Retry { after: Option<Duration>, error: ClientError },
}

fn may_retry(operation: Operation, status: StatusCode, refusal: &Refusal) -> bool {
    if refusal.errors.iter().any(|error| error.ends_with("is sealed")) || status == StatusCode::NOT_IMPLEMENTED {
        return false;
    }
    matches!(status.as_u16(), 412 | 429 | 503) || (status.is_server_error() && operation.is_safe())
}

async fn read(mut response: reqwest::Response) -> Result<Vec<u8>, ClientError> {
    let broken = |error: reqwest::Error| ClientError::Connection(format!("reply broke off: {}", error.without_url()));
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if bytes.len() + chunk.len() > REPLY_BYTES_MAX {
            return Err(ClientError::Connection("reply is too long".to_owned()));
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(bytes)
}

fn json(bytes: &[u8]) -> Value {
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Value::Null;
    }
    serde_json::from_slice(bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(bytes).into_owned()))
}

fn connection(name: &str, error: &reqwest::Error) -> String {
    let mut text = format!("error talking to the server: {name}");
    let mut cause: Option<&dyn std::error::Error> = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}
