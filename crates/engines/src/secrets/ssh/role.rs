//! A role as it is stored, at `role/<name>`.

use super::wire::{CaFields, CertificateFields, OtpFields, RoleFields, TemplateFields};
use engine::{BoundCidrs, Cx, Fault, Object, Record, Seconds};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;
use std::net::IpAddr;

const ROLES: &str = "role/";
/// Most entries of a list or map.
pub(super) const OPTIONS_MAX: usize = 1000;
/// Most blocks of a list of addresses.
pub(super) const BLOCKS_MAX: usize = 1000;
/// Most roles that are gone through.
pub(super) const ROLES_MAX: usize = 10_000;
const PORT_DEFAULT: i64 = 22;
const NOT_BEFORE_DEFAULT: i64 = 30;

/// A role.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Role {
    /// Who may be named.
    pub(super) default_user: String,
    /// As it was sent.
    pub(super) allowed_users: String,
    /// What it gives.
    pub(super) kind: Kind,
}

/// What a role gives.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) enum Kind {
    /// One-time passwords.
    Otp(Otp),
    /// Certificates.
    Ca(Box<Ca>),
}

/// A role of one-time passwords.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Otp {
    cidr_list: String,
    exclude_cidr_list: String,
    /// Only told to clients.
    pub(super) port: i64,
}

/// A role of certificates. Lists are kept as they were sent, durations in seconds.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Ca {
    pub(super) allow_user_certificates: bool,
    pub(super) allow_host_certificates: bool,
    pub(super) allowed_domains: String,
    pub(super) allow_bare_domains: bool,
    pub(super) allow_subdomains: bool,
    pub(super) allowed_critical_options: String,
    pub(super) allowed_extensions: String,
    pub(super) allow_user_key_ids: bool,
    pub(super) allowed_user_key_lengths: BTreeMap<String, Vec<i64>>,
    pub(super) ttl: i64,
    pub(super) max_ttl: i64,
    pub(super) not_before_duration: i64,
    pub(super) default_critical_options: BTreeMap<String, String>,
    pub(super) default_extensions: BTreeMap<String, String>,
    pub(super) key_id_format: String,
    pub(super) algorithm_signer: String,
    pub(super) issuer_ref: String,
}

impl Record for Role {
    const KIND: &'static str = "ssh-role/1";
}

/// What a write of a role sends.
pub(super) type Sent = ((RoleFields, OtpFields), ((CaFields, CertificateFields), TemplateFields));

impl Role {
    /// The role of this name.
    pub(super) fn load(cx: &mut Cx, name: &str) -> Result<Option<Self>, Fault> {
        Ok(cx.tx.load(&format!("{ROLES}{name}"))?)
    }

    /// Writes it.
    pub(super) fn save(&self, cx: &mut Cx, name: &str) -> Result<(), Fault> {
        Ok(cx.tx.save(&format!("{ROLES}{name}"), self)?)
    }

    /// Deletes the role of this name; one that does not exist is no error.
    pub(super) fn delete(cx: &mut Cx, name: &str) {
        cx.tx.delete(&format!("{ROLES}{name}"));
    }

    /// The names of the roles.
    pub(super) fn names(cx: &mut Cx, page: &engine::Page) -> Result<Vec<String>, Fault> {
        Ok(cx.tx.list(ROLES, page)?)
    }

    /// How many roles name an authority by this reference.
    pub(super) fn signed_by(cx: &mut Cx, reference: &str) -> Result<usize, Fault> {
        let mut found = 0;
        for name in Self::names(cx, &engine::Page { limit: Some(ROLES_MAX), ..engine::Page::default() })? {
            let names_it = |role: &Self| matches!(&role.kind, Kind::Ca(ca) if ca.issuer_ref == reference);
            found += usize::from(Self::load(cx, &name)?.as_ref().is_some_and(names_it));
        }
        Ok(found)
    }

    /// The whole role that was sent: what is left out takes its default, as upstream.
    pub(super) fn parse(((role, otp), ((ca, certificate), templates)): Sent) -> Result<Self, Fault> {
        let default_user = role.default_user.unwrap_or_default();
        let allowed_users = role.allowed_users.unwrap_or_default();
        let kind = match role.key_type.as_deref().unwrap_or_default().to_lowercase().as_str() {
            "" => return Err(Fault::invalid("missing key type")),
            "dynamic" => return Err(Fault::invalid("dynamic key type roles are no longer supported")),
            "otp" if default_user.is_empty() => return Err(Fault::invalid("missing default user")),
            "otp" => Kind::Otp(Otp::parse(otp)?),
            "ca" => Kind::Ca(Box::new(Ca::parse(ca, certificate, templates)?)),
            _ => return Err(Fault::invalid("invalid key type")),
        };
        Ok(Self { default_user, allowed_users, kind })
    }

