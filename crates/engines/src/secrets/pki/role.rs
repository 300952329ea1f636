//! A role as it is stored, at `role/<name>`: which names, keys and times it allows.

use super::wire_role::{WriteRole, WriteRoleMore};
use super::block::Block;
use engine::crypto::x509::{Hash, KeyKind, Policy, PublicKey, SignatureScheme, Subject, oid_is_valid};
use engine::{CommaList, Cx, Fault, Record, Seconds};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::sync::Arc;

/// Where the roles are.
pub(super) const ROLES: &str = "role/";
/// Longest name, in bytes.
const NAME_BYTES_MAX: usize = 512;

/// A role, member by member as the API shows it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Role {
    pub(super) allow_any_name: bool,
    pub(super) allow_bare_domains: bool,
    pub(super) allow_glob_domains: bool,
    pub(super) allow_globs_in_identity_templates: bool,
    pub(super) allow_ip_sans: bool,
    pub(super) allow_localhost: bool,
    pub(super) allow_subdomains: bool,
    pub(super) allow_token_displayname: bool,
    pub(super) allow_wildcard_certificates: bool,
    pub(super) allowed_domains: Vec<String>,
    pub(super) allowed_domains_template: bool,
    pub(super) allowed_ip_sans_cidr: Vec<String>,
    pub(super) allowed_other_sans: Vec<String>,
    pub(super) allowed_serial_numbers: Vec<String>,
    pub(super) allowed_uri_sans: Vec<String>,
    pub(super) allowed_uri_sans_template: bool,
    pub(super) allowed_user_ids: Vec<String>,
    pub(super) basic_constraints_valid_for_non_ca: bool,
    pub(super) client_flag: bool,
    pub(super) cn_validations: Vec<String>,
    pub(super) code_signing_flag: bool,
    pub(super) country: Vec<String>,
    pub(super) email_protection_flag: bool,
    pub(super) enforce_hostnames: bool,
    pub(super) ext_key_usage: Vec<String>,
    pub(super) ext_key_usage_oids: Vec<String>,
    pub(super) generate_lease: bool,
    pub(super) issuer_ref: String,
    pub(super) key_bits: i64,
    pub(super) key_type: String,
    pub(super) key_usage: Vec<String>,
    pub(super) locality: Vec<String>,
    pub(super) max_ttl: i64,
    pub(super) no_store: bool,
    pub(super) not_after: String,
    pub(super) not_after_bound: String,
    pub(super) not_before: String,
    pub(super) not_before_bound: String,
    pub(super) not_before_duration: i64,
    pub(super) organization: Vec<String>,
    pub(super) ou: Vec<String>,
    pub(super) policy_identifiers: Vec<String>,
    pub(super) postal_code: Vec<String>,
    pub(super) province: Vec<String>,
    pub(super) require_cn: bool,
    pub(super) server_flag: bool,
    pub(super) signature_bits: i64,
    pub(super) street_address: Vec<String>,
    pub(super) ttl: i64,
    pub(super) use_csr_common_name: bool,
    pub(super) use_csr_sans: bool,
    pub(super) use_pss: bool,
}

impl Record for Role {
    const KIND: &'static str = "pki-role/1";
}

impl Default for Role {
    fn default() -> Self {
        let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
        Self {
            allow_any_name: false,
            allow_bare_domains: false,
            allow_glob_domains: false,
            allow_globs_in_identity_templates: false,
            allow_ip_sans: true,
            allow_localhost: true,
            allow_subdomains: false,
            allow_token_displayname: false,
            allow_wildcard_certificates: true,
            allowed_domains: Vec::new(),
            allowed_domains_template: false,
            allowed_ip_sans_cidr: Vec::new(),
            allowed_other_sans: Vec::new(),
            allowed_serial_numbers: Vec::new(),
            allowed_uri_sans: Vec::new(),
            allowed_uri_sans_template: false,
            allowed_user_ids: Vec::new(),
            basic_constraints_valid_for_non_ca: false,
            client_flag: true,
            cn_validations: words(&["email", "hostname"]),
            code_signing_flag: false,
            country: Vec::new(),
            email_protection_flag: false,
            enforce_hostnames: true,
            ext_key_usage: Vec::new(),
            ext_key_usage_oids: Vec::new(),
            generate_lease: false,
            issuer_ref: "default".to_owned(),
            key_bits: 0,
            key_type: "rsa".to_owned(),
            key_usage: words(&["DigitalSignature", "KeyAgreement", "KeyEncipherment"]),
            locality: Vec::new(),
            max_ttl: 0,
            no_store: false,
            not_after: String::new(),
            not_after_bound: "permit".to_owned(),
            not_before: String::new(),
            not_before_bound: "permit".to_owned(),
            not_before_duration: 30,
            organization: Vec::new(),
            ou: Vec::new(),
            policy_identifiers: Vec::new(),
            postal_code: Vec::new(),
            province: Vec::new(),
            require_cn: true,
            server_flag: true,
            signature_bits: 0,
            street_address: Vec::new(),
            ttl: 0,
            use_csr_common_name: true,
            use_csr_sans: true,
            use_pss: false,
        }
    }
}

