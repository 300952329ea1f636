//! Authorities that sign themselves: generate, rotate, delete all.

use super::answers::{internal, serial_text, unfit, warned};
use super::issuer::{DefaultIssuer, ISSUERS, Issuer, rebuild_chains};
use super::key::{DefaultKey, KEYS, Key, kind_of};
use super::material::{Format, key_text};
use super::names::Wanted;
use super::profile;
use super::role::{Role, name_is_valid};
use super::sign::{backdated, sent_path_length};
use super::validity;
use super::wire::{
    AuthorityFields, ExportedPath, KeyFields, KeyKindFields, NameFields, SignatureFields, SubjectFields,
};
use super::config::Urls;
use super::{crl, fetch};
use engine::crypto::x509::{
    Certificate, DistinguishedName, Hash, PrivateKey, SignatureScheme, Subject, Template,
};
use engine::{Cx, Fault, Reply, Route};
use serde_json::{Map, Value};

/// Told where a certificate of an authority says nothing of where things are.
pub(super) const NO_URLS: &str = "This mount hasn't configured any authority information access (AIA) fields; this may \
    make it harder for systems to find missing certificates in the chain or to validate revocation status of \
    certificates. Consider updating /config/urls or the newly generated issuer with this information.";
const NO_SUBJECT: &str = "This issuer certificate was generated without a Subject; this makes it likely that issuing leaf \
    certs with this certificate will cause TLS validation libraries to reject this certificate.";

pub(super) fn routes() -> Vec<Route<Cx>> {
    let summary = "A new authority that signs itself.";
    vec![
        Route::at("root/generate/{exported}", summary).write(generate).heavy(),
        Route::at("issuers/generate/root/{exported}", summary).write(generate).heavy(),
        Route::at("root/rotate/{exported}", summary).write(rotate).heavy(),
        Route::at("root", "All issuers and keys.").sudo().delete(delete),
    ]
}

type Root = (ExportedPath, (NameFields, (SubjectFields, (AuthorityFields, (KeyKindFields, (SignatureFields, KeyFields))))));

fn rotate(cx: &mut Cx, sent: Root) -> Result<Reply, Fault> {
    let (path, (names, (parts, (mut authority, rest)))) = sent;
    if authority.issuer_name.is_empty() {
        "next".clone_into(&mut authority.issuer_name);
    }
    generate(cx, (path, (names, (parts, (authority, rest)))))
}

fn generate(cx: &mut Cx, sent: Root) -> Result<Reply, Fault> {
    let (path, (sent, (parts, (authority, (kind, (signature, key_fields)))))) = sent;
    check_exported(&path.exported)?;
    let format = Format::of(&sent)?;
    check_issuer_name(cx, &authority.issuer_name, None)?;
    let mut warnings = Vec::new();
    let wanted = Wanted::from_fields(&sent)?;
    let subject = subject_of(&parts, &wanted);
    if subject == Subject::default() {
        warnings.push(NO_SUBJECT.to_owned());
    }
    let role = Role { not_before_duration: backdated(&parts), ..Role::default() };
    let window = validity::window(cx, &role, &sent, None, &mut warnings)?;
    let length = sent_path_length(authority.max_path_length)?;
    let (key, private) = key_for(cx, &path.exported, &kind, &key_fields)?;
    let scheme = scheme(&signature, &private)?;
    let public_key = private.public().map_err(internal)?;
    let urls = Urls::load(cx)?;
    // Templates name the issuer, which has no id before it has a certificate.
    let urls = if urls.enable_templating { Urls::default() } else { urls };
    if urls.is_empty() {
        warnings.push(NO_URLS.to_owned());
    }
    let domains = &authority.permitted_dns_domains.0;
    let name = DistinguishedName::from_subject(&subject).map_err(unfit)?;
    let template = Template {
        serial: profile::serial(cx),
        subject: name.clone(),
        issuer: name,
        not_before: window.not_before.seconds(),
        not_after: window.not_after.seconds(),
        extensions: profile::authority(&wanted.names, length, domains, &public_key, None, &urls)?,
        public_key,
    };
    let certificate = Certificate::issue(&template, &private, scheme).map_err(unfit)?;
    fetch::store(cx, &certificate)?;
    let (issuer, _) = Issuer::add(cx, &certificate, &authority.issuer_name)?;
    rebuild_chains(cx)?;
    crl::rebuild(cx)?;
    let shown = Made { certificate: &certificate, issuer: &issuer, key: &key, private: &private };
    Ok(warned(Reply::data(shown.data(&path.exported, format, &sent)?), warnings))
}

struct Made<'a> {
    certificate: &'a Certificate,
    issuer: &'a Issuer,
    key: &'a Key,
    private: &'a PrivateKey,
}

