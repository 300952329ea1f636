use super::*;

/// Signed by another implementation (OpenSSL) with keys that were made for this test and thrown away.
const MESSAGE: &[u8] = b"header.payload";

/// Name, PEM, and the numbers as a JSON Web Key has them.
const KEYS: [(&str, &str, [&str; 2]); 5] = [
    (
        "RSA",
        "-----BEGIN PUBLIC KEY-----\nMIIBIjANBgkqhkiG9w0BAQEFAAOCAQ8AMIIBCgKCAQEAnNkvfVWPO/ano+g7D2Cn\nn2/daH6lpQhbgXxv0eytBlJLfdiaE8SOQtBexJZOHLDTf8ZPtbK4PIKfa40WClIG\n9u709W32L92LGvrdIUfdDD6soJTgftBFYyi0Yl96hz7fV0YnfIJDcufb61RlQoJV\nvl+JU4dRS8wTG9+AtJeSRFCWjJ9J8oYf80GEgbViGjgrSM8bBw8XvT6gV70dZQqH\nd053JImagV4zV7W66tN+zeoxJ+fZ1JPJGjKpGeZNaDXyCtjt+i810SLKK8Pl/w6v\nI3lxjQeCT8YKVwH8TqT2WxWXu7f+a188lEQlRBvlNQVkfvXPUAUFHwl4fuT8YjoI\nVQIDAQAB\n-----END PUBLIC KEY-----\n",
        [
            "nNkvfVWPO/ano+g7D2Cnn2/daH6lpQhbgXxv0eytBlJLfdiaE8SOQtBexJZOHLDTf8ZPtbK4PIKfa40WClIG9u709W32L92LGvrdIUfdDD6soJTgftBFYyi0Yl96hz7fV0YnfIJDcufb61RlQoJVvl+JU4dRS8wTG9+AtJeSRFCWjJ9J8oYf80GEgbViGjgrSM8bBw8XvT6gV70dZQqHd053JImagV4zV7W66tN+zeoxJ+fZ1JPJGjKpGeZNaDXyCtjt+i810SLKK8Pl/w6vI3lxjQeCT8YKVwH8TqT2WxWXu7f+a188lEQlRBvlNQVkfvXPUAUFHwl4fuT8YjoIVQ==",
            "AQAB",
        ],
    ),
    (
        "P-256",
        "-----BEGIN PUBLIC KEY-----\nMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEIvEVSP2GBuGkQtu960zMJ+S5qCAI\n+/1tmW3mU0e6iNWW1vAa/ynNpKrIoF8JiHbALLe6uwl3hn9T1U9UmHn72Q==\n-----END PUBLIC KEY-----\n",
        ["IvEVSP2GBuGkQtu960zMJ+S5qCAI+/1tmW3mU0e6iNU=", "ltbwGv8pzaSqyKBfCYh2wCy3ursJd4Z/U9VPVJh5+9k="],
    ),
    (
        "P-384",
        "-----BEGIN PUBLIC KEY-----\nMHYwEAYHKoZIzj0CAQYFK4EEACIDYgAEphCkUTr6WDpg2n5/lO92a1X8/wLAlgzF\nn6To+O5vzTvf5JMEf4bIR9QgRpwBfeYFGRK+KKKZsbk8nsrmSGwfdysiq+2Bj7Om\n5wXMxrI3xkxZQ2tmMwaZQpiP0V7DY+gS\n-----END PUBLIC KEY-----\n",
        [
            "phCkUTr6WDpg2n5/lO92a1X8/wLAlgzFn6To+O5vzTvf5JMEf4bIR9QgRpwBfeYF",
            "GRK+KKKZsbk8nsrmSGwfdysiq+2Bj7Om5wXMxrI3xkxZQ2tmMwaZQpiP0V7DY+gS",
        ],
    ),
    (
        "P-521",
        "-----BEGIN PUBLIC KEY-----\nMIGbMBAGByqGSM49AgEGBSuBBAAjA4GGAAQBOj+aOgoauo2diJbadUDzuPzSu7rO\nCDuxd8OBPkDVMEIVFhTHZuHqfw4D9JT1BbjgMqxpj6AcAm6/4ro+bvRzK7EAePZT\ntCP0olSozv1UXeqYgdMxCheRFxo97MyRWEjnwCOsZLI6Ht90OFsCY64Ylau5OIf3\n+8eF3p6YNqpWVPgiiAo=\n-----END PUBLIC KEY-----\n",
        [
            "ATo/mjoKGrqNnYiW2nVA87j80ru6zgg7sXfDgT5A1TBCFRYUx2bh6n8OA/SU9QW44DKsaY+gHAJuv+K6Pm70cyux",
            "AHj2U7Qj9KJUqM79VF3qmIHTMQoXkRcaPezMkVhI58AjrGSyOh7fdDhbAmOuGJWruTiH9/vHhd6emDaqVlT4IogK",
        ],
    ),
    (
        "Ed25519",
        "-----BEGIN PUBLIC KEY-----\nMCowBQYDK2VwAyEAMu/NR2k1yVppYbipljkkGeIuQ7jJUHezWBLz7OAb+m4=\n-----END PUBLIC KEY-----\n",
        ["Mu/NR2k1yVppYbipljkkGeIuQ7jJUHezWBLz7OAb+m4=", ""],
    ),
];

