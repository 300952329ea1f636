//! An encrypted message: the session key for its recipient (RFC 9580 section 5.1), and the data under it (section 5.13).

use super::certificate::{Curve, Ecdh, EncryptionKey, Material};
use super::packet::{put, put_integer};
use crate::{RandomBytes, Randomness};
use aws_lc_rs::agreement::{self, ECDH_P256, ECDH_P384, ECDH_P521, PrivateKey, UnparsedPublicKey, X25519};
use aws_lc_rs::cipher::{AES_128, AES_192, AES_256, EncryptingKey, EncryptionContext, UnboundCipherKey};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
use aws_lc_rs::iv::FixedLength;
use aws_lc_rs::rsa::{Pkcs1PublicEncryptingKey, PublicEncryptingKey, PublicKeyComponents};
use zeroize::Zeroizing;

const SESSION_KEY_PACKET: u8 = 1;
const LITERAL_PACKET: u8 = 11;
const PROTECTED_PACKET: u8 = 18;
/// AES-256 (section 9.3).
const CIPHER: u8 = 9;

pub(super) fn encrypt(key: &EncryptionKey, randomness: &mut dyn Randomness, plaintext: &[u8]) -> Option<Vec<u8>> {
    let session = Zeroizing::new(randomness.bytes::<32>());
    let mut message = Vec::new();
    put(&mut message, SESSION_KEY_PACKET, &session_key_packet(key, randomness, &session)?);
    put(&mut message, PROTECTED_PACKET, &protected(randomness, &session, plaintext)?);
    Some(message)
}

/// Version 3, the recipient's key, and the session key in that key's way.
fn session_key_packet(key: &EncryptionKey, randomness: &mut dyn Randomness, session: &[u8; 32]) -> Option<Vec<u8>> {
    let checksum = session.iter().fold(0_u16, |sum, byte| sum.wrapping_add(u16::from(*byte)));
    let mut encoded = Zeroizing::new(Vec::with_capacity(40));
    encoded.push(CIPHER);
    encoded.extend_from_slice(session);
    encoded.extend_from_slice(&checksum.to_be_bytes());
    let mut body = [&[3], key.key_id.as_slice()].concat();
    match &key.material {
        Material::Rsa { modulus, exponent } => {
            let components = PublicKeyComponents { n: modulus.as_slice(), e: exponent.as_slice() };
            let public: PublicEncryptingKey = components.try_into().ok()?;
            let public = Pkcs1PublicEncryptingKey::new(public).ok()?;
            let mut ciphertext = vec![0; public.ciphertext_size()];
            body.push(1);
            put_integer(&mut body, public.encrypt(&encoded, &mut ciphertext).ok()?);
        }
        Material::Ecdh(ecdh) => {
            body.push(18);
            wrap(&mut body, ecdh, randomness, &mut encoded)?;
        }
    }
    Some(body)
}

/// Section 11.5: agree on a secret with a new key pair, derive a key from it, wrap the session key.
fn wrap(body: &mut Vec<u8>, ecdh: &Ecdh, randomness: &mut dyn Randomness, encoded: &mut Vec<u8>) -> Option<()> {
    let (algorithm, size) = match ecdh.curve {
        Curve::Curve25519 => (&X25519, 32),
        Curve::P256 => (&ECDH_P256, 32),
        Curve::P384 => (&ECDH_P384, 48),
        Curve::P521 => (&ECDH_P521, 66),
    };
    let theirs = match (ecdh.curve, ecdh.point.as_slice()) {
        (Curve::Curve25519, [0x40, point @ ..]) => point,
        (Curve::Curve25519, _) => return None,
        (_, point) => point,
    };
    let mut private = Err(());
    // A number drawn for a NIST curve can be out of range; for P-521 seven of its bits have to be cleared.
    for _ in 0..128 {
        let mut scalar = Zeroizing::new(vec![0; size]);
        randomness.fill(&mut scalar);
        if let (Curve::P521, Some(first)) = (ecdh.curve, scalar.first_mut()) {
            *first &= 1;
        }
        private = PrivateKey::from_private_key(algorithm, &scalar).map_err(|_| ());
        if private.is_ok() {
            break;
        }
    }
    let private = private.ok()?;
    let key = agreement::agree(&private, UnparsedPublicKey::new(algorithm, theirs), (), |shared| derive(ecdh, shared));
    let (key_encryption_key, length) = key.ok()??;
    let padding = 8 - encoded.len() % 8;
    encoded.resize(encoded.len() + padding, u8::try_from(padding).ok()?);
    let wrapped = wrap_key(key_encryption_key.get(..length)?, encoded)?;
    let public = private.compute_public_key().ok()?;
    let prefix: &[u8] = if ecdh.curve == Curve::Curve25519 { &[0x40] } else { &[] };
    put_integer(body, &[prefix, public.as_ref()].concat());
    body.push(u8::try_from(wrapped.len()).ok()?);
    body.extend_from_slice(&wrapped);
    Some(())
}

