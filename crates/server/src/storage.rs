//! Opens the embedded store.

use std::path::Path;
use std::sync::Arc;
use store::Log;
use store::local::{LocalLog, LocalOptions};

/// Opens the store in a folder, which is made if it is not there.
pub fn open(path: &Path) -> Result<Arc<dyn Log>, String> {
    match LocalLog::open(path, LocalOptions::default()) {
        Ok(log) => Ok(Arc::new(log)),
        Err(error) => Err(format!("error opening storage: {error}")),
    }
}
