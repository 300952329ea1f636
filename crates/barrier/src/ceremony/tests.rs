use super::*;
use crate::ShareRequest;
use crate::fixture::{NOW, World, copied, request};
use crate::shares::to_hex;
use crate::{Initialiser, Sealed};
use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use crypto::SeededRandomness;
use crypto::openpgp::Recipient;
use store::{CommitError, Log};

const LATER: Moment = NOW.plus_seconds(TIME_TO_LIVE_SECONDS);
const OPERATOR: Authority<'static> = Authority::Caller("operator");

fn rekey_request(shares: i64, threshold: i64) -> RekeyRequest {
    RekeyRequest {
        shares_for: SharesFor::Unseal,
        shares: request(shares, threshold),
        new_root_key: false,
        backup: false,
        require_verification: false,
    }
}

fn start(world: &mut World, request: RekeyRequest) -> Rekey {
    let barrier = Arc::clone(&world.barrier);
    Rekey::start(None, &barrier, &mut world.tx(), OPERATOR, request, NOW, &mut world.randomness).unwrap()
}

/// Gives a share outside of any commit.
fn give(world: &mut World, rekey: &Rekey, share: &[u8]) -> Step<Rekey, RekeyProgress> {
    let barrier = Arc::clone(&world.barrier);
    let nonce = rekey.status().nonce;
    rekey.submit(&barrier, &mut world.tx(), &nonce, Secret::bytes(share), NOW, &mut world.randomness)
}

/// Gives all but the last of the shares, and returns the ceremony.
fn almost(world: &mut World, rekey: Rekey, shares: &[Vec<u8>]) -> Rekey {
    let mut rekey = rekey;
    for share in &shares[..shares.len() - 1] {
        let step = give(world, &rekey, share);
        assert!(matches!(step.result, Ok(RekeyProgress::More)), "{:?}", step.result);
        rekey = step.next.unwrap();
    }
    rekey
}

/// Runs a change of shares without verification to its end and commits it.
fn rekeyed(world: &mut World, request: RekeyRequest, old: &[Vec<u8>]) -> Vec<Vec<u8>> {
    let rekey = start(world, request);
    let rekey = almost(world, rekey, old);
    let barrier = Arc::clone(&world.barrier);
    let mut tx = world.tx();
    let nonce = rekey.status().nonce;
    let share = Secret::bytes(old.last().unwrap());
    let step = rekey.submit(&barrier, &mut tx, &nonce, share, NOW, &mut world.randomness);
    let Ok(RekeyProgress::Issued { shares, verification_nonce: None, barrier: Some(next) }) = step.result else {
        panic!("not issued");
    };
    assert!(step.next.is_none());
    world.barrier = world.barrier.expecting(next);
    world.commit(tx).unwrap();
    world.refresh();
    copied(&shares.shares)
}

fn is_wrong(result: &Result<Arc<Barrier>, CeremonyError>) -> bool {
    matches!(result, Err(CeremonyError::WrongShares))
}

// Unsealing

/// F35: whatever is wrong with the shares, the answer is the same and the attempt starts over.
#[test]
fn f35_misused_shares_give_one_error_and_no_hint() {
    let world = World::shamir(5, 3);
    let other = World::new(&Initialiser::Shamir(request(5, 2)));
    let mut foreign = other.shares[0].clone();
    let shares = world.shares.clone();
    let same_point = {
        let mut share = shares[2].clone();
        *share.last_mut().unwrap() = *shares[0].last().unwrap();
        share
    };
    let short = shares[2][..20].to_vec();
    let zero_point = {
        let mut share = shares[2].clone();
        *share.last_mut().unwrap() = 0;
        share
    };
    foreign[0] ^= 1;
    for bad in [foreign, same_point, short, zero_point, vec![0; 33], vec![1; 16], shares[2][..32].to_vec()] {
        for order in [[0, 1, 2], [2, 0, 1], [1, 2, 0]] {
            let set = [shares[0].clone(), shares[1].clone(), bad.clone()];
            let result = world.unseals(&order.map(|at: usize| set[at].clone()));
            assert!(is_wrong(&result));
            assert_eq!(result.unwrap_err().to_string(), "invalid key");
        }
    }
    assert!(world.unseals(&shares[1..4]).is_ok());
}

