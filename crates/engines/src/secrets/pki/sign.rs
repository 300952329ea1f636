//! Signing without a role's limits: requests as they are, intermediate authorities, self-issued certificates.

use super::answers::{internal, unfit, warned};
use super::fetch;
use super::issue::{Shown, finish, read_request};
use super::issuer::{Issuer, Signer};
use super::material::Material;
use super::names::{Wanted, requested_names};
use super::profile;
use super::role::Role;
use super::root::subject_of;
use super::validity;
use super::wire::{
    AuthorityFields, CsrField, IssuerPath, KeyFields, LeafFields, NameFields, OptionalRole, RolePath, SelfIssuedFields,
    SignatureFields, SubjectFields, UsageFields,
};
use engine::crypto::x509::{
    Certificate, CertificateRequest, Constraints, DistinguishedName, Extensions, Hash, KeyKind, SignatureScheme,
    Template, key_usage_bits,
};
use engine::{Cx, Fault, Reply, Route, Seconds};
use serde_json::json;

/// Extensions that the issuer decides, whatever a request says: subject and authority key, basic and name constraints,
/// policy constraints, where lists and authority are.
const OURS: [&str; 8] = [
    "2.5.29.14",
    "2.5.29.35",
    "2.5.29.19",
    "2.5.29.30",
    "2.5.29.36",
    "2.5.29.31",
    "2.5.29.46",
    "1.3.6.1.5.5.7.1.1",
];

const OUTLIVES: &str = "The expiration time for the signed certificate is after the CA's expiration time. If the new \
    certificate is not treated as a root, validation paths with the certificate past the issuing CA's expiration time will \
    fail.";

pub(super) fn routes() -> Vec<Route<Cx>> {
    let verbatim = "A certificate on a request, as it is.";
    let intermediate = "The certificate of an intermediate authority.";
    let self_issued = "A self-issued certificate, signed again.";
    vec![
        Route::at("sign-verbatim", verbatim)
            .write(|cx: &mut Cx, (role, sent): (OptionalRole, Verbatim)| sign_verbatim(cx, None, &role.role, sent)),
        Route::at("sign-verbatim/{role}", verbatim)
            .write(|cx: &mut Cx, (path, sent): (RolePath, Verbatim)| sign_verbatim(cx, None, &path.role, sent)),
        Route::at("issuer/{issuer_ref}/sign-verbatim", verbatim).write(
            |cx: &mut Cx, (path, (role, sent)): (IssuerPath, (OptionalRole, Verbatim))| {
                sign_verbatim(cx, Some(path.issuer_ref), &role.role, sent)
            },
        ),
        Route::at("issuer/{issuer_ref}/sign-verbatim/{role}", verbatim).write(
            |cx: &mut Cx, (path, (role, sent)): (IssuerPath, (RolePath, Verbatim))| {
                sign_verbatim(cx, Some(path.issuer_ref), &role.role, sent)
            },
        ),
        Route::at("root/sign-intermediate", intermediate).write(|cx: &mut Cx, sent: Intermediate| {
            let reference = sent.1.1.0.issuer_ref.clone();
            sign_intermediate(cx, reference.as_deref().unwrap_or("default"), sent)
        }),
        Route::at("issuer/{issuer_ref}/sign-intermediate", intermediate)
            .write(|cx: &mut Cx, (path, sent): (IssuerPath, Intermediate)| sign_intermediate(cx, &path.issuer_ref, sent)),
        Route::at("root/sign-self-issued", self_issued).sudo().write(|cx: &mut Cx, sent: SelfIssuedFields| {
            let reference = sent.issuer_ref.clone();
            sign_self_issued(cx, reference.as_deref().unwrap_or("default"), sent)
        }),
        Route::at("issuer/{issuer_ref}/sign-self-issued", self_issued)
            .sudo()
            .write(|cx: &mut Cx, (path, sent): (IssuerPath, SelfIssuedFields)| sign_self_issued(cx, &path.issuer_ref, sent)),
    ]
}

type Verbatim = (NameFields, (LeafFields, (CsrField, (SignatureFields, UsageFields))));
type Intermediate = (NameFields, (CsrField, (AuthorityFields, (SubjectFields, (SignatureFields, KeyFields)))));

