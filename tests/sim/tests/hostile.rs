//! Answers that no honest server gives, against the phone's engine: refused with a typed fault and nothing changed, or taken in
//! whole, so that every scope still adds up; never a panic. Whatever was taken in, an honest server mends.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails by panicking"
)]

use std::collections::BTreeMap;
use std::sync::Arc;

use sotay_client::simulation::{Fault, Files, Held, Phone, Round, SimulatedDisk};
use sotay_disk::{Disk, Snapshot, vfs_name};
use sotay_model::device_key::PublicKey;
use sotay_model::meetings::{MeetingKind, MeetingMode, NoticeText, PublishNotice};
use sotay_model::record::MAX_BODY_BYTES;
use sotay_model::wire::{MAX_MUTATIONS, ProblemCode, SyncRequest, SyncResponse, Verdict};
use sotay_model::{
    Id, InstallationId, Intent, MeetingKey, MemberId, OrganisationId, RecordKey, Scope, Stamp,
    Timestamp, cbor,
};
use sotay_server::engine::{Asked, Engine};
use sotay_server::storage::{Installation, Storage};
use sotay_sim::dice::Dice;
use sotay_sim::ground::{BEGINNING, DATABASE, Ground};

const ROOT: [u8; 32] = [7; 32];
const SECRETARY: InstallationId = InstallationId(Id::from_bytes([1; 16]));
const SECOND: InstallationId = InstallationId(Id::from_bytes([2; 16]));

/// A server, a phone that has synced once and has two notices to send, and the honest answer to its next request: with receipts,
/// their bodies, and pages of what another phone announced meanwhile.
struct Scene {
    engine: Engine,
    me: MemberId,
    cell: OrganisationId,
    phone: Snapshot,
    held: Held,
    good: SyncResponse,
}

impl Scene {
    fn new() -> Self {
        let ground = Ground::make().unwrap();
        let (me, cell) = ground.members[0];
        let disk = Disk::from_snapshot(1, &ground.server);
        let storage = Storage::open_in(vfs_name(), &disk.path(DATABASE)).unwrap();
        let mut engine = Engine::new(storage);
        for id in [SECRETARY, SECOND] {
            enrol(&mut engine, id, me);
        }

        let (other_disk, other) = new_phone(SECOND, me, cell);
        sync(&mut engine, &other, SECOND, me);
        let (disk, phone) = new_phone(SECRETARY, me, cell);
        sync(&mut engine, &phone, SECRETARY, me);
        for number in 10..14 {
            announce(&other, me, cell, number);
        }
        sync(&mut engine, &other, SECOND, me);
        drop((other, other_disk));
        for number in 0..2 {
            announce(&phone, me, cell, number);
        }
        let request = phone.next_request(&mut Round::new(1_000, 0, 0)).unwrap();
        let good = answer(&mut engine, SECRETARY, &request.unwrap());
        assert_eq!(good.receipts.len(), 2);
        assert!(!good.bodies.is_empty());
        assert!(good.pages.iter().any(|page| page.rows.len() > 2));
        let held = phone.held().unwrap();
        phone.checkpoint();
        drop(phone);
        Self {
            engine,
            me,
            cell,
            phone: disk.snapshot(),
            held,
            good,
        }
    }

    /// The phone as it stood before the answer.
    fn phone(&self) -> (Disk, Phone) {
        let disk = Disk::from_snapshot(3, &self.phone);
        let phone = Phone::open(&files(&disk), &ROOT).unwrap();
        (disk, phone)
    }

    fn take_in(&self, phone: &Phone, bytes: &[u8]) -> Result<Held, Fault> {
        let mut round = Round::new(1_000, 0, 0);
        phone.next_request(&mut round).unwrap();
        let taken = phone.on_response(&mut round, self.me, bytes, BEGINNING);
        let after = phone.held().unwrap();
        match taken {
            Ok(_) => {
                check_sums(&after);
                self.check_outbox(&after, bytes);
                Ok(after)
            }
            Err(fault) => {
                assert_eq!(after, self.held, "{fault:?}, and something changed");
                Err(fault)
            }
        }
    }

