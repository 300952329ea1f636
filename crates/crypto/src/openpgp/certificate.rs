//! A transferable public key (RFC 9580 section 10.1): which of its keys to encrypt to, and whether the primary key
//! vouches for it.

use super::OpenPgpError;
use super::packet::{Packet, integer, length, number};
use aws_lc_rs::digest::{SHA1_FOR_LEGACY_USE_ONLY, SHA256, SHA384, SHA512, digest};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};

const SIGNATURE: u8 = 2;
const PRIMARY: u8 = 6;
const USER_ID: u8 = 13;
const SUBKEY: u8 = 14;
/// Types of signatures (section 5.2.1); 0x10 to 0x13 certify a user id.
const SUBKEY_BINDING: u8 = 0x18;
const DIRECT_KEY: u8 = 0x1f;
const KEY_REVOCATION: u8 = 0x20;
const SUBKEY_REVOCATION: u8 = 0x28;
/// "May encrypt communications" and "may encrypt storage" (section 5.2.3.29).
const ENCRYPTION_FLAGS: u8 = 0x04 | 0x08;

/// A key that a session key can be encrypted to.
#[derive(Clone)]
pub(super) struct EncryptionKey {
    pub(super) key_id: [u8; 8],
    pub(super) material: Material,
}

/// Its numbers.
#[derive(Clone)]
pub(super) enum Material {
    Rsa { modulus: Vec<u8>, exponent: Vec<u8> },
    Ecdh(Ecdh),
}

/// An ECDH key (section 5.5.5.6) with what its key derivation mixes in.
#[derive(Clone)]
pub(super) struct Ecdh {
    pub(super) curve: Curve,
    pub(super) point: Vec<u8>,
    pub(super) hash: u8,
    pub(super) cipher: u8,
    pub(super) fingerprint: [u8; 20],
}

#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Curve {
    Curve25519,
    P256,
    P384,
    P521,
}

impl Curve {
    /// The object identifier, as section 9.2 lists it.
    pub(super) fn identifier(self) -> &'static [u8] {
        match self {
            Self::Curve25519 => &[0x2b, 0x06, 0x01, 0x04, 0x01, 0x97, 0x55, 0x01, 0x05, 0x01],
            Self::P256 => &[0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07],
            Self::P384 => &[0x2b, 0x81, 0x04, 0x00, 0x22],
            Self::P521 => &[0x2b, 0x81, 0x04, 0x00, 0x23],
        }
    }

    fn of(identifier: &[u8]) -> Option<Self> {
        let all = [Self::Curve25519, Self::P256, Self::P384, Self::P521];
        all.into_iter().find(|curve| curve.identifier() == identifier)
    }
}

const ED25519_IDENTIFIER: &[u8] = &[0x2b, 0x06, 0x01, 0x04, 0x01, 0xda, 0x47, 0x0f, 0x01];

/// The primary key's fingerprint and the newest key that may be encrypted to.
pub(super) fn encryption_key(packets: &[Packet<'_>]) -> Result<([u8; 20], EncryptionKey), OpenPgpError> {
    let first = packets.first().filter(|first| first.tag == PRIMARY).ok_or(OpenPgpError::Format)?;
    let primary = PublicKey::read(first.body).ok_or(OpenPgpError::Format)?;
    let components = components(packets);
    if components.iter().any(|component| component.has(KEY_REVOCATION)) {
        return Err(OpenPgpError::Unusable);
    }
    // A subkey is preferred to the primary key, which therefore counts as the oldest.
    let candidates = components.iter().filter_map(|component| match component.subject.tag {
        SUBKEY => {
            let subkey = PublicKey::read(component.subject.body)?;
            component.is_vouched_subkey(&primary).then_some((subkey.created, subkey.encryption_key()?))
        }
        _ => component.is_vouched_identity(&primary).then_some((0, primary.encryption_key()?)),
    });
    let (_, key) = candidates.max_by_key(|(created, _)| *created).ok_or(OpenPgpError::Unusable)?;
    Ok((primary.fingerprint(), key))
}

/// A packet and the signatures about it, which follow it.
struct Component<'a> {
    subject: &'a Packet<'a>,
    signatures: Vec<Signature<'a>>,
}

