//! Invitations on paper and as pictures, read back by programs of other authors: the text of a PDF, the QR codes on its pages.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod common;

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use common::{NOW, Place};
use sotay_model::enrolment::{Code, EnrolmentKeys, Invitation};
use sotay_model::organisation::{Member, Organisation};
use sotay_model::qr::Qr;
use sotay_model::record::Body;
use sotay_model::{RecordKey, Timestamp};
use sotay_server::commune::{self, CommuneError, Config, PrintOrder, Printed};
use sotay_server::engine::{MAX_PHONES, stretch};
use sotay_server::picture;
use sotay_server::storage::Storage;

const HOST: &str = "sotay.xamau.vn:8443";
/// Every letter of Vietnamese with every tone, in normal form C.
const LETTERS: [&str; 6] = [
    "Àáảãạ Ăằắẳẵặ Âầấẩẫậ",
    "Đđ Èéẻẽẹ Êềếểễệ",
    "Ìíỉĩị Òóỏõọ",
    "Ôồốổỗộ Ơờớởỡợ",
    "Ùúủũụ Ưừứửữự",
    "Ỳýỷỹỵ",
];

/// A commune of two cells under one committee, and a cell elsewhere.
fn place(members: &str) -> Place {
    let config = r#"
        hosts = ["sotay.xamau.vn:8443"]
        organisation = [
            { code = "DU", name = "Đảng ủy xã Mẫu", level = "CommuneCommittee" },
            { code = "BP", name = "Đảng bộ bộ phận Mẫu", level = "SectionCommittee", above = "DU" },
            { code = "CB1", name = "Chi bộ thôn Mẫu Một", level = "PartyCell", above = "BP" },
            { code = "CB2", name = "Chi bộ thôn Mẫu Hai", level = "PartyCell", above = "BP" },
            { code = "CB3", name = "Chi bộ thôn Mẫu Ba", level = "PartyCell", above = "DU" },
        ]
    "#;
    let config = config.replace("sotay.xamau.vn:8443", "sotay.xamau.vn");
    let folder = tempfile::tempdir().unwrap();
    let list = commune::read_csv(format!("code,name,cell,status\n{members}").as_bytes()).unwrap();
    let data = folder.path().join("data");
    let commune = commune::init(&Config::parse(&config).unwrap(), &list, &data, NOW).unwrap();
    Place { folder, commune }
}

/// Five members of one cell, four of another, one of the third.
fn ten() -> Place {
    let cells = ["CB1", "CB2", "CB3"];
    let members: Vec<String> = [0, 1, 0, 1, 0, 1, 0, 1, 0, 2]
        .iter()
        .enumerate()
        .map(|(at, cell)| format!("M{at:02},Đồng chí Mẫu {at:02},{},official", cells[*cell]))
        .collect();
    place(&members.join("\n"))
}

fn order() -> PrintOrder {
    PrintOrder {
        host: Some(HOST.into()),
        valid_days: 14,
        ..PrintOrder::default()
    }
}

fn print(place: &Place, name: &str, order: &PrintOrder) -> Result<Printed, CommuneError> {
    commune::print_invitations(&place.data(), &place.folder.path().join(name), order, NOW)
}

/// What a program prints; it must be there and succeed.
fn said(package: &str, program: &str, arguments: &[&str]) -> Vec<u8> {
    let output = Command::new(program)
        .args(arguments)
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}; apt-get install {package}"));
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{program}: {complaint}");
    output.stdout
}

/// The text of each page, from top to bottom.
fn pages(pdf: &Path) -> Vec<String> {
    let text = said("poppler-utils", "pdftotext", &[pdf.to_str().unwrap(), "-"]);
    let text = String::from_utf8(text).unwrap();
    let mut pages: Vec<String> = text.split('\u{c}').map(str::to_owned).collect();
    assert_eq!(
        pages.pop().as_deref(),
        Some(""),
        "each page ends in a form feed"
    );
    pages
}

