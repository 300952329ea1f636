//! What clients send, in upstream's field names.

use engine::{Object, Seconds, SecretText, request};

request! {
    /// A role in the path.
    pub(super) struct RolePath {
        /// The name of the role.
        role: String,
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
    /// A new authority.
    pub(super) struct NewIssuer {
        /// Private half of the key that signs.
        private_key: Option<SecretText>,
        /// Public half of the key that signs.
        public_key: Option<String>,
        /// Whether to make a key rather than take one. Defaults to true.
        generate_signing_key: Option<bool>,
        /// The type of a key that is made: ssh-rsa, ecdsa-sha2-nistp256, -384 or -521, or ssh-ed25519.
        key_type: Option<String>,
        /// The bits of a key that is made; 0 is the usual number of its type.
        key_bits: Option<i64>,
    }
}

request! {
    /// What an import adds.
    pub(super) struct ImportFields {
        /// Optional name, from the path.
        issuer_name: Option<String>,
        /// Whether it becomes the default.
        set_default: Option<bool>,
    }
}

request! {
    /// An authority in the path.
    pub(super) struct IssuerPath {
        /// The id or name of an authority, or `default`.
        issuer_ref: String,
    }
}

request! {
    /// A new name.
    pub(super) struct IssuerName {
        /// The name; empty for none.
        issuer_name: Option<String>,
    }
}

request! {
    /// The default authority.
    pub(super) struct DefaultIssuer {
        /// Its id or name.
        default: Option<String>,
    }
}

request! {
    /// What all roles have.
    pub(super) struct RoleFields {
        /// Type of what the role gives: otp or ca.
        key_type: Option<String>,
        /// User of the one-time passwords, or principal of certificates, that name none.
        default_user: Option<String>,
        /// Users that may be named, separated by commas; `*` is any.
        allowed_users: Option<String>,
    }
}

request! {
    /// What roles of one-time passwords have.
    pub(super) struct OtpFields {
        /// CIDR blocks that the role serves, separated by commas.
        cidr_list: Option<String>,
        /// CIDR blocks that the role does not serve, separated by commas.
        exclude_cidr_list: Option<String>,
        /// Port of the SSH server, which is only told to the client. Defaults to 22.
        port: Option<i64>,
    }
}

request! {
    /// What roles of certificates allow.
    pub(super) struct CaFields {
        /// Whether users' certificates are issued.
        allow_user_certificates: Option<bool>,
        /// Whether hosts' certificates are issued.
        allow_host_certificates: Option<bool>,
        /// Domains of hosts, separated by commas; `*` is any.
        allowed_domains: Option<String>,
        /// Whether a domain itself may be a host.
        allow_bare_domains: Option<bool>,
        /// Whether what lies below a domain may be a host.
        allow_subdomains: Option<bool>,
        /// Critical options that may be asked for, separated by commas; empty is any.
        allowed_critical_options: Option<String>,
        /// Extensions that may be asked for, separated by commas; `*` is any.
        allowed_extensions: Option<String>,
        /// Whether a key id may be asked for.
        allow_user_key_ids: Option<bool>,
        /// Lengths in bits by type of key; empty is any.
        allowed_user_key_lengths: Option<Object>,
        /// Not served: only false is taken.
        allow_empty_principals: Option<bool>,
    }
}

request! {
    /// What roles of certificates put into them.
    pub(super) struct CertificateFields {
        /// Lifetime where none is asked for.
        ttl: Option<Seconds>,
        /// Longest lifetime.
        max_ttl: Option<Seconds>,
        /// How long before now a certificate begins. Defaults to 30 seconds.
        not_before_duration: Option<Seconds>,
        /// Critical options where none are asked for.
        default_critical_options: Option<Object>,
        /// Extensions where none are asked for.
        default_extensions: Option<Object>,
        /// Key id, in which {{token_display_name}}, {{public_key_hash}} and {{role_name}} are replaced.
        key_id_format: Option<String>,
        /// Algorithm of signatures by RSA: default, rsa-sha2-256 or rsa-sha2-512.
        algorithm_signer: Option<String>,
        /// The authority that signs, by id or name. Defaults to `default`.
        issuer_ref: Option<String>,
    }
}

request! {
    /// Switches of identity templates.
    pub(super) struct TemplateFields {
        /// Not served: only false is taken.
        default_user_template: Option<bool>,
        /// Not served: only false is taken.
        allowed_users_template: Option<bool>,
        /// Not served: only false is taken.
        allowed_domains_template: Option<bool>,
        /// Not served: only false is taken.
        default_extensions_template: Option<bool>,
        /// Not served: only false is taken.
        allow_commas_in_identity_templates: Option<bool>,
    }
}

request! {
    /// What a certificate is to say.
    pub(super) struct CertificateRequest {
        /// Lifetime.
        ttl: Option<Seconds>,
        /// Users or hosts, separated by commas.
        valid_principals: Option<String>,
        /// user or host. Defaults to user.
        cert_type: Option<String>,
        /// Key id.
        key_id: Option<String>,
        /// Critical options.
        critical_options: Option<Object>,
        /// Extensions.
        extensions: Option<Object>,
    }
}

request! {
    /// A public key.
    pub(super) struct PublicKeyField {
        /// The key that is signed.
        public_key: Option<String>,
    }
}

request! {
    /// The key that is made.
    pub(super) struct NewKeyFields {
        /// Type of the key: rsa, ec or ed25519. Defaults to rsa.
        key_type: Option<String>,
        /// Bits of the key; 0 is the usual number of its type.
        key_bits: Option<i64>,
    }
}

request! {
    /// A one-time password to be made.
    pub(super) struct CredsRequest {
        /// Address of the host.
        ip: Option<String>,
        /// User on the host.
        username: Option<String>,
    }
}

request! {
    /// A one-time password.
    pub(super) struct OtpField {
        /// The password.
        otp: SecretText,
    }
}

request! {
    /// Roles that serve every address.
    pub(super) struct ZeroAddressFields {
        /// Their names, separated by commas.
        roles: Option<engine::CommaList>,
    }
}
