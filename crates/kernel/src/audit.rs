//! Audit devices as they are kept; the shell opens them and writes to them.

use crate::keys;
use engine::{Page, Record, StoreError, Tx};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// A device.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditDevice {
    /// Name with a trailing slash.
    pub path: String,
    /// `file`, `syslog`, `socket` or `http`.
    pub kind: String,
    /// For people.
    pub description: String,
    /// Upstream's option names.
    pub options: BTreeMap<String, String>,
    /// Accepted and shown.
    pub local: bool,
    /// Names its hashing key: a device that is enabled anew hashes anew.
    pub uuid: String,
}

impl Record for AuditDevice {
    const KIND: &'static str = "audit-device/1";
}

/// Request headers that entries show: by lower-case name, whether by hash.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHeaders(pub BTreeMap<String, bool>);

impl Record for AuditHeaders {
    const KIND: &'static str = "audit-headers/1";
}

/// Where the headers are kept: in the devices' area, so that one revision tells of both.
pub const HEADERS: &str = "root/audit/request-headers";

/// Where a device is kept.
pub fn key(path: &str) -> String {
    format!("{}device/{path}", keys::AUDIT)
}

/// All devices, in order of path.
pub fn devices(tx: &mut Tx) -> Result<Vec<AuditDevice>, StoreError> {
    let paths = tx.scan(&key(""), &Page::all())?;
    let mut devices = Vec::with_capacity(paths.len());
    for path in paths {
        devices.extend(tx.load::<AuditDevice>(&key(&path))?);
    }
    Ok(devices)
}

/// The headers.
pub fn headers(tx: &mut Tx) -> Result<AuditHeaders, StoreError> {
    Ok(tx.load(HEADERS)?.unwrap_or_default())
}