/// What the QR codes of a page say, from top to bottom, as a camera sees them: in pixels.
fn scanned(pdf: &Path, page: usize) -> Vec<String> {
    let page = page.to_string();
    let arguments = [
        "-r",
        "120",
        "-gray",
        "-f",
        &page,
        "-l",
        &page,
        pdf.to_str().unwrap(),
    ];
    let pixels = said("poppler-utils", "pdftoppm", &arguments);
    let header: Vec<&[u8]> = pixels
        .splitn(4, |byte| byte.is_ascii_whitespace())
        .collect();
    let number = |bytes: &[u8]| {
        std::str::from_utf8(bytes)
            .unwrap()
            .parse::<usize>()
            .unwrap()
    };
    assert_eq!(header[0], b"P5");
    let (width, height) = (number(header[1]), number(header[2]));
    let grey = &header[3][header[3].len() - width * height..];
    let mut picture =
        rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| grey[y * width + x]);
    let mut found: Vec<(i32, String)> = picture
        .detect_grids()
        .iter()
        .map(|grid| (grid.bounds[0].y, grid.decode().unwrap().1))
        .collect();
    found.sort();
    found.into_iter().map(|(_, text)| text).collect()
}

/// A strip as it is read from the page's text: name and code.
fn strips(page: &str) -> Vec<(String, Code)> {
    let lines: Vec<&str> = page.lines().filter(|line| !line.is_empty()).collect();
    let begins = |line: &&str| line.starts_with("Giấy mời vào");
    let starts = lines.iter().enumerate().filter(|(_, line)| begins(line));
    starts
        .map(|(at, _)| {
            let code = lines[at..]
                .iter()
                .find_map(|line| Code::parse(line.strip_prefix("Mã ").unwrap_or(line)).ok());
            (lines[at + 1].to_owned(), code.unwrap())
        })
        .collect()
}

fn stored(place: &Place, code: &Code) -> Option<sotay_server::storage::Invitation> {
    let keys = EnrolmentKeys::derive(&stretch(code).unwrap());
    let mut storage = Storage::open(&place.data().join(commune::DATABASE)).unwrap();
    storage.read().unwrap().invitation(&keys.lookup).unwrap()
}

fn read<T: Body>(place: &Place, key: RecordKey) -> T {
    let mut storage = Storage::open(&place.data().join(commune::DATABASE)).unwrap();
    let stored = storage.read().unwrap().record(key).unwrap().unwrap();
    stored.record.read().unwrap()
}

fn open(place: &Place) -> Vec<String> {
    let open = commune::open_invitations(&place.data(), NOW).unwrap();
    open.into_iter().map(|one| one.member).collect()
}

fn files(place: &Place) -> BTreeSet<PathBuf> {
    let entries = std::fs::read_dir(place.folder.path()).unwrap();
    entries.map(|entry| entry.unwrap().path()).collect()
}

