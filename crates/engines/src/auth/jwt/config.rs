//! Whom the mount trusts, at `config`: static keys, the address of a key set, or a provider.

use super::keys;
use super::provider::{self, Discovery};
use super::wire::WriteConfig;
use engine::crypto::jws::{VerificationAlgorithm, VerifyingKey};
use engine::outside::Trust;
use engine::{CommaList, Cx, Fault, Object, Record, Reply, StringList};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

const CONFIG: &str = "config";
/// Most static keys.
const STATIC_KEYS_MAX: usize = 100;
/// Settings of these providers are kept; upstream has code of its own for them, which is not needed here.
const PROVIDERS: [&str; 4] = ["azure", "secureauth", "ibmisam", "gsuite"];
const ONE_SOURCE: &str = "exactly one of 'jwt_validation_pubkeys', 'jwks_url', 'jwks_pairs', 'oidc_discovery_url', or \
                          'provider_config' must be set";

/// The configuration as it is stored.
#[derive(Clone, Default, Serialize, Deserialize)]
pub(super) struct Config {
    pub(super) oidc_discovery_url: String,
    pub(super) oidc_discovery_ca_pem: String,
    pub(super) oidc_client_id: String,
    pub(super) oidc_client_secret: String,
    pub(super) oidc_response_mode: String,
    pub(super) oidc_response_types: Vec<String>,
    pub(super) jwks_url: String,
    pub(super) jwks_ca_pem: String,
    pub(super) jwt_validation_pubkeys: Vec<String>,
    pub(super) jwt_supported_algs: Vec<String>,
    pub(super) bound_issuer: String,
    pub(super) default_role: String,
    pub(super) provider_config: Map<String, Value>,
    pub(super) namespace_in_state: bool,
}

impl Record for Config {
    const KIND: &'static str = "jwt-config/1";
}

impl Config {
    /// The configuration, which a login cannot do without.
    pub(super) fn load(cx: &mut Cx) -> Result<Self, Fault> {
        cx.tx.load(CONFIG)?.ok_or_else(|| Fault::invalid("could not load configuration"))
    }

    /// Whether a token may be signed with this algorithm.
    pub(super) fn supports(&self, name: &str) -> bool {
        self.jwt_supported_algs.is_empty() || self.jwt_supported_algs.iter().any(|known| known == name)
    }

    /// Whether logins at a provider are set up.
    pub(super) fn has_client(&self) -> bool {
        !self.oidc_discovery_url.is_empty() && !self.oidc_client_id.is_empty()
    }

    /// Whether the provider sends the token itself rather than a code for it.
    pub(super) fn implicit(&self) -> bool {
        self.oidc_response_types.iter().any(|kind| kind == "id_token")
    }

    /// Who may answer for the provider.
    pub(super) fn provider_trust(&self) -> Trust {
        Trust { authorities: self.oidc_discovery_ca_pem.clone() }
    }

    fn of(sent: WriteConfig, before: Option<&Self>) -> Self {
        let (StringList(pubkeys), CommaList(algorithms)) = (sent.jwt_validation_pubkeys, sent.jwt_supported_algs);
        let (CommaList(response_types), Object(provider_config)) = (sent.oidc_response_types, sent.provider_config);
        Self {
            oidc_discovery_url: sent.oidc_discovery_url,
            oidc_discovery_ca_pem: sent.oidc_discovery_ca_pem,
            oidc_client_id: sent.oidc_client_id,
            oidc_client_secret: sent.oidc_client_secret.0.as_str().to_owned(),
            oidc_response_mode: sent.oidc_response_mode,
            oidc_response_types: response_types,
            jwks_url: sent.jwks_url,
            jwks_ca_pem: sent.jwks_ca_pem,
            jwt_validation_pubkeys: pubkeys,
            jwt_supported_algs: algorithms,
            bound_issuer: sent.bound_issuer,
            default_role: sent.default_role.to_ascii_lowercase(),
            provider_config,
            namespace_in_state: sent
                .namespace_in_state
                .unwrap_or_else(|| before.is_none_or(|before| before.namespace_in_state)),
        }
    }

