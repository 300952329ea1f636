//! Base64 (RFC 4648) as clients of upstream know it: line ends are skipped, and an error tells where it is.

use super::answers::Failure;
use ::base64::Engine;
use ::base64::alphabet::{STANDARD, URL_SAFE};
use ::base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use engine::crypto::Zeroizing;

const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new().with_decode_allow_trailing_bits(true);
const PADDED: GeneralPurpose =
    GeneralPurpose::new(&STANDARD, LENIENT.with_decode_padding_mode(DecodePaddingMode::RequireCanonical));
const BARE_URL: GeneralPurpose = GeneralPurpose::new(
    &URL_SAFE,
    LENIENT.with_encode_padding(false).with_decode_padding_mode(DecodePaddingMode::RequireNone),
);

/// With padding, as everything but JWS has it.
pub(super) fn encode(bytes: &[u8]) -> String {
    PADDED.encode(bytes)
}

/// For URLs and without padding, as JWS has it.
pub(super) fn encode_url(bytes: &[u8]) -> String {
    BARE_URL.encode(bytes)
}

/// Reads [`encode_url`]'s form.
pub(super) fn decode_url(text: &str) -> Option<Vec<u8>> {
    BARE_URL.decode(without_line_ends(text).as_str()).ok()
}

/// Reads text; the error is in upstream's words.
pub(super) fn decode(text: &str) -> Result<Zeroizing<Vec<u8>>, Failure> {
    if let Ok(bytes) = PADDED.decode(text) {
        return Ok(Zeroizing::new(bytes));
    }
    PADDED
        .decode(without_line_ends(text).as_str())
        .map(Zeroizing::new)
        .map_err(|_| Failure::of_client(format!("illegal base64 data at input byte {}", first_error(text.as_bytes()))))
}

fn without_line_ends(text: &str) -> Zeroizing<String> {
    Zeroizing::new(text.chars().filter(|letter| !matches!(letter, '\r' | '\n')).collect())
}

/// Where the first byte is that does not fit. The group of four that is not whole counts from its beginning.
fn first_error(text: &[u8]) -> usize {
    let letters: Vec<(usize, u8)> =
        text.iter().copied().enumerate().filter(|(_, byte)| !matches!(byte, b'\r' | b'\n')).collect();
    for group in letters.chunks(4) {
        for (place, (at, byte)) in group.iter().enumerate() {
            if byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/') {
                continue;
            }
            if *byte != b'=' || place < 2 {
                return *at;
            }
            // Padding: a second one after two letters, and nothing behind it.
            let behind = group.get(place + 1);
            return match (place, behind) {
                (2, None) => text.len(),
                (2, Some((at, byte))) if *byte != b'=' => *at,
                _ => letters.iter().find(|(other, _)| *other > behind.map_or(*at, |(at, _)| *at)).map_or(*at, |next| next.0),
            };
        }
        if group.len() < 4 {
            return group.first().map_or(0, |(at, _)| *at);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_tells_where_it_is() {
        for (text, at) in [("!!", 0), ("5", 0), ("YWJ!", 3), ("YWJjYW", 4), ("YW=j", 3), ("YWJj=", 4), ("YW\nJ!", 4), ("YWJ=Y", 4)] {
            assert_eq!(decode(text).unwrap_err().text, format!("illegal base64 data at input byte {at}"), "{text:?}");
        }
        for good in ["", "YWJj", "YWI=", "YQ==", "YW\r\nJj\n", "YR=="] {
            assert!(decode(good).is_ok(), "{good:?}");
        }
    }
}
