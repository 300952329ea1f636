//! What is asked of a provider: its description (OpenID Connect Discovery 1.0), tokens for a code (RFC 6749 section 4.1,
//! with PKCE, RFC 7636), codes for devices (RFC 8628), and what it knows of the user.

use super::config::Config;
use super::keys::REFETCH_SECONDS_MIN;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use engine::outside::{HttpAnswer, HttpCall, Method};
use engine::{Cx, Fault, Record, Secret, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use std::collections::BTreeMap;
use std::sync::Arc;

const DISCOVERY: &str = "discovery";
/// Seconds that a description is used.
const DISCOVERY_SECONDS: i64 = 600;

/// A provider's description of itself, as far as it is used.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Discovery {
    pub(super) issuer: String,
    #[serde(default)]
    pub(super) authorization_endpoint: String,
    #[serde(default)]
    pub(super) token_endpoint: String,
    pub(super) jwks_uri: String,
    #[serde(default)]
    pub(super) userinfo_endpoint: String,
    #[serde(default)]
    pub(super) device_authorization_endpoint: String,
    #[serde(default)]
    pub(super) token_endpoint_auth_methods_supported: Vec<String>,
}

/// What was fetched, and when.
#[derive(Serialize, Deserialize)]
struct Fetched {
    url: String,
    tried: Timestamp,
    document: Option<Discovery>,
}

impl Record for Fetched {
    const KIND: &'static str = "jwt-discovery/1";
}

/// Tokens that a provider gave.
#[derive(Default, Deserialize)]
pub(super) struct Tokens {
    #[serde(default)]
    pub(super) access_token: String,
    #[serde(default)]
    pub(super) refresh_token: String,
    #[serde(default)]
    pub(super) id_token: String,
}

/// What a provider gave for a device.
#[derive(Deserialize)]
pub(super) struct DeviceCode {
    pub(super) device_code: String,
    pub(super) verification_uri: String,
    pub(super) verification_uri_complete: Option<String>,
    pub(super) expires_in: i64,
    pub(super) interval: Option<i64>,
}

/// What a provider says when it gives nothing (RFC 6749 section 5.2).
#[derive(Deserialize)]
struct Refusal {
    error: String,
}

/// Forgets what was fetched.
pub(super) fn forget(cx: &mut Cx) {
    cx.tx.delete(DISCOVERY);
}

impl Discovery {
    /// The description that holds now. The inner error says why there is none, for clients to see.
    pub(super) fn current(cx: &mut Cx, config: &Config) -> Result<Result<Self, String>, Fault> {
        let known = cx.tx.load::<Fetched>(DISCOVERY)?.filter(|known| known.url == config.oidc_discovery_url);
        if let Some(known) = known {
            let age = known.tried.seconds_until(cx.now);
            match known.document {
                Some(document) if age < DISCOVERY_SECONDS => return Ok(Ok(document)),
                None if age < REFETCH_SECONDS_MIN => return Ok(Err("it could not be fetched a moment ago".to_owned())),
                _ => {}
            }
        }
        let fetched = Self::fetch(cx, config)?;
        let record = Fetched {
            url: config.oidc_discovery_url.clone(),
            tried: cx.now,
            document: fetched.as_ref().ok().cloned(),
        };
        cx.tx.save(DISCOVERY, &record)?;
        Ok(fetched)
    }

    fn fetch(cx: &Cx, config: &Config) -> Result<Result<Self, String>, Fault> {
        let base = config.oidc_discovery_url.trim_end_matches('/');
        let call = HttpCall::new(Method::Get, format!("{base}/.well-known/openid-configuration"))
            .header("accept", "application/json")
            .trusting(config.provider_trust());
        let answer = match cx.outside.http(call)? {
            Ok(answer) if answer.succeeded() => answer,
            Ok(answer) => return Ok(Err(format!("the discovery endpoint answered with status {}", answer.status))),
            Err(failure) => return Ok(Err(failure.to_string())),
        };
        let Some(document) = answer.json::<Self>() else {
            return Ok(Err("the discovery document is not valid".to_owned()));
        };
        // OpenID Connect Discovery 1.0 section 4.3.
        if document.issuer != config.oidc_discovery_url {
            return Ok(Err("the issuer of the discovery document is not the discovery URL".to_owned()));
        }
        if base.starts_with("https://") && !document.endpoints().all(|endpoint| endpoint.starts_with("https://")) {
            return Ok(Err("the discovery document names an address that is not https".to_owned()));
        }
        Ok(Ok(document))
    }

