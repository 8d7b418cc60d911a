//! Texts that people type, scan, or open the app with.

use ring::signature::KeyPair;
use sotay_client::foreign as phone;
use sotay_model::board::{BoardLink, BoardLinkFault, MAX_BOARD_LINK};
use sotay_model::enrolment::{Code, Invitation, SYMBOLS};
use sotay_model::exchange::SixDigits;
use sotay_model::rejection::Field;
use sotay_model::{BlobDigest, CalendarDate, Id, RecordKey, Scope, text};

use crate::seeds;

fn check_invitation(found: &Invitation) {
    let text = found.text();
    assert_eq!(Invitation::parse(&text).as_ref(), Ok(found));
    assert_eq!(Invitation::parse(&text.to_uppercase()).as_ref(), Ok(found));
    let typed = Invitation::typed(found.host(), &found.code().text());
    assert_eq!(typed.as_ref(), Ok(found));
    assert_eq!(phone::invitation(&text).as_ref(), Ok(found));
    let plain = |b: u8| b.is_ascii_graphic() && !b.is_ascii_uppercase();
    assert!(found.host().bytes().all(plain), "{:?}", found.host());
    assert!(!found.host().contains(['/', '@', '?', '#', '%']));
}

/// What is scanned or typed: a link, or host and code.
pub fn invitation(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    if let Ok(found) = phone::invitation(&text) {
        check_invitation(&found);
    }
}

/// The link that opens the app; the system has looked at its beginning already.
pub fn deep_link(input: &[u8]) {
    let link = format!("sotay://join/{}", String::from_utf8_lossy(input));
    if let Ok(found) = phone::invitation(&link) {
        check_invitation(&found);
    }
}

/// The code alone, and the six digits that an officer types.
pub fn code(input: &[u8]) {
    let typed = String::from_utf8_lossy(input);
    if let Some(digits) = SixDigits::parse(&typed) {
        assert_eq!(SixDigits::parse(&digits.text()), Some(digits));
    }
    let Ok(code) = Code::parse(&typed) else {
        return;
    };
    assert_eq!(Code::parse(&code.text()).as_ref(), Ok(&code));
    let symbols: String = typed
        .chars()
        .filter(|c| !c.is_whitespace() && !['-', '–', '—'].contains(c))
        .map(|c| match c.to_ascii_uppercase() {
            'O' => '0',
            'I' | 'L' => '1',
            other => other,
        })
        .collect();
    assert_eq!(symbols.len(), SYMBOLS);
    assert_eq!(code.secret(), symbols.into_bytes());
    // Any one symbol mistyped is noticed.
    let mut other = code.secret();
    other[5] = if other[5] == b'7' { b'8' } else { b'7' };
    assert!(Code::parse(&String::from_utf8_lossy(&other)).is_err());
}

/// What a square of a printed board holds: one form, and nothing without the organisation's signature.
pub fn board_link(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let ours = seeds::organisation_key();
    match BoardLink::read(&text, [ours.public_key().as_ref()]) {
        Ok(link) => {
            assert_eq!(link.text(), text);
            let signed = BoardLink::signed_bytes(link.host(), link.committee(), link.item());
            let signature = ours.sign(&signed).as_ref().try_into().expect("64 bytes");
            let again = BoardLink::new(link.host(), link.committee(), link.item(), signature);
            assert_eq!(again, Ok(link), "two signatures for one square");
        }
        Err(BoardLinkFault::Forged) => {
            assert!(text.len() <= MAX_BOARD_LINK && text.starts_with("https://"));
            assert!(text.bytes().all(|byte| byte.is_ascii_graphic()));
        }
        Err(BoardLinkFault::NotABoard) => {}
    }
}

/// Identifiers and days in addresses and files: each has one spelling.
pub fn identifier(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    if let Ok(id) = text.parse::<Id>() {
        assert_eq!(id.to_string(), text);
    }
    if let Ok(scope) = text.parse::<Scope>() {
        assert_eq!(scope.to_string(), text);
        assert_eq!(Scope::from_bytes(&scope.to_bytes()), Ok(scope));
    }
    if let Ok(key) = text.parse::<RecordKey>() {
        assert_eq!(key.to_string(), text);
        assert_eq!(RecordKey::from_bytes(&key.to_bytes()), Ok(key));
    }
    if let Ok(digest) = text.parse::<BlobDigest>() {
        assert_eq!(digest.to_string(), text);
    }
    if let Ok(day) = text.parse::<CalendarDate>() {
        assert_eq!(day.to_string().parse(), Ok(day));
    }
    if let Ok(key) = RecordKey::from_bytes(input) {
        assert_eq!(key.to_bytes(), input);
        assert_eq!(key.to_string().parse(), Ok(key));
    }
}

/// Free text as rules take it in: what was accepted is accepted again as it is.
pub fn free_text(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    let limit = 500;
    for read in [text::required, text::required_lines] {
        if let Ok(accepted) = read(Field::Title, &text, limit) {
            assert!(accepted.chars().count() <= limit as usize);
            assert!(!accepted.trim().is_empty());
            assert_eq!(read(Field::Title, &accepted, limit).as_ref(), Ok(&accepted));
            assert_eq!(text::secrecy_marking(&accepted), None, "{accepted:?}");
        }
    }
}
