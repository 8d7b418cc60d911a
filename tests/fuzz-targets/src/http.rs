//! What comes with HTTP: heads, addresses, codings, streams.

use std::sync::OnceLock;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use http::{HeaderMap, HeaderName, HeaderValue};
use ring::signature::Ed25519KeyPair;
use sotay_client::foreign as phone;
use sotay_model::Timestamp;
use sotay_model::device_key::{PublicKey, fixed_from_der};
use sotay_model::session::SessionCertificate;
use sotay_model::signature::{self, Headers, Parameters, Request};
use sotay_model::statement::{SignedStatement, Statement, StatementFault, Version};
use sotay_model::wire::{MAX_REQUEST_BYTES, MAX_RESPONSE_BYTES, TrustAnchors};
use sotay_server::engine::{NONCE_LIFETIME_MS, Nonces};
use sotay_server::http::foreign as server;

use crate::messages::stable;

/// The key whose signature fits.
pub(crate) fn key() -> &'static Ed25519KeyPair {
    static KEY: OnceLock<Ed25519KeyPair> = OnceLock::new();
    KEY.get_or_init(|| Ed25519KeyPair::from_seed_unchecked(&[7; 32]).expect("32 bytes are a seed"))
}

/// The request that was signed.
pub(crate) const REQUEST: Request<'static> = Request {
    method: "POST",
    authority: "sotay.example:8443",
    path: "/v1/sync",
    query: None,
    body: b"\xa1\x00\x01",
};

/// Lines as the head of a request holds them: `name: value`.
fn head(input: &[u8]) -> Option<HeaderMap> {
    let mut headers = HeaderMap::new();
    for line in input.split(|byte| *byte == b'\n') {
        let colon = line.iter().position(|byte| *byte == b':')?;
        let name = HeaderName::from_bytes(&line[..colon]).ok()?;
        let value = HeaderValue::from_bytes(line[colon + 1..].trim_ascii()).ok()?;
        headers.append(name, value);
    }
    Some(headers)
}

/// The headers of a signed request. Only the one form that is signed is read, and only the one signature fits.
pub fn signature(input: &[u8]) {
    let Some(headers) = head(input).and_then(|head| server::signature_headers(&head)) else {
        return;
    };
    let parsed = signature::parse(&headers.signature_input);
    if let Ok(parameters) = &parsed {
        let built = Parameters::new(parameters.created, parameters.key, parameters.nonce());
        assert_eq!(built.as_ref(), Ok(parameters));
        let written = signature::sign_with(key(), &REQUEST, parameters);
        assert_eq!(
            written.signature_input, headers.signature_input,
            "two spellings of the same parameters"
        );
    }
    let ours = signature::session_key(key());
    let verified = signature::verify(&REQUEST, &headers);
    if let Ok(parameters) = verified
        && parameters.key == ours
    {
        // Ed25519 has one signature for a key and a text: whatever fits was made by the key, byte for byte.
        assert_eq!(
            signature::sign_with(key(), &REQUEST, &parameters),
            headers,
            "another request verifies"
        );
        let other = Request {
            path: "/v1/wake",
            ..REQUEST
        };
        assert!(signature::verify(&other, &headers).is_err());
    }
    // As if digest and signature were right: only what is read counts.
    if let Ok(parameters) = parsed {
        let signed = signature::sign_with(key(), &REQUEST, &parameters);
        let same = Headers {
            signature_input: headers.signature_input,
            ..signed
        };
        let fits = signature::verify(&REQUEST, &same);
        if parameters.key == ours {
            assert_eq!(fits, Ok(parameters));
        } else {
            assert!(fits.is_err(), "signed by another key than the one named");
        }
    }
}

/// The certificate of a session, and what hardware signed.
pub fn session(input: &[u8]) {
    if let Ok(text) = std::str::from_utf8(input)
        && let Some(certificate) = SessionCertificate::from_header(text)
    {
        assert_eq!(certificate.header(), text, "two spellings of a certificate");
        let nobody = PublicKey::ed25519(&signature::session_key(key()));
        assert!(!certificate.fits(&nobody), "forged");
    }
    if let Ok(fixed) = fixed_from_der(input) {
        assert!(input.len() <= 72 && fixed != [0; 64]);
    }
    if let Ok(key) = PublicKey::p256(input) {
        assert!(key.is_well_formed());
    }
}

/// A nonce that a phone brings back, or a claim's.
pub fn nonce(input: &[u8]) {
    const NOW: Timestamp = Timestamp(1_790_000_000_000);
    let nonces = Nonces::new(&[1; 32], NOW);
    let whose = [3; 32];
    if let Ok(text) = std::str::from_utf8(input)
        && let Some(time) = nonces.fresh_for_session(&whose, text, NOW)
    {
        // Nobody makes one up: it is one that was given out within the hour, in its one spelling.
        let bytes = URL_SAFE_NO_PAD.decode(text).expect("it was read");
        assert_eq!(URL_SAFE_NO_PAD.encode(bytes), text);
        assert!((-60_000..=NONCE_LIFETIME_MS).contains(&(NOW.0 - time.0)));
        assert_eq!(nonces.fresh_for_session(&[4; 32], text, NOW), None);
    }
    if nonces.is_fresh_for_claim(&[5; 32], &[7; 32], input, NOW) {
        assert_eq!(input.len(), 32);
        assert!(!nonces.is_fresh_for_claim(&[6; 32], &[7; 32], input, NOW));
        assert!(!nonces.is_fresh_for_claim(&[5; 32], &[8; 32], input, NOW));
    }
}

