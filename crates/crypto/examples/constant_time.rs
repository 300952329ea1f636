//! Uses a secret from a file in one of the ways that have to be constant in time, and ends. `cargo xtask constant-time` runs
//! it on different secrets and compares every instruction and every address: where they are the same for all secrets, no
//! branch and no table look-up depends on one (row S29, fault F28).
#![forbid(unsafe_code)]

use crypto::{Secret, SeededRandomness, shamir};
use std::hint::black_box;

/// What every secret is compared with.
const OTHER: [u8; 32] = [0x5a; 32];

fn main() {
    let mut words = std::env::args().skip(1);
    let (way, file) = (words.next().unwrap_or_default(), words.next().unwrap_or_default());
    let secret = std::fs::read(file).unwrap_or_default();
    match way.as_str() {
        "split-and-combine" => {
            let mut randomness = SeededRandomness::new(0);
            let Ok(shares) = shamir::split(&secret, &mut randomness, 5, 3) else { return };
            let three: Vec<&[u8]> = shares.iter().take(3).map(|share| share.as_slice()).collect();
            drop(black_box(shamir::combine(&three)));
        }
        "compare" => {
            black_box(Secret::new(secret).same_as(&OTHER));
        }
        // Shows that the method finds what it looks for.
        "leaky-compare" => {
            black_box(secret.iter().zip(OTHER).all(|(one, other)| black_box(*one) == other));
        }
        _ => eprintln!("split-and-combine, compare or leaky-compare, and a file"),
    }
}
