//! The link in a square of a printed board of QR codes.
//!
//! A board hangs for years while what it leads to changes, so a square holds an address that stays, and whose name stands
//! behind it: the committee that put it up, and a signature by the organisation's key. A phone tells without any network
//! whether a square is its committee's or was pasted over it; any other phone opens the address in a browser.
//!
//! Text form: `https://<host[:port]>/b/<committee>.<item>.<signature>`, the three parts in base64url without padding. There
//! is one form: what reads differently from how it would be written is no board's link.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::device_key::PublicKey;
use crate::enrolment::is_host;
use crate::exchange::hash;
use crate::id::{Id, OrganisationId};

/// The most bytes of a link: the longest host, and the rest, which is always as long.
pub const MAX_BOARD_LINK: usize = 400;

const SCHEME: &str = "https://";
const PATH: &str = "/b/";
const BOARD: &[u8] = b"sotay board v1";

/// What is wrong with a text that should be the link of a board.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum BoardLinkFault {
    /// Not a link of this kind at all.
    #[error("not the link of a board")]
    NotABoard,
    /// A link of this kind that nobody of the organisation signed.
    #[error("not signed by the organisation")]
    Forged,
}

/// A stable address on a board.
#[derive(Clone, PartialEq, Eq)]
pub struct BoardLink {
    host: String,
    committee: OrganisationId,
    item: Id,
    signature: [u8; 64],
}

impl BoardLink {
    /// What the organisation's key signs: 32 bytes.
    pub fn signed_bytes(host: &str, committee: OrganisationId, item: Id) -> [u8; 32] {
        let parts = [host.as_bytes(), committee.0.as_bytes(), item.as_bytes()];
        hash(BOARD, &parts)
    }

    /// A link of a committee, from the organisation's Ed25519 signature over [`BoardLink::signed_bytes`]. The host is written in
    /// small letters.
    pub fn new(
        host: &str,
        committee: OrganisationId,
        item: Id,
        signature: [u8; 64],
    ) -> Result<Self, BoardLinkFault> {
        if !is_host(host) {
            return Err(BoardLinkFault::NotABoard);
        }
        Ok(Self {
            host: host.to_owned(),
            committee,
            item,
            signature,
        })
    }

    /// Reads a scanned text, and believes it only under one of these keys (Ed25519, 32 bytes).
    pub fn read<'k>(
        text: &str,
        organisation: impl IntoIterator<Item = &'k [u8]>,
    ) -> Result<Self, BoardLinkFault> {
        let link = Self::parse(text).ok_or(BoardLinkFault::NotABoard)?;
        let signed = Self::signed_bytes(&link.host, link.committee, link.item);
        organisation
            .into_iter()
            .any(|key| PublicKey::ed25519(key).verifies(&signed, &link.signature))
            .then_some(link)
            .ok_or(BoardLinkFault::Forged)
    }

    fn parse(text: &str) -> Option<Self> {
        if text.len() > MAX_BOARD_LINK {
            return None;
        }
        let (host, rest) = text.strip_prefix(SCHEME)?.split_once(PATH)?;
        let mut parts = rest.split('.');
        let link = Self::new(
            host,
            OrganisationId(Id::from_bytes(part(&mut parts)?)),
            Id::from_bytes(part(&mut parts)?),
            part(&mut parts)?,
        )
        .ok()?;
        (link.text() == text).then_some(link)
    }

    /// The server's name, with its port if it has one of its own.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// Who put the board up.
    pub const fn committee(&self) -> OrganisationId {
        self.committee
    }

    /// Which square it is; what it leads to is the server's to say.
    pub const fn item(&self) -> Id {
        self.item
    }

    /// The address, as it stands in the square.
    pub fn text(&self) -> String {
        let [committee, item, signature] = [
            self.committee.0.as_bytes().as_slice(),
            self.item.as_bytes(),
            &self.signature,
        ]
        .map(|part| URL_SAFE_NO_PAD.encode(part));
        format!("{SCHEME}{}{PATH}{committee}.{item}.{signature}", self.host)
    }
}

