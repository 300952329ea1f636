//! Which names a role allows. Everything that a certificate names comes through [`Wanted::check`], wherever it was
//! asked: as a field, as the common name, or in a request's subject and extensions.

use super::role::Role;
use super::wire::NameFields;
use engine::Fault;
use engine::crypto::x509::{AlternativeNames, CertificateRequest, OtherName, oid_is_valid};
use engine::glob_matches;
use std::net::IpAddr;

/// Longest label of a host name (RFC 1035 section 2.3.4).
const LABEL_BYTES_MAX: usize = 63;
/// Longest host name, as text without the last dot.
const HOSTNAME_BYTES_MAX: usize = 253;
/// Longest common name (RFC 5280 appendix A.1, `ub-common-name`).
const COMMON_NAME_CHARACTERS_MAX: usize = 64;

/// Names that a certificate is asked for.
#[derive(Debug, Default)]
pub(super) struct Wanted {
    /// The common name.
    pub(super) common_name: String,
    /// The alternative names, the common name among them if it belongs there.
    pub(super) names: AlternativeNames,
    /// Serial number of the subject.
    pub(super) serial_number: String,
    /// User ids of the subject.
    pub(super) user_ids: Vec<String>,
    /// Whether the alternative names are those of a request.
    pub(super) names_from_request: bool,
}

impl Wanted {
    /// What was sent as fields alone.
    pub(super) fn from_fields(sent: &NameFields) -> Result<Self, Fault> {
        let mut wanted = Self {
            common_name: sent.common_name.clone(),
            names: sent_names(sent)?,
            serial_number: sent.serial_number.clone(),
            ..Self::default()
        };
        if !sent.exclude_cn_from_sans {
            wanted.add_common_name();
        }
        Ok(wanted)
    }

    /// What fields and request ask for together, as the role mixes them.
    pub(super) fn for_role(
        role: &Role,
        sent: &NameFields,
        user_ids: &[String],
        request: Option<&CertificateRequest>,
    ) -> Result<Self, Fault> {
        let subject = request.map(|request| request.subject().subject()).unwrap_or_default();
        if request.is_some_and(|request| request.subject().common_name_count() > 1) {
            return Err(Fault::invalid("the CSR has more than one common name"));
        }
        let asked = if role.use_csr_common_name { subject.common_name } else { String::new() };
        let common_name = if asked.is_empty() { sent.common_name.clone() } else { asked };
        if common_name.is_empty() && role.require_cn {
            return Err(Fault::invalid(
                "the common_name field is required, or must be provided in a CSR with \"use_csr_common_name\" set to \
                 true, unless \"require_cn\" is set to false",
            ));
        }
        let names_from_request = request.is_some() && role.use_csr_sans;
        let names = match request {
            Some(request) if role.use_csr_sans => requested_names(request)?,
            _ => sent_names(sent)?,
        };
        let serial_number =
            if sent.serial_number.is_empty() { subject.serial_number } else { sent.serial_number.clone() };
        let user_ids = if user_ids.is_empty() { subject.user_ids } else { user_ids.to_vec() };
        let mut wanted = Self { common_name, names, serial_number, user_ids, names_from_request };
        if !sent.exclude_cn_from_sans {
            wanted.add_common_name();
        }
        Ok(wanted)
    }

    /// Puts the common name among the alternative names, first, if it is a host name or a mail address.
    pub(super) fn add_common_name(&mut self) {
        let name = &self.common_name;
        let list = if name.contains('@') {
            &mut self.names.email
        } else if is_hostname_or_wildcard(name) {
            &mut self.names.dns
        } else {
            return;
        };
        if !list.contains(name) {
            list.insert(0, name.clone());
        }
    }

