//! The journal's files. Each is written full of zeros before use: a sync of bytes that overwrite zeros on disk waits for
//! these bytes alone, while one that extends a file, or fills space that is merely reserved, also waits for the file
//! system's own journal, which takes many times as long. A file that a checkpoint made superfluous is zeroed again and
//! kept as the next one.

use super::frame::create;
use crate::Revision;
use rustix::fs::FallocateFlags;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

/// Bytes of zeros written at a time.
static ZEROS: [u8; 1 << 16] = [0; 1 << 16];
/// Bytes of zeros that are synced at a time: what is synced beside waits no longer than these take.
const SLICE_BYTES: u64 = 4 << 20;
/// Bytes of a file that somebody waits for.
const HASTY_BYTES: u64 = 16 << 20;
/// The zeroed file that is taken next.
const SPARE: &str = "spare";
/// The same while it is being zeroed; whatever is in it is worth nothing.
const DIRTY: &str = "spare-dirty";

/// The files by first revision, in order.
pub(super) fn all(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let name = path.file_name().and_then(|name| name.to_str());
        let first = name.and_then(|name| name.strip_prefix("journal-")).and_then(|name| name.parse().ok());
        segments.extend(first.map(|first| (first, path)));
    }
    segments.sort();
    Ok(segments)
}

/// Makes the file for the commits after a revision, durable with its name, of at most so many bytes. Gives it and its
/// length.
pub(super) fn begin(folder: &Path, after: Revision, bytes: u64) -> io::Result<(File, u64)> {
    let spare = folder.join(SPARE);
    if !spare.try_exists()? {
        prepare(folder, bytes.min(HASTY_BYTES))?;
    }
    let path = folder.join(format!("journal-{:020}", after.0 + 1));
    std::fs::rename(spare, &path)?;
    File::open(folder)?.sync_all()?;
    let file = create(&path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

/// Makes the spare, of so many bytes, unless there is one.
pub(super) fn prepare(folder: &Path, bytes: u64) -> io::Result<()> {
    let (spare, dirty) = (folder.join(SPARE), folder.join(DIRTY));
    if spare.try_exists()? {
        return Ok(());
    }
    let file = create(&dirty)?;
    if let Err(error) = extend(&file, 0, bytes) {
        std::fs::remove_file(dirty)?;
        return Err(error);
    }
    std::fs::rename(dirty, spare)
}

/// Removes the files that hold nothing newer than a checkpoint, the first of them to become the spare.
pub(super) fn trim(folder: &Path, checkpoint: Revision) -> io::Result<()> {
    let segments = all(folder)?;
    for pair in segments.windows(2) {
        let [(_, path), (next, _)] = pair else { continue };
        if *next > checkpoint.0 + 1 {
            continue;
        }
        if folder.join(SPARE).try_exists()? || folder.join(DIRTY).try_exists()? {
            std::fs::remove_file(path)?;
        } else {
            std::fs::rename(path, folder.join(DIRTY))?;
        }
    }
    Ok(())
}

/// Makes a file longer by zeros that are durable. If there is no space, that shows before any is taken.
pub(super) fn extend(file: &File, from: u64, to: u64) -> io::Result<()> {
    rustix::fs::fallocate(file, FallocateFlags::empty(), from, to - from)?;
    zero(file, from, to)?;
    file.sync_all()
}

/// Fills a part of a file with zeros, of which all but the last few are durable.
pub(super) fn zero(file: &File, from: u64, to: u64) -> io::Result<()> {
    let (mut at, mut synced) = (from, from);
    while at < to {
        let length = usize::try_from(to - at).unwrap_or(ZEROS.len()).min(ZEROS.len());
        file.write_all_at(ZEROS.get(..length).unwrap_or_default(), at)?;
        at += length as u64;
        if at - synced >= SLICE_BYTES {
            file.sync_data()?;
            synced = at;
        }
    }
    Ok(())
}
