//! What clients send, in upstream's field names.

use engine::{CommaList, Seconds, SecretText, request};

request! {
    /// A user in the path.
    pub(super) struct UserPath {
        /// Username for this user.
        username: String,
    }
}

request! {
    /// Which part of the list.
    pub(super) struct ListUsers {
        /// Optional entry to list begin listing after, not required to exist.
        after: Option<String>,
        /// Optional number of entries to return; defaults to all entries.
        limit: Option<i64>,
    }
}

request! {
    /// A password, or the hash of one.
    pub(super) struct NewPassword {
        /// Password for this user.
        password: Option<SecretText>,
        /// Pre-hashed bcrypt password for this user. Mutually exclusive with password.
        password_hash: Option<SecretText>,
    }
}

request! {
    /// Names of token parameters that upstream keeps for old clients; the `token_*` name wins.
    pub(super) struct DeprecatedFields {
        /// Use "token_policies" instead.
        policies: Option<CommaList>,
        /// Use "token_ttl" instead.
        ttl: Option<Seconds>,
        /// Use "token_max_ttl" instead.
        max_ttl: Option<Seconds>,
        /// Use "token_bound_cidrs" instead.
        bound_cidrs: Option<CommaList>,
    }
}

request! {
    /// The policies of a user.
    pub(super) struct WritePolicies {
        /// Username for this user.
        username: String,
        /// Use "token_policies" instead.
        policies: Option<CommaList>,
        /// Comma-separated list of policies.
        token_policies: Option<CommaList>,
    }
}

request! {
    /// A login.
    pub(super) struct LoginRequest {
        /// Username of the user.
        username: String,
        /// Password for this user.
        password: SecretText,
    }
}
