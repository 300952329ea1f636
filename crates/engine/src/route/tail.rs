//! How the path of a route ends.

use super::{Route, Segment};
use wire::Operation;

/// The end of a path as a route has it, wherever its engine is mounted: tells from the path alone that the route cannot be
/// meant.
pub struct Tail {
    segments: Vec<Segment>,
    operations: Vec<Operation>,
}

impl Tail {
    /// That of a route.
    pub fn of<C>(route: &Route<C>) -> Self {
        let operations = route.actions.iter().map(|action| action.operation).collect();
        Self { segments: route.segments.clone(), operations }
    }

    /// Whether a path with this operation may mean the route.
    pub fn fits(&self, path: &str, operation: Operation) -> bool {
        if !self.operations.contains(&operation) {
            return false;
        }
        let mut rest = path.strip_suffix('/').unwrap_or(path).rsplit('/');
        self.segments.iter().rev().all(|segment| match segment {
            Segment::Literal(literal) => rest.next() == Some(*literal),
            Segment::Name(_) => rest.next().is_some(),
            // How many segments it takes is not known here.
            Segment::Rest { .. } => true,
        }) || self.segments.iter().any(|segment| matches!(segment, Segment::Rest { .. }))
    }
}
