//! Lines to a regular file: one `write` for each entry, in the order of the chain.

use super::DeviceError;
use super::chain::{Chain, parse};
use rustix::fs::{FileType, Mode, OFlags};
use std::fs::File;
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

/// Longest line looked for at the end of an existing file.
const LINE_BYTES_MAX: u64 = 64 << 20;
/// How often it is checked that the file still has its name.
const CHECK_EVERY: Duration = Duration::from_millis(500);

pub(super) struct FileSink {
    path: PathBuf,
    state: Mutex<State>,
}

struct State {
    file: File,
    chain: Chain,
    checked: Instant,
}

impl FileSink {
    /// Whether a path names a regular file or nothing yet; a pipe or device goes elsewhere, since it may block.
    pub(super) fn is_regular_or_new(path: &Path) -> Result<bool, DeviceError> {
        match std::fs::symlink_metadata(path) {
            Ok(metadata) if metadata.file_type().is_symlink() => {
                Err(DeviceError::Options("path must not be a symbolic link".into()))
            }
            Ok(metadata) => Ok(metadata.is_file()),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a file to append to, and takes up its chain.
    pub(super) fn open(path: &Path) -> Result<Self, DeviceError> {
        if path.starts_with("/proc") || path.starts_with("/sys") || path.starts_with("/dev") {
            return Err(DeviceError::Options("path must not be in a system folder".into()));
        }
        let mut file = open(path)?;
        let chain = last_link(&mut file)?;
        Ok(Self { path: path.to_owned(), state: Mutex::new(State { file, chain, checked: Instant::now() }) })
    }

    /// Appends objects as lines.
    pub(super) fn write(&self, objects: &[Vec<u8>]) -> Result<(), DeviceError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.checked.elapsed() > CHECK_EVERY {
            state.checked = Instant::now();
            if rustix::fs::fstat(&state.file).map_err(std::io::Error::from)?.st_nlink == 0 {
                state.file = open(&self.path)?;
            }
        }
        let mut chain = state.chain.clone();
        let mut out = Vec::with_capacity(objects.iter().map(|object| object.len() + 180).sum());
        for object in objects {
            chain.append(object, &mut out);
        }
        state.file.write_all(&out)?;
        // The chain goes on only from what was written.
        state.chain = chain;
        Ok(())
    }

    /// Opens the file at its path again; the chain goes on in the new file.
    pub(super) fn reopen(&self) -> Result<(), DeviceError> {
        let file = open(&self.path)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.file = file;
        Ok(())
    }
}

fn open(path: &Path) -> Result<File, DeviceError> {
    let flags = OFlags::APPEND | OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR).map_err(std::io::Error::from)?;
    let kind = FileType::from_raw_mode(rustix::fs::fstat(&file).map_err(std::io::Error::from)?.st_mode);
    if kind != FileType::RegularFile {
        return Err(DeviceError::Options("path is not a regular file".into()));
    }
    Ok(File::from(file))
}

/// The end of the chain in an existing file. A torn last line (a crash in the middle of a write) is closed, so that what
/// follows starts on its own line.
fn last_link(file: &mut File) -> Result<Chain, DeviceError> {
    let length = file.seek(SeekFrom::End(0))?;
    let from = length.saturating_sub(LINE_BYTES_MAX.min(1 << 20));
    file.seek(SeekFrom::Start(from))?;
    let mut tail = Vec::new();
    file.take(LINE_BYTES_MAX).read_to_end(&mut tail)?;
    if !tail.is_empty() && !tail.ends_with(b"\n") {
        file.write_all(b"\n")?;
    }
    let text = String::from_utf8_lossy(&tail);
    let link = text.lines().rev().find_map(parse);
    Ok(link.map_or_else(Chain::default, |link| Chain { count: link.count, last: link.hash.to_owned() }))
}
