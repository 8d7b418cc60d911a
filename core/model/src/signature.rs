//! HTTP message signatures, in one fixed profile of RFC 9421, with Content-Digest (RFC 9530).
//!
//! Covered, in this order: `@method`, `@authority`, `@path`, `@query`, `content-digest`. Parameters, in this order: `created`,
//! `keyid` (the session's public key in base64url), `alg="ed25519"`, `nonce` (the server's), `tag="sotay"`. One label: `sotay`. Anything else is refused.
//!
//! There is exactly one way to write a signed request, so the reader accepts exactly one: it takes the values out of
//! `Signature-Input`, writes the header again from them and compares. A request without a body signs the digest of no
//! bytes. `created` is covered but never judged: what makes a request fresh is the nonce, which the server checks.

use base64::Engine;
use base64::engine::general_purpose::{STANDARD as BASE64, URL_SAFE_NO_PAD};
use ring::digest::{SHA256, digest};
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};

use crate::session::SESSION_KEY_BYTES;

/// Names what is signed and with which parameters.
pub const SIGNATURE_INPUT: &str = "signature-input";
/// Carries the signature.
pub const SIGNATURE: &str = "signature";
/// Carries the digest of the body.
pub const CONTENT_DIGEST: &str = "content-digest";

/// The most characters of a nonce.
pub const MAX_NONCE: usize = 128;

const LABEL: &str = "sotay";
const COMPONENTS: &str = r#"("@method" "@authority" "@path" "@query" "content-digest")"#;

/// An Ed25519 public key.
pub type SessionKey = [u8; SESSION_KEY_BYTES];

/// What of a request is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request<'a> {
    /// `POST`, `GET`: as sent, case matters.
    pub method: &'a str,
    /// Host, and port unless it is 443; lower case. See [`authority`].
    pub authority: &'a str,
    /// The path, beginning with `/`.
    pub path: &'a str,
    /// The query without its `?`; none and empty sign alike.
    pub query: Option<&'a str>,
    /// The body's bytes as they travel; empty without a body.
    pub body: &'a [u8],
}

/// The parameters of a signature.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Parameters {
    /// When it was made, by the signer's clock, in seconds since 1970.
    pub created: i64,
    /// The session's public key, which is the key that signs.
    pub key: SessionKey,
    nonce: String,
}

impl Parameters {
    /// Parameters with a server's nonce: 1 to [`MAX_NONCE`] visible ASCII characters other than `"` and `\`.
    pub fn new(created: i64, key: SessionKey, nonce: &str) -> Result<Self, SignatureFault> {
        let fits = !nonce.is_empty()
            && nonce.len() <= MAX_NONCE
            && nonce
                .bytes()
                .all(|b| b.is_ascii_graphic() && b != b'"' && b != b'\\');
        if fits {
            Ok(Self {
                created,
                key,
                nonce: nonce.to_owned(),
            })
        } else {
            Err(SignatureFault::Nonce)
        }
    }

    /// The server's nonce.
    pub fn nonce(&self) -> &str {
        &self.nonce
    }

    /// The value of `@signature-params`.
    fn value(&self) -> String {
        format!(
            r#"{COMPONENTS};created={};keyid="{}";alg="ed25519";nonce="{}";tag="sotay""#,
            self.created,
            URL_SAFE_NO_PAD.encode(self.key),
            self.nonce
        )
    }
}

/// The headers of a signed request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Headers {
    /// [`CONTENT_DIGEST`]
    pub content_digest: String,
    /// [`SIGNATURE_INPUT`]
    pub signature_input: String,
    /// [`SIGNATURE`]
    pub signature: String,
}

/// Why a signed request is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureFault {
    /// A header is missing or not of this profile.
    #[error("the headers are not of this profile")]
    Profile,
    /// A nonce that no server of this protocol gives out.
    #[error("not a nonce")]
    Nonce,
    /// The body is not the one that was signed.
    #[error("the body does not fit its digest")]
    Digest,
    /// The signature does not fit key and request.
    #[error("the signature does not fit")]
    Mismatch,
}