    /// What a read shows.
    pub(super) fn shown(&self) -> Value {
        match &self.kind {
            Kind::Otp(otp) => json!({
                "key_type": "otp",
                "default_user": self.default_user,
                "allowed_users": self.allowed_users,
                "cidr_list": otp.cidr_list,
                "exclude_cidr_list": otp.exclude_cidr_list,
                "port": otp.port,
            }),
            Kind::Ca(ca) => ca.shown(self),
        }
    }

    /// What a list tells of it.
    pub(super) fn summary(&self) -> Value {
        match &self.kind {
            Kind::Otp(_) => json!({ "key_type": "otp" }),
            Kind::Ca(ca) => json!({ "key_type": "ca", "issuer_ref": ca.issuer_ref }),
        }
    }
}

impl Otp {
    fn parse(sent: OtpFields) -> Result<Self, Fault> {
        let port = sent.port.filter(|port| *port != 0).unwrap_or(PORT_DEFAULT);
        let otp = Self {
            cidr_list: sent.cidr_list.unwrap_or_default(),
            exclude_cidr_list: sent.exclude_cidr_list.unwrap_or_default(),
            port,
        };
        blocks(&otp.cidr_list, "cidr_list")?;
        blocks(&otp.exclude_cidr_list, "exclude_cidr_list")?;
        Ok(otp)
    }

    /// Whether it serves an address; without blocks it serves none.
    pub(super) fn serves(&self, address: IpAddr) -> Result<bool, Fault> {
        let served = blocks(&self.cidr_list, "cidr_list")?;
        let excluded = blocks(&self.exclude_cidr_list, "exclude_cidr_list")?;
        let holds = |blocks: &BoundCidrs| !blocks.is_empty() && blocks.admit(Some(address));
        Ok(holds(&served) && !holds(&excluded))
    }
}

impl Ca {
    fn parse(sent: CaFields, certificate: CertificateFields, templates: TemplateFields) -> Result<Self, Fault> {
        refuse_unserved(&sent, &certificate, &templates)?;
        let seconds = |sent: Option<Seconds>, default: i64| sent.map_or(default, |seconds| seconds.0).max(0);
        let ca = Self {
            allow_user_certificates: sent.allow_user_certificates.unwrap_or_default(),
            allow_host_certificates: sent.allow_host_certificates.unwrap_or_default(),
            allowed_domains: sent.allowed_domains.unwrap_or_default(),
            allow_bare_domains: sent.allow_bare_domains.unwrap_or_default(),
            allow_subdomains: sent.allow_subdomains.unwrap_or_default(),
            allowed_critical_options: sent.allowed_critical_options.unwrap_or_default(),
            allowed_extensions: sent.allowed_extensions.unwrap_or_default(),
            allow_user_key_ids: sent.allow_user_key_ids.unwrap_or_default(),
            allowed_user_key_lengths: lengths(sent.allowed_user_key_lengths.unwrap_or_default())?,
            ttl: seconds(certificate.ttl, 0),
            max_ttl: seconds(certificate.max_ttl, 0),
            not_before_duration: seconds(certificate.not_before_duration, NOT_BEFORE_DEFAULT),
            default_critical_options: options(certificate.default_critical_options.unwrap_or_default())?,
            default_extensions: options(certificate.default_extensions.unwrap_or_default())?,
            key_id_format: certificate.key_id_format.unwrap_or_default(),
            algorithm_signer: non_empty(certificate.algorithm_signer),
            issuer_ref: non_empty(certificate.issuer_ref),
        };
        if !ca.allow_user_certificates && !ca.allow_host_certificates {
            return Err(Fault::invalid(
                "Either 'allow_user_certificates' or 'allow_host_certificates' must be set to 'true'",
            ));
        }
        if ca.max_ttl > 0 && ca.ttl > ca.max_ttl {
            return Err(Fault::invalid("\"ttl\" value must be less than \"max_ttl\" when both are specified"));
        }
        Ok(ca)
    }

