//! What anybody may read: certificates of authorities, chains, lists, and certificates by serial number.

use super::answers::{serial_text};
use super::crl;
use super::issuer::Issuer;
use super::revoke::Revoked;
use super::wire::{IssuerPath, ListRequest, SerialPath};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::crypto::x509::{Certificate, KeyKind};
use engine::{Body, Cx, Fault, Raw, Record, Reply, Route, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Where the certificates are.
pub(super) const CERTIFICATES: &str = "certs/";
const CERTIFICATE_TYPE: &str = "application/pkix-cert";
const CHAIN_TYPE: &str = "application/pem-certificate-chain";
const LIST_TYPE: &str = "application/pkix-crl";
const PEM_TYPE: &str = "application/x-pem-file";
const NO_DEFAULT: &str = "no default issuer currently configured";

pub(super) fn routes() -> Vec<Route<Cx>> {
    let open = |path, summary| Route::at(path, summary).unauthenticated();
    let list = "A revocation list.";
    let mut routes = vec![
        open("ca", "The default issuer's certificate.").read(|cx: &mut Cx, (): ()| authority(cx, false)),
        open("ca/pem", "The default issuer's certificate.").read(|cx: &mut Cx, (): ()| authority(cx, true)),
        open("ca_chain", "The default issuer's chain.").read(chain),
        open("cert/ca_chain", "The default issuer's chain.").read(chain_shown),
        open("cert/ca", "The default issuer's certificate.").read(authority_shown),
        open("cert/crl", list).read(|cx: &mut Cx, (): ()| list_shown(cx, crl::COMPLETE)),
        open("cert/delta-crl", list).read(|cx: &mut Cx, (): ()| list_shown(cx, crl::DELTA)),
        open("cert/{serial}", "A certificate.").read(certificate_shown),
        open("cert/{serial}/raw", "A certificate.").read(|cx: &mut Cx, path: SerialPath| raw(cx, &path, false)),
        open("cert/{serial}/raw/pem", "A certificate.").read(|cx: &mut Cx, path: SerialPath| raw(cx, &path, true)),
        Route::at("certs", "List the certificates.").list(list_certificates),
        Route::at("certs/detailed", "List the certificates with what they say.").list(list_detailed),
        Route::at("crl/rotate", "Build the revocation lists anew.").read(rotate),
        Route::at("crl/rotate-delta", "Build the delta revocation lists anew.").read(rotate_delta),
    ];
    for (path, kind, pem) in [
        ("crl", crl::COMPLETE, false),
        ("crl/pem", crl::COMPLETE, true),
        ("crl/delta", crl::DELTA, false),
        ("crl/delta/pem", crl::DELTA, true),
    ] {
        routes.push(open(path, list).read(move |cx: &mut Cx, (): ()| default_list(cx, kind, pem)));
    }
    routes.extend(of_issuers());
    routes
}

fn of_issuers() -> Vec<Route<Cx>> {
    let open = |path, summary| Route::at(path, summary).unauthenticated();
    let certificate = "An issuer's certificate.";
    let mut routes = vec![
        open("issuer/{issuer_ref}/json", certificate).read(issuer_json),
        open("issuer/{issuer_ref}/pem", certificate).read(|cx: &mut Cx, path: IssuerPath| {
            let issuer = Issuer::find(cx, &path.issuer_ref)?;
            Ok(bytes(CHAIN_TYPE, issuer.certificate.into_bytes()))
        }),
        open("issuer/{issuer_ref}/der", certificate).read(|cx: &mut Cx, path: IssuerPath| {
            let certificate = Issuer::find(cx, &path.issuer_ref)?.parsed()?;
            Ok(bytes(CERTIFICATE_TYPE, certificate.as_der().to_vec()))
        }),
    ];
    for (path, kind, form) in [
        ("issuer/{issuer_ref}/crl", crl::COMPLETE, Form::Json),
        ("issuer/{issuer_ref}/crl/pem", crl::COMPLETE, Form::Pem),
        ("issuer/{issuer_ref}/crl/der", crl::COMPLETE, Form::Der),
        ("issuer/{issuer_ref}/crl/delta", crl::DELTA, Form::Json),
        ("issuer/{issuer_ref}/crl/delta/pem", crl::DELTA, Form::Pem),
        ("issuer/{issuer_ref}/crl/delta/der", crl::DELTA, Form::Der),
    ] {
        let read = move |cx: &mut Cx, path: IssuerPath| issuer_list(cx, &path, kind, form);
        routes.push(open(path, "An issuer's revocation list.").read(read));
    }
    routes
}

#[derive(Clone, Copy)]
enum Form {
    Json,
    Pem,
    Der,
}

/// A certificate as it is stored, at `certs/<serial>`.
#[derive(Serialize, Deserialize)]
struct Stored {
    der: String,
}

impl Record for Stored {
    const KIND: &'static str = "pki-certificate/1";
}

/// Stores a certificate under its serial number.
pub(super) fn store(cx: &mut Cx, certificate: &Certificate) -> Result<(), Fault> {
    let stored = Stored { der: STANDARD.encode(certificate.as_der()) };
    Ok(cx.tx.save(&format!("{CERTIFICATES}{}", serial_text(certificate.serial())), &stored)?)
}

/// The certificate of a serial number as it is stored.
pub(super) fn load(cx: &mut Cx, serial: &str) -> Result<Option<Certificate>, Fault> {
    let Some(stored) = cx.tx.load::<Stored>(&format!("{CERTIFICATES}{serial}"))? else { return Ok(None) };
    let unreadable = || Fault::internal("a stored certificate does not read");
    let der = STANDARD.decode(stored.der).map_err(|_| unreadable())?;
    Certificate::from_der(&der).map(Some).map_err(|_| unreadable())
}

/// A serial number as it is stored, from how clients write it: pairs of hexadecimal digits with `:` or `-` between.
pub(super) fn stored_serial(text: &str) -> Option<String> {
    serial_bytes(&text.replace('-', ":")).map(|bytes| serial_text(&bytes))
}

/// The bytes of a serial number as it is stored.
pub(super) fn serial_bytes(text: &str) -> Option<Vec<u8>> {
    let digits = |pair: &str| pair.len() == 2 && pair.bytes().all(|byte| byte.is_ascii_hexdigit());
    text.split(':').map(|pair| digits(pair).then(|| u8::from_str_radix(pair, 16).ok()).flatten()).collect()
}

fn bytes(content_type: &'static str, bytes: Vec<u8>) -> Reply {
    // Where there is nothing, upstream answers with that: no content.
    let status = bytes.is_empty().then_some(204);
    Reply { body: Body::Raw(Raw { content_type, bytes }), status, ..Reply::default() }
}

fn authority(cx: &mut Cx, pem: bool) -> Result<Reply, Fault> {
    let content_type = if pem { CHAIN_TYPE } else { CERTIFICATE_TYPE };
    let Some(issuer) = Issuer::default(cx)? else { return Ok(bytes(content_type, Vec::new())) };
    let content =
        if pem { issuer.certificate.trim_end().as_bytes().to_vec() } else { issuer.parsed()?.as_der().to_vec() };
    Ok(bytes(content_type, content))
}

fn chain(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let chain = Issuer::default(cx)?.map(|issuer| issuer.chain.concat()).unwrap_or_default();
    Ok(bytes(CERTIFICATE_TYPE, chain.trim_end().as_bytes().to_vec()))
}

fn chain_shown(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let issuer = Issuer::default(cx)?.ok_or_else(|| Fault::invalid(NO_DEFAULT))?;
    let chain = issuer.chain.concat();
    let mut data = unrevoked(chain.trim_end());
    data.insert("ca_chain".to_owned(), chain.trim_end().into());
    Ok(Reply::data(data))
}

fn authority_shown(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let issuer = Issuer::default(cx)?.ok_or_else(|| Fault::invalid(NO_DEFAULT))?;
    Ok(Reply::data(unrevoked(issuer.certificate.trim_end())))
}

fn list_shown(cx: &mut Cx, kind: &str) -> Result<Reply, Fault> {
    let Some(issuer) = Issuer::default(cx)? else { return Err(Fault::Status(500, vec![NO_DEFAULT.to_owned()])) };
    let Some(der) = crl::load(cx, kind, &issuer.id)? else { return Ok(Reply::empty()) };
    Ok(Reply::data(unrevoked(crl::pem(&der).trim_end())))
}

fn default_list(cx: &mut Cx, kind: &str, pem: bool) -> Result<Reply, Fault> {
    let content_type = if pem { PEM_TYPE } else { LIST_TYPE };
    let der = match Issuer::default(cx)? {
        Some(issuer) => crl::load(cx, kind, &issuer.id)?.unwrap_or_default(),
        None => Vec::new(),
    };
    if pem && !der.is_empty() {
        return Ok(bytes(content_type, crl::pem(&der).trim_end().as_bytes().to_vec()));
    }
    Ok(bytes(content_type, der))
}

fn issuer_json(cx: &mut Cx, path: IssuerPath) -> Result<Reply, Fault> {
    let issuer = Issuer::find(cx, &path.issuer_ref)?;
    Ok(Reply::data(json!({
        "ca_chain": issuer.chain,
        "certificate": issuer.certificate,
        "issuer_id": issuer.id,
        "issuer_name": issuer.name,
    })))
}

fn issuer_list(cx: &mut Cx, path: &IssuerPath, kind: &str, form: Form) -> Result<Reply, Fault> {
    let issuer = Issuer::find(cx, &path.issuer_ref)?;
    let der = crl::load(cx, kind, &issuer.id)?.unwrap_or_default();
    match form {
        Form::Der => Ok(bytes(LIST_TYPE, der)),
        Form::Pem if der.is_empty() => Ok(bytes(PEM_TYPE, der)),
        Form::Pem => Ok(bytes(PEM_TYPE, crl::pem(&der).trim_end().as_bytes().to_vec())),
        Form::Json if der.is_empty() => Err(Fault::upstream_error("the issuer has no revocation list")),
        Form::Json => Ok(Reply::data(json!({ "crl": crl::pem(&der).trim_end() }))),
    }
}

fn unrevoked(certificate: &str) -> Map<String, Value> {
    let mut data = Map::new();
    data.insert("certificate".to_owned(), certificate.into());
    data.insert("revocation_time".to_owned(), 0.into());
    data.insert("revocation_time_rfc3339".to_owned(), "".into());
    data
}

fn certificate_shown(cx: &mut Cx, path: SerialPath) -> Result<Reply, Fault> {
    if path.serial.is_empty() {
        return Err(Fault::UnsupportedPath);
    }
    let Some(serial) = stored_serial(&path.serial) else { return Ok(Reply::empty()) };
    let Some(certificate) = load(cx, &serial)? else { return Ok(Reply::empty()) };
    let mut data = unrevoked(certificate.to_pem().trim_end());
    if let Some(revoked) = Revoked::load(cx, &serial)? {
        data.insert("revocation_time".to_owned(), revoked.at.seconds().into());
        data.insert("revocation_time_rfc3339".to_owned(), revoked.at.to_rfc3339().into());
        data.insert("issuer_id".to_owned(), revoked.issuer_id.into());
    }
    Ok(Reply::data(data))
}

fn raw(cx: &mut Cx, path: &SerialPath, pem: bool) -> Result<Reply, Fault> {
    let content_type = if pem { CHAIN_TYPE } else { CERTIFICATE_TYPE };
    let certificate = match path.serial.as_str() {
        "ca" => Issuer::default(cx)?.map(|issuer| issuer.parsed()).transpose()?,
        "crl" => return default_list(cx, crl::COMPLETE, pem),
        "delta-crl" => return default_list(cx, crl::DELTA, pem),
        serial => match stored_serial(serial) {
            Some(serial) => load(cx, &serial)?,
            None => None,
        },
    };
    let Some(certificate) = certificate else { return Ok(bytes(content_type, Vec::new())) };
    let content = if pem { certificate.to_pem().trim_end().as_bytes().to_vec() } else { certificate.as_der().to_vec() };
    Ok(bytes(content_type, content))
}

fn list_certificates(cx: &mut Cx, _request: ListRequest) -> Result<Reply, Fault> {
    Ok(Reply::keys(cx.tx.list(CERTIFICATES, &cx.page)?))
}

fn list_detailed(cx: &mut Cx, _request: ListRequest) -> Result<Reply, Fault> {
    let serials = cx.tx.list(CERTIFICATES, &cx.page)?;
    let mut info = Map::new();
    for serial in &serials {
        let Some(certificate) = load(cx, serial)? else { continue };
        info.insert(serial.clone(), detailed(&certificate));
    }
    Ok(Reply::keys_with_info(serials, info))
}

fn detailed(certificate: &Certificate) -> Value {
    let names = certificate.extensions().names().map(|names| names.dns).unwrap_or_default();
    let names = if names.is_empty() { Value::Null } else { json!(names) };
    let kind = certificate.public_key().kind();
    let bits = if kind == KeyKind::Ed25519 { 256 } else { kind.bits() };
    json!({
        "common_name": certificate.subject().subject().common_name,
        "dns_names": names,
        "issuer": certificate.issuer().to_string(),
        "key_bits": bits,
        "key_type": kind.name(),
        "not_after": Timestamp::from_seconds(certificate.not_after()).to_rfc3339(),
        "not_before": Timestamp::from_seconds(certificate.not_before()).to_rfc3339(),
    })
}

fn rotate(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    crl::rebuild(cx)?;
    Ok(Reply::data(json!({ "success": true })))
}

fn rotate_delta(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let reply = Reply::data(json!({ "success": true }));
    if !super::config::CrlConfig::load(cx)?.enable_delta {
        return Ok(reply.warn("requested rebuild of delta CRL when delta CRL is not enabled; this is a no-op"));
    }
    crl::rebuild_delta(cx)?;
    Ok(reply)
}
