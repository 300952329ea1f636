//! How values look: JSON in the order of the envelope, YAML, and tables for people.

pub mod envelope;
mod table;
#[cfg(test)]
mod tests;
mod text;
mod yaml;

pub use table::{Rows, pairs, section, table};
pub use text::{duration, is_duration, or_none, text};
pub use yaml::yaml;

use serde::ser::{Serialize, SerializeMap as _, Serializer};
use serde_json::Value;

/// Indented JSON; members of an envelope in the order that people know, all others sorted.
pub fn json(value: &Value) -> String {
    serde_json::to_string_pretty(&Ordered(value)).unwrap_or_default()
}

/// The order of an envelope's members.
const ORDER: [&str; 8] =
    ["request_id", "lease_id", "lease_duration", "renewable", "data", "warnings", "auth", "wrap_info"];

struct Ordered<'a>(&'a Value);

impl Serialize for Ordered<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let Value::Object(members) = self.0 else { return self.0.serialize(serializer) };
        if !members.contains_key("request_id") {
            return self.0.serialize(serializer);
        }
        let mut map = serializer.serialize_map(Some(members.len()))?;
        for name in ORDER {
            if let Some(value) = members.get(name) {
                map.serialize_entry(name, value)?;
            }
        }
        for (name, value) in members.iter().filter(|(name, _)| !ORDER.contains(&name.as_str())) {
            map.serialize_entry(name, value)?;
        }
        map.end()
    }
}
