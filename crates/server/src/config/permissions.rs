//! Files that only their owner may change, or read: looser ones are refused at the start (fault F40).

use super::ConfigError;
use super::read::refused;
use std::os::unix::fs::MetadataExt as _;
use std::path::Path;

/// A configuration file that everybody may write is everybody's server.
pub(super) fn check_config(path: &Path) -> Result<(), ConfigError> {
    check(path, 0o002, "is writable by everybody (chmod o-w)")
}

/// A file that holds the key of the seal.
pub(super) fn check_secret(path: &Path) -> Result<(), ConfigError> {
    check(path, 0o027, "holds a key: it must not be writable by its group nor open to everybody (chmod 0640 or less)")
}

/// The key of a certificate: refused if others may change it. That others may read it is only told, since many tools
/// write it so.
pub(super) fn check_tls_key(path: &Path, warnings: &mut Vec<String>) -> Result<(), ConfigError> {
    check(path, 0o022, "holds a key: it must not be writable by others (chmod go-w)")?;
    if let Err(error) = check(path, 0o004, "holds a key that everybody on this machine may read (chmod o-r)") {
        warnings.push(error.to_string());
    }
    Ok(())
}

fn check(path: &Path, forbidden: u32, why: &str) -> Result<(), ConfigError> {
    // What is not there is told by whoever reads it.
    let Ok(metadata) = std::fs::metadata(path) else { return Ok(()) };
    if metadata.is_file() && metadata.mode() & forbidden != 0 {
        return Err(refused(format!("{} {why}", path.display())));
    }
    Ok(())
}