#[test]
fn f35_the_same_share_counts_once_and_an_attempt_is_bounded() {
    let mut world = World::shamir(3, 2);
    let snapshot = world.snapshot();
    let sealed = Sealed::load(&*snapshot).unwrap().unwrap();
    let mut submit = |state: &Unsealing, share: &[u8]| {
        state.submit(&sealed, &*snapshot, Secret::bytes(share), &mut world.randomness)
    };
    let mut state = Unsealing::default();
    assert_eq!((state.progress(), state.nonce()), (0, ""));
    for _ in 0..5 {
        let step = submit(&state, &world.shares[0]);
        assert!(matches!(step.result, Ok(None)));
        let next = step.next.unwrap();
        assert_eq!(next.progress(), 1);
        assert!(state.progress() == 0 || state.nonce() == next.nonce());
        state = next;
    }
    for attempt in 0..10_000_u32 {
        let share = [attempt.to_be_bytes().to_vec(), vec![0; 28], vec![200]].concat();
        let step = submit(&state, &share);
        state = step.next.unwrap();
        assert!(state.progress() < 2);
    }
    let mut state = Unsealing::default();
    for share in &world.shares[1..] {
        let step = submit(&state, share);
        state = step.next.unwrap();
        if state.progress() == 0 {
            assert!(matches!(step.result, Ok(Some(_))));
        }
    }
    assert_eq!((state.progress(), state.nonce()), (0, ""));
}

/// F35: shares from before a change of shares are as good as foreign ones.
#[test]
fn f35_shares_of_an_older_rekey_are_foreign() {
    let mut world = World::shamir(3, 2);
    let old = world.shares.clone();
    let new = rekeyed(&mut world, rekey_request(3, 2), &old[..2]);
    assert!(is_wrong(&world.unseals(&old[..2])));
    assert!(is_wrong(&world.unseals(&[old[0].clone(), new[1].clone()])));
    assert!(world.unseals(&new[1..]).is_ok());
}

#[test]
fn a_static_seal_takes_no_unseal_shares() {
    let world = World::new(&Initialiser::Static { key: Secret::new([1; 32]), recovery: Some(request(2, 2)) });
    assert!(matches!(world.unseals(&world.shares), Err(CeremonyError::Unsupported)));
}

// Rekey

/// S26: nobody but an authorised caller or a share holder starts or ends a ceremony, and a refused attempt changes
/// nothing.
#[test]
fn s26_starting_and_cancelling_take_authority() {
    let mut world = World::shamir(3, 2);
    let barrier = Arc::clone(&world.barrier);
    let rekey = start(&mut world, rekey_request(3, 2));
    let old = world.shares.clone();
    let rekey = almost(&mut world, rekey, &old[..2]);
    for guess in [vec![], vec![0; 33], old[0][..32].to_vec(), [old[0].clone(), vec![0]].concat()] {
        let guess = Secret::new(guess);
        let anonymous = Authority::Share(&guess);
        let mut tx = world.tx();
        let refused = rekey.cancel(&barrier, &mut tx, anonymous);
        assert!(matches!(refused, Err(CeremonyError::Denied)));
        let refused = Rekey::start(None, &barrier, &mut tx, anonymous, rekey_request(1, 1), NOW, &mut world.randomness);
        assert!(matches!(refused, Err(CeremonyError::Denied)));
        let wanted = GenerateRootRequest { disclosure: None, token_length: 28 };
        let refused = GenerateRoot::start(None, &barrier, &mut tx, anonymous, wanted, NOW, &mut world.randomness);
        assert!(matches!(refused, Err(CeremonyError::Denied)));
        assert_eq!(rekey.status().progress, 1);
    }
    let share = Secret::bytes(&old[2]);
    assert!(rekey.cancel(&barrier, &mut world.tx(), Authority::Share(&share)).is_ok());
    assert!(rekey.cancel(&barrier, &mut world.tx(), OPERATOR).is_ok());
    let step = give(&mut world, &rekey, &old[1]);
    assert!(matches!(step.result, Ok(RekeyProgress::Issued { .. })), "refused attempts changed nothing");
}

