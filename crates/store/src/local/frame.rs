//! One commit in the journal: `length u32 | checksum u32 | keyed u8 | chain [32] | revision u64 | acknowledged u64 |
//! payload`, little endian; the length is that of all behind the checksum, which is over the same bytes. The chain value is
//! over all behind itself. A length of zero is where nothing has been written yet. What was acknowledged when a commit was
//! written tells a torn write, which nobody relies on, from damage to what came before.

use crate::{ChainMac, Revision, WriteBatch};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io;
use std::path::Path;

/// Bytes of length and checksum.
const PREFIX: usize = 8;
/// Bytes between the prefix and what is chained.
const LINK: usize = 1 + 32;
/// Bytes before the payload.
const HEAD: usize = PREFIX + LINK + 8 + 8;
/// Longest frame.
pub(super) const FRAME_BYTES_MAX: usize = 256 << 20;

/// Commits behind a broken one that are looked for.
const SEARCH_MAX: u64 = 1 << 32;

/// A frame read back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame<'a> {
    pub(super) revision: Revision,
    /// The newest commit that was durable when this one was written.
    pub(super) acknowledged: Revision,
    /// The chain value, of a commit that was made with the key.
    pub(super) chain: Option<[u8; 32]>,
    /// What the chain value is over.
    pub(super) chained: &'a [u8],
    payload: &'a [u8],
    /// Bytes it takes in the journal.
    pub(super) length: usize,
}

/// What stands at a place of the journal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found<'a> {
    Frame(Frame<'a>),
    /// Nothing was ever written here.
    End,
    /// Bytes that are no whole frame.
    Broken,
}

/// The most bytes that the frame of a batch takes.
pub(super) fn size(batch: &WriteBatch) -> usize {
    let fields = batch.changes.iter().map(|(key, value)| 8 + key.len() + value.as_ref().map_or(0, Vec::len));
    HEAD + fields.sum::<usize>()
}

/// Appends the frame of a batch, chained to `previous` if there is a key. Gives the chain value.
pub(super) fn encode(
    revision: Revision,
    acknowledged: Revision,
    batch: &WriteBatch,
    key: Option<(&dyn ChainMac, &[u8; 32])>,
    out: &mut Vec<u8>,
) -> Option<[u8; 32]> {
    let start = out.len();
    out.resize(start + PREFIX + LINK, 0);
    out.extend_from_slice(&revision.0.to_le_bytes());
    out.extend_from_slice(&acknowledged.0.to_le_bytes());
    put_payload(batch, out);
    let (head, chained) = out.get_mut(start..)?.split_at_mut_checked(PREFIX + LINK)?;
    let chain = key.map(|(mac, previous)| mac.mac(previous, chained));
    let (prefix, link) = head.split_at_mut_checked(PREFIX)?;
    if let (Some(chain), Some((keyed, place))) = (chain, link.split_first_mut()) {
        *keyed = 1;
        place.copy_from_slice(&chain);
    }
    let mut checksum = crc32fast::Hasher::new();
    checksum.update(link);
    checksum.update(chained);
    let (length, place) = prefix.split_at_mut_checked(4)?;
    length.copy_from_slice(&length_field(link.len() + chained.len()));
    place.copy_from_slice(&checksum.finalize().to_le_bytes());
    chain
}

/// For each change its key and value, a length of `u32::MAX` for a deletion.
fn put_payload(batch: &WriteBatch, out: &mut Vec<u8>) {
    for (key, value) in &batch.changes {
        out.extend_from_slice(&length_field(key.len()));
        out.extend_from_slice(key.as_bytes());
        match value {
            None => out.extend_from_slice(&u32::MAX.to_le_bytes()),
            Some(value) => {
                out.extend_from_slice(&length_field(value.len()));
                out.extend_from_slice(value);
            }
        }
    }
}

fn length_field(length: usize) -> [u8; 4] {
    // Frames are bounded far below the width of the field.
    u32::try_from(length).unwrap_or(u32::MAX - 1).to_le_bytes()
}

