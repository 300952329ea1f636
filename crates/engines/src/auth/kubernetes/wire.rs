//! What clients send, in upstream's field names.

use engine::{CommaList, Seconds, SecretText, StringList, request};

request! {
    /// The connection to the cluster.
    pub(super) struct WriteConfig {
        /// Host must be a host string, a host:port pair, or a URL to the base of the Kubernetes API server.
        kubernetes_host: String,
        /// PEM encoded CA cert for use by the TLS client used to talk with the API.
        kubernetes_ca_cert: String,
        /// A service account JWT (or other token) used as a bearer token to access the TokenReview API to validate other
        /// JWTs during login. If not set the JWT used for login will be used to access the API.
        token_reviewer_jwt: SecretText,
        /// List of PEM-formatted public keys or certificates used to verify the signatures of service account JWTs.
        pem_keys: StringList,
        /// JWT issuer that is accepted where issuers are validated.
        issuer: String,
        /// Disable JWT issuer validation. Defaults to true.
        disable_iss_validation: Option<bool>,
        /// Disable defaulting to the local CA cert and service account JWT when running in a Kubernetes pod.
        disable_local_ca_jwt: bool,
        /// Use annotations of the service account that begin with vault.hashicorp.com/alias-metadata- as metadata of the alias.
        use_annotations_as_alias_metadata: bool,
    }
}

request! {
    /// A role in the path.
    pub(super) struct RolePath {
        /// Name of the role.
        name: String,
    }
}

request! {
    /// Which part of a list.
    pub(super) struct ListRoles {
        /// Optional entry to list begin listing after, not required to exist.
        after: Option<String>,
        /// Optional number of entries to return; defaults to all entries.
        limit: Option<i64>,
    }
}

request! {
    /// A role, beside its `token_*` parameters.
    pub(super) struct WriteRole {
        /// List of service account names able to access this role. If set to "*" all names are allowed.
        bound_service_account_names: Option<CommaList>,
        /// List of namespaces allowed to access this role. If set to "*" all namespaces are allowed.
        bound_service_account_namespaces: Option<CommaList>,
        /// A label selector for Kubernetes namespaces which are allowed to access this role, as a JSON object.
        bound_service_account_namespace_selector: Option<String>,
        /// Audience claim to verify in the JWT.
        audience: Option<String>,
        /// Source of the alias name: serviceaccount_uid or serviceaccount_name.
        alias_name_source: Option<String>,
    }
}

request! {
    /// Old names of `token_*` parameters.
    pub(super) struct OldNames {
        /// Use "token_policies" instead.
        policies: Option<CommaList>,
        /// Use "token_num_uses" instead.
        num_uses: Option<i64>,
        /// Use "token_ttl" instead.
        ttl: Option<Seconds>,
        /// Use "token_max_ttl" instead.
        max_ttl: Option<Seconds>,
        /// Use "token_period" instead.
        period: Option<Seconds>,
        /// Use "token_bound_cidrs" instead.
        bound_cidrs: Option<CommaList>,
    }
}

request! {
    /// A login.
    pub(super) struct LoginRequest {
        /// Name of the role against which the login is being attempted.
        role: String,
        /// A signed JWT for authenticating a service account.
        jwt: SecretText,
    }
}
