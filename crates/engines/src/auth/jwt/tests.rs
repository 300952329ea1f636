mod flows;
mod tokens;

use base64::Engine as _;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use engine::bench::Bench;
use engine::crypto::SeededRandomness;
use engine::crypto::signing::{PublicKey, SigningAlgorithm, SigningKey};
use engine::outside::{Call, CallAnswer, CallFailure, HttpAnswer, HttpCall};
use engine::{Fault, Login, Reply, Secret, Timestamp};
use serde_json::{Value, json};
use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

const NOW: i64 = 1_800_000_000;

/// A key of a provider.
struct Signer {
    key: SigningKey,
    kid: &'static str,
}

impl Signer {
    fn new(kid: &'static str, seed: u64) -> Self {
        Self { key: SigningKey::generate(SigningAlgorithm::Es256, &mut SeededRandomness::new(seed)).unwrap(), kid }
    }

    fn numbers(&self) -> (Vec<u8>, Vec<u8>) {
        match self.key.public().unwrap() {
            PublicKey::Curve { x, y } => (x, y),
            _ => unreachable!("an ES256 key is on a curve"),
        }
    }

    /// The key as a `SubjectPublicKeyInfo` in PEM.
    fn pem(&self) -> String {
        let head = "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAE";
        let (x, y) = self.numbers();
        let der = [STANDARD.decode(head).unwrap(), x, y].concat();
        format!("-----BEGIN PUBLIC KEY-----\n{}\n-----END PUBLIC KEY-----\n", STANDARD.encode(der))
    }

    fn jwk(&self) -> Value {
        let (x, y) = self.numbers();
        let [x, y] = [x, y].map(|number| URL_SAFE_NO_PAD.encode(number));
        json!({ "kty": "EC", "crv": "P-256", "kid": self.kid, "use": "sig", "x": x, "y": y })
    }

    fn sign(&self, claims: &Value) -> String {
        self.sign_as(&json!({ "alg": "ES256", "kid": self.kid }), claims)
    }

    fn sign_as(&self, header: &Value, claims: &Value) -> String {
        let [header, claims] = [header, claims].map(|part| URL_SAFE_NO_PAD.encode(part.to_string()));
        let signed = format!("{header}.{claims}");
        let signature = URL_SAFE_NO_PAD.encode(self.key.sign(signed.as_bytes()).unwrap());
        format!("{signed}.{signature}")
    }
}

fn bench() -> Bench {
    let mut bench = Bench::new(super::engine("jwt"), &[]);
    bench.now = Timestamp::from_seconds(NOW);
    bench
}

/// A mount that trusts one static key, with a role `r` of these members beside the usual ones.
fn with_role(signer: &Signer, role: Value) -> Bench {
    let mut bench = bench();
    bench.write("config", json!({ "jwt_validation_pubkeys": [signer.pem()] })).unwrap();
    set_role(&mut bench, role);
    bench
}

fn set_role(bench: &mut Bench, role: Value) {
    let mut body = json!({ "role_type": "jwt", "user_claim": "sub", "bound_audiences": "x" });
    merge(&mut body, role);
    bench.delete("role/r").unwrap();
    bench.write("role/r", body).unwrap();
}

/// Claims of somebody, with these laid over; `null` takes one out.
fn claims(over: Value) -> Value {
    let mut claims = json!({ "sub": "me", "aud": "x", "iat": NOW, "exp": NOW + 100 });
    merge(&mut claims, over);
    claims
}

fn merge(into: &mut Value, over: Value) {
    for (name, value) in over.as_object().unwrap() {
        if value.is_null() {
            into.as_object_mut().unwrap().remove(name);
        } else {
            into[name] = value.clone();
        }
    }
}

fn fault(result: Result<Reply, Fault>) -> String {
    match result {
        Ok(reply) if reply.login.is_some() => "login".to_owned(),
        Ok(reply) => format!("ok {}", reply.value().cloned().unwrap_or_default()),
        Err(fault) => fault.to_string(),
    }
}

fn login(bench: &mut Bench, token: &str) -> Result<Login, String> {
    match bench.write("login", json!({ "role": "r", "jwt": token })) {
        Ok(reply) => Ok(*reply.login.expect("a login without a fault has an identity")),
        Err(fault) => Err(fault.to_string()),
    }
}

/// Why a login fails.
fn refused(bench: &mut Bench, token: &str) -> String {
    login(bench, token).err().unwrap_or_else(|| "login".to_owned())
}

/// What a test's provider answers to a call, and the calls that it got.
type Calls = Rc<RefCell<Vec<(String, String)>>>;

fn answered(status: u16, body: &Value) -> Result<CallAnswer, CallFailure> {
    let body = Secret::new(body.to_string().into_bytes());
    Ok(CallAnswer::Http(Arc::new(HttpAnswer { status, link: String::new(), max_age: None, body })))
}

/// Lets a closure answer HTTP calls by their address and body.
fn provide(bench: &mut Bench, mut answer: impl FnMut(&str, &str) -> Option<(u16, Value)> + 'static) -> Calls {
    let calls = Calls::default();
    let noted = calls.clone();
    bench.outside(move |call| {
        let Call::Http(HttpCall { url, body, .. }) = call else { return Err(CallFailure::Malformed) };
        let body = body.as_ref().map(|body| String::from_utf8(body.as_slice().to_vec()).unwrap()).unwrap_or_default();
        noted.borrow_mut().push((url.clone(), body.clone()));
        match answer(url, &body) {
            Some((status, value)) => answered(status, &value),
            None => Err(CallFailure::Unreachable),
        }
    });
    calls
}
