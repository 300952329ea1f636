//! The fixed workload of thirty operations, and the endless random one.

use super::ledger::{Ledger, Object};
use crate::http::Connection;
use crate::random::Random;

/// How many operations the fixed workload has.
pub(super) const OPERATIONS: usize = 30;

/// Names per kind that a random client uses.
const NAMES: u64 = 12;

/// Runs the fixed workload until its end or until the server is gone; gives how many operations were answered.
pub(super) fn fixed(ledger: &mut Ledger, connection: &mut Connection, root: &str) -> usize {
    (0..OPERATIONS).take_while(|step| fixed_step(ledger, connection, root, *step)).count()
}

/// Ten secrets of which some are overwritten and deleted, policies, and a family of tokens whose parent is revoked.
fn fixed_step(ledger: &mut Ledger, connection: &mut Connection, root: &str, step: usize) -> bool {
    let secret = |number: usize| Object::Secret(format!("s{number}"));
    let policy = |number: usize| Object::Policy(format!("p{number}"));
    let value = format!("v{step}");
    match step {
        0..=7 => ledger.write(connection, root, secret(step), &value),
        8 => ledger.create_token(connection, root, None),
        9 => ledger.create_token(connection, root, Some(0)),
        10 => ledger.create_token(connection, root, Some(1)),
        11 => ledger.create_token(connection, root, None),
        12..=14 => ledger.write(connection, root, policy(step), &value),
        15..=17 => ledger.write(connection, root, secret(step - 15), &value),
        18 => ledger.delete(connection, root, secret(0)),
        19 => ledger.delete(connection, root, secret(7)),
        20 => ledger.revoke_token(connection, root, 3),
        21 => ledger.write(connection, root, policy(12), &value),
        22 => ledger.delete(connection, root, policy(13)),
        23 => ledger.write(connection, root, secret(0), &value),
        24 => ledger.revoke_token(connection, root, 0),
        25 => ledger.create_token(connection, root, None),
        26 => ledger.write(connection, root, secret(8), &value),
        27 => ledger.write(connection, root, secret(8), &format!("{value}again")),
        28 => ledger.delete(connection, root, secret(3)),
        _ => ledger.write(connection, root, policy(15), &value),
    }
}

/// Performs one random operation; false if the server is gone.
pub(super) fn random_step(ledger: &mut Ledger, connection: &mut Connection, root: &str, random: &mut Random) -> bool {
    let name = format!("n{:02}", random.below(NAMES));
    let value = format!("v{}", random.next_word());
    let tokens = ledger.token_count() as u64;
    let token = usize::try_from(random.below(tokens)).unwrap_or(0);
    match random.below(20) {
        0..=9 => ledger.write(connection, root, Object::Secret(name), &value),
        10..=11 => ledger.delete(connection, root, Object::Secret(name)),
        12..=13 => ledger.write(connection, root, Object::Policy(name), &value),
        14 => ledger.delete(connection, root, Object::Policy(name)),
        15..=16 if tokens < 24 => ledger.create_token(connection, root, None),
        17 if tokens < 24 => ledger.create_token(connection, root, (tokens > 0).then_some(token)),
        _ => ledger.revoke_token(connection, root, token),
    }
}
