use super::*;

/// S30: a secret cannot be compared with `==`, cloned or displayed. Each pair of blanket implementations becomes
/// ambiguous, and this file stops compiling, as soon as `Secret` gets the trait.
macro_rules! lacks {
    ($name:ident, $bound:path) => {{
        trait $name<Marker> {
            fn lacks() {}
        }
        impl<T: ?Sized> $name<()> for T {}
        impl<T: ?Sized + $bound> $name<u8> for T {}
        <Secret<String> as $name<_>>::lacks();
        <Secret<Vec<u8>> as $name<_>>::lacks();
        <Secret<[u8; 32]> as $name<_>>::lacks();
    }};
}

#[test]
fn s30_a_secret_has_no_equality_clone_or_display() {
    lacks!(LacksEquality, PartialEq);
    lacks!(LacksClone, Clone);
    lacks!(LacksDisplay, fmt::Display);
    lacks!(LacksOrder, PartialOrd);
    lacks!(LacksHash, std::hash::Hash);
}

#[test]
fn debug_shows_nothing() {
    assert_eq!(format!("{:?}", Secret::text("canary")), "Secret(…)");
    assert_eq!(format!("{:?}", Some(Secret::bytes(b"canary"))), "Some(Secret(…))");
}

#[test]
fn same_compares_whole_values() {
    for (left, right, expected) in [
        (&b""[..], &b""[..], true),
        (b"abc", b"abc", true),
        (b"abc", b"abd", false),
        (b"abc", b"ab", false),
        (b"", b"a", false),
    ] {
        assert_eq!(same(left, right), expected, "{left:?} {right:?}");
        assert_eq!(Secret::bytes(left).same_as(right), expected);
    }
}

#[test]
fn the_value_is_wiped_on_drop() {
    #[derive(Default)]
    struct Seen(std::rc::Rc<std::cell::Cell<bool>>);
    impl Zeroize for Seen {
        fn zeroize(&mut self) {
            self.0.set(true);
        }
    }
    let wiped = std::rc::Rc::new(std::cell::Cell::new(false));
    drop(Secret::new(Seen(wiped.clone())));
    assert!(wiped.get());
}
