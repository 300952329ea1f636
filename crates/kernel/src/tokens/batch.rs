//! Batch tokens: the record itself, sealed, is the token.

use super::{Token, load};
use crate::Kernel;
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use engine::{Fault, Randomness, Timestamp, Tx};
use std::sync::Arc;

/// Longest batch token looked at, in bytes.
const BATCH_BYTES_MAX: usize = 16 * 1024;
const ASSOCIATED: &[u8] = b"batch-token/1";

/// Seals a token's record into its text, with the namespace's suffix outside the root.
pub(super) fn seal(kernel: &Kernel, token: &Token, randomness: &mut dyn Randomness) -> Option<String> {
    let plain = serde_json::to_vec(token).ok()?;
    let sealed = kernel.keys.batch.seal(randomness, ASSOCIATED, &plain);
    let suffix = if token.namespace == crate::keys::ROOT { String::new() } else { format!(".{}", token.namespace) };
    Some(format!("hvb.{}{suffix}", URL_SAFE_NO_PAD.encode(sealed)))
}

/// Finds a batch token by its text. One whose parent is gone or has ended is unknown: it cannot be revoked itself, so it
/// ends with the token that made it.
pub fn find(kernel: &Kernel, tx: &mut Tx, now: Timestamp, text: &str) -> Result<Option<Arc<Token>>, Fault> {
    let Some(token) = open(kernel, text) else { return Ok(None) };
    if let Some(parent) = &token.parent
        && load(kernel, tx, parent)?.is_none_or(|parent| parent.ended(now))
    {
        return Ok(None);
    }
    Ok(Some(Arc::new(token)))
}

/// Opens a batch token; `None` for anything that is not one of ours.
pub fn open(kernel: &Kernel, text: &str) -> Option<Token> {
    let body = text.strip_prefix("hvb.").filter(|body| body.len() <= BATCH_BYTES_MAX)?;
    let (body, namespace) = body.split_once('.').unwrap_or((body, crate::keys::ROOT));
    let sealed = URL_SAFE_NO_PAD.decode(body).ok()?;
    let plain = kernel.keys.batch.open(ASSOCIATED, &sealed).ok()?;
    let token: Token = serde_json::from_slice(&plain).ok()?;
    (token.namespace == namespace).then_some(token)
}
