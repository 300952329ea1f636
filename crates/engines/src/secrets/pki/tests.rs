//! Tests of the engine on the bench.
