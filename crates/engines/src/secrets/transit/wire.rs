//! What clients send, in upstream's field names.

use engine::{Seconds, request};
use serde_json::Value;

request! {
    /// A key in the path.
    pub(super) struct Named {
        /// Name of the key.
        name: String,
    }
}

request! {
    /// Which part of a list.
    pub(super) struct ListRequest {
        /// Optional entry to begin listing after; it need not exist.
        after: Option<String>,
        /// Optional number of entries to return; all if it is not positive.
        limit: Option<i64>,
    }
}

request! {
    /// A key to look at.
    pub(super) struct ReadKey {
        /// Name of the key.
        name: String,
        /// Base64 encoded context for key derivation: shows the public key of this context.
        context: String,
    }
}

request! {
    /// A new key.
    pub(super) struct CreateKey {
        /// Name of the key.
        name: String,
        /// The type of key to create: "aes128-gcm96", "aes256-gcm96" (default), "chacha20-poly1305", "xchacha20-poly1305", "ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048", "rsa-3072", "rsa-4096" or "hmac".
        r#type: String,
        /// Enables key derivation mode: each context has a key of its own.
        derived: bool,
        /// Whether equal plaintexts have equal ciphertexts. Only with key derivation.
        convergent_encryption: bool,
        /// Enables export of the key. Once set, this cannot be disabled.
        exportable: bool,
        /// Enables taking a backup of the key in plaintext. Once set, this cannot be disabled.
        allow_plaintext_backup: bool,
        /// Time after which the key is rotated by itself; 0 is never.
        auto_rotate_period: Seconds,
        /// Bytes of the key. Only for "hmac": 32 to 512.
        key_size: i64,
        /// Base64 encoded context, whose public key the reply shows.
        context: String,
    }
}

request! {
    /// Settings of a key.
    pub(super) struct ConfigureKey {
        /// Name of the key.
        name: String,
        /// The lowest version that decrypts and verifies.
        min_decryption_version: Option<i64>,
        /// The lowest version that encrypts and signs; 0 sets none.
        min_encryption_version: Option<i64>,
        /// Whether the key may be deleted.
        deletion_allowed: Option<bool>,
        /// Enables export of the key. Once set, this cannot be disabled.
        exportable: Option<bool>,
        /// Enables taking a backup of the key in plaintext. Once set, this cannot be disabled.
        allow_plaintext_backup: Option<bool>,
        /// Time after which the key is rotated by itself; 0 is never.
        auto_rotate_period: Option<Seconds>,
    }
}

request! {
    /// Old versions to drop.
    pub(super) struct TrimKey {
        /// Name of the key.
        name: String,
        /// The lowest version to keep.
        min_available_version: Option<i64>,
    }
}

request! {
    /// Plaintexts.
    pub(super) struct EncryptRequest {
        /// Name of the key.
        name: String,
        /// Base64 encoded plaintext.
        plaintext: Option<String>,
        /// Base64 encoded context. Required if key derivation is enabled.
        context: String,
        /// Base64 encoded data that is authenticated and not encrypted; it is needed again to decrypt.
        associated_data: String,
        /// The version of the key to encrypt with; 0 is the latest.
        key_version: i64,
        /// The type of a key that this request creates.
        r#type: String,
        /// Whether a key that this request creates gives equal plaintexts equal ciphertexts.
        convergent_encryption: bool,
        /// Status of a batch in which some items failed and others did not.
        partial_failure_response_code: Option<i64>,
        /// Items that are encrypted in one request, each with the parameters above; those of the request are then ignored.
        batch_input: Option<Value>,
    }
}

request! {
    /// Ciphertexts.
    pub(super) struct DecryptRequest {
        /// Name of the key.
        name: String,
        /// The ciphertext, as encrypt gave it.
        ciphertext: Option<String>,
        /// Base64 encoded context. Required if key derivation is enabled.
        context: String,
        /// Base64 encoded data that was authenticated with it.
        associated_data: String,
        /// Status of a batch in which some items failed and others did not.
        partial_failure_response_code: Option<i64>,
        /// Items that are decrypted in one request, each with the parameters above; those of the request are then ignored.
        batch_input: Option<Value>,
    }
}

