//! A stage for directed tests: the engine of a server and of some phones on simulated disks, and a network of plain calls.
//!
//! Nothing happens by chance: a test says who enters what, which request is answered, and which response is lost or late.

// Each test file uses its own part of this.
#![allow(clippy::unwrap_used, clippy::panic, dead_code)]

use std::sync::Arc;

use sotay_client::HandbookError;
use sotay_client::simulation::{Files, Held, Phone, Round, SimulatedDisk};
use sotay_disk::Disk;
use sotay_model::device_key::PublicKey;
use sotay_model::meetings::{
    Base, ChangeNotice, Choice, Meeting, MeetingKind, MeetingMode, NoticeText, PublishNotice,
    Respond,
};
use sotay_model::wire::{PROTOCOL, ProblemCode, Receipt, Sent, SyncRequest, SyncResponse};
use sotay_model::{
    Id, InstallationId, Intent, Kind, MeetingKey, MemberId, Mutation, OrganisationId, Record,
    RecordKey, Rejection, Scope, Stamp, Timestamp, cbor,
};
use sotay_server::engine::{Asked, Engine};
use sotay_server::storage::Installation;
use sotay_sim::ground::{BEGINNING, Ground};
use sotay_sim::server_disk::open_engine;

/// The phones' key: secrecy is not what is tested here.
pub(crate) const ROOT: [u8; 32] = [7; 32];
/// Pages as large as the server likes.
pub(crate) const WHOLE: u32 = 10_000;

/// A phone with its disk.
pub(crate) struct Actor {
    pub(crate) installation: InstallationId,
    pub(crate) member: MemberId,
    pub(crate) cell: OrganisationId,
    pub(crate) files: Files,
    pub(crate) disk: Disk,
    pub(crate) phone: Phone,
}

/// The server and everybody's phones.
pub(crate) struct Stage {
    pub(crate) ground: Ground,
    pub(crate) disk: Disk,
    pub(crate) engine: Engine,
    pub(crate) phones: Vec<Actor>,
    /// By everybody's clock.
    pub(crate) now: Timestamp,
}

impl Stage {
    /// A commune with a phone for each of these members of the ground: 0 to 2 are the secretaries of its cells, 3 the deputy
    /// in the first, 4 the secretary of the committee, and member i belongs to cell i % 3.
    pub(crate) fn new(members: &[usize]) -> Self {
        let ground = Ground::make().unwrap();
        let disk = Disk::from_snapshot(1, &ground.server);
        let engine = open_engine(&disk).unwrap();
        let mut stage = Self {
            ground,
            disk,
            engine,
            phones: Vec::new(),
            now: BEGINNING.plus_minutes(60),
        };
        for member in members {
            stage.add_phone(*member);
        }
        stage
    }

    /// One more phone, that has fetched nothing yet; its place among the phones.
    pub(crate) fn add_phone(&mut self, member: usize) -> usize {
        let number = self.phones.len();
        let (member, cell) = self.ground.members[member];
        let installation = InstallationId(Id::from_bytes([number as u8 + 1; 16]));
        let disk = Disk::new(number as u64 + 2);
        let files = Files {
            folder: disk.path("handbook"),
            disk: Arc::new(SimulatedDisk(disk.clone())),
            cipher: false,
        };
        let phone = Phone::open(&files, &ROOT).unwrap();
        phone.join(installation, member, cell).unwrap();
        self.phones.push(Actor {
            installation,
            member,
            cell,
            files,
            disk,
            phone,
        });
        self.enrol(installation, member);
        number
    }

    /// Lets the server know an installation.
    pub(crate) fn enrol(&mut self, id: InstallationId, member: MemberId) {
        let change = self.engine.storage().write().unwrap();
        change
            .add_installation(
                &Installation::joining(
                    id,
                    member,
                    PublicKey::ed25519(&[1; 32]),
                    "Máy thử".into(),
                    self.now,
                )
                .confirmed(),
            )
            .unwrap();
        change.commit().unwrap();
    }

    /// Enters an intent on a phone.
    pub(crate) fn try_submit(&self, phone: usize, intent: Intent) -> Result<i64, HandbookError> {
        let actor = &self.phones[phone];
        let submitted = actor
            .phone
            .submit(actor.member, self.now, self.now, intent)?;
        Ok(submitted.0)
    }

