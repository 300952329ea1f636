//! Issuing under a role: with a new key, or on a request.

use super::answers::{internal, unfit, warned};
use super::fetch;
use super::issuer::Signer;
use super::key::kind_of;
use super::material::{Material, without_roots};
use super::names::Wanted;
use super::profile;
use super::role::Role;
use super::validity::{self, Window};
use super::wire::{CsrField, IssuerPath, KeyKindFields, LeafFields, NameFields, RolePath};
use engine::crypto::x509::{
    Certificate, CertificateRequest, DistinguishedName, PrivateKey, PublicKey, Subject, Template,
};
use engine::{Cx, Fault, Lease, Reply, Route};
use serde_json::json;

pub(super) fn routes() -> Vec<Route<Cx>> {
    vec![
        Route::at("issue/{role}", "A certificate with a new key.")
            .write(|cx: &mut Cx, sent: Issue| issue(cx, None, sent))
            .heavy(),
        Route::at("issuer/{issuer_ref}/issue/{role}", "A certificate with a new key, of an issuer of choice.")
            .write(|cx: &mut Cx, (path, sent): (IssuerPath, Issue)| issue(cx, Some(path.issuer_ref), sent))
            .heavy(),
        Route::at("sign/{role}", "A certificate on a request.").write(|cx: &mut Cx, sent: Sign| sign(cx, None, sent)),
        Route::at("issuer/{issuer_ref}/sign/{role}", "A certificate on a request, of an issuer of choice.")
            .write(|cx: &mut Cx, (path, sent): (IssuerPath, Sign)| sign(cx, Some(path.issuer_ref), sent)),
    ]
}

type Issue = (RolePath, (NameFields, (LeafFields, KeyKindFields)));
type Sign = (RolePath, (NameFields, (LeafFields, CsrField)));

fn issue(cx: &mut Cx, issuer: Option<String>, (path, (sent, (leaf, kind))): Issue) -> Result<Reply, Fault> {
    let role = Role::find(cx, &path.role)?;
    let mut warnings = Vec::new();
    let (kind_name, bits) = if role.key_type == "any" {
        let Some(kind_name) = kind.key_type.filter(|name| !name.is_empty()) else {
            return Err(Fault::invalid(
                "role key type \"any\" not allowed for issuing certificates without providing key_type and/or key_bits \
                 request parameters",
            ));
        };
        (kind_name, kind.key_bits.unwrap_or_default())
    } else {
        if kind.key_type.is_some_and(|name| !name.is_empty()) || kind.key_bits.is_some_and(|bits| bits != 0) {
            warnings.push("parameters key_type and key_bits ignored as role had specific values".to_owned());
        }
        (role.key_type.clone(), role.key_bits)
    };
    let kind = kind_of(&kind_name, bits)?;
    // What the role refuses costs no key.
    let wanted = Wanted::for_role(&role, &sent, &leaf.user_ids.0, None)?;
    wanted.check(&role)?;
    let signer = Signer::find(cx, issuer.as_deref().unwrap_or(&role.issuer_ref))?;
    let window = validity::window(cx, &role, &sent, Some((&signer.issuer, &signer.certificate)), &mut warnings)?;
    let key = PrivateKey::generate(kind, cx.randomness.as_mut()).map_err(internal)?;
    let public = key.public().map_err(internal)?;
    let certificate = certify(cx, &role, &signer, &wanted, window, public)?;
    finish(cx, &role, &signer, &certificate, window, Shown { sent: &sent, leaf: &leaf, key: Some(&key) }, warnings)
}

fn sign(cx: &mut Cx, issuer: Option<String>, (path, (sent, (leaf, csr))): Sign) -> Result<Reply, Fault> {
    let role = Role::find(cx, &path.role)?;
    let mut warnings = Vec::new();
    let request = read_request(&csr.csr)?;
    role.check_key(request.public_key())?;
    let wanted = Wanted::for_role(&role, &sent, &leaf.user_ids.0, Some(&request))?;
    wanted.check(&role)?;
    let signer = Signer::find(cx, issuer.as_deref().unwrap_or(&role.issuer_ref))?;
    let window = validity::window(cx, &role, &sent, Some((&signer.issuer, &signer.certificate)), &mut warnings)?;
    let certificate = certify(cx, &role, &signer, &wanted, window, request.public_key().clone())?;
    finish(cx, &role, &signer, &certificate, window, Shown { sent: &sent, leaf: &leaf, key: None }, warnings)
}

/// Reads a request and checks its signature.
pub(super) fn read_request(pem: &str) -> Result<CertificateRequest, Fault> {
    if pem.is_empty() {
        return Err(Fault::invalid("\"csr\" is empty"));
    }
    if !pem.contains("-----BEGIN") {
        return Err(Fault::invalid("csr contains no data"));
    }
    CertificateRequest::from_pem(pem).map_err(|error| Fault::invalid(format!("certificate request could not be parsed: {error}")))
}

fn certify(
    cx: &mut Cx,
    role: &Role,
    signer: &Signer,
    wanted: &Wanted,
    window: Window,
    public_key: PublicKey,
) -> Result<Certificate, Fault> {
    let subject = Subject {
        common_name: wanted.common_name.clone(),
        serial_number: wanted.serial_number.clone(),
        user_ids: wanted.user_ids.clone(),
        ..role.subject()
    };
    let empty = subject == Subject::default();
    let urls = signer.issuer.urls(cx)?;
    let extensions = profile::leaf(role, &wanted.names, empty, &public_key, &signer.certificate, &urls)?;
    let template = Template {
        serial: profile::serial(cx),
        subject: DistinguishedName::from_subject(&subject).map_err(unfit)?,
        issuer: signer.certificate.subject().clone(),
        not_before: window.not_before.seconds(),
        not_after: window.not_after.seconds(),
        public_key,
        extensions,
    };
    Certificate::issue(&template, &signer.key, role.scheme(signer.key.kind())).map_err(unfit)
}

/// How a new certificate is shown.
pub(super) struct Shown<'a> {
    /// What was asked.
    pub(super) sent: &'a NameFields,
    /// What was asked of a leaf.
    pub(super) leaf: &'a LeafFields,
    /// The key, if it was made here.
    pub(super) key: Option<&'a PrivateKey>,
}

/// Stores a leaf, shows it, and asks for its lease.
pub(super) fn finish(
    cx: &mut Cx,
    role: &Role,
    signer: &Signer,
    certificate: &Certificate,
    window: Window,
    shown: Shown<'_>,
    warnings: Vec<String>,
) -> Result<Reply, Fault> {
    let chain = signer.issuer.chain.clone();
    let chain = if shown.leaf.remove_roots_from_chain { without_roots(chain) } else { chain };
    let material = Material { certificate, issuer: &signer.issuer, chain, key: shown.key };
    let mut data = material.shown(shown.sent)?;
    data.insert("not_before".to_owned(), certificate.not_before().into());
    if !role.no_store {
        fetch::store(cx, certificate)?;
    }
    let serial = data.get("serial_number").cloned().unwrap_or_default();
    let reply = warned(Reply::data(data), warnings);
    if !role.generate_lease {
        return Ok(reply);
    }
    let ttl = cx.now.seconds_until(window.not_after);
    Ok(reply.leased(Lease { ttl, internal: json!({ "serial_number": serial }), ..Lease::default() }))
}
