//! Turning a mount from one value per path to versions of it.

use super::{v1, v2};
use engine::{Cx, Fault, Page};

/// Makes each secret of version 1 the first version of a secret of version 2. Nothing is left to do when it runs again.
pub(super) fn to_versions(cx: &mut Cx) -> Result<(), Fault> {
    for name in cx.tx.scan(v1::FOLDER, &Page::all())? {
        let old = format!("{}{name}", v1::FOLDER);
        if let Some(secret) = cx.tx.get(v1::KIND, &old)? {
            v2::adopt(cx, &name, secret.to_vec())?;
        }
        cx.tx.delete(&old);
    }
    Ok(())
}

/// Refuses to hide versions behind an engine that knows none.
pub(super) fn refuse_downgrade(cx: &mut Cx) -> Result<(), Fault> {
    let page = Page { limit: Some(1), ..Page::all() };
    let versioned = cx.tx.list(v2::METADATA_FOLDER, &page)?;
    if versioned.is_empty() {
        Ok(())
    } else {
        Err(Fault::invalid("cannot downgrade a versioned kv mount to version 1"))
    }
}
