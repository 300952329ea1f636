//! Keys and certificates of SSH: public keys (RFC 4253 section 6.6, RFC 5656, RFC 8709) in the format of `authorized_keys`,
//! private keys in OpenSSH's and the older PEM formats, and certificates as OpenSSH's `PROTOCOL.certkeys` has them.
//!
//! `ssh-key` reads and writes the formats; all that is computed with a private key is AWS-LC's.

mod certificate;
mod private;
mod public;
#[cfg(test)]
mod tests;

pub use certificate::{Certificate, IssueError, SignatureHash};
pub use private::{ImportError, KeyKind, PrivateKey};
pub use public::{KEY_TEXT_BYTES_MAX, PublicKey};
