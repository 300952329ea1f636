//! What every namespace mounts: keeps one value of each token, and forgets it when the token ends.

use engine::{Class, Cx, Engine, Fault, Options, Reply, Route, Table};

engine::request! {
    /// The value.
    pub struct Hide {
        /// Anything.
        value: String,
    }
}

/// The engine.
pub struct Cubbyhole(Table<Cx>);

impl Cubbyhole {
    pub fn new() -> Self {
        Self(Table::new(vec![Route::at("own", "Keeps a value.").write(hide)]))
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
    fn token_ended(&self, cx: &mut Cx, cubbyhole: &str) -> Result<(), Fault> {
        cx.tx.delete_all(&format!("{cubbyhole}/"))?;
        Ok(())
    }
}

fn hide(cx: &mut Cx, request: Hide) -> Result<Reply, Fault> {
    let owner = cx.caller.as_ref().unwrap().cubbyhole.clone();
    cx.tx.put("hidden/1", &format!("{owner}/own"), request.value.into_bytes());
    Ok(Reply::empty())
}
