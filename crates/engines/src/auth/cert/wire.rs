//! What clients send, in upstream's field names.

use engine::{CommaList, Seconds, request};

request! {
    /// A role or list in the path.
    pub(super) struct NamePath {
        /// The name of the role or list.
        name: String,
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
    /// What a role trusts and how its logins are called.
    pub(super) struct RoleFields {
        /// The public certificate that should be trusted. Must be x509 PEM encoded.
        certificate: Option<String>,
        /// The display name to use for clients using this certificate.
        display_name: Option<String>,
        /// Whether to attempt OCSP verification of certificates at login. Not served: only false is taken.
        ocsp_enabled: Option<bool>,
        /// Any additional CA certificates needed to communicate with OCSP servers.
        ocsp_ca_certificates: Option<String>,
        /// A comma-separated list of OCSP server addresses.
        ocsp_servers_override: Option<CommaList>,
        /// Whether a login proceeds if the OCSP servers give no answer. Not served: only false is taken.
        ocsp_fail_open: Option<bool>,
        /// Whether all OCSP servers have to agree.
        ocsp_query_all_servers: Option<bool>,
    }
}

request! {
    /// What a certificate has to say to be one of a role.
    pub(super) struct ConstraintFields {
        /// Names of which one must be the common name or a DNS or email name. Supports globbing.
        allowed_names: Option<CommaList>,
        /// Names of which one must be the common name. Supports globbing.
        allowed_common_names: Option<CommaList>,
        /// Names of which one must be among the DNS names. Supports globbing.
        allowed_dns_sans: Option<CommaList>,
        /// Names of which one must be among the email addresses. Supports globbing.
        allowed_email_sans: Option<CommaList>,
        /// Names of which one must be among the URIs. Supports globbing.
        allowed_uri_sans: Option<CommaList>,
        /// Names of which one must be among the organizational units. Supports globbing.
        allowed_organizational_units: Option<CommaList>,
        /// Extensions as `oid:value`, all of which must be there as an ASN.1 string. The value supports globbing.
        required_extensions: Option<CommaList>,
        /// Identifiers of extensions whose values become metadata of the login.
        allowed_metadata_extensions: Option<CommaList>,
    }
}

request! {
    /// Old names of `token_*` parameters.
    pub(super) struct OldFields {
        /// Use "token_bound_cidrs" instead.
        bound_cidrs: Option<CommaList>,
        /// Use "token_policies" instead.
        policies: Option<CommaList>,
        /// Use "token_ttl" instead.
        lease: Option<Seconds>,
        /// Use "token_ttl" instead.
        ttl: Option<Seconds>,
        /// Use "token_max_ttl" instead.
        max_ttl: Option<Seconds>,
        /// Use "token_period" instead.
        period: Option<Seconds>,
    }
}

request! {
    /// Settings of the method.
    pub(super) struct ConfigFields {
        /// If set, a renewal does not need the certificate that the login was made with.
        disable_binding: Option<bool>,
        /// If set, what is known of the certificate becomes metadata of the identity alias.
        enable_identity_alias_metadata: Option<bool>,
        /// Kept because clients read it back.
        ocsp_cache_size: Option<i64>,
    }
}

request! {
    /// A revocation list.
    pub(super) struct ListFields {
        /// The list, PEM encoded.
        crl: Option<String>,
        /// Where to fetch the list. Not served.
        url: Option<String>,
    }
}

request! {
    /// A login.
    pub(super) struct LoginRequest {
        /// The name of the role to log in to; without it, all are tried.
        name: Option<String>,
    }
}