/// Key, algorithm, signature.
const SIGNATURES: [(&str, &str, &str); 10] = [
    (
        "RSA",
        "RS256",
        "X93X7Y3OqtoO+ex+mzlQU+Hhhh0UDuGBGTAWTCqvzUVkR2TqqXOw79bOuSd5xifmvEKEC3xzRYoyKUeGA3wxEjEvkvbKvrEl04W+5j/oby7xh1TD4niLyBkKxa3XkM7J14xkVAqG3BU/FKl6QShj5hCrXwVIDdCcPIO1WQ9bn5Q4Ro1cpVpPls6b55gUMbdMy67eeOAm8/KtINfbX5VtptgCRxBI6FndG/dtdOwKn4Hstuqm5sAW2LWVjob97NCUQxwrCTbmmD2aQHHHk8uNGJbxJ8RpRqYoiirC6515yfLZ2c7Sx9bo8vsOUSq5TFVbFTspdtoduvJwOqCiYun0oQ==",
    ),
    (
        "RSA",
        "PS256",
        "BI1kKO1CmBcGdcNU8qG7jOxXh2XxQqBIZgrGf2eOntCXFT/rQv7GSYkVm3qNU+heuhwLEmQPxiGA5JspjO9nN9Yk36VrrlwF9ilzONFyS/jKff9Z5rLLSjHC9Xp4WWmsnVh5q/e6ShFTTKg5OJoKPFuhx9LRtkAAsbLKx/LO7cDP3HvyRaiZmzTKOn3Qr1LnN7GcMjyTfcavtDhFPelpyZe+4MbJJRnBORR89ajFuB6C5akPN1FRLaZ7657xgZyaIUNi1RwrJVMK/YEBfb3Liua6IXMAjlIQquM4Xwihr3lCythuG165SC59JTy0w/LsXM1rUUeV5QXNtu8xpoGwRg==",
    ),
    (
        "RSA",
        "RS384",
        "L2v2ZUXo4LSyTcfvNQF7/cuJcp6Wlpc9T4sWFbZyApXmrzsjY3kE9K3i4YHAYyTgVIISyuHWMqbgCdKgVLpAbBFMKOTuIC4QUTAzqtMF0THVCknZ78V+ZQItymtuaTF00zKXhJd5hs/hyh+CXTa8jDqgWy6Z8nzkrMm3qFGuuOxzGbSdx+bhlCoDRJ5jbi0AVeuEJhZor3WF3VK7vII5FG90gZhyiJp2noqw+WMwQ8WSGS0fa7DgFYNA8B0vVIGvKA4KpaVGTmCMUbyCCh7ccg2FgPG9X+svqJV6GyXZau9qUBm2EjwuJhMUteJb0LLPd9ROiHPhwdtQIPd4XaErjg==",
    ),
    (
        "RSA",
        "PS384",
        "kihXsYbsWJsx3IEY3Lq822f6F4Y3cxlhqFApSkMXD+cyjBtHSilGV2pNHf/AzI+P2D+0s2AYxGI2uACYk+ZHmBmmOnljereflAtOdiEOz8zcXV1NxXkU0tVNFWMumqjzB+g57HAZzlcpe3342Mzmn0Ezkh2ZQ36lDOzuo2XV0+k1LlRCWY/EaiPFjjojYD1EWxmx5XyxkAVepqdgNwdooexg6H4SttRSNS5WpcqwGUvSG7YvXtze5lUHXGxmYPynw9CK/lfFifpqfJqXg8ocze6OtbsmC6QxWD4VF/PKllcWhwx4QcKESWme1vjNiJBsF1Lv4AHoVfQGR/CEq0JUuw==",
    ),
    (
        "RSA",
        "RS512",
        "iFpzCGhfvhKRsNxBIbumDaiPPn2fVVfJpSyvYuz8JqROtqtRU8zEVZv0yTfxv0PJnkXVcRFLfdasTsBCvWo021iiooAXyRYEQl61tQL5n57/uG3VdqwORqcbMpmnCMQNJ+LP81H7nKRz20Mm8k5GeIUVd8smtEP/S6ZFDySFEFlBue0oWzOzrrdlMb0pgvJUdS/OBzh+FE3cdbdHOEtZpTB0haQfhFQNPrwXMGQ/AyHpU6KO9E11hNqgPGhZHaSDuHyCRYjNb/3TMMx+bVprkitVBrWm4acIs+TlBGBjS+KA00sMyrWakqDM6nl5HoEp1zwEdRMjZu8f8vJqXzIj0w==",
    ),
    (
        "RSA",
        "PS512",
        "DDt5Tb7eU5xT1x4fPXRIMxsduq6e7OBGn6G9YrV56TStF2poUYS93Bu5BtHzbJ+XwLJ4OuV+UFrFp0vqjzmx9AhSyZngHerzmTTvHhrrEjUeteKAuQtJ9yogoecrD8bRGmUjzVd5seemCzSxM1ywOQmcE81l5OCUs1NnrojVHUQuZmsPD/1PO18KifyVHx/3wcj+ghUv/M9fRO5HRaH7W38emGVxpX7SNxCrUyNmiRheG6hU7Ssx/MwmjtlxU8PRFWEIPVJA4h+ejClcw51yyYM45nFGK56bj365dtK3OcSF9TcW7OatxIq3Gkdlr4iXAILo/W0bxzVabBqoBlcEDg==",
    ),
    ("P-256", "ES256", "HsAusgUshUJSgwCX2C0VI0ddgcPZsEoG8m/eyUH6P09ZJFXHXxtzIv1pYx1txCFbUdQiT+GjPxxpvEnPswIJnw=="),
    (
        "P-384",
        "ES384",
        "8VIUt2DTjwgT8+WpO48/GggqNg9GvX7IngPtC3mLoanQmoCUE58GXW8ItVnG5GLyXoTAigHfCmYf4nz0Fl71Qk7OiDSSG7FQM0qw2Kwra0SS+R2gbq3nHUNdKirh7+Py",
    ),
    (
        "P-521",
        "ES512",
        "AdqulAeifueYslfYO8s82I/sRvGNslxGr3wssnVMaKU39iteqcqyIZ8V/Y7hAaCtzWUs/8nwJnCYu4tJoZDOpfJgAAQHdnP4cud8A2Z76nawaKoeO5CE3mrRDpZ4yishN9McBniFikVatnHFZSRmMnIx6ZmfNyMwpOmy2BkSnDhB0qrF",
    ),
    ("Ed25519", "EdDSA", "LnnGZst314GNqk7oT/indq9Kuf4H2UjbM2NK+b5fvKWQvpeqnNBaXcmFkRZ35zAdbjm/tArSAlqK7HCSw9Y9DA=="),
];

