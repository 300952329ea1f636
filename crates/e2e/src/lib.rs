//! e2e (under construction).
