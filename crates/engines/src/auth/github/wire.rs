//! What clients send, in upstream's field names.

use engine::{CommaList, Seconds, SecretText, request};

request! {
    /// The connection, beside its `token_*` parameters.
    pub(super) struct WriteConfig {
        /// The organization users must be part of.
        organization: Option<String>,
        /// The ID of the organization users must be part of. It is asked for where it is not given.
        organization_id: Option<u64>,
        /// The API endpoint to use, for GitHub Enterprise or an API-compatible server.
        base_url: Option<String>,
        /// Use "token_policies" instead.
        policies: Option<CommaList>,
        /// Use "token_ttl" instead.
        ttl: Option<Seconds>,
        /// Use "token_max_ttl" instead.
        max_ttl: Option<Seconds>,
    }
}

request! {
    /// A team or user in the path.
    pub(super) struct MapPath {
        /// Slug of a team, or name of a user.
        key: String,
    }
}

request! {
    /// A mapping.
    pub(super) struct WriteMap {
        /// Comma separated list of policies.
        value: String,
    }
}

request! {
    /// Which part of a list.
    pub(super) struct ListMaps {
        /// Optional entry to list begin listing after, not required to exist.
        after: Option<String>,
        /// Optional number of entries to return; defaults to all entries.
        limit: Option<i64>,
    }
}

request! {
    /// A login.
    pub(super) struct LoginRequest {
        /// GitHub personal access token.
        token: SecretText,
    }
}
