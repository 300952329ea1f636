//! What is stored: the connection at `config`, one record per role at `role/<name>`.

use engine::{Cx, Fault, Name, Record, TokenParams};
use serde::{Deserialize, Serialize};

/// Where the connection is.
const CONFIG: &str = "config";
/// Where the roles are.
pub(super) const ROLES: &str = "role/";

/// The connection to the cluster.
#[derive(Clone, Serialize, Deserialize)]
pub(super) struct Config {
    /// As configured: a host, a host with port, or an address.
    pub(super) host: String,
    /// Certificates of the API's authority in PEM; empty takes those of the service account.
    pub(super) authority: String,
    /// The token that reviews others; empty if there is none.
    pub(super) reviewer: String,
    /// Keys that sign the JWTs, in PEM.
    pub(super) keys: Vec<String>,
    /// Accepted issuer; empty for the default one.
    pub(super) issuer: String,
    /// Whether every issuer is accepted.
    pub(super) any_issuer: bool,
    /// Whether the files of the service account stay unused.
    pub(super) no_local_files: bool,
    /// Whether annotations become metadata of the alias.
    pub(super) annotations: bool,
}

impl Record for Config {
    const KIND: &'static str = "kubernetes-config/1";
}

/// What an alias is named by.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum AliasSource {
    /// The uid of the service account, which another of the same name does not have.
    #[default]
    Uid,
    /// Namespace and name.
    Name,
}

/// Which token parameters were last set by their old names: a read then repeats them under those.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct OldMarks {
    pub(super) policies: bool,
    pub(super) num_uses: bool,
    pub(super) ttl: bool,
    pub(super) max_ttl: bool,
    pub(super) period: bool,
    pub(super) bound_cidrs: bool,
}

/// Which service accounts get which token.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Role {
    /// Patterns of names.
    pub(super) names: Vec<String>,
    /// Patterns of namespaces.
    pub(super) namespaces: Vec<String>,
    /// The label selector as it was sent; empty if there is none.
    pub(super) selector: String,
    /// Audience that the JWT has to be for; empty if any.
    pub(super) audience: String,
    /// What the alias is named by.
    pub(super) alias: AliasSource,
    /// Parameters of the tokens.
    pub(super) token: TokenParams,
    /// Which of them were set by their old names.
    pub(super) old: OldMarks,
}

impl Record for Role {
    const KIND: &'static str = "kubernetes-role/1";
}

impl Config {
    pub(super) fn load(cx: &mut Cx) -> Result<Option<Self>, Fault> {
        Ok(cx.tx.load(CONFIG)?)
    }

    pub(super) fn save(&self, cx: &mut Cx) -> Result<(), Fault> {
        Ok(cx.tx.save(CONFIG, self)?)
    }
}

impl Role {
    pub(super) fn load(cx: &mut Cx, name: &Name) -> Result<Option<Self>, Fault> {
        Ok(cx.tx.load(&key(name))?)
    }

    pub(super) fn save(&self, cx: &mut Cx, name: &Name) -> Result<(), Fault> {
        Ok(cx.tx.save(&key(name), self)?)
    }
}

/// The key of a role's record.
pub(super) fn key(name: &Name) -> String {
    format!("{ROLES}{name}")
}
