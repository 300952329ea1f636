//! RSA (RFC 8017): PKCS #1 v1.5 and PSS signatures, OAEP encryption.
//!
//! Private operations are blinded in both libraries. AWS-LC does the usual combinations; the other ones are RustCrypto's.

use super::{Input, KeyPairError};
use crate::hash::{Hash, with_digest};
use crate::{Randomness, Secret};
use ::rsa::pkcs1::{EncodeRsaPrivateKey, RsaPrivateKeyRef, UintRef};
use ::rsa::pkcs8::{DecodePrivateKey, DecodePublicKey, EncodePrivateKey, EncodePublicKey};
use ::rsa::rand_core::{TryCryptoRng, TryRng};
use ::rsa::traits::PublicKeyParts;
use ::rsa::{BoxedUint, Oaep, Pkcs1v15Sign, PrivateKey, Pss, PublicKey};
use aws_lc_rs::encoding::{AsDer, Pkcs8V1Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{
    KeyPair, KeySize, OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OAEP_SHA384_MGF1SHA384, OAEP_SHA512_MGF1SHA512,
    OaepAlgorithm, OaepPrivateDecryptingKey, PrivateDecryptingKey,
};
use aws_lc_rs::signature::{self, RsaPssSaltLength, RsaSignatureEncoding};
use std::convert::Infallible;
use std::sync::OnceLock;

/// rsaEncryption.
pub(super) const OBJECT_IDENTIFIER: &[u8] = &[0x2a, 0x86, 0x48, 0x86, 0xf7, 0x0d, 0x01, 0x01, 0x01];
/// Fewest bits of a modulus.
pub const RSA_BITS_MIN: u32 = 2048;
/// Most bits of a modulus.
pub const RSA_BITS_MAX: u32 = 4096;

/// How a digest is padded for a signature.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// PKCS #1 v1.5 (section 8.2).
    Pkcs1v15,
    /// PSS (section 8.1).
    Pss(Salt),
}

/// The length of PSS's salt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Salt {
    /// As long as fits; a check finds the length out.
    Auto,
    /// As long as the digest.
    Digest,
    /// So many bytes.
    Bytes(usize),
}

/// The numbers of a private key, big-endian (RFC 8017 section 3.2).
pub struct RsaNumbers {
    /// `n`
    pub modulus: Vec<u8>,
    /// `e`
    pub exponent: Vec<u8>,
    /// `d`
    pub private: Secret<Vec<u8>>,
    /// `p` and `q`
    pub primes: [Secret<Vec<u8>>; 2],
    /// `dP` and `dQ`
    pub exponents: [Secret<Vec<u8>>; 2],
    /// `qInv`
    pub coefficient: Secret<Vec<u8>>,
}

/// A number of so many bytes at most.
fn number(bytes: &[u8], width: usize) -> Result<BoxedUint, KeyPairError> {
    let bits = u32::try_from(width * 8).map_err(|_| KeyPairError::Format)?;
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    BoxedUint::from_be_slice(bytes.get(start..).unwrap_or_default(), bits).map_err(|_| KeyPairError::Format)
}

/// The caller's randomness, as RustCrypto wants it.
struct Source<'a>(&'a mut dyn Randomness);

impl TryRng for Source<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, bytes: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(bytes);
        Ok(())
    }
}

impl TryCryptoRng for Source<'_> {}

pub(super) struct RsaPrivate {
    encoded: Secret<Vec<u8>>,
    fast: KeyPair,
    opening: OnceLock<Option<OaepPrivateDecryptingKey>>,
    /// The same key for RustCrypto, prepared when a combination first needs it.
    general: OnceLock<Option<PrivateKey>>,
}

impl RsaPrivate {
    pub(super) fn generate(bits: u32) -> Result<Self, KeyPairError> {
        let size = match bits {
            2048 => KeySize::Rsa2048,
            3072 => KeySize::Rsa3072,
            4096 => KeySize::Rsa4096,
            _ => return Err(KeyPairError::Generation),
        };
        let fast = KeyPair::generate(size).map_err(|_| KeyPairError::Generation)?;
        let encoded = AsDer::<Pkcs8V1Der<'_>>::as_der(&fast).map_err(|_| KeyPairError::Generation)?;
        let encoded = Secret::bytes(encoded.as_ref());
        Ok(Self { encoded, fast, opening: OnceLock::new(), general: OnceLock::new() })
    }

