use super::*;
use crate::SeededRandomness;
use aws_lc_rs::rsa::{KeyPairComponents, PublicKeyComponents};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

fn bytes(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).unwrap()
}

fn hex(text: &str) -> Vec<u8> {
    (0..text.len()).step_by(2).map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap()).collect()
}

/// The key of RFC 7515 appendix A.2.
fn rsa_key(algorithm: SigningAlgorithm) -> SigningKey {
    let n = bytes(
        "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yR\
     T-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXB\
     dQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9ia\
     GNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ",
    );
    let e = bytes("AQAB");
    let d = bytes(
        "Eq5xpGnNCivDflJsRQBXHx1hdR1k6Ulwe2JZD50LpXyWPEAeP88vLNO97IjlA7_GQ5sLKMgvfTeXZx9SE-7YwVol2NXOoAJe46su\
     i395IW_GO-pWJ1O0BkTGoVEn2bKVRUCgu-GjBVaYLU6f3l9kJfFNS3E0QbVdxzubSu3Mkqzjkn439X0M_V51gfpRLI9JYanrC4D4\
     qAdGcopV_0ZHHzQlBjudU2QvXt4ehNYTCBr6XCLQUShb1juUO1ZdiYoFaFQT5Tw8bGUl_x_jTj3ccPDVZFD9pIuhLhBOneufuBiB\
     4cS98l2SR_RQyGWSeWjnczT0QU91p1DhOVRuOopznQ",
    );
    let p = bytes(
        "4BzEEOtIpmVdVEZNCqS7baC4crd0pqnRH_5IB3jw3bcxGn6QLvnEtfdUdiYrqBdss1l58BQ3KhooKeQTa9AB0Hw_Py5PJdTJNPY8\
     cQn7ouZ2KKDcmnPGBY5t7yLc1QlQ5xHdwW1VhvKn-nXqhJTBgIPgtldC-KDV5z-y2XDwGUc",
    );
    let q = bytes(
        "uQPEfgmVtjL0Uyyx88GZFF1fOunH3-7cepKmtH4pxhtCoHqpWmT8YAmZxaewHgHAjLYsp1ZSe7zFYHj7C6ul7TjeLQeZD_YwD66t\
     62wDmpe_HlB-TnBA-njbglfIsRLtXlnDzQkv5dTltRJ11BKBBypeeF6689rjcJIDEz9RWdc",
    );
    let dp = bytes(
        "BwKfV3Akq5_MFZDFZCnW-wzl-CCo83WoZvnLQwCTeDv8uzluRSnm71I3QCLdhrqE2e9YkxvuxdBfpT_PI7Yz-FOKnu1R6HsJeDCj\
     n12Sk3vmAktV2zb34MCdy7cpdTh_YVr7tss2u6vneTwrA86rZtu5Mbr1C1XsmvkxHQAdYo0",
    );
    let dq = bytes(
        "h_96-mK1R_7glhsum81dZxjTnYynPbZpHziZjeeHcXYsXaaMwkOlODsWa7I9xXDoRwbKgB719rrmI2oKr6N3Do9U0ajaHF-NKJnw\
     gjMd2w9cjz3_-kyNlxAr2v4IKhGNpmM5iIgOS1VZnOZ68m6_pbLBSp3nssTdlqvd0tIiTHU",
    );
    let qi = bytes(
        "IYd7DHOhrWvxkwPQsRM2tOgrjbcrfvtQJipd-DlcxyVuuM9sQLdgjVk2oy26F0EmpScGLq2MowX7fhd_QJQ3ydy5cY7YIBi87w93\
     IKLEdfnbJtoOPLUW0ITrJReOgo1cq9SbsxYawBgfp_gh6A5603k2-ZQwVK0JKSHuLFkuQ3U",
    );
    let pair = rsa::KeyPair::from_components(&KeyPairComponents {
        public_key: PublicKeyComponents { n, e },
        d,
        p,
        q,
        dP: dp,
        dQ: dq,
        qInv: qi,
    });
    SigningKey { algorithm, pair: Pair::Rsa(pair.unwrap()) }
}

/// RFC 7515 appendix A.2.
#[test]
fn rs256_of_rfc_7515() {
    let key = rsa_key(SigningAlgorithm::Rs256);
    let message = "eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19\
     yb290Ijp0cnVlfQ";
    let expected = bytes(
        "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9\
     uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB\
     _eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rq\
     Vt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw",
    );
    assert_eq!(key.sign(message.as_bytes()).unwrap(), expected);
    assert!(key.public().unwrap().verify(SigningAlgorithm::Rs256, message.as_bytes(), &expected));
}

