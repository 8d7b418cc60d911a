//! The invitation: its code, its text form, and the keys that both sides derive from it. What they exchange then:
//! [`crate::exchange`].
//!
//! A code is 60 random bits written as 12 Crockford base32 symbols and a 13th that checks them: any one symbol mistyped and
//! any two exchanged are noticed. Both sides stretch it with Argon2id ([`SALT`], [`MEMORY_KIB`], [`PASSES`], [`LANES`], 32
//! bytes out; not done here) and derive three keys ([`EnrolmentKeys`]). The code itself never travels.
//!
//! Text form, in a QR code or a message: `sotay://join/<host[:port]>/<code>`. Whoever types gives host and code apart.

use std::fmt;

use ring::hkdf;

use crate::wire::labels;

/// The salt of Argon2id: constant, since the code is random and used once.
pub const SALT: &[u8] = b"sotay enrolment code v1";
/// Argon2id's memory, in KiB.
pub const MEMORY_KIB: u32 = 19 * 1024;
/// Argon2id's passes.
pub const PASSES: u32 = 2;
/// Argon2id's lanes.
pub const LANES: u32 = 1;

/// The symbols of a code, the check symbol included.
pub const SYMBOLS: usize = 13;

const ALPHABET: &[u8; 32] = b"0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const SCHEME: &str = "sotay://join/";
const MAX_HOST: usize = 253 + 6;

/// What is wrong with a text that should be an invitation.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum InvitationFault {
    /// Not an invitation to a handbook at all.
    #[error("not an invitation")]
    NotAnInvitation,
    /// The server's name cannot be one.
    #[error("not a server's name")]
    Host,
    /// The code has too few or too many symbols.
    #[error("a code has 13 symbols, not {found}")]
    Length {
        /// How many there are.
        found: u32,
    },
    /// A symbol that no code contains.
    #[error("symbol {position} occurs in no code")]
    Symbol {
        /// Which one, counted from 1.
        position: u32,
    },
    /// A symbol was mistyped, or two exchanged.
    #[error("the code is mistyped")]
    Mistyped,
}

/// The code of an invitation. Its text is shown by [`Code::text`] only, never by `Debug`.
#[derive(Clone, PartialEq, Eq)]
pub struct Code([u8; SYMBOLS]);

impl Code {
    /// A code from 8 random bytes, of which 60 bits are used.
    pub fn from_random(random: [u8; 8]) -> Self {
        let bits = u64::from_be_bytes(random);
        let mut symbols = [0; SYMBOLS];
        for (place, symbol) in symbols[..SYMBOLS - 1].iter_mut().enumerate() {
            *symbol = ((bits >> (5 * place)) & 31) as u8;
        }
        symbols[SYMBOLS - 1] = times_x(syndrome(&symbols[..SYMBOLS - 1]));
        Self(symbols)
    }

    /// Reads a code as people type it: any case, spaces and dashes anywhere, O for 0, I and L for 1.
    pub fn parse(text: &str) -> Result<Self, InvitationFault> {
        let typed = text
            .chars()
            .filter(|c| !c.is_whitespace() && !matches!(c, '-' | '–' | '—'));
        let mut symbols = Vec::with_capacity(SYMBOLS);
        for (place, c) in typed.enumerate() {
            let position = u32::try_from(place + 1).unwrap_or(u32::MAX);
            let c = match c.to_ascii_uppercase() {
                'O' => '0',
                'I' | 'L' => '1',
                other => other,
            };
            let symbol = ALPHABET.iter().position(|&known| char::from(known) == c);
            symbols.push(symbol.ok_or(InvitationFault::Symbol { position })? as u8);
        }
        let symbols: [u8; SYMBOLS] =
            symbols
                .try_into()
                .map_err(|found: Vec<u8>| InvitationFault::Length {
                    found: u32::try_from(found.len()).unwrap_or(u32::MAX),
                })?;
        if syndrome(&symbols) == 0 {
            Ok(Self(symbols))
        } else {
            Err(InvitationFault::Mistyped)
        }
    }

    /// In groups, to read out and to type: `XXXX-XXXX-XXXXX`.
    pub fn text(&self) -> String {
        let plain = self.plain();
        format!("{}-{}-{}", &plain[..4], &plain[4..8], &plain[8..])
    }

    /// What is stretched: the 13 symbols in upper case, without dashes.
    pub fn secret(&self) -> Vec<u8> {
        self.plain().into_bytes()
    }

    fn plain(&self) -> String {
        self.0
            .iter()
            .map(|&symbol| char::from(ALPHABET[usize::from(symbol & 31)]))
            .collect()
    }
}

