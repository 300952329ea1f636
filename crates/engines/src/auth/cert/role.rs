//! A role as it is stored, at `cert/<name>`.

use super::constraints::Constraints;
use super::wire::{OldFields, RoleFields};
use engine::crypto::client_certificate::Certificate;
use engine::{Cx, Fault, Name, Page, Record, TokenFields, TokenParams};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::sync::Arc;

const ROLES: &str = "cert/";
/// Most certificates of a role.
pub(super) const CERTIFICATES_MAX: usize = 100;
/// Most roles that a login without a name tries.
pub(super) const ROLES_MAX: usize = 10_000;

/// A role.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Role {
    /// What it trusts, as it was sent.
    pub(super) certificate: String,
    /// Shown in audit and token look-ups.
    pub(super) display_name: String,
    /// What a certificate has to say.
    pub(super) constraints: Constraints,
    /// Kept because clients read them back: OCSP is not served, and cannot be enabled.
    ocsp_ca_certificates: String,
    ocsp_servers_override: Option<Vec<String>>,
    ocsp_query_all_servers: bool,
    /// Parameters of the tokens.
    pub(super) token: TokenParams,
    /// Which of them were last set by their old names, which a read then repeats.
    old: OldNames,
}

#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
struct OldNames {
    bound_cidrs: bool,
    policies: bool,
    ttl: bool,
    max_ttl: bool,
    period: bool,
}

impl Record for Role {
    const KIND: &'static str = "cert-role/1";
}

impl Role {
    /// The role of this name.
    pub(super) fn load(cx: &mut Cx, name: &Name) -> Result<Option<Arc<Self>>, Fault> {
        Ok(cx.tx.load_shared(&key(name))?)
    }

    /// Writes it.
    pub(super) fn save(&self, cx: &mut Cx, name: &Name) -> Result<(), Fault> {
        Ok(cx.tx.save(&key(name), self)?)
    }

    /// Deletes the role of this name; one that does not exist is no error.
    pub(super) fn delete(cx: &mut Cx, name: &Name) {
        cx.tx.delete(&key(name));
    }

    /// The names of the roles.
    pub(super) fn names(cx: &mut Cx, page: &Page) -> Result<Vec<String>, Fault> {
        Ok(cx.tx.list(ROLES, page)?)
    }

    /// The certificates it trusts. One that may not issue stands for itself; behind it nothing counts, as upstream, so
    /// that a bundle of a leaf and its issuer does not let in all that the issuer ever issued.
    pub(super) fn trusted(&self) -> Vec<Certificate> {
        let mut all = Certificate::from_pem(&self.certificate).unwrap_or_default();
        if all.first().is_some_and(|first| !first.is_ca) {
            all.truncate(1);
        }
        all
    }

    /// Lays what was sent over what is there, but for the parameters of tokens.
    pub(super) fn apply(&mut self, sent: RoleFields) -> Result<(), Fault> {
        if sent.ocsp_enabled == Some(true) || sent.ocsp_fail_open == Some(true) {
            return Err(Fault::invalid("OCSP is not supported: upload revocation lists to 'crls/' instead"));
        }
        self.certificate = sent.certificate.unwrap_or_else(|| self.certificate.clone());
        self.display_name = sent.display_name.unwrap_or_else(|| self.display_name.clone());
        self.ocsp_ca_certificates = sent.ocsp_ca_certificates.unwrap_or_else(|| self.ocsp_ca_certificates.clone());
        if let Some(servers) = sent.ocsp_servers_override {
            self.ocsp_servers_override = Some(servers.0);
        }
        self.ocsp_query_all_servers = sent.ocsp_query_all_servers.unwrap_or(self.ocsp_query_all_servers);
        let certificates = Certificate::from_pem(&self.certificate).filter(|all| !all.is_empty());
        let certificates = certificates.ok_or_else(|| Fault::invalid("failed to parse certificate"))?;
        if certificates.len() > CERTIFICATES_MAX {
            return Err(Fault::invalid(format!("a role trusts at most {CERTIFICATES_MAX} certificates")));
        }
        if certificates.first().is_some_and(|first| !first.is_ca && !first.is_client) {
            return Err(Fault::invalid(
                "nonCA certificates should have TLS client authentication set as an extended key usage",
            ));
        }
        Ok(())
    }

    /// The parameters of tokens, under their new and old names; the new ones win.
    pub(super) fn apply_token(&mut self, sent: OldFields, mut fields: TokenFields) -> Result<(), Fault> {
        if fields.token_type.as_deref().is_some_and(|kind| kind.starts_with("default-")) {
            let kind = fields.token_type.unwrap_or_default();
            return Err(Fault::invalid(format!("invalid 'token_type' value {kind:?}")));
        }
        let by_old_names = fields.token_ttl.is_none() && fields.token_max_ttl.is_none();
        merge(&mut fields.token_bound_cidrs, sent.bound_cidrs, &mut self.old.bound_cidrs);
        merge(&mut fields.token_policies, sent.policies, &mut self.old.policies);
        merge(&mut fields.token_ttl, sent.ttl.or(sent.lease), &mut self.old.ttl);
        merge(&mut fields.token_max_ttl, sent.max_ttl, &mut self.old.max_ttl);
        merge(&mut fields.token_period, sent.period, &mut self.old.period);
        let ttl = fields.token_ttl.map_or(self.token.ttl, |ttl| ttl.0);
        let max_ttl = fields.token_max_ttl.map_or(self.token.max_ttl, |ttl| ttl.0);
        if by_old_names && max_ttl > 0 && ttl > max_ttl {
            return Err(Fault::invalid("ttl should be shorter than max_ttl"));
        }
        fields.apply(&mut self.token)
    }

    /// What a read shows.
    pub(super) fn shown(&self) -> Value {
        let mut data = Map::new();
        data.insert("certificate".into(), self.certificate.clone().into());
        data.insert("display_name".into(), self.display_name.clone().into());
        data.insert("ocsp_enabled".into(), false.into());
        data.insert("ocsp_fail_open".into(), false.into());
        data.insert("ocsp_ca_certificates".into(), self.ocsp_ca_certificates.clone().into());
        data.insert("ocsp_servers_override".into(), json!(self.ocsp_servers_override));
        data.insert("ocsp_query_all_servers".into(), self.ocsp_query_all_servers.into());
        self.constraints.reply_into(&mut data);
        self.token.reply_into(&mut data);
        for (is_old, old, new) in [
            (self.old.bound_cidrs, "bound_cidrs", "token_bound_cidrs"),
            (self.old.policies, "policies", "token_policies"),
            (self.old.ttl, "ttl", "token_ttl"),
            (self.old.max_ttl, "max_ttl", "token_max_ttl"),
            (self.old.period, "period", "token_period"),
        ] {
            if let Some(value) = data.get(new).filter(|value| is_old && !is_zero(value)).cloned() {
                data.insert(old.into(), value);
            }
        }
        Value::Object(data)
    }
}

/// What was sent by the new name, else by the old one; and which of the two it was.
fn merge<T>(new: &mut Option<T>, old: Option<T>, is_old: &mut bool) {
    match (&new, &old) {
        (None, Some(_)) => *is_old = true,
        (Some(_), _) => *is_old = false,
        (None, None) => {}
    }
    *new = new.take().or(old);
}

fn is_zero(value: &Value) -> bool {
    value.as_i64() == Some(0) || value.as_array().is_some_and(Vec::is_empty)
}

fn key(name: &Name) -> String {
    format!("{ROLES}{name}")
}
