//! A radix tree: all stored keys that a text begins with, found in time proportional to the text.

use std::collections::BTreeMap;

/// Values by key. The nodes lie in one list, so that dropping a deep tree does not recurse (S111).
#[derive(Debug, Clone)]
pub(super) struct PrefixTree<T> {
    nodes: Vec<Node<T>>,
}

#[derive(Debug, Clone)]
struct Node<T> {
    /// What the path from the parent adds to the key.
    label: Box<[u8]>,
    /// By first byte of the child's label.
    children: BTreeMap<u8, usize>,
    value: T,
}

impl<T> Default for PrefixTree<T> {
    fn default() -> Self {
        Self { nodes: Vec::new() }
    }
}

impl<T: Default> PrefixTree<T> {
    /// The value at a key, made if there is none.
    pub(super) fn slot(&mut self, key: &[u8]) -> &mut T {
        if self.nodes.is_empty() {
            self.add(&[]);
        }
        let mut at = 0;
        let mut rest = key;
        while let Some(first) = rest.first() {
            let Some(child) = self.nodes.get(at).and_then(|node| node.children.get(first)).copied() else {
                let leaf = self.add(rest);
                self.link(at, *first, leaf);
                at = leaf;
                break;
            };
            let common = self.nodes.get(child).map_or(0, |node| common_length(&node.label, rest));
            at = self.split(at, child, common);
            rest = rest.get(common..).unwrap_or_default();
        }
        let node = self.nodes.get_mut(at).expect("a node was made or found at this place");
        &mut node.value
    }

    /// Cuts the label of `child` after `common` bytes, if it is longer; returns the node that ends there.
    fn split(&mut self, parent: usize, child: usize, common: usize) -> usize {
        let Some(node) = self.nodes.get_mut(child) else { return child };
        let Some((head, tail)) = node.label.split_at_checked(common) else { return child };
        let (Some(head_first), Some(tail_first)) = (head.first().copied(), tail.first().copied()) else { return child };
        let head = head.to_vec();
        node.label = tail.into();
        let middle = self.add(&head);
        self.link(middle, tail_first, child);
        self.link(parent, head_first, middle);
        middle
    }

    fn add(&mut self, label: &[u8]) -> usize {
        self.nodes.push(Node { label: label.into(), children: BTreeMap::new(), value: T::default() });
        self.nodes.len() - 1
    }

    fn link(&mut self, parent: usize, first: u8, child: usize) {
        if let Some(node) = self.nodes.get_mut(parent) {
            node.children.insert(first, child);
        }
    }
}

impl<T> PrefixTree<T> {
    /// Visits every value whose key the text begins with, from the shortest key to the longest, with the key's length.
    pub(super) fn prefixes<'a>(&'a self, text: &'a [u8]) -> impl Iterator<Item = (&'a T, usize)> {
        let mut next = self.nodes.first().map(|node| (node, 0));
        std::iter::from_fn(move || {
            let (node, length) = next?;
            next = text
                .get(length..)
                .and_then(|rest| self.child(node, rest))
                .map(|(child, added)| (child, length + added));
            Some((&node.value, length))
        })
    }

    /// The child whose label the rest of a text begins with.
    fn child(&self, node: &Node<T>, rest: &[u8]) -> Option<(&Node<T>, usize)> {
        let child = self.nodes.get(*node.children.get(rest.first()?)?)?;
        rest.starts_with(&child.label).then_some((child, child.label.len()))
    }

    /// Whether any value whose key begins with the text satisfies the condition.
    pub(super) fn any_below(&self, text: &[u8], mut wanted: impl FnMut(&T) -> bool) -> bool {
        let Some(mut at) = self.nodes.first() else { return false };
        let mut rest = text;
        while let Some(first) = rest.first() {
            let Some(child) = at.children.get(first).and_then(|child| self.nodes.get(*child)) else { return false };
            let common = common_length(&child.label, rest);
            if common < child.label.len() && common < rest.len() {
                return false;
            }
            rest = rest.get(common..).unwrap_or_default();
            at = child;
        }
        let mut open = vec![at];
        while let Some(node) = open.pop() {
            if wanted(&node.value) {
                return true;
            }
            open.extend(node.children.values().filter_map(|child| self.nodes.get(*child)));
        }
        false
    }
}

fn common_length(one: &[u8], other: &[u8]) -> usize {
    one.iter().zip(other).take_while(|(one, other)| one == other).count()
}
