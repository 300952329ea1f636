//! Mounts: what is mounted where in each namespace, and which mount a path means.

use crate::{Kx, Memo, keys, sys, tokens};
use crypto::Randomness;
use engine::{Class, Fault, Mount, Options, Page, Record, StoreError, Table, TokenKind, Tx};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

/// A mount as it is kept.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct MountEntry {
    /// Relative to the namespace, with a trailing slash; login methods begin with `auth/`.
    pub path: String,
    /// Secrets engine or login method.
    #[serde(with = "class_name")]
    pub class: Class,
    /// Engine type, or the name of a [`BuiltIn`].
    pub kind: String,
    /// UUID; its place in storage, which a move does not change.
    pub uuid: String,
    /// For example `kv_1a2b3c4d`.
    pub accessor: String,
    /// Namespace id.
    pub namespace: String,
    /// For people.
    #[serde(default)]
    pub description: String,
    /// Such as kv's `version`.
    #[serde(default)]
    pub options: Options,
    /// Tuning.
    #[serde(default)]
    pub config: MountConfig,
    /// Accepted and shown.
    #[serde(default)]
    pub local: bool,
    /// Accepted and shown.
    #[serde(default)]
    pub seal_wrap: bool,
    /// Accepted and shown.
    #[serde(default)]
    pub external_entropy_access: bool,
    /// Being unmounted or moved: serves nothing.
    #[serde(default)]
    pub tainted: bool,
}

impl Record for MountEntry {
    const KIND: &'static str = "mount/1";
}

/// What `tune` sets. Durations are seconds; 0 takes the system's.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct MountConfig {
    /// Seconds.
    pub default_lease_ttl: i64,
    /// Seconds.
    pub max_lease_ttl: i64,
    /// Accepted and shown.
    pub force_no_cache: bool,
    /// Request fields that audit shows in clear.
    pub audit_non_hmac_request_keys: Vec<String>,
    /// Reply fields that audit shows in clear.
    pub audit_non_hmac_response_keys: Vec<String>,
    /// `unauth`, `hidden` or empty.
    pub listing_visibility: String,
    /// Headers the engine may see.
    pub passthrough_request_headers: Vec<String>,
    /// Headers the engine may set.
    pub allowed_response_headers: Vec<String>,
    /// Kind of tokens a login method issues.
    pub token_type: TokenKind,
    /// Lockout of users, where it differs from the system's; upstream's member names.
    pub user_lockout_config: Option<Map<String, Value>>,
    /// Accepted and shown.
    pub plugin_version: String,
}

/// What the kernel itself serves in each namespace.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum BuiltIn {
    /// `sys/`
    System,
    /// `identity/`
    Identity,
    /// `auth/token/`
    Token,
}

impl BuiltIn {
    const ALL: [BuiltIn; 3] = [Self::System, Self::Identity, Self::Token];

    /// Type name in the mount table.
    pub const fn kind(self) -> &'static str {
        match self {
            Self::System => "system",
            Self::Identity => "identity",
            Self::Token => "token",
        }
    }

    /// The built-in with a type name.
    pub fn parse(kind: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|built_in| built_in.kind() == kind)
    }

    /// The route table of each.
    pub fn tables() -> BTreeMap<BuiltIn, Table<Kx>> {
        let table = |built_in| match built_in {
            Self::System => sys::table(),
            Self::Identity => crate::identity::table(),
            Self::Token => tokens::table(),
        };
        Self::ALL.into_iter().map(|built_in| (built_in, table(built_in))).collect()
    }
}

impl MountEntry {
    /// A new mount with fresh ids.
    pub fn new(namespace: &str, path: &str, class: Class, kind: &str, randomness: &mut dyn Randomness) -> Self {
        let uuid = randomness.uuid();
        let suffix: String = randomness.uuid().chars().filter(char::is_ascii_hexdigit).take(8).collect();
        let stem = if class == Class::Auth { format!("auth_{kind}") } else { kind.to_owned() };
        Self {
            path: path.to_owned(),
            class,
            kind: kind.to_owned(),
            accessor: format!("{stem}_{suffix}"),
            uuid,
            namespace: namespace.to_owned(),
            description: String::new(),
            options: Options::new(),
            config: MountConfig::default(),
            local: false,
            seal_wrap: false,
            external_entropy_access: false,
            tainted: false,
        }
    }

    /// The built-in that serves it, if the kernel does.
    pub fn built_in(&self) -> Option<BuiltIn> {
        BuiltIn::parse(&self.kind)
    }

