//! Requests and replies, in upstream's field names.

use super::record::{Config, Metadata, Version};
use engine::{Fault, Field, FieldKind, FieldType, Input, Object, RequestBody, Seconds, Timestamp, take_field};
use serde_json::{Map, Value, json};

engine::request! {
    /// Reads data.
    pub(super) struct ReadData {
        /// The version to read; the newest if it is not positive.
        version: i64,
    }
}

engine::request! {
    /// Reads the keys within data.
    pub(super) struct ReadSubkeys {
        /// The version to read; the newest if it is not positive.
        version: i64,
        /// How deep to look; everything if it is 0.
        depth: i64,
    }
}

/// Which version a write says it replaces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct CheckAndSet(Option<i64>);

impl CheckAndSet {
    /// Refuses a write that replaces another version than it says, or does not say where it has to.
    pub(super) fn check(self, required: bool, current: u64) -> Result<(), Fault> {
        match self.0 {
            None if required => Err(Fault::invalid("check-and-set parameter required for this call")),
            Some(cas) if u64::try_from(cas) != Ok(current) => {
                Err(Fault::invalid("check-and-set parameter did not match the current version"))
            }
            _ => Ok(()),
        }
    }

    fn parse(input: &Input) -> Result<Self, Fault> {
        let Object(options) = take_field(input, "options")?;
        let Some(cas) = options.get("cas") else { return Ok(Self(None)) };
        // Stricter than integers elsewhere: a fraction that is cut would match a version that nobody meant.
        let number = match cas {
            Value::Null => Some(0),
            Value::Bool(set) => Some(i64::from(*set)),
            Value::Number(number) => number.as_i64(),
            Value::String(text) if text.is_empty() => Some(0),
            Value::String(text) => text.parse().ok(),
            Value::Array(_) | Value::Object(_) => None,
        };
        number.map(|number| Self(Some(number))).ok_or_else(|| Fault::invalid("error parsing check-and-set parameter"))
    }
}

/// Writes data: serialized here once, from where it lies in the request.
pub(super) struct WriteData {
    /// The data as JSON, an object or `null`.
    pub(super) data: Vec<u8>,
    /// What it replaces.
    pub(super) cas: CheckAndSet,
}

impl RequestBody for WriteData {
    fn fields() -> Vec<Field> {
        data_fields()
    }

    fn parse(input: &Input) -> Result<Self, Fault> {
        let data = data_of(input)?;
        let cas = CheckAndSet::parse(input)?;
        let data = serde_json::to_vec(data).map_err(|_| Fault::internal("a JSON value does not serialize"))?;
        Ok(Self { data, cas })
    }
}

/// Changes data by a merge patch (RFC 7396).
pub(super) struct PatchData {
    /// The patch, an object or `null`.
    pub(super) data: Value,
    /// What it replaces.
    pub(super) cas: CheckAndSet,
}

impl RequestBody for PatchData {
    fn fields() -> Vec<Field> {
        data_fields()
    }

    fn parse(input: &Input) -> Result<Self, Fault> {
        Ok(Self { data: data_of(input)?.clone(), cas: CheckAndSet::parse(input)? })
    }
}

fn data_fields() -> Vec<Field> {
    vec![
        field("data", FieldKind::Object, "The contents are stored and returned on read."),
        field(
            "options",
            FieldKind::Object,
            "Options of the write: with \"cas\" it holds only if the current version is that one, 0 being none.",
        ),
        field("version", FieldKind::Integer, "Only used by reads."),
    ]
}

fn data_of(input: &Input) -> Result<&Value, Fault> {
    match input.fields.get("data") {
        None => Err(Fault::invalid("no data provided")),
        Some(data @ (Value::Null | Value::Object(_))) => Ok(data),
        Some(_) => Err(wrong("data", "an object")),
    }
}

/// Names versions.
pub(super) struct Versions(pub(super) Vec<i64>);

impl RequestBody for Versions {
    fn fields() -> Vec<Field> {
        vec![field("versions", FieldKind::Array, "Numbers of the versions.")]
    }

