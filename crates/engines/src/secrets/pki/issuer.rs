//! An issuer as it is stored, at `issuer/<id>`, and the default one.

use super::ISSUERS_MAX;
use super::answers::{internal, serial_text};
use super::config::{Cluster, Urls};
use super::key::Key;
use engine::crypto::x509::{Certificate, Hash, PrivateKey, SignatureScheme};
use engine::{Cx, Fault, Page, Record, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeSet;

/// Where the issuers are.
pub(super) const ISSUERS: &str = "issuer/";
const DEFAULT: &str = "config/issuers";
/// May sign certificates.
pub(super) const ISSUING: &str = "issuing-certificates";
/// May sign revocation lists.
pub(super) const CRL_SIGNING: &str = "crl-signing";
/// May sign OCSP answers.
pub(super) const OCSP_SIGNING: &str = "ocsp-signing";
/// All usages.
pub(super) const USAGES: [&str; 4] = [CRL_SIGNING, ISSUING, OCSP_SIGNING, "read-only"];

/// The certificate of an authority, with what it may be used for.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Issuer {
    /// Its id.
    pub(super) id: String,
    /// Its name; empty if there is none.
    pub(super) name: String,
    /// Its certificate, PEM.
    pub(super) certificate: String,
    /// Itself and those above it, PEM, as far as they are known.
    pub(super) chain: Vec<String>,
    /// Ids to build the chain of instead of the computed one.
    pub(super) manual_chain: Vec<String>,
    /// Its key; empty if that is not in this mount.
    pub(super) key_id: String,
    /// `err`, `truncate` or `permit`.
    pub(super) leaf_not_after_behavior: String,
    /// What it may be used for.
    pub(super) usage: BTreeSet<String>,
    /// How its lists are signed; empty is the default of its key.
    pub(super) revocation_signature_algorithm: String,
    /// Its own URLs.
    pub(super) urls: Urls,
    /// When it was revoked.
    pub(super) revoked: Option<Timestamp>,
}

impl Record for Issuer {
    const KIND: &'static str = "pki-issuer/1";
}

/// Which issuer is the default.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct DefaultIssuer {
    /// Its id; empty if there is none.
    pub(super) default: String,
    /// Whether the newest one becomes it.
    pub(super) default_follows_latest_issuer: bool,
}

impl Record for DefaultIssuer {
    const KIND: &'static str = "pki-default-issuer/1";
}

impl DefaultIssuer {
    /// Which it is.
    pub(super) fn load(cx: &mut Cx) -> Result<Self, Fault> {
        Ok(cx.tx.load(DEFAULT)?.unwrap_or_default())
    }

    /// Stores it.
    pub(super) fn save(&self, cx: &mut Cx) -> Result<(), Fault> {
        Ok(cx.tx.save(DEFAULT, self)?)
    }
}

impl Issuer {
    /// All issuers.
    pub(super) fn all(cx: &mut Cx) -> Result<Vec<Self>, Fault> {
        let page = Page { limit: Some(ISSUERS_MAX), ..Page::default() };
        let ids = cx.tx.list(ISSUERS, &page)?;
        let mut issuers = Vec::with_capacity(ids.len());
        for id in ids {
            issuers.extend(Self::load(cx, &id)?);
        }
        Ok(issuers)
    }

    /// The issuer of an id.
    pub(super) fn load(cx: &mut Cx, id: &str) -> Result<Option<Self>, Fault> {
        Ok(cx.tx.load(&format!("{ISSUERS}{id}"))?)
    }

    /// The default issuer.
    pub(super) fn default(cx: &mut Cx) -> Result<Option<Self>, Fault> {
        let default = DefaultIssuer::load(cx)?.default;
        if default.is_empty() { Ok(None) } else { Self::load(cx, &default) }
    }

