//! One commit in the journal.
//!
//! `length u32 | checksum u32 | revision u64 | keyed u8 | chain [32] | payload`, little endian; the length is that of all
//! behind the checksum, which is over the same bytes. A length of zero is where nothing has been written yet.

use crate::{Revision, WriteBatch};
use rustix::fs::{Mode, OFlags};
use std::fs::File;
use std::io;
use std::path::Path;

/// Bytes before the payload.
const HEAD: usize = 4 + 4 + 8 + 1 + 32;
/// Longest frame.
pub(super) const FRAME_BYTES_MAX: usize = 256 << 20;

/// A frame read back.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Frame {
    pub(super) revision: Revision,
    pub(super) keyed: bool,
    pub(super) chain: [u8; 32],
    pub(super) batch: WriteBatch,
    /// What the chain value is over.
    pub(super) sealed: Vec<u8>,
    /// Bytes it takes in the journal.
    pub(super) length: usize,
}

/// What stands at a place of the journal.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Found {
    Frame(Box<Frame>),
    /// Nothing was ever written here.
    End,
    /// Bytes that are no whole frame.
    Broken,
}

/// The payload of a batch: for each change its key and value, a length of `u32::MAX` for a deletion.
pub(super) fn payload(batch: &WriteBatch) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(
        batch.changes.iter().map(|(key, value)| 8 + key.len() + value.as_ref().map_or(0, Vec::len)).sum(),
    );
    for (key, value) in &batch.changes {
        put_length(&mut bytes, key.len());
        bytes.extend_from_slice(key.as_bytes());
        match value {
            None => bytes.extend_from_slice(&u32::MAX.to_le_bytes()),
            Some(value) => {
                put_length(&mut bytes, value.len());
                bytes.extend_from_slice(value);
            }
        }
    }
    bytes
}

fn put_length(bytes: &mut Vec<u8>, length: usize) {
    // Frames are bounded far below the width of the field.
    bytes.extend_from_slice(&u32::try_from(length).unwrap_or(u32::MAX - 1).to_le_bytes());
}

/// What the chain value of a commit is over.
pub(super) fn sealed(revision: Revision, payload: &[u8]) -> Vec<u8> {
    let mut sealed = revision.0.to_le_bytes().to_vec();
    sealed.extend_from_slice(payload);
    sealed
}

/// Appends a frame.
pub(super) fn encode(revision: Revision, chain: Option<[u8; 32]>, payload: &[u8], out: &mut Vec<u8>) {
    let mut body = Vec::with_capacity(41 + payload.len());
    body.extend_from_slice(&revision.0.to_le_bytes());
    body.push(u8::from(chain.is_some()));
    body.extend_from_slice(&chain.unwrap_or_default());
    body.extend_from_slice(payload);
    put_length(out, body.len());
    out.extend_from_slice(&crc32fast::hash(&body).to_le_bytes());
    out.extend_from_slice(&body);
}

/// Reads what stands at the beginning of `bytes`.
pub(super) fn decode(bytes: &[u8]) -> Found {
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
        .and_then(|length| bytes.get(8..8 + length));
    let (Some(body), Some(checksum)) = (body, take_u32(bytes, 4)) else { return Found::Broken };
    if crc32fast::hash(body) != checksum {
        return Found::Broken;
    }
    match parse(body) {
        Some(frame) => Found::Frame(Box::new(frame)),
        None => Found::Broken,
    }
}

fn parse(body: &[u8]) -> Option<Frame> {
    let revision = Revision(u64::from_le_bytes(body.get(..8)?.try_into().ok()?));
    let keyed = *body.get(8)? == 1;
    let chain = body.get(9..41)?.try_into().ok()?;
    let payload = body.get(41..)?;
    let mut changes = Vec::new();
    let mut at = 0;
    while at < payload.len() {
        let key = take(payload, &mut at)??;
        let key = String::from_utf8(key.to_vec()).ok()?;
        changes.push((key, take(payload, &mut at)?.map(<[u8]>::to_vec)));
    }
    Some(Frame {
        revision,
        keyed,
        chain,
        batch: WriteBatch { changes },
        sealed: sealed(revision, payload),
        length: 8 + body.len(),
    })
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
