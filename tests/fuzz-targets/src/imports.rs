//! The operator's files: lists of members, the configuration.

use sotay_model::{Id, OrganisationId};
use sotay_server::commune::{Cell, Config, Rows, read_csv};
use sotay_server::http::foreign as server;

/// Reads members out of rows and checks what was made of them.
fn members(rows: &Rows) {
    let cell = |text: &str| (!text.is_empty()).then_some(OrganisationId(Id::from_bytes([1; 16])));
    match server::members(rows, cell) {
        Ok(members) => {
            let mut codes: Vec<&str> = members.iter().map(|member| member.code.as_str()).collect();
            codes.sort_unstable();
            assert!(codes.is_sorted_by(|one, next| one < next), "a code twice");
            for member in &members {
                assert!(!member.code.is_empty() && !member.name.is_empty());
                assert!(member.born.is_none() || member.born_year.is_none());
                assert!(rows.iter().any(|(row, _)| *row == member.row));
            }
        }
        Err(faults) => {
            for fault in &faults {
                assert!(rows.iter().any(|(row, _)| *row == fault.row));
                assert!(!fault.to_string().is_empty());
            }
        }
    }
}

/// A list in CSV.
pub fn import_csv(input: &[u8]) {
    if let Ok(rows) = read_csv(input) {
        for (_, cells) in &rows {
            for cell in cells {
                assert!(!matches!(cell, Cell::Text(text) if text.trim() != text));
            }
        }
        members(&rows);
    }
}

/// A list in .xlsx. A first byte below 128: the file is what follows. Else the sheet and its texts are what follows, with a zero
/// between, and the file is made around them: what is compressed and summed up can hardly be made up.
pub fn import_xlsx(input: &[u8]) {
    let Some((how, rest)) = input.split_first() else {
        return;
    };
    let file = if *how < 128 {
        rest.to_vec()
    } else {
        let mut parts = rest.splitn(2, |byte| *byte == 0);
        let sheet = parts.next().unwrap_or_default();
        // calamine 0.32 takes the sheet's first corner from its last without looking: where they are exchanged, a build with overflow
        // checks ends, and one without goes on, as nothing but a size to reserve comes of it.
        if sheet.windows(9).any(|word| word == b"dimension") {
            return;
        }
        book(sheet, parts.next().unwrap_or_default())
    };
    if let Ok(rows) = server::xlsx(&file) {
        let cells: usize = rows.iter().map(|(_, cells)| cells.len()).sum();
        assert!(cells <= sotay_server::commune::MAX_CELLS);
        members(&rows);
    }
}

/// The TOML file that `init` reads.
pub fn configuration(input: &[u8]) {
    let Ok(text) = std::str::from_utf8(input) else {
        return;
    };
    let Ok(config) = Config::parse(text) else {
        return;
    };
    assert!(!config.hosts.is_empty());
    // Each organisation comes after the one above it, and codes are unique.
    for (place, one) in config.organisations.iter().enumerate() {
        let before = &config.organisations[..place];
        assert!(before.iter().all(|other| other.code != one.code));
        let above = one.above.as_ref();
        assert!(above.is_none_or(|above| before.iter().any(|other| other.code == *above)));
    }
    let known = |code: &str| config.organisations.iter().any(|one| one.code == code);
    assert!(
        config
            .offices
            .iter()
            .all(|office| known(&office.organisation))
    );
}

/// A workbook with one sheet.
pub(crate) fn book(sheet: &[u8], texts: &[u8]) -> Vec<u8> {
    let workbook =
        br#"<workbook><sheets><sheet name="S" sheetId="1" r:id="r1"/></sheets></workbook>"#;
    let relations =
        br#"<Relationships><Relationship Id="r1" Target="worksheets/sheet1.xml"/></Relationships>"#;
    zip(&[
        ("xl/workbook.xml", workbook),
        ("xl/_rels/workbook.xml.rels", relations),
        ("xl/worksheets/sheet1.xml", sheet),
        ("xl/sharedStrings.xml", texts),
    ])
}

/// The files of an archive, as they are (APPNOTE 4.3.6 to 4.3.16).
fn zip(files: &[(&str, &[u8])]) -> Vec<u8> {
    let (mut archive, mut directory) = (Vec::new(), Vec::new());
    for (name, bytes) in files {
        let length = u32::try_from(bytes.len()).expect("small").to_le_bytes();
        let name_length = u16::try_from(name.len()).expect("short").to_le_bytes();
        let offset = u32::try_from(archive.len()).expect("small").to_le_bytes();
        // Version, flags, method, time, day: all zero but the version. Then sum, two lengths, the name's length, no extras.
        let mut head = vec![20, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        head.extend_from_slice(&crc32(bytes).to_le_bytes());
        head.extend_from_slice(&length);
        head.extend_from_slice(&length);
        head.extend_from_slice(&name_length);
        head.extend_from_slice(&[0; 2]);
        archive.extend_from_slice(b"PK\x03\x04");
        archive.extend_from_slice(&head);
        archive.extend_from_slice(name.as_bytes());
        archive.extend_from_slice(bytes);
        directory.extend_from_slice(b"PK\x01\x02\x14\x00");
        directory.extend_from_slice(&head);
        directory.extend_from_slice(&[0; 10]);
        directory.extend_from_slice(&offset);
        directory.extend_from_slice(name.as_bytes());
    }
    let count = u16::try_from(files.len()).expect("few").to_le_bytes();
    let begin = u32::try_from(archive.len()).expect("small").to_le_bytes();
    let length = u32::try_from(directory.len()).expect("small").to_le_bytes();
    archive.extend_from_slice(&directory);
    archive.extend_from_slice(b"PK\x05\x06\x00\x00\x00\x00");
    archive.extend_from_slice(&count);
    archive.extend_from_slice(&count);
    archive.extend_from_slice(&length);
    archive.extend_from_slice(&begin);
    archive.extend_from_slice(&[0; 2]);
    archive
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(!0, |sum, byte| {
        (0..8).fold(sum ^ u32::from(*byte), |sum, _| {
            (sum >> 1) ^ (0xedb8_8320 & 0_u32.wrapping_sub(sum & 1))
        })
    })
}
