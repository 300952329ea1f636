//! Reading at one revision.

use std::ops::ControlFlow;
use std::sync::Arc;

/// Position in the order of commits. A store that never committed is at revision 0.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Revision(pub u64);

/// A stored value and the revision that wrote it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored {
    /// The record as the cipher sealed it.
    pub value: Arc<[u8]>,
    /// The commit that wrote it.
    pub modified: Revision,
}

/// Why the store could not answer.
#[derive(Debug, Clone, thiserror::Error)]
pub enum StoreError {
    /// The engine below failed; the text is for the operator's log, never for a client.
    #[error("storage failed: {0}")]
    Engine(String),
    /// Stored bytes are not what was written.
    #[error("storage is damaged: {0}")]
    Damaged(String),
    /// A record does not open or does not decode at its place.
    #[error("record at {place} cannot be read")]
    Record {
        /// Its key, which holds no secret.
        place: String,
    },
    /// A named limit was passed.
    #[error("{0} is too large")]
    TooLarge(&'static str),
}

/// Called for each entry of a range in key order; `Break` ends it.
pub type Visit<'a> = dyn FnMut(&str, &[u8], Revision) -> ControlFlow<()> + 'a;

/// The key space as it was at one revision. Cheap to hold for the length of a request.
pub trait Snapshot: Send + Sync {
    /// The revision it shows.
    fn revision(&self) -> Revision;

    /// The value at a key.
    fn get(&self, key: &str) -> Result<Option<Stored>, StoreError>;

    /// Visits the entries with `from <= key < to` in order.
    fn visit(&self, from: &str, to: &str, visit: &mut Visit<'_>) -> Result<(), StoreError>;

    /// The last revision at which any key of an area (`namespace/area`) changed, or an upper bound of it that stays the
    /// same as long as the area does.
    fn area_revision(&self, area: &str) -> Revision;
}

/// A part of a list: what comes after a name, and how much of it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Page {
    /// Names that sort after this one; empty for the first page.
    pub after: String,
    /// At most so many; `None` for all.
    pub limit: Option<usize>,
}

impl Page {
    /// The whole list.
    pub fn all() -> Self {
        Self::default()
    }
}

/// The smallest string that sorts after everything that begins with `prefix`.
pub fn prefix_end(prefix: &str) -> String {
    // No UTF-8 string that continues the prefix sorts after prefix + U+10FFFF + anything shorter, and no key holds that
    // code point, since control and unassigned characters do not pass the edge.
    let mut end = String::with_capacity(prefix.len() + 4);
    end.push_str(prefix);
    end.push(char::MAX);
    end
}

/// The area of a key: its first two segments, without the slash behind them.
pub fn area_of(key: &str) -> &str {
    let mut slashes = key.match_indices('/');
    let _namespace = slashes.next();
    match slashes.next() {
        Some((at, _)) => key.get(..at).unwrap_or(key),
        None => key,
    }
}
