//! Secret sharing by Shamir ("How to Share a Secret", 1979), a polynomial per byte over GF(2^8) with the AES field
//! polynomial x^8 + x^4 + x^3 + x + 1 (FIPS 197 section 4.2).
//!
//! A share is the values of all polynomials at one point x, followed by x itself, which is the layout that HashiCorp
//! Vault and OpenBao hand out. Arithmetic is by masks: no look-up tables, no branch and no index depends on a secret.

use crate::Randomness;
use subtle::{Choice, ConditionallySelectable};
use zeroize::Zeroizing;

#[cfg(test)]
mod tests;

/// The longest secret that is split, in bytes.
pub const SECRET_BYTES_MAX: usize = 64 * 1024;

/// Why a secret cannot be split or shares cannot be combined. Says nothing about which share is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum ShamirError {
    /// The threshold is below two or above the number of shares.
    #[error("threshold must be at least two and at most the number of shares")]
    Threshold,
    /// The secret is empty or too long.
    #[error("secret is empty or too long")]
    SecretLength,
    /// Fewer than two or more than 255 shares.
    #[error("at least two and at most 255 shares are needed")]
    ShareCount,
    /// The shares are shorter than two bytes, too long, or not equally long.
    #[error("shares must have the same length of at least two bytes")]
    ShareLength,
    /// Two shares are of the same point, or one is of the point that no share has.
    #[error("shares must be of different points")]
    SharePoint,
}

/// Splits a secret into `shares` shares, of which any `threshold` give it back, and fewer give nothing. The points are
/// drawn at random, so that a share does not tell how many there are.
pub fn split(
    secret: &[u8],
    randomness: &mut dyn Randomness,
    shares: u8,
    threshold: u8,
) -> Result<Vec<Zeroizing<Vec<u8>>>, ShamirError> {
    if threshold < 2 || threshold > shares {
        return Err(ShamirError::Threshold);
    }
    if secret.is_empty() || secret.len() > SECRET_BYTES_MAX {
        return Err(ShamirError::SecretLength);
    }
    let points = points(randomness, shares);
    let mut output: Vec<_> = points.iter().map(|_| Zeroizing::new(Vec::with_capacity(secret.len() + 1))).collect();
    let mut coefficients = Zeroizing::new(vec![0; usize::from(threshold) - 1]);
    for byte in secret {
        randomness.fill(&mut coefficients);
        for (share, x) in output.iter_mut().zip(&points) {
            // Horner's scheme; the secret byte is the value at zero.
            let upper = coefficients.iter().fold(0, |value, coefficient| multiply(value, *x) ^ coefficient);
            share.push(multiply(upper, *x) ^ byte);
        }
    }
    for (share, x) in output.iter_mut().zip(&points) {
        share.push(*x);
    }
    Ok(output)
}

/// Gives back the secret from `threshold` or more shares. Too few shares, or shares of different secrets, give other
/// bytes and no error: whoever calls has to check the result against something it opens.
pub fn combine(shares: &[&[u8]]) -> Result<Zeroizing<Vec<u8>>, ShamirError> {
    if shares.len() < 2 || shares.len() > 255 {
        return Err(ShamirError::ShareCount);
    }
    let length = shares.first().map_or(0, |share| share.len());
    if !(2..=SECRET_BYTES_MAX + 1).contains(&length) || shares.iter().any(|share| share.len() != length) {
        return Err(ShamirError::ShareLength);
    }
    let split: Vec<(&u8, &[u8])> = shares.iter().filter_map(|share| share.split_last()).collect();
    let points: Vec<u8> = split.iter().map(|(x, _)| **x).collect();
    for (at, x) in points.iter().enumerate() {
        if *x == 0 || points.iter().skip(at + 1).any(|other| other == x) {
            return Err(ShamirError::SharePoint);
        }
    }
    let mut secret = Zeroizing::new(vec![0; length - 1]);
    for (x, values) in split {
        let weight = weight(*x, &points);
        for (byte, value) in secret.iter_mut().zip(values) {
            *byte ^= multiply(*value, weight);
        }
    }
    Ok(secret)
}

/// Different points from 1 to 255 in random order (Fisher and Yates). Points are not secret.
fn points(randomness: &mut dyn Randomness, count: u8) -> Vec<u8> {
    let mut points: Vec<u8> = (1..=255).collect();
    for (at, left) in (0..usize::from(count)).zip((1..=255_u64).rev()) {
        let drawn = usize::try_from(randomness.below(left)).expect("a number below 255 fits");
        points.swap(at, at + drawn);
    }
    points.truncate(usize::from(count));
    points
}

/// Lagrange's weight of the point `x` for the value at zero: the product of other / (other - x) over the others.
fn weight(x: u8, points: &[u8]) -> u8 {
    points
        .iter()
        .filter(|other| **other != x)
        .fold(1, |weight, other| multiply(weight, multiply(*other, invert(other ^ x))))
}

/// The product in the field, by shifting and adding under masks.
fn multiply(left: u8, right: u8) -> u8 {
    let mut product = 0;
    let mut shifted = left;
    for bit in 0..8 {
        product ^= u8::conditional_select(&0, &shifted, Choice::from((right >> bit) & 1));
        let reduction = u8::conditional_select(&0, &0x1b, Choice::from(shifted >> 7));
        shifted = (shifted << 1) ^ reduction;
    }
    product
}

/// The inverse in the field: the 254th power, since the multiplicative group has 255 elements. Zero stays zero.
fn invert(value: u8) -> u8 {
    let square = |value| multiply(value, value);
    // 254 = 2 + 4 + 8 + 16 + 32 + 64 + 128
    let mut power = square(value);
    let mut product = power;
    for _ in 0..6 {
        power = square(power);
        product = multiply(product, power);
    }
    product
}