request! {
    /// Ciphertexts to encrypt again.
    pub(super) struct RewrapRequest {
        /// Name of the key.
        name: String,
        /// The ciphertext, as encrypt gave it.
        ciphertext: String,
        /// Base64 encoded context. Required if key derivation is enabled.
        context: String,
        /// The version of the key to encrypt with; 0 is the latest.
        key_version: i64,
        /// Items that are rewrapped in one request, each with the parameters above; those of the request are then ignored.
        batch_input: Option<Value>,
    }
}

request! {
    /// A new data key.
    pub(super) struct DataKeyRequest {
        /// "plaintext" shows the data key as well, "wrapped" its ciphertext only.
        plaintext: String,
        /// Name of the key that wraps it.
        name: String,
        /// Base64 encoded context. Required if key derivation is enabled.
        context: String,
        /// Base64 encoded data that is authenticated with it.
        associated_data: String,
        /// Bits of the data key: 128, 256 (default) or 512.
        bits: Option<i64>,
        /// The version of the key to encrypt with; 0 is the latest.
        key_version: i64,
    }
}

request! {
    /// Messages to authenticate.
    pub(super) struct HmacRequest {
        /// Name of the key.
        name: String,
        /// Hash algorithm, in the path.
        urlalgorithm: String,
        /// Hash algorithm: "sha2-224", "sha2-256" (default), "sha2-384", "sha2-512" or "sha3-…" of the same lengths.
        algorithm: String,
        /// Base64 encoded message.
        input: Option<String>,
        /// The version of the key; 0 is the latest.
        key_version: i64,
        /// Items that are handled in one request.
        batch_input: Option<Value>,
    }
}

request! {
    /// Messages to sign.
    pub(super) struct SignRequest {
        /// Name of the key.
        name: String,
        /// Hash algorithm, in the path.
        urlalgorithm: String,
        /// Hash algorithm: "sha1", "sha2-224", "sha2-256" (default), "sha2-384", "sha2-512", "sha3-…" or "none".
        hash_algorithm: String,
        /// Use "hash_algorithm" instead.
        algorithm: String,
        /// Base64 encoded message.
        input: Option<String>,
        /// Base64 encoded context. Required if key derivation is enabled.
        context: String,
        /// The version of the key; 0 is the latest.
        key_version: i64,
        /// Whether the input is hashed already.
        prehashed: bool,
        /// Padding of RSA signatures: "pss" (default) or "pkcs1v15".
        signature_algorithm: String,
        /// Form of the signature: "asn1" (default) or "jws".
        marshaling_algorithm: Option<String>,
        /// Salt of PSS: "auto" (default), "hash" or a number of bytes.
        salt_length: Option<String>,
        /// Items that are signed in one request.
        batch_input: Option<Value>,
    }
}

request! {
    /// Signatures and MACs to check, beside what [`SignRequest`] has.
    pub(super) struct VerifyRequest {
        /// The signature, as sign gave it.
        signature: String,
        /// The MAC, as hmac gave it.
        hmac: String,
    }
}

request! {
    /// A message to hash.
    pub(super) struct HashRequest {
        /// Hash algorithm, in the path.
        urlalgorithm: String,
        /// Hash algorithm: "sha2-224", "sha2-256" (default), "sha2-384", "sha2-512" or "sha3-…" of the same lengths.
        algorithm: String,
        /// Base64 encoded message.
        input: Option<String>,
        /// "hex" (default) or "base64".
        format: String,
    }
}

request! {
    /// Random bytes.
    pub(super) struct RandomRequest {
        /// "platform", "seal" or "all", or the number of bytes.
        source: String,
        /// Number of bytes, in the path.
        urlbytes: String,
        /// Number of bytes; 32 unless told.
        bytes: Option<i64>,
        /// "base64" (default) or "hex".
        format: String,
    }
}

