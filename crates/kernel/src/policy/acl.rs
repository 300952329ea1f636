//! The compiled policies of a token.

use super::capability::{Capability, CapabilitySet};
use super::index::{Index, RuleId};
use super::keys_filter::KeysFilter;
use super::parse::Policy;
use super::pattern::Pattern;
use super::rule::{PathRule, Rule, RulePath};
use super::template::TemplateContext;
use serde_json::{Map, Value};
use std::sync::Arc;
use wire::{Operation, Timestamp};

/// A policy as it is attached to a token.
#[derive(Debug, Clone, Copy)]
pub struct Attached<'a> {
    /// Its name, for the audit trail and warnings.
    pub name: &'a str,
    /// Path of the namespace it stands in: `""`, or ending in a slash. Its rules speak of what lies below.
    pub prefix: &'a str,
    /// Its rules.
    pub policy: &'a Policy,
}

/// A question.
#[derive(Debug, Clone, Copy)]
pub struct Check<'a> {
    /// Full path from the root namespace, without a leading slash.
    pub path: &'a str,
    /// What is to be done.
    pub operation: Operation,
    /// Parameters of the request, from body and query; for lists `limit`.
    pub parameters: Option<&'a Map<String, Value>>,
    /// Seconds for which the reply shall be wrapped.
    pub wrap_ttl: Option<u64>,
}

/// An answer.
#[derive(Debug, Clone)]
pub struct Decision<'a> {
    /// Whether it may be done, unless the path also wants `sudo`.
    pub allowed: bool,
    /// Whether the rule gives `sudo`; says nothing without `allowed`.
    pub sudo: bool,
    /// Why not, for logs; the caller is told nothing.
    pub denial: Option<Denial>,
    /// What must be left out of the reply of a list.
    pub keys_filter: Option<KeysFilter<'a>>,
    grant: Option<(&'a Acl, &'a Rule, Operation)>,
}

/// Why something is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Denial {
    /// No rule matches, or the one that does lacks the capability.
    NotGranted,
    /// A rule says `deny`.
    Denied,
    /// A deny whose path could not be rendered denies everything (S05).
    Unrendered,
    /// The reply must be wrapped, or not for so long or short.
    Wrapping,
    /// Parameters are missing, too many, or have values that are not permitted.
    Parameters,
}

/// What a token may do: immutable, made from all its policies at once.
#[derive(Debug, Clone, Default)]
pub struct Acl {
    root: bool,
    /// A deny did not render: nothing is allowed.
    closed: bool,
    pub(super) rules: Vec<Rule>,
    index: Index,
    /// Names and prefixes of the policies, by [`Rule::sources`].
    policies: Vec<(Arc<str>, Arc<str>)>,
    warnings: Vec<String>,
    valid_until: Option<Timestamp>,
}

impl Acl {
    /// Allows everything. Only for tokens that were made as root tokens: no policy compiles to this (S72).
    pub fn root() -> Self {
        Self { root: true, ..Self::default() }
    }

