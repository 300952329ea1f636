//! What an operator relies on, proved against the real binary: audit trail, metrics, logs, configuration, listeners, and
//! how it starts and stops. Each server runs on loopback ports of its own, in a folder of its own.

#![forbid(unsafe_code)]

#[cfg(test)]
mod audit;
#[cfg(test)]
mod doubles;
#[cfg(test)]
mod listeners;
#[cfg(test)]
mod logs;
#[cfg(test)]
mod metrics;
#[cfg(test)]
mod node;
#[cfg(test)]
mod process;
