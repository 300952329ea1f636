//! What is stored: the connection at `config`, one record per mapped team at `team/<slug>` and user at `user/<name>`.

use engine::{Cx, Fault, Name, Record, TokenParams};
use serde::{Deserialize, Serialize};

/// Where the connection is.
const CONFIG: &str = "config";

/// The connection.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Config {
    /// Name of the organization.
    pub(super) organization: String,
    /// Its id.
    pub(super) organization_id: u64,
    /// As configured; empty for GitHub itself.
    pub(super) base_url: String,
    /// Parameters of the tokens.
    pub(super) token: TokenParams,
}

impl Record for Config {
    const KIND: &'static str = "github-config/1";
}

/// The policies of a team or user.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub(super) struct Mapping {
    /// As sent: names between commas.
    pub(super) value: String,
}

impl Record for Mapping {
    const KIND: &'static str = "github-map/1";
}

/// What is mapped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Mapped {
    Team,
    User,
}

impl Config {
    pub(super) fn load(cx: &mut Cx) -> Result<Option<Self>, Fault> {
        Ok(cx.tx.load(CONFIG)?)
    }

    pub(super) fn save(&self, cx: &mut Cx) -> Result<(), Fault> {
        Ok(cx.tx.save(CONFIG, self)?)
    }
}

impl Mapped {
    /// Where the mappings are.
    pub(super) fn folder(self) -> &'static str {
        match self {
            Self::Team => "team/",
            Self::User => "user/",
        }
    }

    /// The key of a mapping.
    pub(super) fn key(self, name: &Name) -> String {
        format!("{}{name}", self.folder())
    }

    pub(super) fn load(self, cx: &mut Cx, name: &Name) -> Result<Option<Mapping>, Fault> {
        Ok(cx.tx.load(&self.key(name))?)
    }

    /// The policies of a name as GitHub spells it.
    pub(super) fn policies(self, cx: &mut Cx, spelling: &str) -> Result<Vec<String>, Fault> {
        let Some(name) = Name::folded(spelling) else { return Ok(Vec::new()) };
        let mapping = self.load(cx, &name)?.unwrap_or_default();
        Ok(mapping.value.split(',').map(str::to_owned).collect())
    }
}