/// S27: the slot has an owner and a time to live, and a thousand anonymous attempts do not keep the operator out.
#[test]
fn s27_the_slot_cannot_be_occupied() {
    let mut world = World::shamir(3, 2);
    let barrier = Arc::clone(&world.barrier);
    let mut slot: Option<Rekey> = None;
    for attempt in 0..1000_u32 {
        let guess = Secret::new([attempt.to_be_bytes().to_vec(), vec![7; 29]].concat());
        let result = Rekey::start(
            slot.as_ref(),
            &barrier,
            &mut world.tx(),
            Authority::Share(&guess),
            rekey_request(1, 1),
            NOW,
            &mut world.randomness,
        );
        slot = result.ok();
        assert!(slot.is_none());
    }
    let holder = Secret::bytes(&world.shares[0]);
    let mut start = |current: Option<&Rekey>, authority, now| {
        Rekey::start(current, &barrier, &mut world.tx(), authority, rekey_request(3, 2), now, &mut world.randomness)
    };
    let first = start(None, OPERATOR, NOW).unwrap();
    assert_eq!(first.status().owner, "operator");
    assert!(matches!(start(Some(&first), OPERATOR, LATER.plus_seconds(-1)), Err(CeremonyError::AlreadyStarted)));
    assert!(!first.is_live(LATER));
    let second = start(Some(&first), Authority::Share(&holder), LATER).unwrap();
    assert_eq!(second.status().owner, "share holder");
    assert_ne!(first.status().nonce, second.status().nonce);
    let step = first.submit(&barrier, &mut world.tx(), first.nonce(), holder, LATER, &mut world.randomness);
    assert!(matches!(step.result, Err(CeremonyError::NotStarted)), "what ran out takes no share");
}

#[test]
fn wrong_nonces_repeated_and_wrong_shares_are_refused() {
    let mut world = World::shamir(3, 2);
    let barrier = Arc::clone(&world.barrier);
    let (old, rekey) = (world.shares.clone(), start(&mut world, rekey_request(3, 2)));
    for nonce in ["", "x", "00000000-0000-4000-8000-000000000000"] {
        let share = Secret::bytes(&old[0]);
        let step = rekey.submit(&barrier, &mut world.tx(), nonce, share, NOW, &mut world.randomness);
        assert!(matches!(step.result, Err(CeremonyError::Nonce)));
        assert_eq!(step.next.unwrap().status().progress, 0);
    }
    let rekey = give(&mut world, &rekey, &old[0]).next.unwrap();
    let step = give(&mut world, &rekey, &old[0]);
    assert!(matches!(step.result, Err(CeremonyError::ShareRepeated)));
    assert_eq!(step.next.unwrap().status().progress, 1);
    let step = give(&mut world, &rekey, &[9; 33]);
    assert!(matches!(step.result, Err(CeremonyError::WrongShares)));
    let reset = step.next.unwrap();
    assert_eq!((reset.status().progress, reset.status().nonce), (0, rekey.status().nonce));
}

/// S32: after each kind of change exactly one set of shares unseals a restarted copy, and old records still open.
#[test]
fn s32_exactly_one_set_of_shares_unseals() {
    for (shares, threshold) in [(1, 1), (3, 2), (5, 5)] {
        for new_root_key in [false, true] {
            let mut world = World::shamir(5, 3);
            world.put("root/data/a", b"value");
            let old = world.shares.clone();
            let request = RekeyRequest { new_root_key, ..rekey_request(shares, threshold) };
            let new = rekeyed(&mut world, request, &old[2..]);
            assert_eq!(world.value("root/data/a").unwrap(), b"value");
            let unsealed = world.unseals(&new).unwrap();
            assert!(store::Cipher::open(&*unsealed, "root/data/a", "test/1", &world.stored("root/data/a")).is_ok());
            // Not by padding with anything either: the old ones are foreign for whatever threshold there is now.
            let padded: Vec<Vec<u8>> = old.iter().take(threshold as usize).cloned().collect();
            assert!(is_wrong(&world.unseals(&padded)), "{shares}/{threshold} {new_root_key}");
            // And the next change is authorised by the new shares only.
            let again = start(&mut world, rekey_request(1, 1));
            let mut refused = again.clone();
            for share in &padded {
                let step = give(&mut world, &refused, share);
                assert!(!matches!(step.result, Ok(RekeyProgress::Issued { .. })));
                refused = step.next.unwrap();
            }
            let newest = rekeyed(&mut world, rekey_request(1, 1), &new[..threshold as usize]);
            assert!(world.unseals(&newest).is_ok());
        }
    }
}