    /// The issuer of an id, a name or `default`. All three lead to the same record, and what may be done with it is
    /// decided on the record.
    pub(super) fn find(cx: &mut Cx, reference: &str) -> Result<Self, Fault> {
        let missing = || Fault::upstream_error(unknown(reference));
        if reference == "default" {
            return Self::default(cx)?.ok_or_else(|| Fault::upstream_error("no default issuer currently configured"));
        }
        if reference.is_empty() || reference.contains('/') {
            return Err(missing());
        }
        if let Some(issuer) = Self::load(cx, reference)? {
            return Ok(issuer);
        }
        Self::all(cx)?.into_iter().find(|issuer| issuer.name == reference).ok_or_else(missing)
    }

    /// Stores it.
    pub(super) fn save(&self, cx: &mut Cx) -> Result<(), Fault> {
        Ok(cx.tx.save(&format!("{ISSUERS}{}", self.id), self)?)
    }

    /// Adds a certificate, or finds the issuer that has it; whether it is new. A key of this mount that fits is its key.
    pub(super) fn add(cx: &mut Cx, certificate: &Certificate, name: &str) -> Result<(Self, bool), Fault> {
        let pem = certificate.to_pem();
        let all = Self::all(cx)?;
        if let Some(known) = all.iter().find(|issuer| issuer.certificate == pem) {
            return Ok((known.clone(), false));
        }
        if all.len() >= ISSUERS_MAX {
            return Err(Fault::invalid("this mount has as many issuers as it may have"));
        }
        let identifier = certificate.public_key().identifier();
        let key = Key::all(cx)?.into_iter().find(|key| key.identifier == identifier);
        let scheme = certificate.scheme().filter(|scheme| scheme.fits(certificate.public_key().kind()));
        let issuer = Self {
            id: engine::Randomness::uuid(cx.randomness.as_mut()),
            name: name.to_owned(),
            certificate: pem.clone(),
            chain: vec![pem],
            manual_chain: Vec::new(),
            key_id: key.map(|key| key.id).unwrap_or_default(),
            leaf_not_after_behavior: "err".to_owned(),
            usage: USAGES.into_iter().map(str::to_owned).collect(),
            revocation_signature_algorithm: scheme.map(|scheme| scheme.name().to_owned()).unwrap_or_default(),
            urls: Urls::default(),
            revoked: None,
        };
        issuer.save(cx)?;
        let mut default = DefaultIssuer::load(cx)?;
        if (default.default.is_empty() || default.default_follows_latest_issuer) && !issuer.key_id.is_empty() {
            default.default.clone_from(&issuer.id);
            default.save(cx)?;
        }
        Ok((issuer, true))
    }

    /// Its certificate, read.
    pub(super) fn parsed(&self) -> Result<Certificate, Fault> {
        Certificate::from_pem(&self.certificate).map_err(internal)
    }

    /// Its key, if it is in this mount.
    pub(super) fn private(&self, cx: &mut Cx) -> Result<Option<PrivateKey>, Fault> {
        if self.key_id.is_empty() {
            return Ok(None);
        }
        Key::load(cx, &self.key_id)?.map(|key| key.private()).transpose()
    }

    /// How its lists are signed.
    pub(super) fn list_scheme(&self, key: &PrivateKey) -> SignatureScheme {
        let chosen = SignatureScheme::parse(&self.revocation_signature_algorithm);
        let chosen = chosen.filter(|scheme| scheme.fits(key.kind()));
        chosen.unwrap_or_else(|| SignatureScheme::of(key.kind(), Hash::Sha256, false))
    }

    /// Its URLs, or the mount's where it has none, with templates filled in.
    pub(super) fn urls(&self, cx: &mut Cx) -> Result<Urls, Fault> {
        let urls = if self.urls.is_empty() { Urls::load(cx)? } else { self.urls.clone() };
        if !urls.enable_templating {
            return Ok(urls);
        }
        let cluster = Cluster::load(cx)?;
        Ok(urls.filled(&self.id, &cluster))
    }

