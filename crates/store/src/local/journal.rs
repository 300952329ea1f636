//! The journal files: appending with one sync for many commits, and replay.

use super::frame::{self, Found};
use super::snapshot::LocalSnapshot;
use super::{OpenError, frame::create};
use crate::{ChainMac, Revision, Snapshot, StoreError, WriteBatch};
use rustix::fs::FallocateFlags;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes preallocated at a time: a sync then need not write the file's length.
const CHUNK_BYTES: u64 = 16 << 20;
/// Bytes of the high-water mark: revision and checksum.
const MARK_BYTES: usize = 12;

/// The open journal.
pub(super) struct Journal {
    folder: PathBuf,
    file: File,
    end: u64,
    allocated: u64,
    mark: File,
    mac: Option<Arc<dyn ChainMac>>,
    chain: [u8; 32],
    /// Keyed commits since the checkpoint, which arming verifies; forgotten once it has.
    unverified: Vec<(Vec<u8>, [u8; 32])>,
    chain_at_checkpoint: [u8; 32],
}

impl Journal {
    /// Opens the journal and replays what is newer than the checkpoint onto the snapshot.
    pub(super) fn open(
        folder: &Path,
        checkpoint: Revision,
        chain: [u8; 32],
        snapshot: &mut LocalSnapshot,
    ) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Io(folder.display().to_string(), error);
        let mark_path = folder.join("high-water");
        let mark_known = mark_path.exists();
        let mark = create(&mark_path).map_err(failed)?;
        let acknowledged = read_mark(&mark).map_err(failed)?;
        let segments = segments(folder).map_err(failed)?;
        let mut journal = Self {
            folder: folder.to_owned(),
            file: create(&folder.join("lock")).map_err(failed)?,
            end: 0,
            allocated: 0,
            mark,
            mac: None,
            chain,
            unverified: Vec::new(),
            chain_at_checkpoint: chain,
        };
        let last = segments.len();
        for (index, (_, path)) in segments.iter().enumerate() {
            journal.replay(path, index + 1 == last, acknowledged, snapshot)?;
        }
        let reached = snapshot.revision();
        if !mark_known && reached > Revision(0) {
            return Err(damaged("the high-water mark is missing"));
        }
        if reached < acknowledged {
            return Err(damaged(&format!(
                "commits {} to {} were acknowledged and are missing",
                reached.0 + 1,
                acknowledged.0
            )));
        }
        let _ = checkpoint;
        snapshot.replayed();
        match segments.last() {
            Some((_, path)) => {
                journal.file = create(path).map_err(failed)?;
                journal.allocated = journal.file.metadata().map_err(failed)?.len();
            }
            None => journal.begin_segment(reached).map_err(failed)?,
        }
        Ok(journal)
    }

    fn replay(
        &mut self,
        path: &Path,
        last: bool,
        acknowledged: Revision,
        snapshot: &mut LocalSnapshot,
    ) -> Result<(), OpenError> {
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let bytes = std::fs::read(path).map_err(|error| OpenError::Io(name.clone(), error))?;
        let mut at = 0;
        loop {
            match frame::decode(bytes.get(at..).unwrap_or_default()) {
                Found::Frame(found) => {
                    at += found.length;
                    let next = Revision(snapshot.revision().0 + 1);
                    if found.revision > next {
                        return Err(damaged(&format!("{name}: commit {} is missing", next.0)));
                    }
                    if found.revision < next {
                        continue;
                    }
                    if found.keyed {
                        self.chain = found.chain;
                        self.unverified.push((found.sealed, found.chain));
                    }
                    snapshot.apply(found.revision, found.batch);
                }
                Found::End if last => break,
                Found::End => return Ok(()),
                Found::Broken => {
                    // A tear is what a write leaves that was never acknowledged, and only at the very end.
                    if !last || snapshot.revision() < acknowledged || follows(&bytes, at, acknowledged) {
                        return Err(damaged(&format!(
                            "{name}: commit {} at byte {at} cannot be read",
                            snapshot.revision().0 + 1
                        )));
                    }
                    cut(path, at as u64, bytes.len() as u64).map_err(|error| OpenError::Io(name.clone(), error))?;
                    break;
                }
            }
        }
        self.end = at as u64;
        Ok(())
    }

    /// Switches the chain on, after checking that what was replayed is what this key chained.
    pub(super) fn arm(&mut self, mac: Arc<dyn ChainMac>) -> Result<(), StoreError> {
        let mut previous = self.chain_at_checkpoint;
        for (sealed, chain) in &self.unverified {
            if mac.mac(&previous, sealed) != *chain {
                return Err(StoreError::Damaged("journal: a commit is not chained to the one before".to_owned()));
            }
            previous = *chain;
        }
        self.unverified.clear();
        self.chain_at_checkpoint = self.chain;
        self.mac = Some(mac);
        Ok(())
    }

    /// Adds a commit to the bytes of the next write.
    pub(super) fn encode(&mut self, revision: Revision, batch: &WriteBatch, out: &mut Vec<u8>) {
        let payload = frame::payload(batch);
        let chain = self.mac.as_ref().map(|mac| mac.mac(&self.chain, &frame::sealed(revision, &payload)));
        if let Some(chain) = chain {
            self.chain = chain;
        }
        frame::encode(revision, chain, &payload, out);
    }

    /// Makes commits durable with one sync, and notes the newest as acknowledged.
    pub(super) fn write(&mut self, bytes: &[u8], newest: Revision) -> io::Result<()> {
        self.allocate(self.end + bytes.len() as u64)?;
        self.file.write_all_at(bytes, self.end)?;
        self.file.sync_data()?;
        self.end += bytes.len() as u64;
        // Unsynced: it may fall behind in a power loss, which makes it a weaker witness and never a false one.
        write_mark(&self.mark, newest)
    }

    fn allocate(&mut self, wanted: u64) -> io::Result<()> {
        if wanted <= self.allocated {
            return Ok(());
        }
        let end = wanted.div_ceil(CHUNK_BYTES) * CHUNK_BYTES;
        rustix::fs::fallocate(&self.file, FallocateFlags::empty(), self.allocated, end - self.allocated)?;
        self.file.sync_all()?;
        self.allocated = end;
        Ok(())
    }

    /// Goes on in a new file, so that the ones before can go once a checkpoint holds them.
    pub(super) fn begin_segment(&mut self, after: Revision) -> io::Result<()> {
        let path = self.folder.join(format!("journal-{:020}", after.0 + 1));
        self.file = create(&path)?;
        self.end = 0;
        self.allocated = 0;
        self.allocate(1)?;
        File::open(&self.folder)?.sync_all()
    }

    /// Removes the files that hold nothing newer than a checkpoint.
    pub(super) fn trim(&mut self, checkpoint: Revision) -> io::Result<()> {
        let segments = segments(&self.folder)?;
        for pair in segments.windows(2) {
            let [(_, path), (next, _)] = pair else { continue };
            if *next <= checkpoint.0 + 1 {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// The chain value now.
    pub(super) fn chain(&self) -> [u8; 32] {
        self.chain
    }

    /// Bytes written to the current file.
    pub(super) fn length(&self) -> u64 {
        self.end
    }

    /// Syncs the mark, when the store is closed.
    pub(super) fn sync_mark(&self) -> io::Result<()> {
        self.mark.sync_all()
    }
}

/// Whether a whole frame of an acknowledged commit stands anywhere behind a broken one.
fn follows(bytes: &[u8], at: usize, acknowledged: Revision) -> bool {
    let rest = bytes.get(at + 1..).unwrap_or_default();
    // Preallocated zeros end the search; a frame is looked for only where something was written.
    let used = rest.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    (0..used).any(|offset| match frame::decode(rest.get(offset..).unwrap_or_default()) {
        Found::Frame(found) => found.revision <= acknowledged,
        Found::End | Found::Broken => false,
    })
}

/// Writes zeros over a torn tail, so that it is not met again.
fn cut(path: &Path, from: u64, to: u64) -> io::Result<()> {
    let file = create(path)?;
    let zeros = vec![0; 1 << 16];
    let mut at = from;
    while at < to {
        let length = usize::try_from(to - at).unwrap_or(zeros.len()).min(zeros.len());
        file.write_all_at(zeros.get(..length).unwrap_or_default(), at)?;
        at += length as u64;
    }
    file.sync_data()
}

fn damaged(what: &str) -> OpenError {
    OpenError::Store(StoreError::Damaged(format!("journal: {what}")))
}

/// The journal's files by first revision, in order.
fn segments(folder: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let mut segments = Vec::new();
    for entry in std::fs::read_dir(folder)? {
        let path = entry?.path();
        let first = path
            .file_name()
            .and_then(|name| name.to_str())
            .and_then(|name| name.strip_prefix("journal-"))
            .and_then(|name| name.parse().ok());
        segments.extend(first.map(|first| (first, path)));
    }
    segments.sort();
    Ok(segments)
}

fn read_mark(file: &File) -> io::Result<Revision> {
    let mut bytes = [0; MARK_BYTES];
    match file.read_exact_at(&mut bytes, 0) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(Revision(0)),
        Err(error) => return Err(error),
    }
    let [a, b, c, d, e, f, g, h, checksum @ ..] = bytes;
    let revision = [a, b, c, d, e, f, g, h];
    let sound = crc32fast::hash(&revision).to_le_bytes() == checksum;
    Ok(Revision(if sound { u64::from_le_bytes(revision) } else { 0 }))
}

fn write_mark(file: &File, revision: Revision) -> io::Result<()> {
    let mut bytes = revision.0.to_le_bytes().to_vec();
    bytes.extend_from_slice(&crc32fast::hash(&bytes).to_le_bytes());
    file.write_all_at(&bytes, 0)
}