/// F36: interrupted before each of its commits, the old shares unseal and the new ones do not; after the last, the other
/// way round. A commit that fails leaves the barrier in memory as it was.
#[test]
fn f36_an_interrupted_rekey_leaves_the_old_shares() {
    for require_verification in [false, true] {
        let mut world = World::shamir(3, 2);
        let old = world.shares.clone();
        let rekey = start(&mut world, RekeyRequest { require_verification, ..rekey_request(3, 2) });
        assert!(world.unseals(&old[1..]).is_ok());
        let rekey = almost(&mut world, rekey, &old[..2]);
        assert!(world.unseals(&old[1..]).is_ok());

        // The last old share, in a transaction that is lost.
        let before = Arc::clone(&world.barrier);
        let mut tx = world.tx();
        let nonce = rekey.nonce().to_owned();
        let step = rekey.submit(&before, &mut tx, &nonce, Secret::bytes(&old[1]), NOW, &mut world.randomness);
        let Ok(RekeyProgress::Issued { shares, verification_nonce, barrier }) = step.result else { panic!() };
        let lost = copied(&shares.shares);
        if let Some(next) = barrier {
            world.barrier = world.barrier.expecting(next);
        }
        drop(tx);
        world.refresh();
        world.put("root/data/a", b"value");
        assert!(world.unseals(&old[1..]).is_ok());
        assert!(is_wrong(&world.unseals(&lost[..2])));

        let valid = match verification_nonce {
            // Done again from the same state, since nothing was advanced; this time it is committed.
            None => {
                let mut tx = world.tx();
                let before = Arc::clone(&world.barrier);
                let step = rekey.submit(&before, &mut tx, &nonce, Secret::bytes(&old[1]), NOW, &mut world.randomness);
                let Ok(RekeyProgress::Issued { shares, barrier: Some(next), .. }) = step.result else { panic!() };
                world.barrier = world.barrier.expecting(next);
                world.commit(tx).unwrap();
                copied(&shares.shares)
            }
            Some(nonce) => {
                let verifying = step.next.unwrap();
                let verifying = verify(&mut world, &verifying, &nonce, &lost[0]).next.unwrap();
                assert!(world.unseals(&old[1..]).is_ok());
                assert!(is_wrong(&world.unseals(&lost[..2])));
                let mut tx = world.tx();
                let before = Arc::clone(&world.barrier);
                let share = Secret::bytes(&lost[2]);
                let step = verifying.verify(&before, &mut tx, &nonce, share, NOW, &mut world.randomness);
                let Ok(Verification::Complete(next)) = step.result else { panic!() };
                assert!(step.next.is_none());
                assert!(is_wrong(&world.unseals(&lost[..2])));
                world.barrier = world.barrier.expecting(next);
                world.commit(tx).unwrap();
                lost
            }
        };
        world.refresh();
        assert!(is_wrong(&world.unseals(&old[1..])));
        assert!(world.unseals(&valid[1..]).is_ok());
        assert_eq!(world.value("root/data/a").unwrap(), b"value");
    }
}

/// Of two changes of shares that end at the same time one commits, so that only one set of new shares is handed out.
#[test]
fn two_rekeys_at_once_conflict() {
    let mut world = World::shamir(3, 2);
    let old = world.shares.clone();
    let rekey = start(&mut world, rekey_request(3, 2));
    let rekey = almost(&mut world, rekey, &old[..2]);
    let barrier = Arc::clone(&world.barrier);
    let mut ended = Vec::new();
    for share in &old[1..] {
        let mut tx = world.tx();
        let step = rekey.submit(&barrier, &mut tx, rekey.nonce(), Secret::bytes(share), NOW, &mut world.randomness);
        assert!(matches!(step.result, Ok(RekeyProgress::Issued { .. })));
        ended.push(tx);
    }
    let results: Vec<_> = ended.into_iter().map(|tx| world.commit(tx)).collect();
    assert!(matches!(results.as_slice(), [Ok(()), Err(CommitError::Conflict)]));
}

