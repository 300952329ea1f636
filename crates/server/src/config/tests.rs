//! Tests of the configuration: what starts, what is warned about, what is refused and why.

use super::{Address, Config, Others, Statuses, Storage, TlsVersions, read};
use std::os::unix::fs::PermissionsExt as _;
use std::path::PathBuf;
use std::time::Duration;

const LISTENER: &str = "listener \"tcp\" {\n address = \"127.0.0.1:8200\"\n tls_disable = 1\n}\n";
const STORAGE: &str = "storage \"inmem\" {}\n";

/// Reads files of these names and texts.
fn read_files(files: &[(&str, &str)]) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in files {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    read(&[folder.path().to_owned()]).map_err(|error| error.to_string())
}

fn config(text: &str) -> Result<Config, String> {
    read_files(&[("coffer.hcl", text)])
}

/// A configuration whose only listener has these keys.
fn with_listener(keys: &str) -> Result<Config, String> {
    config(&format!("{STORAGE}listener \"tcp\" {{\n tls_disable = true\n{keys}\n}}"))
}

/// A configuration with these keys at the top.
fn with_top(keys: &str) -> Result<Config, String> {
    config(&format!("{STORAGE}{LISTENER}{keys}"))
}

#[test]
fn hcl_and_both_spellings_of_json_say_the_same() {
    let hcl = "
        \"api_addr\" = \"http://here:8200\"
        disable_mlock = \"true\"
        default_lease_ttl = \"1h30m\"
        max_lease_ttl = 7200
        backend \"raft\" { path = \"/data\" node_id = \"one\" }
        listener \"tcp\" { address = \"127.0.0.1\" tls_disable = \"1\" }
        listener \"unix\" { address = \"/run/coffer.sock\" socket_mode = \"0660\" }";
    let objects = r#"{ "api_addr": "http://here:8200", "disable_mlock": 1, "default_lease_ttl": 5400, "max_lease_ttl": "2h",
        "storage": { "raft": { "path": "/data", "node_id": "one" } },
        "listener": { "tcp": { "address": "127.0.0.1", "tls_disable": true },
                      "unix": { "address": "/run/coffer.sock", "socket_mode": "0660" } } }"#;
    let arrays = r#"{ "api_addr": "http://here:8200", "disable_mlock": true, "default_lease_ttl": "5400s", "max_lease_ttl": "120m",
        "storage": [{ "raft": [{ "path": "/data", "node_id": "one" }] }],
        "listener": [{ "tcp": [{ "address": "127.0.0.1", "tls_disable": "true" }] },
                     { "unix": { "address": "/run/coffer.sock", "socket_mode": "0660" } }] }"#;
    for (name, text) in [("a.hcl", hcl), ("a.json", objects), ("a.json", arrays)] {
        let config = read_files(&[(name, text)]).unwrap();
        assert_eq!(config.api_addr, "http://here:8200", "{text}");
        assert_eq!((config.settings.default_lease_ttl, config.settings.max_lease_ttl), (5400, 7200));
        assert_eq!(config.storage, Storage::Local { path: PathBuf::from("/data"), named: "raft".to_owned() });
        let [tcp, unix] = config.listeners.as_slice() else { panic!("two listeners") };
        assert_eq!(tcp.address, Address::Tcp("127.0.0.1:8200".to_owned()));
        let Address::Unix(socket) = &unix.address else { panic!("a unix socket") };
        assert_eq!((socket.path.to_str(), socket.mode), (Some("/run/coffer.sock"), Some(0o660)));
        assert_eq!(config.warnings, ["storage \"raft\" runs on the embedded store in /data"]);
    }
}

