//! engines (under construction).
