//! `sign/<name>` and `verify/<name>`.

use super::answers::{Failure, MISSING_CONTEXT, SOFT_DELETED};
use super::batch::{BATCH_ITEMS_MAX, BATCH_SIGNATURES_MAX, Items, Reading, text, version, with_default};
use super::crypt::{Outcome, PREFIX, Worker};
use super::mac::{self, answered, input};
use super::record::{Derivation, Key, Material};
use super::wire::{SignRequest, VerifyRequest};
use super::{base64, hashes};
use engine::crypto::hash::Hash;
use engine::crypto::keypair::{Encoding, Input, KeyPairError, Padding, PairKind, PrivateKey, PublicKey, Salt};
use engine::{Cx, Fault, Reply};
use serde_json::{Map, Value};

/// How signatures of a request are made and written.
struct Manner {
    /// `None` pads the input as it is.
    hash: Option<Hash>,
    prehashed: bool,
    /// The padding of RSA, by its name until a key of RSA needs it.
    padding: String,
    salt: Salt,
    encoding: Encoding,
}

impl SignRequest {
    /// The deprecated `algorithm` is accepted and means nothing, as upstream has it: what it signed has to verify here.
    fn hash_name(&self) -> &str {
        hashes::first(&[&self.urlalgorithm, &self.hash_algorithm], "sha2-256")
    }
}

impl Manner {
    fn of(request: &SignRequest) -> Result<Self, Fault> {
        let name = request.hash_name();
        let hash = match name {
            "none" => None,
            name => Some(
                hashes::by_name(name).ok_or_else(|| Fault::invalid(format!("invalid hash algorithm {name:?}")))?,
            ),
        };
        let encoding = match request.marshaling_algorithm.as_deref().unwrap_or("asn1") {
            "asn1" => Encoding::Asn1,
            "jws" => Encoding::Fixed,
            other => return Err(Fault::invalid(format!("invalid marshaling type {other:?}"))),
        };
        let padding = request.signature_algorithm.clone();
        if hash.is_none() && !(request.prehashed && padding == "pkcs1v15") {
            let text = "hash_algorithm=none requires both prehashed=true and signature_algorithm=pkcs1v15";
            return Err(Fault::invalid(text));
        }
        let salt = salt(request.salt_length.as_deref().unwrap_or("auto"))?;
        Ok(Self { hash, prehashed: request.prehashed, padding, salt, encoding })
    }

    fn padding(&self) -> Result<Padding, Failure> {
        match self.padding.as_str() {
            "" | "pss" => Ok(Padding::Pss(self.salt)),
            "pkcs1v15" => Ok(Padding::Pkcs1v15),
            other => Err(Failure::internal(format!("unsupported rsa signature algorithm {other}"))),
        }
    }

    fn input<'a>(&self, message: &'a [u8]) -> Input<'a> {
        if self.prehashed { Input::Digest(message) } else { Input::Message(message) }
    }

    fn encode(&self, signature: &[u8]) -> String {
        match self.encoding {
            Encoding::Asn1 => base64::encode(signature),
            Encoding::Fixed => base64::encode_url(signature),
        }
    }

    fn decode(&self, signature: &str) -> Option<Vec<u8>> {
        match self.encoding {
            Encoding::Asn1 => base64::decode(signature).ok().map(|bytes| bytes.to_vec()),
            Encoding::Fixed => base64::decode_url(signature),
        }
    }

    /// The reason of a failure in upstream's words.
    fn reason(&self, error: KeyPairError) -> String {
        match (error, self.salt) {
            (KeyPairError::HashLength, _) if self.padding == "pkcs1v15" => {
                "crypto/rsa: input must be hashed message".to_owned()
            }
            (KeyPairError::HashLength, _) => "crypto/rsa: input must be hashed with given hash".to_owned(),
            (KeyPairError::TooLong, Salt::Bytes(length)) if self.padding != "pkcs1v15" => {
                format!("requested salt length {length} is invalid")
            }
            (KeyPairError::TooLong, _) => "crypto/rsa: message too long for RSA key size".to_owned(),
            (other, _) => other.to_string(),
        }
    }
}

