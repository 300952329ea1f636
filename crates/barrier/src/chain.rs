//! The keyed chain over the store's log.

use crypto::MacKey;
use store::ChainMac;

/// HMAC-SHA-256 over the MAC of the batch before and the batch.
pub(crate) struct Chain(MacKey);

impl Chain {
    pub(crate) fn new(key: MacKey) -> Self {
        Self(key)
    }
}

impl ChainMac for Chain {
    fn mac(&self, previous: &[u8; 32], batch: &[u8]) -> [u8; 32] {
        self.0.mac(&[previous, batch])
    }
}
