//! `subkeys/{path}`: the shape of a secret's data, for those who may not see the values.

use super::data::read_version;
use super::secret;
use super::wire::ReadSubkeys;
use engine::{Cx, Fault, Reply};
use serde_json::Value;

/// `GET subkeys/{path}?version=&depth=`.
pub(super) fn read(cx: &mut Cx, request: ReadSubkeys) -> Result<Reply, Fault> {
    let name = secret(cx, "subkeys/").ok_or(Fault::Missing)?;
    let depth = match request.depth {
        0 => usize::MAX,
        depth => usize::try_from(depth).unwrap_or(1),
    };
    read_version(cx, &name, request.version, "subkeys", |mut data| {
        if let Value::Object(members) = &mut data {
            members.values_mut().for_each(|value| blank(value, depth - 1));
        }
        data
    })
}

/// Leaves of an object its keys, `depth` levels deep, and of everything else nothing.
fn blank(value: &mut Value, depth: usize) {
    match value {
        Value::Object(members) if depth > 0 && !members.is_empty() => {
            members.values_mut().for_each(|value| blank(value, depth - 1));
        }
        value => *value = Value::Null,
    }
}
