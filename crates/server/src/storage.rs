//! Opens the embedded store.

use std::path::Path;
use std::sync::Arc;
use store::Log;

/// Opens the store in a folder, which is made if it is not there.
pub fn open(path: &Path) -> Result<Arc<dyn Log>, String> {
    Err(format!("the embedded store at {} cannot be opened yet", path.display()))
}
