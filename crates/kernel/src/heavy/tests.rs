use super::*;
use engine::{Headers, Input, Operation, Peer, Reply, RequestPath, Route};

fn nothing(_: &mut (), (): ()) -> Result<Reply, Fault> {
    Ok(Reply::empty())
}

fn request(path: &str, operation: Operation, fields: serde_json::Value) -> Request {
    let mut input = Input::default();
    input.fields.extend(fields.as_object().cloned().unwrap_or_default());
    Request {
        id: String::new(),
        operation,
        path: RequestPath::new(path.to_owned()).unwrap(),
        namespace: None,
        token: None,
        input,
        wrap_ttl: None,
        headers: Headers::default(),
        peer: Peer::default(),
        head: false,
    }
}

#[test]
fn a_batch_is_heavy_where_one_is_not() {
    let table: Table<()> = Table::new(vec![Route::at("sign/{name}", "").heavy_with(&["batch_input"]).write(nothing)]);
    let heavy = HeavyRoutes(heavy_of(&table));
    for (fields, is_heavy) in
        [(serde_json::json!({ "batch_input": [] }), true), (serde_json::json!({ "input": "" }), false)]
    {
        let request = request("transit/sign/a", Operation::Update, fields);
        assert_eq!(heavy.may_mean_one(&request), is_heavy);
        assert_eq!(found_heavy(&table, "sign/a", &request), is_heavy);
    }
}

#[test]
fn a_path_that_cannot_mean_a_heavy_route_is_told_without_the_mount_table() {
    let table: Table<()> = Table::new(vec![
        Route::at("keys/{name}", "").read(nothing),
        Route::at("keys/{name}", "").heavy().write(nothing),
        Route::at("wrapping_key", "").heavy().read(nothing),
    ]);
    let tails = heavy_of(&table);
    let may = |path: &str, operation| tails.iter().any(|(tail, _)| tail.fits(path, operation));
    for path in ["transit/keys/a", "a/namespace/and/a/mount/keys/a", "keys/a", "transit/keys/a/"] {
        assert!(may(path, Operation::Update), "{path}");
        assert!(!may(path, Operation::Read), "{path}");
    }
    assert!(may("transit/wrapping_key", Operation::Read));
    for path in ["transit/encrypt/a", "transit/keys", "keys", "", "/", "transit/keys/a/b"] {
        assert!(!may(path, Operation::Update), "{path}");
    }
    let lookups = [("keys/a", Operation::Update, true), ("keys/a", Operation::Read, false)];
    for (path, operation, heavy) in lookups {
        let request = request(path, operation, serde_json::Value::Null);
        assert_eq!(found_heavy(&table, path, &request), heavy, "{path}");
    }
}