    /// Those that are there.
    fn endpoints(&self) -> impl Iterator<Item = &str> {
        let all = [
            &self.authorization_endpoint,
            &self.token_endpoint,
            &self.jwks_uri,
            &self.userinfo_endpoint,
            &self.device_authorization_endpoint,
        ];
        all.into_iter().map(String::as_str).filter(|endpoint| !endpoint.is_empty())
    }

    /// Asks the endpoint for tokens. The inner error says why there are none.
    pub(super) fn tokens(
        &self,
        cx: &Cx,
        config: &Config,
        mut fields: BTreeMap<&'static str, String>,
    ) -> Result<Result<Tokens, String>, Fault> {
        let methods = &self.token_endpoint_auth_methods_supported;
        let by_post = !methods.is_empty()
            && !methods.iter().any(|method| method == "client_secret_basic")
            && methods.iter().any(|method| method == "client_secret_post");
        let mut call = HttpCall::new(Method::Post, &self.token_endpoint).trusting(config.provider_trust());
        if by_post {
            fields.insert("client_id", config.oidc_client_id.clone());
            fields.insert("client_secret", config.oidc_client_secret.clone());
        } else {
            // RFC 6749 section 2.3.1.
            let pair = format!("{}:{}", encoded(&config.oidc_client_id), encoded(&config.oidc_client_secret));
            call = call.header("authorization", format!("Basic {}", STANDARD.encode(pair)));
        }
        asked(cx, form(call, &fields))
    }

    /// Asks for a code for a device.
    pub(super) fn device(&self, cx: &Cx, config: &Config, scope: String) -> Result<Result<DeviceCode, String>, Fault> {
        if self.device_authorization_endpoint.is_empty() {
            return Ok(Err("the provider has no logins for devices".to_owned()));
        }
        let call = HttpCall::new(Method::Post, &self.device_authorization_endpoint).trusting(config.provider_trust());
        let client = [
            ("client_id", config.oidc_client_id.clone()),
            ("client_secret", config.oidc_client_secret.clone()),
            ("scope", scope),
        ];
        asked(cx, form(call, &client.into()))
    }

    /// What the provider knows of the user; nothing where it does not tell.
    pub(super) fn userinfo(
        &self,
        cx: &Cx,
        config: &Config,
        access_token: &str,
    ) -> Result<Result<Map<String, Value>, String>, Fault> {
        if self.userinfo_endpoint.is_empty() || access_token.is_empty() {
            return Ok(Ok(Map::new()));
        }
        let call = HttpCall::new(Method::Get, &self.userinfo_endpoint)
            .header("authorization", format!("Bearer {access_token}"))
            .header("accept", "application/json")
            .trusting(config.provider_trust());
        asked(cx, call)
    }
}

/// A call with a form.
fn form(mut call: HttpCall, fields: &BTreeMap<&'static str, String>) -> HttpCall {
    call.body = Some(Secret::new(query(fields).into_bytes()));
    call.header("content-type", "application/x-www-form-urlencoded").header("accept", "application/json")
}

fn asked<T: serde::de::DeserializeOwned>(cx: &Cx, call: HttpCall) -> Result<Result<T, String>, Fault> {
    let answer: Arc<HttpAnswer> = match cx.outside.http(call)? {
        Ok(answer) => answer,
        Err(failure) => return Ok(Err(failure.to_string())),
    };
    if !answer.succeeded() {
        // The codes of errors are of a fixed set; what else a provider says is not passed on.
        let code = answer.json::<Refusal>().map(|refusal| refusal.error).filter(|code| {
            code.len() <= 64 && code.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'_')
        });
        return Ok(Err(code.unwrap_or_else(|| format!("the provider answered with status {}", answer.status))));
    }
    Ok(answer.json::<T>().ok_or_else(|| "the provider's answer is not valid".to_owned()))
}

/// Fields as `application/x-www-form-urlencoded`, by name.
pub(super) fn query(fields: &BTreeMap<&'static str, String>) -> String {
    let pairs: Vec<String> = fields.iter().map(|(name, value)| format!("{name}={}", encoded(value))).collect();
    pairs.join("&")
}

/// Text as the value of a field of a form.
pub(super) fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => out.push(char::from(byte)),
            b' ' => out.push('+'),
            _ => {
                out.push('%');
                out.push_str(&engine::crypto::hex(&[byte]).to_uppercase());
            }
        }
    }
    out
}
