use super::*;
use std::collections::BTreeSet;

#[test]
fn a_seed_gives_one_stream_however_it_is_cut() {
    let mut whole = [0; 100];
    SeededRandomness::new(7).fill(&mut whole);
    let mut cut = SeededRandomness::new(7);
    let (mut first, mut second) = ([0; 33], [0; 67]);
    cut.fill(&mut first);
    cut.fill(&mut second);
    assert_eq!(whole.to_vec(), [first.to_vec(), second.to_vec()].concat());
    assert_ne!(whole, SeededRandomness::new(8).bytes::<100>());
}

#[test]
fn uuids_are_version_four() {
    let mut randomness = SeededRandomness::new(1);
    let mut seen = BTreeSet::new();
    for _ in 0..1000 {
        let uuid = randomness.uuid();
        let shape: Vec<usize> = uuid.split('-').map(str::len).collect();
        assert_eq!(shape, [8, 4, 4, 4, 12]);
        assert_eq!(uuid.as_bytes()[14], b'4');
        assert!(b"89ab".contains(&uuid.as_bytes()[19]), "{uuid}");
        assert!(seen.insert(uuid));
    }
}

#[test]
fn base62_has_the_asked_length_and_uses_every_letter_evenly() {
    let mut randomness = SeededRandomness::new(2);
    for length in [0, 1, 24, 95] {
        assert_eq!(randomness.base62(length).len(), length);
    }
    let text = randomness.base62(62_000);
    for letter in BASE62 {
        let count = text.bytes().filter(|byte| byte == letter).count();
        assert!((850..1150).contains(&count), "{} came {count} times", char::from(*letter));
    }
}

#[test]
fn below_stays_below_and_is_even() {
    let mut randomness = SeededRandomness::new(3);
    assert_eq!(randomness.below(0), 0);
    assert_eq!(randomness.below(1), 0);
    let mut counts = [0_u32; 10];
    for _ in 0..10_000 {
        counts[usize::try_from(randomness.below(10)).unwrap()] += 1;
    }
    assert!(counts.iter().all(|count| (850..1150).contains(count)), "{counts:?}");
}

#[test]
fn system_randomness_differs_from_call_to_call() {
    let source: &mut (dyn Randomness + Send) = &mut SystemRandomness;
    assert_ne!(source.bytes::<32>(), source.bytes::<32>());
}
