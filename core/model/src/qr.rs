//! QR codes (ISO/IEC 18004) of short texts, as a matrix that whoever shows it draws in the own way: on paper, in a terminal, on a
//! screen.
//!
//! What a camera reads is the text, letter for letter. The longest ending that consists of digits, capitals and `$%*+-./: `
//! is packed closer than the rest; in an invitation that is the code and often the port. The address itself stays in
//! small letters although capitals would make a smaller matrix: Android compares the scheme of a link letter by letter,
//! and `SOTAY://` opens no handbook there.

use qrcodegen::{Mask, QrCode, QrCodeEcc, QrSegment, Version};

/// How many light modules a reader wants around the matrix, on every side.
pub const QUIET_ZONE: u32 = 4;

/// A packed ending shorter than this costs more than it saves.
const WORTH_PACKING: usize = 6;

/// The text does not fit into the largest QR code, which holds some 2,300 bytes at this level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("too long for a QR code")]
pub struct TooLongForQr;

/// A square of dark and light modules, without the quiet zone around it. Its content is as secret as the text.
#[derive(Clone, PartialEq, Eq)]
pub struct Qr {
    size: u32,
    dark: Vec<bool>,
}

impl Qr {
    /// The smallest code that holds the text and bears the loss of 15 % (level M); of a higher level where that costs no room.
    pub fn of(text: &str) -> Result<Self, TooLongForQr> {
        let split = text
            .rfind(|c: char| {
                !c.is_ascii() || !QrSegment::is_alphanumeric(c.encode_utf8(&mut [0; 4]))
            })
            .map_or(0, |at| {
                at + text[at..].chars().next().map_or(1, char::len_utf8)
            });
        let split = if text.len() - split < WORTH_PACKING {
            text.len()
        } else {
            split
        };
        let (plain, packed) = text.split_at(split);
        let mut segments = Vec::with_capacity(2);
        if !plain.is_empty() {
            segments.push(QrSegment::make_bytes(plain.as_bytes()));
        }
        if !packed.is_empty() {
            segments.push(QrSegment::make_alphanumeric(packed));
        }
        let code = QrCode::encode_segments_advanced(
            &segments,
            QrCodeEcc::Medium,
            Version::MIN,
            Version::MAX,
            None::<Mask>,
            true,
        )
        .map_err(|_| TooLongForQr)?;
        let side = code.size();
        let dark = (0..side)
            .flat_map(|y| (0..side).map(move |x| (x, y)))
            .map(|(x, y)| code.get_module(x, y))
            .collect();
        Ok(Self {
            size: side.unsigned_abs(),
            dark,
        })
    }

    /// How many modules a side has: 21 to 177.
    pub const fn size(&self) -> u32 {
        self.size
    }

    /// Whether a module is dark, counted from the upper left corner; everything outside is light.
    pub fn is_dark(&self, column: u32, row: u32) -> bool {
        column < self.size
            && row < self.size
            && usize::try_from(row * self.size + column)
                .ok()
                .and_then(|at| self.dark.get(at))
                .is_some_and(|dark| *dark)
    }

    /// The dark modules of a row in runs: where each begins, and how many there are.
    pub fn runs(&self, row: u32) -> impl Iterator<Item = (u32, u32)> + '_ {
        let mut column = 0;
        std::iter::from_fn(move || {
            while column < self.size && !self.is_dark(column, row) {
                column += 1;
            }
            let begins = column;
            while self.is_dark(column, row) {
                column += 1;
            }
            (column > begins).then(|| (begins, column - begins))
        })
    }
}

impl std::fmt::Debug for Qr {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Qr")
            .field("size", &self.size)
            .finish_non_exhaustive()
    }
}
