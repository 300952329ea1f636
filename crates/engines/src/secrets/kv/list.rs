//! Lists, which both versions of the engine answer alike.

use engine::{Cx, Fault, Page, Reply};

engine::request! {
    /// LIST and SCAN.
    pub(super) struct List {
        /// Optional entry to begin listing after; it need not exist.
        after: String,
        /// Number of entries to return; all if it is not positive.
        limit: i64,
    }
}

/// The folder that a LIST of a path means: with its slash, or empty for the whole.
pub(super) fn folder(path: &str) -> String {
    if path.is_empty() || path.ends_with('/') { path.to_owned() } else { format!("{path}/") }
}

/// The names directly below a storage folder.
pub(super) fn names(cx: &mut Cx, folder: &str) -> Result<Vec<String>, Fault> {
    let mut page = cx.page.clone();
    // What comes after a place inside a folder is what comes after that folder: the list has shown the folder already.
    if let Some(slash) = page.after.find('/') {
        page.after.truncate(slash + 1);
    }
    Ok(cx.tx.list(folder, &page)?)
}

/// All names below a storage folder, in order and in pages, where upstream gives them unordered and whole.
pub(super) fn names_deep(cx: &mut Cx, folder: &str) -> Result<Vec<String>, Fault> {
    let page: Page = cx.page.clone();
    Ok(cx.tx.scan(folder, &page)?)
}

/// The reply of a SCAN: unlike that of a LIST, it is not a 404 when there is nothing.
pub(super) fn scanned(keys: Vec<String>) -> Reply {
    if keys.is_empty() { Reply::data(serde_json::json!({})) } else { Reply::keys(keys) }
}
