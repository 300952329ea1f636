//! Tests of both syntaxes and of the accessors.
