//! A PDF of A4 pages in two weights of one font. Places are in points (1/72 inch) from the upper left corner.

use std::io::Write;

use flate2::Compression;
use flate2::write::ZlibEncoder;
use pdf_writer::{Content, Filter, Finish, Name, Pdf, Rect, Ref, Str, TextStr};
use sotay_model::qr::{QUIET_ZONE, Qr};

use super::PaperError;
use super::face::{Face, FaceRefs};

/// 210 mm.
pub(super) const WIDTH: f32 = 595.276;
/// 297 mm.
pub(super) const HEIGHT: f32 = 841.89;

const REGULAR: &[u8] = include_bytes!("../../fonts/BeVietnamPro-Regular.ttf");
const BOLD: &[u8] = include_bytes!("../../fonts/BeVietnamPro-Bold.ttf");

/// How heavy the letters are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weight {
    Regular,
    Bold,
}

/// How a text is set.
#[derive(Debug, Clone, Copy)]
pub(super) struct Setting {
    pub(super) weight: Weight,
    /// In points.
    pub(super) size: f32,
    /// 0 is black, 1 is white.
    pub(super) grey: f32,
    /// Points added after each letter.
    pub(super) spacing: f32,
}

/// A document that grows page by page.
pub(super) struct Document {
    pdf: Pdf,
    last_ref: i32,
    tree: Ref,
    catalog: Ref,
    regular: (Face, FaceRefs),
    bold: (Face, FaceRefs),
    pages: Vec<Ref>,
    content: Content,
}

impl Document {
    pub(super) fn new(title: &str) -> Result<Self, PaperError> {
        let mut last_ref = 0;
        let mut next = || {
            last_ref += 1;
            Ref::new(last_ref)
        };
        let (catalog, tree, about) = (next(), next(), next());
        let mut refs = || FaceRefs {
            font: next(),
            glyphs: next(),
            descriptor: next(),
            file: next(),
            meanings: next(),
        };
        let (regular, bold) = (refs(), refs());
        let mut pdf = Pdf::new();
        pdf.document_info(about).title(TextStr(title));
        Ok(Self {
            pdf,
            last_ref,
            tree,
            catalog,
            regular: (Face::new("BeVietnamPro-Regular", REGULAR)?, regular),
            bold: (Face::new("BeVietnamPro-Bold", BOLD)?, bold),
            pages: Vec::new(),
            content: Content::new(),
        })
    }

    fn next_ref(&mut self) -> Ref {
        self.last_ref += 1;
        Ref::new(self.last_ref)
    }

    /// How many pages are ended.
    pub(super) const fn pages(&self) -> usize {
        self.pages.len()
    }

    /// How wide a text is, in points.
    pub(super) fn width(&self, text: &str, set: Setting) -> f32 {
        let (face, _) = match set.weight {
            Weight::Regular => &self.regular,
            Weight::Bold => &self.bold,
        };
        face.width(text, set.size) + set.spacing * text.chars().count() as f32
    }

    /// Writes a line of text; `y` is where the letters stand.
    pub(super) fn text(&mut self, x: f32, y: f32, text: &str, set: Setting) {
        let (name, face) = match set.weight {
            Weight::Regular => (Name(b"R"), &mut self.regular.0),
            Weight::Bold => (Name(b"B"), &mut self.bold.0),
        };
        let written = face.written(text);
        self.content
            .begin_text()
            .set_fill_gray(set.grey)
            .set_font(name, set.size)
            .set_char_spacing(set.spacing)
            .next_line(x, HEIGHT - y)
            .show(Str(&written))
            .end_text();
    }

    /// A line of dashes across the page, to cut along.
    pub(super) fn cut_line(&mut self, y: f32) {
        self.content
            .save_state()
            .set_stroke_gray(0.55)
            .set_line_width(0.7)
            .set_dash_pattern([5.0, 4.0], 0.0)
            .move_to(0.0, HEIGHT - y)
            .line_to(WIDTH, HEIGHT - y)
            .stroke()
            .restore_state();
    }

    /// A QR code with its quiet zone, `side` points wide and high. It is lines and areas, not pixels: sharp at every size.
    pub(super) fn qr(&mut self, x: f32, y: f32, side: f32, qr: &Qr) {
        let module = side / (qr.size() + 2 * QUIET_ZONE) as f32;
        let inset = module * QUIET_ZONE as f32;
        let [left, top] = [x + inset, HEIGHT - y - inset];
        self.content
            .save_state()
            .set_fill_gray(0.0)
            .transform([module, 0.0, 0.0, -module, left, top]);
        for row in 0..qr.size() {
            for (begins, many) in qr.runs(row) {
                self.content
                    .rect(begins as f32, row as f32, many as f32, 1.0);
            }
        }
        // All at once: areas that touch leave no hair between them.
        self.content.fill_nonzero().restore_state();
    }

    /// Ends the page.
    pub(super) fn end_page(&mut self) {
        let content = std::mem::replace(&mut self.content, Content::new()).finish();
        let (page, stream) = (self.next_ref(), self.next_ref());
        packed(&mut self.pdf, stream, &content);
        let mut written = self.pdf.page(page);
        written
            .parent(self.tree)
            .media_box(Rect::new(0.0, 0.0, WIDTH, HEIGHT))
            .contents(stream);
        written
            .resources()
            .fonts()
            .pair(Name(b"R"), self.regular.1.font)
            .pair(Name(b"B"), self.bold.1.font);
        written.finish();
        self.pages.push(page);
    }

    /// The file.
    pub(super) fn finish(mut self) -> Result<Vec<u8>, PaperError> {
        let count = i32::try_from(self.pages.len()).unwrap_or(i32::MAX);
        self.pdf
            .catalog(self.catalog)
            .pages(self.tree)
            .lang(TextStr("vi"));
        self.pdf
            .pages(self.tree)
            .kids(self.pages.iter().copied())
            .count(count);
        for (face, refs) in [self.regular, self.bold] {
            face.finish(&mut self.pdf, refs)?;
        }
        Ok(self.pdf.finish())
    }
}

/// Writes a stream, compressed.
pub(super) fn packed(pdf: &mut Pdf, stream: Ref, bytes: &[u8]) {
    let mut deflated = ZlibEncoder::new(Vec::new(), Compression::default());
    // Writing into memory cannot fail.
    let _ = deflated.write_all(bytes);
    let deflated = deflated.finish().unwrap_or_default();
    pdf.stream(stream, &deflated).filter(Filter::FlateDecode);
}
