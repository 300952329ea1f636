//! The engines: `secrets/*` keep and make secrets, `auth/*` log people and machines in. One folder each; a folder exports
//! `pub fn engine() -> impl engine::Engine`, imports nothing but the `engine` crate, and no other folder.
#![forbid(unsafe_code)]

include!(concat!(env!("OUT_DIR"), "/all.rs"));
