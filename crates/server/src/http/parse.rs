//! From an HTTP request to [`engine::Request`].

use super::body::{BodyError, strict_json};
use engine::{Fault, Headers, Input, Operation, Peer, Request, RequestPath, Secret};
use http::{HeaderMap, Method, Uri, header};
use serde_json::{Map, Value};
use wire::scalar;

/// Bounds and switches of a listener.
#[derive(Debug, Clone)]
pub struct Limits {
    /// Bytes of a body.
    pub body_bytes_max: usize,
    /// Time for a whole request.
    pub request_time_max: std::time::Duration,
    /// Refuses requests without `X-Vault-Request: true` (protects agents and proxies from forged requests).
    pub require_request_header: bool,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            body_bytes_max: 32 << 20,
            request_time_max: std::time::Duration::from_secs(90),
            require_request_header: false,
        }
    }
}

/// An HTTP request whose body has been read.
pub struct Parts<'a> {
    /// Method.
    pub method: &'a Method,
    /// Target.
    pub uri: &'a Uri,
    /// Headers.
    pub headers: &'a HeaderMap,
    /// Body.
    pub body: &'a [u8],
    /// The other end.
    pub peer: Peer,
}

/// Fields of one query or form.
const PAIRS_MAX: usize = 1_000;

/// Query parameters that steer the edge and are no fields.
const STEERING: [&str; 3] = ["list", "scan", "help"];

/// Headers that never reach an engine: they carry credentials (S20).
const CREDENTIALS: [&str; 3] = ["x-vault-token", "authorization", "cookie"];

/// Parses a request; `id` is the one it was given.
pub fn parse(id: String, parts: Parts<'_>) -> Result<Request, Fault> {
    let raw = parts.uri.path().strip_prefix("/v1/").ok_or(Fault::Missing)?;
    let path = RequestPath::from_raw(raw).map_err(|error| Fault::invalid(error.to_string()))?;
    let query = pairs(parts.uri.query().unwrap_or_default().as_bytes())?;
    let operation = operation(parts.method, &query)?;
    if operation == Operation::Update && path.is_folder() {
        return Err(Fault::invalid("cannot write to a path ending in '/'"));
    }
    if operation == Operation::Patch {
        check_patch_type(parts.headers)?;
    }
    let parameters = parameters(&parts, operation, query)?;
    let input = Input { fields: parameters.clone(), body: parameters };
    Ok(Request {
        id,
        operation,
        path,
        namespace: text(parts.headers, "x-vault-namespace").filter(|name| !name.is_empty()),
        token: token(parts.headers),
        input,
        wrap_ttl: wrap_ttl(parts.headers)?,
        headers: plain_headers(parts.headers),
        peer: parts.peer,
        head: parts.method == Method::HEAD,
    })
}

fn operation(method: &Method, query: &[(String, String)]) -> Result<Operation, Fault> {
    let asked = |name: &str| {
        query.iter().any(|(key, value)| key == name && scalar::boolean(&Value::String(value.clone())) == Ok(true))
    };
    Ok(match method.as_str() {
        "GET" | "HEAD" if asked("help") => Operation::Help,
        "GET" | "HEAD" if asked("list") => Operation::List,
        "GET" | "HEAD" if asked("scan") => Operation::Scan,
        "GET" | "HEAD" => Operation::Read,
        "POST" | "PUT" => Operation::Update,
        "DELETE" => Operation::Delete,
        "PATCH" => Operation::Patch,
        "LIST" => Operation::List,
        "SCAN" => Operation::Scan,
        _ => return Err(Fault::Status(405, Vec::new())),
    })
}

/// What a client sends beside the path comes from one place: the body of a write, or the query of everything else. A
/// second place would be one that the parameter rules of policies do not see.
fn parameters(
    parts: &Parts<'_>,
    operation: Operation,
    query: Vec<(String, String)>,
) -> Result<Map<String, Value>, Fault> {
    if matches!(operation, Operation::Update | Operation::Patch) {
        return body(parts);
    }
    let mut parameters = Map::new();
    for (name, value) in query.into_iter().filter(|(name, _)| !STEERING.contains(&name.as_str())) {
        parameters.entry(name).or_insert(Value::String(value));
    }
    Ok(parameters)
}