    /// Checks all of it against a role.
    pub(super) fn check(&self, role: &Role) -> Result<(), Fault> {
        let refused = |text: String| Err(Fault::invalid(text));
        if !self.common_name.is_empty() && !common_name_is_allowed(role, &self.common_name) {
            return refused(format!("common name {} not allowed by this role", self.common_name));
        }
        if let Some(name) = self.names.dns.iter().find(|name| name.contains('@') || !name_is_allowed(role, name)) {
            return refused(format!("subject alternate name {name} not allowed by this role"));
        }
        if let Some(name) = self.names.email.iter().find(|name| !name.contains('@') || !name_is_allowed(role, name)) {
            return refused(format!("email address {name} not allowed by this role"));
        }
        self.check_addresses(role)?;
        self.check_uris(role)?;
        self.names.other.iter().try_for_each(|other| check_other(role, other))?;
        let globbed = |globs: &[String], text: &str| globs.iter().any(|glob| glob_matches(glob, text));
        if !self.serial_number.is_empty() && !globbed(&role.allowed_serial_numbers, &self.serial_number) {
            return refused(format!("serial_number {} not allowed by this role", self.serial_number));
        }
        match self.user_ids.iter().find(|id| !globbed(&role.allowed_user_ids, id)) {
            Some(id) => refused(format!("user_id {id} is not allowed by this role")),
            None => Ok(()),
        }
    }

    fn check_addresses(&self, role: &Role) -> Result<(), Fault> {
        if self.names.ip.is_empty() {
            return Ok(());
        }
        if !role.allow_ip_sans {
            let from = if self.names_from_request { "CSR" } else { "the API" };
            return Err(Fault::invalid(format!(
                "IP Subject Alternative Names are not allowed in this role, but was provided via {from}"
            )));
        }
        let outside = |address: &&IpAddr| {
            !role.allowed_ip_sans_cidr.is_empty() && !role.ip_blocks().iter().any(|block| block.holds(**address))
        };
        match self.names.ip.iter().find(outside) {
            Some(address) => Err(Fault::invalid(format!("the IP address \"{address}\" is not allowed in this role"))),
            None => Ok(()),
        }
    }

    fn check_uris(&self, role: &Role) -> Result<(), Fault> {
        if self.names.uri.is_empty() {
            return Ok(());
        }
        let from = if self.names_from_request { "CSR" } else { "the API" };
        if role.allowed_uri_sans.is_empty() {
            return Err(Fault::invalid(format!(
                "URI Subject Alternative Names are not allowed in this role, but were provided via {from}"
            )));
        }
        let allowed = |uri: &String| role.allowed_uri_sans.iter().any(|glob| glob_matches(glob, uri));
        if !self.names.uri.iter().all(allowed) {
            return Err(Fault::invalid(format!(
                "URI Subject Alternative Names were provided via {from} which are not valid for this role"
            )));
        }
        Ok(())
    }
}

/// The alternative names of the fields.
fn sent_names(sent: &NameFields) -> Result<AlternativeNames, Fault> {
    let mut names = AlternativeNames::default();
    for name in &sent.alt_names.0 {
        let list = if name.contains('@') { &mut names.email } else { &mut names.dns };
        if !list.contains(name) {
            list.push(name.clone());
        }
    }
    for text in &sent.ip_sans.0 {
        let address = text.parse().map_err(|_| Fault::invalid(format!("the value {text:?} is not a valid IP address")))?;
        names.ip.push(address);
    }
    names.uri.clone_from(&sent.uri_sans.0);
    for text in &sent.other_sans.0 {
        let parsed = parse_other(text);
        names.other.push(
            parsed.map_err(|error| Fault::invalid(format!("could not parse requested other SAN: {error}")))?,
        );
    }
    Ok(names)
}

/// The alternative names of a request.
pub(super) fn requested_names(request: &CertificateRequest) -> Result<AlternativeNames, Fault> {
    let names = request.extensions().names();
    names.map_err(|_| Fault::invalid("the CSR's subject alternative names cannot be read"))
}

/// Reads `<oid>;UTF8:<value>`.
pub(super) fn parse_other(text: &str) -> Result<OtherName, String> {
    let (oid, rest) = text.split_once(';').ok_or_else(|| format!("expected a semicolon in other SAN {text:?}"))?;
    if !oid_is_valid(oid) {
        return Err(format!("invalid object identifier in other SAN {text:?}"));
    }
    let (kind, value) = rest.split_once(':').ok_or_else(|| format!("expected a colon in other SAN {text:?}"))?;
    if !kind.eq_ignore_ascii_case("utf8") && !kind.eq_ignore_ascii_case("utf-8") {
        return Err(format!("only UTF8 other SANs are supported; found non-supported type in other SAN {text:?}"));
    }
    Ok(OtherName { oid: oid.to_owned(), value: value.to_owned() })
}

