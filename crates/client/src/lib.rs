//! A client of the Vault API: TLS and unix sockets, namespaces, wrapping, retries with backoff, bounded replies.
#![forbid(unsafe_code)]

mod settings;

pub use settings::{Settings, variable};

use reqwest::{Method, StatusCode, Url};
use serde_json::Value;
use std::time::Duration;

/// Longest reply read, in bytes.
pub const REPLY_BYTES_MAX: usize = 256 << 20;
/// Redirects followed, on the same host only.
const REDIRECTS_MAX: usize = 3;

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
    #[error("{}", describe(.status, .url, .errors))]
    Refused {
        /// HTTP status.
        status: u16,
        /// What was asked, without parameters.
        url: String,
        /// The server's messages.
        errors: Vec<String>,
    },
}

fn describe(status: &u16, url: &str, errors: &[String]) -> String {
    let list: String = errors.iter().map(|error| format!("\n* {error}")).collect();
    format!("{url}\nCode: {status}. Errors:\n{list}")
}

/// A reply.
#[derive(Debug, Clone)]
pub struct Reply {
    /// HTTP status.
    pub status: u16,
    /// The body, `Null` if there is none.
    pub body: Value,
}

/// A client with its settings.
pub struct Client {
    http: reqwest::Client,
    settings: Settings,
    base: String,
}

impl Client {
    /// A client with these settings.
    pub fn new(settings: Settings) -> Result<Self, ClientError> {
        // Whoever was first in this process chose the provider already.
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let (http, base) = settings.build()?;
        Ok(Self { http, settings, base })
    }

    /// The settings.
    pub fn settings(&self) -> &Settings {
        &self.settings
    }

    /// The same client with a token.
    #[must_use]
    pub fn with_token(mut self, token: &str) -> Self {
        self.settings.token = Some(zeroize::Zeroizing::new(token.to_owned()));
        self
    }

    /// Address of a path.
    pub fn url(&self, path: &str, query: &[(&str, &str)]) -> Result<Url, ClientError> {
        let encoded: Vec<String> = path.trim_start_matches('/').split('/').map(encode_segment).collect();
        let text = format!("{}/v1/{}", self.base.trim_end_matches('/'), encoded.join("/"));
        let mut url: Url = text.parse().map_err(|_| ClientError::Settings("address is not valid".to_owned()))?;
        if !query.is_empty() {
            url.query_pairs_mut().extend_pairs(query);
        }
        Ok(url)
    }

    /// Sends a request; retries what may be retried. A 404 with data is a reply, as clients expect.
    pub async fn request(
        &self,
        method: &str,
        path: &str,
        query: &[(&str, &str)],
        body: Option<&Value>,
    ) -> Result<Reply, ClientError> {
        let mut url = self.url(path, query)?;
        let method: Method = method.parse().map_err(|_| ClientError::Settings("method is not valid".to_owned()))?;
        let (mut retries, mut redirects) = (0, 0);
        loop {
            match self.send(&method, url.clone(), body).await {
                Ok(Sent::Reply(reply)) => return Ok(reply),
                Ok(Sent::Redirect(target)) if redirects < REDIRECTS_MAX && target.host_str() == url.host_str() => {
                    redirects += 1;
                    url = target;
                }
                Ok(Sent::Redirect(_)) => return Err(ClientError::Connection("redirected to another host".to_owned())),
                Ok(Sent::Retry { after, .. }) if retries < self.settings.retries_max => {
                    retries += 1;
                    tokio::time::sleep(after.unwrap_or(Duration::from_millis(250 << retries.min(4)))).await;
                }
                Ok(Sent::Retry { error, .. }) => return Err(error),
                Err(error) => return Err(error),
            }
        }
    }