    /// No entry is gone that the answer does not call carried out.
    fn check_outbox(&self, after: &Held, bytes: &[u8]) {
        let answer: SyncResponse = cbor::from_bytes(bytes).unwrap();
        for n in self.held.outbox.keys() {
            let done = answer.receipts.iter().any(|receipt| {
                receipt.n == n.cast_unsigned() && matches!(receipt.verdict, Verdict::Done(_))
            });
            assert!(done || after.outbox.contains_key(n), "entry {n} is gone");
        }
    }

    /// The fault with which a changed answer is refused.
    fn refused(&self, change: impl FnOnce(&mut SyncResponse)) -> Fault {
        let (_disk, phone) = self.phone();
        let mut answer = self.good.clone();
        change(&mut answer);
        self.take_in(&phone, &cbor::to_bytes(&answer)).unwrap_err()
    }

    /// Takes a changed answer in; then an honest server answers until nothing is left, and the phone must show what a phone
    /// shows that never met the other answer.
    fn taken_in_and_mended(&mut self, change: impl FnOnce(&mut SyncResponse)) -> Held {
        let mut answer = self.good.clone();
        change(&mut answer);
        let (_disk, phone) = self.phone();
        let taken = self.take_in(&phone, &cbor::to_bytes(&answer)).unwrap();
        self.mended(&phone);
        taken
    }

    fn mended(&mut self, phone: &Phone) {
        sync(&mut self.engine, phone, SECRETARY, self.me);
        let after = phone.held().unwrap();
        check_sums(&after);
        let (_disk, clean) = self.phone();
        sync(&mut self.engine, &clean, SECRETARY, self.me);
        assert_eq!(shown(&after), shown(&clean.held().unwrap()));
    }
}

/// What each scope lists.
fn shown(held: &Held) -> BTreeMap<(Scope, RecordKey), Stamp> {
    let lines = held.scopes.iter().flat_map(|(scope, place)| {
        let listed = place.listed.iter();
        listed.map(|(key, (_, stamp, _))| ((*scope, *key), *stamp))
    });
    lines.collect()
}

fn check_sums(held: &Held) {
    for (scope, place) in &held.scopes {
        let mut sum = sotay_model::ScopeSum::default();
        for (key, (_, _, hash)) in &place.listed {
            assert!(
                held.base.contains_key(key),
                "{scope} lists what is not there"
            );
            sum.add(*hash);
        }
        assert_eq!(sum, place.sum, "{scope} does not add up");
    }
}

fn files(disk: &Disk) -> Files {
    Files {
        folder: disk.path("handbook"),
        disk: Arc::new(SimulatedDisk(disk.clone())),
        cipher: false,
    }
}

fn new_phone(id: InstallationId, me: MemberId, cell: OrganisationId) -> (Disk, Phone) {
    let disk = Disk::new(2);
    let phone = Phone::open(&files(&disk), &ROOT).unwrap();
    phone.join(id, me, cell).unwrap();
    (disk, phone)
}

fn enrol(engine: &mut Engine, id: InstallationId, member: MemberId) {
    let change = engine.storage().write().unwrap();
    let phone = Installation::joining(
        id,
        member,
        PublicKey::ed25519(&[1; 32]),
        "Máy thử".into(),
        BEGINNING,
    )
    .confirmed();
    change.add_installation(&phone).unwrap();
    change.commit().unwrap();
}

fn answer(engine: &mut Engine, installation: InstallationId, request: &[u8]) -> SyncResponse {
    let request: SyncRequest = cbor::from_bytes(request).unwrap();
    let asked = Asked {
        installation,
        request,
    };
    let mut answered = engine.handle_batch(&[asked], BEGINNING).unwrap();
    answered.responses.remove(0).unwrap()
}

fn sync(engine: &mut Engine, phone: &Phone, id: InstallationId, me: MemberId) {
    let mut round = Round::new(1_000, 0, 0);
    for _ in 0..50 {
        let Some(request) = phone.next_request(&mut round).unwrap() else {
            assert!(!round.is_broken());
            return;
        };
        let response = cbor::to_bytes(&answer(engine, id, &request));
        phone
            .on_response(&mut round, me, &response, BEGINNING)
            .unwrap();
    }
    panic!("a sync without end");
}

