//! Lines to a regular file, in the order of the chain. The entries of all requests that are ready together go into one
//! `write`; each waits for it.

use super::DeviceError;
use super::chain::{Chain, parse};
use engine::Timestamp;
use rustix::fs::{Advice, FileType, Mode, OFlags};
use serde_json::json;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::MetadataExt as _;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

/// Longest line looked for at the end of an existing file.
const LINE_BYTES_MAX: u64 = 64 << 20;
/// Bytes of the end of a file that are looked at first.
const TAIL_BYTES: u64 = 1 << 20;
/// Bytes of a line that was cut off by a crash which are kept in the entry about it.
const CUT_OFF_BYTES_MAX: usize = 4_096;
/// What every entry begins with.
const ENTRY_BEGINNING: &[u8] = b"{\"time\":\"";
/// Bytes of entries that wait for one write; more are written without waiting for others.
const GROUP_BYTES_MAX: usize = 1 << 20;
/// Bytes after which the system is asked to begin to write them to disk. Left to itself it lets a gigabyte come together
/// and writes that at once, and for so long every sync of the store waits behind it.
const WRITEBACK_BYTES: usize = 4 << 20;
/// How often it is checked that the file still has a name.
const CHECK_EVERY: Duration = Duration::from_millis(500);

pub(super) struct FileSink {
    path: PathBuf,
    mode: Option<Mode>,
    state: Mutex<State>,
}

struct State {
    file: File,
    /// The end of the chain in the file; not known before the first entry.
    chain: Option<Chain>,
    group: Group,
    checked: Instant,
    /// Bytes that were written since the system was last asked to write them to disk.
    unwritten: usize,
    /// Whether it is being asked.
    writing_back: Arc<AtomicBool>,
}

/// Entries that wait for the same write.
#[derive(Default)]
struct Group {
    lines: Vec<u8>,
    /// The end of the chain with them.
    end: Option<Chain>,
    outcome: Arc<Outcome>,
}

/// What became of a group's write; the kind and text of its error.
type Outcome = OnceLock<Result<(), (io::ErrorKind, String)>>;

/// An entry in a group. When it is dropped unwritten, it is written all the same: its request may have had an effect.
pub(super) struct Grouped {
    sink: Arc<FileSink>,
    outcome: Arc<Outcome>,
}

