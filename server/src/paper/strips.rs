//! What stands where: four strips on a page, a new page for each cell, so that each secretary gets the own pages and nobody else's.

use sotay_model::CalendarDate;
use sotay_model::enrolment::Invitation;
use sotay_model::qr::Qr;

use super::PaperError;
use super::document::{Document, HEIGHT, Setting, WIDTH, Weight};

/// The invitation of one member.
#[derive(Debug)]
pub(crate) struct Strip {
    pub(crate) name: String,
    pub(crate) invitation: Invitation,
}

/// The strips of one cell, in the order in which they are printed.
#[derive(Debug)]
pub(crate) struct Sheaf {
    pub(crate) cell: String,
    /// The organisation above, if there is one.
    pub(crate) above: Option<String>,
    pub(crate) strips: Vec<Strip>,
}

/// Pages as a PDF, with all codes in it.
pub(crate) struct Drawn {
    pub(crate) pdf: Vec<u8>,
    pub(crate) pages: usize,
}

const PER_PAGE: usize = 4;
/// Printers leave some millimetres white at every edge.
const EDGE: f32 = 30.0;
const HEADING: f32 = 74.0;
const STRIP: f32 = (HEIGHT - HEADING - EDGE + 10.0) / PER_PAGE as f32;
/// The side of a QR code with its quiet zone: 4.6 cm.
const QR: f32 = 130.0;
const TEXT: f32 = EDGE + QR + 12.0;

const fn regular(size: f32) -> Setting {
    Setting {
        weight: Weight::Regular,
        size,
        grey: 0.0,
        spacing: 0.0,
    }
}

const fn bold(size: f32) -> Setting {
    Setting {
        weight: Weight::Bold,
        ..regular(size)
    }
}

const fn grey(set: Setting) -> Setting {
    Setting { grey: 0.35, ..set }
}

/// Draws all sheaves; `last_day` is the last one on which the invitations are good.
pub(crate) fn draw(sheaves: &[Sheaf], last_day: CalendarDate) -> Result<Drawn, PaperError> {
    let mut document = Document::new("Giấy mời vào sổ tay đảng viên điện tử")?;
    let last_day = as_written(last_day);
    for sheaf in sheaves {
        let pages = sheaf.strips.len().div_ceil(PER_PAGE);
        for (page, strips) in sheaf.strips.chunks(PER_PAGE).enumerate() {
            heading(&mut document, sheaf, (page + 1, pages));
            for (at, strip) in strips.iter().enumerate() {
                let top = STRIP.mul_add(at as f32, HEADING);
                document.cut_line(top);
                draw_strip(&mut document, top, strip, &sheaf.cell, &last_day)?;
            }
            document.cut_line(STRIP.mul_add(strips.len() as f32, HEADING));
            document.end_page();
        }
    }
    let pages = document.pages();
    Ok(Drawn {
        pdf: document.finish()?,
        pages,
    })
}

fn heading(document: &mut Document, sheaf: &Sheaf, (page, pages): (usize, usize)) {
    let place = format!("Trang {page}/{pages}");
    let set = grey(regular(10.5));
    let wide = document.width(&place, set);
    let room = WIDTH - 2.0 * EDGE - wide - 12.0;
    fitted(document, (EDGE, 34.0), &sheaf.cell, bold(16.0), room);
    document.text(WIDTH - EDGE - wide, 34.0, &place, set);
    let mut about = format!("{} giấy mời", sheaf.strips.len());
    if let Some(above) = &sheaf.above {
        about = format!("{about} · {above}");
    }
    let room = WIDTH - 2.0 * EDGE;
    fitted(document, (EDGE, 49.0), &about, set, room);
    let todo = "Cắt theo đường đứt nét, trao tận tay đúng người có tên.";
    document.text(EDGE, 63.0, todo, set);
}

fn draw_strip(
    document: &mut Document,
    top: f32,
    strip: &Strip,
    cell: &str,
    last_day: &str,
) -> Result<(), PaperError> {
    let room = WIDTH - EDGE - TEXT;
    let invitation = &strip.invitation;
    document.qr(EDGE - 8.0, top + 6.0, QR, &Qr::of(&invitation.text())?);

    let caption = "Giấy mời vào sổ tay đảng viên điện tử";
    document.text(TEXT, top + 20.0, caption, grey(regular(10.0)));
    fitted(document, (TEXT, top + 43.0), &strip.name, bold(19.0), room);
    fitted(document, (TEXT, top + 60.0), cell, regular(12.0), room);

    let label = grey(regular(11.0));
    let beside = TEXT + 46.0;
    let room = WIDTH - EDGE - beside;
    document.text(TEXT, top + 83.0, "Địa chỉ", label);
    let host = whole(document, invitation.host(), bold(15.0), room);
    document.text(beside, top + 83.0, invitation.host(), host);
    document.text(TEXT, top + 113.0, "Mã", label);
    let code = Setting {
        spacing: 1.8,
        ..bold(27.0)
    };
    document.text(beside, top + 114.0, &invitation.code().text(), code);
    let until = format!("Dùng một lần, đến hết ngày {last_day}.");
    document.text(TEXT, top + 134.0, &until, regular(12.0));

    let room = WIDTH - 2.0 * EDGE;
    for (y, line) in [
        (
            155.0,
            "1. Mở Máy ảnh, quét mã vuông, chạm liên kết hiện ra. Hoặc mở Sổ tay rồi gõ địa chỉ và mã.",
        ),
        (
            172.0,
            "2. Máy hiện sáu số: đọc sáu số cho bí thư hoặc người được chi bộ giao, để xác nhận.",
        ),
    ] {
        fitted(document, (EDGE, top + y), line, regular(12.0), room);
    }
    Ok(())
}

/// The setting in which a text that must not be cut has room.
fn whole(document: &Document, text: &str, set: Setting, room: f32) -> Setting {
    let wide = document.width(text, set);
    if wide > room {
        Setting {
            size: set.size * room / wide,
            ..set
        }
    } else {
        set
    }
}

/// Writes a line, smaller where it needs to be; what does not fit at two thirds of the size is cut.
fn fitted(document: &mut Document, (x, y): (f32, f32), text: &str, set: Setting, room: f32) {
    let mut fitting = whole(document, text, set, room);
    let smallest = set.size / 1.5;
    if fitting.size >= smallest {
        return document.text(x, y, text, fitting);
    }
    fitting.size = smallest;
    let mut cut: Vec<char> = text.chars().collect();
    loop {
        cut.pop();
        let shown = format!("{}…", cut.iter().collect::<String>().trim_end());
        if cut.is_empty() || document.width(&shown, fitting) <= room {
            return document.text(x, y, &shown, fitting);
        }
    }
}

/// 31/12/2026
fn as_written(day: CalendarDate) -> String {
    let text = day.to_string();
    let mut parts: Vec<&str> = text.split('-').collect();
    parts.reverse();
    parts.join("/")
}