#[test]
fn auth_4_a_commune_s_strips_are_grouped_by_cell_and_each_invites_who_is_named_on_it() {
    let place = ten();
    let printed = print(&place, "a.pdf", &order()).unwrap();
    assert_eq!(
        (printed.invitations, printed.cells, printed.pages),
        (10, 3, 4)
    );
    let pdf = place.folder.path().join("a.pdf");
    let pages = pages(&pdf);
    let headings: Vec<&str> = pages
        .iter()
        .map(|page| page.lines().next().unwrap())
        .collect();
    assert_eq!(
        headings,
        [
            "Chi bộ thôn Mẫu Một",
            "Chi bộ thôn Mẫu Một",
            "Chi bộ thôn Mẫu Hai",
            "Chi bộ thôn Mẫu Ba"
        ]
    );
    let mut codes = BTreeMap::new();
    for (at, page) in pages.iter().enumerate() {
        let strips = strips(page);
        let by_text: Vec<String> = strips
            .iter()
            .map(|(_, code)| Invitation::new(HOST, code.clone()).unwrap().text())
            .collect();
        assert_eq!(scanned(&pdf, at + 1), by_text, "page {}", at + 1);
        for (name, code) in strips {
            let invitation = stored(&place, &code).unwrap();
            let member: Member = read(&place, Member::key(invitation.member));
            let cell: Organisation = read(&place, Organisation::key(member.cell));
            assert_eq!(
                (member.name, cell.name.as_str()),
                (name.clone(), headings[at])
            );
            assert_eq!(codes.insert(code.text(), name), None, "no code twice");
        }
    }
    // A second reader of QR codes, on a page as a picture.
    let picture = place.folder.path().join("page");
    let (from, to) = (pdf.to_str().unwrap(), picture.to_str().unwrap());
    said(
        "poppler-utils",
        "pdftoppm",
        &["-png", "-singlefile", from, to],
    );
    let arguments = ["-q", "--raw", "--nodbus", &format!("{to}.png")];
    let found = String::from_utf8(said("zbar-tools", "zbarimg", &arguments)).unwrap();
    let found: BTreeSet<&str> = found.lines().collect();
    assert_eq!(found, scanned(&pdf, 1).iter().map(String::as_str).collect());

    let named: BTreeSet<&String> = codes.values().collect();
    assert_eq!((codes.len(), named.len()), (10, 10), "every member once");
}

#[test]
fn the_day_on_the_paper_is_the_last_on_which_it_is_good() {
    let place = ten();
    print(
        &place,
        "a.pdf",
        &PrintOrder {
            valid_days: 0,
            ..order()
        },
    )
    .unwrap();
    let page = pages(&place.folder.path().join("a.pdf")).remove(0);
    assert!(page.contains("đến hết ngày 22/11/2026"), "{page}");
    let (_, code) = strips(&page).remove(0);
    let until = stored(&place, &code).unwrap().expires_at;
    assert_eq!(until.date(), NOW.date());
    assert_ne!(Timestamp(until.0 + 1).date(), NOW.date());
}

#[test]
fn the_paper_says_what_to_do() {
    let place = ten();
    print(&place, "a.pdf", &order()).unwrap();
    for page in pages(&place.folder.path().join("a.pdf")) {
        let strips = strips(&page).len();
        for words in [
            "quét mã vuông",
            "đọc sáu số cho bí thư",
            HOST,
            "Dùng một lần",
        ] {
            assert_eq!(page.matches(words).count(), strips, "{words} in {page}");
        }
    }
}

#[test]
fn every_letter_of_vietnamese_can_be_read_back_also_where_a_list_has_it_in_parts() {
    use unicode_normalization::UnicodeNormalization;
    let members: Vec<String> = LETTERS
        .iter()
        .enumerate()
        .map(|(at, letters)| {
            let parts: String = letters.nfd().collect();
            format!("M{at},{parts},CB1,official")
        })
        .collect();
    let place = place(&members.join("\n"));
    print(&place, "a.pdf", &order()).unwrap();
    let text = pages(&place.folder.path().join("a.pdf")).concat();
    for letters in LETTERS {
        assert!(text.contains(letters), "{letters} in {text}");
    }
}

#[test]
fn long_and_strange_names_have_room() {
    let long = "Nguyễn Thị Mẫu ".repeat(12);
    let place = place(&format!(
        "M1,{long},CB1,official\nM2,Y Krô\u{302} Mẫu ភ,CB1,official"
    ));
    let host = format!("{}.vn:8443", "a".repeat(60));
    print(
        &place,
        "a.pdf",
        &PrintOrder {
            host: Some(host.clone()),
            ..order()
        },
    )
    .unwrap();
    let pdf = place.folder.path().join("a.pdf");
    let page = pages(&pdf).remove(0);
    assert!(
        page.contains("Nguyễn Thị Mẫu Nguyễn") && page.contains('…'),
        "{page}"
    );
    assert!(
        page.contains("Mẫu ?"),
        "a letter that the face lacks is seen to lack"
    );
    assert_eq!(page.matches(&host).count(), 2, "an address is never cut");
    assert_eq!(scanned(&pdf, 1).len(), 2);
}