impl fmt::Debug for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Code(…)")
    }
}

/// Multiplies by x in GF(32), polynomial x⁵ + x² + 1.
const fn times_x(value: u8) -> u8 {
    let shifted = value << 1;
    if shifted & 32 == 0 {
        shifted
    } else {
        (shifted ^ 0b10_0101) & 31
    }
}

/// The symbols as a polynomial evaluated at x: 0 for a code that is whole.
fn syndrome(symbols: &[u8]) -> u8 {
    symbols.iter().fold(0, |sum, symbol| times_x(sum) ^ symbol)
}

/// Where to join, and with which code.
#[derive(Clone, PartialEq, Eq)]
pub struct Invitation {
    host: String,
    code: Code,
}

impl Invitation {
    /// An invitation to the server `host[:port]`.
    pub fn new(host: &str, code: Code) -> Result<Self, InvitationFault> {
        let host = host.trim().to_ascii_lowercase();
        if is_host(&host) {
            Ok(Self { host, code })
        } else {
            Err(InvitationFault::Host)
        }
    }

    /// Reads the text form. The address may be typed in capitals, as some QR codes hold it.
    pub fn parse(text: &str) -> Result<Self, InvitationFault> {
        let text = text.trim();
        let rest = text
            .get(..SCHEME.len())
            .filter(|scheme| scheme.eq_ignore_ascii_case(SCHEME))
            .and_then(|_| text.get(SCHEME.len()..))
            .ok_or(InvitationFault::NotAnInvitation)?;
        let (host, code) = rest
            .split_once('/')
            .ok_or(InvitationFault::NotAnInvitation)?;
        Self::new(host, Code::parse(code)?)
    }

    /// Reads what was typed into two fields.
    pub fn typed(host: &str, code: &str) -> Result<Self, InvitationFault> {
        Self::new(host, Code::parse(code)?)
    }

    /// The server, with its port if one was given.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The code.
    pub const fn code(&self) -> &Code {
        &self.code
    }

    /// `sotay://join/<host[:port]>/<code>`
    pub fn text(&self) -> String {
        format!("{SCHEME}{}/{}", self.host, self.code.text())
    }
}

impl fmt::Debug for Invitation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Invitation")
            .field("host", &self.host)
            .finish_non_exhaustive()
    }
}

/// A name, an IPv4 address or an IPv6 address in brackets, then perhaps a port from 1 to 65535.
pub(crate) fn is_host(text: &str) -> bool {
    let (name, port) = match text.rsplit_once(':') {
        Some((name, port)) if !port.ends_with(']') => (name, Some(port)),
        _ => (text, None),
    };
    let port_fits = port.is_none_or(|port| {
        port.bytes().all(|b| b.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port != 0)
    });
    let name_fits = match name
        .strip_prefix('[')
        .and_then(|rest| rest.strip_suffix(']'))
    {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => name.split('.').all(|label| {
            (1..=63).contains(&label.len())
                && label
                    .bytes()
                    .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
                && !label.starts_with('-')
                && !label.ends_with('-')
        }),
    };
    text.len() <= MAX_HOST && port_fits && name_fits
}

/// The keys derived from a stretched code: HKDF-SHA256 without salt, one label each.
#[derive(Clone, PartialEq, Eq)]
pub struct EnrolmentKeys {
    /// Finds the invitation without showing the code. Not a secret.
    pub lookup: [u8; 32],
    /// Authenticates the trust anchors that the server hands over.
    pub anchors: [u8; 32],
    /// Proves knowledge of the code for one claim.
    pub claim: [u8; 32],
}

impl EnrolmentKeys {
    /// Derives the keys from the 32 bytes that Argon2id made of [`Code::secret`].
    pub fn derive(stretched: &[u8; 32]) -> Self {
        let extracted = hkdf::Salt::new(hkdf::HKDF_SHA256, &[]).extract(stretched);
        let key = |label: &[u8]| {
            let mut key = [0; 32];
            let parts = [label];
            // 32 bytes are one block of HKDF-SHA256: expanding and filling cannot fail.
            let filled = extracted
                .expand(&parts, hkdf::HKDF_SHA256)
                .and_then(|block| block.fill(&mut key))
                .is_ok();
            debug_assert!(filled);
            key
        };
        Self {
            lookup: key(labels::LOOKUP),
            anchors: key(labels::ANCHORS),
            claim: key(labels::CLAIM),
        }
    }
}

