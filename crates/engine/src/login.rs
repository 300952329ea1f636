//! What a login method returns, and the `token_*` parameters that all of them share.

use crate::{CommaList, Fault, Mount, Reply, Seconds};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use std::collections::BTreeMap;
use std::fmt;
use std::net::IpAddr;

/// A verified identity. The kernel alone makes a token of it (security decision D17). No `Debug`: see its binding.
#[derive(Clone)]
pub struct Login {
    /// Who it is on this mount, from the verifier and never from the request's spelling.
    pub alias: Alias,
    /// Shown in audit and token lookups; the mount's name is put before it.
    pub display_name: String,
    /// Kept with the token and shown to the client.
    pub metadata: BTreeMap<String, String>,
    /// Names of external groups it is a member of on this mount.
    pub groups: Vec<String>,
    /// The token's parameters.
    pub token: TokenParams,
    /// What [`crate::Engine::renew_login`] needs to check again, the credential itself where nothing less can be asked
    /// about. It is kept in the sealed record of a token that may be renewed, and shown nowhere.
    pub binding: Value,
}

/// A name on a mount, with what the method knows of it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Alias {
    /// Canonical name.
    pub name: String,
    /// Put on the identity alias.
    pub metadata: BTreeMap<String, String>,
}

/// What was kept of a login for its renewal.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct LoginRecord {
    /// The alias it logged in as.
    pub alias: String,
    /// The method's own binding.
    pub binding: Value,
    /// The token's own policies as issued.
    pub policies: Vec<String>,
    /// As issued.
    pub metadata: BTreeMap<String, String>,
}

impl LoginRecord {
    /// Whether these are the policies that the token was issued with; `default`, which a token gets without asking, aside.
    pub fn was_given(&self, policies: &[String]) -> bool {
        let own =
            |policies: &[String]| canonical_policies(policies.iter().filter(|policy| *policy != "default").cloned());
        own(policies) == own(&self.policies)
    }
}

/// Without the binding, which may hold a credential.
impl fmt::Debug for LoginRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LoginRecord")
            .field("alias", &self.alias)
            .field("policies", &self.policies)
            .finish_non_exhaustive()
    }
}

/// Kind of token to issue.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TokenKind {
    /// What the mount is tuned to.
    #[default]
    Default,
    /// Kept in the store, renewable, revocable.
    Service,
    /// Not kept: sealed into the token itself.
    Batch,
    /// Service unless the client asks for batch (mount tuning only).
    DefaultService,
    /// Batch unless the client asks for service (mount tuning only).
    DefaultBatch,
}

impl TokenKind {
    /// Upstream's name.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Default => "default",
            Self::Service => "service",
            Self::Batch => "batch",
            Self::DefaultService => "default-service",
            Self::DefaultBatch => "default-batch",
        }
    }

    /// Reads upstream's name; empty is [`TokenKind::Default`].
    pub fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "" | "default" => Self::Default,
            "service" => Self::Service,
            "batch" => Self::Batch,
            "default-service" => Self::DefaultService,
            "default-batch" => Self::DefaultBatch,
            _ => return None,
        })
    }
}

/// The parameters of tokens that a role or user issues. Durations are seconds; 0 takes the mount's.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct TokenParams {
    /// The token's own policies, sorted, never `root`.
    pub policies: Vec<String>,
    /// First time to live.
    pub ttl: i64,
    /// Bound with renewals.
    pub max_ttl: i64,
    /// Bound that no renewal, period or mount passes.
    pub explicit_max_ttl: i64,
    /// If set, every renewal gives this, without a maximum.
    pub period: i64,
    /// 0 is no limit.
    pub num_uses: i64,
    /// Leaves the `default` policy out.
    pub no_default_policy: bool,
    /// Kind of token.
    pub kind: TokenKind,
    /// Addresses it may be used from; empty is any.
    pub bound_cidrs: BoundCidrs,
    /// Binds it to the address it was issued to.
    pub strictly_bind_ip: bool,
}

