//! The rights a rule can give.

use wire::Operation;

/// One right. Names are upstream's; the order is the order in which they are printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Capability {
    /// Write what does not exist.
    Create,
    /// Delete.
    Delete,
    /// Nothing at all; wins over every other capability of the same pattern.
    Deny,
    /// List the names directly below.
    List,
    /// Change a part.
    Patch,
    /// Read.
    Read,
    /// Read from a loaded snapshot (Vault Enterprise). Accepted; no route asks for it.
    Recover,
    /// List all names below.
    Scan,
    /// Subscribe to events (Vault Enterprise). Accepted; no route asks for it.
    Subscribe,
    /// Use a path that is protected beyond its operation.
    Sudo,
    /// Write what exists.
    Update,
}

impl Capability {
    /// All of them, in order.
    pub const ALL: [Capability; 11] = [
        Capability::Create,
        Capability::Delete,
        Capability::Deny,
        Capability::List,
        Capability::Patch,
        Capability::Read,
        Capability::Recover,
        Capability::Scan,
        Capability::Subscribe,
        Capability::Sudo,
        Capability::Update,
    ];

    /// Upstream's name.
    pub const fn name(self) -> &'static str {
        match self {
            Capability::Create => "create",
            Capability::Delete => "delete",
            Capability::Deny => "deny",
            Capability::List => "list",
            Capability::Patch => "patch",
            Capability::Read => "read",
            Capability::Recover => "recover",
            Capability::Scan => "scan",
            Capability::Subscribe => "subscribe",
            Capability::Sudo => "sudo",
            Capability::Update => "update",
        }
    }

    /// By its name; letter case counts.
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|capability| capability.name() == name)
    }

    /// What an operation needs; help needs nothing.
    pub const fn for_operation(operation: Operation) -> Option<Self> {
        Some(match operation {
            Operation::Create => Capability::Create,
            Operation::Read => Capability::Read,
            Operation::Update => Capability::Update,
            Operation::Delete => Capability::Delete,
            Operation::List => Capability::List,
            Operation::Scan => Capability::Scan,
            Operation::Patch => Capability::Patch,
            Operation::Help => return None,
        })
    }
}

/// A set of capabilities.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct CapabilitySet(u16);

impl CapabilitySet {
    /// Only `deny`.
    pub const DENY: CapabilitySet = CapabilitySet(1 << Capability::Deny as u16);

    /// Adds one.
    pub const fn insert(&mut self, capability: Capability) {
        self.0 |= 1 << capability as u16;
    }

    /// Whether it holds one.
    pub const fn contains(self, capability: Capability) -> bool {
        self.0 & (1 << capability as u16) != 0
    }

    /// Whether it holds nothing.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Whether it refuses everything.
    pub const fn denies(self) -> bool {
        self.contains(Capability::Deny)
    }

    /// Both together.
    pub const fn union(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Sorted names; `deny` stands alone, and also for the empty set.
    pub fn names(self) -> Vec<&'static str> {
        if self.denies() || self.is_empty() {
            return vec![Capability::Deny.name()];
        }
        Capability::ALL.into_iter().filter(|capability| self.contains(*capability)).map(Capability::name).collect()
    }
}

impl FromIterator<Capability> for CapabilitySet {
    fn from_iter<T: IntoIterator<Item = Capability>>(capabilities: T) -> Self {
        let mut set = Self::default();
        capabilities.into_iter().for_each(|capability| set.insert(capability));
        set
    }
}
