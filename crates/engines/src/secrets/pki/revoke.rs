//! Revoking certificates: by serial number, by certificate, by whoever holds the key, with the lease.

use super::answers::{serial_text};
use super::config::CrlConfig;
use super::issuer::Issuer;
use super::wire::{ListRequest, RevokeRequest};
use super::{crl, fetch};
use engine::crypto::x509::{Certificate, PrivateKey};
use engine::{Cx, Fault, LeaseRecord, Record, Reply, Route, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

/// Where the revoked certificates are.
pub(super) const REVOKED: &str = "revoked/";

pub(super) fn routes() -> Vec<Route<Cx>> {
    vec![
        Route::at("revoke", "Revoke a certificate.").write(revoke),
        Route::at("revoke-with-key", "Revoke a certificate by showing its key.").write(revoke_with_key),
        Route::at("certs/revoked", "List the revoked certificates.").list(list),
    ]
}

/// A revocation, at `revoked/<serial>`.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Revoked {
    /// When it was revoked.
    pub(super) at: Timestamp,
    /// Whose list it is on.
    pub(super) issuer_id: String,
    /// When its certificate ends, seconds since 1970; until then it stays on the list.
    pub(super) not_after: i64,
}

impl Record for Revoked {
    const KIND: &'static str = "pki-revoked/1";
}

impl Revoked {
    /// A new one.
    pub(super) fn new(at: Timestamp, issuer_id: &str, certificate: &Certificate) -> Self {
        Self { at, issuer_id: issuer_id.to_owned(), not_after: certificate.not_after() }
    }

    /// The revocation of a serial number.
    pub(super) fn load(cx: &mut Cx, serial: &str) -> Result<Option<Self>, Fault> {
        Ok(cx.tx.load(&format!("{REVOKED}{serial}"))?)
    }

    /// Stores it.
    pub(super) fn save(&self, cx: &mut Cx, serial: &str) -> Result<(), Fault> {
        Ok(cx.tx.save(&format!("{REVOKED}{serial}"), self)?)
    }

    fn reply(&self) -> Reply {
        Reply::data(json!({
            "revocation_time": self.at.seconds(),
            "revocation_time_rfc3339": self.at.to_rfc3339(),
            "state": "revoked",
        }))
    }
}

fn list(cx: &mut Cx, _request: ListRequest) -> Result<Reply, Fault> {
    Ok(Reply::keys(cx.tx.list(REVOKED, &cx.page)?))
}

fn revoke(cx: &mut Cx, sent: RevokeRequest) -> Result<Reply, Fault> {
    let (serial, certificate) = wanted(cx, &sent)?;
    revoke_certificate(cx, &serial, &certificate)
}

fn revoke_with_key(cx: &mut Cx, sent: RevokeRequest) -> Result<Reply, Fault> {
    if sent.serial_number.is_empty() && sent.certificate.is_empty() {
        return Err(Fault::invalid("The serial number or certificate to revoke must be provided."));
    }
    if sent.private_key.0.as_str().len() < 64 {
        return Err(Fault::invalid(
            "Provided data for private_key was too short; perhaps a path was passed to the API rather than the contents of \
             a PEM file?",
        ));
    }
    let (serial, certificate) = wanted(cx, &sent)?;
    let key = PrivateKey::from_pem(sent.private_key.0.as_str());
    let key = key.map_err(|_| Fault::invalid("failed to parse provided private key"))?;
    let public = key.public().map_err(|_| Fault::invalid("failed to parse provided private key"))?;
    if public.bits() != certificate.public_key().bits() || public.kind() != certificate.public_key().kind() {
        return Err(Fault::invalid("unable to verify revocation permission: the key is not the certificate's"));
    }
    revoke_certificate(cx, &serial, &certificate)
}

/// The certificate that is meant, with its serial number as it is stored.
fn wanted(cx: &mut Cx, sent: &RevokeRequest) -> Result<(String, Certificate), Fault> {
    match (sent.serial_number.as_str(), sent.certificate.as_str()) {
        ("", "") => Err(Fault::invalid("The serial number or certificate to revoke must be provided.")),
        ("", pem) => {
            if pem.len() < 75 {
                return Err(Fault::upstream_error(
                    "provided certificate data was too short; perhaps a path was passed to the API rather than the contents \
                     of a PEM file",
                ));
            }
            let certificate = Certificate::from_pem(pem)
                .map_err(|error| Fault::invalid(format!("provided certificate could not be parsed: {error}")))?;
            Ok((serial_text(certificate.serial()), certificate))
        }
        (serial, "") => {
            let missing = || Fault::invalid(format!("certificate with serial {serial} not found."));
            let stored = fetch::stored_serial(serial).ok_or_else(missing)?;
            let certificate = fetch::load(cx, &stored)?.ok_or_else(missing)?;
            Ok((stored, certificate))
        }
        _ => Err(Fault::invalid("Must provide either the certificate or the serial to revoke; not both.")),
    }
}

/// Revokes one, once: what is revoked already answers as the first time.
fn revoke_certificate(cx: &mut Cx, serial: &str, certificate: &Certificate) -> Result<Reply, Fault> {
    if let Some(known) = Revoked::load(cx, serial)? {
        return Ok(known.reply());
    }
    let issuers = Issuer::all(cx)?;
    let own = certificate.to_pem();
    if let Some(issuer) = issuers.iter().find(|issuer| issuer.certificate == own) {
        let id = &issuer.id;
        return Err(Fault::invalid(format!(
            "adding issuer (id: {id}) to its own CRL is not allowed; use issuer/{id}/revoke"
        )));
    }
    let config = CrlConfig::load(cx)?;
    if certificate.not_after() < cx.now.seconds() && !config.allow_expired_cert_revocation {
        let after = Timestamp::from_seconds(certificate.not_after()).to_rfc3339();
        let text = format!("certificate with serial {serial} already expired; refusing to add to CRL (not after {after})");
        return Ok(Reply::empty().status(200).warn(text));
    }
    let mut issuer_id = None;
    for issuer in &issuers {
        if certificate.is_issued_by(&issuer.parsed()?) {
            issuer_id = Some(issuer.id.clone());
            break;
        }
    }
    let stored = fetch::load(cx, serial)?;
    if stored.as_ref().is_some_and(|stored| stored != certificate) {
        return Err(Fault::invalid("another certificate of that serial number was issued here"));
    }
    // One that was brought has to be ours by its signature; one that is stored is.
    let Some(issuer_id) = issuer_id.or_else(|| stored.as_ref().map(|_| String::new())) else {
        return Err(Fault::invalid("unable to verify signature on presented cert from any present issuer in this mount; certificate not revoked"));
    };
    if stored.is_none() {
        fetch::store(cx, certificate)?;
    }
    let revoked = Revoked::new(cx.now, &issuer_id, certificate);
    revoked.save(cx, serial)?;
    if config.auto_rebuild { crl::mark(cx)? } else { crl::rebuild(cx)? }
    Ok(revoked.reply())
}

/// Revokes the certificate of a lease. One that is gone, or has ended, needs nothing more.
pub(super) fn lease(cx: &mut Cx, lease: &LeaseRecord) -> Result<(), Fault> {
    let serial = lease.internal.get("serial_number").and_then(Value::as_str);
    let serial = serial.ok_or_else(|| Fault::internal("a lease names no certificate"))?.to_owned();
    let Some(certificate) = fetch::load(cx, &serial)? else { return Ok(()) };
    if certificate.not_after() <= cx.now.seconds() {
        return Ok(());
    }
    revoke_certificate(cx, &serial, &certificate).map(drop)
}