    async fn send(&self, method: &Method, url: Url, body: Option<&Value>) -> Result<Sent, ClientError> {
        let name = format!("{method} {}", without_query(&url));
        let mut request = self.http.request(method.clone(), url.clone()).header("X-Vault-Request", "true");
        if let Some(token) = &self.settings.token {
            request = request.header("X-Vault-Token", token.as_str());
        }
        if let Some(namespace) = &self.settings.namespace {
            request = request.header("X-Vault-Namespace", namespace);
        }
        if let Some(ttl) = &self.settings.wrap_ttl {
            request = request.header("X-Vault-Wrap-TTL", ttl);
        }
        if let Some(body) = body {
            let media = if method.as_str() == "PATCH" { "application/merge-patch+json" } else { "application/json" };
            request = request.header("Content-Type", media).body(body.to_string());
        }
        let response = request.send().await.map_err(|error| ClientError::Connection(connection(&name, &error)))?;
        let status = response.status();
        if status == StatusCode::TEMPORARY_REDIRECT {
            let target = response
                .headers()
                .get("location")
                .and_then(|value| value.to_str().ok())
                .and_then(|value| url.join(value).ok());
            return target
                .map(Sent::Redirect)
                .ok_or_else(|| ClientError::Connection("redirect without a target".to_owned()));
        }
        let after = response
            .headers()
            .get("retry-after")
            .and_then(|value| value.to_str().ok()?.parse().ok())
            .map(Duration::from_secs);
        let value = read(response).await?;
        let has_data = ["data", "warnings"].iter().any(|member| value.get(member).is_some_and(|data| !data.is_null()));
        if status.is_success() || (status == StatusCode::NOT_FOUND && has_data) || is_health(&url) {
            return Ok(Sent::Reply(Reply { status: status.as_u16(), body: value }));
        }
        let errors = value
            .get("errors")
            .and_then(Value::as_array)
            .map(|list| list.iter().filter_map(Value::as_str).map(str::to_owned).collect());
        let error = ClientError::Refused { status: status.as_u16(), url: name, errors: errors.unwrap_or_default() };
        let again =
            status.is_server_error() && status != StatusCode::NOT_IMPLEMENTED || matches!(status.as_u16(), 412 | 429);
        if again { Ok(Sent::Retry { after, error }) } else { Err(error) }
    }
}

enum Sent {
    Reply(Reply),
    Redirect(Url),
    Retry { after: Option<Duration>, error: ClientError },
}

/// Health and seal status answer with statuses of their own.
fn is_health(url: &Url) -> bool {
    url.path().ends_with("/sys/health")
}

async fn read(mut response: reqwest::Response) -> Result<Value, ClientError> {
    let broken = |error: reqwest::Error| ClientError::Connection(format!("reply broke off: {}", error.without_url()));
    let mut bytes = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(broken)? {
        if bytes.len() + chunk.len() > REPLY_BYTES_MAX {
            return Err(ClientError::Connection("reply is too long".to_owned()));
        }
        bytes.extend_from_slice(&chunk);
    }
    if bytes.iter().all(u8::is_ascii_whitespace) {
        return Ok(Value::Null);
    }
    Ok(serde_json::from_slice(&bytes).unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned())))
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

fn without_query(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.to_string()
}

/// Percent-encodes what must not stand in a path segment as it is (RFC 3986, 3.3).
fn encode_segment(segment: &str) -> String {
    let mut encoded = String::with_capacity(segment.len());
    for byte in segment.bytes() {
        match byte {
            b'a'..=b'z'
            | b'A'..=b'Z'
            | b'0'..=b'9'
            | b'-'
            | b'.'
            | b'_'
            | b'~'
            | b'!'
            | b'$'
            | b'&'
            | b'\''
            | b'('
            | b')'
            | b'*'
            | b'+'
            | b','
            | b';'
            | b'='
            | b':'
            | b'@' => {
                encoded.push(char::from(byte));
            }
            other => encoded.push_str(&format!("%{other:02X}")),
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::encode_segment;

    #[test]
    fn segments_are_encoded_once() {
        assert_eq!(encode_segment("a b%c"), "a%20b%25c");
        assert_eq!(encode_segment("x@y:z"), "x@y:z");
    }
}