crate::request! {
    /// The `token_*` parameters of a role or user.
    #[derive(Default)]
    pub struct TokenFields {
        /// Comma separated list of CIDR blocks that the tokens may be used from.
        token_bound_cidrs: Option<CommaList>,
        /// If set, tokens have an explicit maximum TTL that renewals can not pass.
        token_explicit_max_ttl: Option<Seconds>,
        /// The maximum lifetime of the generated tokens.
        token_max_ttl: Option<Seconds>,
        /// If true, the 'default' policy is not added to the generated tokens.
        token_no_default_policy: Option<bool>,
        /// The maximum number of times a token may be used; 0 is unlimited.
        token_num_uses: Option<i64>,
        /// If set, tokens are periodic: each renewal gives this TTL.
        token_period: Option<Seconds>,
        /// Comma separated list of policies.
        token_policies: Option<CommaList>,
        /// If set, tokens are bound to the address of the client that got them.
        token_strictly_bind_ip: Option<bool>,
        /// The initial TTL of the generated tokens.
        token_ttl: Option<Seconds>,
        /// The type of token to generate, service or batch.
        token_type: Option<String>,
    }
}

impl TokenFields {
    /// Lays what was sent over what is stored, and checks the whole as upstream does.
    pub fn apply(self, params: &mut TokenParams) -> Result<(), Fault> {
        if let Some(CommaList(blocks)) = self.token_bound_cidrs {
            params.bound_cidrs = BoundCidrs::parse(&blocks)?;
        }
        set_seconds(&mut params.explicit_max_ttl, self.token_explicit_max_ttl, "token_explicit_max_ttl")?;
        set_seconds(&mut params.max_ttl, self.token_max_ttl, "token_max_ttl")?;
        set_seconds(&mut params.period, self.token_period, "token_period")?;
        set_seconds(&mut params.ttl, self.token_ttl, "token_ttl")?;
        if let Some(no_default) = self.token_no_default_policy {
            params.no_default_policy = no_default;
        }
        if let Some(uses) = self.token_num_uses {
            if uses < 0 {
                return Err(Fault::invalid("'token_num_uses' cannot be negative"));
            }
            params.num_uses = uses;
        }
        if let Some(CommaList(policies)) = self.token_policies {
            params.policies = canonical_policies(policies);
        }
        if let Some(bind) = self.token_strictly_bind_ip {
            params.strictly_bind_ip = bind;
        }
        if let Some(name) = self.token_type {
            params.kind = TokenKind::parse(&name)
                .ok_or_else(|| Fault::invalid(format!("invalid 'token_type' value {name:?}")))?;
        }
        params.check()
    }
}

impl TokenParams {
    fn check(&self) -> Result<(), Fault> {
        if self.max_ttl > 0 && self.ttl > self.max_ttl {
            return Err(Fault::invalid("'token_ttl' cannot be greater than 'token_max_ttl'"));
        }
        if self.kind == TokenKind::Batch && self.period != 0 {
            return Err(Fault::invalid(
                "'token_type' cannot be 'batch' or 'default_batch' when set to generate periodic tokens",
            ));
        }
        if self.kind == TokenKind::Batch && self.num_uses != 0 {
            return Err(Fault::invalid(
                "'token_type' cannot be 'batch' or 'default_batch' when set to generate tokens with limited use count",
            ));
        }
        // S72: root comes from ceremonies and root tokens, never from a role.
        if self.policies.iter().any(|policy| policy == "root") {
            return Err(Fault::invalid("policies cannot contain the root policy"));
        }
        Ok(())
    }

    /// Warns in the reply to a role's writing where its tokens cannot live as long as it says.
    pub fn warn_of_maximum(&self, mount: &Mount, reply: Reply) -> Reply {
        if self.max_ttl <= mount.max_lease_ttl {
            return reply;
        }
        reply.warn(
            "token_max_ttl is greater than the backend mount's maximum TTL value; issued tokens' max TTL value will be \
             truncated",
        )
    }

    /// The `token_*` members of a role's or user's reply.
    pub fn reply_into(&self, data: &mut serde_json::Map<String, Value>) {
        data.insert("token_bound_cidrs".into(), self.bound_cidrs.texts().into());
        data.insert("token_explicit_max_ttl".into(), self.explicit_max_ttl.into());
        data.insert("token_max_ttl".into(), self.max_ttl.into());
        data.insert("token_no_default_policy".into(), self.no_default_policy.into());
        data.insert("token_num_uses".into(), self.num_uses.into());
        data.insert("token_period".into(), self.period.into());
        data.insert("token_policies".into(), self.policies.clone().into());
        data.insert("token_strictly_bind_ip".into(), self.strictly_bind_ip.into());
        data.insert("token_ttl".into(), self.ttl.into());
        data.insert("token_type".into(), self.kind.name().into());
    }
}

/// Policy names in canonical form: blanks trimmed, lower case, sorted, each once.
pub fn canonical_policies(names: impl IntoIterator<Item = String>) -> Vec<String> {
    let set: std::collections::BTreeSet<String> =
        names.into_iter().map(|name| name.trim().to_lowercase()).filter(|name| !name.is_empty()).collect();
    set.into_iter().collect()
}

