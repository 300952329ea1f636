//! "Did you mean …?": the known name that is closest to a mistyped one.

/// Changes of one letter that still count as a slip.
const SLIPS_MAX: usize = 2;

/// The closest of `names`, if it is close enough.
pub fn of<'a>(typed: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    let near = names.map(|name| (strsim::damerau_levenshtein(typed, name), name)).min()?;
    (near.0 <= SLIPS_MAX && near.0 < typed.chars().count()).then_some(near.1)
}
