//! Security rows proved against the real binary, from outside: each test is named by the row it proves. The server runs on
//! a free loopback port with a folder of its own, and its audit trail, log and store are searched for secrets at the end.
#![forbid(unsafe_code)]

#[cfg(test)]
mod bodies;
#[cfg(test)]
mod framing;
#[cfg(test)]
mod names;
#[cfg(test)]
mod node;
#[cfg(test)]
mod paths;
#[cfg(test)]
mod requests;
#[cfg(test)]
mod rights;
#[cfg(test)]
mod routes;
#[cfg(test)]
mod secrecy;
#[cfg(test)]
mod tenants;
#[cfg(test)]
mod trail;
