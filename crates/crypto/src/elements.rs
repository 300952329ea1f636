//! The few elements of DER (X.690) that keys are written and read with.

pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const IDENTIFIER: u8 = 0x06;
pub(crate) const SEQUENCE: u8 = 0x30;

/// An element with the parts of its content one after the other.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let content: usize = parts.iter().map(|part| part.len()).sum();
    // A length has at most eight bytes after the first. Reserved whole, so that no copy of a secret is left behind.
    let mut element = Vec::with_capacity(content + 10);
    element.push(tag);
    let length = content.to_be_bytes();
    let significant: Vec<u8> = length.into_iter().skip_while(|byte| *byte == 0).collect();
    match significant.as_slice() {
        [] => element.push(0),
        [short] if *short < 0x80 => element.push(*short),
        long => {
            element.push(0x80 | u8::try_from(long.len()).unwrap_or_default());
            element.extend_from_slice(long);
        }
    }
    parts.iter().for_each(|part| element.extend_from_slice(part));
    element
}

/// An element with its content in one piece.
pub(crate) fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    element(tag, &[content])
}

/// The content of the element that `input` begins with, and what is behind it.
pub(crate) fn undo_der(tag: u8, input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (head, rest) = input.split_at_checked(2)?;
    let [found, length] = head else { return None };
    if *found != tag {
        return None;
    }
    if *length < 0x80 {
        return rest.split_at_checked(usize::from(*length));
    }
    let (bytes, rest) = rest.split_at_checked(usize::from(length & 0x7f))?;
    let length = bytes.iter().try_fold(0_usize, |sum, byte| Some(sum.checked_mul(256)? + usize::from(*byte)))?;
    rest.split_at_checked(length)
}

/// The private key inside of a PKCS #8 document.
pub(crate) fn inner_of_pkcs8(pkcs8: &[u8]) -> Option<&[u8]> {
    let (fields, _) = undo_der(0x30, pkcs8)?;
    let (_, rest) = undo_der(0x02, fields)?;
    let (_, rest) = undo_der(0x30, rest)?;
    undo_der(0x04, rest).map(|(inner, _)| inner)
}