    fn shown(&self, role: &Role) -> Value {
        let mut data = Map::new();
        for (name, value) in [
            ("allow_user_certificates", self.allow_user_certificates),
            ("allow_host_certificates", self.allow_host_certificates),
            ("allow_bare_domains", self.allow_bare_domains),
            ("allow_subdomains", self.allow_subdomains),
            ("allow_user_key_ids", self.allow_user_key_ids),
            ("allow_empty_principals", false),
            ("allow_commas_in_identity_templates", false),
            ("default_user_template", false),
            ("allowed_users_template", false),
            ("allowed_domains_template", false),
            ("default_extensions_template", false),
        ] {
            data.insert(name.to_owned(), value.into());
        }
        for (name, value) in [
            ("key_type", "ca"),
            ("default_user", &role.default_user),
            ("allowed_users", &role.allowed_users),
            ("allowed_domains", &self.allowed_domains),
            ("allowed_critical_options", &self.allowed_critical_options),
            ("allowed_extensions", &self.allowed_extensions),
            ("key_id_format", &self.key_id_format),
            ("algorithm_signer", &self.algorithm_signer),
            ("issuer_ref", &self.issuer_ref),
        ] {
            data.insert(name.to_owned(), value.into());
        }
        for (name, value) in
            [("ttl", self.ttl), ("max_ttl", self.max_ttl), ("not_before_duration", self.not_before_duration)]
        {
            data.insert(name.to_owned(), value.into());
        }
        data.insert("allowed_user_key_lengths".into(), json!(self.allowed_user_key_lengths));
        data.insert("default_critical_options".into(), json!(self.default_critical_options));
        data.insert("default_extensions".into(), json!(self.default_extensions));
        Value::Object(data)
    }
}

/// What would be wrong to take and not to do.
fn refuse_unserved(sent: &CaFields, certificate: &CertificateFields, templates: &TemplateFields) -> Result<(), Fault> {
    let templated = [
        templates.default_user_template,
        templates.allowed_users_template,
        templates.allowed_domains_template,
        templates.default_extensions_template,
        templates.allow_commas_in_identity_templates,
    ];
    if templated.contains(&Some(true)) {
        return Err(Fault::invalid("identity templates are not supported in roles of certificates"));
    }
    if sent.allow_empty_principals == Some(true) {
        return Err(Fault::invalid("certificates without principals, which hold for everybody, are not issued"));
    }
    match certificate.algorithm_signer.as_deref().unwrap_or_default() {
        "" | "default" | "rsa-sha2-256" | "rsa-sha2-512" => Ok(()),
        "ssh-rsa" => Err(Fault::invalid("algorithm signer \"ssh-rsa\" is not supported: it signs with SHA-1")),
        other => Err(Fault::invalid(format!("unknown algorithm signer {other:?}"))),
    }
}

fn non_empty(sent: Option<String>) -> String {
    sent.filter(|text| !text.is_empty()).unwrap_or_else(|| "default".to_owned())
}

/// The entries of a list with commas between, blanks around them taken off.
pub(super) fn entries(list: &str) -> Vec<&str> {
    list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).collect()
}

/// Options or extensions: texts by name.
pub(super) fn options(sent: Object) -> Result<BTreeMap<String, String>, Fault> {
    if sent.0.len() > OPTIONS_MAX {
        return Err(Fault::invalid(format!("more than {OPTIONS_MAX} options or extensions")));
    }
    let texts = sent.0.into_iter().map(|(name, value)| match value {
        Value::String(text) => Ok((name, text)),
        Value::Number(number) => Ok((name, number.to_string())),
        Value::Bool(flag) => Ok((name, if flag { "1" } else { "0" }.to_owned())),
        Value::Null => Ok((name, String::new())),
        _ => Err(Fault::invalid("values of options and extensions are strings")),
    });
    texts.collect()
}

/// Lengths by type of key: a number, a list of numbers, or a text of them with commas between.
fn lengths(sent: Object) -> Result<BTreeMap<String, Vec<i64>>, Fault> {
    let wrong = || Fault::invalid("error processing allowed_user_key_lengths: expected numbers");
    if sent.0.len() > OPTIONS_MAX {
        return Err(wrong());
    }
    let number = |value: &Value| match value {
        Value::Number(number) => number.as_i64().ok_or_else(wrong),
        Value::String(text) => text.trim().parse().map_err(|_| wrong()),
        _ => Err(wrong()),
    };
    let each = sent.0.iter().map(|(kind, value)| {
        let numbers: Result<Vec<i64>, Fault> = match value {
            Value::Array(items) => items.iter().map(number).collect(),
            Value::String(text) => text.split(',').map(|part| number(&Value::String(part.to_owned()))).collect(),
            other => number(other).map(|one| vec![one]),
        };
        Ok((kind.clone(), numbers?))
    });
    each.collect()
}

fn blocks(list: &str, name: &str) -> Result<BoundCidrs, Fault> {
    let blocks: Vec<String> = entries(list).into_iter().map(str::to_owned).collect();
    for block in &blocks {
        if !block.contains('/') || blocks.len() > BLOCKS_MAX || BoundCidrs::parse(std::slice::from_ref(block)).is_err() {
            return Err(Fault::invalid(format!("failed to validate {name}: invalid CIDR address: {block}")));
        }
    }
    BoundCidrs::parse(&blocks)
}
