//! Finds the rule that counts for a path, in time proportional to the path.
//!
//! Patterns lie in a radix tree by the text before their first wildcard. Of two patterns that match, the one whose first
//! wildcard stands later counts, so the tree's deepest place with a match decides. Behind each place the patterns with
//! `+` form a tree of segments.

use super::pattern::{ANY_SEGMENT, Pattern, Priority, Tail};
use super::prefix_tree::PrefixTree;
use std::collections::BTreeMap;

/// Number of a rule in the list of compiled rules.
pub(super) type RuleId = usize;

/// Patterns by where they lie.
#[derive(Debug, Clone, Default)]
pub(super) struct Index {
    places: PrefixTree<Place>,
}

/// The patterns whose literal part ends here.
#[derive(Debug, Clone, Default)]
struct Place {
    exact: Option<RuleId>,
    glob: Option<RuleId>,
    segments: Option<Box<SegmentTree>>,
}

impl Index {
    /// The slot of a pattern.
    pub(super) fn slot(&mut self, pattern: &Pattern) -> &mut Option<RuleId> {
        let place = self.places.slot(pattern.literal.as_bytes());
        match &pattern.tail {
            Tail::Exact => &mut place.exact,
            Tail::Glob => &mut place.glob,
            Tail::Segments { segments, glob } => place.segments.get_or_insert_default().slot(segments, glob.as_deref()),
        }
    }

    /// The rule of exactly this path.
    pub(super) fn exact(&self, path: &str) -> Option<RuleId> {
        let (place, length) = self.places.prefixes(path.as_bytes()).last()?;
        if length == path.len() { place.exact } else { None }
    }

    /// The rule of the most specific pattern with wildcards that matches. `priority` tells how specific a rule is.
    pub(super) fn wildcard<'a>(&'a self, path: &str, priority: impl Fn(RuleId) -> &'a Priority) -> Option<RuleId> {
        let places: Vec<_> = self.places.prefixes(path.as_bytes()).filter(|(place, _)| place.has_wildcards()).collect();
        places.into_iter().rev().find_map(|(place, length)| {
            let mut found = Vec::new();
            found.extend(place.glob);
            // A literal ends where a segment begins, so this is never inside a character.
            if let (Some(segments), Some(rest)) = (&place.segments, path.get(length..)) {
                segments.matches(rest, &mut found);
            }
            found.into_iter().max_by_key(|rule| priority(*rule))
        })
    }

    /// Whether any rule that `wanted` accepts could match the path or something below it; `path` ends in a slash.
    pub(super) fn touches(&self, path: &str, wanted: &dyn Fn(RuleId) -> bool) -> bool {
        let above = self.places.prefixes(path.as_bytes()).any(|(place, length)| {
            place.glob.is_some_and(wanted)
                || path
                    .get(length..)
                    .zip(place.segments.as_ref())
                    .is_some_and(|(rest, tree)| tree.touches(rest, wanted))
        });
        let bare = path.strip_suffix('/').unwrap_or(path);
        above
            || self.exact(bare).is_some_and(wanted)
            || self.places.any_below(path.as_bytes(), |place| {
                place.exact.is_some_and(wanted)
                    || place.glob.is_some_and(wanted)
                    || place.segments.as_ref().is_some_and(|tree| tree.any(wanted))
            })
    }
}

impl Place {
    fn has_wildcards(&self) -> bool {
        self.glob.is_some() || self.segments.is_some()
    }
}

/// Patterns that begin with `+`, by segment. The nodes lie in one list, so that dropping a deep tree does not recurse.
#[derive(Debug, Clone)]
struct SegmentTree {
    nodes: Vec<SegmentNode>,
}

#[derive(Debug, Clone, Default)]
struct SegmentNode {
    literals: BTreeMap<Box<str>, usize>,
    any: Option<usize>,
    /// The pattern that ends here.
    end: Option<RuleId>,
    /// Patterns that end in `*` here, by what stands before it.
    globs: PrefixTree<Option<RuleId>>,
}

impl Default for SegmentTree {
    fn default() -> Self {
        Self { nodes: vec![SegmentNode::default()] }
    }
}

impl SegmentTree {
    fn slot(&mut self, segments: &[String], glob: Option<&str>) -> &mut Option<RuleId> {
        let mut at = 0;
        for segment in segments {
            at = self.child(at, segment);
        }
        let node = self.nodes.get_mut(at).expect("the root and every child that was made are in the list");
        match glob {
            Some(start) => node.globs.slot(start.as_bytes()),
            None => &mut node.end,
        }
    }

    fn child(&mut self, parent: usize, segment: &str) -> usize {
        let new = self.nodes.len();
        let node = self.nodes.get_mut(parent).expect("a parent was made before its child");
        let child = match segment {
            ANY_SEGMENT => *node.any.get_or_insert(new),
            literal => *node.literals.entry(literal.into()).or_insert(new),
        };
        if child == new {
            self.nodes.push(SegmentNode::default());
        }
        child
    }

    /// All patterns that match, but of each family `…prefix*` only the longest, which is the most specific. Visits only
    /// nodes that agree with the path in every literal segment, each once.
    fn matches(&self, rest: &str, found: &mut Vec<RuleId>) {
        let mut open = vec![(0, Some(rest))];
        while let Some((at, rest)) = open.pop() {
            let Some(node) = self.nodes.get(at) else { continue };
            let Some(rest) = rest else {
                found.extend(node.end);
                continue;
            };
            found.extend(node.globs.prefixes(rest.as_bytes()).filter_map(|(rule, _)| *rule).last());
            let (segment, after) = first_segment(rest);
            open.extend(node.any.map(|child| (child, after)));
            open.extend(node.literals.get(segment).map(|child| (*child, after)));
        }
    }

    fn any(&self, wanted: &dyn Fn(RuleId) -> bool) -> bool {
        self.nodes.iter().any(|node| node.has(wanted))
    }

    /// Whether a pattern could match the folder `rest` or something in it.
    fn touches(&self, rest: &str, wanted: &dyn Fn(RuleId) -> bool) -> bool {
        let mut open = vec![(0, Some(rest.strip_suffix('/').unwrap_or(rest)))];
        while let Some((at, rest)) = open.pop() {
            let Some(node) = self.nodes.get(at) else { continue };
            let Some(rest) = rest else {
                if self.any_below(at, wanted) {
                    return true;
                }
                continue;
            };
            let folder = format!("{rest}/");
            let above = node.globs.prefixes(folder.as_bytes()).any(|(rule, _)| rule.is_some_and(wanted));
            if above || node.globs.any_below(folder.as_bytes(), |rule| rule.is_some_and(wanted)) {
                return true;
            }
            let (segment, after) = first_segment(rest);
            open.extend(node.any.map(|child| (child, after)));
            open.extend(node.literals.get(segment).map(|child| (*child, after)));
        }
        false
    }

    fn any_below(&self, at: usize, wanted: &dyn Fn(RuleId) -> bool) -> bool {
        let mut open = vec![at];
        while let Some(node) = open.pop().and_then(|at| self.nodes.get(at)) {
            if node.has(wanted) {
                return true;
            }
            open.extend(node.any.iter().chain(node.literals.values()));
        }
        false
    }
}

impl SegmentNode {
    fn has(&self, wanted: &dyn Fn(RuleId) -> bool) -> bool {
        self.end.is_some_and(wanted) || self.globs.any_below(&[], |rule| rule.is_some_and(wanted))
    }
}

/// The first segment, and what follows its slash.
fn first_segment(path: &str) -> (&str, Option<&str>) {
    path.split_once('/').map_or((path, None), |(segment, after)| (segment, Some(after)))
}
