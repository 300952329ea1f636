//! hcl (under construction).