fn set_seconds(slot: &mut i64, sent: Option<Seconds>, name: &str) -> Result<(), Fault> {
    if let Some(Seconds(seconds)) = sent {
        if seconds < 0 {
            return Err(Fault::invalid(format!("'{name}' cannot be negative")));
        }
        *slot = seconds;
    }
    Ok(())
}

/// CIDR blocks (RFC 4632, RFC 4291) that a caller's address must lie in.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct BoundCidrs(Vec<String>);

impl BoundCidrs {
    /// Reads blocks; a bare address is a block of one.
    pub fn parse(blocks: &[String]) -> Result<Self, Fault> {
        for block in blocks {
            parse_block(block)
                .ok_or_else(|| Fault::invalid("error parsing a bound CIDR: not an address or CIDR block"))?;
        }
        Ok(Self(blocks.to_vec()))
    }

    /// Whether an address lies in one of them. No blocks admit every caller; with blocks, a caller without an address
    /// (a unix socket) is refused.
    pub fn admit(&self, address: Option<IpAddr>) -> bool {
        self.0.is_empty()
            || address.is_some_and(|address| {
                self.0.iter().filter_map(|block| parse_block(block)).any(|block| lies_in(address, block))
            })
    }

    /// Whether every block of `self` lies in a block of `outer`; empty `outer` holds all.
    pub fn within(&self, outer: &BoundCidrs) -> bool {
        outer.0.is_empty()
            || self.0.iter().filter_map(|block| parse_block(block)).all(|(address, bits)| {
                outer
                    .0
                    .iter()
                    .filter_map(|block| parse_block(block))
                    .any(|wide| wide.1 <= bits && lies_in(address, wide))
            })
    }

    /// The blocks as they were written.
    pub fn texts(&self) -> Vec<String> {
        self.0.clone()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

fn parse_block(block: &str) -> Option<(IpAddr, u32)> {
    let (address, bits) = match block.trim().split_once('/') {
        Some((address, bits)) => (address.parse().ok()?, Some(bits.parse::<u32>().ok()?)),
        None => (block.trim().parse().ok()?, None),
    };
    let width = if matches!(address, IpAddr::V4(_)) { 32 } else { 128 };
    let bits = bits.unwrap_or(width);
    (bits <= width).then_some((address, bits))
}

fn lies_in(address: IpAddr, (network, bits): (IpAddr, u32)) -> bool {
    match (address.to_canonical(), network) {
        (IpAddr::V4(address), IpAddr::V4(network)) => {
            bits == 0 || (u32::from(address) ^ u32::from(network)) >> (32 - bits) == 0
        }
        (IpAddr::V6(address), IpAddr::V6(network)) => {
            bits == 0 || (u128::from(address) ^ u128::from(network)) >> (128 - bits) == 0
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cidr_blocks_admit_what_lies_in_them() {
        let blocks = BoundCidrs::parse(&["10.0.0.0/8".into(), "::1".into()]).unwrap();
        assert!(blocks.admit(Some("10.1.2.3".parse().unwrap())));
        assert!(blocks.admit(Some("::ffff:10.1.2.3".parse().unwrap())));
        assert!(blocks.admit(Some("::1".parse().unwrap())));
        assert!(!blocks.admit(Some("11.0.0.1".parse().unwrap())));
        assert!(!blocks.admit(None));
        assert!(BoundCidrs::default().admit(None));
        assert!(BoundCidrs::parse(&["10.0.0.0/33".into()]).is_err());
        assert!(BoundCidrs::parse(&["10.1.0.0/16".into()]).unwrap().within(&blocks));
        assert!(!BoundCidrs::parse(&["0.0.0.0/0".into()]).unwrap().within(&blocks));
    }

    #[test]
    fn s72_no_spelling_of_root_becomes_a_policy_of_a_role() {
        for spelling in ["root", " root", "ROOT", "\troot\u{a0}", "Root "] {
            let fields = TokenFields::parse_for_test(spelling);
            assert!(fields.apply(&mut TokenParams::default()).is_err(), "{spelling:?}");
        }
    }

    impl TokenFields {
        fn parse_for_test(policy: &str) -> Self {
            let mut input = crate::Input::default();
            input.fields.insert("token_policies".into(), serde_json::json!([policy]));
            crate::RequestBody::parse(&input).unwrap()
        }
    }
}
