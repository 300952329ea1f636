//! The outer form: text, packets (RFC 9580 section 4), multi-precision integers (section 3.2).

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

/// More packets than this are not looked at.
const PACKET_COUNT_MAX: usize = 4096;

/// A packet's type and body.
pub(super) struct Packet<'a> {
    pub(super) tag: u8,
    pub(super) body: &'a [u8],
}

/// Bytes of armored or plain base64 text.
pub(super) fn decode_text(text: &str) -> Option<Vec<u8>> {
    let text = text.trim();
    let Some(armored) = text.strip_prefix("-----BEGIN PGP PUBLIC KEY BLOCK-----") else {
        return decode(text);
    };
    let (body, _) = armored.split_once("-----END PGP PUBLIC KEY BLOCK-----")?;
    // Headers end at the first empty line; the checksum line is optional and protects against nothing (section 6.1).
    let lines = body.lines().skip(1).map(str::trim).skip_while(|line| !line.is_empty());
    let data: String = lines.take_while(|line| !line.starts_with('=')).collect();
    decode(&data)
}

fn decode(text: &str) -> Option<Vec<u8>> {
    let compact: String = text.split_ascii_whitespace().collect();
    STANDARD.decode(compact).ok()
}

/// Splits bytes into packets of both header formats (sections 4.2.1 and 4.2.2); partial lengths, which keys do not use,
/// are refused.
pub(super) fn split(mut bytes: &[u8]) -> Option<Vec<Packet<'_>>> {
    let mut packets = Vec::new();
    while let Some((header, rest)) = bytes.split_first() {
        if header & 0x80 == 0 || packets.len() >= PACKET_COUNT_MAX {
            return None;
        }
        let (tag, length, rest) = if header & 0x40 == 0 {
            let (length, rest) = match header & 3 {
                0 => number::<1>(rest)?,
                1 => number::<2>(rest)?,
                2 => number::<4>(rest)?,
                _ => (rest.len(), rest),
            };
            ((header >> 2) & 15, length, rest)
        } else {
            let (length, rest) = length(rest)?;
            (header & 63, length, rest)
        };
        let (body, rest) = rest.split_at_checked(length)?;
        packets.push(Packet { tag, body });
        bytes = rest;
    }
    (!packets.is_empty()).then_some(packets)
}

/// A length of one, two or five octets, as packets and subpackets have it.
pub(super) fn length(bytes: &[u8]) -> Option<(usize, &[u8])> {
    match bytes {
        [first @ 0..=191, rest @ ..] => Some((usize::from(*first), rest)),
        [first @ 192..=223, second, rest @ ..] => {
            Some(((usize::from(*first) - 192) * 256 + usize::from(*second) + 192, rest))
        }
        [255, rest @ ..] => number::<4>(rest),
        _ => None,
    }
}

/// A big-endian number of so many octets.
pub(super) fn number<const OCTETS: usize>(bytes: &[u8]) -> Option<(usize, &[u8])> {
    let (octets, rest) = bytes.split_first_chunk::<OCTETS>()?;
    let number =
        octets.iter().try_fold(0_usize, |number, octet| number.checked_mul(256)?.checked_add(usize::from(*octet)));
    Some((number?, rest))
}

/// A multi-precision integer without leading zeros.
pub(super) fn integer(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (bits, rest) = number::<2>(bytes)?;
    rest.split_at_checked(bits.div_ceil(8))
}

/// Appends a multi-precision integer.
pub(super) fn put_integer(output: &mut Vec<u8>, value: &[u8]) {
    let zeros = value.iter().take_while(|byte| **byte == 0).count();
    let value = value.get(zeros..).unwrap_or_default();
    let bits = value.first().map_or(0, |first| value.len() * 8 - first.leading_zeros() as usize);
    output.extend_from_slice(&u16::try_from(bits).unwrap_or(u16::MAX).to_be_bytes());
    output.extend_from_slice(value);
}

/// Appends a packet with a header of the current format.
pub(super) fn put(output: &mut Vec<u8>, tag: u8, body: &[u8]) {
    output.push(0xc0 | tag);
    output.push(255);
    output.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
    output.extend_from_slice(body);
}