#[test]
fn auth_4_who_has_a_phone_or_takes_no_part_gets_none_unless_asked_for() {
    let place = place(
        "M1,Mẫu Một,CB1,official\nM2,Mẫu Hai,CB1,probationary\nM3,Mẫu Ba,CB1,exempt\n\
         M4,Mẫu Bốn,CB1,transferred\nM5,Mẫu Năm,CB1,removed\nM6,Mẫu Sáu,CB1,candidate\n\
         M7,Mẫu Bảy,CB1,expelled\nM8,Mẫu Tám,CB1,official\nM9,Mẫu Chín,CB1,official",
    );
    let mut engine = place.engine();
    place.phone(&mut engine, "M8");
    for _ in 0..MAX_PHONES {
        place.phone(&mut engine, "M9");
    }
    let printed = print(&place, "a.pdf", &order()).unwrap();
    assert_eq!((printed.have_phone, printed.not_in_standing), (2, 4));
    assert_eq!(open(&place), ["M1", "M2", "M3"]);

    let with_phone = PrintOrder {
        with_phone: true,
        replace: true,
        ..order()
    };
    let printed = print(&place, "b.pdf", &with_phone).unwrap();
    assert_eq!(
        (printed.invitations, printed.have_phone),
        (4, 1),
        "who has three phones cannot use it"
    );
    let candidates = PrintOrder {
        candidates: true,
        replace: true,
        ..order()
    };
    let printed = print(&place, "c.pdf", &candidates).unwrap();
    assert_eq!((printed.invitations, printed.not_in_standing), (4, 3));
    assert_eq!(
        open(&place),
        ["M1", "M2", "M3", "M6", "M8"],
        "whose membership has ended never gets one"
    );
}

#[test]
fn one_cell_is_printed_or_all_below_an_organisation() {
    let place = ten();
    let of = |code: &str| PrintOrder {
        organisation: Some(code.into()),
        ..order()
    };
    assert_eq!(print(&place, "1.pdf", &of("CB2")).unwrap().invitations, 4);
    assert_eq!(print(&place, "2.pdf", &of("BP")).unwrap().invitations, 9);
    assert_eq!(print(&place, "3.pdf", &of(" DU ")).unwrap().invitations, 10);
    assert!(matches!(
        print(&place, "4.pdf", &of("CB9")),
        Err(CommuneError::UnknownOrganisation { code }) if code == "CB9"
    ));
}

#[test]
fn auth_4_earlier_invitations_stay_good_unless_they_are_replaced() {
    let place = ten();
    let of_cell = PrintOrder {
        organisation: Some("CB3".into()),
        ..order()
    };
    print(&place, "a.pdf", &of_cell).unwrap();
    let (_, first) = strips(&pages(&place.folder.path().join("a.pdf"))[0]).remove(0);
    assert_eq!(print(&place, "b.pdf", &of_cell).unwrap().invited_before, 1);
    assert!(stored(&place, &first).unwrap().tries_left > 0);
    let replaced = print(
        &place,
        "c.pdf",
        &PrintOrder {
            replace: true,
            ..of_cell
        },
    )
    .unwrap();
    assert_eq!((replaced.replaced, replaced.invited_before), (2, 0));
    assert_eq!(stored(&place, &first).unwrap().tries_left, 0);
    assert_eq!(open(&place), ["M09"]);
}

