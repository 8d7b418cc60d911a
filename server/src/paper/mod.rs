//! What goes on paper: invitations as A4 pages to cut apart, for people of whom many are over seventy.
//!
//! ```text
//! strips    what stands where on a page
//! document  pages, lines, letters, QR codes as PDF
//! face      a font of which the letters that were used are embedded
//! ```
//! Nothing here knows a database or writes a file: invitations come in, the bytes of a PDF go out.

mod document;
mod face;
mod strips;

pub(crate) use strips::{Sheaf, Strip, draw};

/// Why nothing could be drawn.
#[derive(Debug, thiserror::Error)]
pub enum PaperError {
    /// A font that is part of this program cannot be read: the program was built wrongly.
    #[error("the font {name} cannot be read")]
    Font {
        /// Which one.
        name: &'static str,
    },
    /// The invitation's text is too long for a QR code.
    #[error(transparent)]
    Qr(#[from] sotay_model::qr::TooLongForQr),
}
