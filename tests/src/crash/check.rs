//! After the storm: everybody syncs to quiet, and the ledgers are compared with what lies in the server's database.

use std::collections::BTreeMap;
use std::path::Path;

use rusqlite::{Connection, OpenFlags};
use sotay_model::meetings::{AbsenceRequest, Meeting, Response};
use sotay_model::profile::CorrectionRequest;
use sotay_model::{Kind, MemberId, cbor};
use sotay_server::commune::DATABASE;

use crate::examiner::agree;
use crate::fail;
use crate::failure::Failure;
use crate::phone::Phone;

use super::ledger::Ledger;
use super::place::Place;

/// What came of the entries.
#[derive(Debug, Clone, Default)]
pub(super) struct Outcome {
    /// Entries that a command returned from.
    pub(super) kept: u64,
    /// Entries that the server carried out, kept or only tried.
    pub(super) accepted: u64,
    /// Refused by the server, and shown to their author.
    pub(super) refused: u64,
    /// Kept, and neither.
    pub(super) lost: u64,
    /// Carried out more than once.
    pub(super) doubled: u64,
    /// What exactly is wrong.
    pub(super) wrong: Vec<String>,
}

/// The records of the server that entries become.
struct Stored {
    /// Texts of corrections, and titles of all versions of all notices: how often each is there.
    texts: BTreeMap<String, u64>,
    /// Answers by member and meeting.
    answers: BTreeMap<(MemberId, String), String>,
    /// Absence requests likewise.
    absences: BTreeMap<(MemberId, String), String>,
    /// The highest number the server saw of each member's phone.
    numbers: BTreeMap<Vec<u8>, u64>,
}

impl Stored {
    fn read(data: &Path) -> Result<Self, Failure> {
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let database = Connection::open_with_flags(data.join(DATABASE), flags)?;
        let mut stored = Self {
            texts: BTreeMap::new(),
            answers: BTreeMap::new(),
            absences: BTreeMap::new(),
            numbers: BTreeMap::new(),
        };
        let mut select = database.prepare("SELECT kind, body FROM record")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let body = row.get_ref(1)?.as_blob()?;
            match Kind::from_code(row.get(0)?) {
                Kind::CorrectionRequest => {
                    let request: CorrectionRequest = cbor::from_bytes(body)?;
                    *stored.texts.entry(request.text).or_default() += 1;
                }
                Kind::Meeting => {
                    let meeting: Meeting = cbor::from_bytes(body)?;
                    for version in &meeting.versions {
                        *stored.texts.entry(version.title.clone()).or_default() += 1;
                    }
                }
                Kind::Response => {
                    let response: Response = cbor::from_bytes(body)?;
                    stored.answers.insert(
                        (response.member, response.meeting.to_string()),
                        format!("{:?}", response.choice),
                    );
                }
                Kind::AbsenceRequest => {
                    let request: AbsenceRequest = cbor::from_bytes(body)?;
                    stored.absences.insert(
                        (request.member, request.meeting.to_string()),
                        request.note.unwrap_or_default(),
                    );
                }
                _ => {}
            }
        }
        let mut select = database.prepare("SELECT member, high_water FROM installation")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            let number: i64 = row.get(1)?;
            stored.numbers.insert(row.get(0)?, number.cast_unsigned());
        }
        Ok(stored)
    }
}

/// Syncs the phones until nothing moves, and compares them with the server: every scope, byte by byte.
pub(super) fn settle(place: &Place, names: &[&str]) -> Result<Vec<Phone>, Failure> {
    let phones = names
        .iter()
        .map(|name| place.phone(name))
        .collect::<Result<Vec<_>, _>>()?;
    // The first time around everybody sends, the second time everybody fetches.
    for _ in 0..2 {
        for phone in &phones {
            let synced = phone.handbook().sync();
            synced.map_err(|error| Failure::from(error).during(&phone.name))?;
        }
    }
    for phone in &phones {
        agree(phone, place.data())?;
        let unsent = phone.handbook().outbox()?.unsent;
        if !unsent.is_empty() {
            fail!("{} still holds {} entries", phone.name, unsent.len());
        }
    }
    Ok(phones)
}