request! {
    /// Which version of which key to show.
    pub(super) struct ExportRequest {
        /// "encryption-key", "signing-key", "hmac-key", "public-key" or "certificate-chain".
        r#type: String,
        /// Name of the key.
        name: String,
        /// Version, or "latest"; all unless told.
        version: String,
        /// Form: the type's own (default), "raw", "der" or "pem".
        format: String,
    }
}

request! {
    /// Which key to wrap with which.
    pub(super) struct ByokExportRequest {
        /// Name of the key that wraps.
        destination: String,
        /// Name of the key to wrap.
        source: String,
        /// Version, or "latest"; all unless told.
        version: String,
        /// Hash of OAEP: "SHA1", "SHA224", "SHA256" (default), "SHA384" or "SHA512".
        hash: String,
    }
}

request! {
    /// A backup.
    pub(super) struct RestoreRequest {
        /// Name of the key, if not that of the backup.
        name: String,
        /// What backup gave.
        backup: String,
        /// Whether to replace a key of this name.
        force: bool,
    }
}

request! {
    /// A key from outside.
    pub(super) struct ImportRequest {
        /// Name of the key.
        name: String,
        /// Its type, as at creation.
        r#type: String,
        /// Hash of OAEP: "SHA1", "SHA224", "SHA256" (default), "SHA384" or "SHA512".
        hash_function: String,
        /// Base64 encoded: an AES key encrypted with the wrapping key by OAEP, and the key wrapped with it (RFC 5649).
        ciphertext: Option<String>,
        /// A public key in PEM, to have no private one.
        public_key: Option<String>,
        /// Whether the key may be rotated here.
        allow_rotation: bool,
        /// Enables key derivation mode.
        derived: bool,
        /// Enables export of the key. Once set, this cannot be disabled.
        exportable: bool,
        /// Enables taking a backup of the key in plaintext. Once set, this cannot be disabled.
        allow_plaintext_backup: bool,
        /// Time after which the key is rotated by itself; 0 is never.
        auto_rotate_period: Seconds,
    }
}

request! {
    /// A version from outside.
    pub(super) struct ImportVersionRequest {
        /// Name of the key.
        name: String,
        /// Hash of OAEP.
        hash_function: String,
        /// As at import.
        ciphertext: Option<String>,
        /// A public key in PEM.
        public_key: Option<String>,
        /// The version to give a private key; a new one unless told.
        version: Option<i64>,
    }
}

request! {
    /// Two halves of a key agreement.
    pub(super) struct DeriveKeyRequest {
        /// Name of the key to make.
        name: String,
        /// "ecdh".
        key_derivation_algorithm: String,
        /// Public key of the other side, in PEM.
        peer_public_key: String,
        /// Name of our own key.
        base_key_name: String,
        /// Version of our own key; 0 is the latest.
        base_key_version: i64,
        /// Type of the key to make; "aes256-gcm96" unless told.
        derived_key_type: String,
    }
}

request! {
    /// A certificate request to sign.
    pub(super) struct CsrRequest {
        /// Name of the key.
        name: String,
        /// Version of the key; the latest unless told.
        version: i64,
        /// A certificate request in PEM, whose subject and extensions are taken.
        csr: String,
    }
}

request! {
    /// A certificate chain to keep.
    pub(super) struct SetCertificateRequest {
        /// Name of the key.
        name: String,
        /// Version of the key; the latest unless told.
        version: i64,
        /// Certificates in PEM, leaf first.
        certificate_chain: String,
    }
}

request! {
    /// Settings of all keys of the mount.
    pub(super) struct KeysConfig {
        /// Whether encrypting with a name that no key has makes none.
        disable_upsert: Option<bool>,
    }
}

request! {
    /// Size of upstream's cache.
    pub(super) struct CacheConfig {
        /// Number of keys; 0 is no limit.
        size: Option<i64>,
    }
}