    /// Reads and checks a key; its size has to be one that is supported.
    pub(super) fn from_pkcs8(encoded: &[u8]) -> Result<Self, KeyPairError> {
        let fast = KeyPair::from_pkcs8(encoded).map_err(|_| KeyPairError::Format)?;
        let made = Self { encoded: Secret::bytes(encoded), fast, opening: OnceLock::new(), general: OnceLock::new() };
        if (RSA_BITS_MIN..=RSA_BITS_MAX).contains(&made.bits()) { Ok(made) } else { Err(KeyPairError::Format) }
    }

    pub(super) fn to_pkcs8(&self) -> Secret<Vec<u8>> {
        Secret::bytes(self.encoded.expose())
    }

    pub(super) fn to_pkcs1(&self) -> Result<Secret<Vec<u8>>, KeyPairError> {
        let encoded = self.general()?.to_pkcs1_der().map_err(|_| KeyPairError::Format)?;
        Ok(Secret::bytes(encoded.as_bytes()))
    }

    pub(super) fn numbers(&self) -> Result<RsaNumbers, KeyPairError> {
        let encoded = self.to_pkcs1()?;
        let key = RsaPrivateKeyRef::try_from(encoded.as_slice()).map_err(|_| KeyPairError::Format)?;
        let secret = |number: UintRef<'_>| Secret::bytes(number.as_bytes());
        Ok(RsaNumbers {
            modulus: key.modulus.as_bytes().to_vec(),
            exponent: key.public_exponent.as_bytes().to_vec(),
            private: secret(key.private_exponent),
            primes: [secret(key.prime1), secret(key.prime2)],
            exponents: [secret(key.exponent1), secret(key.exponent2)],
            coefficient: secret(key.coefficient),
        })
    }

    /// The key of modulus, exponents and primes, which are checked against each other.
    pub(super) fn from_numbers(
        modulus: &[u8],
        exponent: &[u8],
        private: &[u8],
        primes: [&[u8]; 2],
    ) -> Result<Self, KeyPairError> {
        // All as wide as the modulus: the crate chooses the precision of secret numbers by public ones.
        let wide = |bytes: &[u8]| number(bytes, modulus.len());
        let [one, other] = primes;
        let key = PrivateKey::from_components(
            wide(modulus)?,
            number(exponent, exponent.len())?,
            wide(private)?,
            vec![wide(one)?, wide(other)?],
        );
        let encoded = key.and_then(|key| key.to_pkcs8_der().map_err(|_| ::rsa::Error::InvalidArguments));
        Self::from_pkcs8(encoded.map_err(|_| KeyPairError::Format)?.as_bytes())
    }

    pub(super) fn bits(&self) -> u32 {
        u32::try_from(self.fast.public_modulus_len() * 8).unwrap_or(u32::MAX)
    }

    pub(super) fn public(&self) -> Result<RsaPublic, KeyPairError> {
        Ok(RsaPublic(self.general()?.to_public_key()))
    }

    fn general(&self) -> Result<&PrivateKey, KeyPairError> {
        let prepare = || PrivateKey::from_pkcs8_der(self.encoded.expose()).ok();
        self.general.get_or_init(prepare).as_ref().ok_or(KeyPairError::Format)
    }

