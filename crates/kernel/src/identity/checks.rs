//! Bounds of what requests may put on identities, with upstream's words.

use super::record::Metadata;
use engine::{Fault, Randomness};

/// Pairs of metadata.
const METADATA_PAIRS_MAX: usize = 64;
/// Bytes of a metadata key.
const METADATA_KEY_BYTES_MAX: usize = 128;
/// Bytes of a metadata value.
const METADATA_VALUE_BYTES_MAX: usize = 512;
/// Policies of one entity or group.
const POLICIES_MAX: usize = 1_024;

/// Policies of an entity or group in canonical form. S72: no spelling of `root` passes, since it is compared after the
/// names became canonical.
pub(super) fn policies(names: Vec<String>) -> Result<Vec<String>, Fault> {
    if names.iter().any(|name| name.trim().contains(char::is_control)) {
        return Err(Fault::invalid("policies cannot contain control characters"));
    }
    let policies = engine::canonical_policies(names);
    if policies.iter().any(|policy| policy == "root") {
        return Err(Fault::invalid("policies cannot contain root"));
    }
    if policies.len() > POLICIES_MAX {
        return Err(Fault::invalid(format!("there must be at most {POLICIES_MAX} policies")));
    }
    Ok(policies)
}

/// Metadata of an entity or group, as `kind` says.
pub(super) fn metadata(kind: &str, metadata: &Metadata) -> Result<(), Fault> {
    let invalid = |what: String| Err(Fault::invalid(format!("invalid {kind} metadata: {what}")));
    if metadata.len() > METADATA_PAIRS_MAX {
        return invalid(format!("metadata cannot contain more than {METADATA_PAIRS_MAX} key/value pairs"));
    }
    for (key, value) in metadata {
        let pair = |what: &str| format!("failed to load metadata pair {key:?}: {what}");
        if key.is_empty() {
            return invalid(pair("key cannot be blank"));
        }
        if key.len() > METADATA_KEY_BYTES_MAX {
            return invalid(pair(&format!("key is too long (limit: {METADATA_KEY_BYTES_MAX} characters)")));
        }
        if value.len() > METADATA_VALUE_BYTES_MAX {
            return invalid(pair(&format!("value is too long (limit: {METADATA_VALUE_BYTES_MAX} characters)")));
        }
    }
    Ok(())
}

/// Custom metadata of an alias.
pub(super) fn custom_metadata(metadata: &Metadata) -> Result<(), Fault> {
    let invalid = |what: String| Err(Fault::invalid(format!("custom_metadata validation failed: {what}")));
    if metadata.len() > METADATA_PAIRS_MAX {
        return invalid(format!("payload must contain at most {METADATA_PAIRS_MAX} keys, provided {}", metadata.len()));
    }
    for (key, value) in metadata {
        let (key_bytes, value_bytes) = (key.len(), value.len());
        if !(1..=METADATA_KEY_BYTES_MAX).contains(&key_bytes) {
            return invalid(format!(
                "length of key {key:?} is {key_bytes} but must be 0 < len(key) <= {METADATA_KEY_BYTES_MAX}"
            ));
        }
        if !(1..=METADATA_VALUE_BYTES_MAX).contains(&value_bytes) {
            return invalid(format!(
                "length of value for key {key:?} is {value_bytes} but must be 0 < len(value) <= {METADATA_VALUE_BYTES_MAX}"
            ));
        }
        if key.contains(char::is_control) {
            return invalid(format!("key {key:?} contains unprintable characters"));
        }
        if value.contains(char::is_control) {
            return invalid(format!("value for key {key:?} contains unprintable characters"));
        }
    }
    Ok(())
}

/// A fresh id: a UUID, which outside the root namespace carries the namespace's id.
pub(super) fn new_id(namespace: &str, randomness: &mut dyn Randomness) -> String {
    let uuid = randomness.uuid();
    if namespace == crate::keys::ROOT { uuid } else { format!("{uuid}.{namespace}") }
}

/// A name for what was given none, for example `entity_1a2b3c4d.root`.
pub(super) fn new_name(stem: &str, namespace: &str, randomness: &mut dyn Randomness) -> String {
    let digits: String = randomness.uuid().chars().take(8).collect();
    format!("{stem}_{digits}.{namespace}")
}
