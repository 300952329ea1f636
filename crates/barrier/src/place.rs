//! Where this crate's records are, and when things happen.

/// A moment in nanoseconds since 1970-01-01T00:00:00Z. Always a parameter.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Moment(pub i64);

impl Moment {
    /// This moment plus so many seconds; saturates.
    pub const fn plus_seconds(self, seconds: i64) -> Self {
        Self(self.0.saturating_add(seconds.saturating_mul(1_000_000_000)))
    }
}

/// The scope of this crate's own records, which no namespace can be called.
pub(crate) const SCOPE: &str = "barrier";
pub(crate) const SEAL: &str = "barrier/seal/config";
pub(crate) const KEYRING: &str = "barrier/keyring/current";
pub(crate) const KEYRING_AREA: &str = "barrier/keyring";
pub(crate) const SEAL_AREA: &str = "barrier/seal";
pub(crate) const NAMESPACES: &str = "barrier/namespace/";
pub(crate) const NAMESPACES_AREA: &str = "barrier/namespace";
pub(crate) const ROTATION: &str = "barrier/rotation/config";
pub(crate) const USAGE: &str = "barrier/usage/";
pub(crate) const SHARES: &str = "barrier/shares/";
pub(crate) const BACKUP: &str = "barrier/backup/";

/// The kind of the seal record, which is the only one that is readable without a key.
pub(crate) const SEAL_KIND: &str = "barrier-seal/1";
/// The kind of the keyring, which is the only one that the root key opens.
pub(crate) const KEYRING_KIND: &str = "barrier-keyring/1";
/// The kind of a namespace's secret.
pub(crate) const NAMESPACE_KIND: &str = "barrier-namespace/1";

/// The scope of a key: its first segment.
pub(crate) fn scope_of(key: &str) -> &str {
    key.split_once('/').map_or(key, |(scope, _)| scope)
}
