//! The text of an ACL policy.

use super::capability::{Capability, CapabilitySet};
use super::constraints::{Constraints, ParameterRules};
use super::keys_filter::KeysTemplate;
use super::rule::{PathRule, RulePath};
use super::template::Template;
use hcl::{Block, Body, Item, Position};
use serde_json::Value;
use wire::Timestamp;

/// Longest text of a policy.
pub const POLICY_BYTES_MAX: usize = 4 << 20;

const TOP_KEYS: [&str; 2] = ["name", "path"];

/// `mfa_methods` (upstream) and `subscribe_event_types` (Vault) speak of what no route does, and change nothing.
const PATH_KEYS: [&str; 13] = [
    "allowed_parameters",
    "capabilities",
    "comment",
    "denied_parameters",
    "expiration",
    "list_scan_response_keys_filter_path",
    "max_wrapping_ttl",
    "mfa_methods",
    "min_wrapping_ttl",
    "pagination_limit",
    "policy",
    "required_parameters",
    "subscribe_event_types",
];

/// An ACL policy: paths, and what may be done with each.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Policy {
    rules: Vec<PathRule>,
}

/// Why a text is no policy, in upstream's words where it has them. It may name paths, keys and capabilities of the
/// policy, which is no secret to whoever writes it.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Not HCL or JSON.
    #[error("{0}")]
    Syntax(#[from] hcl::Error),
    /// Keys that no policy has.
    #[error("{}", errors_text(.0))]
    Keys(Vec<String>),
    /// Something about one path.
    #[error("path {path:?}: {problem}")]
    Path {
        /// The path as written.
        path: String,
        /// What is wrong with it.
        problem: String,
    },
    /// Something else.
    #[error("{0}")]
    Other(String),
}

/// Several errors as upstream prints them.
pub(super) fn errors_text(errors: &[String]) -> String {
    let plural = if errors.len() == 1 { "error" } else { "errors" };
    let lines: String = errors.iter().map(|error| format!("\t* {error}\n")).collect();
    format!("{} {plural} occurred:\n{lines}\n", errors.len())
}

impl Policy {
    /// Reads HCL or JSON. JSON that repeats a key in one object is refused.
    ///
    /// # Errors
    /// What is wrong with it; a policy is taken whole or not at all.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let document = hcl::parse_with(text, hcl::Options { bytes_max: POLICY_BYTES_MAX, ..hcl::Options::POLICY })?;
        let unknown: Vec<String> = document.unknown_keys(&TOP_KEYS).into_iter().map(unknown_key).collect();
        if !unknown.is_empty() {
            return Err(PolicyError::Keys(unknown));
        }
        let rules = document.blocks("path", 1)?.iter().map(path_rule).collect::<Result<_, _>>()?;
        Ok(Self { rules })
    }

    /// How many paths it names.
    pub const fn len(&self) -> usize {
        self.rules.len()
    }

    /// Whether it names no path, and so gives nothing.
    pub const fn is_empty(&self) -> bool {
        self.rules.is_empty()
    }

    /// Whether any path depends on who asks.
    pub fn is_templated(&self) -> bool {
        self.rules.iter().any(|rule| matches!(rule.path, RulePath::Templated(_)))
    }

    /// Its rules in the order of the text.
    pub(super) fn rules(&self) -> &[PathRule] {
        &self.rules
    }
}

fn unknown_key((key, position): (&str, Position)) -> String {
    format!("invalid key {key:?} on line {}", position.line)
}

