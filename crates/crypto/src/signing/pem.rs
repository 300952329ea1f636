//! Public keys from text: PEM (RFC 7468) of a SubjectPublicKeyInfo (RFC 5280 section 4.1.2.7), of an RSAPublicKey
//! (RFC 8017 appendix A.1.1), or of a certificate, whose key is taken and nothing else is looked at.

use super::{P256, P384, P521, PublicKey, rsa_numbers, undo_der};
use base64::Engine as _;

const SEQUENCE: u8 = 0x30;
const OBJECT_IDENTIFIER: u8 = 0x06;
const BIT_STRING: u8 = 0x03;
const INTEGER: u8 = 0x02;
/// The tag of a certificate's version, which may be missing.
const VERSION: u8 = 0xa0;
/// rsaEncryption (RFC 3279), id-ecPublicKey (RFC 5480) and id-Ed25519 (RFC 8410), without tag and length.
const RSA: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
const ELLIPTIC: &[u8] = &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x02, 0x01];
const ED25519: &[u8] = &[0x2b, 0x65, 0x70];

/// Keys in one text.
const KEYS_MAX: usize = 64;
/// Bytes of a text.
const TEXT_BYTES_MAX: usize = 256 << 10;

impl PublicKey {
    /// All keys of a text; `None` if any block of it is no public key that can verify, or if there are none.
    pub fn all_from_pem(text: &str) -> Option<Vec<Self>> {
        if text.len() > TEXT_BYTES_MAX {
            return None;
        }
        let mut keys = Vec::new();
        let mut rest = text;
        while let Some((_, begun)) = rest.split_once("-----BEGIN ") {
            let (label, body) = begun.split_once("-----")?;
            let (body, behind) = body.split_once(&format!("-----END {label}-----"))?;
            let body: String = body.chars().filter(|letter| !letter.is_ascii_whitespace()).collect();
            let encoded = base64::engine::general_purpose::STANDARD.decode(body).ok()?;
            keys.push(match label {
                "PUBLIC KEY" => of_info(&encoded)?,
                "RSA PUBLIC KEY" => of_rsa(&encoded)?,
                "CERTIFICATE" => of_certificate(&encoded)?,
                _ => return None,
            });
            if keys.len() > KEYS_MAX {
                return None;
            }
            rest = behind;
        }
        Some(keys).filter(|keys| !keys.is_empty())
    }
}

fn of_certificate(encoded: &[u8]) -> Option<PublicKey> {
    let (certificate, _) = undo_der(SEQUENCE, encoded)?;
    let (mut fields, _) = undo_der(SEQUENCE, certificate)?;
    if let Some((_, rest)) = undo_der(VERSION, fields) {
        fields = rest;
    }
    // Serial number, algorithm, issuer, validity and subject come before the key.
    for tag in [INTEGER, SEQUENCE, SEQUENCE, SEQUENCE, SEQUENCE] {
        fields = undo_der(tag, fields)?.1;
    }
    let (info, _) = undo_der(SEQUENCE, fields)?;
    of_fields(info)
}

fn of_info(encoded: &[u8]) -> Option<PublicKey> {
    let (info, behind) = undo_der(SEQUENCE, encoded)?;
    if behind.is_empty() { of_fields(info) } else { None }
}

fn of_fields(info: &[u8]) -> Option<PublicKey> {
    let (algorithm, rest) = undo_der(SEQUENCE, info)?;
    let (identifier, parameters) = undo_der(OBJECT_IDENTIFIER, algorithm)?;
    let (key, _) = undo_der(BIT_STRING, rest)?;
    // The first byte counts unused bits, of which a key has none.
    let key = key.strip_prefix(&[0])?;
    match identifier {
        RSA => of_rsa(key),
        ELLIPTIC => {
            let (curve, _) = undo_der(OBJECT_IDENTIFIER, parameters)?;
            let curves = [P256, P384, P521];
            let curve = curves
                .iter()
                .find(|known| undo_der(OBJECT_IDENTIFIER, known.identifier).is_some_and(|(it, _)| it == curve))?;
            let numbers = key.strip_prefix(&[0x04]).filter(|numbers| numbers.len() == 2 * curve.width)?;
            let (x, y) = numbers.split_at(curve.width);
            Some(PublicKey::Curve { x: x.to_vec(), y: y.to_vec() })
        }
        ED25519 => Some(PublicKey::Edwards { x: key.to_vec() }).filter(|_| key.len() == 32),
        _ => None,
    }
}

fn of_rsa(encoded: &[u8]) -> Option<PublicKey> {
    let (modulus, exponent) = rsa_numbers(encoded)?;
    Some(PublicKey::Rsa { modulus, exponent })
}
