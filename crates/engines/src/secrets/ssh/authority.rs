//! Keys of authorities and of users: made by the names that upstream has for them, or taken.

use super::wire::NewIssuer;
use engine::crypto::ssh::{KeyKind, PrivateKey, PublicKey};
use engine::{Cx, Fault};

const RSA_BITS_MIN: i64 = 2048;
/// Bits of a key of RSA where no number is asked for.
const RSA_BITS_DEFAULT: i64 = 4096;

/// What a kind of key is called: by ssh's own names and by short ones.
pub(super) fn kind(key_type: &str, key_bits: i64) -> Result<KeyKind, Fault> {
    Ok(match (key_type, key_bits) {
        ("rsa" | "ssh-rsa", bits) => rsa(if bits == 0 { RSA_BITS_DEFAULT } else { bits })?,
        ("ec", 0 | 256) | ("ecdsa-sha2-nistp256", _) => KeyKind::EcdsaP256,
        ("ec", 384) | ("ecdsa-sha2-nistp384", _) => KeyKind::EcdsaP384,
        ("ec", 521) | ("ecdsa-sha2-nistp521", _) => KeyKind::EcdsaP521,
        ("ec", bits) => {
            return Err(Fault::invalid(format!("unknown ECDSA key pair algorithm and bits: ec / {bits}")));
        }
        ("ed25519" | "ssh-ed25519", _) => KeyKind::Ed25519,
        (other, _) => return Err(Fault::invalid(format!("unknown ssh key pair algorithm: {other}"))),
    })
}

fn rsa(bits: i64) -> Result<KeyKind, Fault> {
    match bits {
        2048 => Ok(KeyKind::Rsa(2048)),
        3072 => Ok(KeyKind::Rsa(3072)),
        4096 => Ok(KeyKind::Rsa(4096)),
        8192 => Ok(KeyKind::Rsa(8192)),
        bits if bits < RSA_BITS_MIN => Err(Fault::invalid(format!(
            "refusing to generate weak rsa key: {bits} bits < {RSA_BITS_MIN} bits"
        ))),
        _ => Err(Fault::invalid("keys of RSA have 2048, 3072, 4096 or 8192 bits here")),
    }
}

/// Makes a key.
pub(super) fn generate(cx: &mut Cx, kind: KeyKind) -> Result<(PrivateKey, PublicKey), Fault> {
    let failed = || Fault::internal("a key could not be made");
    let key = PrivateKey::generate(kind, cx.randomness.as_mut()).map_err(|_| failed())?;
    let public = key.public().ok_or_else(failed)?;
    Ok((key, public))
}

/// The key of a new authority and the line of its public half: what was sent, else made.
pub(super) fn new_key(cx: &mut Cx, sent: &NewIssuer) -> Result<(PrivateKey, PublicKey, String), Fault> {
    let public = sent.public_key.as_deref().filter(|text| !text.is_empty());
    let private = sent.private_key.as_ref().map(|text| text.0.as_str()).filter(|text| !text.is_empty());
    match (public, private) {
        (Some(_), Some(_)) if sent.generate_signing_key == Some(true) => Err(Fault::invalid(
            "public_key and private_key must not be set when generate_signing_key is set to true",
        )),
        (Some(public), Some(private)) => taken(public, private),
        (None, None) if sent.generate_signing_key.unwrap_or(true) => {
            let kind = kind(sent.key_type.as_deref().unwrap_or("ssh-rsa"), sent.key_bits.unwrap_or_default())?;
            let (key, public) = generate(cx, kind)?;
            let line = format!("{}\n", public.to_line());
            Ok((key, public, line))
        }
        (None, None) => Err(Fault::invalid("missing public_key")),
        _ => Err(Fault::invalid(
            "only one of public_key and private_key set; both must be set to use, or both must be blank to auto-generate",
        )),
    }
}

fn taken(public_text: &str, private: &str) -> Result<(PrivateKey, PublicKey, String), Fault> {
    let public = PublicKey::parse(public_text)
        .ok_or_else(|| Fault::invalid("could not parse public_key provided value: not an SSH public key"))?;
    let key = PrivateKey::from_pem(private)
        .map_err(|error| Fault::invalid(format!("could not parse private_key provided value: ssh: {error}")))?;
    if !key.public().is_some_and(|own| own.same_key(&public)) {
        return Err(Fault::invalid("public_key is not the public half of private_key"));
    }
    Ok((key, public, public_text.to_owned()))
}
