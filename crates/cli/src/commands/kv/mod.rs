//! `kv`: secrets of kv engines, without knowing their version or their paths.

mod get;
mod metadata;
mod place;
mod put;
mod versions;

use crate::command::{Action, Command, Count};

/// `kv`.
pub static KV: Command = Command {
    name: "kv",
    summary: "Read and write secrets of a kv engine",
    arguments: "",
    count: Count::Exactly(0),
    about: "Secrets of a kv engine: objects of keys and values, in engines of version 2 with their history. A place is \
            named as -mount=MOUNT KEY, or as MOUNT/KEY.",
    examples: &[
        ("Store a secret; the value is read from standard input", "kv put -mount=secret app/database password=-"),
        ("Read it", "kv get -mount=secret app/database"),
        ("One value, for a script", "kv get -mount=secret -field=password app/database"),
        ("What it was before", "kv get -mount=secret -version=1 app/database"),
    ],
    flags: &[],
    action: Action::Group(&[
        &versions::DELETE,
        &versions::DESTROY,
        &metadata::ENABLE_VERSIONING,
        &get::GET,
        &get::LIST,
        &metadata::METADATA,
        &put::PATCH,
        &put::PUT,
        &put::ROLLBACK,
        &get::SCAN,
        &versions::UNDELETE,
    ]),
};
