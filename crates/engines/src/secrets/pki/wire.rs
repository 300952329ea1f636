//! What clients send, in upstream's field names.

use engine::{CommaList, Seconds, SecretText, request};

request! {
    /// A role in the path.
    pub(super) struct RolePath {
        /// The desired role with configuration for this request.
        role: String,
    }
}

request! {
    /// A role by the name it is configured under.
    pub(super) struct NamePath {
        /// Name of the role.
        name: String,
    }
}

request! {
    /// An issuer in the path.
    pub(super) struct IssuerPath {
        /// Reference to an issuer: "default", its id or its name.
        issuer_ref: String,
    }
}

request! {
    /// A key in the path.
    pub(super) struct KeyPath {
        /// Reference to a key: "default", its id or its name.
        key_ref: String,
    }
}

request! {
    /// Whether the private key is shown.
    pub(super) struct ExportedPath {
        /// "internal", "exported" or "existing".
        exported: String,
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
    /// What every certificate is asked with.
    pub(super) struct NameFields {
        /// The requested common name. May be an email address.
        common_name: String,
        /// The requested Subject Alternative Names, if any, in a comma-delimited list. May contain email addresses.
        alt_names: CommaList,
        /// The requested IP SANs, if any, in a comma-delimited list.
        ip_sans: CommaList,
        /// The requested URI SANs, if any, in a comma-delimited list.
        uri_sans: CommaList,
        /// Requested other SANs, as <oid>;UTF8:<value>.
        other_sans: CommaList,
        /// The Subject's requested serial number, if any.
        serial_number: String,
        /// If true, the common name is not included in DNS or email SANs.
        exclude_cn_from_sans: bool,
        /// Format for returned data: "pem", "der" or "pem_bundle".
        format: Option<String>,
        /// Format for the returned private key: "der" for the traditional form, "pkcs8".
        private_key_format: String,
        /// The requested Time To Live for the certificate.
        ttl: Option<Seconds>,
        /// Set the not after field of the certificate with a specified date value, in RFC 3339.
        not_after: String,
        /// Set the not before field of the certificate with a specified date value, in RFC 3339.
        not_before: String,
    }
}

request! {
    /// What leaves are asked with beside it.
    pub(super) struct LeafFields {
        /// The requested user_ids value to place in the subject, if any, in a comma-delimited list.
        user_ids: CommaList,
        /// Whether or not to remove self-signed CA certificates in the output of the ca_chain field.
        remove_roots_from_chain: bool,
    }
}

request! {
    /// Kind and size of a new key.
    pub(super) struct KeyKindFields {
        /// The type of key to use: "rsa", "ec" or "ed25519".
        key_type: Option<String>,
        /// The number of bits to use; 0 is the default of the type.
        key_bits: Option<i64>,
    }
}

request! {
    /// How something is signed.
    pub(super) struct SignatureFields {
        /// The number of bits of the hash of RSA signatures: 256, 384 or 512; 0 is 256.
        signature_bits: i64,
        /// Whether or not to use PSS signatures.
        use_pss: bool,
    }
}

request! {
    /// A certificate request.
    pub(super) struct CsrField {
        /// PEM-format CSR.
        csr: String,
    }
}

request! {
    /// Usages of a certificate that is signed as it is asked.
    pub(super) struct UsageFields {
        /// Key usages by name, without "KeyUsage".
        key_usage: Option<CommaList>,
        /// Extended key usages by name.
        ext_key_usage: CommaList,
        /// Extended key usages by object identifier.
        ext_key_usage_oids: CommaList,
        /// Mark basic constraints valid when issuing non-CA certificates.
        basic_constraints_valid_for_non_ca: bool,
    }
}

request! {
    /// An optional role.
    pub(super) struct OptionalRole {
        /// The desired role with configuration for this request.
        role: String,
    }
}

request! {
    /// Parts of a subject.
    pub(super) struct SubjectFields {
        /// If set, OU (OrganizationalUnit) will be set to this value.
        ou: CommaList,
        /// If set, O (Organization) will be set to this value.
        organization: CommaList,
        /// If set, Country will be set to this value.
        country: CommaList,
        /// If set, Locality will be set to this value.
        locality: CommaList,
        /// If set, Province will be set to this value.
        province: CommaList,
        /// If set, Street Address will be set to this value.
        street_address: CommaList,
        /// If set, Postal Code will be set to this value.
        postal_code: CommaList,
        /// The duration before now which the certificate needs to be backdated by.
        not_before_duration: Option<Seconds>,
    }
}

request! {
    /// What certificates of authorities are asked with beside it.
    pub(super) struct AuthorityFields {
        /// The maximum allowable path length; -1 is no limit, or one less than the parent's.
        max_path_length: Option<i64>,
        /// Domains for which this certificate is allowed to sign or issue child certificates.
        permitted_dns_domains: CommaList,
        /// Provide a name to the generated or existing issuer.
        issuer_name: String,
        /// Reference to the issuer that signs.
        issuer_ref: Option<String>,
        /// Whether to add a Basic Constraints extension to the request.
        add_basic_constraints: bool,
    }
}

request! {
    /// Which key a new authority has.
    pub(super) struct KeyFields {
        /// Provide a name to the generated key.
        key_name: String,
        /// Reference to an existing key; for "existing" only.
        key_ref: Option<String>,
        /// PEM or text of the identifier of the subject's key, in hex.
        skid: String,
        /// If true, take all values from the CSR.
        use_csr_values: bool,
    }
}

request! {
    /// A certificate to sign again.
    pub(super) struct SelfIssuedFields {
        /// PEM-format self-issued certificate to be signed.
        certificate: String,
        /// Require that the algorithms of both certificates match.
        require_matching_certificate_algorithms: bool,
        /// Reference to the issuer that signs.
        issuer_ref: Option<String>,
    }
}

request! {
    /// Certificates and keys to import.
    pub(super) struct BundleField {
        /// PEM-format, concatenated unencrypted secret key (optional) and certificates.
        pem_bundle: SecretText,
        /// PEM-format certificate.
        certificate: String,
    }
}

request! {
    /// A new or imported key.
    pub(super) struct NewKey {
        /// Optional name to be used for this key.
        key_name: String,
        /// PEM-format, unencrypted secret key.
        pem_bundle: SecretText,
    }
}

request! {
    /// A certificate to revoke.
    pub(super) struct RevokeRequest {
        /// Certificate serial number, in colon- or hyphen-separated octal.
        serial_number: String,
        /// Certificate to revoke in PEM format; must be signed by an issuer in this mount.
        certificate: String,
        /// Key to use to verify revocation permission; must be in PEM format.
        private_key: SecretText,
    }
}

request! {
    /// A certificate by serial number.
    pub(super) struct SerialPath {
        /// Certificate serial number, in colon- or hyphen-separated octal.
        serial: String,
    }
}

request! {
    /// Changes of an issuer.
    pub(super) struct WriteIssuer {
        /// Provide a name for the issuer.
        issuer_name: Option<String>,
        /// Chain of issuer references to use instead of the computed one.
        manual_chain: Option<CommaList>,
        /// Behavior of leaf's NotAfter fields: "err", "truncate" or "permit".
        leaf_not_after_behavior: Option<String>,
        /// Usages of this issuer.
        usage: Option<CommaList>,
        /// Which signature algorithm to use when building CRLs.
        revocation_signature_algorithm: Option<String>,
        /// URLs of the issuing certificate.
        issuing_certificates: Option<CommaList>,
        /// URLs of the revocation list.
        crl_distribution_points: Option<CommaList>,
        /// URLs of the delta revocation list.
        delta_crl_distribution_points: Option<CommaList>,
        /// URLs of the OCSP responder.
        ocsp_servers: Option<CommaList>,
        /// Whether or not to enabling templating of the above AIA fields.
        enable_aia_url_templating: Option<bool>,
    }
}

request! {
    /// URLs in issued certificates.
    pub(super) struct WriteUrls {
        /// URLs of the issuing certificate.
        issuing_certificates: Option<CommaList>,
        /// URLs of the revocation list.
        crl_distribution_points: Option<CommaList>,
        /// URLs of the delta revocation list.
        delta_crl_distribution_points: Option<CommaList>,
        /// URLs of the OCSP responder.
        ocsp_servers: Option<CommaList>,
        /// Whether or not to enabling templating of the above AIA fields.
        enable_templating: Option<bool>,
    }
}

request! {
    /// Settings of revocation lists and OCSP.
    pub(super) struct WriteCrl {
        /// The amount of time the generated CRL should be valid; defaults to 72 hours.
        expiry: Option<String>,
        /// If set to true, disables generating the CRL entirely.
        disable: Option<bool>,
        /// If set to true, OCSP unauthorized responses will be returned.
        ocsp_disable: Option<bool>,
        /// The amount of time an OCSP response will be valid.
        ocsp_expiry: Option<String>,
        /// If set to true, enables automatic rebuilding of the CRL.
        auto_rebuild: Option<bool>,
        /// The time before the CRL expires to automatically rebuild it.
        auto_rebuild_grace_period: Option<String>,
        /// Whether to enable delta CRLs between authoritative CRL rebuilds.
        enable_delta: Option<bool>,
        /// The time between delta CRL rebuilds if a new revocation has occurred.
        delta_rebuild_interval: Option<String>,
        /// If set to true, expired certificates may be revoked.
        allow_expired_cert_revocation: Option<bool>,
    }
}

request! {
    /// Addresses of this cluster, for templates.
    pub(super) struct WriteCluster {
        /// Canonical URI to this mount on this cluster's external address.
        path: Option<String>,
        /// Optional URI to this mount's AIA distribution point.
        aia_path: Option<String>,
    }
}

request! {
    /// The default issuer.
    pub(super) struct WriteDefaultIssuer {
        /// Reference (name or identifier) to the default issuer.
        default: Option<String>,
        /// Whether the default issuer should automatically follow the latest generated or imported issuer.
        default_follows_latest_issuer: Option<bool>,
    }
}

request! {
    /// The default key.
    pub(super) struct WriteDefaultKey {
        /// Reference (name or identifier) of the default key.
        default: Option<String>,
    }
}

request! {
    /// What tidying does.
    pub(super) struct TidyFields {
        /// Set to true to enable tidying up the certificate store.
        tidy_cert_store: Option<bool>,
        /// Deprecated; synonym for 'tidy_revoked_certs'.
        tidy_revocation_list: Option<bool>,
        /// Set to true to expire all revoked and expired certificates.
        tidy_revoked_certs: Option<bool>,
        /// Set to true to remove certificates that cannot be read.
        tidy_invalid_certs: Option<bool>,
        /// Set to true to validate issuer associations on revocation entries.
        tidy_revoked_cert_issuer_associations: Option<bool>,
        /// Set to true to automatically remove expired issuers past the issuer_safety_buffer.
        tidy_expired_issuers: Option<bool>,
        /// Kept for its name; there is no such bundle here.
        tidy_move_legacy_ca_bundle: Option<bool>,
        /// Kept for its name; there is no ACME here.
        tidy_acme: Option<bool>,
        /// Time that must have passed since a certificate's expiration before it is removed.
        safety_buffer: Option<Seconds>,
        /// The same for revoked certificates.
        revoked_safety_buffer: Option<Seconds>,
        /// The same for issuers.
        issuer_safety_buffer: Option<Seconds>,
        /// Kept for its name; there is no ACME here.
        acme_account_safety_buffer: Option<Seconds>,
        /// Time to wait between pages; kept for its name.
        pause_duration: Option<String>,
        /// Certificates looked at in one step.
        page_size: Option<i64>,
    }
}

request! {
    /// When tidying runs by itself.
    pub(super) struct AutoTidyFields {
        /// Set to true to enable automatic tidy operations.
        enabled: Option<bool>,
        /// Interval at which to run an auto-tidy operation.
        interval_duration: Option<Seconds>,
        /// Whether certificates are counted.
        maintain_stored_certificate_counts: Option<bool>,
        /// Whether the counts are metrics.
        publish_stored_certificate_count_metrics: Option<bool>,
    }
}

request! {
    /// An OCSP request in the path.
    pub(super) struct OcspPath {
        /// base64-encoded OCSP request.
        req: String,
    }
}
