//! Patterns against paths.

use super::*;

fn names(pattern: &'static str, path: &str) -> Option<Vec<(&'static str, String)>> {
    Route::<()>::at(pattern, "").matches(path)
}

#[test]
fn patterns_match_whole_paths() {
    assert_eq!(names("role/{name}", "role/a"), Some(vec![("name", "a".into())]));
    assert_eq!(names("role/{name}", "role/a/"), Some(vec![("name", "a".into())]));
    assert_eq!(names("role/{name}", "role/a/b"), None);
    assert_eq!(names("role/{name}", "role"), None);
    assert_eq!(names("data/{path:path}", "data/a/b"), Some(vec![("path", "a/b".into())]));
    assert_eq!(names("data/{path:path}", "data"), None);
    assert_eq!(names("data/{path:any}", "data/"), Some(vec![("path", String::new())]));
    assert_eq!(names("{path:any}", ""), Some(vec![("path", String::new())]));
    assert_eq!(names("config", "config"), Some(vec![]));
    assert_eq!(names("", ""), Some(vec![]));
}

#[test]
fn a_listing_of_what_is_no_folder_meets_no_path() {
    let read = |path| Route::<()>::at(path, "").read(|(), ()| Ok(Reply::empty()));
    let table = Table::new(vec![
        read("role/{name}"),
        read("entity/{name:path}"),
        read("all").list(|(), ()| Ok(Reply::empty())),
    ]);
    let lookup = |path, operation| match table.lookup(path, operation) {
        Lookup::Found(_) => 200,
        Lookup::UnsupportedOperation => 405,
        Lookup::UnsupportedPath => 404,
    };
    assert_eq!(lookup("role/a", Operation::List), 404);
    assert_eq!(lookup("role/a", Operation::Delete), 405);
    assert_eq!(lookup("entity/a", Operation::List), 405);
    assert_eq!(lookup("all", Operation::List), 200);
}
