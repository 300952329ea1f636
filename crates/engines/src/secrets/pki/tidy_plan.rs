//! What a run of tidying looks for, and how long after their end things are kept.

use super::config::parsed;
use super::wire::TidyFields;
use engine::{Fault, Record, Seconds};
use serde::{Deserialize, Serialize};

/// Certificates looked at in one step.
pub(super) const PAGE_SIZE_MAX: i64 = 1000;

/// What tidying does, and when; member by member as the API shows it.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Plan {
    pub(super) acme_account_safety_buffer: i64,
    pub(super) enabled: bool,
    pub(super) interval_duration: i64,
    pub(super) issuer_safety_buffer: i64,
    pub(super) maintain_stored_certificate_counts: bool,
    pub(super) page_size: i64,
    pub(super) pause_duration: String,
    pub(super) publish_stored_certificate_count_metrics: bool,
    pub(super) revoked_safety_buffer: i64,
    pub(super) safety_buffer: i64,
    pub(super) tidy_acme: bool,
    pub(super) tidy_cert_store: bool,
    pub(super) tidy_expired_issuers: bool,
    pub(super) tidy_invalid_certs: bool,
    pub(super) tidy_move_legacy_ca_bundle: bool,
    pub(super) tidy_revoked_cert_issuer_associations: bool,
    pub(super) tidy_revoked_certs: bool,
}

impl Record for Plan {
    const KIND: &'static str = "pki-auto-tidy/1";
}

impl Default for Plan {
    fn default() -> Self {
        Self {
            acme_account_safety_buffer: 2_592_000,
            enabled: false,
            interval_duration: 43_200,
            issuer_safety_buffer: 31_536_000,
            maintain_stored_certificate_counts: false,
            page_size: PAGE_SIZE_MAX,
            pause_duration: "0s".to_owned(),
            publish_stored_certificate_count_metrics: false,
            revoked_safety_buffer: 259_200,
            safety_buffer: 259_200,
            tidy_acme: false,
            tidy_cert_store: false,
            tidy_expired_issuers: false,
            tidy_invalid_certs: false,
            tidy_move_legacy_ca_bundle: false,
            tidy_revoked_cert_issuer_associations: false,
            tidy_revoked_certs: false,
        }
    }
}

impl Plan {
    /// Takes what was sent; `config` says in whose words a fault is told.
    pub(super) fn apply(&mut self, sent: TidyFields, config: bool) -> Result<(), Fault> {
        let flags = [
            (&mut self.tidy_acme, sent.tidy_acme),
            (&mut self.tidy_cert_store, sent.tidy_cert_store),
            (&mut self.tidy_expired_issuers, sent.tidy_expired_issuers),
            (&mut self.tidy_invalid_certs, sent.tidy_invalid_certs),
            (&mut self.tidy_move_legacy_ca_bundle, sent.tidy_move_legacy_ca_bundle),
            (&mut self.tidy_revoked_cert_issuer_associations, sent.tidy_revoked_cert_issuer_associations),
            (&mut self.tidy_revoked_certs, sent.tidy_revoked_certs.or(sent.tidy_revocation_list)),
        ];
        flags.into_iter().for_each(|(kept, sent)| *kept = sent.unwrap_or(*kept));
        let revoked = sent.revoked_safety_buffer.or(sent.safety_buffer);
        let buffers = [
            ("safety_buffer", &mut self.safety_buffer, sent.safety_buffer),
            ("revoked_safety_buffer", &mut self.revoked_safety_buffer, revoked),
            ("issuer_safety_buffer", &mut self.issuer_safety_buffer, sent.issuer_safety_buffer),
            ("acme_account_safety_buffer", &mut self.acme_account_safety_buffer, sent.acme_account_safety_buffer),
        ];
        for (name, kept, sent) in buffers {
            let Some(Seconds(seconds)) = sent else { continue };
            if seconds < 1 {
                return Err(Fault::invalid(if config {
                    format!("given {name} must be at least one second; got: {seconds}")
                } else {
                    format!("{name} must be greater than zero")
                }));
            }
            *kept = seconds;
        }
        if let Some(pause) = sent.pause_duration {
            if parsed(&pause).is_none() {
                return Err(Fault::invalid("pause_duration is no duration"));
            }
            self.pause_duration = pause;
        }
        if let Some(size) = sent.page_size {
            if size < 1 {
                return Err(Fault::invalid("page_size must be greater than zero"));
            }
            self.page_size = size;
        }
        Ok(())
    }

    /// Whether there is nothing to do.
    pub(super) const fn does_nothing(&self) -> bool {
        !(self.tidy_acme
            || self.tidy_cert_store
            || self.tidy_expired_issuers
            || self.tidy_invalid_certs
            || self.tidy_move_legacy_ca_bundle
            || self.tidy_revoked_cert_issuer_associations
            || self.tidy_revoked_certs)
    }
}
