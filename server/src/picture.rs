//! A QR code as a picture: in a terminal, as SVG, as PNG. Each shows the quiet zone that readers want.

use std::fmt::Write as _;
use std::io::Write as _;

use flate2::write::ZlibEncoder;
use flate2::{Compression, Crc};
use sotay_model::qr::{QUIET_ZONE, Qr};

/// Pixels of a module in a PNG.
const PIXELS: u32 = 10;
/// Black on white whatever the terminal's own colours are: the numbers 16 and 231 are fixed, 0 to 15 are the user's.
const BLACK_ON_WHITE: &str = "\x1b[38;5;16;48;5;231m";
const OWN_COLOURS: &str = "\x1b[0m";

/// Which kind of picture file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PictureForm {
    /// Lines and areas.
    Svg,
    /// Pixels.
    Png,
}

impl PictureForm {
    /// The form that a file's name asks for.
    pub fn of(path: &std::path::Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?;
        [("svg", Self::Svg), ("png", Self::Png)]
            .into_iter()
            .find(|(name, _)| extension.eq_ignore_ascii_case(name))
            .map(|(_, form)| form)
    }

    /// The file.
    pub fn draw(self, qr: &Qr) -> Vec<u8> {
        match self {
            Self::Svg => svg(qr).into_bytes(),
            Self::Png => png(qr),
        }
    }
}

/// Whether the module is dark, counted from the corner of the quiet zone.
fn is_dark(qr: &Qr, column: u32, row: u32) -> bool {
    match (column.checked_sub(QUIET_ZONE), row.checked_sub(QUIET_ZONE)) {
        (Some(column), Some(row)) => qr.is_dark(column, row),
        _ => false,
    }
}

const fn side(qr: &Qr) -> u32 {
    qr.size() + 2 * QUIET_ZONE
}

/// Lines of half blocks, two rows of modules in each.
pub fn terminal(qr: &Qr) -> String {
    let mut text = String::new();
    for row in (0..side(qr)).step_by(2) {
        text.push_str(BLACK_ON_WHITE);
        for column in 0..side(qr) {
            text.push(
                match (is_dark(qr, column, row), is_dark(qr, column, row + 1)) {
                    (true, true) => '█',
                    (true, false) => '▀',
                    (false, true) => '▄',
                    (false, false) => ' ',
                },
            );
        }
        text.push_str(OWN_COLOURS);
        text.push('\n');
    }
    text
}

fn svg(qr: &Qr) -> String {
    let side = side(qr);
    let mut path = String::new();
    for row in 0..qr.size() {
        for (begins, many) in qr.runs(row) {
            // Writing into a String cannot fail.
            let _ = write!(
                path,
                "M{} {}h{many}v1h-{many}z",
                begins + QUIET_ZONE,
                row + QUIET_ZONE
            );
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {side} {side}\" width=\"{0}\" height=\"{0}\" \
         shape-rendering=\"crispEdges\"><path fill=\"#fff\" d=\"M0 0h{side}v{side}H0z\"/><path d=\"{path}\"/></svg>\n",
        side * PIXELS
    )
}

/// One bit for each pixel, 0 is black.
fn png(qr: &Qr) -> Vec<u8> {
    let pixels = side(qr) * PIXELS;
    let mut rows = ZlibEncoder::new(Vec::new(), Compression::best());
    for y in 0..pixels {
        let mut row = vec![0u8; 1 + pixels.div_ceil(8) as usize];
        for x in 0..pixels {
            if !is_dark(qr, x / PIXELS, y / PIXELS) {
                row[1 + (x / 8) as usize] |= 0x80 >> (x % 8);
            }
        }
        // Writing into memory cannot fail.
        let _ = rows.write_all(&row);
    }
    let mut header = Vec::with_capacity(13);
    header.extend(pixels.to_be_bytes());
    header.extend(pixels.to_be_bytes());
    // One bit of grey; deflate, the usual filters, not interlaced.
    header.extend([1, 0, 0, 0, 0]);
    let mut file = b"\x89PNG\r\n\x1a\n".to_vec();
    chunk(&mut file, *b"IHDR", &header);
    chunk(&mut file, *b"IDAT", &rows.finish().unwrap_or_default());
    chunk(&mut file, *b"IEND", &[]);
    file
}

fn chunk(file: &mut Vec<u8>, name: [u8; 4], content: &[u8]) {
    let mut sum = Crc::new();
    sum.update(&name);
    sum.update(content);
    file.extend(
        u32::try_from(content.len())
            .unwrap_or(u32::MAX)
            .to_be_bytes(),
    );
    file.extend(name);
    file.extend(content);
    file.extend(sum.sum().to_be_bytes());
}
