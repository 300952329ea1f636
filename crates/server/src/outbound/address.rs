//! Addresses that are never called, however their names are spelled or resolved (S91, S115): link-local ones and the
//! metadata services of clouds, which hand the node's own credentials to whoever asks from it. Private and loopback
//! addresses are called: the servers that an operator configures are mostly there.

use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

/// The metadata service of Alibaba Cloud.
const METADATA_ALIBABA: Ipv4Addr = Ipv4Addr::new(100, 100, 100, 200);
/// The address by which Azure's hosts talk to their machines.
const METADATA_AZURE: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);
/// The metadata service of AWS over IPv6.
const METADATA_AWS: Ipv6Addr = Ipv6Addr::new(0xfd00, 0xec2, 0, 0, 0, 0, 0, 0x254);

/// Whether an address is never called. IPv4 within IPv6 (mapped, RFC 4291; translated, RFC 6052) is looked through.
pub(super) fn is_forbidden(address: IpAddr) -> bool {
    match address.to_canonical() {
        IpAddr::V4(address) => {
            address.is_link_local()
                || address.is_unspecified()
                || address.is_broadcast()
                || address.is_multicast()
                || [METADATA_ALIBABA, METADATA_AZURE].contains(&address)
        }
        IpAddr::V6(address) => {
            let translated = match address.segments() {
                [0x64, 0xff9b, 0, 0, 0, 0, high, low] => {
                    is_forbidden(IpAddr::V4(Ipv4Addr::from((u32::from(high) << 16) | u32::from(low))))
                }
                _ => false,
            };
            translated
                || address.is_unicast_link_local()
                || address.is_unspecified()
                || address.is_multicast()
                || address == METADATA_AWS
        }
    }
}

/// That no address of a name may be called.
#[derive(Debug, thiserror::Error)]
#[error("the name resolves to addresses that are never called")]
pub(super) struct NoneAllowed;

/// Those of a name's addresses that may be called; fails if it has others only.
pub(super) fn allowed(found: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, NoneAllowed> {
    let some = !found.is_empty();
    let allowed: Vec<SocketAddr> = found.into_iter().filter(|at| !is_forbidden(at.ip())).collect();
    if some && allowed.is_empty() { Err(NoneAllowed) } else { Ok(allowed) }
}

/// The system's resolver without the addresses that are never called. What it gives is what is connected to, so a name
/// cannot mean one address when it is checked and another when it is used.
pub(super) struct Resolver;

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found: Vec<SocketAddr> = tokio::net::lookup_host((name.as_str(), 0)).await?.collect();
            let allowed = allowed(found)?;
            Ok(Box::new(allowed.into_iter()) as Addrs)
        })
    }
}
