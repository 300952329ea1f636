use super::*;
use kernel::quotas::Scope;

fn rule(rate: f64, interval: i64, block_interval: i64) -> RateLimit {
    RateLimit { name: "rule".to_owned(), scope: Scope::default(), rate, interval, block_interval }
}

fn admitted(buckets: &mut Buckets, rule: &RateLimit, client: &str, milliseconds: u64) -> bool {
    buckets.take(rule, Some(client.parse().unwrap()), Duration::from_millis(milliseconds)).admitted
}

#[test]
fn a_client_has_its_rate_and_gets_it_back_with_time() {
    let mut buckets = Buckets::default();
    let rule = rule(2.0, 10, 0);
    let mut at = |client: &str, milliseconds| admitted(&mut buckets, &rule, client, milliseconds);
    assert_eq!([at("192.0.2.1", 0), at("192.0.2.1", 0), at("192.0.2.1", 0)], [true, true, false]);
    assert!(at("192.0.2.2", 0), "another client has a budget of its own");
    assert_eq!([at("192.0.2.1", 4_900), at("192.0.2.1", 5_000), at("192.0.2.1", 5_000)], [false, true, false]);
    assert_eq!([at("192.0.2.1", 60_000), at("192.0.2.1", 60_000), at("192.0.2.1", 60_000)], [true, true, false]);
}

#[test]
fn a_block_holds_for_its_interval() {
    let mut buckets = Buckets::default();
    let rule = rule(1.0, 1, 60);
    let mut at = |milliseconds| admitted(&mut buckets, &rule, "192.0.2.1", milliseconds);
    assert_eq!([at(0), at(0), at(30_000), at(59_999), at(60_000)], [true, false, false, false, true]);
}

#[test]
fn addresses_of_one_network_are_one_client() {
    let mut buckets = Buckets::default();
    let rule = rule(1.0, 1, 0);
    assert!(admitted(&mut buckets, &rule, "2001:db8::1", 0));
    assert!(!admitted(&mut buckets, &rule, "2001:db8::ffff", 0));
    assert!(admitted(&mut buckets, &rule, "2001:db8:0:1::1", 0));
    assert!(admitted(&mut buckets, &rule, "192.0.2.1", 0));
    assert!(!admitted(&mut buckets, &rule, "::ffff:192.0.2.1", 0));
}

#[test]
fn memory_is_bounded_and_more_clients_share_a_count() {
    let mut buckets = Buckets::default();
    let rule = rule(1.0, 1, 0);
    let mut refused = 0;
    for number in 0..u32::try_from(CLIENTS_MAX).unwrap() + 1_000 {
        let client = Some(IpAddr::from(number.to_be_bytes()));
        refused += usize::from(!buckets.take(&rule, client, Duration::ZERO).admitted);
    }
    assert!(buckets.clients.len() <= CLIENTS_MAX + 1);
    assert_eq!(refused, 999, "the first beyond the bound takes the shared request, the others are refused");
    let later = Duration::from_secs(3_600);
    assert!(buckets.take(&rule, Some("192.0.2.1".parse().unwrap()), later).admitted);
    assert!(buckets.clients.len() < 10, "idle clients were forgotten");
}
