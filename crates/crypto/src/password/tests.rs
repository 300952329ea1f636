use super::*;
use crate::SeededRandomness;
use std::time::Instant;

/// RFC 9106 section 5.3.
#[test]
fn argon2id_of_rfc_9106() {
    let expected = [
        0x0d, 0x64, 0x0d, 0xf5, 0x8d, 0x78, 0x76, 0x6c, 0x08, 0xc0, 0x37, 0xa3, 0x4a, 0x8b, 0x53, 0xc9, 0xd0, 0x1e,
        0xf0, 0x45, 0x2d, 0x75, 0xb6, 0x5e, 0xb5, 0x25, 0x20, 0xe9, 0x6b, 0x01, 0xe6, 0x59,
    ];
    let params = argon2::ParamsBuilder::new()
        .m_cost(32)
        .t_cost(3)
        .p_cost(4)
        .data(argon2::AssociatedData::new(&[4; 12]).unwrap())
        .build()
        .unwrap();
    let argon = Argon2::new_with_secret(&[3; 8], Algorithm::Argon2id, Version::V0x13, params).unwrap();
    let mut output = [0; 32];
    argon.hash_password_into(&[1; 32], &[2; 16], &mut output).unwrap();
    assert_eq!(output, expected);
}

#[test]
fn a_hash_verifies_its_password_only() {
    let mut randomness = SeededRandomness::new(1);
    let stored = hash(&mut randomness, b"correct horse").unwrap();
    assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
    assert!(verify(b"correct horse", &stored));
    assert!(!verify(b"correct horse ", &stored));
    assert!(!verify(b"", &stored));
    assert_ne!(stored, hash(&mut randomness, b"correct horse").unwrap());
    assert!(!dummy_verify(b"correct horse"));
}

/// Provos and Mazières' format; the first vector is from the test set of Openwall's crypt_blowfish.
#[test]
fn bcrypt_is_accepted() {
    let vector = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW";
    assert!(verify(b"U*U", vector));
    assert!(!verify(b"U*V", vector));
    for prefix in ["$2b$", "$2y$"] {
        assert!(verify(b"U*U", &vector.replace("$2a$", prefix)));
    }
    let long = bcrypt::hash_with_salt([b'a'; 72], 4, [7; 16]).unwrap().to_string();
    assert!(verify(&[b'a'; 72], &long));
    assert!(!verify(&[b'a'; 73], &long), "what bcrypt would not read must not be accepted");
}

#[test]
fn hashes_that_are_unknown_or_too_costly_are_refused() {
    for (stored, expected) in [
        ("", PasswordError::Format),
        ("plain", PasswordError::Format),
        ("$argon2id$", PasswordError::Format),
        ("$argon2id$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0", PasswordError::Format),
        (
            "$argon2i$v=19$m=19456,t=2,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            PasswordError::Format,
        ),
        (
            "$argon2id$v=19$m=4194304,t=2,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            PasswordError::Cost,
        ),
        (
            "$argon2id$v=19$m=1024,t=4000,p=1$c2FsdHNhbHRzYWx0$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
            PasswordError::Cost,
        ),
        ("$2a$31$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW", PasswordError::Cost),
    ] {
        assert_eq!(check_hash(stored), Err(expected), "{stored}");
        assert!(!verify(b"", stored), "{stored}");
    }
    let too_long = vec![b'a'; PASSWORD_BYTES_MAX + 1];
    assert_eq!(hash(&mut SeededRandomness::new(1), &too_long), Err(PasswordError::TooLong));
    assert!(!verify(&too_long, "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"));
}

/// The cost for an unknown user is the cost for a known one, as far as one run on a busy machine can tell.
#[test]
fn dummy_verify_costs_what_verify_costs() {
    let stored = hash(&mut SeededRandomness::new(1), b"password").unwrap();
    let fastest = |work: &dyn Fn() -> bool| {
        (0..7)
            .map(|_| {
                let begin = Instant::now();
                work();
                begin.elapsed()
            })
            .min()
            .unwrap()
    };
    let known = fastest(&|| verify(b"other", &stored));
    let unknown = fastest(&|| dummy_verify(b"other"));
    let ratio = known.as_secs_f64() / unknown.as_secs_f64();
    assert!((0.5..2.0).contains(&ratio), "known {known:?}, unknown {unknown:?}");
}
