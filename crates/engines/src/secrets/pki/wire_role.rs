//! A role as clients send it, in upstream's field names.

use engine::{CommaList, Seconds, StringList, request};

request! {
    /// A role: which names, keys and times it allows.
    pub(super) struct WriteRole {
        /// The lease duration if no specific lease duration is requested.
        ttl: Option<Seconds>,
        /// The maximum allowed lease duration.
        max_ttl: Option<Seconds>,
        /// Whether to allow "localhost" and "localdomain" as a valid common name in a request.
        allow_localhost: Option<bool>,
        /// The domains this role is allowed to issue certificates for.
        allowed_domains: Option<CommaList>,
        /// If set, allowed_domains can be specified using identity template policies.
        allowed_domains_template: Option<bool>,
        /// If set, values of identity templates may hold globs.
        allow_globs_in_identity_templates: Option<bool>,
        /// If set, clients can request certificates for the base domains themselves.
        allow_bare_domains: Option<bool>,
        /// If set, clients can request certificates for subdomains of the domains, wildcard subdomains included.
        allow_subdomains: Option<bool>,
        /// If set, domains specified in "allowed_domains" can include glob patterns.
        allow_glob_domains: Option<bool>,
        /// If set, allows certificates with wildcards in the common name to be issued.
        allow_wildcard_certificates: Option<bool>,
        /// If set, clients can request certificates for any domain, regardless of allowed_domains.
        allow_any_name: Option<bool>,
        /// If set, only valid host names are allowed.
        enforce_hostnames: Option<bool>,
        /// If set, IP Subject Alternative Names are allowed.
        allow_ip_sans: Option<bool>,
        /// CIDR ranges that IP Subject Alternative Names must lie in.
        allowed_ip_sans_cidr: Option<CommaList>,
        /// Valid URIs to allow for URI Subject Alternative Names, with globs.
        allowed_uri_sans: Option<CommaList>,
        /// If set, allowed_uri_sans can be specified using identity template policies.
        allowed_uri_sans_template: Option<bool>,
        /// Names of other kinds to allow, as <oid>;UTF8:<value with globs>, or "*".
        allowed_other_sans: Option<CommaList>,
        /// Serial numbers of the subject to allow, with globs.
        allowed_serial_numbers: Option<CommaList>,
        /// User ids of the subject to allow, with globs.
        allowed_user_ids: Option<CommaList>,
        /// If set, certificates are flagged for server auth use.
        server_flag: Option<bool>,
        /// If set, certificates are flagged for client auth use.
        client_flag: Option<bool>,
        /// If set, certificates are flagged for code signing use.
        code_signing_flag: Option<bool>,
        /// If set, certificates are flagged for email protection use.
        email_protection_flag: Option<bool>,
        /// The type of key to use: "rsa", "ec", "ed25519" or "any".
        key_type: Option<String>,
        /// The number of bits to use; 0 is the default of the type.
        key_bits: Option<i64>,
        /// The number of bits of the hash of RSA signatures.
        signature_bits: Option<i64>,
        /// Whether or not to use PSS signatures.
        use_pss: Option<bool>,
        /// Key usages by name.
        key_usage: Option<CommaList>,
        /// Extended key usages by name.
        ext_key_usage: Option<CommaList>,
        /// Extended key usages by object identifier.
        ext_key_usage_oids: Option<CommaList>,
        /// If set, the common name in the CSR is used.
        use_csr_common_name: Option<bool>,
        /// If set, the SANs in the CSR are used.
        use_csr_sans: Option<bool>,
    }
}

request! {
    /// The rest of a role.
    pub(super) struct WriteRoleMore {
        /// If set, OU (OrganizationalUnit) will be set to this value.
        ou: Option<CommaList>,
        /// If set, O (Organization) will be set to this value.
        organization: Option<CommaList>,
        /// If set, Country will be set to this value.
        country: Option<CommaList>,
        /// If set, Locality will be set to this value.
        locality: Option<CommaList>,
        /// If set, Province will be set to this value.
        province: Option<CommaList>,
        /// If set, Street Address will be set to this value.
        street_address: Option<CommaList>,
        /// If set, Postal Code will be set to this value.
        postal_code: Option<CommaList>,
        /// If set, certificates will have leases attached to them.
        generate_lease: Option<bool>,
        /// If set, certificates will not be stored.
        no_store: Option<bool>,
        /// If set to false, makes the 'common_name' field optional.
        require_cn: Option<bool>,
        /// Types of names that a common name may be: "email", "hostname"; "disabled" for any.
        cn_validations: Option<CommaList>,
        /// Policies, by object identifier or as JSON of "oid", "notice" and "cps".
        policy_identifiers: Option<StringList>,
        /// Mark basic constraints valid when issuing non-CA certificates.
        basic_constraints_valid_for_non_ca: Option<bool>,
        /// The duration before now which the certificate needs to be backdated by.
        not_before_duration: Option<Seconds>,
        /// Set the not after field of the certificate with a specified date value.
        not_after: Option<String>,
        /// Set the not before field of the certificate with a specified date value.
        not_before: Option<String>,
        /// Bound of the not before that a request may have: "permit", "duration", "forbid".
        not_before_bound: Option<String>,
        /// Bound of the not after that a request may have: "permit", "ttl-limited", "forbid" or a time.
        not_after_bound: Option<String>,
        /// Reference to the issuer used to sign requests serviced by this role.
        issuer_ref: Option<String>,
    }
}