/// Whether a name is one that roles, issuers and keys may have: letters, digits and `_`, with `-` and `.` inside. Names
/// keep their case, so that a path has one spelling for each.
pub(super) fn name_is_valid(name: &str) -> bool {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = name.as_bytes();
    bytes.first().is_some_and(word)
        && bytes.last().is_some_and(word)
        && bytes.iter().all(|byte| word(byte) || matches!(byte, b'-' | b'.'))
        && bytes.len() <= NAME_BYTES_MAX
}

impl Role {
    /// The role of a name.
    pub(super) fn load(cx: &mut Cx, name: &str) -> Result<Option<Arc<Self>>, Fault> {
        if !name_is_valid(name) {
            return Ok(None);
        }
        Ok(cx.tx.load_shared(&format!("{ROLES}{name}"))?)
    }

    /// The role of a name, for issuing.
    pub(super) fn find(cx: &mut Cx, name: &str) -> Result<Arc<Self>, Fault> {
        Self::load(cx, name)?.ok_or_else(|| Fault::invalid(format!("unknown role: {name}")))
    }

    /// Stores it.
    pub(super) fn save(&self, cx: &mut Cx, name: &str) -> Result<(), Fault> {
        Ok(cx.tx.save(&format!("{ROLES}{name}"), self)?)
    }

    /// The blocks that addresses have to lie in.
    pub(super) fn ip_blocks(&self) -> Vec<Block> {
        self.allowed_ip_sans_cidr.iter().filter_map(|text| Block::parse(text)).collect()
    }

    /// The parts of the subject that the role sets.
    pub(super) fn subject(&self) -> Subject {
        Subject {
            country: self.country.clone(),
            organization: self.organization.clone(),
            organizational_unit: self.ou.clone(),
            locality: self.locality.clone(),
            province: self.province.clone(),
            street_address: self.street_address.clone(),
            postal_code: self.postal_code.clone(),
            ..Subject::default()
        }
    }

    /// The policies of its certificates.
    pub(super) fn policies(&self) -> Vec<Policy> {
        self.policy_identifiers.iter().filter_map(|text| policy(text)).collect()
    }

    /// Checks the key of a request: its kind, and that it is no shorter than the role wants.
    pub(super) fn check_key(&self, key: &PublicKey) -> Result<(), Fault> {
        let kind = key.kind();
        if matches!(kind, KeyKind::Rsa(bits) if bits < 2048) {
            return Err(Fault::invalid("RSA keys < 2048 bits are unsafe and not supported"));
        }
        if self.key_type == "any" {
            return Ok(());
        }
        if kind.name() != self.key_type {
            return Err(Fault::invalid(format!("role requires keys of type {}", self.key_type)));
        }
        let (bits, wanted) = (i64::from(kind.bits()), self.key_bits);
        if bits < wanted {
            return Err(Fault::invalid(format!(
                "role requires a minimum of a {wanted}-bit key, but CSR's key is {bits} bits"
            )));
        }
        Ok(())
    }

    /// How an issuer's key signs its certificates.
    pub(super) fn scheme(&self, signer: KeyKind) -> SignatureScheme {
        SignatureScheme::of(signer, Hash::of_bits(self.signature_bits).unwrap_or(Hash::Sha256), self.use_pss)
    }

    /// Takes what was sent; the whole is checked afterwards.
    pub(super) fn apply(&mut self, sent: WriteRole, more: WriteRoleMore) {
        self.apply_flags(&sent, &more);
        self.apply_values(sent, more);
    }

