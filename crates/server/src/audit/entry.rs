//! Entries in upstream's shape. Every value is hashed with the device's key unless it is known to be public (security
//! decision D12): what a client sends or gets never stands here in clear.

use super::Device;
use engine::crypto::MacKey;
use engine::{Body, Fault, Request, Timestamp, TokenKind};
use kernel::pipeline::{Answer, Facts};
use serde::ser::{Serialize, SerializeMap, SerializeSeq, Serializer};
use serde_json::{Map, Value, json};
use std::fmt::Write as _;

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

/// The objects of an entry, one a line.
pub(super) fn lines(device: &Device, request: &Request, facts: &Facts, phase: &Phase<'_>) -> Vec<Vec<u8>> {
    let encoder = Encoder { device, request, facts, now: device.now() };
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
    let mut text = String::with_capacity(76);
    text.push_str("hmac-sha256:");
    for byte in key.mac(&[value.as_bytes()]) {
        // Writing to a string does not fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

struct Encoder<'a> {
    device: &'a Device,
    request: &'a Request,
    facts: &'a Facts,
    now: Timestamp,
}

impl Encoder<'_> {
    fn entry(&self, kind: &str, answer: Option<&Answer>, fault: Option<&Fault>) -> Vec<u8> {
        let mut out = Vec::with_capacity(1024);
        let mut serializer = serde_json::Serializer::new(&mut out);
        // Writing to memory does not fail, and every value here has string keys.
        let _ = self.write(&mut serializer, kind, answer, fault);
        out
    }

    fn write<S: Serializer>(
        &self,
        to: S,
        kind: &str,
        answer: Option<&Answer>,
        fault: Option<&Fault>,
    ) -> Result<(), S::Error> {
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("time", &self.now.to_rfc3339())?;
        map.serialize_entry("type", kind)?;
        if let Some(auth) = self.auth() {
            map.serialize_entry("auth", &auth)?;
        }
        map.serialize_entry("request", &RequestPart(self))?;
        if let Some(answer) = answer {
            map.serialize_entry("response", &ResponsePart(self, answer))?;
        }
        if let Some(fault) = fault {
            map.serialize_entry("error", &self.error(fault))?;
        }
        map.end()?;
        Ok(())
    }

    /// Texts of faults are ours and hold no secret; those that echo a path or a name of the request are hashed.
    fn error(&self, fault: &Fault) -> String {
        match fault {
            Fault::Denied
            | Fault::Forbidden
            | Fault::UnsupportedPath
            | Fault::UnsupportedOperation
            | Fault::Missing => fault.to_string(),
            other => self.hash(&other.to_string()),
        }
    }

    fn hash(&self, value: &str) -> String {
        if self.device.options.log_raw { value.to_owned() } else { hashed(&self.device.key, value) }
    }

    fn accessor(&self, value: &str) -> String {
        if value.is_empty() || !self.device.options.hmac_accessor { value.to_owned() } else { self.hash(value) }
    }

    fn auth(&self) -> Option<Value> {
        let session = self.facts.session.as_ref()?;
        let token = &session.token;
        let mut auth = Map::new();
        if let Some(text) = &self.request.token {
            auth.insert("client_token".into(), self.hash(text.expose()).into());
        }
        auth.insert("accessor".into(), self.accessor(&token.accessor).into());
        auth.insert("display_name".into(), token.display_name.clone().into());
        auth.insert("policies".into(), session.caller.policies.clone().into());
        auth.insert("token_policies".into(), token.policies.clone().into());
        if !session.identity_policies.is_empty() {
            let names: Vec<&String> = session.identity_policies.iter().map(|(_, name)| name).collect();
            auth.insert("identity_policies".into(), json!(names));
        }
        if !token.metadata.is_empty() {
            auth.insert("metadata".into(), json!(token.metadata));
        }
        if !token.entity_id.is_empty() {
            auth.insert("entity_id".into(), token.entity_id.clone().into());
        }
        let kind = if token.kind == TokenKind::Batch { "batch" } else { "service" };
        auth.insert("token_type".into(), kind.into());
        auth.insert("token_ttl".into(), token.ttl.into());
        auth.insert("token_issue_time".into(), token.issued.to_rfc3339().into());
        Some(Value::Object(auth))
    }
}

struct RequestPart<'a>(&'a Encoder<'a>);

