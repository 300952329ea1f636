//! The replica's bytes with a checksum for each block of them, checked at every read.
//!
//! The engine has checksums of its own, but looks at them only when it repairs. A flipped bit of a key would otherwise make
//! a record vanish without a word: of a value, decryption tells; of a key that is not found, nothing does.
//!
//! Checksums lie in a file beside, and are made durable before the blocks that they are of. The engine writes blocks that
//! nothing durable refers to, and then, by the first block alone, refers to them; so whatever a crash leaves, each block
//! that is referred to has its checksum. The first block has two checked copies of all in it, by the engine's own doing.

use redb::StorageBackend;
use redb::backends::FileBackend;
use std::collections::BTreeSet;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Bytes that one checksum is of: the engine's page, of which larger ones are multiples.
const BLOCK: u64 = 4096;
const BLOCK_LENGTH: usize = 4096;
/// Bytes of one checksum.
const SUM: usize = 4;

#[derive(Debug)]
pub(super) struct Checked {
    data: FileBackend,
    file: File,
    sums: Mutex<Sums>,
}

/// The checksum of each block; zero for one that was never written.
#[derive(Debug)]
struct Sums {
    of: Vec<u32>,
    /// Blocks whose checksum the file does not have yet.
    changed: BTreeSet<usize>,
}

impl Checked {
    /// Opens or makes a file and the one with its checksums.
    pub(super) fn open(path: &Path) -> io::Result<Self> {
        let data = FileBackend::new(super::frame::create(path)?).map_err(io::Error::other)?;
        let file = super::frame::create(&path.with_extension("sums"))?;
        let mut bytes = vec![0; usize::try_from(file.metadata()?.len()).map_err(io::Error::other)?];
        file.read_exact_at(&mut bytes, 0)?;
        let of = bytes.as_chunks::<SUM>().0.iter().map(|sum| u32::from_le_bytes(*sum)).collect();
        Ok(Self { data, file, sums: Mutex::new(Sums { of, changed: BTreeSet::new() }) })
    }

    fn sums(&self) -> MutexGuard<'_, Sums> {
        self.sums.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The whole blocks of what stands at `offset`, by number. The engine reads and writes whole pages, but for its header.
    fn blocks(offset: u64, bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
        let first = usize::try_from(offset / BLOCK).unwrap_or(usize::MAX);
        let aligned = if offset.is_multiple_of(BLOCK) { bytes } else { &[] };
        (first..).zip(aligned.chunks_exact(BLOCK_LENGTH)).filter(|(number, _)| *number > 0)
    }

    fn write_sums(&self) -> io::Result<()> {
        let mut sums = self.sums();
        let changed = std::mem::take(&mut sums.changed);
        let Some(last) = changed.last().copied() else { return Ok(()) };
        let first = changed.first().copied().unwrap_or(last);
        let run = sums.of.get(first..=last).unwrap_or_default();
        let bytes: Vec<u8> = run.iter().flat_map(|sum| sum.to_le_bytes()).collect();
        drop(sums);
        self.file.write_all_at(&bytes, (first * SUM) as u64)?;
        self.file.sync_data()
    }
}

/// Never zero, which stands for none.
fn sum(block: &[u8]) -> u32 {
    crc32fast::hash(block).max(1)
}

impl StorageBackend for Checked {
    fn len(&self) -> io::Result<u64> {
        self.data.len()
    }

    fn read(&self, offset: u64, out: &mut [u8]) -> io::Result<()> {
        self.data.read(offset, out)?;
        let sums = self.sums();
        for (number, block) in Self::blocks(offset, out) {
            let known = sums.of.get(number).copied().unwrap_or_default();
            if known != 0 && known != sum(block) {
                return Err(io::Error::new(io::ErrorKind::InvalidData, format!("block {number} is damaged")));
            }
        }
        Ok(())
    }

    fn set_len(&self, length: u64) -> io::Result<()> {
        self.data.set_len(length)?;
        let blocks = usize::try_from(length / BLOCK).map_err(io::Error::other)?;
        let mut sums = self.sums();
        // What grows again after it shrank is zeros, and was never written.
        let gone = blocks.min(sums.of.len())..sums.of.len();
        sums.changed.extend(gone.clone());
        sums.of.get_mut(gone).unwrap_or_default().fill(0);
        Ok(())
    }

    fn sync_data(&self) -> io::Result<()> {
        self.write_sums()?;
        self.data.sync_data()
    }

    fn write(&self, offset: u64, data: &[u8]) -> io::Result<()> {
        if offset < BLOCK {
            self.write_sums()?;
        }
        self.data.write(offset, data)?;
        let mut sums = self.sums();
        for (number, block) in Self::blocks(offset, data) {
            if sums.of.len() <= number {
                sums.of.resize(number + 1, 0);
            }
            if let Some(place) = sums.of.get_mut(number) {
                *place = sum(block);
            }
            sums.changed.insert(number);
        }
        Ok(())
    }

    fn close(&self) -> io::Result<()> {
        self.data.close()
    }
}