const CERTIFICATE: &str = "-----BEGIN CERTIFICATE-----\nMIIBAzCBq6ADAgECAgEFMAoGCCqGSM49BAMCMAwxCjAIBgNVBAMMAXgwHhcNMjAw\nMTAxMDAwMDAwWhcNMjAwMTAyMDAwMDAwWjAMMQowCAYDVQQDDAF4MFkwEwYHKoZI\nzj0CAQYIKoZIzj0DAQcDQgAEIvEVSP2GBuGkQtu960zMJ+S5qCAI+/1tmW3mU0e6\niNWW1vAa/ynNpKrIoF8JiHbALLe6uwl3hn9T1U9UmHn72TAKBggqhkjOPQQDAgNH\nADBEAiA3Qp0BaEvJ/3JDdIFLL6t5zW0Y3MmaVBsSRRhUx/pF4wIgTdVe1AC9EriG\ng2DlawxZiWHZsrvbFE8MxL6uP2MYQB0=\n-----END CERTIFICATE-----\n";
const RSA_1024: &str = "-----BEGIN PUBLIC KEY-----\nMIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDF+4nQNmjDaUJ7P49WYjnQKxJC\nckm2EMI3UUfFl/J88+QxWJXnkhK211471Nu8sm/rpH34k1TOue7irpGNTIjOmBn5\nyVCsGMXBqCx3mOdmRtOEOkvEVMbZpNPQfXfls9qP2V7RtZHLF32yvn3X8Dxyam1K\nbRcms18SGFlmj5PWVQIDAQAB\n-----END PUBLIC KEY-----\n";
const SECP256K1: &str = "-----BEGIN PUBLIC KEY-----\nMFYwEAYHKoZIzj0CAQYFK4EEAAoDQgAE2/JupZSENwLlaKT1wI8h6NXArjAUBQQg\n0vGJ+tSxzNLccWPOhFb6jvugY6SkM7iLeIdx/CiGqzZSr2A0P4624w==\n-----END PUBLIC KEY-----\n";

