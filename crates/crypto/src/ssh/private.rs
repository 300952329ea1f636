//! Private keys: made, read from the formats that people have, kept as PKCS #8 (RFC 5208).

use super::PublicKey;
use crate::elements::{der, inner_of_pkcs8, undo_der};
use crate::signing::{self, SigningAlgorithm, SigningKey};
use crate::{Randomness, Secret};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rsa;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING, ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair,
    Ed25519KeyPair,
};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rustls_pki_types::PrivateKeyDer;
use rustls_pki_types::pem::PemObject as _;
use ssh_key::private::{Ed25519Keypair, KeypairData, RsaKeypair};
use ssh_key::public::{EcdsaPublicKey, Ed25519PublicKey, KeyData, RsaPublicKey};
use ssh_key::{LineEnding, Mpint};
use zeroize::Zeroizing;

/// Characters of a line of PEM (RFC 7468 section 2).
const PEM_LINE: usize = 64;
/// What comes before the 32 bytes of an Ed25519 key in PKCS #8 (RFC 8410 section 7).
const ED25519_PREFIX: [u8; 16] = [0x30, 0x2e, 2, 1, 0, 0x30, 5, 6, 3, 0x2b, 0x65, 0x70, 4, 0x22, 4, 0x20];

/// A kind of key that can be made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with so many bits: 2048, 3072, 4096 or 8192.
    Rsa(u32),
    /// ECDSA on P-256.
    EcdsaP256,
    /// ECDSA on P-384.
    EcdsaP384,
    /// ECDSA on P-521.
    EcdsaP521,
    /// Ed25519.
    Ed25519,
}

/// Why there is no key. Never holds any of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ImportError {
    /// It is under a passphrase.
    #[error("this private key is passphrase protected")]
    Encrypted,
    /// It is no private key that is known here.
    #[error("no key found")]
    Format,
    /// The library made none of this kind.
    #[error("key could not be made")]
    Generation,
}

/// A private key.
pub struct PrivateKey {
    algorithm: SigningAlgorithm,
    pkcs8: Secret<Vec<u8>>,
}

impl PrivateKey {
    /// Makes a key. One of RSA takes from some hundred milliseconds to some seconds.
    pub fn generate(kind: KeyKind, randomness: &mut dyn Randomness) -> Result<Self, ImportError> {
        let algorithm = match kind {
            KeyKind::Rsa(bits) => return Self::generate_rsa(bits),
            KeyKind::EcdsaP256 => SigningAlgorithm::Es256,
            KeyKind::EcdsaP384 => SigningAlgorithm::Es384,
            KeyKind::EcdsaP521 => SigningAlgorithm::Es512,
            KeyKind::Ed25519 => SigningAlgorithm::EdDsa,
        };
        let key = SigningKey::generate(algorithm, randomness).map_err(|_| ImportError::Generation)?;
        Ok(Self { algorithm, pkcs8: key.to_pkcs8().map_err(|_| ImportError::Generation)? })
    }

    fn generate_rsa(bits: u32) -> Result<Self, ImportError> {
        let size = match bits {
            2048 => rsa::KeySize::Rsa2048,
            3072 => rsa::KeySize::Rsa3072,
            4096 => rsa::KeySize::Rsa4096,
            8192 => rsa::KeySize::Rsa8192,
            _ => return Err(ImportError::Generation),
        };
        let pair = rsa::KeyPair::generate(size).map_err(|_| ImportError::Generation)?;
        Self::of_rsa(&pair)
    }

