//! A role as it is stored, at `role/<name>`.

use engine::{Cx, Fault, Name, Record, TokenParams};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use std::collections::BTreeMap;

/// Where the roles are.
pub(super) const ROLES: &str = "role/";

/// How a login with a role goes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum RoleType {
    /// At the provider.
    #[default]
    Oidc,
    /// With a token.
    Jwt,
}

/// Who completes a login at the provider.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum CallbackMode {
    /// The client, which the browser is sent to.
    #[default]
    Client,
    /// This server, which the browser is sent to while the client polls.
    Direct,
    /// This server, which asks the provider when the client polls (RFC 8628).
    Device,
}

/// How values of bound claims are compared.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum ClaimsType {
    /// As they are.
    #[default]
    String,
    /// With `*` for any text.
    Glob,
}

/// A role.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(super) struct Role {
    pub(super) role_type: RoleType,
    pub(super) bound_audiences: Vec<String>,
    pub(super) bound_subject: String,
    pub(super) bound_claims: Map<String, Value>,
    pub(super) bound_claims_type: ClaimsType,
    pub(super) user_claim: String,
    pub(super) user_claim_json_pointer: bool,
    pub(super) groups_claim: String,
    pub(super) claim_mappings: BTreeMap<String, String>,
    /// Seconds; 0 is the default, negative is none. So are the two below.
    pub(super) expiration_leeway: i64,
    pub(super) not_before_leeway: i64,
    pub(super) clock_skew_leeway: i64,
    pub(super) allowed_redirect_uris: Vec<String>,
    pub(super) oidc_scopes: Vec<String>,
    /// Seconds; 0 is any.
    pub(super) max_age: i64,
    pub(super) callback_mode: CallbackMode,
    /// Seconds; 0 is the default.
    pub(super) poll_interval: i64,
    pub(super) oidc_disable_confirmation: bool,
    pub(super) verbose_oidc_logging: bool,
    pub(super) oauth2_metadata: Vec<String>,
    pub(super) token_policies_template_claims: bool,
    pub(super) token: TokenParams,
    /// Old names that token parameters were last set by, which a read then repeats.
    pub(super) old_names: Vec<String>,
}

impl Record for Role {
    const KIND: &'static str = "jwt-role/1";
}

impl Role {
    /// Whether there is a role of this name.
    pub(super) fn exists(cx: &mut Cx, name: &Name) -> Result<bool, Fault> {
        Ok(cx.tx.exists(&key(name))?)
    }

    /// The role of this name.
    pub(super) fn load(cx: &mut Cx, name: &Name) -> Result<Option<Self>, Fault> {
        Ok(cx.tx.load(&key(name))?)
    }

    /// Writes it.
    pub(super) fn save(&self, cx: &mut Cx, name: &Name) -> Result<(), Fault> {
        Ok(cx.tx.save(&key(name), self)?)
    }

    /// Deletes it; one that does not exist is no error.
    pub(super) fn delete(cx: &mut Cx, name: &Name) {
        cx.tx.delete(&key(name));
    }

    /// What a read shows.
    pub(super) fn shown(&self) -> Value {
        let mut data = json!({
            "allowed_redirect_uris": or_null(&self.allowed_redirect_uris),
            "bound_audiences": or_null(&self.bound_audiences),
            "bound_claims": if self.bound_claims.is_empty() { Value::Null } else { self.bound_claims.clone().into() },
            "bound_claims_type": self.bound_claims_type,
            "bound_subject": self.bound_subject,
            "callback_mode": self.callback_mode,
            "claim_mappings": if self.claim_mappings.is_empty() { Value::Null } else { json!(self.claim_mappings) },
            "clock_skew_leeway": self.clock_skew_leeway,
            "expiration_leeway": self.expiration_leeway,
            "groups_claim": self.groups_claim,
            "max_age": self.max_age,
            "not_before_leeway": self.not_before_leeway,
            "oauth2_metadata": or_null(&self.oauth2_metadata),
            "oidc_disable_confirmation": self.oidc_disable_confirmation,
            "oidc_scopes": or_null(&self.oidc_scopes),
            "role_type": self.role_type,
            "token_policies_template_claims": self.token_policies_template_claims,
            "user_claim": self.user_claim,
            "user_claim_json_pointer": self.user_claim_json_pointer,
            "verbose_oidc_logging": self.verbose_oidc_logging,
        });
        if let Value::Object(data) = &mut data {
            if self.poll_interval != 0 {
                data.insert("poll_interval".into(), self.poll_interval.into());
            }
            self.token.reply_into(data);
            for name in &self.old_names {
                let value = data.get(&format!("token_{name}")).cloned().unwrap_or_default();
                data.insert(name.clone(), value);
            }
        }
        data
    }
}

fn or_null(list: &[String]) -> Value {
    if list.is_empty() { Value::Null } else { list.into() }
}

fn key(name: &Name) -> String {
    format!("{ROLES}{name}")
}
