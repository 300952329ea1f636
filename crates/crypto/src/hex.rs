//! Bytes as lower-case hexadecimal digits (RFC 4648 section 8), without a formatter between: keyed hashes are printed
//! many times for each request.

/// The digits of `bytes`.
pub fn hex(bytes: &[u8]) -> String {
    hex_after("", bytes)
}

/// The digits of `bytes` after a prefix.
pub fn hex_after(prefix: &str, bytes: &[u8]) -> String {
    let mut text = Vec::with_capacity(prefix.len() + bytes.len() * 2);
    text.extend_from_slice(prefix.as_bytes());
    hex_onto(&mut text, bytes);
    String::from_utf8(text).expect("a text followed by ASCII digits is UTF-8")
}

/// Appends the digits of `bytes`.
pub fn hex_onto(text: &mut Vec<u8>, bytes: &[u8]) {
    let begin = text.len();
    text.resize(begin + bytes.len() * 2, b'0');
    let (_, digits) = text.split_at_mut(begin);
    for (pair, byte) in digits.as_chunks_mut().0.iter_mut().zip(bytes) {
        *pair = [digit(byte >> 4), digit(byte & 0xf)];
    }
}

const fn digit(value: u8) -> u8 {
    if value < 10 { b'0' + value } else { b'a' + value - 10 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_two_digits() {
        let all: Vec<u8> = (0..=255).collect();
        let expected: String = all.iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(hex(&all), expected);
        assert_eq!(hex(&[]), "");
        assert_eq!(hex_after("é:", &[0, 0xab]), "é:00ab");
    }
}
