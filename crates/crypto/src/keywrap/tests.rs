use super::*;

#[test]
fn what_was_wrapped_unwraps_and_nothing_else_does() {
    for wrapping in [&[1_u8; 16][..], &[2; 32]] {
        for length in [1, 7, 8, 9, 16, 32, 2400] {
            let key = vec![9; length];
            let wrapped = wrap(wrapping, &key).unwrap();
            assert_eq!(*unwrap(wrapping, &wrapped).unwrap(), key);
            let mut changed = wrapped.clone();
            changed[3] ^= 1;
            assert!(unwrap(wrapping, &changed).is_err());
            assert!(unwrap(wrapping, &wrapped[1..]).is_err());
            assert!(unwrap(&[3; 32], &wrapped).is_err());
        }
        assert!(wrap(wrapping, &[]).is_err());
    }
    assert!(wrap(&[0; 24], &[1]).is_err());
    assert!(unwrap(&[0; 32], &[]).is_err());
}
