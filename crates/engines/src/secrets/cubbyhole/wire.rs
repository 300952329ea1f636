//! Requests.

use engine::{Fault, Field, Input, RequestBody};

/// Any JSON object, already serialized: what is written is what was sent, whatever the names in it.
pub(super) struct Body(pub(super) Vec<u8>);

impl RequestBody for Body {
    fn fields() -> Vec<Field> {
        Vec::new()
    }

    fn parse(input: &Input) -> Result<Self, Fault> {
        if input.body.is_empty() {
            return Err(Fault::invalid("missing data fields"));
        }
        serde_json::to_vec(&input.body).map(Self).map_err(|_| Fault::internal("a JSON object does not serialize"))
    }
}

engine::request! {
    /// LIST.
    pub(super) struct List {
        /// Optional entry to begin listing after; it need not exist.
        after: String,
        /// Number of entries to return; all if it is not positive.
        limit: i64,
    }
}