    fn parse(input: &Input) -> Result<Self, Fault> {
        let engine::CommaList(versions) = take_field(input, "versions")?;
        let numbers = versions.iter().map(|version| version.parse().map_err(|_| wrong("versions", "integers")));
        numbers.collect::<Result<_, _>>().map(Self)
    }
}

/// Settings, of the mount or of a key. What was not sent is `None`; an explicit `null` resets, save for the duration.
pub(super) struct Settings {
    max_versions: Option<u32>,
    cas_required: Option<bool>,
    metadata_cas_required: Option<bool>,
    delete_version_after: Option<i64>,
}

impl RequestBody for Settings {
    fn fields() -> Vec<Field> {
        vec![
            field("cas_required", FieldKind::Boolean, "Whether writes of data must send the cas option."),
            field(
                "delete_version_after",
                FieldKind::Seconds,
                "How long after its creation a version is deleted; negative forbids that for all keys, 0 clears it.",
            ),
            field(
                "max_versions",
                FieldKind::Integer,
                "The number of versions to keep of each key; 0 takes the default.",
            ),
            field("metadata_cas_required", FieldKind::Boolean, "Whether writes of metadata must send metadata_cas."),
        ]
    }

    fn parse(input: &Input) -> Result<Self, Fault> {
        let max_versions = match resettable::<i64>(input, "max_versions")? {
            None => None,
            Some(number) => {
                Some(u32::try_from(number).map_err(|_| wrong("max_versions", "a number from 0 to 4294967295"))?)
            }
        };
        let delete_version_after: Option<Seconds> = take_field(input, "delete_version_after")?;
        Ok(Self {
            max_versions,
            cas_required: resettable(input, "cas_required")?,
            metadata_cas_required: resettable(input, "metadata_cas_required")?,
            delete_version_after: delete_version_after.map(|seconds| seconds.0),
        })
    }
}

impl Settings {
    /// Lays them over the mount's.
    pub(super) fn apply_to_config(&self, config: &mut Config) {
        set(&mut config.max_versions, self.max_versions);
        set(&mut config.cas_required, self.cas_required);
        set(&mut config.metadata_cas_required, self.metadata_cas_required);
        // All negative durations mean the same, and are shown as the same.
        set(&mut config.delete_version_after, self.delete_version_after.map(|seconds| seconds.max(-1)));
    }

    /// Lays them over a key's; returns what the client is warned of.
    pub(super) fn apply_to_key(&self, metadata: &mut Metadata, config: &Config) -> Vec<String> {
        set(&mut metadata.max_versions, self.max_versions);
        set(&mut metadata.cas_required, self.cas_required);
        set(&mut metadata.metadata_cas_required, self.metadata_cas_required);
        set(&mut metadata.delete_version_after, self.delete_version_after);
        let overruled = [
            ("cas_required", self.cas_required, config.cas_required),
            ("metadata_cas_required", self.metadata_cas_required, config.metadata_cas_required),
        ];
        let overruled = overruled.iter().filter(|(_, sent, mandated)| *sent == Some(false) && *mandated);
        overruled
            .map(|(name, _, _)| {
                format!("{name:?} set to false, but is mandated by backend config. This value will be ignored.")
            })
            .collect()
    }

    fn is_empty(&self) -> bool {
        self.max_versions.is_none()
            && self.cas_required.is_none()
            && self.metadata_cas_required.is_none()
            && self.delete_version_after.is_none()
    }
}

/// Writes or patches metadata.
pub(super) struct WriteMetadata {
    /// The key's settings.
    pub(super) settings: Settings,
    /// Which version of the metadata it replaces.
    pub(super) metadata_cas: Option<i64>,
    /// What users note; `null` clears it.
    pub(super) custom: Option<Value>,
}

impl RequestBody for WriteMetadata {
    fn fields() -> Vec<Field> {
        let mut fields = Settings::fields();
        fields.extend([
            field("after", FieldKind::String, "Only used by lists."),
            field("custom_metadata", FieldKind::Object, "User-provided pairs that describe the secret."),
            field("limit", FieldKind::Integer, "Only used by lists."),
            field(
                "metadata_cas",
                FieldKind::Integer,
                "The version of the metadata that this write replaces; 0 is none.",
            ),
        ]);
        fields
    }

