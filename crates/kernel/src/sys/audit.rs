//! `sys/audit`, `sys/audit-hash` and the request headers that audit entries show. The shell opens and closes the devices
//! once the transaction that changed them has committed.

use super::mounts::folder;
use crate::audit::{self, AuditDevice, AuditHeaders};
use crate::{Kx, authorize};
use engine::{Fault, Flags, Pairs, Reply, Route};
use serde_json::{Map, Value, json};

/// Devices that may be enabled at once: every request is written to each of them.
const DEVICES_MAX: usize = 16;
/// Request headers that entries may show.
const HEADERS_MAX: usize = 64;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    vec![
        Route::at("audit", "List audit devices.").read(list).sudo().root_namespace_only(),
        Route::at("audit/{path:path}", "Enable and disable an audit device.")
            .write(enable)
            .delete(disable)
            .sudo()
            .root_namespace_only(),
        Route::at("audit-hash/{path:path}", "Hash a value as an audit device does.").write(hash).root_namespace_only(),
        Route::at("config/auditing/request-headers", "Request headers that audit entries show.")
            .read(list_headers)
            .sudo()
            .root_namespace_only(),
        Route::at("config/auditing/request-headers/{header}", "Show a request header in audit entries.")
            .read(read_header)
            .write(write_header)
            .delete(delete_header)
            .sudo()
            .root_namespace_only(),
    ]
}

engine::request! {
    /// Names a device.
    pub struct DevicePath {
        /// Path.
        path: String,
    }
}

engine::request! {
    /// Enables a device.
    pub struct Enable {
        /// Path.
        path: String,
        /// `file`, `syslog`, `socket` or `http`.
        r#type: String,
        /// For people.
        description: String,
        /// Options of the type.
        options: Pairs,
        /// Accepted and shown.
        local: bool,
    }
}

engine::request! {
    /// Hashes a value.
    pub struct Hash {
        /// Path of the device.
        path: String,
        /// The value.
        input: String,
    }
}

engine::request! {
    /// Names a request header.
    pub struct Header {
        /// Name, in any case.
        header: String,
        /// Whether entries show a keyed hash of its value.
        hmac: bool,
    }
}

fn list(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let mut devices = kx.node.declared_audit_devices();
    devices.extend(audit::devices(&mut kx.tx)?);
    let data: Map<String, Value> = devices.iter().map(|device| (device.path.clone(), device_json(device))).collect();
    Ok(Reply::legacy(data))
}

fn device_json(device: &AuditDevice) -> Value {
    json!({
        "path": device.path,
        "type": device.kind,
        "description": device.description,
        "options": device.options,
        "local": device.local,
    })
}

fn enable(kx: &mut Kx, request: Enable) -> Result<Reply, Fault> {
    if !kx.kernel.settings.allow_api_audit_creation {
        let refused =
            "cannot enable audit device via API; use declarative, config-based audit device management instead";
        return Err(Fault::invalid(refused));
    }
    let path = folder(&request.path);
    let devices = audit::devices(&mut kx.tx)?;
    let overlaps = |known: &str| known.starts_with(&path) || path.starts_with(known);
    let taken = devices.iter().chain(&kx.node.declared_audit_devices()).any(|device| overlaps(&device.path));
    if taken {
        return Err(Fault::invalid("path already in use"));
    }
    if devices.len() >= DEVICES_MAX {
        return Err(Fault::invalid("too many audit devices"));
    }
    kx.node.check_audit_device(&request.r#type, &request.options.0)?;
    let device = AuditDevice {
        path,
        kind: request.r#type,
        description: request.description,
        options: request.options.0,
        local: request.local,
        uuid: kx.cx.randomness.uuid(),
    };
    kx.tx.save(&audit::key(&device.path), &device)?;
    Ok(Reply::empty())
}

fn disable(kx: &mut Kx, request: DevicePath) -> Result<Reply, Fault> {
    let path = folder(&request.path);
    if kx.node.declared_audit_devices().iter().any(|device| device.path == path) {
        return Err(Fault::invalid("cannot disable audit device via API; it is declared in the configuration"));
    }
    kx.tx.delete(&audit::key(&path));
    Ok(Reply::empty())
}

fn hash(kx: &mut Kx, request: Hash) -> Result<Reply, Fault> {
    if request.input.is_empty() {
        return Err(Fault::invalid("the \"input\" parameter is empty"));
    }
    let path = folder(&request.path);
    match kx.node.audit_hash(&path, &request.input) {
        Some(hash) => Ok(Reply::legacy(json!({ "hash": hash }))),
        None => Err(Fault::invalid(format!("unknown audit backend {path:?}"))),
    }
}

fn list_headers(kx: &mut Kx, (): ()) -> Result<Reply, Fault> {
    let AuditHeaders(headers) = audit::headers(&mut kx.tx)?;
    let shown: Map<String, Value> = headers.into_iter().map(|(name, hmac)| (name, json!({ "hmac": hmac }))).collect();
    Ok(Reply::legacy(json!({ "headers": shown })))
}

/// Headers have no letter case, but rules about them do.
fn header(kx: &Kx, spelled: &str) -> Result<String, Fault> {
    let name = spelled.to_ascii_lowercase();
    authorize::check_spelling(kx, spelled, &name, Flags { sudo: true, ..Flags::default() })?;
    Ok(name)
}

fn read_header(kx: &mut Kx, request: Header) -> Result<Reply, Fault> {
    let name = header(kx, &request.header)?;
    let AuditHeaders(headers) = audit::headers(&mut kx.tx)?;
    match headers.get(&name) {
        // The member is named as the caller spelt the header.
        Some(hmac) => Ok(Reply::legacy(json!({ request.header: { "hmac": hmac } }))),
        None => Err(Fault::invalid("Could not find header in config")),
    }
}

fn write_header(kx: &mut Kx, request: Header) -> Result<Reply, Fault> {
    let name = header(kx, &request.header)?;
    let AuditHeaders(mut headers) = audit::headers(&mut kx.tx)?;
    headers.insert(name, request.hmac);
    if headers.len() > HEADERS_MAX {
        return Err(Fault::invalid("too many audited request headers"));
    }
    kx.tx.save(audit::HEADERS, &AuditHeaders(headers))?;
    Ok(Reply::empty())
}

fn delete_header(kx: &mut Kx, request: Header) -> Result<Reply, Fault> {
    let name = header(kx, &request.header)?;
    let AuditHeaders(mut headers) = audit::headers(&mut kx.tx)?;
    if headers.remove(&name).is_some() {
        kx.tx.save(audit::HEADERS, &AuditHeaders(headers))?;
    }
    Ok(Reply::empty())
}
