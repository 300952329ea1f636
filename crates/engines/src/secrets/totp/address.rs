//! The address that authenticators read: `otpauth://totp/ISSUER:ACCOUNT?secret=…`, as their key URI format has it.

use super::key::Key;
use data_encoding::BASE32_NOPAD;
use engine::crypto::Zeroizing;
use engine::{Fault, Seconds};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, percent_decode_str, utf8_percent_encode};
use url::Url;

/// What stands for itself: what RFC 3986 section 2.3 does not reserve, and `@`, which account names often have.
const RESERVED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'.').remove(b'_').remove(b'~').remove(b'@');

/// What an address says; nothing where it says nothing, or is none.
#[derive(Default)]
pub(super) struct Parsed {
    pub(super) secret: Option<Zeroizing<String>>,
    pub(super) issuer: Option<String>,
    pub(super) account_name: Option<String>,
    pub(super) period: Option<Seconds>,
    pub(super) algorithm: Option<String>,
    pub(super) digits: Option<i64>,
}

impl Parsed {
    /// Reads an address.
    pub(super) fn of(text: &str) -> Result<Self, Fault> {
        let mut parsed = Self::default();
        let Ok(url) = Url::parse(text) else { return Ok(parsed) };
        let label = percent_decode_str(url.path().trim_start_matches('/')).decode_utf8_lossy().into_owned();
        match label.split_once(':') {
            Some((issuer, account)) => {
                parsed.issuer = Some(issuer.to_owned());
                parsed.account_name = Some(account.trim_start().to_owned());
            }
            None => parsed.account_name = Some(label),
        }
        for (name, value) in url.query_pairs() {
            match name.as_ref() {
                "secret" => parsed.secret = Some(Zeroizing::new(value.into_owned())),
                "issuer" => parsed.issuer = Some(value.into_owned()),
                "algorithm" => parsed.algorithm = Some(value.into_owned()),
                "digits" => parsed.digits = Some(number(&value, "digits")?),
                "period" => parsed.period = Some(Seconds(number(&value, "period")?)),
                _ => {}
            }
        }
        Ok(parsed)
    }
}

fn number(text: &str, what: &str) -> Result<i64, Fault> {
    text.parse().map_err(|_| Fault::invalid(format!("an error occurred while parsing {what} value in url")))
}

/// The address of a key, which holds the key itself.
pub(super) fn address(key: &Key) -> Zeroizing<String> {
    let (issuer, account) =
        (utf8_percent_encode(&key.issuer, RESERVED), utf8_percent_encode(&key.account_name, RESERVED));
    let secret = Zeroizing::new(BASE32_NOPAD.encode(&key.key));
    Zeroizing::new(format!(
        "otpauth://totp/{issuer}:{account}?algorithm={}&digits={}&issuer={issuer}&period={}&secret={}",
        key.algorithm.name(),
        key.digits,
        key.period,
        secret.as_str(),
    ))
}
