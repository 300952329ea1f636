//! The kernel as a whole, on a store in memory: what no stage can show alone.
#![forbid(unsafe_code)]

#[cfg(test)]
mod clients;
#[cfg(test)]
mod harness;
#[cfg(test)]
mod histories;
#[cfg(test)]
mod keys;
#[cfg(test)]
mod lifetimes;
#[cfg(test)]
mod namespaces;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod times;