    /// Everything the API shows.
    pub(super) fn shown(&self) -> Value {
        let chain = if self.manual_chain.is_empty() { Value::Null } else { json!(self.manual_chain) };
        let mut shown = json!({
            "ca_chain": self.chain,
            "certificate": self.certificate,
            "crl_distribution_points": self.urls.crl_distribution_points,
            "delta_crl_distribution_points": self.urls.delta_crl_distribution_points,
            "issuer_id": self.id,
            "issuer_name": self.name,
            "issuing_certificates": self.urls.issuing_certificates,
            "key_id": self.key_id,
            "leaf_not_after_behavior": self.leaf_not_after_behavior,
            "manual_chain": chain,
            "ocsp_servers": self.urls.ocsp_servers,
            "revocation_signature_algorithm": self.revocation_signature_algorithm,
            "revoked": self.revoked.is_some(),
            "usage": self.usage.iter().cloned().collect::<Vec<_>>().join(","),
        });
        if let (Some(revoked), Some(members)) = (self.revoked, shown.as_object_mut()) {
            members.insert("revocation_time".to_owned(), revoked.seconds().into());
            members.insert("revocation_time_rfc3339".to_owned(), revoked.to_rfc3339().into());
        }
        shown
    }

    /// The serial number of its certificate.
    pub(super) fn serial(&self) -> Result<String, Fault> {
        Ok(serial_text(self.parsed()?.serial()))
    }
}

/// The text for a reference that leads nowhere.
pub(super) fn unknown(reference: &str) -> String {
    format!("unable to find PKI issuer for reference: {reference}")
}

/// Computes the chain of every issuer anew, after one came or went.
pub(super) fn rebuild_chains(cx: &mut Cx) -> Result<(), Fault> {
    let issuers = Issuer::all(cx)?;
    let parsed: Result<Vec<Certificate>, Fault> = issuers.iter().map(Issuer::parsed).collect();
    let parsed = parsed?;
    for (issuer, own) in issuers.iter().zip(&parsed) {
        let chain = match issuer.manual_chain.as_slice() {
            [] => computed(own, &parsed),
            ids => ids
                .iter()
                .filter_map(|id| issuers.iter().find(|issuer| issuer.id == *id))
                .map(|issuer| issuer.certificate.clone())
                .collect(),
        };
        if chain != issuer.chain {
            Issuer { chain, ..issuer.clone() }.save(cx)?;
        }
    }
    Ok(())
}

fn computed(own: &Certificate, all: &[Certificate]) -> Vec<String> {
    let mut chain = vec![own];
    while let Some(last) = chain.last()
        && !last.is_self_signed()
        && let Some(parent) = all.iter().find(|parent| last.is_issued_by(parent) && !chain.contains(parent))
    {
        chain.push(parent);
    }
    chain.into_iter().map(Certificate::to_pem).collect()
}

/// An issuer with its certificate and key, ready to sign.
pub(super) struct Signer {
    /// The issuer.
    pub(super) issuer: Issuer,
    /// Its certificate.
    pub(super) certificate: Certificate,
    /// Its key.
    pub(super) key: PrivateKey,
}

impl Signer {
    /// The issuer of a reference, for issuing.
    pub(super) fn find(cx: &mut Cx, reference: &str) -> Result<Self, Fault> {
        let prefix = "could not fetch the CA certificate (was one set?): ";
        let issuer = match Issuer::find(cx, reference) {
            Ok(issuer) => issuer,
            Err(Fault::Status(500, _)) if reference == "default" => {
                return Err(Fault::upstream_error(format!("{prefix}no default issuer currently configured")));
            }
            Err(Fault::Status(500, _)) => return Err(Fault::upstream_error(format!("{prefix}{}", unknown(reference)))),
            Err(other) => return Err(other),
        };
        if !issuer.usage.contains(ISSUING) {
            let usage = issuer.usage.iter().cloned().collect::<Vec<_>>().join(",");
            let id = &issuer.id;
            return Err(Fault::upstream_error(format!(
                "error fetching CA certificate: error while attempting to use issuer {id}: requested usage {ISSUING} for \
                 issuer [id:{id}] but only had usage {usage}"
            )));
        }
        let key = issuer.private(cx)?;
        let key = key.ok_or_else(|| Fault::invalid("the issuer has no key in this mount and cannot sign"))?;
        Ok(Self { certificate: issuer.parsed()?, issuer, key })
    }
}
