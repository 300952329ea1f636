//! The journal: appending with one sync for many commits, and replay.

use super::OpenError;
use super::frame::{self, Found, create};
use super::segment;
use super::snapshot::LocalSnapshot;
use crate::{ChainMac, Revision, Snapshot, StoreError, WriteBatch};
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;

/// Bytes of the high-water mark: revision and checksum.
const MARK_BYTES: usize = 12;

/// The open journal.
pub(super) struct Journal {
    folder: PathBuf,
    file: File,
    end: u64,
    allocated: u64,
    segment_bytes: u64,
    mark: File,
    acknowledged: Revision,
    mac: Option<Arc<dyn ChainMac>>,
    chain: [u8; 32],
    /// What was replayed, until arming has verified it.
    unverified: Vec<Vec<u8>>,
    checkpoint: Revision,
    chain_at_checkpoint: [u8; 32],
}

impl Journal {
    /// Opens the journal and replays what is newer than the checkpoint onto the snapshot.
    pub(super) fn open(
        folder: &Path,
        segment_bytes: u64,
        chain: [u8; 32],
        snapshot: &mut LocalSnapshot,
    ) -> Result<Self, OpenError> {
        let failed = |error| OpenError::Io(folder.display().to_string(), error);
        let mark_path = folder.join("high-water");
        let mark_known = mark_path.exists();
        let mark = create(&mark_path).map_err(failed)?;
        let acknowledged = read_mark(&mark).map_err(failed)?;
        let segments = segment::all(folder).map_err(failed)?;
        let mut journal = Self {
            folder: folder.to_owned(),
            file: create(&folder.join("lock")).map_err(failed)?,
            end: 0,
            allocated: 0,
            segment_bytes,
            mark,
            acknowledged,
            mac: None,
            chain,
            unverified: Vec::new(),
            checkpoint: snapshot.revision(),
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
            let (first, last) = (reached.0 + 1, acknowledged.0);
            return Err(damaged(&format!("commits {first} to {last} were acknowledged and are missing")));
        }
        journal.acknowledged = reached;
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
        let mut bytes = std::fs::read(path).map_err(|error| OpenError::Io(name.clone(), error))?;
        let mut at = 0;
        loop {
            let found = frame::decode(bytes.get(at..).unwrap_or_default());
            let batch = if let Found::Frame(frame) = &found { frame.batch() } else { None };
            match (found, batch) {
                (Found::Frame(found), Some(batch)) => {
                    at += found.length;
                    let next = Revision(snapshot.revision().0 + 1);
                    if found.revision > next {
                        return Err(damaged(&format!("{name}: commit {} is missing", next.0)));
                    }
                    if found.revision == next {
                        self.chain = found.chain.unwrap_or(self.chain);
                        snapshot.apply(found.revision, batch, found.revision);
                    }
                }
                (Found::End, _) if frame::is_clear(bytes.get(at..).unwrap_or_default()) => break,
                _ => {
                    // A tear is what a write leaves that was never acknowledged, and only at the very end.
                    let torn = Revision(snapshot.revision().0 + 1);
                    let behind = bytes.get(at + 1..).unwrap_or_default();
                    if !last || torn <= acknowledged || frame::any_acknowledges(behind, torn) {
                        let commit = torn.0;
                        return Err(damaged(&format!("{name}: commit {commit} at byte {at} cannot be read")));
                    }
                    cut(path, at as u64, bytes.len() as u64).map_err(|error| OpenError::Io(name.clone(), error))?;
                    break;
                }
            }
        }
        self.end = at as u64;
        bytes.truncate(at);
        bytes.shrink_to_fit();
        self.unverified.push(bytes);
        Ok(())
    }

    /// Switches the chain on, after checking that what was replayed is what this key chained.
    pub(super) fn arm(&mut self, mac: Arc<dyn ChainMac>) -> Result<(), StoreError> {
        let mut previous = self.chain_at_checkpoint;
        for bytes in &self.unverified {
            let mut at = 0;
            while let Found::Frame(found) = frame::decode(bytes.get(at..).unwrap_or_default()) {
                at += found.length;
                // Before the first key nothing is chained; after it, a frame without a link is nobody's of ours.
                let first = found.chain.is_none() && previous == [0; 32];
                if found.revision <= self.checkpoint || first {
                    continue;
                }
                let chain = mac.mac(&previous, found.chained);
                if found.chain != Some(chain) {
                    let commit = found.revision.0;
                    return Err(StoreError::Damaged(format!(
                        "journal: commit {commit} is not chained to the one before"
                    )));
                }
                previous = chain;
            }
        }
        self.unverified = Vec::new();
        self.checkpoint = Revision(u64::MAX);
        self.mac = Some(mac);
        Ok(())
    }

    /// Adds a commit to the bytes of the next write.
    pub(super) fn encode(&mut self, revision: Revision, batch: &WriteBatch, out: &mut Vec<u8>) {
        let key = self.mac.as_deref().map(|mac| (mac, &self.chain));
        if let Some(chain) = frame::encode(revision, self.acknowledged, batch, key, out) {
            self.chain = chain;
        }
    }

    /// Makes commits durable with one sync, and notes the newest as acknowledged.
    pub(super) fn write(&mut self, bytes: &[u8], newest: Revision) -> io::Result<()> {
        self.file.write_all_at(bytes, self.end)?;
        self.file.sync_data()?;
        self.end += bytes.len() as u64;
        self.acknowledged = newest;
        // Unsynced: it may fall behind in a power loss, which makes it a weaker witness and never a false one.
        write_mark(&self.mark, newest)
    }

    /// Makes room for so many more bytes. Nothing is lost if there is none.
    pub(super) fn reserve(&mut self, bytes: usize) -> io::Result<()> {
        let wanted = self.end + bytes as u64;
        if wanted <= self.allocated {
            return Ok(());
        }
        let end = wanted.div_ceil(self.segment_bytes) * self.segment_bytes;
        segment::extend(&self.file, self.allocated, end)?;
        self.allocated = end;
        Ok(())
    }

    /// Goes on in a new file, so that the ones before can go once a checkpoint holds them.
    pub(super) fn begin_segment(&mut self, after: Revision) -> io::Result<()> {
        (self.file, self.allocated) = segment::begin(&self.folder, after, self.segment_bytes)?;
        self.end = 0;
        Ok(())
    }

    /// The folder of the files.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The chain value now.
    pub(super) fn chain(&self) -> [u8; 32] {
        self.chain
    }

    /// Whether little room is left in the current file.
    pub(super) fn is_nearly_full(&self) -> bool {
        self.end > self.allocated.min(self.segment_bytes) / 4 * 3
    }

    /// Syncs the mark, when the store is closed.
    pub(super) fn sync_mark(&self) -> io::Result<()> {
        self.mark.sync_all()
    }
}

/// Writes zeros over a torn tail, so that it is not met again.
fn cut(path: &Path, from: u64, to: u64) -> io::Result<()> {
    let file = create(path)?;
    segment::zero(&file, from, to)?;
    file.sync_data()
}

fn damaged(what: &str) -> OpenError {
    OpenError::Store(StoreError::Damaged(format!("journal: {what}")))
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