/// Brings a `Host` header into the form that is signed: lower case, without the port of HTTPS.
pub fn authority(host: &str) -> String {
    let host = host.trim().to_ascii_lowercase();
    host.strip_suffix(":443")
        .map_or_else(|| host.clone(), str::to_owned)
}

/// The value of `Content-Digest` for a body.
pub fn content_digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", BASE64.encode(digest(&SHA256, body)))
}

/// The bytes that are signed (RFC 9421 §2.5).
pub fn signature_base(request: &Request<'_>, parameters: &Parameters) -> String {
    base_with(request, &content_digest(request.body), parameters)
}

fn base_with(request: &Request<'_>, digest: &str, parameters: &Parameters) -> String {
    base(
        &[
            ("@method", request.method),
            ("@authority", request.authority),
            ("@path", request.path),
            ("@query", &format!("?{}", request.query.unwrap_or_default())),
            ("content-digest", digest),
        ],
        &parameters.value(),
    )
}

fn base(components: &[(&str, &str)], parameters: &str) -> String {
    let mut lines = String::with_capacity(512);
    for (name, value) in components {
        lines.push('"');
        lines.push_str(name);
        lines.push_str("\": ");
        lines.push_str(value);
        lines.push('\n');
    }
    lines.push_str("\"@signature-params\": ");
    lines.push_str(parameters);
    lines
}

/// The public half of a session's key.
pub fn session_key(pair: &Ed25519KeyPair) -> SessionKey {
    let mut key = [0; SESSION_KEY_BYTES];
    key.copy_from_slice(pair.public_key().as_ref());
    key
}

/// Signs a request with a session's key, whose public half the parameters name.
pub fn sign_with(pair: &Ed25519KeyPair, request: &Request<'_>, parameters: &Parameters) -> Headers {
    let signature = pair.sign(signature_base(request, parameters).as_bytes());
    Headers {
        content_digest: content_digest(request.body),
        signature_input: format!("{LABEL}={}", parameters.value()),
        signature: format!("{LABEL}=:{}:", BASE64.encode(signature)),
    }
}

/// Reads the parameters out of a `Signature-Input`, so that the server can check the nonce before it verifies.
pub fn parse(signature_input: &str) -> Result<Parameters, SignatureFault> {
    let rest = signature_input
        .strip_prefix(LABEL)
        .and_then(|rest| rest.strip_prefix('='))
        .and_then(|rest| rest.strip_prefix(COMPONENTS))
        .and_then(|rest| rest.strip_prefix(";created="))
        .ok_or(SignatureFault::Profile)?;
    let (created, rest) = rest
        .split_once(";keyid=\"")
        .ok_or(SignatureFault::Profile)?;
    let (key, rest) = rest
        .split_once("\";alg=\"ed25519\";nonce=\"")
        .ok_or(SignatureFault::Profile)?;
    let nonce = rest
        .strip_suffix("\";tag=\"sotay\"")
        .ok_or(SignatureFault::Profile)?;
    let parameters = Parameters::new(
        created.parse().map_err(|_| SignatureFault::Profile)?,
        URL_SAFE_NO_PAD
            .decode(key)
            .ok()
            .and_then(|key| key.try_into().ok())
            .ok_or(SignatureFault::Profile)?,
        nonce,
    )?;
    // "+1" and "01" are numbers too; only the form that is signed is of this profile.
    if signature_input
        .split_once('=')
        .is_some_and(|(_, value)| value == parameters.value())
    {
        Ok(parameters)
    } else {
        Err(SignatureFault::Profile)
    }
}

/// Checks digest and signature of a request under the key that its parameters name, and gives these back. Whether the nonce is
/// fresh and whose key it is, is for the server to say.
pub fn verify(request: &Request<'_>, headers: &Headers) -> Result<Parameters, SignatureFault> {
    let parameters = parse(&headers.signature_input)?;
    if headers.content_digest != content_digest(request.body) {
        return Err(SignatureFault::Digest);
    }
    verify_head(request, headers, &parameters)?;
    Ok(parameters)
}