    /// Enters an intent that the phone allows; its number.
    pub(crate) fn submit(&self, phone: usize, intent: impl Into<Intent>) -> i64 {
        self.try_submit(phone, intent.into()).unwrap()
    }

    /// The next request of a phone's round; none when the round is over.
    pub(crate) fn request(&self, phone: usize, round: &mut Round) -> Option<SyncRequest> {
        let bytes = self.phones[phone].phone.next_request(round).unwrap()?;
        Some(cbor::from_bytes(&bytes).unwrap())
    }

    /// The server carries out and answers a request.
    pub(crate) fn serve(
        &mut self,
        phone: usize,
        request: &SyncRequest,
    ) -> Result<SyncResponse, ProblemCode> {
        let asked = Asked {
            installation: self.phones[phone].installation,
            request: request.clone(),
        };
        let answered = self.engine.handle_batch(&[asked], self.now).unwrap();
        answered.responses.into_iter().next().unwrap()
    }

    /// Asks the server on behalf of a phone, without applying what it answers: the response can be lost, kept for later, or
    /// handed to [`Self::apply`].
    pub(crate) fn ask(
        &mut self,
        phone: usize,
        round: &mut Round,
    ) -> Option<(SyncRequest, SyncResponse)> {
        let request = self.request(phone, round)?;
        let response = self.serve(phone, &request).unwrap();
        Some((request, response))
    }

    /// A phone applies a response.
    pub(crate) fn apply(&self, phone: usize, round: &mut Round, response: &SyncResponse) {
        let actor = &self.phones[phone];
        actor
            .phone
            .on_response(round, actor.member, &cbor::to_bytes(response), self.now)
            .unwrap();
    }

    /// Syncs a phone until nothing is left to ask; how many round trips it took.
    pub(crate) fn sync(&mut self, phone: usize) -> usize {
        self.sync_by(phone, WHOLE)
    }

    /// The same, with pages of at most so many rows.
    pub(crate) fn sync_by(&mut self, phone: usize, rows: u32) -> usize {
        let mut round = Round::new(rows, 0, 4);
        for trips in 0..2_000 {
            let Some((_, response)) = self.ask(phone, &mut round) else {
                return trips;
            };
            self.apply(phone, &mut round, &response);
        }
        panic!("a sync without end");
    }

    /// Closes a phone and opens it again, as a killed process does.
    pub(crate) fn reopen(&mut self, phone: usize) {
        let files = self.phones[phone].files.clone();
        // Only one process has a handbook open at a time.
        let elsewhere = Disk::new(999);
        let spare = Files {
            folder: elsewhere.path("handbook"),
            disk: Arc::new(SimulatedDisk(elsewhere.clone())),
            cipher: false,
        };
        self.phones[phone].phone = Phone::open(&spare, &ROOT).unwrap();
        self.phones[phone].phone = Phone::open(&files, &ROOT).unwrap();
    }

    /// What a phone's database holds.
    pub(crate) fn held(&self, phone: usize) -> Held {
        self.phones[phone].phone.held().unwrap()
    }

    /// A phone's journal, byte for byte.
    pub(crate) fn journal(&self, phone: usize) -> Vec<u8> {
        let actor = &self.phones[phone];
        let path = actor.files.folder.join("journal");
        actor.disk.contents(path).unwrap().to_vec()
    }

    /// A record as it stands on the server: version and body.
    pub(crate) fn stored(&mut self, key: RecordKey) -> Option<(Stamp, Vec<u8>)> {
        let read = self.engine.storage().read().unwrap();
        let stored = read.record(key).unwrap()?;
        Some((stored.record.stamp, stored.record.body))
    }

    /// A request that no phone made: these mutations and no cursor.
    pub(crate) fn crafted(mutations: Vec<Sent>, settled_through: u64) -> SyncRequest {
        SyncRequest {
            protocol: PROTOCOL,
            incarnation: 0,
            cursors: Vec::new(),
            mutations,
            max_rows: WHOLE,
            max_bytes: 0,
            settled_through,
        }
    }