fn sign_verbatim(cx: &mut Cx, issuer: Option<String>, role: &str, sent: Verbatim) -> Result<Reply, Fault> {
    let (sent, (leaf, (csr, (signature, usage)))) = sent;
    // A role lends its times, its issuer and how it stores; names and extensions are the request's.
    let role = match role {
        "" => Role::default(),
        name => Role::find(cx, name)?.as_ref().clone(),
    };
    let mut warnings = Vec::new();
    let request = read_request(&csr.csr)?;
    if matches!(request.public_key().kind(), KeyKind::Rsa(bits) if bits < 2048) {
        return Err(Fault::invalid("RSA keys < 2048 bits are unsafe and not supported"));
    }
    let signer = Signer::find(cx, issuer.as_deref().unwrap_or(&role.issuer_ref))?;
    let window = validity::window(cx, &role, &sent, Some((&signer.issuer, &signer.certificate)), &mut warnings)?;
    if request.extensions().constraints().is_some() {
        warnings.push("specified CSR contained a Basic Constraints extension that was ignored during issuance".to_owned());
    }
    let template = Template {
        serial: profile::serial(cx),
        subject: request.subject().clone(),
        issuer: signer.certificate.subject().clone(),
        not_before: window.not_before.seconds(),
        not_after: window.not_after.seconds(),
        public_key: request.public_key().clone(),
        extensions: verbatim_extensions(cx, &signer, &request, &usage)?,
    };
    let scheme = scheme_of(&signature, signer.key.kind())?;
    let certificate = Certificate::issue(&template, &signer.key, scheme).map_err(unfit)?;
    finish(cx, &role, &signer, &certificate, window, Shown { sent: &sent, leaf: &leaf, key: None }, warnings)
}

fn verbatim_extensions(
    cx: &mut Cx,
    signer: &Signer,
    request: &CertificateRequest,
    usage: &UsageFields,
) -> Result<Extensions, Fault> {
    let mut extensions = Extensions::default();
    let default = || vec!["DigitalSignature".to_owned(), "KeyAgreement".to_owned(), "KeyEncipherment".to_owned()];
    let named = usage.key_usage.as_ref().map_or_else(default, |list| list.0.clone());
    let asked = request.extensions().key_usage().filter(|_| usage.key_usage.is_none());
    // A leaf never signs certificates or lists, whatever it asks for.
    let bits = asked.unwrap_or_else(|| key_usage_bits(&named)) & !profile::AUTHORITY_USAGES;
    extensions.set_key_usage(bits).map_err(unfit)?;
    extensions.set_extended_usage(&profile::sent_usages(usage)?).map_err(unfit)?;
    if usage.basic_constraints_valid_for_non_ca {
        extensions.set_constraints(Constraints::default()).map_err(unfit)?;
    }
    profile::identifiers(&mut extensions, request.public_key(), Some(&signer.certificate))?;
    profile::located(&mut extensions, &signer.issuer.urls(cx)?).map_err(unfit)?;
    for extension in &request.extensions().0 {
        if extension.oid != "2.5.29.15" && !OURS.contains(&extension.oid.as_str()) {
            extensions.set(&extension.oid, extension.critical, extension.value.clone());
        }
    }
    Ok(extensions)
}

fn scheme_of(sent: &SignatureFields, kind: KeyKind) -> Result<SignatureScheme, Fault> {
    let hash = match sent.signature_bits {
        0 => Hash::Sha256,
        bits => Hash::of_bits(bits)
            .ok_or_else(|| Fault::invalid(format!("unsupported hash signature algorithm: {bits}")))?,
    };
    Ok(SignatureScheme::of(kind, hash, sent.use_pss))
}

fn sign_intermediate(cx: &mut Cx, reference: &str, sent: Intermediate) -> Result<Reply, Fault> {
    let (sent, (csr, (authority, (parts, (signature, key))))) = sent;
    let mut warnings = Vec::new();
    let request = read_request(&csr.csr)?;
    let signer = Signer::find(cx, reference)?;
    if !signer.certificate.is_authority() {
        return Err(Fault::invalid("the issuer's certificate is none of an authority"));
    }
    let (subject, names) = if key.use_csr_values {
        (request.subject().clone(), requested_names(&request)?)
    } else {
        let wanted = Wanted::from_fields(&sent)?;
        (DistinguishedName::from_subject(&subject_of(&parts, &wanted)).map_err(unfit)?, wanted.names)
    };
    // What an authority signs may outlive it only if its issuer says so; its own role has no bounds.
    let role = Role { not_before_duration: backdated(&parts), ..Role::default() };
    let permitted = Issuer { leaf_not_after_behavior: intermediate_behavior(&signer.issuer), ..signer.issuer.clone() };
    let window = validity::window(cx, &role, &sent, Some((&permitted, &signer.certificate)), &mut warnings)?;
    if window.not_after.seconds() > signer.certificate.not_after() {
        warnings.push(OUTLIVES.to_owned());
    }
    let urls = signer.issuer.urls(cx)?;
    if urls.is_empty() {
        warnings.push(super::root::NO_URLS.to_owned());
    }
    let length = path_length(&signer.certificate, authority.max_path_length)?;
    let domains = &authority.permitted_dns_domains.0;
    let parent = Some(&signer.certificate);
    let mut extensions = profile::authority(&names, length, domains, request.public_key(), parent, &urls)?;
    if !key.skid.is_empty() {
        let identifier = hex_bytes(&key.skid).ok_or_else(|| Fault::invalid("skid is not valid hex"))?;
        extensions.set_subject_key(&identifier).map_err(unfit)?;
    }
    let template = Template {
        serial: profile::serial(cx),
        subject,
        issuer: signer.certificate.subject().clone(),
        not_before: window.not_before.seconds(),
        not_after: window.not_after.seconds(),
        public_key: request.public_key().clone(),
        extensions,
    };
    let scheme = scheme_of(&signature, signer.key.kind())?;
    let certificate = Certificate::issue(&template, &signer.key, scheme).map_err(unfit)?;
    fetch::store(cx, &certificate)?;
    let chain = [vec![certificate.to_pem()], signer.issuer.chain.clone()].concat();
    let material = Material { certificate: &certificate, issuer: &signer.issuer, chain, key: None };
    Ok(warned(Reply::data(material.shown(&sent)?), warnings))
}

