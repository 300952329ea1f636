//! What clients send, in upstream's field names.

use engine::{CommaList, Object, Pairs, Seconds, SecretText, StringList, request};

request! {
    /// A role in the path.
    pub(super) struct RolePath {
        /// Name of the role.
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
    /// Whom to trust.
    pub(super) struct WriteConfig {
        /// Base address of the provider, without `.well-known/openid-configuration`.
        oidc_discovery_url: String,
        /// Certificates of authorities, in PEM, that the provider is verified by; empty takes the system's.
        oidc_discovery_ca_pem: String,
        /// The OAuth client id registered with the provider.
        oidc_client_id: String,
        /// The OAuth client secret registered with the provider.
        oidc_client_secret: SecretText,
        /// How the provider answers: 'query' or 'form_post'.
        oidc_response_mode: String,
        /// What the provider answers with: 'code' and 'id_token'. Defaults to 'code'.
        oidc_response_types: CommaList,
        /// Address of a JSON Web Key Set.
        jwks_url: String,
        /// Certificates of authorities, in PEM, that the server of the key set is verified by.
        jwks_ca_pem: String,
        /// Public keys or certificates, in PEM.
        jwt_validation_pubkeys: StringList,
        /// Algorithms that a token may be signed with; empty is all of RS, PS, ES and EdDSA.
        jwt_supported_algs: CommaList,
        /// What the 'iss' claim must be.
        bound_issuer: String,
        /// The role of a login that names none.
        default_role: String,
        /// Settings of single providers.
        provider_config: Object,
        /// Whether the namespace goes into the state rather than into the redirect address. Defaults to true.
        namespace_in_state: Option<bool>,
        /// Host names to accept in certificates instead of the address's own.
        override_allowed_server_names: CommaList,
        /// Whether a provider or key set that cannot be fetched is a warning only.
        skip_jwks_validation: bool,
    }
}

request! {
    /// A role, beside its `token_*` parameters: who may log in.
    pub(super) struct WriteRole {
        /// 'oidc' (the default) or 'jwt'.
        role_type: Option<String>,
        /// Values of the 'aud' claim, one of which must be there.
        bound_audiences: Option<CommaList>,
        /// What the 'sub' claim must be.
        bound_subject: Option<String>,
        /// Claims and the values that they must have.
        bound_claims: Option<Object>,
        /// How values are compared: 'string' or 'glob'.
        bound_claims_type: Option<String>,
        /// The claim that names the user.
        user_claim: Option<String>,
        /// Whether the user claim is a JSON pointer.
        user_claim_json_pointer: Option<bool>,
        /// The claim that lists the user's groups.
        groups_claim: Option<String>,
        /// Claims that are copied to metadata of the token.
        claim_mappings: Option<Pairs>,
        /// Seconds of leeway for expiry, where only other times are given; 0 is 150, negative is none.
        expiration_leeway: Option<Seconds>,
        /// Seconds of leeway for the beginning, where only other times are given; 0 is 150, negative is none.
        not_before_leeway: Option<Seconds>,
        /// Seconds of leeway for all times; 0 is 60, negative is none.
        clock_skew_leeway: Option<Seconds>,
    }
}

request! {
    /// A role: how logins at the provider go.
    pub(super) struct WriteFlow {
        /// Addresses that the provider may send the browser to.
        allowed_redirect_uris: Option<CommaList>,
        /// Scopes to ask for beside 'openid'.
        oidc_scopes: Option<CommaList>,
        /// Seconds since the user last gave proof to the provider.
        max_age: Option<Seconds>,
        /// 'client' (the default), 'direct' or 'device'.
        callback_mode: Option<String>,
        /// Seconds between polls of a 'direct' or 'device' login.
        poll_interval: Option<i64>,
        /// Whether 'direct' logins go without asking the user in the browser.
        oidc_disable_confirmation: Option<bool>,
        /// Accepted; what a provider says is never logged here.
        verbose_oidc_logging: Option<bool>,
        /// Tokens of the provider to put into metadata: 'access_token', 'id_token', 'refresh_token'.
        oauth2_metadata: Option<CommaList>,
        /// Whether policies are templates over the claims.
        token_policies_template_claims: Option<bool>,
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
        /// Use "token_period" instead.
        period: Option<Seconds>,
        /// Use "token_num_uses" instead.
        num_uses: Option<i64>,
        /// Use "token_bound_cidrs" instead.
        bound_cidrs: Option<CommaList>,
    }
}

request! {
    /// A login with a token.
    pub(super) struct LoginRequest {
        /// The role to log in with.
        role: String,
        /// The signed token.
        jwt: SecretText,
    }
}

request! {
    /// The beginning of a login at the provider.
    pub(super) struct BeginRequest {
        /// The role to log in with.
        role: String,
        /// Where the provider sends the browser to. Not needed with 'device'.
        redirect_uri: String,
        /// What the client shows again at the end. Needed with 'direct' and 'device'.
        client_nonce: SecretText,
    }
}

request! {
    /// What the provider sends by way of the browser.
    pub(super) struct CallbackRequest {
        /// The state of the login.
        state: SecretText,
        /// To be exchanged for tokens.
        code: SecretText,
        /// The token itself, where the provider was asked for it.
        id_token: SecretText,
        /// What the client gave at the beginning.
        client_nonce: SecretText,
        /// The user's consent to a 'direct' login.
        confirmation: SecretText,
        /// Why the provider refused.
        error: String,
        /// The same, in words.
        error_description: String,
        /// Where there is more to read.
        error_uri: String,
    }
}

request! {
    /// A question of a waiting client.
    pub(super) struct PollRequest {
        /// The state of the login.
        state: SecretText,
        /// What the client gave at the beginning.
        client_nonce: SecretText,
    }
}
