use super::*;
use engine::bench::Bench;
use engine::{Operation, Reply};
use serde_json::{Value, json};
use std::collections::BTreeSet;

fn bench() -> Bench {
    Bench::new(engine(), &[])
}

fn data(reply: Result<Reply, Fault>) -> Value {
    reply.expect("the request succeeds").value().cloned().unwrap_or(Value::Null)
}

/// Status and first message of a failure.
fn refusal(reply: Result<Reply, Fault>) -> (u16, String) {
    match reply.map(|reply| reply.status.unwrap_or_default()).unwrap_err() {
        Fault::Invalid(messages) => (400, messages.join("; ")),
        Fault::Status(status, messages) => (status, messages.join("; ")),
        other => (500, format!("fault: {other}")),
    }
}

fn text(value: &Value, name: &str) -> String {
    value[name].as_str().unwrap_or_default().to_owned()
}

fn encrypt(bench: &mut Bench, name: &str, body: Value) -> String {
    text(&data(bench.write(&format!("encrypt/{name}"), body)), "ciphertext")
}

const TYPES: [&str; 12] = [
    "aes128-gcm96",
    "aes256-gcm96",
    "chacha20-poly1305",
    "xchacha20-poly1305",
    "ed25519",
    "ecdsa-p256",
    "ecdsa-p384",
    "ecdsa-p521",
    "rsa-2048",
    "rsa-3072",
    "rsa-4096",
    "hmac",
];

#[test]
fn what_was_encrypted_is_decrypted_with_the_version_it_names() {
    let mut bench = bench();
    for kind in ["aes128-gcm96", "aes256-gcm96", "chacha20-poly1305", "xchacha20-poly1305", "rsa-2048"] {
        let name = format!("key-{kind}");
        data(bench.write(&format!("keys/{name}"), json!({ "type": kind })));
        let first = encrypt(&mut bench, &name, json!({ "plaintext": "aGVsbG8=" }));
        assert!(first.starts_with("vault:v1:"), "{first}");
        data(bench.write(&format!("keys/{name}/rotate"), json!({})));
        let second = encrypt(&mut bench, &name, json!({ "plaintext": "aGVsbG8=" }));
        assert!(second.starts_with("vault:v2:"), "{second}");
        for ciphertext in [&first, &second] {
            let opened = data(bench.write(&format!("decrypt/{name}"), json!({ "ciphertext": ciphertext })));
            assert_eq!(text(&opened, "plaintext"), "aGVsbG8=", "{kind}");
        }
        let wrapped = data(bench.write(&format!("rewrap/{name}"), json!({ "ciphertext": first })));
        assert!(text(&wrapped, "ciphertext").starts_with("vault:v2:"));
        data(bench.write(&format!("keys/{name}/config"), json!({ "min_decryption_version": 2 })));
        let refused = refusal(bench.write(&format!("decrypt/{name}"), json!({ "ciphertext": first })));
        assert_eq!(refused, (400, answers::TOO_OLD.to_owned()));
    }
}

#[test]
fn a_trimmed_version_is_gone_from_storage() {
    let mut bench = bench();
    data(bench.write("keys/k", json!({})));
    data(bench.write("keys/k/rotate", json!({})));
    let versions = |bench: &Bench| bench.stored().iter().filter(|(key, _)| key.starts_with("version/k/")).count();
    assert_eq!(versions(&bench), 2);
    let both = json!({ "min_decryption_version": 2, "min_encryption_version": 2 });
    data(bench.write("keys/k/config", both));
    data(bench.write("keys/k/trim", json!({ "min_available_version": 2 })));
    assert_eq!(versions(&bench), 1);
    let (status, text) = refusal(bench.write("keys/k/config", json!({ "min_decryption_version": 1 })));
    assert_eq!((status, text.contains("min available version")), (400, true));
    assert_eq!(refusal(bench.delete("keys/k")).0, 400);
    data(bench.write("keys/k/config", json!({ "deletion_allowed": true })));
    data(bench.delete("keys/k"));
    assert_eq!(bench.stored().len(), 0, "nothing of a deleted key is left");
}

