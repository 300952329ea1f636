//! Password hashing: Argon2id (RFC 9106) for new passwords, bcrypt accepted for those that come from elsewhere.
//!
//! These calls cost tens of milliseconds and megabytes on purpose; the server runs them where they cannot starve reads.

use crate::{RandomBytes, Randomness};
use argon2::password_hash::phc::PasswordHash;
use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};

#[cfg(test)]
mod tests;

/// The longest password that is hashed or verified, in bytes.
pub const PASSWORD_BYTES_MAX: usize = 4096;
/// Memory of one Argon2id call in KiB: 19 MiB, with two passes and one lane (OWASP's first choice below RFC 9106's
/// recommendations for servers with plenty of memory).
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;
/// What a stored hash may ask for, so that an imported one cannot stall the server.
const MEMORY_KIB_MAX: u32 = 256 * 1024;
const PASSES_MAX: u32 = 16;
const BCRYPT_COST_MAX: u32 = 16;
/// Bcrypt reads no more of a password than this.
const BCRYPT_PASSWORD_BYTES_MAX: usize = 72;

/// Why a password or a stored hash is refused. Never holds either.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordError {
    /// Longer than [`PASSWORD_BYTES_MAX`].
    #[error("password is too long")]
    TooLong,
    /// Neither an Argon2id PHC string nor a bcrypt hash.
    #[error("password hash is of an unknown format")]
    Format,
    /// The hash asks for more work than the server does for a login.
    #[error("password hash has too high a cost")]
    Cost,
}

/// Hashes a new password with a random salt to a PHC string, `$argon2id$v=19$m=19456,t=2,p=1$…`.
pub fn hash(randomness: &mut dyn Randomness, password: &[u8]) -> Result<String, PasswordError> {
    if password.len() > PASSWORD_BYTES_MAX {
        return Err(PasswordError::TooLong);
    }
    let salt: [u8; 16] = randomness.bytes();
    let hashed =
        argon2id().hash_password_with_salt(password, &salt).expect("parameters and salt length are allowed ones");
    Ok(hashed.to_string())
}

/// Whether `password` is the one that `stored` was made from. A stored hash that [`check_hash`] refuses verifies
/// nothing.
pub fn verify(password: &[u8], stored: &str) -> bool {
    if password.len() > PASSWORD_BYTES_MAX {
        return false;
    }
    match parse(stored) {
        Ok(Stored::Argon2id(hash)) => argon2id().verify_password(password, hash.as_ref()).is_ok(),
        // Verified at full cost also when it is too long, so that the time does not tell.
        Ok(Stored::Bcrypt) => {
            let same = bcrypt::verify(password, stored).unwrap_or(false);
            same && password.len() <= BCRYPT_PASSWORD_BYTES_MAX
        }
        Err(_) => false,
    }
}

/// Spends the time of [`verify`] against a hash that [`hash`] made, for a user who does not exist (security row S60).
/// Always false.
pub fn dummy_verify(password: &[u8]) -> bool {
    let password = password.get(..PASSWORD_BYTES_MAX).unwrap_or(password);
    let mut output = [0; Params::DEFAULT_OUTPUT_LEN];
    let spent = argon2id().hash_password_into(password, &[0; 16], &mut output);
    std::hint::black_box((spent.is_ok(), output));
    false
}

/// Whether [`verify`] can use a hash from elsewhere: a known format, at a cost that a login may have.
pub fn check_hash(stored: &str) -> Result<(), PasswordError> {
    parse(stored).map(|_| ())
}

enum Stored {
    Argon2id(Box<PasswordHash>),
    Bcrypt,
}

fn parse(stored: &str) -> Result<Stored, PasswordError> {
    if stored.starts_with("$argon2id$") {
        let hash = PasswordHash::new(stored).map_err(|_| PasswordError::Format)?;
        let params = Params::try_from(&hash).map_err(|_| PasswordError::Format)?;
        if hash.salt.is_none() || hash.hash.is_none() {
            return Err(PasswordError::Format);
        }
        if params.m_cost() > MEMORY_KIB_MAX || params.t_cost() > PASSES_MAX || params.p_cost() > 8 {
            return Err(PasswordError::Cost);
        }
        return Ok(Stored::Argon2id(Box::new(hash)));
    }
    let parts: bcrypt::HashParts = stored.parse().map_err(|_| PasswordError::Format)?;
    if parts.get_cost() > BCRYPT_COST_MAX {
        return Err(PasswordError::Cost);
    }
    Ok(Stored::Bcrypt)
}

fn argon2id() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("these parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}
