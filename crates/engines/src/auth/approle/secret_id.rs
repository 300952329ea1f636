//! A secret-id as it is stored, at `secret_id/<role>/<hash>`, with its two indexes: `accessor/<role>/<accessor>` and,
//! if it expires, `expiry/<time>/<role>/<hash>`. All keys begin with the role, so that nothing of another role can be
//! named through it (security row S64).

use engine::{BoundCidrs, Cx, Fault, Name, Page, Record, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use std::collections::BTreeMap;
use std::sync::Arc;

const EXPIRIES: &str = "expiry/";
/// How upstream prints the time that a secret-id never reaches.
const NEVER: &str = "0001-01-01T00:00:00Z";
/// Longest accessor, in bytes: a UUID.
const ACCESSOR_BYTES_MAX: usize = 36;

/// A secret-id; itself it is stored nowhere.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct SecretId {
    /// Names it to people who should not hold it.
    pub(super) accessor: String,
    /// Uses left; 0 is unlimited.
    pub(super) num_uses: i64,
    /// Seconds as asked for; the mount's maximum may have cut what it got.
    pub(super) ttl: i64,
    /// When it was made.
    pub(super) created: Timestamp,
    /// When it was made or last used up a use.
    pub(super) updated: Timestamp,
    /// When it ends, if ever.
    pub(super) expires: Option<Timestamp>,
    /// Kept as sent, and put on the logins made with it.
    pub(super) metadata: BTreeMap<String, String>,
    /// Where it may be presented from.
    pub(super) cidr_list: BoundCidrs,
    /// Where the tokens may be used from, instead of the role's blocks.
    pub(super) token_bound_cidrs: BoundCidrs,
}

impl Record for SecretId {
    const KIND: &'static str = "approle-secret-id/1";
}

/// Which secret-id an accessor names.
#[derive(Serialize, Deserialize)]
struct AccessorIndex {
    hash: String,
}

impl Record for AccessorIndex {
    const KIND: &'static str = "approle-accessor/1";
}

/// That something ends; the key says when and what.
#[derive(Serialize, Deserialize)]
struct ExpiryIndex {}

impl Record for ExpiryIndex {
    const KIND: &'static str = "approle-expiry/1";
}

impl SecretId {
    /// Stores a new one with its indexes; `false` if the role has it already.
    pub(super) fn register(&self, cx: &mut Cx, role: &Name, hash: &str) -> Result<bool, Fault> {
        let role = role.as_str();
        let at = key(role, hash);
        if let Some(known) = cx.tx.load::<Self>(&at)? {
            if known.live(cx.now) {
                return Ok(false);
            }
            known.remove(cx, role, hash);
        }
        cx.tx.save(&at, self)?;
        cx.tx.save(&accessor_key(role, &self.accessor), &AccessorIndex { hash: hash.to_owned() })?;
        if let Some(expires) = self.expires {
            cx.tx.save(&expiry_key(expires, role, hash), &ExpiryIndex {})?;
        }
        Ok(true)
    }

    /// The one with this hash, unless it has expired: that is decided here and never by the tidying (security row S65).
    pub(super) fn find(cx: &mut Cx, role: &str, hash: &str) -> Result<Option<Self>, Fault> {
        let now = cx.now;
        let found = cx.tx.load_shared::<Self>(&key(role, hash))?.filter(|found| found.live(now));
        Ok(found.map(Arc::unwrap_or_clone))
    }

    /// The hash of the one with this accessor in this role, expired or not.
    pub(super) fn hash_of(cx: &mut Cx, role: &Name, accessor: &str) -> Result<Option<String>, Fault> {
        let shaped = accessor.len() <= ACCESSOR_BYTES_MAX
            && accessor.bytes().all(|byte| byte.is_ascii_hexdigit() || byte == b'-');
        if !shaped {
            return Ok(None);
        }
        Ok(cx.tx.load::<AccessorIndex>(&accessor_key(role.as_str(), accessor))?.map(|index| index.hash))
    }

    /// The accessors of a role, those of expired ones included until they are tidied.
    pub(super) fn accessors(cx: &mut Cx, role: &Name) -> Result<Vec<String>, Fault> {
        Ok(cx.tx.list(&format!("accessor/{role}/"), &cx.page)?)
    }

    /// Uses it once: nothing is written if its uses are unlimited. Of all logins at the same count at most one commits.
    pub(super) fn spend(mut self, cx: &mut Cx, role: &str, hash: &str) -> Result<(), Fault> {
        match self.num_uses {
            0 => {}
            1 => self.remove(cx, role, hash),
            _ => {
                self.num_uses -= 1;
                self.updated = cx.now;
                cx.tx.save(&key(role, hash), &self)?;
            }
        }
        Ok(())
    }

    /// Deletes the one with this hash, expired or not; deleting what is not there is no error.
    pub(super) fn destroy(cx: &mut Cx, role: &str, hash: &str) -> Result<bool, Fault> {
        let known = cx.tx.load::<Self>(&key(role, hash))?;
        let found = known.is_some();
        if let Some(known) = known {
            known.remove(cx, role, hash);
        }
        Ok(found)
    }

    /// Deletes all of a role.
    pub(super) fn remove_all(cx: &mut Cx, role: &Name) -> Result<(), Fault> {
        for hash in cx.tx.scan(&key(role.as_str(), ""), &Page::all())? {
            Self::destroy(cx, role.as_str(), &hash)?;
        }
        Ok(())
    }

    /// Deletes up to `limit` that have expired, the longest expired first; returns how many.
    pub(super) fn tidy(cx: &mut Cx, limit: usize) -> Result<usize, Fault> {
        let now = cx.now.sort_key();
        let page = Page { limit: Some(limit), ..Page::default() };
        let mut freed = 0;
        for at in cx.tx.scan(EXPIRIES, &page)? {
            let mut parts = at.splitn(3, '/');
            let (Some(time), Some(role), Some(hash)) = (parts.next(), parts.next(), parts.next()) else { continue };
            if time > now.as_str() {
                break;
            }
            Self::destroy(cx, role, hash)?;
            freed += 1;
        }
        Ok(freed)
    }

    /// What a look-up shows.
    pub(super) fn shown(&self) -> Value {
        json!({
            "cidr_list": self.cidr_list.texts(),
            "creation_time": self.created.to_rfc3339(),
            "expiration_time": self.expires.map_or_else(|| NEVER.to_owned(), Timestamp::to_rfc3339),
            "last_updated_time": self.updated.to_rfc3339(),
            "metadata": self.metadata,
            "secret_id_accessor": self.accessor,
            "secret_id_num_uses": self.num_uses,
            "secret_id_ttl": self.ttl,
            "token_bound_cidrs": self.token_bound_cidrs.texts(),
        })
    }

    fn live(&self, now: Timestamp) -> bool {
        self.expires.is_none_or(|expires| now < expires)
    }

    fn remove(&self, cx: &mut Cx, role: &str, hash: &str) {
        cx.tx.delete(&key(role, hash));
        cx.tx.delete(&accessor_key(role, &self.accessor));
        if let Some(expires) = self.expires {
            cx.tx.delete(&expiry_key(expires, role, hash));
        }
    }
}

fn key(role: &str, hash: &str) -> String {
    format!("secret_id/{role}/{hash}")
}

fn accessor_key(role: &str, accessor: &str) -> String {
    format!("accessor/{role}/{accessor}")
}

fn expiry_key(expires: Timestamp, role: &str, hash: &str) -> String {
    format!("{EXPIRIES}{}/{role}/{hash}", expires.sort_key())
}