fn components<'a>(packets: &'a [Packet<'a>]) -> Vec<Component<'a>> {
    let mut components: Vec<Component<'a>> = Vec::new();
    for packet in packets {
        match (packet.tag, components.last_mut()) {
            (SIGNATURE, Some(component)) => component.signatures.extend(Signature::read(packet.body)),
            (SIGNATURE, None) => {}
            _ => components.push(Component { subject: packet, signatures: Vec::new() }),
        }
    }
    components
}

impl Component<'_> {
    /// Whether there is a signature of this type, by whomever: for revocations, being there is enough.
    fn has(&self, kind: u8) -> bool {
        self.signatures.iter().any(|signature| signature.kind == kind)
    }

    /// A subkey that the primary key binds for encryption.
    fn is_vouched_subkey(&self, primary: &PublicKey<'_>) -> bool {
        let binds = |signature: &Signature<'_>| {
            signature.kind == SUBKEY_BINDING
                && signature.may_encrypt()
                && primary.signed(signature, &[part(self.subject)])
        };
        !self.has(SUBKEY_REVOCATION) && self.signatures.iter().any(binds)
    }

    /// A user id, or the primary key itself, whose self-signature says that the primary key may be encrypted to.
    fn is_vouched_identity(&self, primary: &PublicKey<'_>) -> bool {
        let parts = match self.subject.tag {
            USER_ID => vec![part(self.subject)],
            PRIMARY => Vec::new(),
            _ => return false,
        };
        let certifies = |signature: &Signature<'_>| {
            matches!(signature.kind, 0x10..=0x13 | DIRECT_KEY)
                && signature.may_encrypt()
                && primary.signed(signature, &parts)
        };
        self.signatures.iter().any(certifies)
    }
}

/// How a packet enters the hash of a signature about it (section 5.2.4).
fn part(packet: &Packet<'_>) -> Vec<u8> {
    let length = u32::try_from(packet.body.len()).unwrap_or(u32::MAX).to_be_bytes();
    match packet.tag {
        USER_ID => [&[0xb4], length.as_slice(), packet.body].concat(),
        _ => key_part(packet.body),
    }
}

fn key_part(body: &[u8]) -> Vec<u8> {
    let length = u16::try_from(body.len()).unwrap_or(u16::MAX).to_be_bytes();
    [&[0x99], length.as_slice(), body].concat()
}

/// A public key packet of version 4 (section 5.5.2.2).
struct PublicKey<'a> {
    body: &'a [u8],
    created: u32,
    algorithm: u8,
    material: &'a [u8],
}

impl<'a> PublicKey<'a> {
    fn read(body: &'a [u8]) -> Option<Self> {
        let [4, c0, c1, c2, c3, algorithm, material @ ..] = body else { return None };
        let created = u32::from_be_bytes([*c0, *c1, *c2, *c3]);
        Some(Self { body, created, algorithm: *algorithm, material })
    }

    /// SHA-1 over the key (section 5.5.4.2), which is what names a version 4 key.
    fn fingerprint(&self) -> [u8; 20] {
        let hash = digest(&SHA1_FOR_LEGACY_USE_ONLY, &key_part(self.body));
        let mut fingerprint = [0; 20];
        fingerprint.copy_from_slice(hash.as_ref());
        fingerprint
    }

    fn encryption_key(&self) -> Option<EncryptionKey> {
        let fingerprint = self.fingerprint();
        let material = match self.algorithm {
            1 | 2 => {
                let (modulus, rest) = integer(self.material)?;
                let (exponent, _) = integer(rest)?;
                (modulus.len() >= 256)
                    .then(|| Material::Rsa { modulus: modulus.to_vec(), exponent: exponent.to_vec() })?
            }
            18 => {
                let (identifier, rest) = field(self.material)?;
                let (point, rest) = integer(rest)?;
                let ([1, hash, cipher], _) = field(rest)? else { return None };
                let curve = Curve::of(identifier)?;
                Material::Ecdh(Ecdh { curve, point: point.to_vec(), hash: *hash, cipher: *cipher, fingerprint })
            }
            _ => return None,
        };
        let key_id = *fingerprint.last_chunk::<8>()?;
        Some(EncryptionKey { key_id, material })
    }

    /// Whether this key made the signature over itself and the parts.
    fn signed(&self, signature: &Signature<'_>, parts: &[Vec<u8>]) -> bool {
        let length = u32::try_from(signature.hashed.len()).unwrap_or(u32::MAX).to_be_bytes();
        let trailer = [signature.hashed, &[4, 0xff], &length].concat();
        let data = [key_part(self.body), parts.concat(), trailer].concat();
        self.verified(signature, &data).is_some()
    }