fn decoded(text: &str) -> Vec<u8> {
    STANDARD.decode(text).unwrap()
}

fn key(name: &str) -> VerifyingKey {
    VerifyingKey::from_pem(KEYS.iter().find(|row| row.0 == name).unwrap().1).unwrap()
}

fn from_numbers(name: &str, numbers: [&str; 2]) -> VerifyingKey {
    let [first, second] = numbers.map(decoded);
    let key = match name {
        "RSA" => VerifyingKey::rsa(&first, &second),
        "Ed25519" => VerifyingKey::edwards(name, &first),
        _ => VerifyingKey::curve(name, &first, &second),
    };
    key.unwrap()
}

#[test]
fn each_algorithm_verifies_by_keys_of_its_kind_alone() {
    for (signer, algorithm, signature) in SIGNATURES {
        let signature = decoded(signature);
        for (name, _, numbers) in KEYS {
            for key in [key(name), from_numbers(name, numbers)] {
                for (other, label, _) in VerificationAlgorithm::ALL {
                    let wanted = name == signer && label == algorithm;
                    assert_eq!(
                        key.verify(other, MESSAGE, &signature),
                        wanted,
                        "{algorithm} of {signer}: {label}, {name}"
                    );
                }
            }
        }
        let algorithm = VerificationAlgorithm::parse(algorithm).unwrap();
        assert!(!key(signer).verify(algorithm, b"header.other", &signature));
        assert!(!key(signer).verify(algorithm, MESSAGE, &signature[1..]));
        assert!(!key(signer).verify(algorithm, MESSAGE, &[]));
    }
}

#[test]
fn the_key_of_a_certificate_is_taken() {
    assert_eq!(VerifyingKey::from_pem(CERTIFICATE), Some(key("P-256")));
}

#[test]
fn what_is_no_key_of_ours_is_refused() {
    let rsa = KEYS[0].1;
    let private = rsa.replace("PUBLIC", "PRIVATE");
    let two = format!("{rsa}{rsa}");
    let junk = format!("{rsa} junk");
    let torn = rsa.replace("-----END PUBLIC KEY", "-----END CERTIFICATE");
    for text in [RSA_1024, SECP256K1, "", "nope", "-----BEGIN PUBLIC KEY-----", &private, &two, &junk, &torn] {
        assert_eq!(VerifyingKey::from_pem(text), None, "{text}");
    }
    assert_eq!(VerifyingKey::curve("P-256", &[1; 32], &[1; 32]), None, "not on the curve");
    assert_eq!(VerifyingKey::curve("P-256", &[1; 31], &[1; 32]), None);
    assert_eq!(VerifyingKey::edwards("X25519", &[1; 32]), None);
    assert_eq!(VerifyingKey::rsa(&[0xff; 128], &[1, 0, 1]), None);
}

#[test]
fn no_algorithm_without_a_public_key_has_a_name() {
    for name in ["none", "None", "", "HS256", "HS512", "rs256", "RS1", "ES256K"] {
        assert_eq!(VerificationAlgorithm::parse(name), None, "{name}");
    }
}
