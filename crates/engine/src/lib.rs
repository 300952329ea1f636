//! What an engine is written against: routes and their typed requests, the context a handler gets, replies and faults,
//! and [`bench::Bench`], the harness its tests run on.
//!
//! An engine is a folder that exports one [`Engine`]. Its handlers are pure: everything they may read, write or depend
//! on comes in through [`Cx`], and everything they want is in what they return.
#![forbid(unsafe_code)]

pub mod bench;
mod cx;
mod fault;
mod field;
mod glob;
mod login;
mod name;
pub mod outside;
mod reply;
mod request;
mod route;
mod stored;

pub use cx::{Caller, Cx, Mount};
pub use fault::Fault;
pub use field::{
    CommaList, Field, FieldKind, FieldType, Input, Object, Pairs, RequestBody, Seconds, SecretText, StringList,
    take_field, wire_name,
};
pub use glob::glob_matches;
pub use login::{Alias, BoundCidrs, Login, LoginRecord, TokenFields, TokenKind, TokenParams};
pub use name::{NAME_BYTES_MAX, Name};
pub use outside::Outside;
pub use reply::{Body, Lease, LeaseRecord, Raw, Reply};
pub use request::{Headers, OpenCeremonies, Peer, Request};
pub use route::{Action, Ceremony, Flags, Found, Lookup, Matched, Route, Table, Tail};
pub use stored::StoredPkcs8;

pub use crypto::{self, Randomness, Secret, SystemRandomness};
pub use login::canonical_policies;
pub use store::{Page, Record, StoreError, Tx};
pub use wire::{Operation, RequestPath, Timestamp};

use std::collections::BTreeMap;

/// Whether an engine keeps secrets or logs people in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// Mounted below `sys/mounts`.
    Secret,
    /// Mounted below `sys/auth`, at `auth/…`.
    Auth,
}

/// Options of a mount, such as kv's `version`.
pub type Options = BTreeMap<String, String>;

/// A secrets engine or login method. Implementations hold no state: what they keep is in the mount's storage.
pub trait Engine: Send + Sync {
    /// The type name clients mount it by, for example `kv`.
    fn kind(&self) -> &'static str;

    /// Secrets engine or login method.
    fn class(&self) -> Class;

    /// One line for `sys/plugins/catalog` and the help page.
    fn summary(&self) -> &'static str;

    /// The routes of a mount with these options.
    fn table(&self, options: &Options) -> &Table<Cx>;

    /// Called in the transaction that mounts it; checks the options and writes what it needs.
    fn mounted(&self, _cx: &mut Cx) -> Result<(), Fault> {
        Ok(())
    }

    /// Renews a lease it issued: the new lease, whose `ttl` is again bounded by the mount.
    fn renew(&self, _cx: &mut Cx, _lease: &LeaseRecord) -> Result<Lease, Fault> {
        Err(Fault::invalid("lease is not renewable"))
    }

    /// Revokes a lease it issued. Idempotent: what is already gone is success.
    fn revoke(&self, _cx: &mut Cx, _lease: &LeaseRecord) -> Result<(), Fault> {
        Ok(())
    }

    /// Checks that a login may be renewed (the user still exists, the role still allows it) and returns the parameters
    /// that hold now. Renewal is re-authentication (security decision D16).
    fn renew_login(&self, _cx: &mut Cx, _login: &LoginRecord) -> Result<TokenParams, Fault> {
        Err(Fault::invalid("token is not renewable"))
    }

    /// Forgets what it kept for one token (cubbyhole).
    fn token_ended(&self, _cx: &mut Cx, _cubbyhole: &str) -> Result<(), Fault> {
        Ok(())
    }

    /// Frees space that expired records take, at most `limit` of them; returns how many. Whether something is expired is
    /// checked where it is used, never here.
    fn tidy(&self, _cx: &mut Cx, _limit: usize) -> Result<usize, Fault> {
        Ok(0)
    }
}
