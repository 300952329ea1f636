//! The key-value engine. A mount's option `version` says which of two engines it is: `1` (also the default) keeps one
//! value per path, `2` keeps versions of it with metadata.
//!
//! Setting the option of a version 1 mount to `2` moves its secrets over (`upgrade.rs`); there is no way back, because
//! version 1 has no place for what version 2 knows.

mod list;
mod upgrade;
mod v1;
mod v2;

#[cfg(test)]
mod answers;

use engine::{Class, Cx, Engine, Fault, Options, Table};

/// The engine.
pub fn engine() -> impl Engine {
    Kv { v1: v1::table(), v2: v2::table() }
}

struct Kv {
    v1: Table<Cx>,
    v2: Table<Cx>,
}

impl Engine for Kv {
    fn kind(&self) -> &'static str {
        "kv"
    }

    fn class(&self) -> Class {
        Class::Secret
    }

    fn summary(&self) -> &'static str {
        "keeps secrets that clients bring, with versions if mounted with version=2"
    }

    fn table(&self, options: &Options) -> &Table<Cx> {
        match version(options) {
            Some(Version::Two) => &self.v2,
            // What `mounted` refuses is never routed to.
            Some(Version::One) | None => &self.v1,
        }
    }

    fn mounted(&self, cx: &mut Cx) -> Result<(), Fault> {
        match version(&cx.mount.options) {
            Some(Version::One) => upgrade::refuse_downgrade(cx),
            Some(Version::Two) => upgrade::to_versions(cx),
            None => Err(Fault::invalid("unknown version of the kv engine: 1 and 2 are supported")),
        }
    }
}

enum Version {
    One,
    Two,
}

fn version(options: &Options) -> Option<Version> {
    match options.get("version").map_or("", String::as_str) {
        "" | "1" => Some(Version::One),
        "2" => Some(Version::Two),
        _ => None,
    }
}