/// Address and range of a blob: a first line with the address, a second one with the value of `Range`.
pub fn blob_request(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let (address, range) = text.split_once('\n').unwrap_or((text, ""));
    // What stands behind `#` never belongs to a request's address.
    let address = address.split('#').next().unwrap_or_default();
    if let Ok((digest, record)) = server::blob_to_fetch(address) {
        assert!(address.ends_with(&format!("/v1/blobs/{digest}?record={record}")));
        assert!(server::blob_handed_over(address).is_err());
    }
    if let Ok((digest, home, from, size)) = server::blob_handed_over(address) {
        let (path, query) = address.split_once('?').expect("there was a query");
        assert!(path.ends_with(&format!("/v1/blobs/{digest}")));
        let values: Vec<&str> = query.split(['=', '&']).collect();
        assert_eq!(values[1], home.to_string());
        assert_eq!((values[3].parse(), values[5].parse()), (Ok(from), Ok(size)));
    }
    if let Some((from, to)) = server::range(range) {
        assert!(from <= to);
        assert!(range.starts_with("bytes=") && !range.contains(','));
    }
}

/// Other values in heads, on both sides.
pub fn header(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if server::accepts_zstd(&text) {
        assert!(text.to_ascii_lowercase().contains("zstd"));
    }
    if let Some(wait) = phone::asked_to_wait(&text) {
        assert!(text.contains(|c: char| c.is_ascii_digit()) || wait.is_zero());
    }
    if let Some(address) = server::forwarded_address(&text) {
        assert!(text.contains(|c: char| c.is_ascii_hexdigit() || c == ':'));
        assert_eq!(
            server::forwarded_address(&format!("[{address}]:443")),
            Some(address)
        );
    }
    let authority = signature::authority(&text);
    assert_eq!(authority, authority.to_ascii_lowercase());
}

/// The body of a request that says it is compressed.
pub fn packed_request(input: &[u8]) {
    if let Ok(plain) = server::unpacked(input) {
        assert!(plain.len() <= MAX_REQUEST_BYTES);
        if let Some(packed) = server::packed(&plain) {
            assert_eq!(server::unpacked(&packed).as_ref(), Ok(&plain));
            assert_eq!(phone::unpacked(&packed), Ok(plain));
        }
    }
}

/// The body of a response that says it is compressed.
pub fn packed_response(input: &[u8]) {
    if let Ok(plain) = phone::unpacked(input) {
        assert!(plain.len() <= MAX_RESPONSE_BYTES);
    }
}

/// The stream of wake-ups, in whatever chunks it comes: the first byte says how long they are.
pub fn wake_stream(input: &[u8]) {
    let Some((length, stream)) = input.split_first() else {
        return;
    };
    let begins_a_line = |at: usize| at == 0 || matches!(stream[at - 1], b'\n' | b'\r');
    let woken = (0..stream.len())
        .any(|at| begins_a_line(at) && !matches!(stream[at], b':' | b'\n' | b'\r'));
    let length = usize::from(*length).max(1);
    let chunks = phone::wake_ups(stream.chunks(length));
    assert_eq!(chunks > 0, woken, "woken by something else, or not at all");
    assert!(chunks <= stream.len().div_ceil(length));
}

/// What an organisation hands over as its trust anchors.
pub fn anchors(input: &[u8]) {
    if let Some(anchors) = stable::<TrustAnchors>(input) {
        phone::are_anchors(&anchors);
    }
}

/// What an organisation states: as it stands in a header, and as the bytes that it signed.
pub fn statement(input: &[u8]) {
    let ours = signature::session_key(key());
    if let Ok(text) = std::str::from_utf8(input) {
        if let Ok(signed) = SignedStatement::from_header(text) {
            let forged = signed.open([&ours[..]], 0);
            assert_eq!(forged, Err(StatementFault::Forged));
        }
        if let Some(version) = Version::parse(text) {
            assert_eq!(Version::parse(&version.to_string()), Some(version));
        }
    }
    // As if the organisation had signed it: only what is read counts.
    let signature = key().sign(&SignedStatement::signed_bytes(input));
    let signed = SignedStatement {
        statement: input.to_vec(),
        signature: signature.as_ref().to_vec(),
    };
    let travelled = SignedStatement::from_header(&signed.header());
    assert_eq!(travelled, Ok(signed.clone()));
    if let Ok(statement) = signed.open([&ours[..]], 6) {
        assert_eq!(stable::<Statement>(input).as_ref(), Some(&statement));
        assert!(statement.serial > 6, "an old one");
        let again = signed.open([&ours[..]], statement.serial);
        assert_eq!(again, Err(StatementFault::NotNewer));
        phone::are_anchors(&statement.anchors);
    }
}
