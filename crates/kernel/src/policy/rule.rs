//! One `path` of a policy as written, and the merged rules of one pattern.

use super::capability::CapabilitySet;
use super::constraints::Constraints;
use super::pattern::Priority;
use super::template::Template;
use wire::Timestamp;

/// What stands in a policy for one path.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct PathRule {
    pub(super) path: RulePath,
    pub(super) capabilities: CapabilitySet,
    pub(super) constraints: Option<Box<Constraints>>,
    /// From when on the rule no longer counts.
    pub(super) expiration: Option<Timestamp>,
    /// Line of the policy, for warnings.
    pub(super) line: u32,
}

/// The path of a rule, without a leading slash.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum RulePath {
    /// The same for everyone.
    Plain(String),
    /// Depends on who asks.
    Templated(Template),
}

/// All rules of one pattern.
#[derive(Debug, Clone)]
pub(super) struct Rule {
    pub(super) priority: Priority,
    pub(super) capabilities: CapabilitySet,
    /// `None` for the common rule that asks for nothing.
    pub(super) constraints: Option<Box<Constraints>>,
    /// What each policy gave, by its number in the list that was compiled.
    pub(super) sources: Vec<(usize, CapabilitySet)>,
}

impl Rule {
    /// Adds another rule of the same pattern. A deny swallows everything else.
    pub(super) fn merge(&mut self, source: usize, capabilities: CapabilitySet, constraints: Option<&Constraints>) {
        self.sources.push((source, capabilities));
        if self.capabilities.denies() || capabilities.denies() {
            self.capabilities = CapabilitySet::DENY;
            self.constraints = None;
            return;
        }
        self.capabilities = self.capabilities.union(capabilities);
        if let Some(constraints) = constraints {
            self.constraints.get_or_insert_default().merge(constraints);
        }
    }
}
