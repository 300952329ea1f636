//! Names of hash algorithms, and `hash` and `random`, which need no key.

use super::base64;
use super::wire::{HashRequest, RandomRequest};
use engine::crypto::hash::Hash;
use engine::crypto::{Zeroizing, hex};
use engine::{Cx, Fault, Reply};
use serde_json::json;

/// Most random bytes in one reply.
const RANDOM_BYTES_MAX: i64 = 128 << 10;

/// Each hash with its name.
const NAMES: [(&str, Hash); 9] = [
    ("sha1", Hash::Sha1),
    ("sha2-224", Hash::Sha2_224),
    ("sha2-256", Hash::Sha2_256),
    ("sha2-384", Hash::Sha2_384),
    ("sha2-512", Hash::Sha2_512),
    ("sha3-224", Hash::Sha3_224),
    ("sha3-256", Hash::Sha3_256),
    ("sha3-384", Hash::Sha3_384),
    ("sha3-512", Hash::Sha3_512),
];

/// The hash of a name.
pub(super) fn by_name(name: &str) -> Option<Hash> {
    NAMES.into_iter().find(|(known, _)| *known == name).map(|(_, hash)| hash)
}

/// The hash of a name as OAEP's parameters spell it.
pub(super) fn of_oaep(name: &str) -> Option<Hash> {
    Some(match name {
        "SHA1" => Hash::Sha1,
        "SHA224" => Hash::Sha2_224,
        "" | "SHA256" => Hash::Sha2_256,
        "SHA384" => Hash::Sha2_384,
        "SHA512" => Hash::Sha2_512,
        _ => return None,
    })
}

/// The first text that says anything.
pub(super) fn first<'a>(texts: &[&'a str], otherwise: &'a str) -> &'a str {
    texts.iter().copied().find(|text| !text.is_empty()).unwrap_or(otherwise)
}

pub(super) fn hash(_: &mut Cx, request: HashRequest) -> Result<Reply, Fault> {
    let input = request.input.ok_or_else(|| Fault::invalid("input missing"))?;
    let input = base64::decode(&input)
        .map_err(|failure| Fault::invalid(format!("unable to decode input as base64: {}", failure.text)))?;
    let format = first(&[&request.format], "hex");
    if !matches!(format, "hex" | "base64") {
        return Err(Fault::invalid(format!("unsupported encoding format {format}; must be \"hex\" or \"base64\"")));
    }
    let name = first(&[&request.urlalgorithm, &request.algorithm], "sha2-256");
    let hash = by_name(name).filter(|hash| *hash != Hash::Sha1);
    let digest = hash.ok_or_else(|| Fault::invalid(format!("unsupported algorithm {name}")))?.digest(&input);
    let sum = if format == "hex" { hex(&digest) } else { base64::encode(&digest) };
    Ok(Reply::data(json!({ "sum": sum })))
}

pub(super) fn random(cx: &mut Cx, request: RandomRequest) -> Result<Reply, Fault> {
    // One segment is a source or a number; two are both.
    let known = ["", "platform", "seal", "all"].contains(&request.source.as_str());
    let (source, number) = match request.urlbytes.as_str() {
        "" if known => (request.source.as_str(), ""),
        "" => ("", request.source.as_str()),
        number => (request.source.as_str(), number),
    };
    let bytes = match number {
        "" => request.bytes.unwrap_or(32),
        number => number.parse().map_err(|_| {
            Fault::invalid(format!(
                "error parsing url-set byte count: strconv.Atoi: parsing {number:?}: invalid syntax"
            ))
        })?,
    };
    if bytes < 1 {
        return Err(Fault::invalid("'bytes' cannot be less than 1"));
    }
    let length = usize::try_from(bytes).ok().filter(|_| bytes <= RANDOM_BYTES_MAX);
    let length = length.ok_or_else(|| Fault::invalid(format!("'bytes' should be less than {RANDOM_BYTES_MAX}")))?;
    let format = first(&[&request.format], "base64");
    if !matches!(format, "hex" | "base64") {
        return Err(Fault::invalid(format!(
            "unsupported encoding format {format:?}; must be \"hex\" or \"base64\""
        )));
    }
    if !["", "platform", "seal", "all"].contains(&source) {
        let text = format!("unsupported entropy source {source:?}; must be \"platform\" or \"seal\", or \"all\"");
        return Err(Fault::invalid(text));
    }
    let mut drawn = Zeroizing::new(vec![0; length]);
    cx.randomness.fill(&mut drawn);
    let text = if format == "hex" { hex(&drawn) } else { base64::encode(&drawn) };
    let reply = Reply::data(json!({ "random_bytes": text }));
    Ok(if source == "seal" {
        reply.warn("no seal/entropy augmentation available, using platform entropy source")
    } else {
        reply
    })
}