/// Reads what stands at the beginning of `bytes`.
pub(super) fn decode(bytes: &[u8]) -> Found<'_> {
    let Some(length) = take_u32(bytes, 0) else {
        return if bytes.iter().all(|byte| *byte == 0) { Found::End } else { Found::Broken };
    };
    if length == 0 {
        // Nothing written here leaves zeros, also behind it; a lost head with a body behind it does not.
        let rest = bytes.get(..HEAD.min(bytes.len())).unwrap_or_default();
        return if rest.iter().all(|byte| *byte == 0) { Found::End } else { Found::Broken };
    }
    let body = usize::try_from(length)
        .ok()
        .filter(|length| *length <= FRAME_BYTES_MAX)
        .and_then(|length| bytes.get(PREFIX..PREFIX + length));
    let (Some(body), Some(checksum)) = (body, take_u32(bytes, 4)) else { return Found::Broken };
    if crc32fast::hash(body) != checksum {
        return Found::Broken;
    }
    parse(body).map_or(Found::Broken, Found::Frame)
}

/// Whether nothing was ever written from here on.
pub(super) fn is_clear(bytes: &[u8]) -> bool {
    // Blocks without a way out early are compared many bytes at a time.
    bytes.chunks(4096).all(|block| block.iter().fold(0, |seen, byte| seen | byte) == 0)
}

/// Whether any whole frame in `bytes` says that a commit was acknowledged. It may begin at any byte.
pub(super) fn any_acknowledges(bytes: &[u8], commit: Revision) -> bool {
    // Zeros end the search; a frame is looked for only where something was written.
    let used = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    (0..used).any(|offset| {
        let rest = bytes.get(offset..).unwrap_or_default();
        // The revision is looked at first, since a checksum at every byte would take minutes.
        let revision = rest.get(PREFIX + LINK..).and_then(<[u8]>::first_chunk).map(|field| u64::from_le_bytes(*field));
        let near = revision.is_some_and(|revision| revision > commit.0 && revision - commit.0 <= SEARCH_MAX);
        near && matches!(decode(rest), Found::Frame(found) if found.acknowledged >= commit)
    })
}

fn parse(body: &[u8]) -> Option<Frame<'_>> {
    let (link, chained) = body.split_at_checked(LINK)?;
    let (keyed, chain) = link.split_first()?;
    let chain = <[u8; 32]>::try_from(chain).ok()?;
    let (revision, rest) = chained.split_first_chunk()?;
    let (acknowledged, payload) = rest.split_first_chunk()?;
    Some(Frame {
        revision: Revision(u64::from_le_bytes(*revision)),
        acknowledged: Revision(u64::from_le_bytes(*acknowledged)),
        chain: (*keyed == 1).then_some(chain),
        chained,
        payload,
        length: PREFIX + body.len(),
    })
}

impl Frame<'_> {
    /// The changes; `None` if the payload is not what [`encode`] makes.
    pub(super) fn batch(&self) -> Option<WriteBatch> {
        let mut changes = Vec::new();
        let mut at = 0;
        while at < self.payload.len() {
            let key = take(self.payload, &mut at)??;
            let key = String::from_utf8(key.to_vec()).ok()?;
            changes.push((key, take(self.payload, &mut at)?.map(<[u8]>::to_vec)));
        }
        Some(WriteBatch { changes })
    }
}

/// A field with its length before it: `Some(None)` for a deletion.
fn take<'a>(bytes: &'a [u8], at: &mut usize) -> Option<Option<&'a [u8]>> {
    let length = take_u32(bytes, *at)?;
    *at += 4;
    if length == u32::MAX {
        return Some(None);
    }
    let field = bytes.get(*at..*at + usize::try_from(length).ok()?)?;
    *at += field.len();
    Some(Some(field))
}

fn take_u32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_le_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

/// Opens a file of ours for reading and writing, made if it is not there, closed to others.
pub(super) fn create(path: &Path) -> io::Result<File> {
    let flags = OFlags::CREATE | OFlags::RDWR | OFlags::CLOEXEC | OFlags::NOFOLLOW;
    Ok(File::from(rustix::fs::open(path, flags, Mode::RUSR | Mode::WUSR)?))
}