#[test]
fn a_folder_is_read_in_order_of_names_and_the_later_file_wins() {
    let files = [
        ("20.hcl", "log_level = \"debug\""),
        ("10.hcl", "log_level = \"warn\"\ncluster_name = \"ten\""),
        ("00.json", "{ \"storage\": { \"inmem\": {} } }"),
        ("30.hcl", LISTENER),
        ("40.txt", "this is not read"),
    ];
    let config = read_files(&files).unwrap();
    assert_eq!((config.log_level.as_str(), config.cluster_name.as_str()), ("debug", "ten"));
}

#[test]
fn unknown_keys_and_keys_without_effect_are_warned_about() {
    let config = with_top("nonsense = 1\nplugin_directory = \"/x\"\ntelemetry { statsd_address = \"x\" }").unwrap();
    assert_eq!(config.warnings.len(), 3, "{:?}", config.warnings);
    assert!(config.warnings[0].contains("unknown configuration key \"nonsense\""));
    assert!(config.warnings.iter().any(|warning| warning == "plugin_directory has no effect here"));
    assert!(config.warnings.iter().any(|warning| warning.starts_with("telemetry: statsd_address")));
    let config = with_listener("nonsense = 1\nhttp_read_timeout = \"5s\"").unwrap();
    assert!(config.warnings[0].contains("unknown configuration key \"nonsense\""), "{:?}", config.warnings);
    assert!(config.warnings[1].contains("http_read_timeout"));
    let config = with_listener("address = \"0.0.0.0:8200\"").unwrap();
    assert!(config.warnings[0].contains("reachable from outside"));
    assert!(with_listener("address = \"localhost:8200\"").unwrap().warnings.is_empty());
}

#[test]
fn a_listener_has_upstreams_defaults() {
    let listener = with_listener("").unwrap().listeners.remove(0);
    assert_eq!(listener.address, Address::Tcp("127.0.0.1:8200".to_owned()));
    assert_eq!(listener.limits.body_bytes_max, 32 << 20);
    assert_eq!(listener.limits.request_time_max, Duration::from_secs(90));
    assert!(!listener.limits.require_request_header);
    assert!(listener.proxy.is_none() && listener.forwarded.is_none() && listener.headers.is_empty());
    assert!(!listener.open.rekey && !listener.open.generate_root && !listener.open_metrics && !listener.open_in_flight);
}

#[test]
fn a_listener_takes_what_it_is_given() {
    let keys = r#"
        address = ":8300"
        max_request_size = "1024"
        max_request_duration = "5s"
        require_request_header = "true"
        disable_unauthed_rekey_endpoints = false
        proxy_protocol_behavior = "allow_authorized"
        proxy_protocol_authorized_addrs = "10.0.0.1, 10.1.0.0/16"
        x_forwarded_for_authorized_addrs = ["10.0.0.0/8"]
        x_forwarded_for_hop_skips = "1"
        x_forwarded_for_reject_not_present = false
        telemetry { unauthenticated_metrics_access = true }
        profiling { unauthenticated_in_flight_request_access = true }
        custom_response_headers {
          "404" = { "X-A" = ["not", "found"] }
          "default" = { "X-A" = ["all"] }
          "2xx" = { "X-B" = "fine" }
        }"#;
    let listener = with_listener(keys).unwrap().listeners.remove(0);
    assert_eq!(listener.address, Address::Tcp("[::]:8300".to_owned()));
    assert_eq!(listener.limits.body_bytes_max, 1024);
    assert_eq!(listener.limits.request_time_max, Duration::from_secs(5));
    assert!(listener.limits.require_request_header);
    assert!(listener.open.rekey && !listener.open.generate_root);
    assert_eq!(listener.proxy.as_ref().unwrap().others, Others::Ignored);
    assert_eq!(listener.proxy.unwrap().authorized.texts(), ["10.0.0.1", "10.1.0.0/16"]);
    let forwarded = listener.forwarded.unwrap();
    assert_eq!((forwarded.hop_skips, forwarded.reject_not_present, forwarded.reject_not_authorized), (1, false, true));
    assert!(listener.open_metrics && listener.open_in_flight);
    let rules: Vec<(Statuses, &str)> =
        listener.headers.iter().map(|rule| (rule.statuses, rule.headers[0].1.as_str())).collect();
    assert_eq!(rules, [(Statuses::All, "all"), (Statuses::Class(2), "fine"), (Statuses::One(404), "not; found")]);
}