#[test]
fn a_barrier_that_missed_the_rekey_cannot_follow() {
    let mut world = World::shamir(1, 1);
    let other = Arc::clone(&world.barrier);
    let old = world.shares.clone();
    rekeyed(&mut world, rekey_request(1, 1), &old);
    assert!(matches!(other.refresh(&*world.snapshot()), Err(crate::RefreshError::Rekeyed)));
}

fn verify(world: &mut World, rekey: &Rekey, nonce: &str, share: &[u8]) -> Step<Rekey, Verification> {
    let barrier = Arc::clone(&world.barrier);
    rekey.verify(&barrier, &mut world.tx(), nonce, Secret::bytes(share), NOW, &mut world.randomness)
}

/// The course that OpenBao 2.6.2 takes with wrong nonces and wrong shares.
#[test]
fn verification_starts_over_with_another_nonce_after_a_wrong_share() {
    let mut world = World::shamir(3, 2);
    let old = world.shares.clone();
    let rekey = start(&mut world, RekeyRequest { require_verification: true, ..rekey_request(3, 2) });
    assert!(matches!(verify(&mut world, &rekey, "x", &old[0]).result, Err(CeremonyError::NotStarted)));
    let rekey = almost(&mut world, rekey, &old[..2]);
    let step = give(&mut world, &rekey, &old[1]);
    let Ok(RekeyProgress::Issued { shares, verification_nonce: Some(nonce), barrier: None }) = step.result else {
        panic!()
    };
    let (rekey, new) = (step.next.unwrap(), copied(&shares.shares));
    let status = rekey.status();
    assert_eq!((status.progress, status.verification.clone().unwrap().progress), (0, 0));
    assert_eq!(status.verification.unwrap().nonce, nonce);
    assert!(matches!(give(&mut world, &rekey, &old[2]).result, Err(CeremonyError::NotStarted)));
    assert!(matches!(verify(&mut world, &rekey, "x", &new[0]).result, Err(CeremonyError::Nonce)));
    let rekey = verify(&mut world, &rekey, &nonce, &new[0]).next.unwrap();
    assert_eq!(rekey.status().verification.unwrap().progress, 1);
    let step = verify(&mut world, &rekey, &nonce, &old[1]);
    assert_eq!(step.result.unwrap_err().to_string(), "rekey verification failed; incorrect key shares supplied");
    let rekey = step.next.unwrap();
    let again = rekey.status().verification.unwrap();
    assert_eq!(again.progress, 0);
    assert_ne!(again.nonce, nonce);
    let restarted = rekey.restart_verification(NOW, &mut world.randomness);
    let nonce = restarted.status().verification.unwrap().nonce;
    let rekey = verify(&mut world, &restarted, &nonce, &new[1]).next.unwrap();
    assert!(matches!(verify(&mut world, &rekey, &nonce, &new[2]).result, Ok(Verification::Complete(_))));
}

#[test]
fn recovery_shares_are_changed_by_recovery_shares() {
    let mut world = World::new(&Initialiser::Static { key: Secret::new([1; 32]), recovery: Some(request(3, 2)) });
    let barrier = Arc::clone(&world.barrier);
    let unseal =
        Rekey::start(None, &barrier, &mut world.tx(), OPERATOR, rekey_request(3, 2), NOW, &mut world.randomness);
    assert!(matches!(unseal, Err(CeremonyError::Unsupported)));
    let old = world.shares.clone();
    let recovery = || RekeyRequest { shares_for: SharesFor::Recovery, ..rekey_request(5, 3) };
    let new = rekeyed(&mut world, recovery(), &old[1..]);
    assert_eq!(new.len(), 5);
    assert_eq!(world.barrier.seal_info().counts(), (5, 3));
    let snapshot = world.snapshot();
    let sealed = Sealed::load(&*snapshot).unwrap().unwrap();
    assert!(sealed.unseal_static(&*snapshot, &Secret::new([1; 32])).is_ok(), "the static key is untouched");
    let rekey = start(&mut world, recovery());
    let rekey = almost(&mut world, rekey, &[old[0].clone(), old[1].clone(), old[2].clone()]);
    assert!(matches!(give(&mut world, &rekey, &old[2]).result, Err(CeremonyError::WrongShares)));
    assert_eq!(rekeyed(&mut world, recovery(), &new[..3]).len(), 5);

    let mut shamir = World::shamir(3, 2);
    let barrier = Arc::clone(&shamir.barrier);
    let refused = Rekey::start(None, &barrier, &mut shamir.tx(), OPERATOR, recovery(), NOW, &mut shamir.randomness);
    assert!(matches!(refused, Err(CeremonyError::Unsupported)));
}

