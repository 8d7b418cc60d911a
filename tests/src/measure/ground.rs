//! What is measured on: a commune of one cell, a server process, and the dataset.
//!
//! The dataset is loaded into the server's storage as effects, not through the rules, whose speed is not the question here:
//! sections of documents of 280 bytes each, random UUIDv7 ids, spread over three scopes that the secretary holds.

use std::net::SocketAddr;
use std::path::PathBuf;

use ring::rand::{SecureRandom, SystemRandom};
use sotay_client::meetings::NoticeForm;
use sotay_model::cbor::{self, UnknownKeys};
use sotay_model::documents::Section;
use sotay_model::meetings::{MeetingKind, MeetingMode};
use sotay_model::record::{RecordHash, Stamp};
use sotay_model::{Id, Kind, MeetingKey, MemberId, OrganisationId, Record, RecordKey, Scope};
use sotay_server::commune::DATABASE;
use sotay_server::storage::{ListingRow, Storage, StoredRecord};

use crate::commune::{
    AppointmentPlan, CommunePlan, Entered, MemberPlan, OrganisationPlan, invitation, join,
};
use crate::fail;
use crate::failure::Failure;
use crate::phone::Phone;
use crate::server::{Program, ServerProcess};

/// Bytes of a body.
pub(super) const BODY: usize = 280;
/// How many documents the sections belong to.
const DOCUMENTS: usize = 1_000;
/// Members of the cell.
const MEMBERS: usize = 20;

/// A record of the dataset.
#[derive(Debug, Clone)]
pub(super) struct Line {
    pub(super) scope: Scope,
    pub(super) key: RecordKey,
    pub(super) parent: Id,
    pub(super) body: Vec<u8>,
}

/// The commune, its server, a folder for phones.
pub(super) struct Ground {
    // Before the folder: the process ends before its files go.
    server: ServerProcess,
    commune: Entered,
    folder: tempfile::TempDir,
}

impl Ground {
    /// Makes a commune of one cell and starts the server.
    pub(super) fn make() -> Result<Self, Failure> {
        Self::of(&plan_with("c1"))
    }

    /// Makes this commune and starts the server.
    pub(super) fn of(plan: &CommunePlan) -> Result<Self, Failure> {
        let folder = tempfile::Builder::new()
            .prefix("sotay-measure-")
            .tempdir()?;
        let data = folder.path().join("server");
        let commune = plan.enter(&data, sotay_server::system_clock())?;
        let server = ServerProcess::start(&Program::ours()?, &data, ([127, 0, 0, 1], 0).into())?;
        Ok(Self {
            server,
            commune,
            folder,
        })
    }

    /// Where the server listens.
    pub(super) const fn address(&self) -> SocketAddr {
        self.server.address()
    }

    /// The server's folder.
    pub(super) fn data(&self) -> PathBuf {
        self.folder.path().join("server")
    }

    /// Beside the server's folder.
    pub(super) fn folder(&self) -> &std::path::Path {
        self.folder.path()
    }

    /// The server's database, opened beside the server.
    pub(super) fn storage(&self) -> Result<Storage, Failure> {
        Ok(Storage::open(&self.data().join(DATABASE))?)
    }

    /// A member's id.
    pub(super) fn member(&self, code: &str) -> Result<MemberId, Failure> {
        match self.commune.members.get(code) {
            Some(id) => Ok(*id),
            None => fail!("there is no member {code}"),
        }
    }

    /// A phone that has joined and holds nothing yet.
    pub(super) fn phone(&self, member: &str, name: &str) -> Result<Phone, Failure> {
        self.phone_by(member, name, self.address())
    }

    /// The same, by way of something that passes on to the server.
    pub(super) fn phone_by(
        &self,
        member: &str,
        name: &str,
        way: SocketAddr,
    ) -> Result<Phone, Failure> {
        let host = way.to_string();
        let invited = invitation(&self.data(), member, &host)?;
        let phone = Phone::with_key_file(self.folder.path(), name)?;
        join(phone.handbook(), &self.data(), invited.text(), name)?;
        Ok(phone)
    }

    /// The three scopes of the dataset: the committee, the cell, the cell's office. The secretary holds them all.
    pub(super) fn scopes(&self) -> Result<[Scope; 3], Failure> {
        let find = |code: &str| -> Result<OrganisationId, Failure> {
            match self.commune.organisations.get(code) {
                Some(id) => Ok(*id),
                None => fail!("there is no organisation {code}"),
            }
        };
        let (above, cell) = (find("xa")?, find("c1")?);
        Ok([
            Scope::organisation(above),
            Scope::organisation(cell),
            Scope::office(cell),
        ])
    }

    /// Loads the dataset into the server, and hands out each of its records.
    pub(super) fn load(&self, records: usize, each: impl FnMut(Line)) -> Result<(), Failure> {
        self.load_into(&self.scopes()?, records, Text::Syllables, each)
    }