    /// Reads a key in OpenSSH's format, PKCS #1, SEC 1 or PKCS #8, all in PEM.
    pub fn from_pem(text: &str) -> Result<Self, ImportError> {
        if text.contains("OPENSSH PRIVATE KEY") {
            let key = ssh_key::PrivateKey::from_openssh(text.trim()).map_err(|_| ImportError::Format)?;
            return Self::from_openssh(key.key_data());
        }
        if text.contains("ENCRYPTED") {
            return Err(ImportError::Encrypted);
        }
        match PrivateKeyDer::from_pem_slice(text.as_bytes()).map_err(|_| ImportError::Format)? {
            PrivateKeyDer::Pkcs1(key) => Self::from_pkcs1(key.secret_pkcs1_der()),
            PrivateKeyDer::Sec1(key) => Self::from_curve(key.secret_sec1_der()),
            PrivateKeyDer::Pkcs8(key) => {
                let der = key.secret_pkcs8_der();
                if let Ok(pair) = rsa::KeyPair::from_pkcs8(der) {
                    return Self::of_rsa(&pair);
                }
                if let Ok(pair) = Ed25519KeyPair::from_pkcs8_maybe_unchecked(der) {
                    return Self::of_edwards(&pair);
                }
                Self::from_curve(der)
            }
            _ => Err(ImportError::Format),
        }
    }

    /// Reads what [`PrivateKey::to_pkcs8`] and [`PrivateKey::algorithm`] gave.
    pub fn from_pkcs8(algorithm: SigningAlgorithm, pkcs8: &[u8]) -> Result<Self, ImportError> {
        SigningKey::from_pkcs8(algorithm, pkcs8).map_err(|_| ImportError::Format)?;
        Ok(Self { algorithm, pkcs8: Secret::bytes(pkcs8) })
    }

    /// The key as PKCS #8.
    pub fn to_pkcs8(&self) -> &Secret<Vec<u8>> {
        &self.pkcs8
    }

    /// Its algorithm; RS256 for any key of RSA.
    pub const fn algorithm(&self) -> SigningAlgorithm {
        self.algorithm
    }

    /// The public half.
    pub fn public(&self) -> Option<PublicKey> {
        let data = match self.signing_key(self.algorithm)?.public().ok()? {
            signing::PublicKey::Rsa { modulus, exponent } => KeyData::Rsa(
                RsaPublicKey::new(Mpint::from_positive_bytes(&exponent), Mpint::from_positive_bytes(&modulus)).ok()?,
            ),
            signing::PublicKey::Curve { x, y } => {
                KeyData::Ecdsa(EcdsaPublicKey::from_sec1_bytes(&[&[4], x.as_slice(), y.as_slice()].concat()).ok()?)
            }
            signing::PublicKey::Edwards { x } => KeyData::Ed25519(Ed25519PublicKey::try_from(x.as_slice()).ok()?),
        };
        Some(PublicKey::of(data))
    }

    /// The key in PEM as ssh reads it: PKCS #1 for RSA, SEC 1 for curves, OpenSSH's own format for Ed25519.
    pub fn to_pem(&self) -> Option<Secret<String>> {
        let inner = inner_of_pkcs8(self.pkcs8.as_slice())?;
        match self.algorithm {
            SigningAlgorithm::EdDsa => {
                let (seed, _) = undo_der(0x04, inner)?;
                let public = self.public()?;
                let pair = Ed25519Keypair {
                    public: *public.0.key_data().ed25519()?,
                    private: ssh_key::private::Ed25519PrivateKey::try_from(seed).ok()?,
                };
                let key = ssh_key::PrivateKey::new(KeypairData::Ed25519(pair), "").ok()?;
                key.to_openssh(LineEnding::LF).ok().map(|text| Secret::text(&text))
            }
            SigningAlgorithm::Es256 | SigningAlgorithm::Es384 | SigningAlgorithm::Es512 => {
                Some(pem("EC PRIVATE KEY", &with_curve(self.algorithm, inner)?))
            }
            _ => Some(pem("RSA PRIVATE KEY", inner)),
        }
    }

    pub(super) fn signing_key(&self, algorithm: SigningAlgorithm) -> Option<SigningKey> {
        SigningKey::from_pkcs8(algorithm, self.pkcs8.as_slice()).ok()
    }