#[test]
fn a_backup_takes_recipients() {
    let mut world = World::shamir(1, 1);
    let barrier = Arc::clone(&world.barrier);
    let request = RekeyRequest { backup: true, ..rekey_request(1, 1) };
    let refused = Rekey::start(None, &barrier, &mut world.tx(), OPERATOR, request, NOW, &mut world.randomness);
    assert!(matches!(refused, Err(CeremonyError::BackupWithoutRecipients)));
}

fn recipient() -> Recipient {
    Recipient::parse(include_str!("fixture.pub")).unwrap()
}

#[test]
fn shares_go_to_their_recipients_and_into_the_backup() {
    let mut world = World::shamir(2, 2);
    let old = world.shares.clone();
    let shares = ShareRequest::new(3, 2, vec![recipient(), recipient(), recipient()]).unwrap();
    let request = RekeyRequest { shares, backup: true, require_verification: true, ..rekey_request(3, 2) };
    let rekey = start(&mut world, request);
    assert_eq!(rekey.status().fingerprints, vec![recipient().fingerprint(); 3]);
    let rekey = almost(&mut world, rekey, &old);
    let barrier = Arc::clone(&world.barrier);
    let mut tx = world.tx();
    let step = rekey.submit(&barrier, &mut tx, rekey.nonce(), Secret::bytes(&old[1]), NOW, &mut world.randomness);
    let Ok(RekeyProgress::Issued { shares, .. }) = step.result else { panic!() };
    world.commit(tx).unwrap();
    assert_eq!(shares.fingerprints, vec![recipient().fingerprint(); 3]);
    // Hex of a 33-byte share in a message to a Curve25519 key.
    assert!(shares.shares.iter().all(|share| share.expose().len() > 66 + 100));
    let mut tx = world.tx();
    let backup = Backup::load(&mut tx, SharesFor::Unseal).unwrap().unwrap();
    assert_eq!(backup.nonce, rekey.nonce());
    let expected: Vec<String> = shares.shares.iter().map(|share| to_hex(share.as_slice()).to_string()).collect();
    assert_eq!(backup.keys, std::collections::BTreeMap::from([(recipient().fingerprint().to_owned(), expected)]));
    Backup::delete(&mut tx, SharesFor::Unseal);
    world.commit(tx).unwrap();
    assert!(Backup::load(&mut world.tx(), SharesFor::Unseal).unwrap().is_none());
    let mismatch = ShareRequest::new(3, 2, vec![recipient()]).unwrap_err();
    assert_eq!(mismatch.to_string(), "count mismatch between number of provided PGP keys and number of shares");
}

// Root tokens

#[test]
fn a_token_goes_to_its_recipient() {
    let mut world = World::shamir(1, 1);
    let started = generation(&mut world, Some(Disclosure::Recipient(recipient()))).unwrap();
    assert!(started.otp.is_none());
    assert_eq!(started.ceremony.fingerprint(), recipient().fingerprint());
    let granted = give_root(&world, &started.ceremony, &world.shares[0]).result.unwrap().unwrap();
    let encoded = granted.encode(&Secret::text("hvs.token"), &mut world.randomness).unwrap();
    assert_eq!(encoded.fingerprint, recipient().fingerprint());
    let message = base64::engine::general_purpose::STANDARD.decode(encoded.encoded).unwrap();
    assert_eq!(message[0], 0xc1, "a session key packet");
}

fn generation(world: &mut World, disclosure: Option<Disclosure>) -> Result<GenerateRootStarted, CeremonyError> {
    let barrier = Arc::clone(&world.barrier);
    let request = GenerateRootRequest { disclosure, token_length: 28 };
    GenerateRoot::start(None, &barrier, &mut world.tx(), OPERATOR, request, NOW, &mut world.randomness)
}

fn give_root(world: &World, state: &GenerateRoot, share: &[u8]) -> Step<GenerateRoot, Option<Granted>> {
    state.submit(&world.barrier, &mut world.tx(), state.nonce(), Secret::bytes(share), NOW)
}

