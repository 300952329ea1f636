//! The command line as people run it: the real binary against its own server, on a loopback port.
#![forbid(unsafe_code)]

#[cfg(test)]
mod ceremonies;
#[cfg(test)]
mod commands;
#[cfg(test)]
mod connection;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod output;
#[cfg(test)]
mod secrets;
#[cfg(test)]
mod shells;
#[cfg(test)]
mod terminal;
