//! A namespace whose API is locked answers nothing but its own unlocking, and so do all below it.

use crate::Kx;
use crate::namespaces::NamespaceTree;
use engine::Fault;

/// Refuses a request to a locked namespace with 503.
pub fn check(kx: &Kx, tree: &NamespaceTree, path: &str) -> Result<(), Fault> {
    if path.starts_with("sys/namespaces/api-lock/unlock") {
        return Ok(());
    }
    let here = &kx.namespace.path;
    let mut above = here.match_indices('/').filter_map(|(at, _)| tree.by_path(here.get(..=at)?));
    let Some(locked) = above.find(|above| above.locked.is_some()) else { return Ok(()) };
    let locked = &locked.path;
    let message = "API access to this namespace has been locked by an administrator";
    Err(Fault::Status(503, vec![format!("{message} - {locked:?} must be unlocked to gain access.")]))
}