fn salt(given: &str) -> Result<Salt, Fault> {
    match given {
        "auto" | "" => Ok(Salt::Auto),
        "hash" => Ok(Salt::Digest),
        number => match number.parse::<i64>() {
            Ok(0) => Ok(Salt::Auto),
            Ok(-1) => Ok(Salt::Digest),
            Ok(length) => {
                usize::try_from(length).map(Salt::Bytes).map_err(|_| Fault::invalid(format!("salt length is invalid: {length}")))
            }
            Err(_) => Err(Fault::invalid(format!("salt length neither 'auto', 'hash', nor an int: {number}"))),
        },
    }
}

pub(super) fn sign(cx: &mut Cx, request: SignRequest) -> Result<Reply, Fault> {
    let manner = Manner::of(&request)?;
    let mut worker = Worker::load(cx, &request.name, "signing key not found")?;
    if !worker.key.kind.signs() {
        let kind = worker.key.kind.name();
        return Err(Fault::invalid(format!("key type {kind} does not support signing")));
    }
    let items = items(&request, None, BATCH_SIGNATURES_MAX)?;
    let mut results = Vec::with_capacity(items.items.len());
    for item in &items.items {
        results.push((item, signed(cx, &mut worker, &manner, item, items.batch)?));
    }
    let reply = answered(items.batch, results)?;
    Ok(if items.batch { with_default(reply, "key_version", &0.into()) } else { reply })
}

/// The items of a request; by itself a request may leave its input out, which then is empty.
fn items(request: &SignRequest, proof: Option<(&str, &str)>, items_max: usize) -> Result<Items, Fault> {
    let single = || {
        let mut item = Map::new();
        item.insert("input".into(), request.input.clone().unwrap_or_default().into());
        item.insert("context".into(), request.context.clone().into());
        item.insert("key_version".into(), request.key_version.into());
        if let Some((name, value)) = proof {
            item.insert(name.into(), value.into());
        }
        item
    };
    let mut items = Items::read(request.batch_input.as_ref(), single, Reading::Lenient, items_max)?;
    if items.batch {
        // The version is one for all, as upstream has it.
        items.items.iter_mut().for_each(|item| drop(item.insert("key_version".into(), request.key_version.into())));
    }
    Ok(items)
}

fn signed(
    cx: &mut Cx,
    worker: &mut Worker,
    manner: &Manner,
    item: &Map<String, Value>,
    batch: bool,
) -> Outcome<Map<String, Value>> {
    let prepared = input(item, "missing input").and_then(|message| Ok((message, context(item)?)));
    let (message, context) = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => return Ok(Err(failure)),
    };
    if worker.key.soft_deleted {
        return Ok(Err(Failure::internal(SOFT_DELETED)));
    }
    let version = match worker.key.version_for(version(item), "signing") {
        Ok(version) => version,
        Err(text) => return Ok(Err(Failure::internal(text))),
    };
    let material = worker.material(cx, version)?;
    if material.is_public_only() {
        return Ok(Err(Failure::internal("requested version for signing does not contain a private part")));
    }
    let mut data = Map::new();
    let made = if worker.key.derivation.is_some() {
        let key = match derived(&worker.key, &material, &context)? {
            Ok(key) => key,
            Err(failure) => return Ok(Err(failure)),
        };
        let public = key.public().ok().and_then(|public| public.ed25519_bytes()).unwrap_or_default();
        // Upstream spells the name differently in a batch.
        let name = if batch { "publickey" } else { "public_key" };
        data.insert(name.into(), base64::encode(&public).into());
        with(cx, manner, &key, &message)
    } else {
        with(cx, manner, material.private()?, &message)
    };
    Ok(made.map(|signature| {
        data.insert("signature".into(), format!("{PREFIX}{version}:{}", manner.encode(&signature)).into());
        data.insert("key_version".into(), version.into());
        data
    }))
}