/// The same key and the message `sample`, by an independent implementation (pyca/cryptography 50, OpenSSL): RFC 7515 has
/// no vectors for these two hashes.
#[test]
fn rs384_and_rs512_as_another_implementation_has_them() {
    let expected = [
        (
            SigningAlgorithm::Rs384,
            "ARcPLlYIV_BLwZVO3SO1dFjV3BeBcCiH2BgrfRZlJJAMp_9kfoQa8yXv2WqF7xBo-dt2OcmwP8lhtsmcdA4Zq6jC3Ckw6QGz2CBe\
     k8Rc95Kui3FWZlQcuVReS7MyyESHRvdLkWYlxtnhwPtYK6hbQ4TaCrea8SKJabcAhhD4c2teRInZpJTf1lFAUST5t_5wl_rP1IBe\
     wHK8CrV8mspnQcXTvjOptasJD7gwkcM2PLRYeJXD26ijeqB3VjIU_eHJTPObRx-dAzDtFNnsXU68UoQcOxjCy8rj5HsN7z3akQMY\
     410XvblyPxWuVGoa8fpGyWxxCX9iwYX5ObpGoaAnyw",
        ),
        (
            SigningAlgorithm::Rs512,
            "SvlqLVB5o7Pq_JAQYofvLZCFHM4zwjbzXAQA1T5TXdfhA2viXT0ezE_ZAgHSa2ZNdVMHd1kgOlh7mnUXpP0Oh3KExJNRpzCEVmfH\
     AUAuiTWRAzKMi5V6vOVlHIJ4tybiTdhsJOpCg3Kxpd0iKWGCNzejX4mZiVBxui06KIArKUvGzuAL3iW7p_spL_rB3t1_m-8JOZJ6\
     H6sNmsqsNUN6f1saAlMGyGzmsZrKBThIpSpbcMgrD5hRdUR8X9WDifCk2vsHl88tSLIejnFTrvj0QUl2b5nC2Zxl-2bdXeIobVTA\
     1alZq8A0M9O7GycJIwlRvFdvcGax4rDZgNG58FDQow",
        ),
    ];
    for (algorithm, expected) in expected {
        let key = rsa_key(algorithm);
        assert_eq!(key.sign(b"sample").unwrap(), bytes(expected), "{algorithm:?}");
        assert!(key.public().unwrap().verify(algorithm, b"sample", &bytes(expected)));
    }
}

/// RFC 7515 appendices A.3 and A.4, and RFC 6979 appendix A.2.6 (P-384, SHA-384, `sample`).
#[test]
fn ecdsa_of_rfc_7515_and_rfc_6979() {
    let vectors = [
        (
            SigningAlgorithm::Es256,
            bytes("f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU"),
            bytes("x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"),
            "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19\
     yb290Ijp0cnVlfQ",
            bytes("DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q"),
        ),
        (
            SigningAlgorithm::Es384,
            hex("ec3a4e415b4e19a4568618029f427fa5da9a8bc4ae92e02e06aae5286b300c64def8f0ea9055866064a254515480bc13"),
            hex("8015d9b72d7d57244ea8ef9ac0c621896708a59367f9dfb9f54ca84b3f1c9db1288b231c3ae0d4fe7344fd2533264720"),
            "sample",
            [
                hex("94edbb92a5ecb8aad4736e56c691916b3f88140666ce9fa73d64c4ea95ad133c81a648152e44acf96e36dd1e80fabe46"),
                hex("99ef4aeb15f178cea1fe40db2603138f130e740a19624526203b6351d0a3a94fa329c145786e679e7b82c71a38628ac8"),
            ]
            .concat(),
        ),
        (
            SigningAlgorithm::Es512,
            bytes("AekpBQ8ST8a8VcfVOTNl353vSrDCLLJXmPk06wTjxrrjcBpXp5EOnYG_NjFZ6OvLFV1jSfS9tsz4qUxcWceqwQGk"),
            bytes("ADSmRA43Z1DSNx_RvcLI87cdL07l6jQyyBXMoxVg_l2Th-x3S1WDhjDly79ajL4Kkd0AZMaZmh9ubmf63e3kyMj2"),
            "eyJhbGciOiJFUzUxMiJ9.UGF5bG9hZA",
            bytes(
                "AdwMgeerwtHoh-l192l60hp9wAHZFVJbLfD_UxMi70cwnZOYaRI1bKPWROc-mZZqwqT2SI-KGDKB34XO0aw_7XdtAG8GaSwFKdCA\
     PZgoXD2YBJZCPEX3xKpRwcdOO8KpEHwJjyqOgzDO7iKvU8vcnwNrmxYbSW9ERBXukOXolLzeO_Jn",
            ),
        ),
    ];
    for (algorithm, x, y, message, signature) in vectors {
        let key = PublicKey::Curve { x, y };
        assert!(key.verify(algorithm, message.as_bytes(), &signature), "{algorithm:?}");
        assert!(!key.verify(algorithm, b"another", &signature));
    }
}

/// RFC 8037 appendix A.4.
#[test]
fn eddsa_of_rfc_8037() {
    let seed = bytes("nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A");
    let pair = Pair::Edwards(Ed25519KeyPair::from_seed_unchecked(&seed).unwrap());
    let key = SigningKey { algorithm: SigningAlgorithm::EdDsa, pair };
    let x = bytes("11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo");
    assert_eq!(key.public().unwrap(), PublicKey::Edwards { x });
    let signature = key.sign(b"eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc").unwrap();
    let expected = "hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    assert_eq!(signature, bytes(expected));
}