    fn parse(input: &Input) -> Result<Self, Fault> {
        let settings = Settings::parse(input)?;
        if settings.delete_version_after.is_some_and(|seconds| seconds < 0) {
            return Err(wrong("delete_version_after", "a duration that is not negative"));
        }
        let custom = match input.fields.get("custom_metadata") {
            None => None,
            Some(custom @ (Value::Null | Value::Object(_))) => Some(custom.clone()),
            Some(_) => return Err(wrong("custom_metadata", "an object")),
        };
        Ok(Self { settings, metadata_cas: resettable(input, "metadata_cas")?, custom })
    }
}

impl WriteMetadata {
    /// Whether it would change nothing.
    pub(super) fn is_empty(&self) -> bool {
        self.settings.is_empty() && self.custom.is_none()
    }
}

fn field(name: &'static str, kind: FieldKind, description: &'static str) -> Field {
    Field { name, kind, description }
}

/// Reads a field whose `null` is its zero value.
fn resettable<T: FieldType + Default>(input: &Input, name: &'static str) -> Result<Option<T>, Fault> {
    if input.has(name) { take_field(input, name).map(Some) } else { Ok(None) }
}

fn set<T>(slot: &mut T, sent: Option<T>) {
    if let Some(sent) = sent {
        *slot = sent;
    }
}

/// What [`take_field`] answers; names the field and never the value (S38).
fn wrong(name: &str, wanted: &str) -> Fault {
    Fault::invalid(format!("Field validation failed: error converting input for field {name:?}: expected {wanted}"))
}

/// The settings of a mount.
pub(super) fn config_reply(config: &Config) -> Value {
    json!({
        "cas_required": config.cas_required,
        "delete_version_after": duration(config.delete_version_after),
        "max_versions": config.max_versions,
        "metadata_cas_required": config.metadata_cas_required,
    })
}

/// The metadata of a key.
pub(super) fn metadata_reply(metadata: &Metadata) -> Value {
    let versions: Map<String, Value> = metadata
        .versions()
        .map(|(number, version)| {
            let version = json!({
                "created_time": version.created.to_rfc3339(),
                "deletion_time": deletion(version),
                "destroyed": version.destroyed,
            });
            (number.to_string(), version)
        })
        .collect();
    json!({
        "cas_required": metadata.cas_required,
        "created_time": metadata.created.to_rfc3339(),
        "current_metadata_version": metadata.metadata_version,
        "current_version": metadata.current,
        "custom_metadata": custom(metadata),
        "delete_version_after": duration(metadata.delete_version_after),
        "max_versions": metadata.max_versions,
        "metadata_cas_required": metadata.metadata_cas_required,
        "oldest_version": metadata.oldest(),
        "updated_time": metadata.updated.to_rfc3339(),
        "versions": versions,
    })
}

/// One version, as it goes with its data.
pub(super) fn version_reply(metadata: &Metadata, number: u64, version: &Version) -> Value {
    json!({
        "created_time": version.created.to_rfc3339(),
        "custom_metadata": custom(metadata),
        "deletion_time": deletion(version),
        "destroyed": version.destroyed,
        "version": number,
    })
}

fn custom(metadata: &Metadata) -> Value {
    if metadata.custom.is_empty() { Value::Null } else { json!(metadata.custom) }
}

fn deletion(version: &Version) -> String {
    version.deletion.map(Timestamp::to_rfc3339).unwrap_or_default()
}

/// Seconds as Go prints a duration: `1h0m0s`, `-1s`.
fn duration(seconds: i64) -> String {
    let sign = if seconds < 0 { "-" } else { "" };
    let seconds = seconds.unsigned_abs();
    let (hours, minutes, rest) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
    match (hours, minutes) {
        (0, 0) => format!("{sign}{rest}s"),
        (0, _) => format!("{sign}{minutes}m{rest}s"),
        _ => format!("{sign}{hours}h{minutes}m{rest}s"),
    }
}
