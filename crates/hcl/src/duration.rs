//! Durations as Go and upstream's configuration write them.

/// Longest duration accepted, in seconds: 100 years of 366 days.
pub const SECONDS_MAX: u64 = 100 * 366 * 86_400;

const NANOSECONDS: u128 = 1_000_000_000;

/// Whole seconds of `"90"`, `"90s"`, `"1h30m"`, `"1.5h"`, `"1d"`; fractions of a second are cut. `None` for the empty
/// text, a negative or malformed one, and for more than [`SECONDS_MAX`].
pub fn parse_duration_seconds(text: &str) -> Option<u64> {
    let text = text.trim();
    let text = text.strip_prefix('+').unwrap_or(text);
    if text.is_empty() {
        return None;
    }
    let seconds = if text.bytes().all(|byte| byte.is_ascii_digit()) { text.parse().ok()? } else { parts(text)? };
    (seconds <= SECONDS_MAX).then_some(seconds)
}

/// The sum of all `number unit` pairs.
fn parts(mut rest: &str) -> Option<u64> {
    let mut nanoseconds = 0_u128;
    while !rest.is_empty() {
        let end = rest.find(|c: char| !c.is_ascii_digit() && c != '.')?;
        let (number, after) = rest.split_at_checked(end)?;
        let end = after.find(|c: char| c.is_ascii_digit() || c == '.').unwrap_or(after.len());
        let (unit, after) = after.split_at_checked(end)?;
        nanoseconds = nanoseconds.checked_add(scaled(number, unit_nanoseconds(unit)?)?)?;
        rest = after;
    }
    u64::try_from(nanoseconds / NANOSECONDS).ok()
}

/// `number` (decimal, maybe with a fraction) times a unit, in whole nanoseconds.
fn scaled(number: &str, unit: u128) -> Option<u128> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    if whole.is_empty() && fraction.is_empty() {
        return None;
    }
    let whole: u64 = if whole.is_empty() { 0 } else { whole.parse().ok()? };
    let mut sum = u128::from(whole).checked_mul(unit)?;
    let mut place = unit;
    for digit in fraction.chars() {
        place /= 10;
        sum = sum.checked_add(u128::from(digit.to_digit(10)?).checked_mul(place)?)?;
    }
    Some(sum)
}

fn unit_nanoseconds(unit: &str) -> Option<u128> {
    Some(match unit {
        "ns" => 1,
        "us" | "µs" | "μs" => 1_000,
        "ms" => 1_000_000,
        "s" => NANOSECONDS,
        "m" => 60 * NANOSECONDS,
        "h" => 3_600 * NANOSECONDS,
        "d" => 86_400 * NANOSECONDS,
        _ => return None,
    })
}