    fn from_openssh(data: &KeypairData) -> Result<Self, ImportError> {
        match data {
            KeypairData::Encrypted(_) => Err(ImportError::Encrypted),
            KeypairData::Rsa(pair) => Self::from_pkcs1(&pkcs1(pair).ok_or(ImportError::Format)?),
            KeypairData::Ed25519(pair) => {
                let pair = Ed25519KeyPair::from_seed_and_public_key(pair.private.as_ref(), pair.public.as_ref());
                Self::of_edwards(&pair.map_err(|_| ImportError::Format)?)
            }
            KeypairData::Ecdsa(pair) => {
                // RFC 5915 with both halves: the library checks that they belong together.
                let number = Zeroizing::new(der(0x04, pair.private_key_bytes()));
                let point = der(0xa1, &der(0x03, &[&[0], pair.public_key_bytes()].concat()));
                let curve = match pair.curve() {
                    ssh_key::EcdsaCurve::NistP256 => SigningAlgorithm::Es256,
                    ssh_key::EcdsaCurve::NistP384 => SigningAlgorithm::Es384,
                    ssh_key::EcdsaCurve::NistP521 => SigningAlgorithm::Es512,
                };
                let identifier = der(0xa0, curve_identifier(curve).ok_or(ImportError::Format)?);
                let fields = [&[0x02, 0x01, 0x01], number.as_slice(), &identifier, &point].concat();
                Self::from_curve(&Zeroizing::new(der(0x30, &Zeroizing::new(fields))))
            }
            _ => Err(ImportError::Format),
        }
    }

    fn from_pkcs1(der: &[u8]) -> Result<Self, ImportError> {
        Self::of_rsa(&rsa::KeyPair::from_der(der).map_err(|_| ImportError::Format)?)
    }

    fn from_curve(der: &[u8]) -> Result<Self, ImportError> {
        for (curve, algorithm) in [
            (&ECDSA_P256_SHA256_FIXED_SIGNING, SigningAlgorithm::Es256),
            (&ECDSA_P384_SHA384_FIXED_SIGNING, SigningAlgorithm::Es384),
            (&ECDSA_P521_SHA512_FIXED_SIGNING, SigningAlgorithm::Es512),
        ] {
            if let Ok(pair) = EcdsaKeyPair::from_private_key_der(curve, der) {
                let pkcs8 = pair.to_pkcs8v1().map_err(|_| ImportError::Format)?;
                return Ok(Self { algorithm, pkcs8: Secret::bytes(pkcs8.as_ref()) });
            }
        }
        Err(ImportError::Format)
    }

    fn of_rsa(pair: &rsa::KeyPair) -> Result<Self, ImportError> {
        let pkcs8 = AsDer::<Pkcs8V1Der<'_>>::as_der(pair).map_err(|_| ImportError::Format)?;
        Ok(Self { algorithm: SigningAlgorithm::Rs256, pkcs8: Secret::bytes(pkcs8.as_ref()) })
    }

    fn of_edwards(pair: &Ed25519KeyPair) -> Result<Self, ImportError> {
        let pkcs8 = pair.to_pkcs8v1().map_err(|_| ImportError::Format)?;
        let pkcs8 = Zeroizing::new(pkcs8.as_ref().to_vec());
        // Version 1 alone, without the public half, is what is kept.
        if !pkcs8.starts_with(&ED25519_PREFIX) {
            return Err(ImportError::Format);
        }
        Ok(Self { algorithm: SigningAlgorithm::EdDsa, pkcs8: Secret::bytes(&pkcs8) })
    }
}

/// The `RSAPrivateKey` (RFC 8017 appendix A.1.2) of a key in OpenSSH's format, which leaves two of its numbers out.
fn pkcs1(pair: &RsaKeypair) -> Option<Zeroizing<Vec<u8>>> {
    let (public, private) = (pair.public(), pair.private());
    let bytes = |number: &Mpint| number.as_positive_bytes().map(|bytes| Zeroizing::new(bytes.to_vec()));
    let (d, p, q) = (bytes(private.d())?, bytes(private.p())?, bytes(private.q())?);
    let (dp, dq) = (remainder(&d, &less_one(&p)?), remainder(&d, &less_one(&q)?));
    let numbers = [bytes(public.n())?, bytes(public.e())?, d, p, q, dp, dq, bytes(private.iqmp())?];
    let mut fields = Zeroizing::new(vec![0x02, 0x01, 0x00]);
    for number in &numbers {
        let digits: &[u8] = number.as_slice();
        let unsigned = Zeroizing::new([&[0], digits].concat());
        let high = digits.first().is_none_or(|first| *first >= 0x80);
        fields.extend_from_slice(&Zeroizing::new(der(0x02, if high { &unsigned } else { digits })));
    }
    Some(Zeroizing::new(der(0x30, &fields)))
}

