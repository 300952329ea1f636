//! Feeds the committed fuzz corpora, and short mutations of them, to the fuzz targets on every change. Long, coverage-guided
//! runs of the same functions: `cargo xtask fuzz`.
#![forbid(unsafe_code)]

#[cfg(test)]
mod replay;
#[cfg(test)]
#[path = "../../../../fuzz/src/targets/mod.rs"]
mod targets;
