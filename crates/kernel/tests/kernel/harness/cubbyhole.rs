//! What every namespace mounts, without anything in it: a token that ends asks for it.

use engine::{Class, Cx, Engine, Options, Table};

/// The engine.
pub struct Cubbyhole(Table<Cx>);

impl Cubbyhole {
    pub fn new() -> Self {
        Self(Table::new(Vec::new()))
    }
}

impl Engine for Cubbyhole {
    fn kind(&self) -> &'static str {
        "cubbyhole"
    }
    fn class(&self) -> Class {
        Class::Secret
    }
    fn summary(&self) -> &'static str {
        "Nothing."
    }
    fn table(&self, _options: &Options) -> &Table<Cx> {
        &self.0
    }
}
