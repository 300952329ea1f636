//! What certificates say beside their names: usages, constraints, identifiers, where things are.

use super::answers::unfit;
use super::config::Urls;
use super::role::Role;
use super::wire::UsageFields;
use engine::crypto::x509::{
    AlternativeNames, Certificate, Constraints, Extensions, PublicKey, X509Error, key_usage_bits, oid_is_valid,
};
use engine::{Cx, Fault, Randomness};

/// `CertSign` and `CRLSign`: what only authorities have.
pub(super) const AUTHORITY_USAGES: u16 = 0b0110_0000;

/// Extended key usages by the names that the API has for them.
const EXTENDED: [(&str, &str); 14] = [
    ("any", "2.5.29.37.0"),
    ("serverauth", "1.3.6.1.5.5.7.3.1"),
    ("clientauth", "1.3.6.1.5.5.7.3.2"),
    ("codesigning", "1.3.6.1.5.5.7.3.3"),
    ("emailprotection", "1.3.6.1.5.5.7.3.4"),
    ("ipsecendsystem", "1.3.6.1.5.5.7.3.5"),
    ("ipsectunnel", "1.3.6.1.5.5.7.3.6"),
    ("ipsecuser", "1.3.6.1.5.5.7.3.7"),
    ("timestamping", "1.3.6.1.5.5.7.3.8"),
    ("ocspsigning", "1.3.6.1.5.5.7.3.9"),
    ("microsoftservergatedcrypto", "1.3.6.1.4.1.311.10.3.3"),
    ("netscapeservergatedcrypto", "2.16.840.1.113730.4.1"),
    ("microsoftcommercialcodesigning", "1.3.6.1.4.1.311.2.1.22"),
    ("microsoftkernelcodesigning", "1.3.6.1.4.1.311.61.1.1"),
];

/// A new serial number: 158 random bits in 20 bytes (RFC 5280 section 4.1.2.2).
pub(super) fn serial(cx: &mut Cx) -> Vec<u8> {
    let mut serial = vec![0; 20];
    cx.randomness.fill(&mut serial);
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    serial
}

/// The extended key usages that a role asks for.
pub(super) fn extended_usages(role: &Role) -> Vec<String> {
    let flags = [
        (role.server_flag, "serverauth"),
        (role.client_flag, "clientauth"),
        (role.code_signing_flag, "codesigning"),
        (role.email_protection_flag, "emailprotection"),
    ];
    let flagged = flags.into_iter().filter(|(set, _)| *set).map(|(_, name)| name.to_owned());
    usages(&flagged.chain(role.ext_key_usage.iter().cloned()).collect::<Vec<_>>(), &role.ext_key_usage_oids)
}

/// The extended key usages of a request that no role limits.
pub(super) fn sent_usages(sent: &UsageFields) -> Result<Vec<String>, Fault> {
    if let Some(bad) = sent.ext_key_usage_oids.0.iter().find(|oid| !oid_is_valid(oid)) {
        return Err(Fault::invalid(format!("{bad:?} could not be parsed as a valid oid for an extended key usage")));
    }
    Ok(usages(&sent.ext_key_usage.0, &sent.ext_key_usage_oids.0))
}

fn usages(names: &[String], oids: &[String]) -> Vec<String> {
    let mut all: Vec<String> = Vec::new();
    let named = names.iter().filter_map(|name| {
        let name = name.trim().to_ascii_lowercase();
        let name = name.strip_prefix("extkeyusage").unwrap_or(&name);
        EXTENDED.iter().find(|(known, _)| *known == name).map(|(_, oid)| (*oid).to_owned())
    });
    for oid in named.chain(oids.iter().cloned()) {
        if !all.contains(&oid) {
            all.push(oid);
        }
    }
    all
}

/// Both key identifiers.
pub(super) fn identifiers(
    extensions: &mut Extensions,
    subject: &PublicKey,
    authority: Option<&Certificate>,
) -> Result<(), Fault> {
    let own = subject.identifier();
    extensions.set_subject_key(&own).map_err(unfit)?;
    let signer = authority.map_or(own, Certificate::key_identifier);
    extensions.set_authority_key(&signer).map_err(unfit)
}

/// The extensions of a certificate for a role.
pub(super) fn leaf(
    role: &Role,
    names: &AlternativeNames,
    subject_is_empty: bool,
    key: &PublicKey,
    authority: &Certificate,
    urls: &Urls,
) -> Result<Extensions, Fault> {
    let mut extensions = Extensions::default();
    // Nobody becomes an authority by way of a role.
    let usage = key_usage_bits(&role.key_usage) & !AUTHORITY_USAGES;
    extensions.set_key_usage(usage).map_err(unfit)?;
    extensions.set_extended_usage(&extended_usages(role)).map_err(unfit)?;
    if role.basic_constraints_valid_for_non_ca {
        extensions.set_constraints(Constraints::default()).map_err(unfit)?;
    }
    identifiers(&mut extensions, key, Some(authority))?;
    located(&mut extensions, urls).map_err(unfit)?;
    extensions.set_names(names, subject_is_empty).map_err(unfit)?;
    extensions.set_policies(&role.policies()).map_err(unfit)?;
    Ok(extensions)
}

/// The extensions of an authority's certificate; `None` as authority is one that signs itself.
pub(super) fn authority(
    names: &AlternativeNames,
    path_length: Option<u8>,
    permitted: &[String],
    key: &PublicKey,
    parent: Option<&Certificate>,
    urls: &Urls,
) -> Result<Extensions, Fault> {
    let mut extensions = Extensions::default();
    extensions.set_key_usage(AUTHORITY_USAGES).map_err(unfit)?;
    extensions.set_constraints(Constraints { authority: true, path_length }).map_err(unfit)?;
    identifiers(&mut extensions, key, parent)?;
    located(&mut extensions, urls).map_err(unfit)?;
    extensions.set_names(names, false).map_err(unfit)?;
    extensions.set_permitted_domains(permitted).map_err(unfit)?;
    Ok(extensions)
}

/// Where certificate, lists and responder of the authority are.
pub(super) fn located(extensions: &mut Extensions, urls: &Urls) -> Result<(), X509Error> {
    extensions.set_access(&urls.issuing_certificates, &urls.ocsp_servers)?;
    extensions.set_lists(&urls.crl_distribution_points)?;
    extensions.set_delta_lists(&urls.delta_crl_distribution_points)
}