fn announce(phone: &Phone, me: MemberId, cell: OrganisationId, number: u8) {
    let starts_at = BEGINNING.plus_minutes(3 * 24 * 60);
    let intent: Intent = PublishNotice {
        meeting: MeetingKey(RecordKey::new(
            Scope::organisation(cell),
            Id::v7(BEGINNING.0, [number; 10]),
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
    .into();
    phone.submit(me, BEGINNING, BEGINNING, intent).unwrap();
}

/// The page with the most rows.
fn longest(answer: &mut SyncResponse) -> &mut sotay_model::wire::Page {
    answer
        .pages
        .iter_mut()
        .max_by_key(|page| page.rows.len())
        .unwrap()
}

fn stranger() -> Scope {
    Scope::person(MemberId(Id::from_bytes([0x77; 16])))
}

#[test]
fn an_answer_cut_at_any_byte_is_truncated_and_changes_nothing() {
    let scene = Scene::new();
    let bytes = cbor::to_bytes(&scene.good);
    let (_disk, phone) = scene.phone();
    for length in 0..bytes.len() {
        assert_eq!(
            scene.take_in(&phone, &bytes[..length]).unwrap_err(),
            Fault::Truncated,
            "{length} of {} bytes",
            bytes.len()
        );
    }
    scene.take_in(&phone, &bytes).unwrap();
}

#[test]
fn bytes_behind_an_answer_are_unreadable() {
    let scene = Scene::new();
    let (_disk, phone) = scene.phone();
    for behind in [&[0][..], &[0xff], &cbor::to_bytes(&scene.good)] {
        let bytes = [&cbor::to_bytes(&scene.good), behind].concat();
        assert_eq!(scene.take_in(&phone, &bytes), Err(Fault::Unreadable));
    }
}

#[test]
fn what_no_server_may_say_is_refused_whole() {
    let scene = Scene::new();
    let too_long = vec![0; MAX_BODY_BYTES as usize + 1];
    type Change = Box<dyn Fn(&mut SyncResponse)>;
    let changes: Vec<(&str, Change)> = vec![
        (
            "a row whose body is too long",
            Box::new({
                let too_long = too_long.clone();
                move |answer| {
                    let content = longest(answer).rows[0].content.as_mut();
                    content.unwrap().body.clone_from(&too_long);
                }
            }),
        ),
        (
            "a receipt's body that is too long",
            Box::new(move |answer| answer.bodies[0].content.body.clone_from(&too_long)),
        ),
        (
            "a row that stands twice",
            Box::new(|answer| {
                let rows = &mut longest(answer).rows;
                rows.insert(1, rows[0].clone());
            }),
        ),
        (
            "a record that stands twice",
            Box::new(|answer| {
                let rows = &mut longest(answer).rows;
                rows[1].key = rows[0].key;
            }),
        ),
        (
            "rows out of order",
            Box::new(|answer| longest(answer).rows.swap(0, 1)),
        ),
        (
            "a row before the page",
            Box::new(|answer| {
                let page = longest(answer);
                page.rows[0].seq = page.from;
            }),
        ),
        (
            "a row behind the page",
            Box::new(|answer| {
                let page = longest(answer);
                page.to -= 1;
            }),
        ),
        (
            "a page that ends before it begins",
            Box::new(|answer| {
                let page = longest(answer);
                page.rows.clear();
                page.to = page.from - 1;
            }),
        ),
        (
            "a page of a scope that the phone neither asked for nor holds",
            Box::new(|answer| longest(answer).scope = stranger()),
        ),
        (
            "a page of a scope that the same answer revokes",
            Box::new(|answer| {
                let scope = longest(answer).scope;
                answer.revoked.push(scope);
            }),
        ),
        (
            "two pages of one scope",
            Box::new(|answer| {
                let page = longest(answer).clone();
                answer.pages.push(page);
            }),
        ),
        (
            "a scope gained twice",
            Box::new(|answer| answer.gained = vec![stranger(), stranger()]),
        ),
        (
            "a scope gained and revoked",
            Box::new(|answer| {
                answer.gained = vec![stranger()];
                answer.revoked = vec![stranger()];
            }),
        ),
        (
            "a sum of 15 bytes",
            Box::new(|answer| longest(answer).sum = Some(vec![0; 15])),
        ),
        (
            "a sum of 17 bytes",
            Box::new(|answer| longest(answer).sum = Some(vec![0; 17])),
        ),
        (
            "a last page without a sum",
            Box::new(|answer| longest(answer).sum = None),
        ),
        (
            "a last page without a count",
            Box::new(|answer| longest(answer).count = None),
        ),
        (
            "a page that is not the last and has a sum",
            Box::new(|answer| longest(answer).more = true),
        ),
        (
            "a row of a later server",
            Box::new(|answer| {
                let incarnation = answer.incarnation + 1;
                longest(answer).rows[0].stamp.incarnation = incarnation;
            }),
        ),
        (
            "a body of a later server",
            Box::new(|answer| answer.bodies[0].stamp.incarnation = answer.incarnation + 1),
        ),
        (
            "receipts out of order",
            Box::new(|answer| answer.receipts.reverse()),
        ),
        (
            "a receipt that stands twice",
            Box::new(|answer| answer.receipts[1] = answer.receipts[0].clone()),
        ),
        (
            "a body that stands twice",
            Box::new(|answer| {
                let body = answer.bodies[0].clone();
                answer.bodies.push(body);
            }),
        ),
    ];
    for (what, change) in changes {
        assert_eq!(
            scene.refused(|answer| change(answer)),
            Fault::Protocol,
            "{what}"
        );
    }
}

#[test]
fn a_page_that_does_not_start_at_the_cursor_is_left_out_and_asked_for_again() {
    let mut scene = Scene::new();
    for step in [1_i64, -1] {
        let mut scope = stranger();
        let taken = scene.taken_in_and_mended(|answer| {
            let page = longest(answer);
            scope = page.scope;
            page.from = page.from.checked_add_signed(step).unwrap();
            let from = page.from;
            page.rows.retain(|row| row.seq > from);
        });
        assert_eq!(
            taken.scopes[&scope].cursor,
            scene.held.scopes[&scope].cursor
        );
    }
}

#[test]
fn a_wrong_sum_or_count_empties_that_scope_only_until_it_is_fetched_again() {
    let mut scene = Scene::new();
    for which in 0..2 {
        let mut scope = stranger();
        let taken = scene.taken_in_and_mended(|answer| {
            let page = longest(answer);
            scope = page.scope;
            if which == 0 {
                page.sum = Some(vec![9; 16]);
            } else {
                page.count = page.count.map(|count| count + 1);
            }
        });
        for (held, place) in &taken.scopes {
            if *held == scope {
                assert!(place.listed.is_empty() && place.cursor == 0);
            } else {
                assert!(place.listed.len() >= scene.held.scopes[held].listed.len());
            }
        }
    }
}

#[test]
fn another_incarnation_or_epoch_is_fetched_anew_with_every_entry_kept() {
    let mut scene = Scene::new();
    scene.taken_in_and_mended(|answer| answer.incarnation += 1);
    scene.taken_in_and_mended(|answer| longest(answer).epoch += 1);
}

#[test]
fn receipts_for_numbers_that_were_never_sent_settle_nothing() {
    let scene = Scene::new();
    let (_disk, phone) = scene.phone();
    let mut answer = scene.good.clone();
    for (place, receipt) in answer.receipts.iter_mut().enumerate() {
        receipt.n = 1_000 + place as u64;
    }
    let after = scene.take_in(&phone, &cbor::to_bytes(&answer)).unwrap();
    assert_eq!(after.outbox, scene.held.outbox);
}

#[test]
fn numbers_at_the_end_of_what_can_be_counted_do_no_harm() {
    let scene = Scene::new();
    for number in [u64::MAX, u64::MAX - 1, 1 << 63, (1 << 63) - 1] {
        type Change = Box<dyn Fn(&mut SyncResponse)>;
        let changes: Vec<Change> = vec![
            Box::new(move |answer| longest(answer).to = number),
            Box::new(move |answer| longest(answer).epoch = number),
            Box::new(move |answer| longest(answer).began = number),
            Box::new(move |answer| longest(answer).count = Some(number)),
            Box::new(move |answer| longest(answer).rows[0].stamp.version = number),
            Box::new(move |answer| {
                let page = longest(answer);
                page.to = number;
                page.rows.last_mut().unwrap().seq = number;
            }),
            Box::new(move |answer| answer.incarnation = number),
            Box::new(move |answer| answer.backed_up_through = number),
            Box::new(move |answer| answer.settled_through = number),
            Box::new(move |answer| answer.high_water = number),
            Box::new(move |answer| answer.receipts[1].n = number),
            Box::new(move |answer| answer.bodies[0].stamp.version = number),
            Box::new(move |answer| answer.now = Timestamp(number.cast_signed())),
        ];
        for change in changes {
            let (_disk, phone) = scene.phone();
            let mut answer = scene.good.clone();
            change(&mut answer);
            let taken = scene.take_in(&phone, &cbor::to_bytes(&answer));
            if let Err(fault) = taken {
                assert_eq!(fault, Fault::Protocol);
            }
            // Whatever was stored can be asked from again, and entries can still be made.
            let request = phone.next_request(&mut Round::new(1_000, 0, 0)).unwrap();
            let request: SyncRequest = cbor::from_bytes(&request.unwrap()).unwrap();
            assert!(request.settled_through <= 2);
            announce(&phone, scene.me, scene.cell, 20);
        }
    }
}

#[test]
fn a_server_that_has_seen_far_too_high_a_number_does_not_fill_the_memory() {
    let mut scene = Scene::new();
    let (_disk, phone) = scene.phone();
    let mut answer_far_ahead = scene.good.clone();
    answer_far_ahead.high_water = 1 << 40;
    scene
        .take_in(&phone, &cbor::to_bytes(&answer_far_ahead))
        .unwrap();
    announce(&phone, scene.me, scene.cell, 20);
    let mut round = Round::new(1_000, 0, 0);
    phone.next_request(&mut round).unwrap();
    assert!(round.on_problem(ProblemCode::NumberGap));
    let probe = phone.next_request(&mut round).unwrap().unwrap();
    let honest = answer(&mut scene.engine, SECRETARY, &probe);
    phone
        .on_response(&mut round, scene.me, &cbor::to_bytes(&honest), BEGINNING)
        .unwrap();
    let filled = phone.next_request(&mut round).unwrap().unwrap();
    let filled: SyncRequest = cbor::from_bytes(&filled).unwrap();
    assert_eq!(filled.mutations.len(), MAX_MUTATIONS);
}

#[test]
fn flipped_bytes_are_refused_or_leave_every_scope_adding_up() {
    let scene = Scene::new();
    let good = cbor::to_bytes(&scene.good);
    let mut dice = Dice::new(4);
    let (mut taken, mut refused) = (0, 0);
    let mut before = scene.phone();
    for _ in 0..3_000 {
        let mut bytes = good.clone();
        for _ in 0..=dice.index(3) {
            let place = dice.index(bytes.len());
            bytes[place] = match dice.index(3) {
                0 => bytes[place] ^ 1 << dice.index(8),
                1 => bytes[place].wrapping_add(1),
                _ => dice.next().to_be_bytes()[0],
            };
        }
        match scene.take_in(&before.1, &bytes) {
            Ok(_) => {
                taken += 1;
                before = scene.phone();
            }
            Err(Fault::Store(error)) => panic!("{error:?}"),
            Err(_) => refused += 1,
        }
    }
    assert!(
        taken > 100 && refused > 100,
        "{taken} taken in, {refused} refused"
    );
}

#[test]
fn after_flipped_bytes_an_honest_server_brings_everything() {
    let mut scene = Scene::new();
    let good = cbor::to_bytes(&scene.good);
    let rows: Vec<u8> = cbor::to_bytes(longest(&mut scene.good.clone()));
    let at = good
        .windows(rows.len())
        .position(|window| window == rows)
        .unwrap();
    let mut dice = Dice::new(5);
    let mut mended = 0;
    for _ in 0..200 {
        let mut bytes = good.clone();
        // Within a page: what it says about entries is believed, as there is nobody else to ask.
        let place = at + dice.index(rows.len());
        bytes[place] ^= 1 << dice.index(8);
        let (_disk, phone) = scene.phone();
        if scene.take_in(&phone, &bytes).is_ok() {
            scene.mended(&phone);
            mended += 1;
        }
    }
    assert!(mended > 20, "{mended} were taken in");
}
