//! Copies of a phone: one state of its disk, from which a test sets out as often as it likes.

// Each test file uses its own part of this.
#![allow(clippy::unwrap_used, clippy::panic, dead_code)]

use std::sync::Arc;

use rusqlite::{Connection, OpenFlags};
use sotay_client::HandbookError;
use sotay_client::simulation::{Fault as Unapplied, Files, Phone, Round, SimulatedDisk};
use sotay_disk::{Disk, Snapshot, vfs_name};
use sotay_model::meetings::{MeetingKind, MeetingMode, NoticeText, PublishNotice};
use sotay_model::wire::SyncResponse;
use sotay_model::{Id, Intent, MeetingKey, OrganisationId, RecordKey, Scope};
use sotay_sim::ground::BEGINNING;

use crate::common::{ROOT, Stage, WHOLE};

/// The handbook's files on a disk.
pub(crate) fn files(disk: &Disk) -> Files {
    Files {
        folder: disk.path("handbook"),
        disk: Arc::new(SimulatedDisk(disk.clone())),
        cipher: false,
    }
}

/// The phone's database, beside the engine.
pub(crate) fn database(disk: &Disk) -> Connection {
    let flags = OpenFlags::SQLITE_OPEN_READ_WRITE | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    Connection::open_with_flags_and_vfs(files(disk).database(), flags, vfs_name()).unwrap()
}

/// A notice of the cell's `number`-th meeting.
pub(crate) fn notice(cell: OrganisationId, number: u32) -> Intent {
    let mut id = [9; 16];
    id[..4].copy_from_slice(&number.to_be_bytes());
    let starts_at = BEGINNING.plus_minutes(7 * 24 * 60);
    PublishNotice {
        meeting: MeetingKey(RecordKey::new(
            Scope::organisation(cell),
            Id::from_bytes(id),
        )),
        participating: vec![cell],
        kind: MeetingKind::Regular,
        notice: NoticeText {
            title: format!("Sinh hoạt {number}"),
            starts_at,
            ends_at: starts_at.plus_minutes(90),
            place: "Nhà văn hóa Mẫu".into(),
            mode: MeetingMode::InRoom,
            agenda: vec!["Nội dung".into()],
            documents: Vec::new(),
            guests: Vec::new(),
            answer_by: None,
            absence_by: None,
        },
    }
    .into()
}

/// Puts a phone back to what its disk held once; the disk, whose losses the seed decides.
pub(crate) fn place(stage: &mut Stage, phone: usize, snapshot: &Snapshot, seed: u64) -> Disk {
    let disk = Disk::from_snapshot(seed, snapshot);
    let actor = &mut stage.phones[phone];
    actor.files = Files {
        cipher: actor.files.cipher,
        ..files(&disk)
    };
    actor.phone = Phone::open(&actor.files, &ROOT).unwrap();
    actor.disk = disk.clone();
    disk
}

/// A member's phone with something pending, and a response with a receipt for it and somebody else's changes. Its
/// database is encrypted or not.
pub(crate) fn stage_with_response(cipher: bool) -> (Stage, SyncResponse) {
    let mut stage = Stage::new(&[0, 6]);
    let empty = Disk::new(20).snapshot();
    stage.phones[1].files.cipher = cipher;
    place(&mut stage, 1, &empty, 20);
    let actor = &stage.phones[1];
    let joined = actor
        .phone
        .join(actor.installation, actor.member, actor.cell);
    joined.unwrap();
    stage.sync(0);
    stage.submit(0, stage.notice(0, 1));
    stage.sync(0);
    stage.sync(1);
    stage.submit(1, stage.answer(1, stage.meeting(0, 1)));
    stage.submit(0, stage.notice(0, 2));
    stage.sync(0);
    let (_, response) = stage.ask(1, &mut Round::new(WHOLE, 0, 100)).unwrap();
    (stage, response)
}

/// A phone takes in a response, in a round of its own.
pub(crate) fn take_in(stage: &Stage, phone: usize, bytes: &[u8]) -> Result<(), HandbookError> {
    let actor = &stage.phones[phone];
    let mut round = Round::new(WHOLE, 0, 100);
    actor.phone.next_request(&mut round)?;
    match actor
        .phone
        .on_response(&mut round, actor.member, bytes, stage.now)
    {
        Ok(_) => Ok(()),
        Err(Unapplied::Store(error)) => Err(error),
        Err(fault) => panic!("{fault:?}"),
    }
}
