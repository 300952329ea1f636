use super::*;
use engine::{Reply, Route};

fn nothing(_: &mut (), (): ()) -> Result<Reply, Fault> {
    Ok(Reply::empty())
}

#[test]
fn a_path_that_cannot_mean_a_heavy_route_is_told_without_the_mount_table() {
    let table: Table<()> = Table::new(vec![
        Route::at("keys/{name}", "").read(nothing),
        Route::at("keys/{name}", "").heavy().write(nothing),
        Route::at("wrapping_key", "").heavy().read(nothing),
    ]);
    let tails = heavy_of(&table);
    let may = |path: &str, operation| tails.iter().any(|tail| tail.fits(path, operation));
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
        assert_eq!(found_heavy(&table, path, operation), heavy, "{path}");
    }
}