impl fmt::Debug for EnrolmentKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("EnrolmentKeys(…)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn a_code_is_read_however_it_is_typed() {
        let code = Code::from_random([0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef]);
        let text = code.text();
        assert_eq!(text.len(), 15);
        for typed in [
            text.clone(),
            text.to_lowercase(),
            text.replace('-', ""),
            text.replace('-', " "),
            text.replace('0', "o").replace('1', "l"),
            format!("  {}  ", text.replace('0', "O").replace('1', "i")),
        ] {
            assert_eq!(Code::parse(&typed), Ok(code.clone()), "{typed}");
        }
    }

    #[test]
    fn what_is_no_code_says_why() {
        assert_eq!(Code::parse(""), Err(InvitationFault::Length { found: 0 }));
        assert_eq!(
            Code::parse("ABC"),
            Err(InvitationFault::Length { found: 3 })
        );
        assert_eq!(
            Code::parse("ABCU"),
            Err(InvitationFault::Symbol { position: 4 })
        );
        assert_eq!(
            Code::parse("AB đ"),
            Err(InvitationFault::Symbol { position: 3 })
        );
        assert_eq!(
            Code::parse(&"7".repeat(10_000)),
            Err(InvitationFault::Length { found: 10_000 })
        );
    }

    #[test]
    fn an_invitation_survives_its_text_form() {
        let code = Code::from_random([9; 8]);
        for host in [
            "127.0.0.1:8443",
            "so-tay.example",
            "[::1]:443",
            "localhost:1",
        ] {
            let invitation = Invitation::new(host, code.clone()).unwrap();
            assert_eq!(
                Invitation::parse(&invitation.text()),
                Ok(invitation.clone())
            );
            assert_eq!(
                Invitation::parse(&invitation.text().to_uppercase()),
                Ok(invitation.clone())
            );
            assert_eq!(Invitation::typed(host, &code.text()), Ok(invitation));
        }
    }

    #[test]
    fn what_is_no_invitation_says_why() {
        let code = Code::from_random([9; 8]).text();
        for (text, fault) in [
            (
                "https://example.org/".to_owned(),
                InvitationFault::NotAnInvitation,
            ),
            ("sotay://join/".to_owned(), InvitationFault::NotAnInvitation),
            (format!("sotay://join//{code}"), InvitationFault::Host),
            (format!("sotay://join/a b/{code}"), InvitationFault::Host),
            (format!("sotay://join/a@b/{code}"), InvitationFault::Host),
            (format!("sotay://join/a:0/{code}"), InvitationFault::Host),
            (
                format!("sotay://join/a:70000/{code}"),
                InvitationFault::Host,
            ),
            (format!("sotay://join/a:+80/{code}"), InvitationFault::Host),
            (format!("sotay://join/[1:2/{code}"), InvitationFault::Host),
            (
                "sotay://join/a.example/".to_owned(),
                InvitationFault::Length { found: 0 },
            ),
            (
                format!("sotay://join/a.example/{code}/"),
                InvitationFault::Symbol { position: 14 },
            ),
        ] {
            assert_eq!(Invitation::parse(&text), Err(fault), "{text}");
        }
    }

    #[test]
    fn codes_never_show_in_debug_output() {
        let invitation = Invitation::new("a.example", Code::from_random([3; 8])).unwrap();
        assert!(!format!("{invitation:?}").contains(&invitation.code().text()[..4]));
    }

    #[test]
    fn crypto_2_each_key_has_its_own_label() {
        let keys = EnrolmentKeys::derive(&[5; 32]);
        assert_ne!(keys.lookup, keys.anchors);
        assert_ne!(keys.anchors, keys.claim);
        assert_ne!(keys.lookup, keys.claim);
    }

    proptest! {
        #[test]
        fn any_code_is_read_back(random: [u8; 8]) {
            let code = Code::from_random(random);
            prop_assert_eq!(Code::parse(&code.text()), Ok(code));
        }

        #[test]
        fn one_wrong_symbol_is_noticed(random: [u8; 8], place in 0..SYMBOLS, by in 1u8..32) {
            let mut code = Code::from_random(random);
            code.0[place] ^= by;
            prop_assert_eq!(Code::parse(&code.text()), Err(InvitationFault::Mistyped));
        }

        #[test]
        fn two_exchanged_symbols_are_noticed(random: [u8; 8], a in 0..SYMBOLS, b in 0..SYMBOLS) {
            let mut code = Code::from_random(random);
            prop_assume!(code.0[a] != code.0[b]);
            code.0.swap(a, b);
            prop_assert_eq!(Code::parse(&code.text()), Err(InvitationFault::Mistyped));
        }

        #[test]
        fn no_text_makes_the_reader_panic(text: String) {
            let _ = Invitation::parse(&text);
            let _ = Invitation::parse(&format!("sotay://join/{text}"));
        }
    }
}
