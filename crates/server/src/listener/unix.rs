//! Socket files: owner and permissions as the configuration says.

use crate::config::UnixSocket;
use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::{FileTypeExt as _, PermissionsExt as _, chown};
use std::os::unix::net::UnixStream;
use tokio::net::UnixListener;

/// Binds a socket file.
pub(super) fn bind(socket: &UnixSocket) -> io::Result<UnixListener> {
    // A socket left by an earlier process is in the way; anything else is not ours to remove.
    let left = fs::symlink_metadata(&socket.path).is_ok_and(|metadata| metadata.file_type().is_socket())
        && UnixStream::connect(&socket.path).is_err_and(|error| error.kind() == io::ErrorKind::ConnectionRefused);
    if left {
        fs::remove_file(&socket.path)?;
    }
    let listener = UnixListener::bind(&socket.path)?;
    let user = socket.user.as_deref().map(|name| id(name, "/etc/passwd")).transpose()?;
    let group = socket.group.as_deref().map(|name| id(name, "/etc/group")).transpose()?;
    if user.is_some() || group.is_some() {
        chown(&socket.path, user, group)?;
    }
    if let Some(mode) = socket.mode {
        fs::set_permissions(&socket.path, Permissions::from_mode(mode))?;
    }
    Ok(listener)
}

/// The number of a user or group: a number as it is, a name as the system's file has it.
fn id(name: &str, file: &str) -> io::Result<u32> {
    if let Ok(number) = name.parse() {
        return Ok(number);
    }
    let text = fs::read_to_string(file)?;
    let found = text.lines().find_map(|line| {
        let mut columns = line.split(':');
        if columns.next() != Some(name) { None } else { columns.nth(1)?.parse().ok() }
    });
    found.ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, format!("{name:?} is not in {file}")))
}

#[cfg(test)]
mod tests {
    use super::id;

    #[test]
    fn names_and_numbers_are_understood() {
        assert_eq!(id("1234", "/etc/passwd").unwrap(), 1234);
        assert_eq!(id("root", "/etc/passwd").unwrap(), 0);
        assert_eq!(id("root", "/etc/group").unwrap(), 0);
        assert!(id("nobody-of-that-name", "/etc/passwd").is_err());
    }
}
