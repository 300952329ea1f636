use base64::Engine as _;
use engine::bench::Bench;
use engine::{Fault, Operation, Reply};
use serde_json::{Value, json};

/// The key of RFC 6238's vectors, in base32.
const KEY: &str = "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ";
const REUSED: &str = "code already used; wait until the next time period";

fn bench() -> Bench {
    Bench::new(super::engine(), &[])
}

fn with_key(mut body: Value) -> Bench {
    let mut bench = bench();
    body["key"] = json!(KEY);
    bench.write("keys/k", body).unwrap();
    bench
}

fn value(reply: Reply) -> Value {
    reply.value().cloned().unwrap_or(Value::Null)
}

fn fault(result: Result<Reply, Fault>) -> String {
    match result {
        Ok(reply) => format!("ok {}", value(reply)),
        Err(fault) => fault.to_string(),
    }
}

fn check(bench: &mut Bench, code: &str) -> String {
    fault(bench.write("code/k", json!({ "code": code })))
}

fn code(bench: &mut Bench) -> String {
    bench.data("code/k").unwrap()["code"].as_str().unwrap().to_owned()
}

#[test]
fn a_key_is_taken_shown_listed_and_deleted() {
    let mut bench = with_key(json!({"issuer": "I", "account_name": "a", "digits": 8, "period": "1m"}));
    let shown = json!({"account_name": "a", "algorithm": "SHA1", "digits": 8, "issuer": "I", "period": 60});
    assert_eq!(bench.data("keys/k").unwrap(), shown);
    bench.write("keys/K@x", json!({"key": KEY.to_lowercase()})).unwrap();
    assert_eq!(bench.list("keys").unwrap(), ["K@x", "k"]);
    bench.delete("keys/k").unwrap();
    bench.delete("keys/k").unwrap();
    assert!(bench.data("keys/k").unwrap().is_null());
    assert_eq!(fault(bench.read("code/k")), "unknown key: k");
    assert_eq!(check(&mut bench, "1"), "unknown key: k");
}

#[test]
fn codes_are_made_with_their_times() {
    let mut bench = with_key(json!({"digits": 8}));
    bench.now = engine::Timestamp::from_seconds(1_111_111_109);
    let wanted = json!({"code": "07081804", "generated": 1_111_111_109, "expire_time": 1_111_111_110, "period": "30s"});
    assert_eq!(bench.data("code/k").unwrap(), wanted);
    for (period, wanted) in [(60, "1m0s"), (90, "1m30s"), (3600, "1h0m0s")] {
        let mut bench = with_key(json!({ "period": period }));
        assert_eq!(bench.data("code/k").unwrap()["period"], wanted);
    }
}

#[test]
fn a_key_is_made_and_told_once() {
    let mut bench = bench();
    let made = value(bench.write("keys/k", json!({"generate": true, "issuer": "I a", "account_name": "b@c"})).unwrap());
    let url = made["url"].as_str().unwrap();
    let (head, secret) = url.rsplit_once('=').unwrap();
    assert_eq!(head, "otpauth://totp/I%20a:b@c?algorithm=SHA1&digits=6&issuer=I%20a&period=30&secret");
    assert_eq!(secret.len(), 32);
    let image = base64::engine::general_purpose::STANDARD.decode(made["barcode"].as_str().unwrap()).unwrap();
    let read = png::Decoder::new(std::io::Cursor::new(image)).read_info().unwrap();
    assert_eq!((read.info().width, read.info().height), (200, 200));
    // What was told makes the same codes elsewhere.
    bench.write("keys/copy", json!({ "url": url })).unwrap();
    assert_eq!(bench.data("keys/copy").unwrap(), bench.data("keys/k").unwrap());
    assert_eq!(bench.data("code/copy").unwrap(), bench.data("code/k").unwrap());
    let bare = json!({"generate": true, "issuer": "I", "account_name": "a", "qr_size": 0});
    assert_eq!(value(bench.write("keys/bare", bare).unwrap()).as_object().unwrap().len(), 1);
    let kept = json!({"generate": true, "issuer": "I", "account_name": "a", "exported": false});
    assert!(value(bench.write("keys/kept", kept).unwrap()).is_null());
}

#[test]
fn an_address_says_all_of_a_key() {
    let mut bench = bench();
    for (query, wanted) in [
        ("totp/V:t@x?issuer=V&", json!({"account_name": "t@x", "issuer": "V", "digits": 6})),
        ("totp/t?algorithm=SHA512&digits=8&period=60&", json!({"account_name": "t", "issuer": "", "period": 60})),
        ("totp/A:t?issuer=B&", json!({"account_name": "t", "issuer": "B"})),
        ("totp/I%20a:b%3Ac?", json!({"account_name": "b:c", "issuer": "I a"})),
    ] {
        bench.write("keys/u", json!({"url": format!("otpauth://{query}secret={KEY}")})).unwrap();
        let shown = bench.data("keys/u").unwrap();
        for (name, value) in wanted.as_object().unwrap() {
            assert_eq!(&shown[name], value, "{query}");
        }
    }
    for (url, wanted) in [
        ("bad", "the key value is required"),
        ("otpauth://totp/t", "the key value is required"),
        ("otpauth://totp/t?secret=bad1", "invalid key value: not base32"),
        ("otpauth://totp/t?secret=AAAA&digits=x", "an error occurred while parsing digits value in url"),
        ("otpauth://totp/t?secret=AAAA&period=x", "an error occurred while parsing period value in url"),
        ("otpauth://totp/t?secret=AAAA&algorithm=md5", "the algorithm value is not valid"),
    ] {
        assert_eq!(fault(bench.write("keys/v", json!({ "url": url }))), wanted, "{url}");
    }
}