/// A hash that holds the key encryption key, and how much of it is the key.
type Derived = Option<(Zeroizing<Vec<u8>>, usize)>;

/// The key encryption key; `None` for a hash or cipher that is not known.
fn derive(ecdh: &Ecdh, shared: &[u8]) -> Result<Derived, ()> {
    let hash = match ecdh.hash {
        8 => &SHA256,
        9 => &SHA384,
        10 => &SHA512,
        _ => return Ok(None),
    };
    let length = match ecdh.cipher {
        7 => 16,
        8 => 24,
        9 => 32,
        _ => return Ok(None),
    };
    let identifier = ecdh.curve.identifier();
    let mut input = Zeroizing::new(vec![0, 0, 0, 1]);
    input.extend_from_slice(shared);
    input.push(u8::try_from(identifier.len()).map_err(|_| ())?);
    input.extend_from_slice(identifier);
    input.extend_from_slice(&[18, 3, 1, ecdh.hash, ecdh.cipher]);
    input.extend_from_slice(b"Anonymous Sender    ");
    input.extend_from_slice(&ecdh.fingerprint);
    Ok(Some((Zeroizing::new(digest(hash, &input).as_ref().to_vec()), length)))
}

/// AES key wrap (RFC 3394 section 2.2.1) of a multiple of eight octets under a key of 16, 24 or 32.
pub(super) fn wrap_key(key: &[u8], plaintext: &[u8]) -> Option<Vec<u8>> {
    let algorithm = match key.len() {
        16 => &AES_128,
        24 => &AES_192,
        _ => &AES_256,
    };
    let cipher = EncryptingKey::ecb(UnboundCipherKey::new(algorithm, key).ok()?).ok()?;
    let (blocks, rest) = plaintext.as_chunks::<8>();
    let mut registers = Zeroizing::new(blocks.to_vec());
    let mut check = [0xa6; 8];
    let mut step: u64 = 0;
    for _ in 0..6 {
        for register in registers.iter_mut() {
            step += 1;
            let mut block = Zeroizing::new([check, *register].concat());
            cipher.encrypt(&mut block).ok()?;
            check = (u64::from_be_bytes(*block.first_chunk()?) ^ step).to_be_bytes();
            *register = *block.last_chunk()?;
        }
    }
    rest.is_empty().then(|| [check.as_slice(), registers.as_flattened()].concat())
}

/// Version 1: a random block whose last two octets are repeated, the literal data, and a SHA-1 over all of it, encrypted
/// as one with AES-256 in CFB mode and a zero vector (section 5.13.1).
fn protected(randomness: &mut dyn Randomness, session: &[u8; 32], plaintext: &[u8]) -> Option<Vec<u8>> {
    let block: [u8; 16] = randomness.bytes();
    // Of its final length from the start, so that growing leaves no plaintext behind.
    let mut data = Zeroizing::new(Vec::with_capacity(18 + 6 + 6 + plaintext.len() + 22));
    data.extend_from_slice(&block);
    data.extend_from_slice(block.last_chunk::<2>()?);
    // Binary, no file name, no date.
    let literal = Zeroizing::new([&[b'b', 0, 0, 0, 0, 0], plaintext].concat());
    put(&mut data, LITERAL_PACKET, &literal);
    data.extend_from_slice(&[0xd3, 0x14]);
    let check = digest(&SHA1_FOR_LEGACY_USE_ONLY, &data);
    data.extend_from_slice(check.as_ref());
    let key = EncryptingKey::cfb128(UnboundCipherKey::new(&AES_256, session).ok()?).ok()?;
    key.less_safe_encrypt(&mut data, EncryptionContext::Iv128(FixedLength::from([0; 16]))).ok()?;
    Some([&[1], data.as_slice()].concat())
}