    pub(super) fn sign(
        &self,
        padding: Padding,
        hash: Option<Hash>,
        input: Input<'_>,
        randomness: &mut dyn Randomness,
    ) -> Result<Vec<u8>, KeyPairError> {
        if let (Some(hash), Input::Message(message)) = (hash, input)
            && let Some(encoding) = fast_encoding(padding, hash)
        {
            let mut output = vec![0; self.fast.public_modulus_len()];
            let made = self.fast.sign(encoding, &SystemRandom::new(), message, &mut output);
            return made.map(|()| output).map_err(|_| KeyPairError::Generation);
        }
        let key = self.general()?;
        let digest = hash.map_or_else(|| input.digest(Hash::Sha2_256), |hash| input.digest(hash));
        if hash.is_some_and(|hash| digest.len() != hash.length()) {
            return Err(KeyPairError::HashLength);
        }
        let mut source = Source(randomness);
        let made = match (padding, hash) {
            (Padding::Pkcs1v15, None) => key.sign_with_rng(&mut source, Pkcs1v15Sign::new_unprefixed(), &digest),
            (Padding::Pkcs1v15, Some(hash)) => {
                let padding = with_digest!(hash, D => Pkcs1v15Sign::new::<D>());
                key.sign_with_rng(&mut source, padding, &digest)
            }
            (Padding::Pss(_), None) => return Err(KeyPairError::Mismatch),
            (Padding::Pss(salt), Some(hash)) => {
                let length = salt_length(salt, hash, key.n().bit_width() as usize)?;
                with_digest!(hash, D => key.sign_with_rng(&mut source, Pss::<D>::new_with_salt(length), &digest))
            }
        };
        made.map_err(|_| KeyPairError::TooLong)
    }

    pub(super) fn decrypt(
        &self,
        hash: Hash,
        ciphertext: &[u8],
        randomness: &mut dyn Randomness,
    ) -> Result<Secret<Vec<u8>>, KeyPairError> {
        if let Some(algorithm) = fast_oaep(hash) {
            let prepare = || {
                let key = PrivateDecryptingKey::from_pkcs8(self.encoded.expose()).ok()?;
                OaepPrivateDecryptingKey::new(key).ok()
            };
            let key = self.opening.get_or_init(prepare).as_ref().ok_or(KeyPairError::Format)?;
            let mut output = zeroize::Zeroizing::new(vec![0; key.min_output_size()]);
            let opened = key.decrypt(algorithm, ciphertext, &mut output, None);
            return opened.map(|message| Secret::bytes(message)).map_err(|_| KeyPairError::Decryption);
        }
        let key = self.general()?;
        let opened =
            with_digest!(hash, D => key.decrypt_blinded(&mut Source(randomness), Oaep::<D>::new(), ciphertext));
        opened.map(Secret::new).map_err(|_| KeyPairError::Decryption)
    }
}

fn fast_encoding(padding: Padding, hash: Hash) -> Option<&'static RsaSignatureEncoding> {
    const LONGEST_256: RsaSignatureEncoding = signature::RSA_PSS_SHA256.with_pss_salt_length(RsaPssSaltLength::Max);
    const LONGEST_384: RsaSignatureEncoding = signature::RSA_PSS_SHA384.with_pss_salt_length(RsaPssSaltLength::Max);
    const LONGEST_512: RsaSignatureEncoding = signature::RSA_PSS_SHA512.with_pss_salt_length(RsaPssSaltLength::Max);
    Some(match (padding, hash) {
        (Padding::Pkcs1v15, Hash::Sha2_256) => &signature::RSA_PKCS1_SHA256,
        (Padding::Pkcs1v15, Hash::Sha2_384) => &signature::RSA_PKCS1_SHA384,
        (Padding::Pkcs1v15, Hash::Sha2_512) => &signature::RSA_PKCS1_SHA512,
        (Padding::Pss(Salt::Digest), Hash::Sha2_256) => &signature::RSA_PSS_SHA256,
        (Padding::Pss(Salt::Digest), Hash::Sha2_384) => &signature::RSA_PSS_SHA384,
        (Padding::Pss(Salt::Digest), Hash::Sha2_512) => &signature::RSA_PSS_SHA512,
        (Padding::Pss(Salt::Auto), Hash::Sha2_256) => &LONGEST_256,
        (Padding::Pss(Salt::Auto), Hash::Sha2_384) => &LONGEST_384,
        (Padding::Pss(Salt::Auto), Hash::Sha2_512) => &LONGEST_512,
        _ => return None,
    })
}

fn fast_oaep(hash: Hash) -> Option<&'static OaepAlgorithm> {
    Some(match hash {
        Hash::Sha1 => &OAEP_SHA1_MGF1SHA1,
        Hash::Sha2_256 => &OAEP_SHA256_MGF1SHA256,
        Hash::Sha2_384 => &OAEP_SHA384_MGF1SHA384,
        Hash::Sha2_512 => &OAEP_SHA512_MGF1SHA512,
        _ => return None,
    })
}