fn check_other(role: &Role, other: &OtherName) -> Result<(), Fault> {
    if role.allowed_other_sans.iter().any(|allowed| allowed == "*") {
        return Ok(());
    }
    let allowed: Vec<OtherName> = role.allowed_other_sans.iter().filter_map(|text| parse_other(text).ok()).collect();
    let of_kind: Vec<&OtherName> = allowed.iter().filter(|allowed| allowed.oid == other.oid).collect();
    if of_kind.is_empty() {
        return Err(Fault::invalid(format!("other SAN OID {} not allowed by this role", other.oid)));
    }
    if of_kind.iter().any(|allowed| glob_matches(&allowed.value, &other.value)) {
        return Ok(());
    }
    Err(Fault::invalid(format!("other SAN {} not allowed for OID {} by this role", other.value, other.oid)))
}

/// A common name has to be a name like the others, unless the role does not look at its form.
fn common_name_is_allowed(role: &Role, name: &str) -> bool {
    if name.chars().count() > COMMON_NAME_CHARACTERS_MAX || name.chars().any(char::is_control) {
        return false;
    }
    if role.cn_validations.iter().any(|kind| kind == "disabled") {
        return true;
    }
    let kind = if name.contains('@') { "email" } else { "hostname" };
    role.cn_validations.iter().any(|known| known == kind) && name_is_allowed(role, name)
}

/// Whether a role allows a host name, a wildcard or a mail address. One decision for all of them: the form first, then
/// where it lies.
pub(super) fn name_is_allowed(role: &Role, name: &str) -> bool {
    // Names beyond ASCII have another spelling, which is what a certificate holds and what has to be asked for.
    if !name.is_ascii() || name.bytes().any(|byte| byte.is_ascii_control()) || name.is_empty() {
        return false;
    }
    let (local, host) = match name.split_once('@') {
        Some((local, host)) => (Some(local), host),
        None => (None, name),
    };
    // No label is empty, but for the root's behind a last dot.
    let labels = host.strip_suffix('.').unwrap_or(host);
    if local.is_some_and(str::is_empty) || host.contains('@') || labels.split('.').any(str::is_empty) {
        return false;
    }
    if name.contains('*') {
        // One star, in the first label, with labels behind it (RFC 6125 section 6.4.3).
        if !role.allow_wildcard_certificates || local.is_some() || !is_wildcard(host) {
            return false;
        }
    } else if role.enforce_hostnames && !is_hostname(host) {
        return false;
    }
    role.allow_any_name || is_local(role, host) || role.allowed_domains.iter().any(|domain| lies_in(role, name, host, domain))
}

fn is_local(role: &Role, host: &str) -> bool {
    let below = |base: &str| {
        host == base || role.allow_subdomains && host.strip_suffix(base).is_some_and(|front| front.ends_with('.'))
    };
    role.allow_localhost && (below("localhost") || below("localdomain"))
}

fn lies_in(role: &Role, name: &str, host: &str, domain: &str) -> bool {
    if domain.is_empty() {
        return false;
    }
    if role.allow_bare_domains && (host.eq_ignore_ascii_case(domain) || name == domain) {
        return true;
    }
    // A domain that is written as a mail address is that address alone.
    if role.allow_subdomains && host.strip_suffix(domain).is_some_and(|front| front.len() > 1 && front.ends_with('.')) {
        return true;
    }
    role.allow_glob_domains && domain.contains('*') && glob_matches(domain, name)
}

/// Whether a text is a host name: labels of letters, digits and inner hyphens (RFC 1123 section 2.1).
fn is_hostname(text: &str) -> bool {
    let text = text.strip_suffix('.').unwrap_or(text);
    text.len() <= HOSTNAME_BYTES_MAX && text.split('.').all(is_label)
}

fn is_label(label: &str) -> bool {
    label.len() <= LABEL_BYTES_MAX
        && !label.is_empty()
        && !label.starts_with('-')
        && !label.ends_with('-')
        && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// Whether a text is a wildcard: one star within the first label, host name labels around and behind it.
fn is_wildcard(text: &str) -> bool {
    let Some((first, rest)) = text.split_once('.') else { return false };
    let Some((front, back)) = first.split_once('*') else { return false };
    let inner = |part: &str| part.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    inner(front)
        && inner(back)
        && !front.starts_with('-')
        && !back.ends_with('-')
        && first.len() <= LABEL_BYTES_MAX
        && is_hostname(rest)
}

fn is_hostname_or_wildcard(text: &str) -> bool {
    is_hostname(text) || is_wildcard(text)
}