    /// Loads so many records, spread over these scopes, and hands out each.
    pub(super) fn load_into(
        &self,
        scopes: &[Scope],
        records: usize,
        text: Text,
        mut each: impl FnMut(Line),
    ) -> Result<(), Failure> {
        let documents = (0..DOCUMENTS)
            .map(|_| random_id())
            .collect::<Result<Vec<_>, _>>()?;
        let mut storage = self.storage()?;
        let transaction = storage.write()?;
        let stamp = Stamp {
            incarnation: incarnation(&transaction)?,
            version: 1,
        };
        for (place, scope) in scopes.iter().enumerate() {
            let mut head = transaction.head(*scope)?;
            for number in (place..records).step_by(scopes.len()) {
                let line = line(*scope, number, documents[number % DOCUMENTS], text)?;
                head.head += 1;
                head.sum.add(RecordHash::of(&line.key, stamp, &line.body));
                transaction.set_record(&StoredRecord {
                    record: Record {
                        key: line.key,
                        kind: Kind::Section,
                        parent: line.parent,
                        stamp,
                        body: line.body.clone(),
                    },
                    audience: vec![*scope],
                })?;
                let content = Some((Kind::Section, line.parent, line.body.clone()));
                transaction.set_listing(
                    *scope,
                    &ListingRow {
                        seq: head.head,
                        key: line.key,
                        stamp,
                        content,
                        group_end: head.head,
                        at: sotay_server::system_clock(),
                    },
                )?;
                each(line);
            }
            transaction.set_head(*scope, &head)?;
        }
        transaction.commit()?;
        Ok(())
    }
}

fn incarnation(transaction: &sotay_server::storage::Transaction<'_>) -> Result<u64, Failure> {
    let bytes = transaction.meta("incarnation")?.unwrap_or_default();
    Ok(u64::from_be_bytes(bytes.as_slice().try_into()?))
}

/// A notice that `secretary` publishes for the evening in two days, with a document of a few sections.
pub(super) fn publish(secretary: &Phone) -> Result<MeetingKey, Failure> {
    let starts_at = sotay_server::system_clock().plus_minutes(2 * 24 * 60);
    Ok(secretary.handbook().publish_notice(
        NoticeForm {
            kind: MeetingKind::Regular,
            title: "Sinh hoạt thường kỳ".into(),
            starts_at,
            ends_at: starts_at.plus_minutes(90),
            place: "Nhà văn hóa".into(),
            mode: MeetingMode::InRoom,
            agenda: vec!["Đánh giá tháng trước".into(), "Việc tháng tới".into()],
            documents: vec![],
            guests: vec![],
            answer_by: None,
            absence_by: None,
        },
        vec![],
    )?)
}

/// One record.
fn line(scope: Scope, number: usize, parent: Id, text: Text) -> Result<Line, Failure> {
    let home = match scope.kind {
        sotay_model::id::ScopeKind::Organisation => scope,
        _ => Scope::organisation(OrganisationId(scope.id)),
    };
    Ok(Line {
        scope,
        key: RecordKey::new(home, random_id()?),
        parent,
        body: body(u32::try_from(number)?, text)?,
    })
}

/// A UUIDv7 of some moment of the last year.
fn random_id() -> Result<Id, Failure> {
    let mut random = [0; 18];
    fill(&mut random)?;
    let (moment, rest) = random.split_at(8);
    let within = u64::from_be_bytes(moment.try_into()?) % (365 * 24 * 3_600_000);
    let at = sotay_server::system_clock().0 - i64::try_from(within)?;
    Ok(Id::v7(at, rest.try_into()?))
}

fn fill(bytes: &mut [u8]) -> Result<(), Failure> {
    SystemRandom::new()
        .fill(bytes)
        .map_err(|_| Failure("no randomness".into()))
}

/// What the text of a body is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Text {
    /// Random syllables, as compressible as a language.
    Syllables,
    /// Random letters: each piece of it is found nowhere else.
    Letters,
}

/// A section whose encoding has exactly [`BODY`] bytes.
fn body(number: u32, text: Text) -> Result<Vec<u8>, Failure> {
    const SYLLABLES: [&str; 16] = [
        "chi", "bo", "dang", "vien", "hop", "nghi", "quyet", "thon", "xa", "nhiem", "vu", "thang",
        "cong", "tac", "ket", "qua",
    ];
    let mut random = [0; BODY];
    fill(&mut random)?;
    let mut text: String = match text {
        Text::Syllables => {
            let words: Vec<&str> = random
                .iter()
                .map(|byte| SYLLABLES[usize::from(byte & 15)])
                .collect();
            words.join(" ")
        }
        Text::Letters => random
            .iter()
            .map(|byte| char::from(b'a' + byte % 26))
            .collect(),
    };
    text.truncate(BODY);
    loop {
        let section = Section {
            order: number,
            number: "1".into(),
            heading: "Mục".into(),
            text: text.clone(),
            unknown: UnknownKeys::none(),
        };
        let bytes = cbor::to_bytes(&section);
        match bytes.len().checked_sub(BODY) {
            Some(0) => return Ok(bytes),
            // The length of a text is itself written in one byte or two, so that one is taken off at a time.
            Some(_) => drop(text.pop()),
            None => fail!("a body of {} bytes", bytes.len()),
        }
    }
}

/// A commune whose one cell of members has this code; m01 is its secretary and m02 the deputy.
pub(super) fn plan_with(cell: &str) -> CommunePlan {
    let organisation = |code: &str, level: &str, above: Option<&str>| OrganisationPlan {
        code: code.into(),
        name: format!("Tổ chức mẫu {code}"),
        level: level.into(),
        above: above.map(str::to_owned),
    };
    let code = |number: usize| format!("m{number:02}");
    let office = |number: usize, role: &str| AppointmentPlan {
        member: code(number),
        organisation: cell.into(),
        role: role.into(),
    };
    CommunePlan {
        organisations: vec![
            organisation("xa", "CommuneCommittee", None),
            organisation(cell, "PartyCell", Some("xa")),
        ],
        members: (1..=MEMBERS)
            .map(|number| MemberPlan {
                code: code(number),
                name: format!("Đồng chí Mẫu {number:02}"),
                cell: cell.into(),
                status: "Official".into(),
                ..MemberPlan::default()
            })
            .collect(),
        appointments: vec![office(1, "Secretary"), office(2, "DeputySecretary")],
    }
}