fn intermediate_behavior(issuer: &Issuer) -> String {
    // As upstream: an intermediate that would outlive its issuer is cut only where the issuer cuts; else it is allowed.
    match issuer.leaf_not_after_behavior.as_str() {
        "truncate" => "truncate".to_owned(),
        _ => "permit".to_owned(),
    }
}

/// Seconds before now that a certificate begins.
pub(super) fn backdated(parts: &SubjectFields) -> i64 {
    parts.not_before_duration.map_or(30, |Seconds(seconds)| seconds.max(0))
}

/// The path length of a new authority below `parent`: what is asked for, within what the parent leaves.
fn path_length(parent: &Certificate, asked: Option<i64>) -> Result<Option<u8>, Fault> {
    let left = parent.extensions().constraints().and_then(|constraints| constraints.path_length);
    if left == Some(0) {
        return Err(Fault::invalid("signing CA does not permit further intermediates: its path length is 0"));
    }
    let left = left.map(|left| left - 1);
    let asked = sent_path_length(asked)?;
    match (asked, left) {
        (Some(asked), Some(left)) if asked > left => {
            Err(Fault::invalid(format!("max_path_length {asked} is longer than the signing CA permits: {left}")))
        }
        (Some(asked), _) => Ok(Some(asked)),
        (None, left) => Ok(left),
    }
}

/// A path length as it is sent: -1 is none.
pub(super) fn sent_path_length(asked: Option<i64>) -> Result<Option<u8>, Fault> {
    match asked {
        None | Some(-1) => Ok(None),
        Some(asked) => match u8::try_from(asked) {
            Ok(asked) => Ok(Some(asked)),
            Err(_) => Err(Fault::invalid("max_path_length is out of range")),
        },
    }
}

fn hex_bytes(text: &str) -> Option<Vec<u8>> {
    let digits: String = text.chars().filter(|character| !matches!(character, ':' | '-' | ' ')).collect();
    if digits.is_empty() || !digits.len().is_multiple_of(2) || !digits.is_ascii() || digits.len() > 128 {
        return None;
    }
    let pairs = digits.as_bytes().chunks(2);
    pairs.map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok()).collect()
}

fn sign_self_issued(cx: &mut Cx, reference: &str, sent: SelfIssuedFields) -> Result<Reply, Fault> {
    if !sent.certificate.contains("-----BEGIN") {
        return Err(Fault::invalid("certificate could not be PEM-decoded"));
    }
    let given = Certificate::from_pem(&sent.certificate)
        .map_err(|error| Fault::invalid(format!("error parsing certificate: {error}")))?;
    if given.subject() != given.issuer() || !given.is_self_signed() {
        return Err(Fault::invalid("certificate is not self-issued"));
    }
    if !given.is_authority() {
        return Err(Fault::invalid("certificate is not a CA certificate"));
    }
    let signer = Signer::find(cx, reference)?;
    let kinds = (given.public_key().kind(), signer.key.kind());
    if sent.require_matching_certificate_algorithms && kinds.0.name() != kinds.1.name() {
        return Err(Fault::invalid(
            "public key algorithm of the certificate does not match that of the signing authority",
        ));
    }
    let mut extensions = given.extensions().clone();
    extensions.set_authority_key(&signer.certificate.key_identifier()).map_err(unfit)?;
    profile::located(&mut extensions, &signer.issuer.urls(cx)?).map_err(internal)?;
    let template = Template {
        serial: given.serial().to_vec(),
        subject: given.subject().clone(),
        issuer: signer.certificate.subject().clone(),
        not_before: given.not_before(),
        not_after: given.not_after(),
        public_key: given.public_key().clone(),
        extensions,
    };
    let scheme = SignatureScheme::of(signer.key.kind(), Hash::Sha256, false);
    let certificate = Certificate::issue(&template, &signer.key, scheme).map_err(unfit)?;
    Ok(Reply::data(json!({
        "certificate": certificate.to_pem().trim_end(),
        "issuing_ca": signer.issuer.certificate.trim_end(),
    })))
}