#[test]
fn a_key_signs_what_it_verifies_also_after_it_was_kept() {
    for algorithm in SigningAlgorithm::ALL {
        let key = SigningKey::generate(algorithm, &mut SeededRandomness::new(1)).unwrap();
        let kept = SigningKey::from_pkcs8(algorithm, key.to_pkcs8().unwrap().as_slice()).unwrap();
        let public = key.public().unwrap();
        assert_eq!(kept.public().unwrap(), public, "{algorithm:?}");
        let mut signature = kept.sign(b"message").unwrap();
        assert!(public.verify(algorithm, b"message", &signature), "{algorithm:?}");
        assert!(!public.verify(algorithm, b"massage", &signature), "{algorithm:?}");
        signature[3] ^= 1;
        assert!(!public.verify(algorithm, b"message", &signature), "{algorithm:?}");
        for other in SigningAlgorithm::ALL.into_iter().filter(|other| *other != algorithm) {
            assert!(!public.verify(other, b"message", &kept.sign(b"message").unwrap()), "{algorithm:?} as {other:?}");
        }
        assert_eq!(SigningAlgorithm::parse(algorithm.name()), Some(algorithm));
        assert!(!format!("{key:?}").contains('['), "nothing of the key shows");
    }
}

#[test]
fn keys_of_curves_come_from_the_callers_randomness() {
    for algorithm in
        [SigningAlgorithm::Es256, SigningAlgorithm::Es384, SigningAlgorithm::Es512, SigningAlgorithm::EdDsa]
    {
        let public =
            |seed| SigningKey::generate(algorithm, &mut SeededRandomness::new(seed)).unwrap().public().unwrap();
        assert_eq!(public(7), public(7), "{algorithm:?}");
        assert_ne!(public(7), public(8), "{algorithm:?}");
    }
}

/// A source that never gives a private key of the curve ends the search, and makes none.
#[test]
fn a_source_of_zeros_makes_no_key() {
    struct Zeros;
    impl Randomness for Zeros {
        fn fill(&mut self, bytes: &mut [u8]) {
            bytes.fill(0);
        }
    }
    let made = SigningKey::generate(SigningAlgorithm::Es256, &mut Zeros);
    assert_eq!(made.map(|_| ()), Err(SigningError::Generation));
}

#[test]
fn what_is_no_private_key_is_refused() {
    let key = SigningKey::generate(SigningAlgorithm::Es256, &mut SeededRandomness::new(1)).unwrap().to_pkcs8().unwrap();
    for algorithm in SigningAlgorithm::ALL {
        assert!(SigningKey::from_pkcs8(algorithm, b"").is_err());
        assert!(SigningKey::from_pkcs8(algorithm, &[0x30; 48]).is_err());
        let fits = algorithm == SigningAlgorithm::Es256;
        assert_eq!(SigningKey::from_pkcs8(algorithm, key.as_slice()).is_ok(), fits, "{algorithm:?}");
    }
}

#[test]
fn public_keys_are_read_from_pem_as_openssl_writes_it() {
    let rsa = PublicKey::all_from_pem(include_str!("vectors/rsa.pem")).unwrap();
    assert!(
        matches!(rsa.as_slice(), [PublicKey::Rsa { modulus, exponent }] if modulus.len() == 256 && exponent == &[1, 0, 1])
    );
    assert_eq!(PublicKey::all_from_pem(include_str!("vectors/rsa-pkcs1.pem")).unwrap(), rsa);
    let curve = PublicKey::all_from_pem(include_str!("vectors/p384.pem")).unwrap();
    assert!(matches!(curve.as_slice(), [PublicKey::Curve { x, y }] if x.len() == 48 && y.len() == 48));
    assert_eq!(PublicKey::all_from_pem(include_str!("vectors/p384-certificate.pem")).unwrap(), curve);
    let edwards = PublicKey::all_from_pem(include_str!("vectors/ed25519.pem")).unwrap();
    assert!(matches!(edwards.as_slice(), [PublicKey::Edwards { .. }]));
    let both = format!("{}\ntext between\n{}", include_str!("vectors/rsa.pem"), include_str!("vectors/p384.pem"));
    assert_eq!(PublicKey::all_from_pem(&both).unwrap(), [rsa, curve].concat());
}

#[test]
fn what_is_no_public_key_for_signatures_is_not_read() {
    let whole = include_str!("vectors/p384-certificate.pem");
    let cut = |at: usize| whole.replacen(&whole[at..at + 60], "", 1);
    let none = ["", "pem", "-----BEGIN PUBLIC KEY-----", "-----BEGIN PUBLIC KEY-----\n-----END PUBLIC KEY-----"];
    let shorter: Vec<String> = (30..300).step_by(30).map(cut).collect();
    for text in none.into_iter().chain([include_str!("vectors/x25519.pem")]).chain(shorter.iter().map(String::as_str)) {
        assert_eq!(PublicKey::all_from_pem(text), None, "{text}");
    }
}