fn context(item: &Map<String, Value>) -> Result<engine::crypto::Zeroizing<Vec<u8>>, Failure> {
    base64::decode(text(item, "context")).map_err(|_| Failure::of_client("failed to base64-decode context"))
}

/// The key pair of a context.
pub(super) fn derived(key: &Key, material: &Material, context: &[u8]) -> Outcome<PrivateKey> {
    if context.is_empty() {
        return Ok(Err(Failure::internal(format!("error deriving key: {MISSING_CONTEXT}"))));
    }
    if key.derivation == Some(Derivation::Counter) {
        // Upstream cannot sign with a derived Ed25519 key that was imported; another result than its own would be lost
        // once it can.
        return Ok(Err(Failure::internal("ed25519: bad private key length: 32")));
    }
    let unreadable = |_| Fault::internal("a stored key is unreadable");
    let engine::crypto::keypair::OldForm::Bytes(secret) = material.private()?.to_old_form().map_err(unreadable)? else {
        return Err(Fault::internal("a derived key of another type"));
    };
    let seed = engine::crypto::kdf::hkdf_sha256_bytes(secret.expose(), context, 32);
    PrivateKey::ed25519_from_seed(&seed).map(Ok).map_err(unreadable)
}

fn with(cx: &mut Cx, manner: &Manner, key: &PrivateKey, message: &[u8]) -> Result<Vec<u8>, Failure> {
    let input = manner.input(message);
    let randomness = cx.randomness.as_mut();
    let made = match key.kind() {
        PairKind::Ed25519 => key.sign_ed25519(message),
        PairKind::Curve(_) => key.sign_ecdsa(manner.hash.unwrap_or(Hash::Sha2_256), input, manner.encoding, randomness),
        PairKind::Rsa(_) => key.sign_rsa(manner.padding()?, manner.hash, input, randomness),
    };
    made.map_err(|error| Failure::internal(manner.reason(error)))
}

pub(super) fn verify(cx: &mut Cx, (request, proofs): (SignRequest, VerifyRequest)) -> Result<Reply, Fault> {
    let proof = match (&proofs.signature, &proofs.hmac) {
        (signature, _) if !signature.is_empty() => Some(("signature", signature.as_str())),
        (_, hmac) if !hmac.is_empty() => Some(("hmac", hmac.as_str())),
        _ => None,
    };
    let items = items(&request, proof, BATCH_ITEMS_MAX)?;
    let by_mac = match (items.batch, proof) {
        (true, _) => kind_of_proof(&items)?,
        (false, Some((name, _))) => name == "hmac",
        (false, None) => return Err(Fault::invalid("neither a 'signature' nor an 'hmac' were given to verify")),
    };
    let results = if by_mac { checked_macs(cx, &request, &items)? } else { checked(cx, &request, &items)? };
    let results = results.into_iter().map(|result| {
        result.map(|valid| {
            let mut data = Map::new();
            data.insert("valid".into(), valid.into());
            data
        })
    });
    let reply = answered(items.batch, items.items.iter().zip(results).collect())?;
    Ok(if items.batch && !by_mac { with_default(reply, "valid", &false.into()) } else { reply })
}

/// Whether the items of a batch are MACs; they are all of one kind.
fn kind_of_proof(items: &Items) -> Result<bool, Fault> {
    let signatures = items.items.iter().filter(|item| item.contains_key("signature")).count();
    let macs = items.items.iter().filter(|item| !item.contains_key("signature") && item.contains_key("hmac")).count();
    if signatures == 0 && macs == 0 {
        return Err(Fault::invalid("no batch_input elements have 'signature' or 'hmac'"));
    }
    if signatures > 0 && macs > 0 {
        return Err(Fault::invalid("elements of batch_input must all provide 'signature' or all provide 'hmac'"));
    }
    if signatures + macs < items.items.len() {
        let missing = if macs > 0 { "hmac" } else { "signature" };
        return Err(Fault::invalid(format!("some elements of batch_input are missing '{missing}'")));
    }
    Ok(macs > 0)
}

