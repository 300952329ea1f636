//! What makes a role a sound one, looked at when it is written.

use super::block::Block;
use super::key::kind_of;
use super::names::parse_other;
use super::role::{Role, policy};
use engine::crypto::x509::oid_is_valid;
use engine::{Fault, Timestamp};

impl Role {
    /// Checks the whole and completes it; returns warnings.
    pub(super) fn check(&mut self) -> Result<Vec<String>, Fault> {
        self.check_kinds()?;
        self.check_names()?;
        if self.ttl < 0 || self.max_ttl < 0 || self.not_before_duration < 0 {
            return Err(Fault::invalid("a duration cannot be negative"));
        }
        if self.max_ttl != 0 && self.ttl > self.max_ttl {
            return Err(Fault::invalid("\"ttl\" value must be less than \"max_ttl\" value"));
        }
        self.check_bounds()?;
        let mut warnings = Vec::new();
        if self.no_store && self.generate_lease {
            self.generate_lease = false;
            warnings.push(
                "mutually exclusive values no_store=true and generate_lease=true were both specified; no_store=true \
                 takes priority"
                    .to_owned(),
            );
        }
        if self.generate_lease {
            warnings.push(
                "it is encouraged to disable generate_lease and rely on PKI's native capabilities when possible; this \
                 option can cause instance-wide issues with large numbers of issued certificates"
                    .to_owned(),
            );
        }
        if self.issuer_ref.is_empty() {
            self.issuer_ref = "default".to_owned();
        }
        Ok(warnings)
    }

    fn check_kinds(&mut self) -> Result<(), Fault> {
        if self.key_type == "any" {
            (self.key_bits, self.signature_bits) = (0, 0);
            return Ok(());
        }
        let kind = kind_of(&self.key_type, self.key_bits)?;
        self.key_bits = i64::from(kind.bits());
        if !matches!(self.signature_bits, 0 | 256 | 384 | 512) {
            return Err(Fault::invalid(format!("unsupported hash signature algorithm: {}", self.signature_bits)));
        }
        if self.signature_bits == 0 && self.key_type == "rsa" {
            self.signature_bits = 256;
        }
        Ok(())
    }

    fn check_names(&self) -> Result<(), Fault> {
        for oid in &self.ext_key_usage_oids {
            if !oid_is_valid(oid) {
                return Err(Fault::invalid(format!(
                    "{oid:?} could not be parsed as a valid oid for an extended key usage"
                )));
            }
        }
        if let Some(bad) = self.policy_identifiers.iter().find(|text| policy(text).is_none()) {
            return Err(Fault::upstream_error(format!(
                "policy identifier {bad:?} is neither a valid OID nor a JSON policy identifier"
            )));
        }
        let known = |kind: &&String| !matches!(kind.as_str(), "email" | "hostname" | "disabled");
        if let Some(bad) = self.cn_validations.iter().find(known) {
            return Err(Fault::upstream_error(format!("cn_validations value incorrect: unknown type: `{bad}`")));
        }
        if let Some(bad) = self.allowed_ip_sans_cidr.iter().find(|text| Block::parse(text).is_none()) {
            return Err(Fault::invalid(format!("error parsing allowed_ip_sans_cidr: invalid CIDR address: {bad}")));
        }
        for text in self.allowed_other_sans.iter().filter(|text| *text != "*") {
            parse_other(text).map_err(|error| Fault::invalid(format!("error parsing allowed_other_sans: {error}")))?;
        }
        // Templates are not filled in here; one that were taken as a plain name would allow what nobody meant.
        if self.allowed_domains.iter().chain(&self.allowed_uri_sans).any(|name| name.contains("{{")) {
            return Err(Fault::invalid("identity templates in allowed_domains and allowed_uri_sans are not supported"));
        }
        Ok(())
    }

    fn check_bounds(&self) -> Result<(), Fault> {
        if !matches!(self.not_before_bound.as_str(), "permit" | "duration" | "forbid") {
            return Err(Fault::invalid(
                "Unknown value for field `not_before_bound`. Possible values are `permit` `duration` or `forbid`",
            ));
        }
        let named = matches!(self.not_after_bound.as_str(), "permit" | "ttl-limited" | "forbid");
        if !named && Timestamp::parse_rfc3339(&self.not_after_bound).is_err() {
            return Err(Fault::invalid(
                "Unknown value for field `not_after_bound`. Possible values are `permit`, `ttl-limited`, `forbid`, or an \
                 explicit timestamp.",
            ));
        }
        Ok(())
    }
}
