//! Entries in upstream's shape. Every value is hashed with the device's key unless it is known to be public (security
//! decision D12): what a client sends or gets never stands here in clear.

use super::Device;
use crate::json::{self, Object, text};
use engine::crypto::{MacKey, hex_after};
use engine::{Body, Fault, Request, TokenKind};
use kernel::authenticate::Session;
use kernel::pipeline::{Answer, Facts};
use serde_json::{Map, Value};
use std::sync::Arc;
use wire::Auth;

/// Policies of a caller whose names' hashes are kept.
const POLICIES_KNOWN_MAX: usize = 16;

/// Which entries to write.
pub enum Phase<'a> {
    /// Before the effect.
    Request,
    /// The answer; with the request's entry before it where nothing had an effect in between.
    Response {
        /// What goes out.
        answer: &'a Answer,
        /// Whether the request has no entry yet.
        with_request: bool,
    },
    /// The request failed after its entry was written.
    Failure(&'a Fault),
    /// The request was refused and has no entry yet.
    Refusal(&'a Fault),
}

/// What the entries of one run of a request have in common, for each device, so that it is encoded and hashed once.
#[derive(Default)]
pub struct Shared(Vec<(Arc<Device>, Arc<Vec<u8>>)>);

impl Shared {
    fn of(&self, device: &Arc<Device>) -> Option<Arc<Vec<u8>>> {
        self.0.iter().find(|(known, _)| Arc::ptr_eq(known, device)).map(|(_, common)| common.clone())
    }
}

/// The objects of an entry, one a line.
pub(super) fn lines(
    device: &Arc<Device>,
    request: &Request,
    facts: &Facts,
    phase: &Phase<'_>,
    shared: &mut Shared,
) -> Vec<Vec<u8>> {
    let known = shared.of(device);
    let encoder = Encoder::new(device, request, facts, known);
    if matches!(phase, Phase::Request) {
        shared.0.push((device.clone(), encoder.common.clone()));
    }
    match phase {
        Phase::Request => vec![encoder.entry("request", None, None)],
        Phase::Response { answer, with_request } => {
            let request = with_request.then(|| encoder.entry("request", None, None));
            request.into_iter().chain([encoder.entry("response", Some(answer), None)]).collect()
        }
        Phase::Failure(fault) => vec![encoder.entry("response", None, Some(fault))],
        Phase::Refusal(fault) => {
            vec![encoder.entry("request", None, Some(fault)), encoder.entry("response", None, Some(fault))]
        }
    }
}

/// `hmac-sha256:` and the hexadecimal keyed hash of a value.
pub fn hashed(key: &MacKey, value: &str) -> String {
    hex_after("hmac-sha256:", &key.mac(&[value.as_bytes()]))
}

/// Who asks, as it stands in entries.
pub(super) struct CallerText {
    /// The member `auth` with a comma before it.
    auth: Vec<u8>,
    /// The token's text and its accessor as JSON.
    token: Vec<u8>,
    accessor: Vec<u8>,
    /// What else a look-up of the token tells of its record, each with its hash as JSON. The record is in memory anyway.
    record: Vec<(String, Vec<u8>)>,
}

impl CallerText {
    /// The hash of a value of the token's record.
    fn known(&self, value: &str) -> Option<&[u8]> {
        self.record.iter().find(|(known, _)| known == value).map(|(_, hash)| hash.as_slice())
    }
}

struct Encoder<'a> {
    device: &'a Device,
    request: &'a Request,
    facts: &'a Facts,
    /// The members `time` and `type` that an entry begins with lack the type; these are all that follow it and that both
    /// entries of a request share, with a comma before each.
    common: Arc<Vec<u8>>,
    time: String,
    caller: Option<Arc<CallerText>>,
}

impl<'a> Encoder<'a> {
    fn new(device: &'a Device, request: &'a Request, facts: &'a Facts, known: Option<Arc<Vec<u8>>>) -> Self {
        let time = device.now().to_rfc3339();
        let mut encoder = Self { device, request, facts, common: Arc::default(), time, caller: None };
        encoder.caller = facts.session.as_ref().map(|session| device.caller(session, || encoder.caller(session)));
        if let Some(common) = known {
            encoder.common = common;
            return encoder;
        }
        let mut common = Vec::with_capacity(1536);
        if let Some(caller) = &encoder.caller {
            common.extend_from_slice(&caller.auth);
        }
        let mut entry = Object::resume(&mut common);
        entry.object("request", |it| encoder.request(it, encoder.caller.as_deref()));
        encoder.common = Arc::new(common);
        encoder
    }