fn checked_macs(cx: &mut Cx, request: &SignRequest, items: &Items) -> Result<Vec<Result<bool, Failure>>, Fault> {
    let name = request.hash_name();
    let hash = hashes::by_name(name).ok_or_else(|| Fault::invalid(format!("invalid hash algorithm {name:?}")))?;
    let mut worker = Worker::load(cx, &request.name, "encryption key not found")?;
    worker.key.usable()?;
    items.items.iter().map(|item| mac::check(cx, &mut worker, hash, item)).collect()
}

fn checked(cx: &mut Cx, request: &SignRequest, items: &Items) -> Result<Vec<Result<bool, Failure>>, Fault> {
    let manner = Manner::of(request)?;
    let mut worker = Worker::load(cx, &request.name, "signature verification key not found")?;
    if !worker.key.kind.signs() {
        let kind = worker.key.kind.name();
        return Err(Fault::invalid(format!("key type {kind} does not support verification")));
    }
    items.items.iter().map(|item| check(cx, &mut worker, &manner, item)).collect()
}

fn check(cx: &mut Cx, worker: &mut Worker, manner: &Manner, item: &Map<String, Value>) -> Outcome<bool> {
    let prepared = input(item, "missing input").and_then(|message| Ok((message, context(item)?)));
    let prepared = prepared.and_then(|(message, context)| {
        worker.key.usable()?;
        let (version, signature) = parts(&worker.key, manner, text(item, "signature"))?;
        Ok((message, context, version, signature))
    });
    let (message, context, version, signature) = match prepared {
        Ok(prepared) => prepared,
        Err(failure) => return Ok(Err(failure)),
    };
    let material = worker.material(cx, version)?;
    if worker.key.derivation.is_none() {
        return Ok(holds(manner, material.public()?, &message, &signature));
    }
    let key = match derived(&worker.key, &material, &context)? {
        Ok(key) => key,
        Err(failure) => return Ok(Err(failure)),
    };
    let public = key.public().map_err(|_| Fault::internal("a stored key is unreadable"))?;
    Ok(holds(manner, &public, &message, &signature))
}

fn parts(key: &Key, manner: &Manner, given: &str) -> Result<(i64, Vec<u8>), Failure> {
    let invalid = |text: &str| Failure::of_client(format!("invalid signature: {text}"));
    let rest = given.strip_prefix(PREFIX).ok_or_else(|| invalid("no prefix"))?;
    let (version, signature) = rest.split_once(':').ok_or_else(|| invalid("wrong number of fields"))?;
    let version: i64 = version.parse().map_err(|_| invalid("version number could not be decoded"))?;
    if version > key.latest_version {
        return Err(invalid("version is too new"));
    }
    key.readable(version)?;
    let signature =
        manner.decode(signature).ok_or_else(|| Failure::of_client("invalid base64 signature value"))?;
    Ok((version, signature))
}

fn holds(manner: &Manner, key: &PublicKey, message: &[u8], signature: &[u8]) -> Result<bool, Failure> {
    let input = manner.input(message);
    let checked = match key.kind() {
        PairKind::Ed25519 => key.verify_ed25519(message, signature),
        PairKind::Curve(_) => {
            key.verify_ecdsa(manner.hash.unwrap_or(Hash::Sha2_256), input, manner.encoding, signature)
        }
        PairKind::Rsa(_) => key.verify_rsa(manner.padding()?, manner.hash, input, signature),
    };
    checked.map_err(|error| Failure::of_client(manner.reason(error)))
}
