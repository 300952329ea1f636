//! What clients send, in upstream's field names.

use engine::{CommaList, Seconds, SecretText, request};

request! {
    /// A role in the path.
    pub(super) struct RolePath {
        /// Name of the role.
        role_name: String,
    }
}

request! {
    /// Which part of a list.
    pub(super) struct ListRequest {
        /// Optional entry to list begin listing after, not required to exist.
        after: Option<String>,
        /// Optional number of entries to return; defaults to all entries.
        limit: Option<i64>,
    }
}

request! {
    /// A role, beside its `token_*` parameters.
    pub(super) struct WriteRole {
        /// Impose secret_id to be presented when logging in using this role. Defaults to 'true'.
        bind_secret_id: Option<bool>,
        /// Use "secret_id_bound_cidrs" instead.
        bound_cidr_list: Option<CommaList>,
        /// Comma separated string or list of CIDR blocks that secret-ids may be presented from.
        secret_id_bound_cidrs: Option<CommaList>,
        /// Use "token_policies" instead.
        policies: Option<CommaList>,
        /// Number of times a secret-id can be used; 0 is unlimited.
        secret_id_num_uses: Option<i64>,
        /// Duration after which an issued secret-id expires; 0 is never.
        secret_id_ttl: Option<Seconds>,
        /// Use "token_period" instead.
        period: Option<Seconds>,
        /// Identifier of the role. Defaults to a UUID.
        role_id: Option<String>,
        /// If set, the secret-ids of this role are local to the cluster. Can only be set at creation.
        local_secret_ids: Option<bool>,
    }
}

request! {
    /// The policies of a role.
    pub(super) struct PoliciesField {
        /// Use "token_policies" instead.
        policies: Option<CommaList>,
        /// Comma-separated list of policies.
        token_policies: Option<CommaList>,
    }
}

request! {
    /// Where secret-ids may be presented from, by its old name.
    pub(super) struct BoundCidrListField {
        /// Comma separated string or list of CIDR blocks that secret-ids may be presented from.
        bound_cidr_list: Option<CommaList>,
    }
}

request! {
    /// Where secret-ids may be presented from.
    pub(super) struct SecretIdBoundCidrsField {
        /// Comma separated string or list of CIDR blocks that secret-ids may be presented from.
        secret_id_bound_cidrs: Option<CommaList>,
    }
}

request! {
    /// Where tokens may be used from.
    pub(super) struct TokenBoundCidrsField {
        /// Comma separated string or list of CIDR blocks that the tokens may be used from.
        token_bound_cidrs: Option<CommaList>,
    }
}

request! {
    /// Whether logins need a secret-id.
    pub(super) struct BindSecretIdField {
        /// Impose secret_id to be presented when logging in using this role.
        bind_secret_id: Option<bool>,
    }
}

request! {
    /// How often a secret-id can be used.
    pub(super) struct SecretIdNumUsesField {
        /// Number of times a secret-id can be used; 0 is unlimited.
        secret_id_num_uses: Option<i64>,
    }
}

request! {
    /// How long a secret-id lives.
    pub(super) struct SecretIdTtlField {
        /// Duration after which an issued secret-id expires; 0 is never.
        secret_id_ttl: Option<Seconds>,
    }
}

request! {
    /// The period of tokens.
    pub(super) struct PeriodField {
        /// Use "token_period" instead.
        period: Option<Seconds>,
        /// If set, tokens are periodic: each renewal gives this TTL.
        token_period: Option<Seconds>,
    }
}

request! {
    /// How often a token can be used.
    pub(super) struct TokenNumUsesField {
        /// The maximum number of times a token may be used; 0 is unlimited.
        token_num_uses: Option<i64>,
    }
}

request! {
    /// How long a token lives at first.
    pub(super) struct TokenTtlField {
        /// The initial TTL of the generated tokens.
        token_ttl: Option<Seconds>,
    }
}

request! {
    /// How long a token lives with renewals.
    pub(super) struct TokenMaxTtlField {
        /// The maximum lifetime of the generated tokens.
        token_max_ttl: Option<Seconds>,
    }
}

request! {
    /// The identifier of a role.
    pub(super) struct RoleIdField {
        /// Identifier of the role.
        role_id: String,
    }
}

request! {
    /// Properties of a new secret-id.
    pub(super) struct NewSecretId {
        /// Metadata to be tied to the secret-id: a JSON object of strings, in a string.
        metadata: Option<String>,
        /// Comma separated string or list of CIDR blocks that this secret-id may be presented from.
        cidr_list: Option<CommaList>,
        /// Comma separated string or list of CIDR blocks that tokens got with it may be used from.
        token_bound_cidrs: Option<CommaList>,
        /// Number of times it can be used, within the role's; 0 is unlimited.
        num_uses: Option<i64>,
        /// Duration after which it expires, within the role's; 0 is never.
        ttl: Option<Seconds>,
    }
}

request! {
    /// A secret-id.
    pub(super) struct SecretIdField {
        /// The secret-id.
        secret_id: SecretText,
    }
}

request! {
    /// The accessor of a secret-id.
    pub(super) struct AccessorField {
        /// Accessor of the secret-id.
        secret_id_accessor: String,
    }
}

request! {
    /// A login.
    pub(super) struct LoginRequest {
        /// Unique identifier of the role.
        role_id: String,
        /// Secret-id belonging to the role.
        secret_id: SecretText,
    }
}