#[test]
fn a_quorum_grants_one_root_token_that_only_the_starter_can_read() {
    let mut world = World::shamir(3, 2);
    let started = generation(&mut world, None).unwrap();
    let (state, otp) = (started.ceremony, started.otp.unwrap());
    assert_eq!((otp.as_str().len(), state.progress(), state.fingerprint()), (28, 0, ""));
    assert_eq!(GenerateRoot::required(&world.barrier).unwrap(), 2);
    let state = give_root(&world, &state, &world.shares[0]).next.unwrap();
    let repeated = give_root(&world, &state, &world.shares[0]);
    assert!(matches!(repeated.result, Err(CeremonyError::ShareRepeated)));
    let wrong = give_root(&world, &state, &[3; 33]);
    assert!(matches!(wrong.result, Err(CeremonyError::WrongShares)));
    assert_eq!(wrong.next.unwrap().progress(), 0);
    let step = give_root(&world, &state, &world.shares[1]);
    assert!(step.next.is_none());
    let token = Secret::text("hvs.abcdefghijklmnopqrstuvwx");
    let encoded = step.result.unwrap().unwrap().encode(&token, &mut world.randomness).unwrap();
    let hidden = STANDARD_NO_PAD.decode(encoded.encoded).unwrap();
    let shown: Vec<u8> = hidden.iter().zip(otp.as_str().bytes()).map(|(left, right)| left ^ right).collect();
    assert!(token.same_as(&shown));
}

#[test]
fn one_time_passwords_have_the_tokens_length() {
    let mut world = World::shamir(1, 1);
    let otp = |text: &str| Some(Disclosure::Otp(Arc::new(Secret::text(text))));
    for bad in ["", "abc", &"A".repeat(27), &"A".repeat(29)] {
        assert!(matches!(generation(&mut world, otp(bad)), Err(CeremonyError::OtpLength)));
    }
    let started = generation(&mut world, otp(&"A".repeat(28))).unwrap();
    assert!(started.otp.is_none());
    let granted = give_root(&world, &started.ceremony, &world.shares[0]).result.unwrap().unwrap();
    let refused = granted.encode(&Secret::text("short"), &mut world.randomness);
    assert!(matches!(refused, Err(CeremonyError::OtpLength)));
}

#[test]
fn a_static_seal_without_recovery_shares_has_no_quorum() {
    let mut world = World::new(&Initialiser::Static { key: Secret::new([1; 32]), recovery: None });
    assert!(matches!(generation(&mut world, None), Err(CeremonyError::Unsupported)));
    let mut world = World::new(&Initialiser::Static { key: Secret::new([1; 32]), recovery: Some(request(1, 1)) });
    let state = generation(&mut world, None).unwrap().ceremony;
    assert!(
        matches!(give_root(&world, &state, &[1; 32]).result, Err(CeremonyError::WrongShares)),
        "the static key is no share"
    );
    assert!(matches!(give_root(&world, &state, &world.shares[0]).result, Ok(Some(_))));
}

/// S30: nothing that holds shares, keys or passwords shows them.
#[test]
fn s30_debug_shows_no_secret() {
    let mut world = World::shamir(2, 2);
    let old = world.shares.clone();
    let started = generation(&mut world, Some(Disclosure::Otp(Arc::new(Secret::text(&"canary+".repeat(4)))))).unwrap();
    let state = give_root(&world, &started.ceremony, &old[0]).next.unwrap();
    let rekey = start(&mut world, RekeyRequest { require_verification: true, ..rekey_request(2, 2) });
    let rekey = almost(&mut world, rekey, &old);
    let step = give(&mut world, &rekey, &old[1]);
    let unsealing = {
        let snapshot = world.log.snapshot();
        let sealed = Sealed::load(&*snapshot).unwrap().unwrap();
        let mut randomness = SeededRandomness::new(1);
        Unsealing::default().submit(&sealed, &*snapshot, Secret::bytes(&old[0]), &mut randomness).next.unwrap()
    };
    let text = format!("{state:?} {rekey:?} {step:?} {unsealing:?} {:?}", world.barrier);
    assert!(!text.contains("canary"));
    for share in &old {
        assert!(!text.contains(&format!("{:?}", &share[..4]).replace(['[', ']'], "")));
    }
}