#[test]
fn f40_what_contradicts_itself_or_is_unsafe_is_refused_with_the_reason() {
    for (keys, reason) in [
        ("max_request_size = 0", "max_request_size"),
        ("max_request_duration = \"soon\"", "max_request_duration"),
        ("tls_disable = \"perhaps\"", "tls_disable is not a boolean"),
        ("require_request_header = \"x\"", "require_request_header"),
        ("proxy_protocol_behavior = \"always\"", "use_always"),
        ("proxy_protocol_behavior = \"deny_unauthorized\"", "proxy_protocol_authorized_addrs"),
        ("proxy_protocol_authorized_addrs = \"10.0.0.0/99\"", "CIDR"),
        ("x_forwarded_for_hop_skips = 1", "needs x_forwarded_for_authorized_addrs"),
        ("x_forwarded_for_authorized_addrs = \"anybody\"", "CIDR"),
        ("custom_response_headers { \"default\" = { \"X-Vault-Token\" = \"x\" } }", "X-Vault-"),
        ("custom_response_headers { \"6xx\" = { \"X-A\" = \"x\" } }", "neither default nor a status"),
        ("custom_response_headers { \"default\" = { \"X A\" = \"x\" } }", "not a header"),
        ("chroot_namespace = \"admin\"", "chroot_namespace"),
    ] {
        let error = with_listener(keys).unwrap_err();
        assert!(error.contains(reason), "{keys}: {error}");
    }
    for (keys, reason) in [
        ("raw_storage_endpoint = true", "as good as root"),
        ("default_lease_ttl = \"2h\"\nmax_lease_ttl = \"1h\"", "longer than max_lease_ttl"),
        ("max_lease_ttl = \"long\"", "max_lease_ttl is not a duration"),
        ("log_level = \"loud\"", "log_level"),
        ("log_format = \"xml\"", "log_format"),
        ("seal \"awskms\" {}", "unknown seal type"),
        ("seal \"static\" {}", "current_key"),
        ("seal \"static\" { current_key = \"short\" }", ""),
        ("seal \"static\" { current_key = \"env://COFFER_TEST_NOT_SET\" }", "is not set"),
        ("audit \"file\" \"a\" {}", "file_path is required"),
        ("audit \"carrier pigeon\" \"a\" {}", "unknown audit backend"),
        ("audit \"file\" \"a\" { options = { file_path = \"/x\" prefix = \"#!/bin/sh\" } }", "prefix"),
        ("audit \"syslog\" \"a\" {}\naudit \"syslog\" \"a/\" {}", "declared twice"),
        ("telemetry { otlp_endpoint = \"collector:4318\" }", "http://"),
        ("listener \"carrier\" {}", "unknown listener type"),
        ("listener \"unix\" {}", "needs an address"),
        ("listener \"unix\" { address = \"/x\" socket_mode = \"rw\" }", "octal"),
    ] {
        let error = with_top(keys).unwrap_err();
        assert!(error.contains(reason), "{keys}: {error}");
    }
    assert!(config(LISTENER).unwrap_err().contains("storage backend must be specified"));
    assert!(config(STORAGE).unwrap_err().contains("listener must be specified"));
    assert!(config("storage \"raft\" {}").unwrap_err().contains("'path' must be set"));
    assert!(config("storage \"postgresql\" {}").unwrap_err().contains("unknown storage type"));
    assert!(config("storage \"inmem\" {").unwrap_err().contains("coffer.hcl"));
}

