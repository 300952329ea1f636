//! What is asked once is known, what differs in anything is asked.

use super::*;

fn call(token: &str, body: &str) -> HttpCall {
    let call = HttpCall::new(Method::Post, "https://reviewer.example/review").header("authorization", token);
    call.json(&serde_json::json!({ "body": body }))
}

fn answer(status: u16) -> Result<CallAnswer, CallFailure> {
    let body = Secret::new(b"{\"a\":1}".to_vec());
    Ok(CallAnswer::Http(Arc::new(HttpAnswer { status, link: String::new(), max_age: None, body })))
}

#[test]
fn a_call_is_asked_for_until_its_answer_is_known() {
    let mut outside = Outside::default();
    let Err(Fault::Outside(asked)) = outside.http(call("t", "b")) else { panic!("nothing is known yet") };
    assert!(outside.answered(*asked, answer(201)));
    let known = outside.http(call("t", "b")).unwrap().unwrap();
    assert_eq!((known.status, known.json::<serde_json::Value>().unwrap()["a"].as_i64()), (201, Some(1)));
}

#[test]
fn every_difference_makes_another_call() {
    let mut outside = Outside::default();
    assert!(outside.answered(Call::Http(call("t", "b")), answer(200)));
    let trust = Trust { authorities: "pem".to_owned() };
    let mut shorter = call("t", "b");
    shorter.timeout = Duration::from_secs(1);
    let mut get = call("t", "b");
    get.method = Method::Get;
    let mut bare = call("t", "b");
    bare.body = None;
    let others = [call("u", "b"), call("t", "c"), call("t", "b").header("a", "b"), call("t", "b").trusting(trust)];
    for other in others.into_iter().chain([shorter, get, bare]) {
        assert!(matches!(outside.http(other), Err(Fault::Outside(_))));
    }
    assert!(matches!(outside.service_account(ServiceAccountFile::Token), Err(Fault::Outside(_))));
}

#[test]
fn a_failure_is_an_answer_and_calls_are_bounded() {
    let mut outside = Outside::default();
    for at in 0..CALLS_MAX {
        assert!(outside.answered(Call::Http(call("t", &at.to_string())), Err(CallFailure::TimedOut)));
    }
    assert!(!outside.answered(Call::Http(call("t", "more")), answer(200)));
    assert_eq!(outside.http(call("t", "0")).unwrap().err(), Some(CallFailure::TimedOut));
}

#[test]
fn no_text_of_a_call_shows_a_secret() {
    let asked = Fault::Outside(Box::new(Call::Http(call("hvs.token", "hunter2"))));
    let shown = format!("{asked} {asked:?}");
    assert!(!shown.contains("hvs.token") && !shown.contains("hunter2") && !shown.contains("reviewer"), "{shown}");
}
