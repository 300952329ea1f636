//! What clients send, in upstream's field names.

use engine::{Seconds, SecretText, request};

request! {
    /// A key in the path.
    pub(super) struct NamePath {
        /// Name of the key.
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
    /// Where a key comes from.
    pub(super) struct Origin {
        /// Whether the key is made here. Defaults to false.
        generate: Option<bool>,
        /// Whether a key that is made is told. Defaults to true.
        exported: Option<bool>,
        /// Bytes of a key that is made. Defaults to 20.
        key_size: Option<i64>,
        /// Pixels of the square image of a key that is made; 0 is no image. Defaults to 200.
        qr_size: Option<i64>,
        /// The key, in base32.
        key: SecretText,
        /// The key with all its settings as an address, `otpauth://totp/…`.
        url: SecretText,
    }
}

request! {
    /// What codes of a key look like.
    pub(super) struct Settings {
        /// Who issues the key.
        issuer: Option<String>,
        /// Whose the key is.
        account_name: Option<String>,
        /// How long a code holds. Defaults to 30 seconds.
        period: Option<Seconds>,
        /// SHA1, SHA256 or SHA512. Defaults to SHA1.
        algorithm: Option<String>,
        /// 6 or 8. Defaults to 6.
        digits: Option<i64>,
        /// Periods before and after now whose codes are accepted too: 0 or 1. Defaults to 1.
        skew: Option<i64>,
    }
}

request! {
    /// A code to be checked.
    pub(super) struct CodeField {
        /// The code.
        code: SecretText,
    }
}