impl Made<'_> {
    fn data(&self, exported: &str, format: Format, sent: &NameFields) -> Result<Map<String, Value>, Fault> {
        let own = format.text(&self.issuer.certificate);
        let mut data = Map::new();
        let mut set = |name: &str, value: Value| drop(data.insert(name.to_owned(), value));
        set("serial_number", serial_text(self.certificate.serial()).into());
        set("expiration", self.certificate.not_after().into());
        set("issuer_id", self.issuer.id.clone().into());
        set("issuer_name", self.issuer.name.clone().into());
        set("key_id", self.key.id.clone().into());
        set("key_name", self.key.name.clone().into());
        set("issuing_ca", own.clone().into());
        let mut bundle = own;
        if exported == "exported" {
            let text = key_text(self.private, format, sent)?;
            if format == Format::Bundle {
                bundle = format!("{text}\n{bundle}");
            }
            set("private_key", text.into());
            set("private_key_type", self.private.kind().name().into());
        }
        set("certificate", bundle.into());
        Ok(data)
    }
}

/// How a new key is kept: shown once, or not, or one that is there.
pub(super) fn check_exported(exported: &str) -> Result<(), Fault> {
    match exported {
        "internal" | "exported" | "existing" => Ok(()),
        "kms" => Err(Fault::invalid("keys outside this server are not supported")),
        _ => Err(Fault::invalid(
            "the \"exported\" path parameter must be \"internal\", \"existing\", exported\" or \"kms\"",
        )),
    }
}

/// Checks a new name of an issuer: its form, and that no other has it.
pub(super) fn check_issuer_name(cx: &mut Cx, name: &str, own: Option<&str>) -> Result<(), Fault> {
    if name.is_empty() {
        return Ok(());
    }
    if name == "default" {
        return Err(Fault::invalid("reserved keyword 'default' can not be used as issuer name"));
    }
    if !name_is_valid(name) {
        return Err(Fault::invalid("issuer name contained invalid characters"));
    }
    let taken = |issuer: &Issuer| Some(issuer.id.as_str()) != own && (issuer.name == name || issuer.id == name);
    if Issuer::all(cx)?.iter().any(taken) {
        return Err(Fault::invalid("issuer name already in use"));
    }
    Ok(())
}

/// Checks a new name of a key: its form, and that no other has it.
pub(super) fn check_key_name(cx: &mut Cx, name: &str, own: Option<&str>) -> Result<(), Fault> {
    if name.is_empty() {
        return Ok(());
    }
    if name == "default" {
        return Err(Fault::invalid("reserved keyword 'default' can not be used as key name"));
    }
    if !name_is_valid(name) {
        return Err(Fault::invalid("key name contained invalid characters"));
    }
    let taken = |key: &Key| Some(key.id.as_str()) != own && (key.name == name || key.id == name);
    if Key::all(cx)?.iter().any(taken) {
        return Err(Fault::invalid("key name already in use"));
    }
    Ok(())
}

/// The key of a new authority: made, or one that is there.
pub(super) fn key_for(
    cx: &mut Cx,
    exported: &str,
    kind: &KeyKindFields,
    fields: &KeyFields,
) -> Result<(Key, PrivateKey), Fault> {
    if exported == "existing" {
        let reference = fields.key_ref.as_deref().unwrap_or("default");
        let key = Key::find(cx, reference)?.ok_or_else(|| {
            Fault::invalid(format!(
                "failed to lookup public key from existing key: unable to find PKI key for reference: {reference}"
            ))
        })?;
        let private = key.private()?;
        return Ok((key, private));
    }
    check_key_name(cx, &fields.key_name, None)?;
    let kind = kind_of(kind.key_type.as_deref().unwrap_or("rsa"), kind.key_bits.unwrap_or_default())?;
    let private = PrivateKey::generate(kind, cx.randomness.as_mut()).map_err(internal)?;
    let (key, _) = Key::add(cx, &private, &fields.key_name)?;
    Ok((key, private))
}

/// How a key signs, as it was asked.
pub(super) fn scheme(sent: &SignatureFields, key: &PrivateKey) -> Result<SignatureScheme, Fault> {
    let hash = match sent.signature_bits {
        0 => Hash::Sha256,
        bits => Hash::of_bits(bits)
            .ok_or_else(|| Fault::invalid(format!("unsupported hash signature algorithm: {bits}")))?,
    };
    Ok(SignatureScheme::of(key.kind(), hash, sent.use_pss))
}

/// The subject of an authority.
pub(super) fn subject_of(parts: &SubjectFields, wanted: &Wanted) -> Subject {
    Subject {
        country: parts.country.0.clone(),
        organization: parts.organization.0.clone(),
        organizational_unit: parts.ou.0.clone(),
        locality: parts.locality.0.clone(),
        province: parts.province.0.clone(),
        street_address: parts.street_address.0.clone(),
        postal_code: parts.postal_code.0.clone(),
        common_name: wanted.common_name.clone(),
        serial_number: wanted.serial_number.clone(),
        user_ids: Vec::new(),
    }
}

fn delete(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    cx.tx.delete_all(ISSUERS)?;
    cx.tx.delete_all(KEYS)?;
    DefaultIssuer::default().save(cx)?;
    DefaultKey::default().save(cx)?;
    crl::forget(cx)?;
    Ok(Reply::empty().status(200).warn(
        "DELETE /root deletes all keys and issuers; prefer the new DELETE /key/:key_ref and DELETE /issuer/:issuer_ref for \
         finer granularity, unless removal of all keys and issuers is desired.",
    ))
}