    /// Compiles without knowing the time: rules with an expiration count as expired if they grant, and as in force if
    /// they deny. See [`Acl::compile_at`].
    pub fn compile(attached: &[Attached<'_>], context: Option<&TemplateContext>) -> Self {
        Self::compiled(attached, context, None)
    }

    /// Compiles for a moment; the result holds until [`Acl::valid_until`].
    pub fn compile_at(attached: &[Attached<'_>], context: Option<&TemplateContext>, now: Timestamp) -> Self {
        Self::compiled(attached, context, Some(now))
    }

    /// Whether it still says at a moment what its policies say: what ends by itself, without a write, ends it.
    pub fn holds_at(&self, now: Timestamp) -> bool {
        self.valid_until.is_none_or(|until| now < until)
    }

    /// The same for no longer than until a moment.
    #[must_use]
    pub fn valid_at_most_until(mut self, end: Option<Timestamp>) -> Self {
        self.valid_until = [self.valid_until, end].into_iter().flatten().min();
        self
    }

    fn compiled(attached: &[Attached<'_>], context: Option<&TemplateContext>, now: Option<Timestamp>) -> Self {
        let mut acl = Self::default();
        for (source, attached) in attached.iter().enumerate() {
            acl.policies.push((attached.name.into(), attached.prefix.into()));
            for rule in attached.policy.rules() {
                if acl.counts(rule, now) {
                    acl.add(source, attached, rule, context);
                }
            }
        }
        acl
    }

    fn counts(&mut self, rule: &PathRule, now: Option<Timestamp>) -> bool {
        let Some(expiration) = rule.expiration else { return true };
        let Some(now) = now else { return rule.capabilities.denies() };
        let counts = expiration > now;
        if counts && self.valid_until.is_none_or(|until| expiration < until) {
            self.valid_until = Some(expiration);
        }
        counts
    }

    fn add(&mut self, source: usize, attached: &Attached<'_>, rule: &PathRule, context: Option<&TemplateContext>) {
        let rendered;
        let path = match &rule.path {
            RulePath::Plain(path) => path,
            RulePath::Templated(template) => match template.render(context) {
                Some(path) => {
                    rendered = path;
                    &rendered
                }
                None if rule.capabilities.denies() => return self.close(attached.name, rule.line),
                None => return,
            },
        };
        let pattern = Pattern::new(attached.prefix, path);
        let slot = self.index.slot(&pattern);
        let id = *slot.get_or_insert(self.rules.len());
        if id == self.rules.len() {
            let priority = pattern.priority();
            let empty = CapabilitySet::default();
            self.rules.push(Rule { priority, capabilities: empty, constraints: None, sources: Vec::new() });
        }
        let mut constraints = rule.constraints.clone();
        if let Some((prefix, _)) = constraints.as_mut().and_then(|constraints| constraints.keys.as_mut()) {
            *prefix = attached.prefix.into();
        }
        let merged = self.rules.get_mut(id).expect("a slot holds the number of a rule that was pushed before");
        merged.merge(source, rule.capabilities, constraints.as_deref());
    }

    /// S05, strict reading: nobody knows what this rule was to deny, so everything is.
    fn close(&mut self, policy: &str, line: u32) {
        self.closed = true;
        self.warnings.push(format!(
            "policy {policy:?}, line {line}: the path of a deny rule could not be rendered for this identity, so everything is denied"
        ));
    }

    /// Whether it allows everything.
    pub const fn is_root(&self) -> bool {
        self.root
    }

    /// Worth logging: what in the policies does not work for this token.
    pub fn warnings(&self) -> &[String] {
        &self.warnings
    }

    /// When a rule next expires, after which the policies must be compiled anew.
    pub const fn valid_until(&self) -> Option<Timestamp> {
        self.valid_until
    }

    /// Decides.
    pub fn check(&self, check: &Check<'_>) -> Decision<'_> {
        if self.root {
            return Decision { allowed: true, sudo: true, denial: None, keys_filter: None, grant: None };
        }
        if check.operation == Operation::Help {
            let sudo = self.rule_for(check.path, Operation::Read).is_ok_and(|rule| rule.gives(Capability::Sudo));
            return Decision { allowed: true, sudo, denial: None, keys_filter: None, grant: None };
        }
        let rule = match self.rule_for(check.path, check.operation) {
            Ok(rule) => rule,
            Err(denial) => {
                return Decision { allowed: false, sudo: false, denial: Some(denial), keys_filter: None, grant: None };
            }
        };
        let sudo = rule.gives(Capability::Sudo);
        match refusal(rule, check) {
            Some(denial) => Decision { allowed: false, sudo, denial: Some(denial), keys_filter: None, grant: None },
            None => {
                let keys_filter = self.keys_filter(rule, check);
                Decision { allowed: true, sudo, denial: None, keys_filter, grant: Some((self, rule, check.operation)) }
            }
        }
    }

    /// The rule that counts, or why there is none.
    fn rule_for(&self, path: &str, operation: Operation) -> Result<&Rule, Denial> {
        if self.closed {
            return Err(Denial::Unrendered);
        }
        let rule = match operation {
            Operation::List | Operation::Scan => self.listing_rule(path.strip_suffix('/').unwrap_or(path))?,
            _ => self.exact(path).or_else(|| self.wildcard(path)).ok_or(Denial::NotGranted)?,
        };
        if rule.capabilities.denies() { Err(Denial::Denied) } else { Ok(rule) }
    }

    /// The rule for listing the folder `bare` (without its slash): of the paths `bare/` and `bare` the most specific
    /// pattern that matches either, an exact `bare/` first. A deny that either path would meet on its own cannot be
    /// bypassed by the other spelling (S03).
    fn listing_rule(&self, bare: &str) -> Result<&Rule, Denial> {
        let folder = format!("{bare}/");
        let (exact_folder, exact_bare) = (self.exact(&folder), self.exact(bare));
        let wildcard_folder = self.wildcard(&folder);
        let denies = |rule: Option<&Rule>| rule.is_some_and(|rule| rule.capabilities.denies());
        if denies(exact_folder.or(wildcard_folder)) || denies(exact_bare) {
            return Err(Denial::Denied);
        }
        let wildcard = || wildcard_folder.into_iter().chain(self.wildcard(bare)).max_by_key(|rule| &rule.priority);
        exact_folder.or(exact_bare).or_else(wildcard).ok_or(Denial::NotGranted)
    }

    fn exact(&self, path: &str) -> Option<&Rule> {
        self.rule(self.index.exact(path)?)
    }

    fn wildcard(&self, path: &str) -> Option<&Rule> {
        let priority = |id: RuleId| &self.rule(id).expect("the index holds numbers of rules only").priority;
        self.rule(self.index.wildcard(path, priority)?)
    }

    fn rule(&self, id: RuleId) -> Option<&Rule> {
        self.rules.get(id)
    }

    fn keys_filter<'a>(&'a self, rule: &'a Rule, check: &Check<'_>) -> Option<KeysFilter<'a>> {
        if !matches!(check.operation, Operation::List | Operation::Scan) {
            return None;
        }
        let (prefix, template) = rule.constraints.as_ref()?.keys.as_ref()?;
        let folder = check.path.strip_prefix(&**prefix).unwrap_or(check.path);
        let folder = format!("{}/", folder.strip_suffix('/').unwrap_or(folder));
        Some(KeysFilter { acl: self, template, prefix, folder })
    }

    /// What may be done with a path, as `sys/capabilities` prints it: sorted names, `["root"]`, or `["deny"]` for
    /// nothing. A path that ends in a slash is looked at as a folder to list.
    pub fn capabilities(&self, path: &str) -> Vec<&'static str> {
        if self.root {
            return vec!["root"];
        }
        let operation = if path.ends_with('/') { Operation::List } else { Operation::Read };
        self.rule_for(path, operation).map_or(CapabilitySet::DENY, |rule| rule.capabilities).names()
    }

    /// Whether anything at all is granted on a folder or below it; `folder` ends in a slash.
    pub fn touches(&self, folder: &str) -> bool {
        let grants =
            |id: RuleId| self.rule(id).is_some_and(|rule| !rule.capabilities.denies() && !rule.capabilities.is_empty());
        self.root || (!self.closed && self.index.touches(folder, &grants))
    }

    /// Whether everything is refused because a deny did not render.
    pub(super) const fn is_closed(&self) -> bool {
        self.closed
    }
}

impl Rule {
    const fn gives(&self, capability: Capability) -> bool {
        self.capabilities.contains(capability)
    }
}

/// What of a rule a request does not meet.
fn refusal(rule: &Rule, check: &Check<'_>) -> Option<Denial> {
    if !Capability::for_operation(check.operation).is_some_and(|capability| rule.gives(capability)) {
        return Some(Denial::NotGranted);
    }
    let constraints = rule.constraints.as_ref()?;
    if !constraints.admit_wrapping(check.wrap_ttl) {
        return Some(Denial::Wrapping);
    }
    let admitted = match check.operation {
        Operation::List | Operation::Scan => constraints.admit_page(check.parameters),
        // As upstream: deleting takes no parameters that a rule could speak of.
        Operation::Delete | Operation::Help => true,
        _ => constraints.admit_parameters(check.parameters),
    };
    if admitted { None } else { Some(Denial::Parameters) }
}

impl<'a> Decision<'a> {
    /// Names and namespace paths of the policies that allow it, for the audit trail. None for root and for help.
    pub fn granting_policies(&self) -> impl Iterator<Item = (&'a str, &'a str)> {
        let granted =
            self.grant.and_then(|(acl, rule, operation)| Some((acl, rule, Capability::for_operation(operation)?)));
        granted.into_iter().flat_map(|(acl, rule, capability)| {
            let grants = rule.sources.iter().filter(move |(_, capabilities)| capabilities.contains(capability));
            grants.filter_map(|(source, _)| acl.policies.get(*source)).map(|(name, prefix)| (&**name, &**prefix))
        })
    }
}
