//! From an outcome to bytes: statuses and upstream's wording live here and nowhere else.

use super::Response;
use crate::json::{self, Object};
use engine::{Body, Fault, Operation};
use http::{HeaderValue, StatusCode, header};
use http_body_util::Full;
use hyper::body::Bytes;
use kernel::pipeline::Answer;
use serde_json::{Map, Value};
use wire::{Envelope, ErrorBody, join_errors};

/// A reply before it is bytes of a connection: what the audit trail sees and what is sent are made from the same.
pub struct Rendered {
    /// HTTP status.
    pub status: u16,
    /// Media type.
    pub content_type: &'static str,
    /// Body; empty with a 204.
    pub bytes: Vec<u8>,
    /// Further headers.
    pub headers: Vec<(&'static str, String)>,
}

/// What a page may do (Content Security Policy Level 3): nothing but look as it does and send its form to this server.
/// No page has a script, so none that somebody brings into one ever runs.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'; base-uri 'none'";
/// Bytes that most replies fit in.
const ENVELOPE_BYTES: usize = 1_024;

/// Renders an answer.
pub fn rendered(request_id: &str, operation: Operation, answer: Answer) -> Rendered {
    let Answer { reply, lease, auth, wrap_info } = answer;
    let bare = auth.is_none() && lease.is_none() && wrap_info.is_none();
    let (data, legacy) = match reply.body {
        Body::Raw(raw) => {
            return Rendered {
                status: reply.status.unwrap_or(200),
                content_type: raw.content_type,
                bytes: raw.bytes,
                headers: Vec::new(),
            };
        }
        Body::Empty if bare && reply.warnings.is_empty() => return nothing(operation, reply.status),
        Body::Empty => (Value::Null, false),
        Body::Data(data) => (data, false),
        Body::Legacy(data) => (data, true),
    };
    let lease = lease.unwrap_or_default();
    let envelope = Envelope {
        request_id: if wrap_info.is_some() { String::new() } else { request_id.to_owned() },
        lease_id: lease.id,
        renewable: lease.renewable,
        lease_duration: lease.duration,
        data,
        wrap_info,
        warnings: (!reply.warnings.is_empty()).then_some(reply.warnings),
        auth,
    };
    let missing = envelope.data.is_null() && bare && !operation.writes();
    let status = reply.status.unwrap_or(if missing { 404 } else { 200 });
    Rendered { status, content_type: "application/json", bytes: encode(envelope, legacy), headers: Vec::new() }
}

fn nothing(operation: Operation, status: Option<u16>) -> Rendered {
    match status {
        Some(status) => Rendered { status, content_type: "application/json", bytes: Vec::new(), headers: Vec::new() },
        None if operation.writes() => {
            Rendered { status: 204, content_type: "application/json", bytes: Vec::new(), headers: Vec::new() }
        }
        None => error::<&str>(404, &[]),
    }
}

/// The same bytes as by the envelope's `Serialize`, which escapes byte by byte.
pub(super) fn plain(envelope: &Envelope) -> Vec<u8> {
    let Envelope { request_id, lease_id, renewable, lease_duration, data, wrap_info, warnings, auth } = envelope;
    let mut out = Vec::with_capacity(ENVELOPE_BYTES);
    let mut object = Object::begin(&mut out);
    object.text("request_id", request_id);
    object.text("lease_id", lease_id);
    object.value("renewable", renewable);
    object.number("lease_duration", *lease_duration);
    json::value(object.member("data"), data);
    object.value("wrap_info", wrap_info);
    object.value("warnings", warnings);
    object.value("auth", auth);
    object.end();
    out
}

fn encode(envelope: Envelope, legacy: bool) -> Vec<u8> {
    if !legacy {
        return plain(&envelope);
    }
    let (Value::Object(data), Ok(Value::Object(members))) = (&envelope.data, serde_json::to_value(&envelope)) else {
        return plain(&envelope);
    };
    let mut both: Map<String, Value> = data.clone();
    both.extend(members);
    serde_json::to_vec(&both).unwrap_or_default()
}

/// An error reply.
pub fn error<S: AsRef<str>>(status: u16, errors: &[S]) -> Rendered {
    let body = ErrorBody { errors: errors.iter().map(|error| error.as_ref().to_owned()).collect() };
    let mut bytes = serde_json::to_vec(&body).unwrap_or_default();
    bytes.push(b'\n');
    Rendered { status, content_type: "application/json", bytes, headers: Vec::new() }
}

/// The reply of a fault, in upstream's words.
pub fn fault(fault: &Fault) -> Rendered {
    match fault {
        Fault::Invalid(messages) => error(400, messages),
        Fault::Denied => error(403, &["permission denied"]),
        Fault::Forbidden => error(403, &[join_errors(&["permission denied"])]),
        Fault::LoginFailed(message) => error(400, &[message]),
        Fault::Missing => error::<&str>(404, &[]),
        Fault::MissingBecause(message) => error(404, &[message]),
        Fault::UnsupportedPath => error(404, &[join_errors(&["unsupported path"])]),
        Fault::UnsupportedOperation => error(405, &[join_errors(&["unsupported operation"])]),
        Fault::Status(status, messages) => error(*status, messages),
        Fault::Store(_) | Fault::Internal(_) | Fault::Outside(_) => error(500, &["internal error"]),
    }
}

impl Rendered {
    /// The HTTP response.
    pub fn into_response(self, head: bool) -> Response {
        let empty = self.status == 204 || head;
        let length = self.bytes.len();
        let body = if empty { Bytes::new() } else { Bytes::from(self.bytes) };
        let mut response = hyper::Response::new(Full::new(body));
        *response.status_mut() = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let headers = response.headers_mut();
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        headers
            .insert(header::STRICT_TRANSPORT_SECURITY, HeaderValue::from_static("max-age=31536000; includeSubDomains"));
        headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(self.content_type));
        if self.content_type.starts_with("text/html") {
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
            headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
            headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
        }
        for (name, value) in self.headers {
            if let Ok(value) = HeaderValue::from_str(&value) {
                headers.insert(name, value);
            }
        }
        if head {
            headers.insert(header::CONTENT_LENGTH, HeaderValue::from(length));
        }
        response
    }
}
