//! The OCSP responder (RFC 6960): asked in the path, signed with the issuer's own key.

use super::config::{CrlConfig, duration};
use super::fetch;
use super::issuer::{Issuer, OCSP_SIGNING};
use super::revoke::Revoked;
use super::wire::OcspPath;
use super::answers::serial_text;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD, URL_SAFE, URL_SAFE_NO_PAD};
use engine::crypto::x509::{
    CertificateStatus, OcspFailure, OcspRequest, SingleStatus, ocsp_failure, ocsp_response,
};
use engine::{Body, Cx, Fault, Raw, Reply, Route};

/// Longest request in a path, in characters.
const REQUEST_CHARACTERS_MAX: usize = 2048;

pub(super) fn routes() -> Vec<Route<Cx>> {
    vec![Route::at("ocsp/{req:path}", "The status of a certificate.").unauthenticated().read(read)]
}

fn read(cx: &mut Cx, path: OcspPath) -> Result<Reply, Fault> {
    let Some(request) = decoded(&path.req) else { return Ok(failed(400, OcspFailure::Malformed)) };
    answer(cx, &request)
}

/// base64 in a path: percent signs are undone already; some clients use the other alphabet, or leave the padding out.
fn decoded(text: &str) -> Option<OcspRequest> {
    if text.len() > REQUEST_CHARACTERS_MAX {
        return None;
    }
    let ways = [&STANDARD, &STANDARD_NO_PAD, &URL_SAFE, &URL_SAFE_NO_PAD];
    let bytes = ways.iter().find_map(|way| way.decode(text).ok())?;
    OcspRequest::from_der(&bytes).ok()
}

fn answer(cx: &mut Cx, request: &OcspRequest) -> Result<Reply, Fault> {
    let config = CrlConfig::load(cx)?;
    let unauthorized = || failed(401, OcspFailure::Unauthorized);
    if config.ocsp_disable {
        return Ok(unauthorized());
    }
    let mut found = None;
    for issuer in Issuer::all(cx)? {
        if issuer.usage.contains(OCSP_SIGNING) && !issuer.key_id.is_empty() {
            let certificate = issuer.parsed()?;
            if request.is_about(&certificate) {
                found = Some((issuer, certificate));
                break;
            }
        }
    }
    let Some((issuer, authority)) = found else { return Ok(unauthorized()) };
    let Some(key) = issuer.private(cx)? else { return Ok(unauthorized()) };
    let serial = serial_text(&request.serial());
    // A serial number is one of an authority: what another one issued under it is unknown to this one.
    let ours = fetch::load(cx, &serial)?.is_some_and(|certificate| certificate.is_issued_by(&authority));
    let status = match Revoked::load(cx, &serial)? {
        _ if !ours => CertificateStatus::Unknown,
        Some(revoked) => CertificateStatus::Revoked(revoked.at.seconds()),
        None => CertificateStatus::Good,
    };
    let this_update = cx.now.seconds();
    let lasts = duration(&config.ocsp_expiry);
    let next_update = (lasts > 0).then(|| this_update.saturating_add(lasts));
    let single = SingleStatus { status, this_update, next_update };
    match ocsp_response(request, single, &authority, &key) {
        Ok(bytes) => Ok(reply(200, bytes)),
        Err(_) => Ok(failed(500, OcspFailure::Internal)),
    }
}

fn failed(status: u16, failure: OcspFailure) -> Reply {
    reply(status, ocsp_failure(failure))
}

fn reply(status: u16, bytes: Vec<u8>) -> Reply {
    let body = Body::Raw(Raw { content_type: "application/ocsp-response", bytes });
    Reply { body, status: Some(status), ..Reply::default() }
}