    /// What needs no call to be seen.
    fn check(&self) -> Result<(), Fault> {
        let sources = [!self.jwt_validation_pubkeys.is_empty(), !self.jwks_url.is_empty(), !self.oidc_discovery_url.is_empty()];
        if sources.iter().filter(|set| **set).count() != 1 {
            return Err(Fault::invalid(ONE_SOURCE));
        }
        if self.oidc_client_id.is_empty() != self.oidc_client_secret.is_empty() {
            return Err(Fault::invalid("both 'oidc_client_id' and 'oidc_client_secret' must be set for OIDC"));
        }
        if !self.oidc_client_id.is_empty() && self.oidc_discovery_url.is_empty() {
            return Err(Fault::invalid("'oidc_discovery_url' must be set for OIDC"));
        }
        if self.jwt_validation_pubkeys.len() > STATIC_KEYS_MAX {
            return Err(Fault::invalid("too many public keys"));
        }
        if self.jwt_validation_pubkeys.iter().any(|text| VerifyingKey::from_pem(text).is_none()) {
            return Err(Fault::invalid("error parsing public key: data does not contain any valid public keys"));
        }
        self.check_responses()?;
        for name in &self.jwt_supported_algs {
            if VerificationAlgorithm::parse(name).is_none() {
                let text = format!("invalid jwt_supported_algs: unsupported signing algorithm {name:?}");
                return Err(Fault::invalid(text));
            }
        }
        self.check_provider()
    }

    fn check_responses(&self) -> Result<(), Fault> {
        if !matches!(self.oidc_response_mode.as_str(), "" | "query" | "form_post") {
            return Err(Fault::invalid(format!("invalid response_mode: {:?}", self.oidc_response_mode)));
        }
        if self.oidc_response_types.iter().any(|kind| kind != "code" && kind != "id_token") {
            let types = self.oidc_response_types.join(" ");
            let text = format!("invalid response_types [{types}]. 'code' and 'id_token' are allowed");
            return Err(Fault::invalid(text));
        }
        if self.implicit() && self.oidc_response_mode != "form_post" {
            return Err(Fault::invalid("query response_mode may not be used with an id_token response_type"));
        }
        Ok(())
    }

    fn check_provider(&self) -> Result<(), Fault> {
        if self.provider_config.is_empty() {
            return Ok(());
        }
        match self.provider_config.get("provider") {
            Some(Value::String(name)) if name == "gsuite" => Err(Fault::invalid(
                "invalid provider_config: groups of \"gsuite\" are not fetched here; use groups_claim",
            )),
            Some(Value::String(name)) if PROVIDERS.contains(&name.as_str()) => Ok(()),
            Some(Value::String(name)) => {
                let text = format!("invalid provider_config: provider {name:?} not found in custom providers");
                Err(Fault::invalid(text))
            }
            _ => Err(Fault::invalid("invalid provider_config: 'provider' field not found in provider_config")),
        }
    }
}

/// Replaces the configuration.
pub(super) fn write(cx: &mut Cx, sent: WriteConfig) -> Result<Reply, Fault> {
    if !sent.override_allowed_server_names.0.is_empty() {
        return Err(Fault::invalid(
            "override_allowed_server_names is not supported: a certificate must name the host that is called",
        ));
    }
    let skip = sent.skip_jwks_validation;
    let before: Option<Config> = cx.tx.load(CONFIG)?;
    let config = Config::of(sent, before.as_ref());
    config.check()?;
    // What was fetched for another configuration is forgotten.
    keys::forget(cx);
    provider::forget(cx);
    let problem = match (config.oidc_discovery_url.is_empty(), config.jwks_url.is_empty()) {
        (false, _) => Discovery::current(cx, &config)?.err().map(|_| "error checking oidc discovery URL"),
        (true, false) => keys::fetch(cx, &config)?.err().map(|_| "error checking jwks URL"),
        (true, true) => None,
    };
    if let Some(text) = problem.filter(|_| !skip) {
        return Err(Fault::invalid(text));
    }
    cx.tx.save(CONFIG, &config)?;
    Ok(problem.map_or_else(Reply::empty, |text| Reply::empty().warn(text)))
}

/// Shows the configuration, without the client's secret.
pub(super) fn read(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let Some(config) = cx.tx.load::<Config>(CONFIG)? else { return Ok(Reply::empty()) };
    let problem = if config.oidc_discovery_url.is_empty() { None } else { Discovery::current(cx, &config)?.err() };
    let reply = Reply::data(json!({
        "bound_issuer": config.bound_issuer,
        "default_role": config.default_role,
        "jwks_ca_pem": config.jwks_ca_pem,
        "jwks_url": config.jwks_url,
        "jwt_supported_algs": config.jwt_supported_algs,
        "jwt_validation_pubkeys": config.jwt_validation_pubkeys,
        "namespace_in_state": config.namespace_in_state,
        "oidc_client_id": config.oidc_client_id,
        "oidc_discovery_ca_pem": config.oidc_discovery_ca_pem,
        "oidc_discovery_url": config.oidc_discovery_url,
        "oidc_response_mode": config.oidc_response_mode,
        "oidc_response_types": config.oidc_response_types,
        "override_allowed_server_names": [],
        "provider_config": config.provider_config,
        "status": if problem.is_some() { "invalid" } else { "valid" },
    }));
    Ok(match problem {
        Some(problem) => reply.warn(format!("failed to construct JWK validator: keyset configuration error: {problem}")),
        None => reply,
    })
}
