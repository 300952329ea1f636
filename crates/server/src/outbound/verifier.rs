//! Who is believed where an operator gives certificates of authorities: what they vouch for, and they themselves.
//!
//! A self-signed certificate of a server, marked as an authority as most tools mark it, may be given as its own
//! authority; webpki refuses an authority as a server. Since its name, its dates and the proof that the server has its
//! key are checked all the same, the operator's word for exactly these bytes is as good as a signature.

use rustls::client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier};
use rustls::client::{WebPkiServerVerifier, verify_server_name};
use rustls::pki_types::pem::PemObject as _;
use rustls::pki_types::{CertificateDer, ServerName, UnixTime};
use rustls::server::ParsedCertificate;
use rustls::{CertificateError, ClientConfig, DigitallySignedStruct, Error, RootCertStore, SignatureScheme};
use std::sync::Arc;

/// Verifies by given certificates.
#[derive(Debug)]
struct Given {
    authorities: Vec<CertificateDer<'static>>,
    by_signature: Arc<WebPkiServerVerifier>,
}

/// TLS that believes these certificates, in PEM, and nobody else; `None` if there are none in it, or too many.
pub(super) fn tls(pem: &str, authorities_max: usize) -> Option<ClientConfig> {
    let authorities: Vec<CertificateDer<'static>> =
        CertificateDer::pem_slice_iter(pem.as_bytes()).collect::<Result<_, _>>().ok()?;
    if authorities.is_empty() || authorities.len() > authorities_max {
        return None;
    }
    let mut roots = RootCertStore::empty();
    for authority in &authorities {
        roots.add(authority.clone()).ok()?;
    }
    let by_signature = WebPkiServerVerifier::builder(Arc::new(roots)).build().ok()?;
    let given = Given { authorities, by_signature };
    Some(ClientConfig::builder().dangerous().with_custom_certificate_verifier(Arc::new(given)).with_no_client_auth())
}

impl ServerCertVerifier for Given {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, Error> {
        let by_signature =
            self.by_signature.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now);
        match by_signature {
            // webpki says this of a certificate whose dates hold only.
            Err(error) if is_authority(&error) && self.authorities.contains(end_entity) => {
                verify_server_name(&ParsedCertificate::try_from(end_entity)?, server_name)?;
                Ok(ServerCertVerified::assertion())
            }
            other => other,
        }
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_signature.verify_tls12_signature(message, cert, dss)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        cert: &CertificateDer<'_>,
        dss: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, Error> {
        self.by_signature.verify_tls13_signature(message, cert, dss)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.by_signature.supported_verify_schemes()
    }
}

/// Whether a certificate was refused for being one of an authority.
fn is_authority(error: &Error) -> bool {
    let Error::InvalidCertificate(CertificateError::Other(other)) = error else { return false };
    matches!(other.0.downcast_ref(), Some(webpki::Error::CaUsedAsEndEntity))
}

#[cfg(test)]
mod tests {
    use super::*;
    use rcgen::{BasicConstraints, CertificateParams, IsCa, KeyPair, date_time_ymd};

    /// A self-signed certificate of an authority for `localhost`, until the end of a year.
    fn certificate(year: i32) -> rcgen::Certificate {
        let mut params = CertificateParams::new(["localhost".to_owned()]).unwrap();
        params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
        params.not_before = date_time_ymd(2020, 1, 1);
        params.not_after = date_time_ymd(year, 12, 31);
        params.self_signed(&KeyPair::generate().unwrap()).unwrap()
    }

    fn verified(given: &[&rcgen::Certificate], shown: &rcgen::Certificate, name: &'static str) -> bool {
        let _ = rustls::crypto::aws_lc_rs::default_provider().install_default();
        let authorities: Vec<_> = given.iter().map(|certificate| certificate.der().clone()).collect();
        let mut roots = RootCertStore::empty();
        roots.add_parsable_certificates(authorities.clone());
        let by_signature = WebPkiServerVerifier::builder(Arc::new(roots)).build().unwrap();
        let given = Given { authorities, by_signature };
        let (name, now) = (ServerName::try_from(name).unwrap(), UnixTime::since_unix_epoch(NOW));
        given.verify_server_cert(shown.der(), &[], &name, &[], now).is_ok()
    }

    const NOW: std::time::Duration = std::time::Duration::from_secs(1_800_000_000);

    #[test]
    fn a_self_signed_server_is_its_own_authority_by_name_and_date() {
        let (own, other, old) = (certificate(2100), certificate(2100), certificate(2021));
        assert!(verified(&[&own], &own, "localhost"));
        assert!(verified(&[&other, &own], &own, "localhost"));
        assert!(!verified(&[&own], &own, "elsewhere"));
        assert!(!verified(&[&other], &own, "localhost"));
        assert!(!verified(&[&old], &old, "localhost"));
    }

    #[test]
    fn what_holds_no_certificate_is_no_authority() {
        for pem in ["", "nope", "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n"] {
            assert!(tls(pem, 8).is_none(), "{pem}");
        }
    }
}