    fn entry(&self, kind: &str, answer: Option<&Answer>, fault: Option<&Fault>) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.common.len() + 1024);
        let mut entry = Object::begin(&mut out);
        entry.text("time", &self.time);
        entry.text("type", kind);
        out.extend_from_slice(&self.common);
        let mut entry = Object::resume(&mut out);
        if let Some(answer) = answer {
            entry.object("response", |it| self.response(it, answer));
        }
        if let Some(fault) = fault {
            self.error(entry.member("error"), fault);
        }
        entry.end();
        out
    }

    /// Texts of faults are ours and hold no secret; those that echo a path or a name of the request are hashed.
    fn error(&self, out: &mut Vec<u8>, fault: &Fault) {
        match fault {
            Fault::Denied
            | Fault::Forbidden
            | Fault::UnsupportedPath
            | Fault::UnsupportedOperation
            | Fault::Missing => text(out, &fault.to_string()),
            other => self.hash(out, &other.to_string()),
        }
    }

    fn hash(&self, out: &mut Vec<u8>, value: &str) {
        if self.device.options.log_raw { text(out, value) } else { self.device.hash_onto(out, value) }
    }

    fn accessor(&self, out: &mut Vec<u8>, value: &str) {
        if value.is_empty() || !self.device.options.hmac_accessor { text(out, value) } else { self.hash(out, value) }
    }

    fn caller(&self, session: &Session) -> CallerText {
        let mut caller = CallerText {
            auth: Vec::with_capacity(512),
            token: Vec::new(),
            accessor: Vec::new(),
            record: self.record(session),
        };
        if let Some(text) = &self.request.token {
            self.hash(&mut caller.token, text.expose());
        }
        self.accessor(&mut caller.accessor, &session.token.accessor);
        let CallerText { auth, token: shown, accessor, .. } = &mut caller;
        Object::resume(auth).object("auth", |auth| {
            let token = &session.token;
            auth.member("accessor").extend_from_slice(accessor);
            if !shown.is_empty() {
                auth.member("client_token").extend_from_slice(shown);
            }
            auth.text("display_name", &token.display_name);
            if !token.entity_id.is_empty() {
                auth.text("entity_id", &token.entity_id);
            }
            if !session.identity_policies.is_empty() {
                auth.texts("identity_policies", session.identity_policies.iter().map(|(_, name)| name));
            }
            if !token.metadata.is_empty() {
                auth.value("metadata", &token.metadata);
            }
            auth.texts("policies", &session.caller.policies);
            auth.text("token_issue_time", &token.issued.to_rfc3339());
            auth.texts("token_policies", &token.policies);
            auth.number("token_ttl", token.ttl);
            auth.text("token_type", if token.kind == TokenKind::Batch { "batch" } else { "service" });
        });
        caller
    }

    fn record(&self, session: &Session) -> Vec<(String, Vec<u8>)> {
        if self.device.options.log_raw {
            return Vec::new();
        }
        let token = &session.token;
        let times = [token.expires, token.renewed].into_iter().flatten().chain([token.issued]);
        let numbers = [token.creation_ttl, token.explicit_max_ttl, token.num_uses, token.issued.seconds()];
        let mut values: Vec<String> = [&token.accessor, &token.display_name, &token.path, &token.entity_id]
            .into_iter()
            .filter(|text| !text.is_empty())
            .cloned()
            .chain(times.map(engine::Timestamp::to_rfc3339))
            .chain(numbers.iter().map(i64::to_string))
            .chain([token.kind.name().to_owned()])
            .chain(token.policies.iter().take(POLICIES_KNOWN_MAX).cloned())
            .collect();
        values.sort_unstable();
        values.dedup();
        let hashed = |value: String| {
            let mut hash = Vec::with_capacity(78);
            self.device.hash_onto(&mut hash, &value);
            (value, hash)
        };
        values.into_iter().map(hashed).collect()
    }

    fn request(&self, out: &mut Object<'_>, caller: Option<&CallerText>) {
        let Self { device, request, facts, .. } = self;
        out.text("id", &request.id);
        out.text("operation", facts.operation.unwrap_or(request.operation).name());
        if let Some(mount) = &facts.mount {
            out.text("mount_point", &mount.path);
            out.text("mount_type", &mount.kind);
            out.text("mount_accessor", &mount.accessor);
            out.text("mount_class", if mount.class == engine::Class::Auth { "auth" } else { "secret" });
        }
        match (caller, &request.token) {
            (Some(caller), _) => {
                if !caller.token.is_empty() {
                    out.member("client_token").extend_from_slice(&caller.token);
                }
                out.member("client_token_accessor").extend_from_slice(&caller.accessor);
            }
            (None, Some(token)) => self.hash(out.member("client_token"), token.expose()),
            (None, None) => {}
        }
        out.object("namespace", |it| {
            let namespace = facts.namespace.as_ref();
            it.text("id", namespace.map_or("root", |namespace| &namespace.id));
            if let Some(namespace) = namespace.filter(|namespace| !namespace.path.is_empty()) {
                it.text("path", &namespace.path);
            }
        });
        out.text("path", &facts.path);
        if !request.input.fields.is_empty() {
            let plain = facts.mount.as_ref().map(|mount| mount.config.audit_non_hmac_request_keys.as_slice());
            self.map(out.member("data"), &request.input.fields, plain.unwrap_or_default());
        }
        if let Some(address) = request.peer.address {
            out.value("remote_address", &address.ip());
            out.number("remote_port", address.port());
        }
        if let Some(ttl) = request.wrap_ttl {
            out.number("wrap_ttl", ttl);
        }
        let headers = device.headers(&request.headers);
        if !headers.is_empty() {
            out.value("headers", &headers);
        }
    }

    fn response(&self, out: &mut Object<'_>, answer: &Answer) {
        if let Some(auth) = &answer.auth {
            out.object("auth", |it| self.new_token(it, auth));
        }
        if let Some(lease) = answer.lease.as_ref().filter(|lease| !lease.id.is_empty()) {
            out.object("secret", |it| it.text("lease_id", &lease.id));
        }
        match &answer.reply.body {
            Body::Data(Value::Object(data)) | Body::Legacy(Value::Object(data)) => {
                let plain = self.facts.mount.as_ref().map(|mount| mount.config.audit_non_hmac_response_keys.as_slice());
                self.map(out.member("data"), data, plain.unwrap_or_default());
            }
            Body::Data(other) | Body::Legacy(other) => self.data(out.member("data"), other),
            // A body that is no envelope is logged by its length and hash alone (S39).
            Body::Raw(raw) => out.object("data", |it| {
                let body = String::from_utf8_lossy(&raw.bytes);
                self.device.hash_onto(it.member("http_raw_body"), &body);
                it.value("length", &raw.bytes.len());
            }),
            Body::Empty => {}
        }
        if !answer.reply.warnings.is_empty() {
            out.texts("warnings", &answer.reply.warnings);
        }
        if let Some(wrap) = &answer.wrap_info {
            out.object("wrap_info", |it| {
                self.accessor(it.member("accessor"), &wrap.accessor);
                it.text("creation_path", &wrap.creation_path);
                it.text("creation_time", &wrap.creation_time);
                self.hash(it.member("token"), &wrap.token);
                it.number("ttl", wrap.ttl);
                self.accessor(it.member("wrapped_accessor"), &wrap.wrapped_accessor);
            });
        }
    }

    fn new_token(&self, out: &mut Object<'_>, auth: &Auth) {
        self.accessor(out.member("accessor"), &auth.accessor);
        self.hash(out.member("client_token"), &auth.client_token);
        out.text("entity_id", &auth.entity_id);
        out.value("metadata", &auth.metadata);
        out.texts("policies", &auth.policies);
        out.texts("token_policies", &auth.token_policies);
        out.number("token_ttl", auth.lease_duration);
        out.text("token_type", &auth.token_type);
    }

    fn map(&self, out: &mut Vec<u8>, members: &Map<String, Value>, plain: &[String]) {
        let mut map = Object::begin(out);
        for (name, value) in members {
            let out = map.foreign_member(name);
            if plain.contains(name) { json::value(out, value) } else { self.data(out, value) }
        }
        map.end();
    }

    /// A hashed value, looked up where it is one of the caller's own.
    fn leaf(&self, out: &mut Vec<u8>, value: &str) {
        if let Some(caller) = &self.caller {
            if let Some(hash) = caller.known(value) {
                return out.extend_from_slice(hash);
            }
            if !caller.token.is_empty() && self.request.token.as_ref().is_some_and(|own| own.expose() == value) {
                return out.extend_from_slice(&caller.token);
            }
        }
        self.device.hash_onto(out, value);
    }

    /// A value as the client sends or gets it, hashed leaf by leaf.
    fn data(&self, out: &mut Vec<u8>, value: &Value) {
        if self.device.options.log_raw {
            return json::value(out, value);
        }
        match value {
            Value::Null => out.extend_from_slice(b"null"),
            Value::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Value::String(text) => self.leaf(out, text),
            // Upstream shows numbers; a PIN is a number.
            Value::Number(number) => self.leaf(out, number.as_str()),
            Value::Array(items) => {
                out.push(b'[');
                for (at, item) in items.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    self.data(out, item);
                }
                out.push(b']');
            }
            Value::Object(members) => self.map(out, members, &[]),
        }
    }
}