/// Compares what was entered with what the server has.
pub(super) fn compare(
    place: &Place,
    phones: &[Phone],
    ledgers: &BTreeMap<String, Ledger>,
) -> Result<Outcome, Failure> {
    let stored = Stored::read(place.data())?;
    let mut outcome = Outcome::default();
    for phone in phones {
        let Some(ledger) = ledgers.get(&phone.name) else {
            continue;
        };
        let member = place.member(&phone.name)?;
        let view = phone.handbook().outbox()?;
        let refused: Vec<String> = view
            .refused
            .into_iter()
            .map(|line| line.words.unwrap_or(line.intent))
            .collect();
        outcome.refused += refused.len() as u64;
        outcome.kept += ledger.kept();
        texts(&stored, phone, ledger, &refused, &mut outcome);
        for (kind, there) in [("answer", &stored.answers), ("absence", &stored.absences)] {
            for (slot, texts) in ledger.standing(kind) {
                let found = there.get(&(member, slot.to_owned()));
                if !found.is_some_and(|found| texts.contains(&found.as_str())) {
                    outcome.lost += 1;
                    outcome.wrong.push(format!(
                        "{}: {kind} should be one of {texts:?} and is {found:?}",
                        phone.name
                    ));
                }
            }
        }
        titles(phone, ledger, &mut outcome)?;
        numbers(&stored, phone, member, ledger, &mut outcome);
    }
    Ok(outcome)
}

/// Every text that was kept is there once, or refused; one that was only tried is there once or not at all.
fn texts(stored: &Stored, phone: &Phone, ledger: &Ledger, refused: &[String], o: &mut Outcome) {
    for entry in &ledger.entries {
        if matches!(entry.kind.as_str(), "answer" | "absence") {
            continue;
        }
        let there = stored.texts.get(&entry.text).copied().unwrap_or(0);
        let parked = refused.iter().filter(|text| **text == entry.text).count() as u64;
        if there + parked > 1 {
            o.doubled += 1;
            o.wrong.push(format!(
                "{}: {} is carried out {there} times and refused {parked} times",
                phone.name, entry.text
            ));
        } else if entry.kept && there + parked == 0 {
            o.lost += 1;
            o.wrong
                .push(format!("{}: {} is nowhere", phone.name, entry.text));
        }
    }
}

/// The title that stands is the one that was entered last.
fn titles(phone: &Phone, ledger: &Ledger, o: &mut Outcome) -> Result<(), Failure> {
    for (slot, texts) in ledger.standing("change") {
        let title = phone.handbook().meeting(slot.parse()?)?.card.title;
        if !texts.contains(&title.as_str()) {
            o.lost += 1;
            o.wrong.push(format!(
                "{}: a title should be one of {texts:?} and is {title}",
                phone.name
            ));
        }
    }
    Ok(())
}

/// Numbers are contiguous: the server saw at least one for each entry that was kept, and at most one for each that was tried.
fn numbers(stored: &Stored, phone: &Phone, me: MemberId, ledger: &Ledger, o: &mut Outcome) {
    let seen = stored
        .numbers
        .get(me.0.as_bytes().as_slice())
        .copied()
        .unwrap_or(0);
    // What the phone entered before any author lived.
    let before = u64::from(phone.name == super::place::NAMES[0]);
    let (least, most) = (before + ledger.kept(), before + ledger.entries.len() as u64);
    o.accepted += seen;
    if seen < least {
        o.lost += least - seen;
    } else if seen > most {
        o.doubled += seen - most;
    } else {
        return;
    }
    o.wrong.push(format!(
        "{}: the server saw {seen} entries, {least} were kept and {most} tried",
        phone.name
    ));
}
