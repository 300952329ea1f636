//! What is kept of an identity.

use engine::{Record, Timestamp};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;

/// String pairs set by operators or login methods.
pub type Metadata = BTreeMap<String, String>;

/// A person or machine, however it logs in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entity {
    /// UUID, with the namespace's id behind it outside the root.
    pub id: String,
    /// As it was written.
    pub name: String,
    /// `None` until it is first set.
    #[serde(default)]
    pub metadata: Option<Metadata>,
    /// Canonical, never `root`.
    #[serde(default)]
    pub policies: Vec<String>,
    /// Its tokens and logins are refused.
    #[serde(default)]
    pub disabled: bool,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Ids of the entities that were merged into it.
    #[serde(default)]
    pub merged: Vec<String>,
    /// Its names on mounts, at most one for each mount.
    #[serde(default)]
    pub aliases: Vec<Alias>,
}

impl Record for Entity {
    const KIND: &'static str = "entity/1";
}

impl Entity {
    /// The alias on a mount.
    pub fn alias_on(&self, accessor: &str) -> Option<&Alias> {
        self.aliases.iter().find(|alias| alias.mount_accessor == accessor)
    }

    /// The alias with an id.
    pub fn alias(&self, id: &str) -> Option<&Alias> {
        self.aliases.iter().find(|alias| alias.id == id)
    }
}

/// A name on a mount, of an entity or of an external group.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alias {
    /// UUID, as of entities.
    pub id: String,
    /// As it was written.
    pub name: String,
    /// The mount.
    pub mount_accessor: String,
    /// What the mount's login method knows; of this mount only (S07, S08).
    #[serde(default)]
    pub metadata: Option<Metadata>,
    /// What operators added; `None` for aliases that a login made.
    #[serde(default)]
    pub custom_metadata: Option<Metadata>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Entities it came from by merging.
    #[serde(default)]
    pub merged_from: Vec<String>,
}

/// Who decides about a group's members.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum GroupKind {
    /// Operators.
    #[default]
    Internal,
    /// A login method, through the group's alias.
    External,
}

impl GroupKind {
    /// Upstream's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Internal => "internal",
            Self::External => "external",
        }
    }

    /// Reads upstream's name.
    pub fn parse(name: &str) -> Option<Self> {
        [Self::Internal, Self::External].into_iter().find(|kind| kind.name() == name)
    }
}

/// A group. Its members are indexes of their own, so that a login into a large group writes little.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Group {
    /// UUID, as of entities.
    pub id: String,
    /// As it was written.
    pub name: String,
    /// Who decides about members.
    pub kind: GroupKind,
    /// Empty counts as unset.
    #[serde(default)]
    pub metadata: Metadata,
    /// Canonical, never `root`; `None` until first set.
    #[serde(default)]
    pub policies: Option<Vec<String>>,
    /// When it was made.
    pub created: Timestamp,
    /// When it last changed.
    pub updated: Timestamp,
    /// Counts changes.
    pub modify_index: u64,
    /// The name on a mount that makes entities members; external groups only.
    #[serde(default)]
    pub alias: Option<Alias>,
    /// Whether member entities were ever set, which clients see as `[]` instead of `null`.
    #[serde(default)]
    pub members_set: bool,
    /// The same for member groups.
    #[serde(default)]
    pub groups_set: bool,
}

impl Record for Group {
    const KIND: &'static str = "group/1";
}

/// An index entry: what a name, an alias or a membership leads to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Link {
    /// Id of the entity or group.
    pub id: String,
    /// The name as it was written, in indexes of names.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

impl Record for Link {
    const KIND: &'static str = "identity-link/1";
}

impl Link {
    /// An entry that leads to an id.
    pub fn to(id: &str) -> Self {
        Self { id: id.to_owned(), name: String::new() }
    }

    /// An entry of a name.
    pub fn named(id: &str, name: &str) -> Self {
        Self { id: id.to_owned(), name: name.to_owned() }
    }
}
