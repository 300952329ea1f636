//! Policies: what a token may do, and how generated passwords look.
//!
//! An ACL policy is text ([`Policy::parse`], HCL or JSON). The policies of a token are compiled once into an immutable
//! [`Acl`], which answers each request in time proportional to the length of its path, whether the policies hold ten
//! rules or ten thousand.
//!
//! How rules decide, as upstream documents it:
//! - A rule's path is exact, or ends in `*` (any suffix), or has segments `+` (any one segment), or both of the latter.
//! - Of all rules that match a path only those of the most specific pattern count: exact first; then the pattern whose
//!   first wildcard stands latest; then one that does not end in `*`; then the one with fewer `+`; then the longer; then
//!   the lexicographically greater.
//! - Rules of one pattern, in whichever policies, are merged: capabilities add up, parameter rules add up, the shorter
//!   wrapping bounds count, and a single `deny` refuses everything.
//! - What no rule grants is refused.
//!
//! Where we are stricter than upstream 2.6.2, on purpose:
//! - LIST and SCAN of `p` decide as those of `p/`, and obey a deny of either, exact or by pattern (S03).
//! - A templated value must be one opaque path segment (S04); a rule that only grants and does not render is left out, a
//!   deny that does not render refuses everything to the token (S05).
//! - `denied_parameters` also finds a value inside a list, and `false` in `"false"`; a value list of the parameter `*` in
//!   `allowed_parameters` binds; `pagination_limit` refuses the limits 0 and below, which would mean "all" (S78).
//! - A path is compared byte by byte; nothing folds letter case or cleans it (S02).
//!
//! A namespace's policies speak of paths below that namespace; whoever compiles them says where it lies
//! ([`Attached::prefix`]).

mod acl;
mod capability;
mod constraints;
mod index;
mod keys_filter;
mod parse;
mod password_policy;
mod pattern;
mod prefix_tree;
mod resultant;
mod rule;
mod template;

#[cfg(test)]
mod tests;

pub use acl::{Acl, Attached, Check, Decision, Denial};
pub use capability::{Capability, CapabilitySet};
pub use keys_filter::KeysFilter;
pub use parse::{POLICY_BYTES_MAX, Policy, PolicyError};
pub use password_policy::{PasswordPolicy, PasswordPolicyError};
pub use template::{AliasView, EntityView, GroupView, TemplateContext};
