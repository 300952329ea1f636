//! Values that must not show: in a log, in an error, in a comparison's timing or in freed memory.

use std::fmt;
use subtle::ConstantTimeEq;
use zeroize::Zeroize;

#[cfg(test)]
mod tests;

/// A secret value. It has no content in `Debug`, no `Display`, no `Clone`, no `Serialize` and no `==`, and its memory is
/// wiped when it is dropped. Reading it takes an explicit [`Secret::expose`].
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes a value into custody.
    pub fn new(value: T) -> Self {
        Self(value)
    }

    /// The value. Keep the borrow short and copy nothing out of it that outlives the need.
    pub fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize + AsRef<[u8]>> Secret<T> {
    /// Whether the secret is these bytes, in a time that depends on the lengths only.
    pub fn same_as(&self, other: &[u8]) -> bool {
        same(self.0.as_ref(), other)
    }
}

impl Secret<String> {
    /// Copies text into custody.
    pub fn text(text: &str) -> Self {
        Self(text.to_owned())
    }

    /// The text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Secret<Vec<u8>> {
    /// Copies bytes into custody.
    pub fn bytes(bytes: &[u8]) -> Self {
        Self(bytes.to_vec())
    }

    /// The bytes.
    pub fn as_slice(&self) -> &[u8] {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> From<T> for Secret<T> {
    fn from(value: T) -> Self {
        Self::new(value)
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Secret(…)")
    }
}

/// Whether two byte strings are the same, in a time that depends on their lengths only.
pub fn same(left: &[u8], right: &[u8]) -> bool {
    left.ct_eq(right).into()
}