    /// The receipts for these mutations, sent by hand under a phone's name.
    pub(crate) fn send(&mut self, phone: usize, mutations: &[(u64, &[u8])]) -> Vec<Receipt> {
        let sent = mutations.iter().map(|(n, mutation)| Sent {
            n: *n,
            mutation: mutation.to_vec(),
        });
        let request = Self::crafted(sent.collect(), 0);
        self.serve(phone, &request).unwrap().receipts
    }

    /// The announcement of a meeting of the phone's cell; which meeting is told by the number.
    pub(crate) fn notice(&self, phone: usize, number: u8) -> PublishNotice {
        let cell = self.phones[phone].cell;
        PublishNotice {
            meeting: self.meeting(phone, number),
            participating: vec![cell],
            kind: MeetingKind::Regular,
            notice: self.text(&format!("Sinh hoạt {number}")),
        }
    }

    /// The key of the meeting that a phone's cell announces under a number.
    pub(crate) fn meeting(&self, phone: usize, number: u8) -> MeetingKey {
        let home = Scope::organisation(self.phones[phone].cell);
        let id = Id::v7(BEGINNING.0, [number; 10]);
        MeetingKey(RecordKey::new(home, id))
    }

    /// A notice's text.
    pub(crate) fn text(&self, title: &str) -> NoticeText {
        let starts_at = self.now.plus_minutes(7 * 24 * 60);
        NoticeText {
            title: title.into(),
            starts_at,
            ends_at: starts_at.plus_minutes(90),
            place: "Nhà văn hóa Mẫu".into(),
            mode: MeetingMode::InRoom,
            agenda: vec!["Nội dung thử".into()],
            documents: Vec::new(),
            guests: Vec::new(),
            answer_by: None,
            absence_by: None,
        }
    }

    /// A change of a meeting's notice, based on what the phone shows now.
    pub(crate) fn change(&self, phone: usize, meeting: MeetingKey, title: &str) -> ChangeNotice {
        let held = self.held(phone);
        let base = match (held.overlay.get(&meeting.0), held.base.get(&meeting.0)) {
            (Some(laid), _) => Base::After(laid.n),
            (None, Some(record)) => Base::Confirmed(record.stamp),
            (None, None) => panic!("the phone does not show the meeting"),
        };
        ChangeNotice {
            meeting,
            base,
            notice: self.text(title),
            urgent: false,
        }
    }

    /// The phone's owner will come.
    pub(crate) fn answer(&self, phone: usize, meeting: MeetingKey) -> Respond {
        Respond {
            meeting,
            organisation: self.phones[phone].cell,
            choice: Choice::WillAttend,
            notice_version: 1,
        }
    }
}

/// What an own mutation is in the outbox.
pub(crate) const PENDING: u8 = 0;
pub(crate) const PARKED: u8 = 1;
pub(crate) const ACCEPTED: u8 = 2;

/// Each own mutation's state.
pub(crate) fn states(held: &Held) -> Vec<(i64, u8)> {
    held.outbox.iter().map(|(n, own)| (*n, own.state)).collect()
}

/// Why a parked mutation was refused.
pub(crate) fn rejection(held: &Held, n: i64) -> Rejection {
    cbor::from_bytes(held.outbox[&n].rejection.as_ref().unwrap()).unwrap()
}

/// The body that the app shows of a record: the pending mutations' over the confirmed one.
pub(crate) fn shown(held: &Held, key: RecordKey) -> Option<&[u8]> {
    let laid = held.overlay.get(&key).map(|laid| laid.body.as_slice());
    laid.or_else(|| held.base.get(&key).map(|record| record.body.as_slice()))
}

/// A meeting as the app shows it.
pub(crate) fn meeting(held: &Held, meeting: MeetingKey) -> Option<Meeting> {
    let record = Record {
        key: meeting.0,
        kind: Kind::Meeting,
        parent: Id::default(),
        stamp: Stamp::default(),
        body: shown(held, meeting.0)?.to_vec(),
    };
    Some(record.read().unwrap())
}

/// The title of a meeting as the app shows it.
pub(crate) fn title(held: &Held, key: MeetingKey) -> Option<String> {
    meeting(held, key)?
        .notice()
        .map(|notice| notice.title.clone())
}

/// An own mutation as it lies in the outbox.
pub(crate) fn mutation_of(held: &Held, n: i64) -> Mutation {
    cbor::from_bytes(&held.outbox[&n].mutation).unwrap()
}
