//! Certificates, chains and private keys in the format that a client asks for.

use super::answers::{internal, serial_text};
use super::issuer::Issuer;
use super::wire::NameFields;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::Fault;
use engine::crypto::x509::{Certificate, PrivateKey, pem_blocks};
use serde_json::{Map, Value};

/// The form of what is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Format {
    /// Separate PEM texts.
    Pem,
    /// base64 of DER.
    Der,
    /// One text of all PEM blocks.
    Bundle,
}

impl Format {
    /// Reads what was sent.
    pub(super) fn of(sent: &NameFields) -> Result<Self, Fault> {
        match sent.format.as_deref().unwrap_or("pem") {
            "pem" => Ok(Self::Pem),
            "der" => Ok(Self::Der),
            "pem_bundle" => Ok(Self::Bundle),
            _ => Err(Fault::invalid(
                "the \"format\" path parameter must be \"pem\", \"der\", or \"pem_bundle\"",
            )),
        }
    }

    /// PEM without its last line end, or base64 of what is in it.
    pub(super) fn text(self, pem: &str) -> String {
        match self {
            Self::Der => {
                let blocks = pem_blocks(pem).unwrap_or_default();
                blocks.first().map(|block| STANDARD.encode(&block.der)).unwrap_or_default()
            }
            Self::Pem | Self::Bundle => pem.trim_end().to_owned(),
        }
    }
}

/// What is shown of a new certificate.
pub(super) struct Material<'a> {
    /// The certificate.
    pub(super) certificate: &'a Certificate,
    /// Who signed it.
    pub(super) issuer: &'a Issuer,
    /// The chain, PEM.
    pub(super) chain: Vec<String>,
    /// Its private key, if that was made here and is shown.
    pub(super) key: Option<&'a PrivateKey>,
}

impl Material<'_> {
    /// As data of a reply.
    pub(super) fn shown(&self, sent: &NameFields) -> Result<Map<String, Value>, Fault> {
        let format = Format::of(sent)?;
        let mut data = Map::new();
        let mut set = |name: &str, value: Value| drop(data.insert(name.to_owned(), value));
        let own = self.certificate.to_pem();
        set("serial_number", serial_text(self.certificate.serial()).into());
        set("expiration", self.certificate.not_after().into());
        set("issuing_ca", format.text(&self.issuer.certificate).into());
        let chain: Vec<Value> = self.chain.iter().map(|pem| format.text(pem).into()).collect();
        set("ca_chain", chain.into());
        let mut bundle: Vec<String> = Vec::new();
        if let Some(key) = self.key {
            let text = key_text(key, format, sent)?;
            if format == Format::Bundle {
                bundle.push(text.clone());
            }
            set("private_key", text.into());
            set("private_key_type", key.kind().name().into());
        }
        bundle.push(format.text(&own));
        if format == Format::Bundle {
            bundle.extend(self.chain.iter().filter(|pem| **pem != own).map(|pem| format.text(pem)));
        }
        set("certificate", bundle.join("\n").into());
        Ok(data)
    }
}

/// A private key as text.
pub(super) fn key_text(key: &PrivateKey, format: Format, sent: &NameFields) -> Result<String, Fault> {
    let pkcs8 = sent.private_key_format == "pkcs8";
    if format == Format::Der {
        let der = if pkcs8 { key.to_pkcs8() } else { key.to_traditional().map(|(_, der)| der) };
        return Ok(STANDARD.encode(der.map_err(internal)?.as_slice()));
    }
    let pem = key.to_pem(pkcs8).map_err(internal)?;
    Ok(pem.as_str().trim_end().to_owned())
}

/// A chain without those that signed themselves.
pub(super) fn without_roots(chain: Vec<String>) -> Vec<String> {
    let is_root = |pem: &String| Certificate::from_pem(pem).is_ok_and(|certificate| certificate.is_self_signed());
    chain.into_iter().filter(|pem| !is_root(pem)).collect()
}