#[test]
fn tls_is_read_and_contradictions_are_refused() {
    let tls = |keys: &str| {
        let files = "tls_cert_file = \"/c.pem\"\n tls_key_file = \"/k.pem\"";
        config(&format!("{STORAGE}listener \"tcp\" {{\n{files}\n{keys}\n}}"))
    };
    let versions = |keys: &str| tls(keys).unwrap().listeners.remove(0).tls.unwrap().versions;
    assert_eq!(versions(""), TlsVersions::Both);
    assert_eq!(versions("tls_min_version = \"tls13\""), TlsVersions::Only13);
    assert_eq!(versions("tls_max_version = \"tls12\""), TlsVersions::Only12);
    for (keys, reason) in [
        ("tls_min_version = \"tls10\"", "tls12 or tls13"),
        ("tls_min_version = \"tls13\"\ntls_max_version = \"tls12\"", "above"),
        ("tls_require_and_verify_client_cert = true", "tls_client_ca_file"),
        ("tls_require_and_verify_client_cert = true\ntls_disable_client_certs = true", "mutually exclusive"),
    ] {
        let error = tls(keys).unwrap_err();
        assert!(error.contains(reason), "{keys}: {error}");
    }
    let missing = config(&format!("{STORAGE}listener \"tcp\" {{ tls_cert_file = \"/c.pem\" }}"));
    assert!(missing.unwrap_err().contains("tls_key_file"));
}

#[test]
fn f40_files_that_others_may_change_are_refused() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str, mode: u32| {
        let path = folder.path().join(name);
        std::fs::write(&path, text).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    };
    let refused = |path: &PathBuf| read(std::slice::from_ref(path)).unwrap_err().to_string();
    let open = write("open.hcl", &format!("{STORAGE}{LISTENER}"), 0o666);
    assert!(refused(&open).contains("writable by everybody"));

    let key = write("seal.key", &"ab".repeat(32), 0o644);
    let sealed = format!("{STORAGE}{LISTENER}seal \"static\" {{ current_key = \"file://{}\" }}", key.display());
    let sealed = write("sealed.hcl", &sealed, 0o644);
    assert!(refused(&sealed).contains("holds a key"));
    std::fs::set_permissions(&key, std::fs::Permissions::from_mode(0o640)).unwrap();
    assert!(read(&[sealed]).unwrap().seal_key.is_some());

    let tls_key = write("tls.key", "", 0o664);
    let tls =
        format!("{STORAGE}listener \"tcp\" {{ tls_cert_file = \"/c.pem\" tls_key_file = \"{}\" }}", tls_key.display());
    let tls = write("tls.hcl", &tls, 0o644);
    assert!(refused(&tls).contains("holds a key"));
    std::fs::set_permissions(&tls_key, std::fs::Permissions::from_mode(0o644)).unwrap();
    assert!(read(std::slice::from_ref(&tls)).unwrap().warnings[0].contains("may read"));
    std::fs::set_permissions(&tls_key, std::fs::Permissions::from_mode(0o600)).unwrap();
    assert!(read(&[tls]).unwrap().warnings.is_empty());
}

#[test]
fn s103_the_sanitized_configuration_shows_only_what_is_listed() {
    let text = format!(
        "{STORAGE}listener \"tcp\" {{
            tls_disable = true
            custom_response_headers {{ \"default\" = {{ \"X-Secret\" = \"CANARY1\" }} }}
        }}
        seal \"static\" {{ current_key = \"{}\" }}
        audit \"http\" \"away\" {{ options = {{ uri = \"http://CANARY2@x/\" headers = \"{{\\\"a\\\":\\\"CANARY3\\\"}}\" }} }}
        telemetry {{ otlp_endpoint = \"http://user:CANARY4@127.0.0.1:4318\" }}",
        "ca".repeat(32)
    );
    let config = config(&text).unwrap();
    let shown = config.sanitized().to_string();
    assert!(shown.contains("127.0.0.1:8200"));
    let debug = format!("{config:?}");
    assert!(!shown.contains("CANARY") && !shown.contains("caca") && !debug.contains("caca"), "{shown}");
}
