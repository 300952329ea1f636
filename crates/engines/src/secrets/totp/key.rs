//! A key as it is stored, at `key/<name>`.

use engine::crypto::Zeroize;
use engine::crypto::totp::{TotpHash, code};
use engine::{Cx, Fault, NAME_BYTES_MAX, Page, Record, Timestamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

const KEYS: &str = "key/";
const USED: &str = "used/";
/// Longest key, in bytes.
pub(super) const KEY_BYTES_MAX: usize = 1024;
/// Longest issuer and account name, in bytes.
pub(super) const TEXT_BYTES_MAX: usize = 512;

/// A key with its settings.
#[derive(Serialize, Deserialize)]
pub(super) struct Key {
    /// The key itself.
    pub(super) key: Vec<u8>,
    pub(super) issuer: String,
    pub(super) account_name: String,
    /// Seconds, more than 0.
    pub(super) period: i64,
    pub(super) algorithm: Algorithm,
    /// 6 or 8.
    pub(super) digits: u32,
    /// 0 or 1.
    pub(super) skew: u64,
}

impl Drop for Key {
    fn drop(&mut self) {
        self.key.zeroize();
    }
}

impl Record for Key {
    const KIND: &'static str = "totp-key/1";
}

/// The hash of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub(super) enum Algorithm {
    Sha1,
    Sha256,
    Sha512,
}

impl Algorithm {
    /// Reads upstream's name.
    pub(super) fn parse(name: &str) -> Option<Self> {
        Some(match name {
            "SHA1" => Self::Sha1,
            "SHA256" => Self::Sha256,
            "SHA512" => Self::Sha512,
            _ => return None,
        })
    }

    /// Upstream's name.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Sha1 => "SHA1",
            Self::Sha256 => "SHA256",
            Self::Sha512 => "SHA512",
        }
    }

    const fn hash(self) -> TotpHash {
        match self {
            Self::Sha1 => TotpHash::Sha1,
            Self::Sha256 => TotpHash::Sha256,
            Self::Sha512 => TotpHash::Sha512,
        }
    }
}

/// The counters whose codes were accepted and would be again.
#[derive(Default, Serialize, Deserialize)]
pub(super) struct Used {
    /// The last few; older ones are out of every window.
    pub(super) counters: Vec<u64>,
}

impl Record for Used {
    const KIND: &'static str = "totp-used/1";
}

impl Key {
    /// The key of this name.
    pub(super) fn load(cx: &mut Cx, name: &str) -> Result<Option<Self>, Fault> {
        Ok(cx.tx.load(&format!("{KEYS}{name}"))?)
    }

    /// Writes it; codes of what was there before count no more.
    pub(super) fn save(&self, cx: &mut Cx, name: &str) -> Result<(), Fault> {
        cx.tx.delete(&format!("{USED}{name}"));
        Ok(cx.tx.save(&format!("{KEYS}{name}"), self)?)
    }

    /// Deletes the key of this name; one that does not exist is no error.
    pub(super) fn delete(cx: &mut Cx, name: &str) {
        cx.tx.delete(&format!("{KEYS}{name}"));
        cx.tx.delete(&format!("{USED}{name}"));
    }

    /// The names of the keys.
    pub(super) fn names(cx: &mut Cx, page: &Page) -> Result<Vec<String>, Fault> {
        Ok(cx.tx.list(KEYS, page)?)
    }

    /// Which period a moment lies in.
    pub(super) fn counter(&self, now: Timestamp) -> u64 {
        u64::try_from(now.seconds() / self.period.max(1)).unwrap_or_default()
    }

    /// The code of a period.
    pub(super) fn code(&self, counter: u64) -> String {
        code(self.algorithm.hash(), &self.key, counter, self.digits)
    }

    /// The periods whose codes are accepted in this one.
    pub(super) fn window(&self, counter: u64) -> std::ops::RangeInclusive<u64> {
        counter.saturating_sub(self.skew)..=counter.saturating_add(self.skew)
    }

    /// What a read shows: never the key.
    pub(super) fn shown(&self) -> Value {
        json!({
            "account_name": self.account_name,
            "algorithm": self.algorithm.name(),
            "digits": self.digits,
            "issuer": self.issuer,
            "period": self.period,
        })
    }
}

/// The codes of a key that were accepted.
pub(super) fn used(cx: &mut Cx, name: &str) -> Result<Used, Fault> {
    Ok(cx.tx.load(&format!("{USED}{name}"))?.unwrap_or_default())
}

/// Remembers which codes were accepted. Of two requests that read the same, one commits.
pub(super) fn save_used(cx: &mut Cx, name: &str, used: &Used) -> Result<(), Fault> {
    Ok(cx.tx.save(&format!("{USED}{name}"), used)?)
}

/// The name in a path: ASCII letters, digits and `_`, with `-`, `.` and `@` inside. Capitals count, as upstream.
pub(super) fn name_in_path(text: &str) -> Result<&str, Fault> {
    let word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
    let bytes = text.as_bytes();
    let shaped = bytes.first().is_some_and(word)
        && bytes.last().is_some_and(word)
        && bytes.iter().all(|byte| word(byte) || matches!(byte, b'-' | b'.' | b'@'))
        && bytes.len() <= NAME_BYTES_MAX;
    if shaped { Ok(text) } else { Err(Fault::UnsupportedPath) }
}