fn path_rule(block: &Block<'_>) -> Result<PathRule, PolicyError> {
    let written = block.label();
    let wrong = |problem: String| PolicyError::Path { path: written.to_owned(), problem };
    let unknown = block.body.unknown_keys(&PATH_KEYS).into_iter().map(unknown_key);
    let unknown: Vec<String> = unknown.map(|error| format!("path {written:?}: {error}")).collect();
    if !unknown.is_empty() {
        return Err(PolicyError::Keys(unknown));
    }
    if written.contains("+*") {
        return Err(wrong("invalid use of wildcards ('+*' is forbidden)".to_owned()));
    }
    let path = written.strip_prefix('/').unwrap_or(written);
    let template = Template::parse(path).map_err(|_| {
        PolicyError::Other("failed to validate policy templating: unbalanced templating characters".to_owned())
    })?;
    let capabilities = capabilities(block.body).map_err(wrong)?;
    let constraints = constraints(block.body, written, capabilities)?;
    Ok(PathRule {
        path: template.map_or_else(|| RulePath::Plain(path.to_owned()), RulePath::Templated),
        capabilities: if capabilities.denies() { CapabilitySet::DENY } else { capabilities },
        constraints: (constraints != Constraints::default()).then(|| Box::new(constraints)),
        expiration: expiration(block.body).map_err(wrong)?,
        line: block.position.line,
    })
}

/// Those of `capabilities` and those that the older `policy` stands for.
fn capabilities(body: &Body) -> Result<CapabilitySet, String> {
    let mut set = CapabilitySet::default();
    for item in body.items_of("policy") {
        set = set.union(legacy(item)?);
    }
    for item in body.items_of("capabilities") {
        let hcl::Value::List(names) = &item.value else { return Err("capabilities must be a list".to_owned()) };
        for name in names {
            let name = name.as_string().ok_or("capabilities must be a list of names")?;
            set.insert(Capability::by_name(&name).ok_or_else(|| format!("invalid capability {name:?}"))?);
        }
    }
    Ok(set)
}

fn legacy(item: &Item) -> Result<CapabilitySet, String> {
    use Capability::{Create, Delete, List, Read, Sudo, Update};
    let name = item.value.as_string().unwrap_or_default();
    Ok(match name.as_str() {
        "" => CapabilitySet::default(),
        "deny" => CapabilitySet::DENY,
        "read" => [Read, List].into_iter().collect(),
        "write" => [Create, Read, Update, Delete, List].into_iter().collect(),
        "sudo" => [Create, Read, Update, Delete, List, Sudo].into_iter().collect(),
        _ => return Err(format!("invalid policy {name:?}")),
    })
}

fn constraints(body: &Body, path: &str, capabilities: CapabilitySet) -> Result<Constraints, PolicyError> {
    let wrong = |problem: String| PolicyError::Path { path: path.to_owned(), problem };
    let constraints = Constraints {
        allowed: parameter_rules(body, "allowed_parameters").map_err(wrong)?,
        denied: parameter_rules(body, "denied_parameters").map_err(wrong)?,
        required: required(body).map_err(wrong)?,
        wrapping_seconds_min: wrapping_seconds(body, "min_wrapping_ttl")?,
        wrapping_seconds_max: wrapping_seconds(body, "max_wrapping_ttl")?,
        pagination_limit: pagination_limit(body).map_err(wrong)?,
        keys: keys_template(body, capabilities)?,
    };
    if constraints.wrapping_seconds_max != 0 && constraints.wrapping_seconds_max < constraints.wrapping_seconds_min {
        return Err(PolicyError::Other("max_wrapping_ttl cannot be less than min_wrapping_ttl".to_owned()));
    }
    Ok(constraints)
}

/// Objects of lists, by lower-case name. A name that is given twice takes the values of both.
fn parameter_rules(body: &Body, key: &str) -> Result<ParameterRules, String> {
    let mut rules = ParameterRules::new();
    for block in body.blocks(key, 0).map_err(|_| format!("{key} must be an object of lists"))? {
        for item in &block.body.items {
            let hcl::Value::List(values) = &item.value else { return Err(format!("{key} must be an object of lists")) };
            let known = rules.entry(item.key.to_lowercase());
            let values: Vec<Value> =
                values.iter().map(to_json).collect::<Option<_>>().ok_or("a number is not valid")?;
            match known {
                std::collections::btree_map::Entry::Vacant(vacant) => drop(vacant.insert(values)),
                std::collections::btree_map::Entry::Occupied(mut known)
                    if known.get().is_empty() || values.is_empty() =>
                {
                    known.get_mut().clear();
                }
                std::collections::btree_map::Entry::Occupied(mut known) => known.get_mut().extend(values),
            }
        }
    }
    Ok(rules)
}

