//! Every other path: mostly paths of version 1 that are asked of version 2, for which upstream has a kind word.

use engine::{Cx, Fault, Operation, Reply, Route};

/// The last route.
pub(super) fn route() -> Route<Cx> {
    Route::at("{path:any}", "Tells who comes with a path of version 1 what is wrong with it.")
        .read(answer)
        .write(answer)
        .patch(answer)
        .delete(answer)
        .list(answer)
        .on(Operation::Scan, answer)
}

fn answer(cx: &mut Cx, (): ()) -> Result<Reply, Fault> {
    let lists = matches!(cx.operation, Operation::List | Operation::Scan);
    let (resource, below) = match cx.path.split_once('/') {
        Some((resource, below)) => (resource, Some(below)),
        None => (cx.path.as_str(), None),
    };
    match (resource, below) {
        ("data" | "delete" | "undelete" | "destroy" | "metadata", None) if !lists => {
            Ok(not_found("Non-listing operations on the root of a K/V v2 mount are not supported.".to_owned()))
        }
        ("config", None) if !lists => Err(Fault::UnsupportedOperation),
        ("data" | "subkeys" | "metadata", Some("")) if cx.operation == Operation::Read => Err(Fault::Missing),
        ("data" | "metadata", Some("")) if cx.operation == Operation::Delete => Ok(Reply::empty()),
        (_, Some(below))
            if cx.operation.writes()
                && (below.is_empty() || below.ends_with('/'))
                && cx.operation != Operation::Delete =>
        {
            Err(Fault::invalid("cannot write to a path ending in '/'"))
        }
        ("data" | "delete" | "undelete" | "destroy" | "metadata", _) => Err(Fault::UnsupportedOperation),
        ("subkeys" | "detailed-metadata", Some(_)) => Err(Fault::UnsupportedOperation),
        _ => Ok(not_found(format!(
            "Invalid path for a versioned K/V secrets engine. See the API docs for the appropriate API endpoints to use. \
             If using the OpenBao CLI, use 'bao kv {}' for this operation.",
            command(cx.operation)
        ))),
    }
}

fn not_found(warning: String) -> Reply {
    Reply::empty().warn(warning).status(404)
}

fn command(operation: Operation) -> &'static str {
    match operation {
        Operation::Create | Operation::Update => "put",
        Operation::Read | Operation::Help => "get",
        Operation::Delete => "delete",
        Operation::List | Operation::Scan => "list",
        Operation::Patch => "patch",
    }
}
