//! What clients write: paths, JSON bodies, policies, durations.

use kernel::policy::{Acl, Attached, Check, Policy};
use serde_json::{Map, Value};
use wire::{Operation, RequestPath, scalar};

/// A path that is accepted is canonical: no reader can take it apart in another way, and it survives being written out.
pub fn path(bytes: &[u8]) {
    let Ok(raw) = std::str::from_utf8(bytes) else { return };
    let Ok(path) = RequestPath::from_raw(raw) else { return };
    let text = path.as_str();
    let body = text.strip_suffix('/').unwrap_or(text);
    assert!(text.is_empty() || !body.split('/').any(|segment| ["", ".", ".."].contains(&segment)), "{text:?}");
    assert!(!text.chars().any(char::is_control), "{text:?}");
    assert_eq!(path.is_folder(), text.ends_with('/'));
    let encode = |byte: u8| if byte == b'/' { "/".to_owned() } else { format!("%{byte:02X}") };
    let encoded: String = text.bytes().map(encode).collect();
    assert_eq!(RequestPath::from_raw(&encoded).map(|again| again.as_str().to_owned()).as_deref(), Ok(text));
    assert_eq!(RequestPath::new(text).map(|again| again.as_str().to_owned()).as_deref(), Ok(text));
    let segments = |text: &str| text.matches('/').count();
    assert_eq!(segments(raw), segments(text), "no slash comes or goes");
}

/// A body that is accepted means the same to any other parser, and again to ours.
pub fn json(bytes: &[u8]) {
    let Ok(members) = server::http::strict_json(bytes) else { return };
    let written = serde_json::to_vec(&members).expect("members with text keys are JSON");
    assert_eq!(server::http::strict_json(&written).as_ref(), Ok(&members), "written out it is the same");
    if !bytes.iter().all(u8::is_ascii_whitespace) {
        let lenient: Option<Map<String, Value>> = serde_json::from_slice(bytes).expect("what we accept is JSON");
        assert_eq!(lenient.unwrap_or_default(), members, "another parser reads the same");
    }
    assert!(depth(&Value::Object(members)) <= 101);
}

fn depth(value: &Value) -> usize {
    match value {
        Value::Array(items) => 1 + items.iter().map(depth).max().unwrap_or(0),
        Value::Object(members) => 1 + members.values().map(depth).max().unwrap_or(0),
        _ => 0,
    }
}

/// Paths that policies are asked about.
const PATHS: [&str; 8] =
    ["a", "a/", "a/b", "secret/data/x", "secret/data/x/", "sys/mounts", "auth/token/create", "a/b/c/d"];

/// A policy decides the same each time; a deny added to it takes and never gives; a list is judged as its folder; and no
/// policy is root.
pub fn policy(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    let Ok(policy) = Policy::parse(text) else { return };
    let deny = Policy::parse("path \"a/*\" { capabilities = [\"deny\"] }").expect("a policy");
    let one = Attached { name: "p", prefix: "", policy: &policy };
    let other = Attached { name: "d", prefix: "", policy: &deny };
    let acl = Acl::compile(std::slice::from_ref(&one), None);
    let again = Acl::compile(std::slice::from_ref(&one), None);
    let stricter = Acl::compile(&[one, other], None);
    for path in PATHS {
        for operation in Operation::ALL {
            let check = Check { path, operation, parameters: None, wrap_ttl: None };
            let allowed = acl.check(&check).allowed;
            assert_eq!(allowed, again.check(&check).allowed);
            assert!(allowed || !stricter.check(&check).allowed, "a deny gave {operation:?} on {path}");
            if matches!(operation, Operation::List | Operation::Scan) {
                let folder = format!("{}/", path.trim_end_matches('/'));
                assert_eq!(allowed, acl.check(&Check { path: &folder, ..check }).allowed, "{path} is not its folder");
            }
        }
        assert_ne!(acl.capabilities(path), ["root"]);
    }
}

/// A duration that is accepted is a number of seconds that says the same when it is written out.
pub fn duration(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else { return };
    if let Some(seconds) = scalar::parse_duration(text) {
        assert_eq!(scalar::parse_duration(&seconds.to_string()), Some(seconds), "{text:?}");
        if seconds.unsigned_abs() < 1 << 50 {
            assert_eq!(scalar::parse_duration(&format!("{seconds}s")), Some(seconds), "{text:?}");
        }
    }
    if let Ok(seconds) = scalar::seconds(&Value::String(text.to_owned())) {
        assert!(seconds.unsigned_abs() <= 100 * 366 * 86_400, "{text:?}");
    }
    if let Ok(at) = wire::Timestamp::parse_rfc3339(text) {
        let written = at.to_rfc3339();
        let again = wire::Timestamp::parse_rfc3339(&written).expect("our own form");
        assert!(again == at && again.to_rfc3339() == written, "{text:?}");
    }
}