    fn apply_flags(&mut self, sent: &WriteRole, more: &WriteRoleMore) {
        let flags = [
            (&mut self.allow_localhost, sent.allow_localhost),
            (&mut self.allowed_domains_template, sent.allowed_domains_template),
            (&mut self.allow_globs_in_identity_templates, sent.allow_globs_in_identity_templates),
            (&mut self.allow_bare_domains, sent.allow_bare_domains),
            (&mut self.allow_subdomains, sent.allow_subdomains),
            (&mut self.allow_glob_domains, sent.allow_glob_domains),
            (&mut self.allow_wildcard_certificates, sent.allow_wildcard_certificates),
            (&mut self.allow_any_name, sent.allow_any_name),
            (&mut self.enforce_hostnames, sent.enforce_hostnames),
            (&mut self.allow_ip_sans, sent.allow_ip_sans),
            (&mut self.allowed_uri_sans_template, sent.allowed_uri_sans_template),
            (&mut self.server_flag, sent.server_flag),
            (&mut self.client_flag, sent.client_flag),
            (&mut self.code_signing_flag, sent.code_signing_flag),
            (&mut self.email_protection_flag, sent.email_protection_flag),
            (&mut self.use_pss, sent.use_pss),
            (&mut self.use_csr_common_name, sent.use_csr_common_name),
            (&mut self.use_csr_sans, sent.use_csr_sans),
            (&mut self.generate_lease, more.generate_lease),
            (&mut self.no_store, more.no_store),
            (&mut self.require_cn, more.require_cn),
            (&mut self.basic_constraints_valid_for_non_ca, more.basic_constraints_valid_for_non_ca),
        ];
        flags.into_iter().for_each(|(kept, sent)| *kept = sent.unwrap_or(*kept));
    }

    fn apply_values(&mut self, sent: WriteRole, more: WriteRoleMore) {
        let seconds = |sent: Option<Seconds>| sent.map(|Seconds(seconds)| seconds);
        let numbers = [
            (&mut self.ttl, seconds(sent.ttl)),
            (&mut self.max_ttl, seconds(sent.max_ttl)),
            (&mut self.key_bits, sent.key_bits),
            (&mut self.signature_bits, sent.signature_bits),
            (&mut self.not_before_duration, seconds(more.not_before_duration)),
        ];
        numbers.into_iter().for_each(|(kept, sent)| *kept = sent.unwrap_or(*kept));
        let texts = [
            (&mut self.key_type, sent.key_type),
            (&mut self.not_after, more.not_after),
            (&mut self.not_before, more.not_before),
            (&mut self.not_before_bound, more.not_before_bound),
            (&mut self.not_after_bound, more.not_after_bound),
            (&mut self.issuer_ref, more.issuer_ref),
        ];
        texts.into_iter().for_each(|(kept, sent)| kept.clone_from(&sent.unwrap_or_else(|| kept.clone())));
        let policies = more.policy_identifiers.map(|list| CommaList(split_policies(list.0)));
        let lists = [
            (&mut self.allowed_domains, sent.allowed_domains),
            (&mut self.allowed_ip_sans_cidr, sent.allowed_ip_sans_cidr),
            (&mut self.allowed_uri_sans, sent.allowed_uri_sans),
            (&mut self.allowed_other_sans, sent.allowed_other_sans),
            (&mut self.allowed_serial_numbers, sent.allowed_serial_numbers),
            (&mut self.allowed_user_ids, sent.allowed_user_ids),
            (&mut self.key_usage, sent.key_usage),
            (&mut self.ext_key_usage, sent.ext_key_usage),
            (&mut self.ext_key_usage_oids, sent.ext_key_usage_oids),
            (&mut self.cn_validations, more.cn_validations),
            (&mut self.ou, more.ou),
            (&mut self.organization, more.organization),
            (&mut self.country, more.country),
            (&mut self.locality, more.locality),
            (&mut self.province, more.province),
            (&mut self.street_address, more.street_address),
            (&mut self.postal_code, more.postal_code),
            (&mut self.policy_identifiers, policies),
        ];
        lists.into_iter().for_each(|(kept, sent)| {
            if let Some(CommaList(sent)) = sent {
                *kept = sent;
            }
        });
    }
}

/// A list that came as one text is split at commas, unless it is JSON.
fn split_policies(list: Vec<String>) -> Vec<String> {
    let parts = |text: String| -> Vec<String> {
        if let Ok(Value::Array(values)) = serde_json::from_str(&text) {
            return values.iter().map(ToString::to_string).collect();
        }
        if text.trim_start().starts_with('{') {
            return vec![text];
        }
        text.split(',').map(|part| part.trim().to_owned()).filter(|part| !part.is_empty()).collect()
    };
    list.into_iter().flat_map(parts).collect()
}

pub(super) fn policy(text: &str) -> Option<Policy> {
    if oid_is_valid(text) {
        return Some(Policy { oid: text.to_owned(), ..Policy::default() });
    }
    let Ok(Value::Object(members)) = serde_json::from_str(text) else { return None };
    let member = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default().to_owned();
    let policy = Policy { oid: member("oid"), practice_statement: member("cps"), notice: member("notice") };
    oid_is_valid(&policy.oid).then_some(policy)
}
