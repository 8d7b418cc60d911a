//! A font in a PDF: only the letters that were written are embedded, and for each of them which character it means, so that the text
//! can be searched, copied and read aloud.
//!
//! Text is written in normal form C. Every letter of Vietnamese then is one character with one glyph, so nothing has to be placed upon
//! anything. A character that the font lacks is written as a question mark: seen by who reads the page, and filled in by hand.

use std::collections::BTreeMap;

use pdf_writer::types::{CidFontType, FontFlags, SystemInfo, UnicodeCmap};
use pdf_writer::{Finish, Name, Pdf, Rect, Ref, Str};
use subsetter::GlyphRemapper;
use unicode_normalization::UnicodeNormalization;

use super::PaperError;
use super::document::packed;

const IDENTITY: SystemInfo<'_> = SystemInfo {
    registry: Str(b"Adobe"),
    ordering: Str(b"Identity"),
    supplement: 0,
};
const CMAP: Name<'_> = Name(b"Letters");
/// Stands for a character that the font lacks.
const LACKING: char = '?';
/// Widths in a PDF count thousandths of the size.
const PER_SIZE: f32 = 1000.0;

/// One font of a document.
pub(super) struct Face {
    name: &'static str,
    file: &'static [u8],
    face: ttf_parser::Face<'static>,
    letters: GlyphRemapper,
    /// The character that each embedded letter means.
    meanings: BTreeMap<u16, char>,
}

/// Numbers of the five objects that a font is in a PDF.
#[derive(Clone, Copy)]
pub(super) struct FaceRefs {
    /// What pages name.
    pub(super) font: Ref,
    pub(super) glyphs: Ref,
    pub(super) descriptor: Ref,
    pub(super) file: Ref,
    pub(super) meanings: Ref,
}

impl Face {
    pub(super) fn new(name: &'static str, file: &'static [u8]) -> Result<Self, PaperError> {
        Ok(Self {
            name,
            file,
            face: ttf_parser::Face::parse(file, 0).map_err(|_| PaperError::Font { name })?,
            letters: GlyphRemapper::new(),
            meanings: BTreeMap::new(),
        })
    }

    /// The glyph of a character, and which character it means.
    fn glyph(&self, c: char) -> (u16, char) {
        [c, LACKING]
            .into_iter()
            .find_map(|c| Some((self.face.glyph_index(c)?.0, c)))
            .unwrap_or((0, c))
    }

    fn advance(&self, glyph: u16) -> f32 {
        let units = self.face.glyph_hor_advance(ttf_parser::GlyphId(glyph));
        f32::from(units.unwrap_or(0)) * PER_SIZE / f32::from(self.face.units_per_em())
    }

    /// How wide a text is, in points.
    pub(super) fn width(&self, text: &str, size: f32) -> f32 {
        let sum: f32 = text.nfc().map(|c| self.advance(self.glyph(c).0)).sum();
        sum * size / PER_SIZE
    }

    /// The text as the PDF holds it: two bytes for each letter.
    pub(super) fn written(&mut self, text: &str) -> Vec<u8> {
        let mut bytes = Vec::with_capacity(2 * text.len());
        for c in text.nfc() {
            let (glyph, meaning) = self.glyph(c);
            let letter = self.letters.remap(glyph);
            self.meanings.entry(letter).or_insert(meaning);
            bytes.extend(letter.to_be_bytes());
        }
        bytes
    }

    /// Writes the font's objects, when all text is written.
    pub(super) fn finish(self, pdf: &mut Pdf, refs: FaceRefs) -> Result<(), PaperError> {
        let unreadable = PaperError::Font { name: self.name };
        let subset = subsetter::subset(self.file, 0, &self.letters).map_err(|_| unreadable)?;
        // Six letters and a plus sign say that it is a part of the font only.
        let name = format!("SOTAYX+{}", self.name);
        let name = Name(name.as_bytes());

        let mut font = pdf.type0_font(refs.font);
        font.base_font(name)
            .encoding_predefined(Name(b"Identity-H"))
            .descendant_font(refs.glyphs)
            .to_unicode(refs.meanings);
        font.finish();

        let mut glyphs = pdf.cid_font(refs.glyphs);
        glyphs
            .subtype(CidFontType::Type2)
            .base_font(name)
            .system_info(IDENTITY)
            .font_descriptor(refs.descriptor)
            .default_width(0.0)
            .cid_to_gid_map_predefined(Name(b"Identity"));
        let widths = self
            .letters
            .remapped_gids()
            .map(|glyph| self.advance(glyph));
        glyphs.widths().consecutive(0, widths);
        glyphs.finish();

        let scaled = |units: i16| f32::from(units) * PER_SIZE / f32::from(self.face.units_per_em());
        let bounds = self.face.global_bounding_box();
        pdf.font_descriptor(refs.descriptor)
            .name(name)
            .flags(FontFlags::SYMBOLIC)
            .bbox(Rect::new(
                scaled(bounds.x_min),
                scaled(bounds.y_min),
                scaled(bounds.x_max),
                scaled(bounds.y_max),
            ))
            .italic_angle(0.0)
            .ascent(scaled(self.face.ascender()))
            .descent(scaled(self.face.descender()))
            .cap_height(scaled(self.face.capital_height().unwrap_or(700)))
            .stem_v(80.0)
            .font_file2(refs.file);

        let mut meanings = UnicodeCmap::new(CMAP, IDENTITY);
        for (letter, c) in &self.meanings {
            meanings.pair(*letter, *c);
        }
        packed(pdf, refs.meanings, &meanings.finish());
        packed(pdf, refs.file, &subset);
        Ok(())
    }
}
