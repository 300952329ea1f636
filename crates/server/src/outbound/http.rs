//! HTTP requests, by clients that keep their connections. A client is remembered by whom it trusts.

use super::address::{NoneAllowed, Resolver, is_forbidden};
use super::verifier;
use engine::Secret;
use engine::outside::{ANSWER_BYTES_MAX, CallAnswer, CallFailure, HttpAnswer, HttpCall, Method, Trust};
use quick_cache::sync::Cache;
use reqwest::header::{CACHE_CONTROL, HeaderMap, HeaderName, HeaderValue, LINK};
use reqwest::{Client, Url};
use std::error::Error;
use std::sync::Arc;
use std::time::Duration;

/// Clients that are kept.
const CLIENTS_MAX: usize = 64;
/// Connections that a client keeps to one server while they have nothing to do.
const IDLE_CONNECTIONS_MAX: usize = 8;
/// How long it keeps them.
const IDLE_TIME_MAX: Duration = Duration::from_secs(30);
/// Certificates of authorities in one configuration.
const AUTHORITIES_MAX: usize = 64;

/// A failed call, with what the log shows of it beside the server's name.
pub(super) struct Failed {
    pub(super) failure: CallFailure,
    pub(super) detail: String,
}

impl Failed {
    /// A failure that its name explains.
    pub(super) fn silent(failure: CallFailure) -> Self {
        Self { failure, detail: String::new() }
    }
}

/// The clients.
pub(super) struct Clients(Cache<Trust, Client>);

impl Default for Clients {
    fn default() -> Self {
        Self(Cache::new(CLIENTS_MAX))
    }
}

/// Where a call goes, if it may.
pub(super) fn target(call: &HttpCall) -> Result<Url, CallFailure> {
    let url: Url = call.url.parse().map_err(|_| CallFailure::Malformed)?;
    let plain = url.username().is_empty() && url.password().is_none();
    if !plain || !matches!(url.scheme(), "http" | "https") {
        return Err(CallFailure::Malformed);
    }
    // Every spelling of an IPv4 address, octal and decimal ones too, is read by the URL's own rules (WHATWG URL 3.5).
    let literal = url.host_str().and_then(|host| host.trim_matches(['[', ']']).parse().ok());
    if literal.is_some_and(is_forbidden) {
        return Err(CallFailure::Forbidden);
    }
    Ok(url)
}

/// The server's name and port, as the log and the limits have it.
pub(super) fn server(url: &Url) -> String {
    format!("{}:{}", url.host_str().unwrap_or_default(), url.port_or_known_default().unwrap_or_default())
}

impl Clients {
    /// Sends a request and takes the answer in.
    pub(super) async fn send(&self, call: &HttpCall, url: Url) -> Result<CallAnswer, Failed> {
        let client = self.0.get_or_insert_with(&call.trust, || client(&call.trust))?;
        let method = match call.method {
            Method::Get => reqwest::Method::GET,
            Method::Post => reqwest::Method::POST,
        };
        let mut request = client.request(method, url).headers(headers(call)?);
        if let Some(body) = &call.body {
            request = request.body(body.as_slice().to_vec());
        }
        let mut response = request.send().await.map_err(failed)?;
        let max = call.answer_bytes_max.min(ANSWER_BYTES_MAX);
        let header = |name| response.headers().get(name).and_then(|value: &HeaderValue| value.to_str().ok());
        let link = header(LINK).unwrap_or_default().to_owned();
        let max_age = header(CACHE_CONTROL).and_then(max_age);
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(failed)? {
            if body.len().saturating_add(chunk.len()) > max {
                return Err(Failed::silent(CallFailure::TooLarge));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(CallAnswer::Http(Arc::new(HttpAnswer { status, link, max_age, body: Secret::new(body) })))
    }
}

fn client(trust: &Trust) -> Result<Client, Failed> {
    let malformed = || Failed::silent(CallFailure::Malformed);
    let mut builder = Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .no_proxy()
        .user_agent("coffer")
        .dns_resolver(Resolver)
        .pool_idle_timeout(IDLE_TIME_MAX)
        .pool_max_idle_per_host(IDLE_CONNECTIONS_MAX);
    if !trust.authorities.is_empty() {
        let tls = verifier::tls(&trust.authorities, AUTHORITIES_MAX).ok_or_else(malformed)?;
        builder = builder.tls_backend_preconfigured(tls);
    }
    builder.build().map_err(|_| malformed())
}

fn headers(call: &HttpCall) -> Result<HeaderMap, Failed> {
    let mut headers = HeaderMap::new();
    for (name, value) in &call.headers {
        let value = HeaderValue::from_str(value.as_str());
        let mut value = value.map_err(|_| Failed::silent(CallFailure::Malformed))?;
        value.set_sensitive(true);
        headers.append(HeaderName::from_static(name), value);
    }
    Ok(headers)
}

/// `max-age` of RFC 9111 section 5.2.2.1.
fn max_age(value: &str) -> Option<u64> {
    value.split(',').find_map(|directive| directive.trim().strip_prefix("max-age=")?.parse().ok())
}

/// What went wrong, from the errors below the error.
fn failed(error: reqwest::Error) -> Failed {
    let error = error.without_url();
    let mut failure = if error.is_timeout() { CallFailure::TimedOut } else { CallFailure::Unreachable };
    let mut detail = error.to_string();
    let mut below: Option<&(dyn Error + 'static)> = error.source();
    while let Some(cause) = below {
        detail = cause.to_string();
        if holds::<rustls::Error>(cause) {
            failure = CallFailure::Untrusted;
        }
        if holds::<NoneAllowed>(cause) {
            failure = CallFailure::Forbidden;
        }
        below = cause.source();
    }
    Failed { failure, detail }
}

/// Whether an error is of a type, also in the wrappings of `std::io`, which are no sources of each other.
fn holds<E: Error + 'static>(error: &(dyn Error + 'static)) -> bool {
    let mut error = error;
    loop {
        if error.is::<E>() {
            return true;
        }
        match error.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            Some(inner) => error = inner,
            None => return false,
        }
    }
}