impl Serialize for RequestPart<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Encoder { device, request, facts, .. } = self.0;
        let mut map = to.serialize_map(None)?;
        map.serialize_entry("id", &request.id)?;
        map.serialize_entry("operation", facts.operation.unwrap_or(request.operation).name())?;
        if let Some(mount) = &facts.mount {
            map.serialize_entry("mount_point", &mount.path)?;
            map.serialize_entry("mount_type", &mount.kind)?;
            map.serialize_entry("mount_accessor", &mount.accessor)?;
            map.serialize_entry("mount_class", if mount.class == engine::Class::Auth { "auth" } else { "secret" })?;
        }
        if let Some(token) = &request.token {
            map.serialize_entry("client_token", &self.0.hash(token.expose()))?;
        }
        if let Some(session) = &facts.session {
            map.serialize_entry("client_token_accessor", &self.0.accessor(&session.token.accessor))?;
        }
        let (id, path) = facts.namespace.as_ref().map_or(("root", ""), |namespace| (&namespace.id, &namespace.path));
        let namespace = if path.is_empty() { json!({ "id": id }) } else { json!({ "id": id, "path": path }) };
        map.serialize_entry("namespace", &namespace)?;
        map.serialize_entry("path", &facts.path)?;
        if !request.input.fields.is_empty() {
            let plain = facts.mount.as_ref().map(|mount| mount.config.audit_non_hmac_request_keys.as_slice());
            map.serialize_entry("data", &HashedMap(device, &request.input.fields, plain.unwrap_or_default()))?;
        }
        if let Some(address) = request.peer.address {
            map.serialize_entry("remote_address", &address.ip().to_string())?;
            map.serialize_entry("remote_port", &address.port())?;
        }
        if let Some(ttl) = request.wrap_ttl {
            map.serialize_entry("wrap_ttl", &ttl)?;
        }
        let headers = device.headers(&request.headers);
        if !headers.is_empty() {
            map.serialize_entry("headers", &headers)?;
        }
        map.end()
    }
}

struct ResponsePart<'a>(&'a Encoder<'a>, &'a Answer);

impl Serialize for ResponsePart<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(encoder, answer) = self;
        let mut map = to.serialize_map(None)?;
        if let Some(auth) = &answer.auth {
            map.serialize_entry(
                "auth",
                &json!({
                    "client_token": encoder.hash(&auth.client_token),
                    "accessor": encoder.accessor(&auth.accessor),
                    "policies": auth.policies,
                    "token_policies": auth.token_policies,
                    "entity_id": auth.entity_id,
                    "token_type": auth.token_type,
                    "token_ttl": auth.lease_duration,
                    "metadata": auth.metadata,
                }),
            )?;
        }
        if let Some(lease) = answer.lease.as_ref().filter(|lease| !lease.id.is_empty()) {
            map.serialize_entry("secret", &json!({ "lease_id": lease.id }))?;
        }
        match &answer.reply.body {
            Body::Data(Value::Object(data)) | Body::Legacy(Value::Object(data)) => {
                let plain =
                    encoder.facts.mount.as_ref().map(|mount| mount.config.audit_non_hmac_response_keys.as_slice());
                map.serialize_entry("data", &HashedMap(encoder.device, data, plain.unwrap_or_default()))?;
            }
            Body::Data(other) | Body::Legacy(other) => map.serialize_entry("data", &Hashed(encoder.device, other))?,
            // A body that is no envelope is logged by its length and hash alone (S39).
            Body::Raw(raw) => {
                let digest = hashed(&encoder.device.key, &String::from_utf8_lossy(&raw.bytes));
                map.serialize_entry("data", &json!({ "http_raw_body": digest, "length": raw.bytes.len() }))?;
            }
            Body::Empty => {}
        }
        if !answer.reply.warnings.is_empty() {
            map.serialize_entry("warnings", &answer.reply.warnings)?;
        }
        if let Some(wrap) = &answer.wrap_info {
            map.serialize_entry(
                "wrap_info",
                &json!({
                    "ttl": wrap.ttl,
                    "token": encoder.hash(&wrap.token),
                    "accessor": encoder.accessor(&wrap.accessor),
                    "creation_time": wrap.creation_time,
                    "creation_path": wrap.creation_path,
                    "wrapped_accessor": encoder.accessor(&wrap.wrapped_accessor),
                }),
            )?;
        }
        map.end()
    }
}

struct HashedMap<'a>(&'a Device, &'a Map<String, Value>, &'a [String]);

impl Serialize for HashedMap<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let mut map = to.serialize_map(Some(self.1.len()))?;
        for (key, value) in self.1 {
            if self.2.contains(key) {
                map.serialize_entry(key, value)?;
            } else {
                map.serialize_entry(key, &Hashed(self.0, value))?;
            }
        }
        map.end()
    }
}

struct Hashed<'a>(&'a Device, &'a Value);

impl Serialize for Hashed<'_> {
    fn serialize<S: Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        let Self(device, value) = self;
        if device.options.log_raw {
            return value.serialize(to);
        }
        match value {
            Value::Null => to.serialize_unit(),
            Value::Bool(value) => to.serialize_bool(*value),
            Value::String(text) => to.serialize_str(&hashed(&device.key, text)),
            // Upstream shows numbers; a PIN is a number.
            Value::Number(number) => to.serialize_str(&hashed(&device.key, &number.to_string())),
            Value::Array(items) => {
                let mut list = to.serialize_seq(Some(items.len()))?;
                for item in items {
                    list.serialize_element(&Hashed(device, item))?;
                }
                list.end()
            }
            Value::Object(members) => HashedMap(device, members, &[]).serialize(to),
        }
    }
}