#[test]
fn s47_every_pair_of_creation_parameters_is_answered() {
    let switches = ["derived", "convergent_encryption", "exportable", "allow_plaintext_backup"];
    let mut made = 0;
    for kind in TYPES.into_iter().filter(|kind| !matches!(*kind, "rsa-3072" | "rsa-4096")) {
        for one in switches {
            for other in switches {
                for key_size in [0, 32] {
                    let mut bench = bench();
                    let body = json!({ "type": kind, one: true, other: true, "key_size": key_size });
                    let derives = one == "derived" || other == "derived";
                    match bench.write("keys/k", body) {
                        Ok(_) => made += 1,
                        Err(Fault::Invalid(_) | Fault::Status(500, _)) => {
                            assert_eq!(bench.stored().len(), 0);
                            continue;
                        }
                        Err(other) => panic!("{kind} {one}: {other}"),
                    }
                    let context = if derives { "Y3R4" } else { "" };
                    for path in ["encrypt/k", "sign/k", "hmac/k", "datakey/wrapped/k"] {
                        let body = json!({ "plaintext": "", "input": "", "context": context });
                        match bench.write(path, body) {
                            Ok(_) | Err(Fault::Invalid(_) | Fault::Status(500, _)) => {}
                            Err(other) => panic!("{kind} {path}: {other}"),
                        }
                    }
                }
            }
        }
    }
    assert!(made > 50, "{made} keys were made");
}

#[test]
fn s79_a_nonce_of_the_caller_is_never_used() {
    let mut bench = bench();
    data(bench.write("keys/k", json!({})));
    data(bench.write("keys/c", json!({ "derived": true, "convergent_encryption": true })));
    let body = json!({ "plaintext": "aGVsbG8=", "context": "Y3R4", "nonce": "AAAAAAAAAAAAAAAA" });
    let nonce = |ciphertext: &str| base64::decode(ciphertext.rsplit(':').next().unwrap()).unwrap()[..12].to_vec();
    let mut seen = BTreeSet::new();
    for _ in 0..2_000 {
        let made = nonce(&encrypt(&mut bench, "k", body.clone()));
        assert_ne!(made, [0; 12]);
        assert!(seen.insert(made), "a nonce repeats");
    }
    let same = [(); 2].map(|()| encrypt(&mut bench, "c", body.clone()));
    assert_eq!(same[0], same[1]);
    assert_ne!(nonce(&same[0]), [0; 12]);
    let other = encrypt(&mut bench, "c", json!({ "plaintext": "aGVsbG8h", "context": "Y3R4" }));
    assert_ne!(nonce(&other), nonce(&same[0]), "another plaintext has another nonce");
}

#[test]
fn signatures_and_macs_hold_for_their_message_only() {
    let mut bench = bench();
    for kind in ["ed25519", "ecdsa-p256", "ecdsa-p384", "ecdsa-p521", "rsa-2048"] {
        data(bench.write(&format!("keys/{kind}"), json!({ "type": kind })));
        for form in ["asn1", "jws"] {
            let body = json!({ "input": "aGVsbG8=", "marshaling_algorithm": form });
            let signature = text(&data(bench.write(&format!("sign/{kind}"), body)), "signature");
            for (input, valid) in [("aGVsbG8=", true), ("aGVsbG8h", false)] {
                let body = json!({ "input": input, "signature": signature, "marshaling_algorithm": form });
                let checked = data(bench.write(&format!("verify/{kind}"), body));
                assert_eq!(checked["valid"], json!(valid), "{kind} {form}");
            }
        }
        let mac = text(&data(bench.write(&format!("hmac/{kind}"), json!({ "input": "aGVsbG8=" }))), "hmac");
        for (input, valid) in [("aGVsbG8=", true), ("aGVsbG8h", false)] {
            let checked = data(bench.write(&format!("verify/{kind}"), json!({ "input": input, "hmac": mac })));
            assert_eq!(checked["valid"], json!(valid), "{kind}");
        }
    }
}

#[test]
fn key_material_leaves_only_where_that_was_allowed() {
    let mut bench = bench();
    data(bench.write("keys/k", json!({ "type": "ed25519" })));
    for path in ["export/signing-key/k", "export/hmac-key/k", "backup/k"] {
        refusal(bench.read(path));
    }
    data(bench.read("export/public-key/k"));
    data(bench.write("keys/k/config", json!({ "exportable": true })));
    data(bench.read("export/signing-key/k"));
    refusal(bench.read("backup/k"));
    data(bench.write("keys/k/config", json!({ "allow_plaintext_backup": true, "exportable": false })));
    assert_eq!(data(bench.read("keys/k"))["exportable"], json!(true), "it never becomes false again");
    data(bench.read("backup/k"));
    data(bench.delete("keys/k/soft-delete"));
    for path in ["export/signing-key/k", "backup/k"] {
        refusal(bench.read(path));
    }
    refusal(bench.write("sign/k", json!({ "input": "" })));
}

