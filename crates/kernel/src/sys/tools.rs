//! `sys/tools/*`: hashes and random bytes, and the decoding of generated root tokens.

use crate::Kx;
use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use crypto::digest;
use engine::{Fault, Reply, Route};
use serde_json::json;

/// Random bytes given at once.
const RANDOM_BYTES_MAX: i64 = 128 << 10;

/// The routes.
pub(super) fn routes() -> Vec<Route<Kx>> {
    let hash_text = "Hash the input.";
    let random_text = "Random bytes.";
    vec![
        Route::at("tools/hash", hash_text).write(hash),
        Route::at("tools/hash/{urlalgorithm}", hash_text).write(hash),
        Route::at("tools/random", random_text).write(random),
        Route::at("tools/random/{source}/{urlbytes}", random_text).write(random),
        Route::at("tools/random/{urlbytes}", random_text).write(random),
        Route::at("decode-token", "Decode a generated root token.").unauthenticated().write(decode_token),
    ]
}

engine::request! {
    /// Hashes.
    pub struct Hash {
        /// Base64 of the input.
        input: String,
        /// `sha2-224`, `sha2-256`, `sha2-384`, `sha2-512`, `sha3-256`, `sha3-384` or `sha3-512`.
        algorithm: String,
        /// As `algorithm`, in the path.
        urlalgorithm: String,
        /// `hex` or `base64`.
        format: String,
    }
}

engine::request! {
    /// Asks for random bytes.
    pub struct Random {
        /// How many, in the path.
        urlbytes: Option<String>,
        /// How many.
        bytes: Option<i64>,
        /// `hex` or `base64`.
        format: String,
        /// `platform`, `seal` or `all`.
        source: String,
    }
}

engine::request! {
    /// Decodes a generated root token.
    pub struct Decode {
        /// As the ceremony gave it.
        encoded_token: String,
        /// One-time password of the ceremony.
        otp: engine::SecretText,
    }
}

fn encoded(bytes: &[u8], format: &str) -> Result<String, Fault> {
    match format {
        "hex" => Ok(crypto::hex(bytes)),
        "base64" => Ok(STANDARD.encode(bytes)),
        _ => Err(Fault::invalid(format!("unsupported encoding format {format}; must be \"hex\" or \"base64\""))),
    }
}

fn hash(_kx: &mut Kx, request: Hash) -> Result<Reply, Fault> {
    let input = STANDARD
        .decode(&request.input)
        .map_err(|_| Fault::invalid("unable to decode input as base64: illegal base64 data"))?;
    let algorithm = [request.urlalgorithm, request.algorithm].into_iter().find(|name| !name.is_empty());
    let input = &[input.as_slice()];
    let sum = match algorithm.as_deref().unwrap_or("sha2-256") {
        "sha2-224" => digest::sha224(input).to_vec(),
        "sha2-256" => digest::sha256(input).to_vec(),
        "sha2-384" => digest::sha384(input).to_vec(),
        "sha2-512" => digest::sha512(input).to_vec(),
        "sha3-256" => digest::sha3_256(input).to_vec(),
        "sha3-384" => digest::sha3_384(input).to_vec(),
        "sha3-512" => digest::sha3_512(input).to_vec(),
        other => return Err(Fault::invalid(format!("unsupported algorithm {other}"))),
    };
    let format = if request.format.is_empty() { "hex" } else { &request.format };
    Ok(Reply::data(json!({ "sum": encoded(&sum, format)? })))
}

fn random(kx: &mut Kx, request: Random) -> Result<Reply, Fault> {
    let (mut source, mut wanted) = (request.source, request.urlbytes);
    // One segment names either the source or the number.
    if source.is_empty() && wanted.as_deref().is_some_and(|text| matches!(text, "platform" | "seal" | "all")) {
        source = wanted.take().unwrap_or_default();
    }
    let count = match wanted {
        Some(text) => text.parse().map_err(|_| Fault::invalid("error parsing url-set byte count: not a number"))?,
        None => request.bytes.unwrap_or(32),
    };
    if count < 1 {
        return Err(Fault::invalid("'bytes' cannot be less than 1"));
    }
    if count > RANDOM_BYTES_MAX {
        return Err(Fault::invalid(format!("'bytes' should be less than {RANDOM_BYTES_MAX}")));
    }
    if !matches!(source.as_str(), "" | "platform" | "seal" | "all") {
        return Err(Fault::invalid(format!(
            "unsupported entropy source {source:?}; must be \"platform\" or \"seal\", or \"all\""
        )));
    }
    let mut bytes = vec![0; usize::try_from(count).unwrap_or_default()];
    kx.cx.randomness.fill(&mut bytes);
    let format = if request.format.is_empty() { "base64".to_owned() } else { request.format };
    if !matches!(format.as_str(), "hex" | "base64") {
        return Err(Fault::invalid(format!("unsupported encoding format {format:?}; must be \"hex\" or \"base64\"")));
    }
    let reply = Reply::data(json!({ "random_bytes": encoded(&bytes, &format)? }));
    let plain = matches!(source.as_str(), "" | "platform");
    Ok(if plain { reply } else { reply.warn("no seal/entropy augmentation available, using platform entropy source") })
}

fn decode_token(_kx: &mut Kx, request: Decode) -> Result<Reply, Fault> {
    if request.encoded_token.is_empty() || request.otp.0.expose().is_empty() {
        return Err(Fault::invalid("provided 'encoded_token' or 'otp' is empty"));
    }
    let bad = |what: &str| Fault::invalid(format!("error decoding base64'd token: {what}"));
    let bytes =
        STANDARD_NO_PAD.decode(request.encoded_token.trim_end_matches('=')).map_err(|_| bad("illegal base64 data"))?;
    let otp = request.otp.0.expose().as_bytes();
    if bytes.len() != otp.len() || bytes.is_empty() {
        return Err(Fault::invalid("length of one-time password and token differ"));
    }
    let plain = bytes.iter().zip(otp).map(|(left, right)| left ^ right).collect();
    let token = String::from_utf8(plain).map_err(|_| bad("not a token"))?;
    Ok(Reply::data(json!({ "token": token })))
}
