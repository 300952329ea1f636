//! What a certificate has to say to be one of a role: lists of patterns, in which `*` stands for any text. An empty list
//! admits every certificate. Capitals count, as upstream.

use super::wire::ConstraintFields;
use engine::crypto::client_certificate::Certificate;
use engine::{CommaList, Fault, glob_matches};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

/// Most entries of a list.
const CONSTRAINTS_MAX: usize = 1000;

/// The lists; `None` was never sent, which a read shows as `null`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Constraints {
    allowed_names: Option<Vec<String>>,
    allowed_common_names: Option<Vec<String>>,
    allowed_dns_sans: Option<Vec<String>>,
    allowed_email_sans: Option<Vec<String>>,
    allowed_uri_sans: Option<Vec<String>>,
    allowed_organizational_units: Option<Vec<String>>,
    required_extensions: Option<Vec<String>>,
    allowed_metadata_extensions: Option<Vec<String>>,
}

impl Constraints {
    /// Lays what was sent over what is there.
    pub(super) fn apply(&mut self, sent: ConstraintFields) -> Result<(), Fault> {
        for (list, sent) in [
            (&mut self.allowed_names, sent.allowed_names),
            (&mut self.allowed_common_names, sent.allowed_common_names),
            (&mut self.allowed_dns_sans, sent.allowed_dns_sans),
            (&mut self.allowed_email_sans, sent.allowed_email_sans),
            (&mut self.allowed_uri_sans, sent.allowed_uri_sans),
            (&mut self.allowed_organizational_units, sent.allowed_organizational_units),
            (&mut self.required_extensions, sent.required_extensions),
            (&mut self.allowed_metadata_extensions, sent.allowed_metadata_extensions),
        ] {
            let Some(CommaList(entries)) = sent else { continue };
            if entries.len() > CONSTRAINTS_MAX {
                return Err(Fault::invalid(format!("a list holds more than {CONSTRAINTS_MAX} entries")));
            }
            *list = Some(entries);
        }
        Ok(())
    }

    /// Whether a certificate is one of the role.
    pub(super) fn admit(&self, certificate: &Certificate) -> bool {
        let common_name: Vec<&String> = certificate.common_name.iter().collect();
        let names: Vec<&String> = common_name
            .iter()
            .copied()
            .chain(&certificate.dns_names)
            .chain(&certificate.email_addresses)
            .collect();
        any_matches(&self.allowed_names, &names)
            && any_matches(&self.allowed_common_names, &common_name)
            && any_matches(&self.allowed_dns_sans, &certificate.dns_names.iter().collect::<Vec<_>>())
            && any_matches(&self.allowed_email_sans, &certificate.email_addresses.iter().collect::<Vec<_>>())
            && any_matches(&self.allowed_uri_sans, &certificate.uris.iter().collect::<Vec<_>>())
            && any_matches(
                &self.allowed_organizational_units,
                &certificate.organizational_units.iter().collect::<Vec<_>>(),
            )
            && self.required_extensions.iter().flatten().all(|required| has_extension(certificate, required))
    }

    /// The extensions that become metadata, by the name that upstream gives them: dashes instead of dots.
    pub(super) fn metadata<'a>(
        &'a self,
        certificate: &'a Certificate,
    ) -> impl Iterator<Item = (String, String)> + use<'a> {
        let wanted = |id: &String| self.allowed_metadata_extensions.iter().flatten().any(|allowed| allowed == id);
        let found = certificate.extensions.iter().filter(move |(id, _)| wanted(id));
        found.map(|(id, text)| (id.replace('.', "-"), text.clone()))
    }

    /// The members of a role's reply.
    pub(super) fn reply_into(&self, data: &mut Map<String, Value>) {
        data.insert("allowed_names".into(), json!(self.allowed_names));
        data.insert("allowed_common_names".into(), json!(self.allowed_common_names));
        data.insert("allowed_dns_sans".into(), json!(self.allowed_dns_sans));
        data.insert("allowed_email_sans".into(), json!(self.allowed_email_sans));
        data.insert("allowed_uri_sans".into(), json!(self.allowed_uri_sans));
        data.insert("allowed_organizational_units".into(), json!(self.allowed_organizational_units));
        data.insert("required_extensions".into(), json!(self.required_extensions));
        data.insert("allowed_metadata_extensions".into(), json!(self.allowed_metadata_extensions));
    }
}

fn any_matches(patterns: &Option<Vec<String>>, names: &[&String]) -> bool {
    let Some(patterns) = patterns.as_ref().filter(|patterns| !patterns.is_empty()) else { return true };
    patterns.iter().any(|pattern| names.iter().any(|name| glob_matches(pattern, name)))
}

fn has_extension(certificate: &Certificate, required: &str) -> bool {
    let Some((id, pattern)) = required.split_once(':') else { return false };
    certificate.extensions.iter().any(|(found, text)| found == id && glob_matches(pattern, text))
}