impl FileSink {
    /// Whether a path names a regular file or nothing yet; a pipe or device goes elsewhere, since it may block.
    pub(super) fn is_regular_or_new(path: &Path) -> Result<bool, DeviceError> {
        match std::fs::symlink_metadata(path) {
            Ok(metadata) if metadata.file_type().is_symlink() => {
                Err(DeviceError::Options("path must not be a symbolic link".into()))
            }
            Ok(metadata) => Ok(metadata.is_file()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(true),
            Err(error) => Err(error.into()),
        }
    }

    /// Opens a file to append to, with these permissions; `None` leaves those of an existing file.
    pub(super) fn open(path: &Path, mode: Option<Mode>) -> Result<Self, DeviceError> {
        if path.starts_with("/proc") || path.starts_with("/sys") || path.starts_with("/dev") {
            return Err(DeviceError::Options("path must not be in a system folder".into()));
        }
        let mut file = open(path, mode)?;
        check_is_audit_log(&mut file)?;
        let state = State {
            file,
            chain: None,
            group: Group::default(),
            checked: Instant::now(),
            unwritten: 0,
            writing_back: Arc::default(),
        };
        Ok(Self { path: path.to_owned(), mode, state: Mutex::new(state) })
    }

    /// Whether a path names the file that is open here.
    pub(super) fn is_at(&self, path: &Path) -> bool {
        let state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match (std::fs::metadata(path), state.file.metadata()) {
            (Ok(there), Ok(here)) => (there.dev(), there.ino()) == (here.dev(), here.ino()),
            _ => false,
        }
    }

    /// Appends objects as lines to the next write.
    pub(super) fn add(
        self: &Arc<Self>,
        objects: &[Vec<u8>],
        now: impl Fn() -> Timestamp,
    ) -> Result<Grouped, DeviceError> {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        let State { file, chain, group, .. } = &mut *state;
        if chain.is_none() {
            *chain = Some(taken_up(file, now)?);
        }
        if group.end.is_none() {
            group.end.clone_from(chain);
        }
        if let Some(end) = &mut group.end {
            objects.iter().for_each(|object| end.append(object, &mut group.lines));
        }
        let outcome = group.outcome.clone();
        if group.lines.len() >= GROUP_BYTES_MAX {
            self.write(&mut state);
        }
        Ok(Grouped { sink: self.clone(), outcome })
    }

    /// Writes the group that waits, and tells all of it. After an error the file is as it was before.
    fn write(&self, state: &mut State) {
        let Group { mut lines, end, outcome } = std::mem::take(&mut state.group);
        let result = self.append(state, &lines);
        if result.is_ok() {
            // The chain goes on only from what was written.
            state.chain = end;
        }
        lines.clear();
        if lines.capacity() <= 2 * GROUP_BYTES_MAX {
            state.group.lines = lines;
        }
        // Only here, under the lock, and once for each group.
        let _ = outcome.set(result.map_err(|error| (error.kind(), error.to_string())));
    }

    fn append(&self, state: &mut State, lines: &[u8]) -> io::Result<()> {
        if state.checked.elapsed() > CHECK_EVERY {
            // Somebody removed the file: what is written to it would be lost.
            if rustix::fs::fstat(&state.file)?.st_nlink == 0 {
                tracing::warn!(path = %self.path.display(), "audit file was removed while it was open; it is made anew");
                state.file = open(&self.path, self.mode)?;
            }
            // Only a file that is there counts as checked: until then, each entry looks again and fails.
            state.checked = Instant::now();
        }
        append(&mut state.file, lines)?;
        state.unwritten += lines.len();
        if state.unwritten >= WRITEBACK_BYTES {
            state.write_back();
        }
        Ok(())
    }

    /// Opens the file at its path again; the chain goes on in the new file.
    pub(super) fn reopen(&self) -> Result<(), DeviceError> {
        let file = open(&self.path, self.mode)?;
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        if state.chain.is_none() {
            state.chain = Some(taken_up(&mut state.file, || Timestamp::from_nanoseconds(0))?);
        }
        state.file = file;
        Ok(())
    }
}

impl State {
    /// Asks the system to begin to write to disk, on a thread that may block. Pages that are on disk already need no
    /// memory any more. That it does not is no error: entries are as safe as a write makes them.
    fn write_back(&mut self) {
        let (Ok(runtime), Ok(file)) = (tokio::runtime::Handle::try_current(), self.file.try_clone()) else { return };
        if self.writing_back.swap(true, Ordering::AcqRel) {
            return;
        }
        self.unwritten = 0;
        let writing_back = self.writing_back.clone();
        runtime.spawn_blocking(move || {
            let _advice = rustix::fs::fadvise(&file, 0, None, Advice::DontNeed);
            writing_back.store(false, Ordering::Release);
        });
    }
}

impl Grouped {
    /// Waits until the entry is written.
    pub(super) async fn written(self) -> Result<(), DeviceError> {
        // Requests that are ready too add their entries before the first of them comes back and writes all.
        tokio::task::yield_now().await;
        self.outcome().map_err(|(kind, text)| io::Error::new(kind, text).into())
    }

    fn outcome(&self) -> Result<(), (io::ErrorKind, String)> {
        if let Some(outcome) = self.outcome.get() {
            return outcome.clone();
        }
        let mut state = self.sink.state.lock().unwrap_or_else(PoisonError::into_inner);
        if self.outcome.get().is_none() {
            self.sink.write(&mut state);
        }
        let lost = || Err((io::ErrorKind::Other, "audit entry was lost".to_owned()));
        self.outcome.get().cloned().unwrap_or_else(lost)
    }
}

impl Drop for Grouped {
    fn drop(&mut self) {
        // Whoever waited has seen the outcome; nobody is left to tell an error to.
        let _ = self.outcome();
    }
}

fn open(path: &Path, mode: Option<Mode>) -> io::Result<File> {
    let flags = OFlags::APPEND | OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    let file = rustix::fs::open(path, flags, mode.unwrap_or(Mode::RUSR | Mode::WUSR))?;
    let stat = rustix::fs::fstat(&file)?;
    if FileType::from_raw_mode(stat.st_mode) != FileType::RegularFile {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "path is not a regular file"));
    }
    if let Some(mode) = mode
        && Mode::from_raw_mode(stat.st_mode) != mode
    {
        rustix::fs::fchmod(&file, mode)?;
    }
    Ok(File::from(file))
}