/// The depth of the recursion is the document's, which its reader bounds.
fn to_json(value: &hcl::Value) -> Option<Value> {
    Some(match value {
        hcl::Value::Null => Value::Null,
        hcl::Value::Bool(flag) => Value::Bool(*flag),
        hcl::Value::Number(hcl::Number::Integer(number)) => Value::from(*number),
        hcl::Value::Number(hcl::Number::Float(number)) => Value::Number(serde_json::Number::from_f64(*number)?),
        hcl::Value::String(text) => Value::String(text.clone()),
        hcl::Value::List(values) => values.iter().map(to_json).collect::<Option<_>>()?,
        hcl::Value::Body(body) => {
            body.items.iter().map(|item| Some((item.key.clone(), to_json(&item.value)?))).collect::<Option<_>>()?
        }
    })
}

fn required(body: &Body) -> Result<std::collections::BTreeSet<String>, String> {
    const WANTED: &str = "required_parameters must be a list of names";
    let mut names = std::collections::BTreeSet::new();
    for item in body.items_of("required_parameters") {
        let hcl::Value::List(values) = &item.value else { return Err(WANTED.to_owned()) };
        for value in values {
            names.insert(value.as_string().ok_or(WANTED)?);
        }
    }
    Ok(names)
}

fn wrapping_seconds(body: &Body, key: &str) -> Result<u64, PolicyError> {
    match body.attribute(key) {
        None => Ok(0),
        Some(hcl::Value::String(text)) if text.is_empty() => Ok(0),
        Some(value) => value.as_duration_seconds().ok_or_else(|| {
            let text = value.as_string().unwrap_or_default();
            PolicyError::Other(format!("error parsing {key}: time: invalid duration {text:?}"))
        }),
    }
}

/// Zero and below stand for no limit, as upstream has it.
fn pagination_limit(body: &Body) -> Result<u64, String> {
    let Some(value) = body.attribute("pagination_limit") else { return Ok(0) };
    let limit = value.as_i64().ok_or("pagination_limit must be an integer")?;
    Ok(u64::try_from(limit).unwrap_or(0))
}

/// Where a template was written, and the template.
type PlacedTemplate = (std::sync::Arc<str>, std::sync::Arc<KeysTemplate>);

fn keys_template(body: &Body, capabilities: CapabilitySet) -> Result<Option<PlacedTemplate>, PolicyError> {
    const KEY: &str = "list_scan_response_keys_filter_path";
    let Some(value) = body.attribute(KEY) else { return Ok(None) };
    let text = value.as_string().ok_or_else(|| PolicyError::Other(format!("{KEY} must be a string")))?;
    if text.is_empty() {
        return Ok(None);
    }
    if !capabilities.contains(Capability::List) {
        return Err(PolicyError::Other(format!("{KEY} needs to be used on a path with the list capability")));
    }
    let template = KeysTemplate::parse(&text).map_err(PolicyError::Other)?;
    Ok(Some(("".into(), template.into())))
}

/// RFC 3339, or seconds since the epoch.
fn expiration(body: &Body) -> Result<Option<Timestamp>, String> {
    let invalid = || "invalid expiration time: could not parse string as date and time".to_owned();
    let Some(value) = body.attribute("expiration") else { return Ok(None) };
    if let Some(seconds) = value.as_i64() {
        return Ok(Some(Timestamp::from_seconds(seconds)));
    }
    match value.as_str() {
        Some("") => Ok(None),
        Some(text) => Timestamp::parse_rfc3339(text).map(Some).map_err(|_| invalid()),
        None => Err(invalid()),
    }
}
