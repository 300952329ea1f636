//! Label selectors of Kubernetes (`LabelSelector` of `meta/v1`) and the patterns of names: which labels and names match.

use engine::glob_matches;
use serde::Deserialize;
use std::collections::BTreeMap;

/// Bytes of a selector.
const SELECTOR_BYTES_MAX: usize = 16 << 10;

/// Requirements, of which all have to hold.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase", deny_unknown_fields)]
pub(super) struct Selector {
    match_labels: BTreeMap<String, String>,
    match_expressions: Vec<Requirement>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Requirement {
    key: String,
    operator: Operator,
    #[serde(default)]
    values: Vec<String>,
}

#[derive(Deserialize, Clone, Copy, PartialEq, Eq)]
enum Operator {
    In,
    NotIn,
    Exists,
    DoesNotExist,
}

impl Selector {
    /// Reads a selector from JSON; `None` if it is none, or asks for nothing.
    pub(super) fn parse(text: &str) -> Option<Self> {
        if text.len() > SELECTOR_BYTES_MAX {
            return None;
        }
        let selector: Self = serde_json::from_str(text).ok()?;
        // One that asks for nothing would match every namespace, which is hardly what somebody meant.
        let asks = !selector.match_labels.is_empty() || !selector.match_expressions.is_empty();
        let whole = selector.match_expressions.iter().all(|requirement| match requirement.operator {
            Operator::In | Operator::NotIn => !requirement.values.is_empty(),
            Operator::Exists | Operator::DoesNotExist => requirement.values.is_empty(),
        });
        (asks && whole).then_some(selector)
    }

    /// Whether labels meet it.
    pub(super) fn matches(&self, labels: &BTreeMap<String, String>) -> bool {
        let equal = self.match_labels.iter().all(|(key, value)| labels.get(key) == Some(value));
        equal
            && self.match_expressions.iter().all(|Requirement { key, operator, values }| {
                let label = labels.get(key);
                match operator {
                    Operator::In => label.is_some_and(|label| values.contains(label)),
                    Operator::NotIn => label.is_none_or(|label| !values.contains(label)),
                    Operator::Exists => label.is_some(),
                    Operator::DoesNotExist => label.is_none(),
                }
            })
    }
}

/// Whether a name is among patterns, in which `*` stands for any text.
pub(super) fn admits(patterns: &[String], name: &str) -> bool {
    patterns.iter().any(|pattern| glob_matches(pattern, name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn selectors_hold_as_kubernetes_has_them() {
        let labels: BTreeMap<String, String> = [("env".to_owned(), "prod".to_owned())].into();
        for (text, expected) in [
            (r#"{"matchLabels":{"env":"prod"}}"#, Some(true)),
            (r#"{"matchLabels":{"env":"test"}}"#, Some(false)),
            (r#"{"matchExpressions":[{"key":"env","operator":"In","values":["a","prod"]}]}"#, Some(true)),
            (r#"{"matchExpressions":[{"key":"env","operator":"NotIn","values":["prod"]}]}"#, Some(false)),
            (r#"{"matchExpressions":[{"key":"no","operator":"NotIn","values":["prod"]}]}"#, Some(true)),
            (r#"{"matchExpressions":[{"key":"no","operator":"Exists"}]}"#, Some(false)),
            (r#"{"matchExpressions":[{"key":"no","operator":"DoesNotExist"}]}"#, Some(true)),
            (r#"{"matchExpressions":[{"key":"env","operator":"Nope"}]}"#, None),
            (r#"{"matchExpressions":[{"key":"env","operator":"In"}]}"#, None),
            (r#"{"matchLabel":{"env":"prod"}}"#, None),
            ("{}", None),
            ("{bad", None),
        ] {
            assert_eq!(Selector::parse(text).map(|selector| selector.matches(&labels)), expected, "{text}");
        }
    }
}
