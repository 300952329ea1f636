use super::*;
use crate::hex;

/// FIPS 180-4 and FIPS 202 examples for "abc".
const OF_ABC: [(Hash, &str); 9] = [
    (Hash::Sha1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (Hash::Sha2_224, "23097d223405d8228642a477bda255b32aadbce4bda0b3f7e36c9da7"),
    (Hash::Sha2_256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    (
        Hash::Sha2_384,
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    ),
    (
        Hash::Sha2_512,
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
    (Hash::Sha3_224, "e642824c3f8cf24ad09234ee7d3c766fc9a3a5168d0c94ad73b46fdf"),
    (Hash::Sha3_256, "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532"),
    (
        Hash::Sha3_384,
        "ec01498288516fc926459f58e2c6ad8df9b473cb0fc08c2596da7cf0e49be4b298d88cea927ac7f539f1edf228376d25",
    ),
    (
        Hash::Sha3_512,
        "b751850b1a57168a5693cd924b6b096e08f621827444f70d884f5d0240d2712e10e116e9192af3c91a7ec57647e3934057340b4cf408d5a56592f8274eec53f0",
    ),
];

#[test]
fn digests_are_those_of_the_standards() {
    for (hash, digest) in OF_ABC {
        assert_eq!(hex(&hash.digest(b"abc")), digest, "{hash:?}");
        assert_eq!(hash.length() * 2, digest.len(), "{hash:?}");
    }
}

#[test]
fn macs_are_those_of_rfc_4231_and_of_the_one_function_there_was() {
    assert_eq!(
        hex(&Hash::Sha2_512.hmac(b"Jefe", b"what do ya want for nothing?")),
        "164b7a7bfcf819e2e395fbe73b56e0a387bd64222e831fd610270cd7ea2505549758bf75c05a994a6d034f65f8f0e6fdcaeab1a34d4a6b4b636e070a38bce737"
    );
    // RFC 2202 test case 2.
    assert_eq!(
        hex(&Hash::Sha1.hmac(b"Jefe", b"what do ya want for nothing?")),
        "effcdf6ae5eb2fa2d27416d5f184df9c259a7c79"
    );
    // NIST's example with SHA3-224 and the key 00…1b.
    let key: Vec<u8> = (0..28).collect();
    assert_eq!(
        hex(&Hash::Sha3_224.hmac(&key, b"Sample message for keylen<blocklen")),
        "332cfd59347fdb8e576e77260be4aba2d6dc53117b3bfb52c6d18c04"
    );
    assert_eq!(Hash::Sha2_256.hmac(b"key", b"message"), crate::hmac_sha256(b"key", &[b"message"]));
}