    fn verified(&self, signature: &Signature<'_>, data: &[u8]) -> Option<()> {
        let hash = signature.hash;
        match (self.algorithm, signature.algorithm) {
            (1 | 3, 1 | 3) => {
                let parameters = match hash {
                    2 => &RSA_PKCS1_2048_8192_SHA1_FOR_LEGACY_USE_ONLY,
                    8 => &RSA_PKCS1_2048_8192_SHA256,
                    9 => &RSA_PKCS1_2048_8192_SHA384,
                    10 => &RSA_PKCS1_2048_8192_SHA512,
                    _ => return None,
                };
                let (n, rest) = integer(self.material)?;
                let (e, _) = integer(rest)?;
                let (value, _) = integer(signature.value)?;
                RsaPublicKeyComponents { n, e }.verify(parameters, data, &padded(value, n.len())?).ok()
            }
            (19, 19) => {
                let (identifier, rest) = field(self.material)?;
                let (point, _) = integer(rest)?;
                let (algorithm, size): (&'static dyn VerificationAlgorithm, usize) =
                    match (Curve::of(identifier)?, hash) {
                        (Curve::P256, 8) => (&ECDSA_P256_SHA256_FIXED, 32),
                        (Curve::P384, 9) => (&ECDSA_P384_SHA384_FIXED, 48),
                        (Curve::P521, 10) => (&ECDSA_P521_SHA512_FIXED, 66),
                        _ => return None,
                    };
                UnparsedPublicKey::new(algorithm, point).verify(data, &signature.pair(size)?).ok()
            }
            (22, 22) => {
                let (identifier, rest) = field(self.material)?;
                let ([0x40, point @ ..], _) = integer(rest)? else { return None };
                let algorithm = match hash {
                    8 => &SHA256,
                    9 => &SHA384,
                    10 => &SHA512,
                    _ => return None,
                };
                // What EdDSA signs here is the hash (section 5.2.3.3).
                let hashed = digest(algorithm, data);
                let key = UnparsedPublicKey::new(&ED25519, point);
                (identifier == ED25519_IDENTIFIER).then_some(())?;
                key.verify(hashed.as_ref(), &signature.pair(32)?).ok()
            }
            _ => None,
        }
    }
}

/// A signature packet of version 4 (section 5.2.3).
struct Signature<'a> {
    kind: u8,
    algorithm: u8,
    hash: u8,
    /// Everything that is hashed of it.
    hashed: &'a [u8],
    subpackets: &'a [u8],
    value: &'a [u8],
}

impl<'a> Signature<'a> {
    fn read(body: &'a [u8]) -> Option<Self> {
        let [4, kind, algorithm, hash, rest @ ..] = body else { return None };
        let (hashed_length, rest) = number::<2>(rest)?;
        let (subpackets, rest) = rest.split_at_checked(hashed_length)?;
        let (unhashed_length, rest) = number::<2>(rest)?;
        let (_, rest) = rest.split_at_checked(unhashed_length)?;
        // Two octets of the hash come before the value.
        let (_, value) = rest.split_at_checked(2)?;
        let hashed = body.get(..6 + hashed_length)?;
        Some(Self { kind: *kind, algorithm: *algorithm, hash: *hash, hashed, subpackets, value })
    }

    /// Whether its key flags allow encryption; without flags the key's algorithm decides.
    fn may_encrypt(&self) -> bool {
        let mut rest = self.subpackets;
        while let Some((size, after)) = length(rest) {
            let Some((subpacket, after)) = after.split_at_checked(size) else { return false };
            // The top bit marks a critical subpacket; 27 are the key flags.
            if let [kind, flags @ ..] = subpacket
                && kind & 0x7f == 27
            {
                return flags.first().is_some_and(|flags| flags & ENCRYPTION_FLAGS != 0);
            }
            rest = after;
        }
        rest.is_empty()
    }

    /// The two integers of an elliptic curve signature at their full size.
    fn pair(&self, size: usize) -> Option<Vec<u8>> {
        let (r, rest) = integer(self.value)?;
        let (s, _) = integer(rest)?;
        Some([padded(r, size)?, padded(s, size)?].concat())
    }
}

/// A field with its length in one octet.
fn field(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = number::<1>(bytes)?;
    rest.split_at_checked(length)
}

/// The integer at a fixed size.
fn padded(value: &[u8], size: usize) -> Option<Vec<u8>> {
    let zeros = size.checked_sub(value.len())?;
    Some([vec![0; zeros].as_slice(), value].concat())
}