#[test]
fn a_backup_brings_back_every_type_with_all_versions() {
    let mut bench = bench();
    for kind in TYPES.into_iter().filter(|kind| !matches!(*kind, "rsa-3072" | "rsa-4096")) {
        let size = if kind == "hmac" { 48 } else { 0 };
        let body = json!({ "type": kind, "exportable": true, "allow_plaintext_backup": true, "key_size": size });
        data(bench.write(&format!("keys/{kind}"), body));
        data(bench.write(&format!("keys/{kind}/rotate"), json!({})));
        let mac = text(&data(bench.write(&format!("hmac/{kind}"), json!({ "input": "" }))), "hmac");
        let backup = text(&data(bench.read(&format!("backup/{kind}"))), "backup");
        assert_eq!(refusal(bench.write("restore", json!({ "backup": backup }))).0, 500, "it is there already");
        let other = format!("restored-{kind}");
        data(bench.write(&format!("restore/{other}"), json!({ "backup": backup })));
        let checked = data(bench.write(&format!("verify/{other}"), json!({ "input": "", "hmac": mac })));
        assert_eq!(checked["valid"], json!(true), "{kind}");
        let keys = |bench: &mut Bench, name: &str| data(bench.read(&format!("keys/{name}")))["keys"].clone();
        assert_eq!(keys(&mut bench, kind), keys(&mut bench, &other), "{kind}");
    }
    for junk in ["", "!!", "YWJj", "e30=", "eyJwb2xpY3kiOnsibGF0ZXN0X3ZlcnNpb24iOjl9fQ=="] {
        refusal(bench.write("restore/junk", json!({ "backup": junk })));
    }
}

#[test]
fn a_batch_is_bounded_and_tells_each_failure() {
    let mut bench = bench();
    data(bench.write("keys/k", json!({})));
    let batch = json!([{ "plaintext": "aGVsbG8=", "reference": "one" }, { "plaintext": "!!" }]);
    let mut send = |more: Value| {
        let mut body = json!({ "batch_input": batch });
        body.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        bench.write("encrypt/k", body).unwrap()
    };
    let reply = send(json!({}));
    assert_eq!(reply.status, Some(400));
    let results = reply.value().unwrap()["batch_results"].clone();
    assert_eq!(results[0]["reference"], json!("one"));
    assert_eq!(results[1]["error"], json!("illegal base64 data at input byte 0"));
    assert_eq!(send(json!({ "partial_failure_response_code": 207 })).status, Some(207));
    for (path, most) in [("encrypt/k", batch::BATCH_ITEMS_MAX), ("hmac/k", batch::BATCH_ITEMS_MAX)] {
        let items = |count: usize| json!({ "batch_input": vec![json!({ "plaintext": "", "input": "" }); count] });
        assert_eq!(refusal(bench.write(path, items(most + 1))).0, 400, "{path}");
    }
}

#[test]
fn keys_rotate_by_themselves_when_their_time_has_come() {
    let mut bench = bench();
    data(bench.write("keys/k", json!({ "auto_rotate_period": "1h" })));
    let tidy = |bench: &mut Bench| {
        let transit = Transit { table: Table::new(routes()) };
        bench.with(Operation::Update, "", Default::default(), |cx, _| transit.tidy(cx, 10)).unwrap()
    };
    assert_eq!(tidy(&mut bench), 0);
    bench.now = bench.now.plus_seconds(3_600);
    assert_eq!(tidy(&mut bench), 1);
    assert_eq!(tidy(&mut bench), 0);
    assert_eq!(data(bench.read("keys/k"))["latest_version"], json!(2));
    data(bench.write("keys/k/config", json!({ "auto_rotate_period": 0 })));
    bench.now = bench.now.plus_seconds(36_000);
    assert_eq!(tidy(&mut bench), 0);
}

#[test]
fn two_rotations_at_once_lose_no_version() {
    let mut bench = bench();
    data(bench.write("keys/k", json!({})));
    let [first, second] = bench.race(Operation::Update, "keys/k/rotate", json!({}));
    assert!(first.is_ok());
    assert!(second.is_err(), "it is run again on what the first wrote");
}