/// An odd number less one, big-endian: its last bit is cleared. `None` if it is not odd.
fn less_one(number: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let mut number = Zeroizing::new(number.to_vec());
    let last = number.last_mut().filter(|last| **last & 1 == 1)?;
    *last &= 0xfe;
    Some(number)
}

/// What is left of a number divided by another, both big-endian, without leading zeros: bit by bit, each doubling
/// followed by a subtraction where it fits. Keys are imported once, so its time matters little.
fn remainder(number: &[u8], modulus: &[u8]) -> Zeroizing<Vec<u8>> {
    // One byte more than the modulus, so that doubling always fits.
    let modulus = Zeroizing::new([&[0], modulus].concat());
    let mut rest = Zeroizing::new(vec![0_u8; modulus.len()]);
    for bit in number.iter().flat_map(|byte| (0..8).rev().map(move |at| byte >> at & 1)) {
        let mut carry = bit;
        for byte in rest.iter_mut().rev() {
            let high = *byte >> 7;
            *byte = *byte << 1 | carry;
            carry = high;
        }
        if rest.as_slice() >= modulus.as_slice() {
            let mut borrow = false;
            for (byte, taken) in rest.iter_mut().rev().zip(modulus.iter().rev()) {
                let (once, first) = byte.overflowing_sub(*taken);
                let (twice, second) = once.overflowing_sub(u8::from(borrow));
                (*byte, borrow) = (twice, first || second);
            }
        }
    }
    Zeroizing::new(rest.iter().copied().skip_while(|byte| *byte == 0).collect())
}

/// The `ECPrivateKey` (RFC 5915) with the curve's name, which PKCS #8 has in another place.
fn with_curve(algorithm: SigningAlgorithm, inner: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
    let (fields, _) = undo_der(0x30, inner)?;
    let (_, rest) = undo_der(0x02, fields)?;
    let (number, rest) = undo_der(0x04, rest)?;
    let point = match undo_der(0xa0, rest) {
        Some((_, point)) => point,
        None => rest,
    };
    let number = Zeroizing::new(der(0x04, number));
    let identifier = der(0xa0, curve_identifier(algorithm)?);
    let fields = Zeroizing::new([&[0x02, 0x01, 0x01], number.as_slice(), &identifier, point].concat());
    Some(Zeroizing::new(der(0x30, &fields)))
}

/// Object identifiers of curves (SEC 2), in DER.
const fn curve_identifier(algorithm: SigningAlgorithm) -> Option<&'static [u8]> {
    match algorithm {
        SigningAlgorithm::Es256 => Some(&[0x06, 0x08, 0x2a, 0x86, 0x48, 0xce, 0x3d, 0x03, 0x01, 0x07]),
        SigningAlgorithm::Es384 => Some(&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x22]),
        SigningAlgorithm::Es512 => Some(&[0x06, 0x05, 0x2b, 0x81, 0x04, 0x00, 0x23]),
        _ => None,
    }
}

fn pem(label: &str, der: &[u8]) -> Secret<String> {
    let encoded = Zeroizing::new(STANDARD.encode(der));
    let mut text = format!("-----BEGIN {label}-----\n");
    // Room for all of it, so that nothing is left behind in smaller buffers.
    text.reserve_exact(encoded.len() + encoded.len() / PEM_LINE + label.len() + 32);
    for (index, letter) in encoded.chars().enumerate() {
        if index > 0 && index % PEM_LINE == 0 {
            text.push('\n');
        }
        text.push(letter);
    }
    text.push_str(&format!("\n-----END {label}-----\n"));
    Secret::new(text)
}