/// Appends all bytes or none: half a line at the end would spoil the next one.
fn append(file: &mut File, bytes: &[u8]) -> io::Result<()> {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match file.write(rest) {
            Ok(0) => return Err(taken_back(file, written, io::ErrorKind::WriteZero.into())),
            Ok(count) => written += count,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(taken_back(file, written, error)),
        }
    }
    Ok(())
}

fn taken_back(file: &File, written: usize, error: io::Error) -> io::Error {
    if written > 0
        && let Ok(metadata) = file.metadata()
        && let Err(second) = file.set_len(metadata.len().saturating_sub(written as u64))
    {
        tracing::error!(error = %second, "half a line could not be taken back from an audit file");
    }
    error
}

/// The end of the chain in an existing file. A last line that was cut off (a crash in the middle of a write) becomes part
/// of an entry of its own, so that the file still verifies and nothing is lost.
fn taken_up(file: &mut File, now: impl Fn() -> Timestamp) -> io::Result<Chain> {
    let (mut chain, cut_off) = last_link(file)?;
    if cut_off.is_empty() {
        return Ok(chain);
    }
    let kept = cut_off.get(..CUT_OFF_BYTES_MAX).unwrap_or(&cut_off);
    let entry = json!({
        "time": now().to_rfc3339(),
        "type": "recovery",
        "error": "the process ended while it wrote the line after this chain's last; its request has no answer",
        "cut_off": String::from_utf8_lossy(kept),
        "cut_off_bytes": cut_off.len(),
    });
    let mut out = Vec::new();
    chain.append(entry.to_string().as_bytes(), &mut out);
    let length = file.metadata()?.len();
    file.set_len(length.saturating_sub(cut_off.len() as u64))?;
    append(file, &out)?;
    Ok(chain)
}

/// Refuses a file that is something else: a line appended to a script, a table of jobs or the store itself is an attack or
/// a mistake (S33). What an audit log begins with, upstream's too, is the time of its first entry.
fn check_is_audit_log(file: &mut File) -> Result<(), DeviceError> {
    let mut beginning = Vec::new();
    file.seek(SeekFrom::Start(0))?;
    Read::by_ref(file).take(ENTRY_BEGINNING.len() as u64).read_to_end(&mut beginning)?;
    if ENTRY_BEGINNING.starts_with(&beginning) {
        return Ok(());
    }
    Err(DeviceError::Options("path names a file that is not an audit log".into()))
}

/// The last whole entry of a file as the end of a chain, and the bytes after the last line.
fn last_link(file: &mut File) -> io::Result<(Chain, Vec<u8>)> {
    let length = file.metadata()?.len();
    let mut window = TAIL_BYTES;
    loop {
        let from = length.saturating_sub(window);
        file.seek(SeekFrom::Start(from))?;
        let mut tail = Vec::new();
        Read::by_ref(file).take(window).read_to_end(&mut tail)?;
        let lines_end = tail.iter().rposition(|byte| *byte == b'\n').map_or(0, |at| at + 1);
        let cut_off = tail.split_off(lines_end);
        let text = String::from_utf8_lossy(&tail);
        if let Some(link) = text.lines().rev().find_map(parse) {
            return Ok((Chain { count: link.count, last: link.hash.to_owned() }, cut_off));
        }
        if from == 0 || window >= LINE_BYTES_MAX {
            return Ok((Chain::default(), if from == 0 { cut_off } else { Vec::new() }));
        }
        window = LINE_BYTES_MAX;
    }
}