fn part<'t, const N: usize>(parts: &mut impl Iterator<Item = &'t str>) -> Option<[u8; N]> {
    URL_SAFE_NO_PAD.decode(parts.next()?).ok()?.try_into().ok()
}

impl fmt::Debug for BoardLink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("BoardLink")
            .field("committee", &self.committee)
            .field("item", &self.item)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use ring::signature::{Ed25519KeyPair, KeyPair};

    const COMMITTEE: OrganisationId = OrganisationId(Id::from_bytes([7; 16]));
    const ITEM: Id = Id::from_bytes([9; 16]);

    fn key(seed: u8) -> Ed25519KeyPair {
        Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap()
    }

    fn link(by: u8) -> BoardLink {
        let signed = BoardLink::signed_bytes("xa-mau.example:8443", COMMITTEE, ITEM);
        let signature = key(by).sign(&signed).as_ref().try_into().unwrap();
        BoardLink::new("xa-mau.example:8443", COMMITTEE, ITEM, signature).unwrap()
    }

    fn read(text: &str) -> Result<BoardLink, BoardLinkFault> {
        let [in_use, spare] = [1, 2].map(|seed| key(seed).public_key().as_ref().to_vec());
        BoardLink::read(text, [in_use.as_slice(), spare.as_slice()])
    }

    #[test]
    fn platform_a_square_of_a_board_is_read_under_the_key_in_use_and_under_the_spare() {
        for by in [1, 2] {
            assert_eq!(read(&link(by).text()), Ok(link(by)));
        }
    }

    #[test]
    fn platform_a_square_that_somebody_else_signed_is_forged() {
        assert_eq!(read(&link(3).text()), Err(BoardLinkFault::Forged));
    }

    #[test]
    fn platform_a_signature_holds_for_its_host_committee_and_item_only() {
        let genuine = link(1);
        for other in [
            BoardLink {
                host: "xa-mau.example".into(),
                ..genuine.clone()
            },
            BoardLink {
                committee: OrganisationId(Id::from_bytes([8; 16])),
                ..genuine.clone()
            },
            BoardLink {
                item: Id::from_bytes([8; 16]),
                ..genuine.clone()
            },
        ] {
            assert_eq!(read(&other.text()), Err(BoardLinkFault::Forged));
        }
    }

    #[test]
    fn platform_what_is_not_in_the_one_form_is_no_board_s_link() {
        let text = link(1).text();
        for other in [
            String::new(),
            text.replace("https", "http"),
            text.replace("https://", "HTTPS://"),
            text.replace("https://", "https://somebody@"),
            text.replace("xa-mau", "XA-MAU"),
            text.replace(":8443", ":0"),
            text.replace("/b/", "/c/"),
            format!("{text}?to=elsewhere"),
            format!("{text}#"),
            format!("{text}="),
            format!("{text}.more"),
            format!(" {text}"),
            format!("{text}\n"),
            text[..text.len() - 1].to_owned(),
            "sotay://join/xa-mau.example/0000-0000-00000".into(),
            format!("https://{}/b/", "x".repeat(MAX_BOARD_LINK)),
        ] {
            assert_eq!(read(&other), Err(BoardLinkFault::NotABoard), "{other}");
        }
    }

    proptest! {
        #[test]
        fn platform_any_change_of_a_letter_is_noticed(at in 0usize..1_000, to in "[ -~]") {
            let text = link(1).text();
            let at = at % text.len();
            let changed = format!("{}{to}{}", &text[..at], &text[at + 1..]);
            prop_assume!(changed != text);
            prop_assert!(read(&changed).is_err());
        }

        #[test]
        fn platform_any_text_is_read_or_refused(text in "\\PC*") {
            prop_assert!(read(&text).is_err());
        }
    }
}