/// Checks the signature of a request whose body is still to come, over the digest that its head declares. `request.body` is not
/// looked at: whoever takes it then must compare its [`content_digest`] with the declared one. The parameters are those that
/// [`parse`] read out of these headers.
pub fn verify_head(
    request: &Request<'_>,
    headers: &Headers,
    parameters: &Parameters,
) -> Result<(), SignatureFault> {
    let signature = headers
        .signature
        .strip_prefix(LABEL)
        .and_then(|rest| rest.strip_prefix("=:"))
        .and_then(|rest| rest.strip_suffix(':'))
        .and_then(|text| BASE64.decode(text).ok())
        .ok_or(SignatureFault::Profile)?;
    UnparsedPublicKey::new(&ED25519, &parameters.key)
        .verify(
            base_with(request, &headers.content_digest, parameters).as_bytes(),
            &signature,
        )
        .map_err(|_| SignatureFault::Mismatch)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key() -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap()
    }

    const REQUEST: Request<'static> = Request {
        method: "POST",
        authority: "dang-uy.example:8443",
        path: "/v1/sync",
        query: None,
        body: b"\xa1\x00\x01",
    };

    fn parameters() -> Parameters {
        Parameters::new(1_766_000_000, session_key(&key()), "AbC-_1").unwrap()
    }

    #[test]
    fn auth_1_rfc_9421_b_2_6_signs_and_verifies() {
        let seed = BASE64
            .decode("n4Ni+HpISpVObnQMW0wOhCKROaIKqKtW/2ZYb2p9KcU=")
            .unwrap();
        let public = BASE64
            .decode("JrQLj5P/89iXES9+vFgrIy29clF9CC/oPPsw3c5D0bs=")
            .unwrap();
        let key = Ed25519KeyPair::from_seed_and_public_key(&seed, &public).unwrap();
        let base = base(
            &[
                ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
                ("@method", "POST"),
                ("@path", "/foo"),
                ("@authority", "example.com"),
                ("content-type", "application/json"),
                ("content-length", "18"),
            ],
            r#"("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#,
        );
        assert_eq!(
            BASE64.encode(key.sign(base.as_bytes())),
            "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
        );
    }

    #[test]
    fn auth_1_the_digest_is_that_of_rfc_9530() {
        assert_eq!(
            content_digest(b"{\"hello\": \"world\"}"),
            "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:"
        );
    }

    #[test]
    fn the_base_has_one_line_for_each_component() {
        assert_eq!(
            signature_base(
                &Request {
                    query: Some("a=b"),
                    ..REQUEST
                },
                &parameters()
            ),
            format!(
                "\"@method\": POST\n\"@authority\": dang-uy.example:8443\n\"@path\": /v1/sync\n\"@query\": ?a=b\n\
                 \"content-digest\": {}\n\"@signature-params\": {}",
                content_digest(REQUEST.body),
                r#"("@method" "@authority" "@path" "@query" "content-digest");created=1766000000;keyid="6kpsY-KcUgq-9VB7Ey7F-ZVHdq6-vnuSQh7qaRRG0iw";alg="ed25519";nonce="AbC-_1";tag="sotay""#
            )
        );
    }

    #[test]
    fn what_was_signed_verifies_and_gives_its_parameters_back() {
        let headers = sign_with(&key(), &REQUEST, &parameters());
        assert_eq!(verify(&REQUEST, &headers), Ok(parameters()));
    }

    #[test]
    fn a_clock_before_1970_signs_too() {
        let parameters = Parameters::new(-5, session_key(&key()), "n").unwrap();
        let headers = sign_with(&key(), &REQUEST, &parameters);
        assert_eq!(verify(&REQUEST, &headers), Ok(parameters));
    }

    #[test]
    fn auth_1_any_change_of_the_request_is_refused() {
        let headers = sign_with(&key(), &REQUEST, &parameters());
        let changed = [
            (
                Request {
                    method: "GET",
                    ..REQUEST
                },
                SignatureFault::Mismatch,
            ),
            (
                Request {
                    authority: "other.example:8443",
                    ..REQUEST
                },
                SignatureFault::Mismatch,
            ),
            (
                Request {
                    path: "/v1/wake",
                    ..REQUEST
                },
                SignatureFault::Mismatch,
            ),
            (
                Request {
                    query: Some("x"),
                    ..REQUEST
                },
                SignatureFault::Mismatch,
            ),
            (
                Request {
                    body: b"\xa1\x00\x02",
                    ..REQUEST
                },
                SignatureFault::Digest,
            ),
        ];
        for (request, fault) in changed {
            assert_eq!(verify(&request, &headers), Err(fault), "{request:?}");
        }
    }

    #[test]
    fn auth_1_any_change_of_the_parameters_is_refused() {
        let headers = sign_with(&key(), &REQUEST, &parameters());
        for other in [
            Parameters::new(1_766_000_001, session_key(&key()), "AbC-_1").unwrap(),
            Parameters::new(1_766_000_000, [9; 32], "AbC-_1").unwrap(),
            Parameters::new(1_766_000_000, session_key(&key()), "AbC-_2").unwrap(),
        ] {
            let signature_input = format!("sotay={}", other.value());
            let headers = Headers {
                signature_input,
                ..headers.clone()
            };
            assert_eq!(
                verify(&REQUEST, &headers),
                Err(SignatureFault::Mismatch),
                "{other:?}"
            );
        }
    }

    #[test]
    fn auth_1_a_body_changed_together_with_its_digest_is_refused() {
        let request = Request {
            body: b"other",
            ..REQUEST
        };
        let headers = sign_with(&key(), &REQUEST, &parameters());
        let headers = Headers {
            content_digest: content_digest(request.body),
            ..headers
        };
        assert_eq!(verify(&request, &headers), Err(SignatureFault::Mismatch));
    }

    #[test]
    fn auth_1_a_head_is_verified_before_its_body_with_the_digest_that_was_signed_and_no_other() {
        let headers = sign_with(&key(), &REQUEST, &parameters());
        let head = Request {
            body: b"",
            ..REQUEST
        };
        assert_eq!(verify_head(&head, &headers, &parameters()), Ok(()));
        let headers = Headers {
            content_digest: content_digest(b"other"),
            ..headers
        };
        assert_eq!(
            verify_head(&head, &headers, &parameters()),
            Err(SignatureFault::Mismatch)
        );
    }

    #[test]
    fn auth_1_another_key_than_the_one_named_is_refused() {
        let other = Ed25519KeyPair::from_seed_unchecked(&[8; 32]).unwrap();
        let headers = sign_with(&other, &REQUEST, &parameters());
        assert_eq!(verify(&REQUEST, &headers), Err(SignatureFault::Mismatch));
    }

    #[test]
    fn auth_1_other_forms_of_the_headers_are_refused() {
        let input = sign_with(&key(), &REQUEST, &parameters()).signature_input;
        for other in [
            String::new(),
            "sotay".into(),
            input.replace("sotay=", "sig1="),
            input.replace("created=1", "created=+1"),
            input.replace("created=1", "created=01"),
            input.replace("\"@method\" ", ""),
            input.replace("ed25519", "hmac-sha256"),
            input.replace("tag=\"sotay\"", "tag=\"other\""),
            input.replace("keyid=\"6k", "keyid=\"+k"),
            input.replace("0iw\";alg", "0ix\";alg"),
            input.replace("keyid=\"6k", "keyid=\""),
            format!("{input} "),
            format!("{input}, {input}"),
            format!("{input};expires=1"),
        ] {
            assert!(parse(&other).is_err(), "{other}");
        }
    }

    #[test]
    fn auth_1_a_nonce_cannot_smuggle_parameters_in() {
        for nonce in [
            "",
            "a\"b",
            "a\\b",
            "a b",
            "a\nb",
            "é",
            &"x".repeat(MAX_NONCE + 1),
        ] {
            assert_eq!(
                Parameters::new(0, [1; 32], nonce),
                Err(SignatureFault::Nonce),
                "{nonce:?}"
            );
        }
    }

    #[test]
    fn the_port_of_https_is_not_signed() {
        assert_eq!(authority("Dang-Uy.Example:443"), "dang-uy.example");
        assert_eq!(authority("127.0.0.1:8443"), "127.0.0.1:8443");
    }
}
