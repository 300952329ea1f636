//! What is fuzzed: each target takes bytes for hostile input and asserts what must hold of every input, not only that
//! nothing panics. The committed corpora are fed to the same functions by an ordinary test on every change.

mod keys;
mod text;

/// Takes one input; panics if what must hold does not.
pub type Target = fn(&[u8]);

/// All targets by the names of their corpora.
pub const ALL: [(&str, Target); 9] = [
    ("path", text::path),
    ("json", text::json),
    ("policy", text::policy),
    ("duration", text::duration),
    ("token", keys::token),
    ("record", keys::record),
    ("share", keys::share),
    ("journal", keys::journal),
    ("replica", keys::replica),
];