    /// Writes it.
    pub fn save(&self, tx: &mut Tx) -> Result<(), StoreError> {
        tx.save(&keys::mount(&self.namespace, &self.uuid), self)
    }
}

/// Writes the mounts that every namespace has.
pub fn create_built_in(tx: &mut Tx, namespace: &str, randomness: &mut dyn Randomness) -> Result<(), StoreError> {
    let built_in = [
        ("sys/", Class::Secret, "system", "system endpoints used for control, policy and debugging"),
        ("identity/", Class::Secret, "identity", "identity store"),
        ("cubbyhole/", Class::Secret, "cubbyhole", "per-token private secret storage"),
        ("auth/token/", Class::Auth, "token", "token based credentials"),
    ];
    for (path, class, kind, description) in built_in {
        let mut entry = MountEntry::new(namespace, path, class, kind, randomness);
        entry.description = description.to_owned();
        entry.save(tx)?;
    }
    Ok(())
}

/// What an engine sees of a mount, and the entry that it follows from.
pub struct KnownView {
    pub(crate) entry: Arc<MountEntry>,
    pub(crate) view: Arc<Mount>,
}

/// The mounts of a namespace at one revision.
#[derive(Default)]
pub struct MountTable {
    by_path: BTreeMap<String, Arc<MountEntry>>,
}

impl MountTable {
    /// The table as a transaction sees it.
    pub fn load(memo: &Memo, tx: &mut Tx, namespace: &str) -> Result<Arc<MountTable>, StoreError> {
        let folder = keys::mounts(namespace);
        memo.mounts.derive_from_area(tx, &folder, |tx| {
            let mut by_path = BTreeMap::new();
            for uuid in tx.list(&folder, &Page::all())? {
                if let Some(entry) = tx.load::<MountEntry>(&keys::mount(namespace, &uuid))? {
                    by_path.insert(entry.path.clone(), Arc::new(entry));
                }
            }
            Ok(MountTable { by_path })
        })
    }

    /// The mount that a path lies in, and the rest of the path.
    pub fn resolve<'a>(&self, path: &'a str) -> Option<(&Arc<MountEntry>, &'a str)> {
        // A path that names a mount without its slash means the mount itself.
        if !path.ends_with('/')
            && let Some(entry) = self.by_path.get(&[path, "/"].concat())
        {
            return Some((entry, ""));
        }
        let slashes = path.rmatch_indices('/').map(|(at, _)| at + 1);
        slashes.into_iter().find_map(|end| {
            let (head, rest) = path.split_at_checked(end)?;
            self.by_path.get(head).map(|entry| (entry, rest))
        })
    }

    /// The mount at exactly this path.
    pub fn at(&self, path: &str) -> Option<&Arc<MountEntry>> {
        self.by_path.get(path)
    }

    /// The mount with an accessor.
    pub fn by_accessor(&self, accessor: &str) -> Option<&Arc<MountEntry>> {
        self.by_path.values().find(|entry| entry.accessor == accessor)
    }

    /// The mount with a uuid.
    pub fn by_uuid(&self, uuid: &str) -> Option<&Arc<MountEntry>> {
        self.by_path.values().find(|entry| entry.uuid == uuid)
    }

    /// All mounts in order of path.
    pub fn entries(&self) -> impl Iterator<Item = &Arc<MountEntry>> {
        self.by_path.values()
    }

    /// The mount whose path a new mount at `path` would hide or lie in.
    pub fn collision(&self, path: &str) -> Option<&Arc<MountEntry>> {
        self.by_path.values().find(|entry| entry.path.starts_with(path) || path.starts_with(&entry.path))
    }
}

/// The mount with an accessor in a namespace.
pub fn by_accessor(
    memo: &Memo,
    tx: &mut Tx,
    namespace: &str,
    accessor: &str,
) -> Result<Option<Arc<MountEntry>>, Fault> {
    Ok(MountTable::load(memo, tx, namespace)?.by_accessor(accessor).cloned())
}

mod class_name {
    use engine::Class;
    use serde::{Deserialize, Deserializer, Serializer};

    pub(super) fn serialize<S: Serializer>(class: &Class, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(if *class == Class::Auth { "auth" } else { "secret" })
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Class, D::Error> {
        let name = String::deserialize(deserializer)?;
        Ok(if name == "auth" { Class::Auth } else { Class::Secret })
    }
}
