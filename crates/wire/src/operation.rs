//! The operations a path can be asked for.

/// What a request wants of its path, in upstream's terms. `Create` and `Update` are one method on the wire (`POST` or
/// `PUT`); which of the two a write is depends on whether its object exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Operation {
    /// `POST`/`PUT` of what does not exist yet.
    Create,
    /// `GET` or `HEAD`.
    Read,
    /// `POST`/`PUT` of what exists, or of a path that does not tell the difference.
    Update,
    /// `DELETE`.
    Delete,
    /// `LIST`, or `GET` with `list=true`: the names directly below a path.
    List,
    /// `SCAN`, or `GET` with `scan=true`: all names below a path.
    Scan,
    /// `PATCH` with `application/merge-patch+json` (RFC 7396).
    Patch,
    /// `GET` with `help=1`.
    Help,
}

impl Operation {
    /// Every operation that a route can serve.
    pub const ALL: [Operation; 7] = [
        Operation::Create,
        Operation::Read,
        Operation::Update,
        Operation::Delete,
        Operation::List,
        Operation::Scan,
        Operation::Patch,
    ];

    /// Upstream's name, as in policies and audit entries.
    pub const fn name(self) -> &'static str {
        match self {
            Operation::Create => "create",
            Operation::Read => "read",
            Operation::Update => "update",
            Operation::Delete => "delete",
            Operation::List => "list",
            Operation::Scan => "scan",
            Operation::Patch => "patch",
            Operation::Help => "help",
        }
    }

    /// Whether it may change state.
    pub const fn writes(self) -> bool {
        matches!(self, Operation::Create | Operation::Update | Operation::Delete | Operation::Patch)
    }
}

impl std::fmt::Display for Operation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
