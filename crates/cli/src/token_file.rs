//! `~/.vault-token`: where the token lies between two commands, for this user only.

use std::io::{self, Read as _, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::PathBuf;
use zeroize::Zeroizing;

/// Longest token, in bytes: batch tokens hold their policies.
const TOKEN_BYTES_MAX: u64 = 64 << 10;

fn path() -> Option<PathBuf> {
    std::env::home_dir().map(|home| home.join(".vault-token"))
}

/// The stored token.
pub fn read() -> io::Result<Option<Zeroizing<String>>> {
    let Some(path) = path() else { return Ok(None) };
    let file = match std::fs::File::open(path) {
        Ok(file) => file,
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => {
            return Ok(None);
        }
        Err(error) => return Err(error),
    };
    let mut text = Zeroizing::new(String::new());
    file.take(TOKEN_BYTES_MAX).read_to_string(&mut text)?;
    let token = Zeroizing::new(text.trim().to_owned());
    Ok((!token.is_empty()).then_some(token))
}

/// Stores a token: whole or not at all, and never readable by others.
pub fn write(token: &str) -> io::Result<()> {
    let Some(path) = path() else { return Err(io::Error::other("there is no home folder")) };
    let fresh = path.with_extension(format!("{}", std::process::id()));
    // What a process of the same number may have left behind.
    drop(std::fs::remove_file(&fresh));
    let mut file = std::fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&fresh)?;
    let written = file.write_all(token.as_bytes()).and_then(|()| std::fs::rename(&fresh, path));
    if written.is_err() {
        drop(std::fs::remove_file(&fresh));
    }
    written
}