/// Bytes of salt: at most what is left beside the digest and two bytes (section 9.1.1 step 3).
fn salt_length(salt: Salt, hash: Hash, bits: usize) -> Result<usize, KeyPairError> {
    let longest = (bits.saturating_sub(1)).div_ceil(8).checked_sub(hash.length() + 2).ok_or(KeyPairError::TooLong)?;
    match salt {
        Salt::Auto => Ok(longest),
        Salt::Digest if hash.length() <= longest => Ok(hash.length()),
        Salt::Bytes(length) if length <= longest => Ok(length),
        Salt::Digest | Salt::Bytes(_) => Err(KeyPairError::TooLong),
    }
}

#[derive(Clone)]
pub(super) struct RsaPublic(PublicKey);

impl RsaPublic {
    pub(super) fn from_spki(encoded: &[u8]) -> Result<Self, KeyPairError> {
        let key = Self(PublicKey::from_public_key_der(encoded).map_err(|_| KeyPairError::Format)?);
        if (RSA_BITS_MIN..=RSA_BITS_MAX).contains(&key.bits()) { Ok(key) } else { Err(KeyPairError::Format) }
    }

    pub(super) fn from_numbers(modulus: &[u8], exponent: &[u8]) -> Result<Self, KeyPairError> {
        let key = PublicKey::new(number(modulus, modulus.len())?, number(exponent, exponent.len())?);
        let key = Self(key.map_err(|_| KeyPairError::Format)?);
        if (RSA_BITS_MIN..=RSA_BITS_MAX).contains(&key.bits()) { Ok(key) } else { Err(KeyPairError::Format) }
    }

    pub(super) fn numbers(&self) -> (Vec<u8>, Vec<u8>) {
        (self.0.n_bytes().to_vec(), self.0.e_bytes().to_vec())
    }

    pub(super) fn to_spki(&self) -> Result<Vec<u8>, KeyPairError> {
        self.0.to_public_key_der().map(|encoded| encoded.as_bytes().to_vec()).map_err(|_| KeyPairError::Format)
    }

    pub(super) fn bits(&self) -> u32 {
        u32::try_from(self.0.size() * 8).unwrap_or(u32::MAX)
    }

    pub(super) fn verify(
        &self,
        padding: Padding,
        hash: Option<Hash>,
        input: Input<'_>,
        signature: &[u8],
    ) -> Result<bool, KeyPairError> {
        let digest = hash.map_or_else(|| input.digest(Hash::Sha2_256), |hash| input.digest(hash));
        if hash.is_some_and(|hash| digest.len() != hash.length()) {
            return Ok(false);
        }
        let checked = match (padding, hash) {
            (Padding::Pkcs1v15, None) => self.0.verify(Pkcs1v15Sign::new_unprefixed(), &digest, signature),
            (Padding::Pkcs1v15, Some(hash)) => {
                self.0.verify(with_digest!(hash, D => Pkcs1v15Sign::new::<D>()), &digest, signature)
            }
            (Padding::Pss(_), None) => return Err(KeyPairError::Mismatch),
            (Padding::Pss(salt), Some(hash)) => {
                let length = match salt {
                    Salt::Auto => None,
                    fixed => Some(salt_length(fixed, hash, self.0.n().bit_width() as usize)?),
                };
                with_digest!(hash, D => {
                    let mut padding = Pss::<D>::new();
                    padding.salt_len = length;
                    self.0.verify(padding, &digest, signature)
                })
            }
        };
        Ok(checked.is_ok())
    }

    pub(super) fn encrypt(
        &self,
        hash: Hash,
        message: &[u8],
        randomness: &mut dyn Randomness,
    ) -> Result<Vec<u8>, KeyPairError> {
        let made = with_digest!(hash, D => self.0.encrypt(&mut Source(randomness), Oaep::<D>::new(), message));
        made.map_err(|_| KeyPairError::TooLong)
    }
}