fn check_patch_type(headers: &HeaderMap) -> Result<(), Fault> {
    let media = text(headers, "content-type").unwrap_or_default();
    match media.split(';').next().map(str::trim) {
        Some("application/merge-patch+json") => Ok(()),
        None | Some("") => Err(Fault::invalid("mime: no media type")),
        _ => Err(Fault::Status(415, vec!["PATCH requires Content-Type of application/merge-patch+json".to_owned()])),
    }
}

fn body(parts: &Parts<'_>) -> Result<Map<String, Value>, Fault> {
    let form =
        text(parts.headers, "content-type").is_some_and(|media| media.starts_with("application/x-www-form-urlencoded"));
    // Clients such as curl send JSON under this type without meaning it, so a form is what does not begin like JSON.
    if form && !parts.body.trim_ascii_start().starts_with(b"{") {
        let mut members = Map::new();
        for (name, value) in pairs(parts.body)? {
            if members.insert(name, Value::String(value)).is_some() {
                return Err(Fault::invalid("a form field must not be repeated"));
            }
        }
        return Ok(members);
    }
    strict_json(parts.body).map_err(|error| match error {
        BodyError::TooLarge => Fault::Status(413, vec![error.to_string()]),
        _ => Fault::invalid(error.to_string()),
    })
}

fn token(headers: &HeaderMap) -> Option<Secret<String>> {
    let token = match text(headers, "x-vault-token") {
        Some(token) => token,
        None => {
            let value = text(headers, header::AUTHORIZATION.as_str())?;
            let (scheme, token) = value.split_once(' ')?;
            scheme.eq_ignore_ascii_case("bearer").then(|| token.trim().to_owned())?
        }
    };
    (!token.is_empty()).then(|| Secret::new(token))
}

fn wrap_ttl(headers: &HeaderMap) -> Result<Option<i64>, Fault> {
    let Some(value) = text(headers, "x-vault-wrap-ttl").filter(|value| !value.is_empty()) else { return Ok(None) };
    match scalar::parse_duration(&value) {
        Some(0) => Ok(None),
        Some(seconds) if seconds > 0 => Ok(Some(seconds)),
        Some(_) => Err(Fault::invalid("error parsing X-Vault-Wrap-TTL header: requested wrap ttl cannot be negative")),
        None => Err(Fault::invalid("error parsing X-Vault-Wrap-TTL header: time: invalid duration")),
    }
}

fn plain_headers(headers: &HeaderMap) -> Headers {
    let mut plain = Headers::default();
    for (name, value) in headers {
        let (name, Ok(value)) = (name.as_str(), value.to_str()) else { continue };
        if !CREDENTIALS.contains(&name) {
            plain.add(name, value);
        }
    }
    plain
}

fn text(headers: &HeaderMap, name: &str) -> Option<String> {
    headers.get(name).and_then(|value| value.to_str().ok()).map(|value| value.trim().to_owned())
}

/// Decodes `application/x-www-form-urlencoded`.
fn pairs(encoded: &[u8]) -> Result<Vec<(String, String)>, Fault> {
    let bad = || Fault::invalid("query or form is not valid");
    let written = || encoded.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty());
    if written().take(PAIRS_MAX + 1).count() > PAIRS_MAX {
        return Err(Fault::invalid("query or form has too many fields"));
    }
    written()
        .map(|pair| {
            let mut sides = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(sides.next().unwrap_or_default()).ok_or_else(bad)?;
            let value = decode(sides.next().unwrap_or_default()).ok_or_else(bad)?;
            Ok((name, value))
        })
        .collect()
}

fn decode(encoded: &[u8]) -> Option<String> {
    let mut bytes = Vec::with_capacity(encoded.len());
    let mut rest = encoded.iter().copied();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'+' => b' ',
            b'%' => {
                let high = (rest.next()? as char).to_digit(16)?;
                let low = (rest.next()? as char).to_digit(16)?;
                u8::try_from(high << 4 | low).ok()?
            }
            other => other,
        });
    }
    String::from_utf8(bytes).ok()
}
