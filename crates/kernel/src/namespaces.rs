//! The tree of namespaces: which one a request means, and what is kept of each.

use crate::{Memo, keys};
use engine::{Fault, Page, Record, StoreError, Tx};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::sync::Arc;

/// Deepest nesting.
pub const NAMESPACE_DEPTH_MAX: usize = 32;

/// A namespace.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Namespace {
    /// Short id, the suffix of its tokens and the first segment of its keys; `root` for the root.
    pub id: String,
    /// UUID.
    pub uuid: String,
    /// Path with a trailing slash; empty for the root.
    pub path: String,
    /// Set by operators.
    #[serde(default)]
    pub custom_metadata: BTreeMap<String, String>,
    /// Hash of the unlock key while its API is locked.
    #[serde(default)]
    pub locked: Option<String>,
    /// Being deleted: serves nothing any more.
    #[serde(default)]
    pub tainted: bool,
}

impl Record for Namespace {
    const KIND: &'static str = "namespace/1";
}

impl Namespace {
    /// The root namespace, which has no record.
    pub fn root() -> Self {
        Self { id: keys::ROOT.into(), uuid: "00000000-0000-0000-0000-000000000000".into(), ..Self::default() }
    }

    /// Whether it is the root.
    pub fn is_root(&self) -> bool {
        self.id == keys::ROOT
    }

    /// Whether `other` is this namespace or lies below it.
    pub fn holds(&self, other: &Namespace) -> bool {
        other.path.starts_with(&self.path)
    }
}

/// All namespaces at one revision.
pub struct NamespaceTree {
    by_path: BTreeMap<String, Arc<Namespace>>,
    by_id: BTreeMap<String, Arc<Namespace>>,
}

impl NamespaceTree {
    /// The tree as a transaction sees it.
    pub fn load(memo: &Memo, tx: &mut Tx) -> Result<Arc<NamespaceTree>, StoreError> {
        memo.namespaces.derive_from_area(tx, keys::NAMESPACES, |tx| {
            let mut namespaces = vec![Namespace::root()];
            for id in tx.list(keys::NAMESPACES, &Page::all())? {
                namespaces.extend(tx.load::<Namespace>(&keys::namespace(&id))?);
            }
            let namespaces: Vec<Arc<Namespace>> = namespaces.into_iter().map(Arc::new).collect();
            Ok(NamespaceTree {
                by_path: namespaces.iter().map(|namespace| (namespace.path.clone(), namespace.clone())).collect(),
                by_id: namespaces.iter().map(|namespace| (namespace.id.clone(), namespace.clone())).collect(),
            })
        })
    }

    /// The namespace with an id.
    pub fn by_id(&self, id: &str) -> Option<&Arc<Namespace>> {
        self.by_id.get(id)
    }

    /// The namespace at a path, which ends in a slash or is empty.
    pub fn by_path(&self, path: &str) -> Option<&Arc<Namespace>> {
        self.by_path.get(path)
    }

    /// All namespaces whose path begins with `path`, in order, `path` itself included.
    pub fn below<'a>(&'a self, path: &'a str) -> impl Iterator<Item = &'a Arc<Namespace>> {
        self.by_path
            .range(path.to_owned()..)
            .map(|(_, namespace)| namespace)
            .take_while(move |n| n.path.starts_with(path))
    }

    /// Which namespace a request means, and the rest of its path: the header names one, and the path may go on from it.
    pub fn resolve(&self, header: Option<&str>, path: &str) -> Result<(Arc<Namespace>, String), Fault> {
        let base = canonical_path(header.unwrap_or_default());
        let no_such = || Fault::missing("namespace not found");
        let start = self.by_path.get(&base).ok_or_else(no_such)?;
        let mut found = start.clone();
        let mut rest = path;
        let mut tail = path;
        let mut walked = base;
        // Where there are no namespaces but the root, no path leads into one.
        while self.by_path.len() > 1
            && let Some((segment, below)) = tail.split_once('/')
        {
            walked.push_str(segment);
            walked.push('/');
            tail = below;
            let Some(next) = self.by_path.get(&walked) else { break };
            found = next.clone();
            rest = tail;
        }
        if found.tainted {
            return Err(no_such());
        }
        Ok((found, rest.to_owned()))
    }
}

/// A namespace path as it is kept: no leading slash, one trailing slash; the root is empty.
pub fn canonical_path(path: &str) -> String {
    match path.trim_matches('/') {
        "" | "root" => String::new(),
        path => format!("{path}/"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(paths: &[&str]) -> NamespaceTree {
        let namespaces: Vec<Arc<Namespace>> = std::iter::once(Namespace::root())
            .chain(paths.iter().map(|path| Namespace {
                id: path.replace('/', ""),
                path: format!("{path}/"),
                ..Namespace::default()
            }))
            .map(Arc::new)
            .collect();
        NamespaceTree {
            by_path: namespaces.iter().map(|n| (n.path.clone(), n.clone())).collect(),
            by_id: namespaces.iter().map(|n| (n.id.clone(), n.clone())).collect(),
        }
    }

    #[test]
    fn header_and_path_prefix_combine() {
        let tree = tree(&["a", "a/b", "c"]);
        for (header, path, id, rest) in [
            (None, "secret/x", "root", "secret/x"),
            (None, "a/secret/x", "a", "secret/x"),
            (Some("a"), "b/secret/x", "ab", "secret/x"),
            (Some("/a/b/"), "secret/x", "ab", "secret/x"),
            (Some("root"), "c/sys/mounts", "c", "sys/mounts"),
            (None, "a", "root", "a"),
        ] {
            let (namespace, left) = tree.resolve(header, path).unwrap();
            assert_eq!((namespace.id.as_str(), left.as_str()), (id, rest), "{header:?} {path}");
        }
        assert!(tree.resolve(Some("nope"), "secret/x").is_err());
    }
}