#[test]
fn bad_keys_are_refused_and_change_nothing() {
    let mut bench = with_key(json!({}));
    let before = bench.stored();
    let made = |name: &str, value: Value| json!({"generate": true, "issuer": "I", "account_name": "a", name: value});
    for (sent, wanted) in [
        (json!({}), "the key value is required"),
        (json!({"key": "bad!"}), "invalid key value: not base32"),
        (json!({"key": "===="}), "invalid key value: a key has 1 to 1024 bytes"),
        (json!({"key": KEY, "account_name": "x".repeat(513)}), "issuer and account_name must not be longer than 512 bytes"),
        (json!({"generate": true, "issuer": "I"}), "the account_name value is required for generated keys"),
        (json!({"generate": true, "account_name": "I"}), "the issuer value is required for generated keys"),
        (made("algorithm", json!("x")), "the algorithm value is not valid"),
        (made("digits", json!(7)), "the digits value can only be 6 or 8"),
        (made("period", json!(0)), "the period value must be greater than zero"),
        (made("skew", json!(2)), "the skew value must be 0 or 1"),
        (made("skew", json!(-1)), "the skew value must be 0 or 1"),
        (made("key_size", json!(0)), "the key_size value must be greater than zero"),
        (made("key_size", json!(1025)), "the key_size value must not be greater than 1024"),
        (made("qr_size", json!(-1)), "the qr_size value must be greater than or equal to zero"),
        (made("qr_size", json!(2001)), "the qr_size value must not be greater than 2000"),
        (made("qr_size", json!(20)), "the qr_size value is too small for the barcode of this key"),
        (made("key", json!(KEY)), "a key should not be passed if generate is true"),
        (made("url", json!("x")), "a url should not be passed if generate is true"),
    ] {
        assert_eq!(fault(bench.write("keys/k", sent.clone())), wanted, "{sent}");
    }
    assert_eq!(bench.stored(), before);
    assert!(matches!(bench.write("keys/a b", json!({})), Err(Fault::UnsupportedPath)));
}

#[test]
fn s62_a_code_is_accepted_once_over_its_whole_window() {
    let mut bench = with_key(json!({}));
    let now = bench.now;
    let first = code(&mut bench);
    assert_eq!(check(&mut bench, &first), r#"ok {"valid":true}"#);
    assert_eq!(check(&mut bench, &first), REUSED);
    // The period that follows still accepts it by its skew, and must not.
    bench.now = now.plus_seconds(30);
    assert_eq!(check(&mut bench, &first), REUSED);
    let second = code(&mut bench);
    assert_eq!(check(&mut bench, &second), r#"ok {"valid":true}"#);
    assert_eq!(check(&mut bench, &first), REUSED);
    bench.now = now.plus_seconds(60);
    assert_eq!(check(&mut bench, &first), r#"ok {"valid":false}"#);
    assert_eq!(check(&mut bench, &second), REUSED);
    // A code of the period ahead, taken early, is not taken again when its period comes.
    bench.now = now.plus_seconds(300);
    let ahead = code(&mut bench);
    bench.now = now.plus_seconds(270);
    assert_eq!(check(&mut bench, &ahead), r#"ok {"valid":true}"#);
    bench.now = now.plus_seconds(300);
    assert_eq!(check(&mut bench, &ahead), REUSED);
}

#[test]
fn s62_of_two_requests_with_one_code_one_is_accepted() {
    let mut bench = with_key(json!({}));
    let code = code(&mut bench);
    let answers = bench.race(Operation::Update, "code/k", json!({ "code": code }));
    assert_eq!(answers.into_iter().filter(Result::is_ok).count(), 1);
}

#[test]
fn s62_a_code_has_one_spelling() {
    let mut bench = with_key(json!({}));
    let code = code(&mut bench);
    let arabic: String = code.chars().map(|digit| char::from_u32(0x660 + digit.to_digit(10).unwrap()).unwrap()).collect();
    for other in [
        format!(" {code}"),
        format!("{code} "),
        format!("{code}\n"),
        format!("+{}", &code[1..]),
        format!("-{}", &code[1..]),
        format!("{} {}", &code[..3], &code[4..]),
        arabic,
        "abcdef".to_owned(),
        "12345".to_owned(),
    ] {
        assert_eq!(check(&mut bench, &other), "invalid number of digits for the code", "{other:?}");
    }
    assert_eq!(check(&mut bench, ""), "the code value is required");
    assert_eq!(check(&mut bench, &code), r#"ok {"valid":true}"#);
}

#[test]
fn the_skew_widens_what_is_accepted_by_one_period() {
    for (skew, before, after) in [(0, false, false), (1, true, true)] {
        for (shift, accepted) in [(-60, false), (-30, before), (0, true), (30, after), (60, false)] {
            let mut bench = with_key(json!({ "skew": skew }));
            let now = bench.now;
            bench.now = now.plus_seconds(shift);
            let code = code(&mut bench);
            bench.now = now;
            assert_eq!(check(&mut bench, &code), format!(r#"ok {{"valid":{accepted}}}"#), "{skew} {shift}");
        }
    }
}
