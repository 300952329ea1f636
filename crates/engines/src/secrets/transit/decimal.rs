//! Numbers of any size between big-endian bytes and decimal digits, which backups of key pairs are written with.

use engine::crypto::Zeroizing;

/// Most digits that are read: an RSA modulus of 4096 bits has 1,234.
const DIGITS_MAX: usize = 1_300;
const GROUP: u64 = 1_000_000_000;
const GROUP_DIGITS: usize = 9;

/// The digits of a number.
pub(super) fn from_bytes(bytes: &[u8]) -> Zeroizing<String> {
    let mut number = Zeroizing::new(bytes.to_vec());
    let mut groups: Zeroizing<Vec<u64>> = Zeroizing::new(Vec::new());
    while number.iter().any(|byte| *byte != 0) {
        let mut rest = 0_u64;
        for byte in number.iter_mut() {
            let value = rest * 256 + u64::from(*byte);
            // The rest is below the group, so the quotient is below 256.
            *byte = u8::try_from(value / GROUP).unwrap_or(u8::MAX);
            rest = value % GROUP;
        }
        groups.push(rest);
    }
    let mut digits = Zeroizing::new(String::with_capacity(groups.len() * GROUP_DIGITS + 1));
    for (at, group) in groups.iter().rev().enumerate() {
        let text = Zeroizing::new(if at == 0 { group.to_string() } else { format!("{group:0width$}", width = GROUP_DIGITS) });
        digits.push_str(&text);
    }
    if digits.is_empty() {
        digits.push('0');
    }
    digits
}

/// The number of some digits, without leading zero bytes; `None` if they are none or too many.
pub(super) fn to_bytes(digits: &str) -> Option<Zeroizing<Vec<u8>>> {
    if digits.is_empty() || digits.len() > DIGITS_MAX || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    // Little-endian while it grows.
    let mut number: Zeroizing<Vec<u8>> = Zeroizing::new(Vec::with_capacity(DIGITS_MAX / 2));
    for digit in digits.bytes() {
        let mut carried = u32::from(digit - b'0');
        for byte in number.iter_mut() {
            let value = u32::from(*byte) * 10 + carried;
            *byte = value.to_le_bytes()[0];
            carried = value >> 8;
        }
        if carried > 0 {
            number.push(carried.to_le_bytes()[0]);
        }
    }
    number.reverse();
    Some(number)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_and_digits_are_the_same_number() {
        for (bytes, digits) in [
            (vec![], "0"),
            (vec![1], "1"),
            (vec![255], "255"),
            (vec![1, 0, 1], "65537"),
            (vec![0x3b, 0x9a, 0xca, 0x00], "1000000000"),
            (vec![1, 0, 0, 0, 0, 0, 0, 0, 0], "18446744073709551616"),
        ] {
            assert_eq!(from_bytes(&bytes).as_str(), digits);
            assert_eq!(*to_bytes(digits).unwrap(), bytes, "{digits}");
        }
        let long = vec![0xa7; 512];
        assert_eq!(*to_bytes(&from_bytes(&long)).unwrap(), long);
        for none in ["", "-1", "1.5", "1e3", " 1"] {
            assert!(to_bytes(none).is_none(), "{none:?}");
        }
        assert!(to_bytes(&"9".repeat(DIGITS_MAX + 1)).is_none());
    }
}
