//! B8: members are transferred to another cell, and their phones lose a scope of 10,000 records.
//!
//! The time is that of the sync that brings the news. Then the app pauses, which writes the log back, and the phone's files are
//! searched for what the scope held: every page of the database as SQLite sees it behind the cipher, pages in no use too, and
//! every other file as it lies there. Searched for are the ids and the bodies, which are random letters, in pieces of 16 bytes.

use std::collections::HashSet;
use std::time::Instant;

use sotay_server::commune::{import, read_csv};

use super::ground::{BODY, Ground, Line, Text, plan_with};
use super::{Extent, Figure, Samples};
use crate::commune::OrganisationPlan;
use crate::examiner;
use crate::fail;
use crate::failure::Failure;
use crate::phone::Phone;

const TARGET: f64 = 300.0;
const PHONES: usize = 5;
const PIECE: usize = 16;
/// Bytes of a body before its text.
const BEFORE_TEXT: usize = 24;

pub(super) fn measure(extent: &Extent) -> Result<Figure, Failure> {
    let records = extent.records / 10;
    let mut plan = plan_with("c1");
    plan.organisations.push(OrganisationPlan {
        code: "c2".into(),
        name: "Chi bộ mẫu c2".into(),
        level: "PartyCell".into(),
        above: Some("xa".into()),
    });
    let ground = Ground::of(&plan)?;
    let [committee, cell, _] = ground.scopes()?;
    // As much again stays.
    ground.load_into(&[committee], records, Text::Syllables, drop)?;
    let mut gone: HashSet<[u8; PIECE]> = HashSet::new();
    ground.load_into(&[cell], records, Text::Letters, |line| {
        gone.extend(pieces(&line));
    })?;
    let mut phones = Vec::new();
    for number in 3..3 + PHONES {
        let code = format!("m{number:02}");
        let phone = ground.phone(&code, &code)?;
        phone.handbook().sync()?;
        phones.push(phone);
        if let Some(member) = plan.members.iter_mut().find(|member| member.code == code) {
            member.cell = "c2".into();
        }
    }
    let before: Vec<(u64, usize)> = phones
        .iter()
        .map(|phone| Ok((held(phone)?, left(phone, &gone)?)))
        .collect::<Result<_, Failure>>()?;
    let now = sotay_server::system_clock();
    import(&ground.data(), &read_csv(plan.csv().as_bytes())?, now)?;

    let (mut took, mut writing_back, mut bytes) = (Samples::default(), Samples::default(), 0);
    for (phone, (records_before, found_before)) in phones.iter().zip(before) {
        if found_before < records * BODY / 2 {
            fail!("the search found only {found_before} bytes of what was there");
        }
        let began = Instant::now();
        phone.handbook().sync()?;
        took.push(began.elapsed());
        let began = Instant::now();
        phone.handbook().pause(30_000)?;
        writing_back.push(began.elapsed());
        let records_after = held(phone)?;
        if records_before < records_after + records as u64 {
            fail!("{records_before} records were held, {records_after} still are");
        }
        bytes += left(phone, &gone)?;
    }
    let figure = took.percentile(50);
    Ok(Figure {
        id: "B8",
        what: "a scope of 10,000 records is revoked, p50",
        figure,
        unit: "ms",
        raw: None,
        ratio: None,
        target: TARGET,
        met: figure <= TARGET && bytes == 0,
        detail: vec![
            ("slowest, ms", took.percentile(100)),
            (
                "bytes left after the checkpoint, all phones (target 0)",
                bytes as f64,
            ),
            (
                "pause, which writes the log back, p50 ms",
                writing_back.percentile(50),
            ),
        ],
    })
}

/// The id, and the text in pieces one behind the other.
fn pieces(line: &Line) -> impl Iterator<Item = [u8; PIECE]> + '_ {
    let text = line.body.get(BEFORE_TEXT..).unwrap_or_default();
    text.chunks_exact(PIECE)
        .chain([line.key.id.as_bytes().as_slice()])
        .filter_map(|piece| piece.try_into().ok())
}

fn held(phone: &Phone) -> Result<u64, Failure> {
    Ok(examiner::contents(phone)?.records)
}

/// How many bytes of the pieces lie in the phone's files.
fn left(phone: &Phone, gone: &HashSet<[u8; PIECE]>) -> Result<usize, Failure> {
    let mut database = examiner::open_database(phone)?;
    let mut found = count(&database.serialize("main")?, gone);
    for entry in std::fs::read_dir(phone.folder())? {
        let path = entry?.path();
        let bytes = std::fs::read(&path)?;
        found += count(&bytes, gone);
        // What still lies in the log is ciphered and cannot be searched: none of it may be there.
        if path.extension().is_some_and(|name| name == "db-wal") {
            found += bytes.len();
        }
    }
    Ok(found)
}

fn count(bytes: &[u8], gone: &HashSet<[u8; PIECE]>) -> usize {
    let found = bytes
        .windows(PIECE)
        .filter(|piece| gone.contains(*piece))
        .count();
    found * PIECE
}