#[cfg(unix)]
#[test]
fn storage_1_files_with_codes_are_their_owner_s_and_overwrite_nothing() {
    use std::os::unix::fs::PermissionsExt;
    let place = ten();
    let path = |name: &str| place.folder.path().join(name);
    print(&place, "a.pdf", &order()).unwrap();
    let picture =
        |name: &str| commune::invite_by_picture(&place.data(), "M01", None, 14, &path(name), NOW);
    picture("a.png").unwrap();
    picture("a.SVG").unwrap();
    for name in ["a.pdf", "a.png", "a.SVG"] {
        let mode = std::fs::metadata(path(name)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{name}");
    }
    let (before, found) = (open(&place), files(&place));
    std::fs::write(path("a.png"), "mine").unwrap();
    std::fs::write(path("a.pdf"), "mine").unwrap();
    assert!(matches!(picture("a.png"), Err(CommuneError::File { .. })));
    assert!(matches!(
        print(&place, "a.pdf", &order()),
        Err(CommuneError::File { .. })
    ));
    assert!(matches!(
        print(&place, "nowhere/a.pdf", &order()),
        Err(CommuneError::File { .. })
    ));
    assert!(matches!(
        picture("a.jpeg"),
        Err(CommuneError::PictureForm { .. })
    ));
    assert_eq!(
        (open(&place), files(&place)),
        (before, found),
        "nobody was invited, no file made"
    );
    for name in ["a.png", "a.pdf"] {
        assert_eq!(std::fs::read_to_string(path(name)).unwrap(), "mine");
    }
}

#[test]
fn auth_4_no_file_is_left_where_the_invitations_did_not_come_to_be() {
    let place = ten();
    let database = rusqlite::Connection::open(place.data().join(commune::DATABASE)).unwrap();
    let refuse =
        "CREATE TRIGGER full BEFORE INSERT ON invitation BEGIN SELECT RAISE(ABORT, 'full'); END";
    database.execute_batch(refuse).unwrap();
    let found = files(&place);
    assert!(matches!(
        print(&place, "a.pdf", &order()),
        Err(CommuneError::Engine(_))
    ));
    let picture = place.folder.path().join("a.png");
    assert!(commune::invite_by_picture(&place.data(), "M01", None, 14, &picture, NOW).is_err());
    assert_eq!(files(&place), found);
}

#[cfg(target_os = "linux")]
#[test]
fn auth_4_nobody_is_invited_by_a_paper_that_had_no_room_on_the_disk() {
    let members: Vec<String> = (0..40)
        .map(|at| format!("M{at},Đồng chí Mẫu {at},CB1,official"))
        .collect();
    let place = place(&members.join("\n"));
    let found = files(&place);
    let to = place.folder.path().join("a.pdf");
    // Files may grow to 40 KiB: enough for what SQLite writes when it opens a database, and for the first part of the PDF. The signal is left to the program, so that it gets an error.
    let script = r#"ulimit -f 80; trap '' XFSZ; exec "$0" invite print --data "$1" --to "$2""#;
    let output = Command::new("sh")
        .args(["-c", script, env!("CARGO_BIN_EXE_sotay-server")])
        .args([&place.data(), &to])
        .output()
        .unwrap();
    let complaint = String::from_utf8_lossy(&output.stderr);
    assert!(
        !output.status.success() && complaint.contains("a.pdf"),
        "{complaint}"
    );
    assert_eq!((open(&place), files(&place)), (Vec::new(), found));
}

#[test]
fn nobody_to_invite_and_a_term_too_long_are_said_before_anything_is_made() {
    let place = place("M1,Mẫu Một,CB1,candidate");
    let found = files(&place);
    assert!(matches!(
        print(&place, "a.pdf", &order()),
        Err(CommuneError::NobodyToInvite)
    ));
    let days = commune::MAX_VALID_DAYS + 1;
    let long = PrintOrder {
        valid_days: days,
        candidates: true,
        ..order()
    };
    assert!(matches!(
        print(&place, "a.pdf", &long),
        Err(CommuneError::ValidTooLong { .. })
    ));
    assert!(matches!(
        commune::invite(&place.data(), "M1", None, days, NOW),
        Err(CommuneError::ValidTooLong { .. })
    ));
    let no_host = PrintOrder {
        host: Some("a b".into()),
        candidates: true,
        ..order()
    };
    assert!(matches!(
        print(&place, "a.pdf", &no_host),
        Err(CommuneError::Invitation(_))
    ));
    assert_eq!((open(&place), files(&place)), (Vec::new(), found));
}

#[test]
fn auth_4_open_invitations_are_listed_and_closed() {
    let place = ten();
    let (data, late) = (place.data(), NOW.plus_minutes(15 * 24 * 60));
    let invite = |member: &str, days| commune::invite(&data, member, None, days, NOW).unwrap();
    let (first, _) = (invite("M00", 14), invite("M00", 14));
    invite("M09", 30);
    assert_eq!(open(&place), ["M00", "M00", "M09"]);
    let later = commune::open_invitations(&data, late).unwrap();
    let [one] = later.as_slice() else {
        panic!("{later:?}")
    };
    assert_eq!((one.member.as_str(), one.cell.as_str()), ("M09", "CB3"));
    assert_eq!(one.expires_at, NOW.plus_minutes(30 * 24 * 60));

    assert_eq!(commune::revoke_invitations(&data, "M00", NOW).unwrap(), 2);
    assert_eq!(commune::revoke_invitations(&data, "M00", NOW).unwrap(), 0);
    assert_eq!(stored(&place, first.code()).unwrap().tries_left, 0);
    assert_eq!(open(&place), ["M09"]);
    let unknown = commune::revoke_invitations(&data, "M99", NOW);
    assert!(matches!(unknown, Err(CommuneError::UnknownMember { code }) if code == "M99"));
}

#[test]
fn audit_1_who_was_invited_and_what_was_printed_is_written_down_without_codes() {
    let place = ten();
    print(
        &place,
        "a.pdf",
        &PrintOrder {
            organisation: Some("CB3".into()),
            ..order()
        },
    )
    .unwrap();
    commune::revoke_invitations(&place.data(), "M09", NOW).unwrap();
    let member = place.commune.members["M09"];
    let mut storage = Storage::open(&place.data().join(commune::DATABASE)).unwrap();
    let mut told = Vec::new();
    let transaction = storage.read().unwrap();
    transaction
        .audit_entries(None, |entry| {
            told.extend(entry.event().map(|event| event.to_string()));
            true
        })
        .unwrap();
    for event in [
        format!("invitation for {member} made by operator"),
        "invitations exported by operator".to_owned(),
        format!("invitations for {member} closed by operator"),
    ] {
        assert_eq!(
            told.iter().filter(|told| **told == event).count(),
            1,
            "{event}: {told:?}"
        );
    }
}

/// Reads a matrix of modules, given in lines of dark and light with the quiet zone.
fn read_modules(rows: &[Vec<bool>]) -> String {
    let (height, width) = (rows.len() * 4, rows[0].len() * 4);
    let mut picture = rqrr::PreparedImage::prepare_from_greyscale(width, height, |x, y| {
        if rows[y / 4][x / 4] { 0 } else { 255 }
    });
    let found = picture.detect_grids();
    assert_eq!(found.len(), 1);
    found[0].decode().unwrap().1
}

#[test]
fn a_terminal_shows_black_on_white_whatever_its_colours_are() {
    let text = Invitation::new(HOST, Code::from_random([5; 8]))
        .unwrap()
        .text();
    let mut rows: Vec<Vec<bool>> = Vec::new();
    for line in picture::terminal(&Qr::of(&text).unwrap()).lines() {
        // Colours 16 and 231 of the fixed palette, reset at each end: a line that is cut off colours nothing else.
        let blocks = line.strip_prefix("\x1b[38;5;16;48;5;231m").unwrap();
        let blocks = blocks.strip_suffix("\x1b[0m").unwrap();
        rows.push(blocks.chars().map(|c| matches!(c, '▀' | '█')).collect());
        rows.push(blocks.chars().map(|c| matches!(c, '▄' | '█')).collect());
    }
    assert!(rows[..4].iter().flatten().all(|dark| !dark), "a quiet zone");
    assert_eq!(read_modules(&rows), text);
}

#[test]
fn a_picture_holds_the_invitation() {
    let place = ten();
    let picture = |name: &str| {
        let path = place.folder.path().join(name);
        let text = commune::invite_by_picture(&place.data(), "M01", Some(HOST), 14, &path, NOW)
            .unwrap()
            .text();
        (path, text)
    };
    let (png, text) = picture("a.png");
    let arguments = ["-q", "--raw", "--nodbus", png.to_str().unwrap()];
    let scanned = said("zbar-tools", "zbarimg", &arguments);
    assert_eq!(String::from_utf8(scanned).unwrap().trim_end(), text);

    let (svg, text) = picture("a.svg");
    let svg = std::fs::read_to_string(svg).unwrap();
    let number = |text: &str| text.parse::<usize>().unwrap();
    let side = number(
        svg.split("viewBox=\"0 0 ")
            .nth(1)
            .unwrap()
            .split(' ')
            .next()
            .unwrap(),
    );
    let mut rows = vec![vec![false; side]; side];
    let path = svg
        .split("<path d=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    for run in path.split('M').skip(1) {
        let (place, rest) = run.split_once('h').unwrap();
        let (x, y) = place.split_once(' ').unwrap();
        let many = number(rest.split('v').next().unwrap());
        rows[number(y)][number(x)..number(x) + many].fill(true);
    }
    assert_eq!(read_modules(&rows), text);
}

#[test]
fn the_command_line_prints_lists_and_revokes() {
    let place = ten();
    let run = |arguments: &[&str]| {
        let output = Command::new(env!("CARGO_BIN_EXE_sotay-server"))
            .args(arguments)
            .arg("--data")
            .arg(place.data())
            .env("SOTAY_LOG", "warn")
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (
            output.status.success(),
            text(output.stdout),
            text(output.stderr),
        )
    };
    let pdf = place.folder.path().join("a.pdf");
    let (done, said, complaint) = run(&[
        "invite",
        "print",
        "--organisation",
        "CB3",
        "--to",
        pdf.to_str().unwrap(),
    ]);
    assert!(done, "{complaint}");
    assert_eq!(said, "1 invitations for 1 cells on 1 pages\n");
    assert_eq!(pages(&pdf).len(), 1);

    let (done, said, _) = run(&["invite", "--member", "M01"]);
    assert!(
        done && said.lines().count() == 1,
        "no picture into a pipe: {said}"
    );
    let png = place.folder.path().join("a.png");
    let (done, said, _) = run(&[
        "invite",
        "--member",
        "M01",
        "--qr",
        "--picture",
        png.to_str().unwrap(),
    ]);
    assert!(done && said.starts_with("sotay://join/") && said.contains('▀') && png.exists());

    let (_, said, _) = run(&["invitations"]);
    let lines: Vec<&str> = said
        .lines()
        .map(|line| line.split(" 2").next().unwrap())
        .collect();
    assert_eq!(
        lines,
        [
            "3 open",
            "M01\tCB2\tuntil",
            "M01\tCB2\tuntil",
            "M09\tCB3\tuntil"
        ]
    );
    assert_eq!(
        run(&["invitations", "revoke", "--member", "M01"]).1,
        "2 invitations are no longer good\n"
    );
    assert!(run(&["invitations"]).1.starts_with("1 open\n"));
    assert!(!run(&["invite", "--member", "M01", "--valid-days", "1000"]).0);
    assert!(!run(&["invite"]).0 && !run(&["invite", "print"]).0);
}
