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
    let locked = here.match_indices('/').filter_map(|(at, _)| tree.by_path(here.get(..=at)?)).any(|above| above.locked.is_some());
    let message = "API access to this namespace has been locked by an administrator";
    if locked { Err(Fault::Status(503, vec![message.to_owned()])) } else { Ok(()) }
}
