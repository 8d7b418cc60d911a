//! The engine by itself: each number once, feeds that add up, access at every answer.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod common;

use common::{NOW, Place, change, fresh_id, notice_text, open, publish, sent, verdicts};
use sotay_model::documents::{ConfidentialityLevel, DocumentKind, PublishDocument, SectionDraft};
use sotay_model::meetings::Base;
use sotay_model::mutation::MAX_MUTATION_BYTES;
use sotay_model::organisation::Member;
use sotay_model::rejection::{Fault, Field};
use sotay_model::wire::{ProblemCode, Sent, Verdict};
use sotay_model::{DocumentKey, Intent, OrganisationId, RecordKey, Rejection, Scope};
use sotay_server::engine::Asked;

fn document(home: OrganisationId, sections: usize) -> PublishDocument {
    PublishDocument {
        document: DocumentKey(RecordKey::new(Scope::organisation(home), fresh_id())),
        title: "Dự thảo nghị quyết".into(),
        number: None,
        issuer: "Chi bộ thôn Mẫu Một".into(),
        kind: DocumentKind::from_code(1),
        level: ConfidentialityLevel::Internal,
        issued_on: NOW.date(),
        for_meeting: None,
        sections: (1..=sections)
            .map(|n| SectionDraft {
                number: n.to_string(),
                heading: format!("Mục {n}"),
                text: "Nội dung".into(),
            })
            .collect(),
        attachments: vec![],
    }
}

#[test]
fn a_retry_gets_the_stored_receipt_and_changes_nothing() {
    let place = Place::new();
    let mut engine = place.engine();
    let mut phone = place.phone(&mut engine, "M01");
    phone.sync_all(&mut engine);
    let mutation = phone.next(publish(place.cell("CB1"), "Sinh hoạt tháng 11"));

    let first = phone.ask(&mut engine, vec![mutation.clone()]).unwrap();
    let second = phone.ask(&mut engine, vec![mutation]).unwrap();

    assert!(matches!(verdicts(&first)[..], [Verdict::Done(written)] if !written.is_empty()));
    assert_eq!(first.receipts, second.receipts);
    assert_eq!(first.pages, second.pages);
    assert_eq!(first.bodies, second.bodies);
    assert_eq!(second.high_water, 1);
}

#[test]
fn other_bytes_under_the_same_number_are_refused() {
    let place = Place::new();
    let mut engine = place.engine();
    let mut phone = place.phone(&mut engine, "M01");
    let first = phone.next(publish(place.cell("CB1"), "Một"));
    phone.sync(&mut engine, vec![first.clone()]);
    let other = sent(1, vec![], publish(place.cell("CB1"), "Hai"));
    let response = phone.sync(&mut engine, vec![other]);
    assert_eq!(
        verdicts(&response),
        [&Verdict::Rejected(Rejection::NumberReused)]
    );
    assert!(matches!(
        verdicts(&phone.sync(&mut engine, vec![first]))[..],
        [Verdict::Done(_)]
    ));
}

#[test]
fn a_number_left_out_refuses_the_whole_request() {
    let place = Place::new();
    let mut engine = place.engine();
    let phone = place.phone(&mut engine, "M01");
    let notice = |n| sent(n, vec![], publish(place.cell("CB1"), "Mẫu"));
    assert_eq!(
        phone.ask(&mut engine, vec![notice(2)]).err(),
        Some(ProblemCode::NumberGap)
    );
    assert_eq!(
        phone.ask(&mut engine, vec![notice(1), notice(3)]).err(),
        Some(ProblemCode::NumberGap)
    );
    assert_eq!(
        phone.ask(&mut engine, vec![notice(1), notice(1)]).err(),
        Some(ProblemCode::Malformed)
    );
    assert_eq!(
        phone.ask(&mut engine, vec![notice(0)]).err(),
        Some(ProblemCode::Malformed)
    );
    let response = phone.ask(&mut engine, Vec::new()).unwrap();
    assert_eq!(response.high_water, 0, "nothing was written");
}

#[test]
fn what_cannot_be_read_is_refused_and_delays_nothing() {
    let place = Place::new();
    let mut engine = place.engine();
    let mut phone = place.phone(&mut engine, "M01");
    let huge = Sent {
        n: 1,
        mutation: vec![0; MAX_MUTATION_BYTES + 1],
    };
    let garbage = Sent {
        n: 2,
        mutation: vec![0xff; 7],
    };
    let own_future = sent(3, vec![3], publish(place.cell("CB1"), "Mẫu"));
    let good = sent(4, vec![], publish(place.cell("CB1"), "Mẫu"));
    let response = phone.sync(&mut engine, vec![huge, garbage, own_future, good]);
    let malformed = Verdict::Rejected(Rejection::Invalid {
        field: Field::Mutation,
        why: Fault::Malformed,
    });
    let too_large = Rejection::TooLarge {
        field: Field::Mutation,
        limit: MAX_MUTATION_BYTES as u32,
    };
    let found = verdicts(&response);
    assert_eq!(
        found[..3],
        [&Verdict::Rejected(too_large), &malformed, &malformed]
    );
    assert!(matches!(found[3], Verdict::Done(_)));
}

#[test]
fn what_needs_a_refused_mutation_is_refused_with_its_number() {
    let place = Place::new();
    let mut engine = place.engine();
    let mut phone = place.phone(&mut engine, "M03");
    let refused = phone.next(publish(place.cell("CB1"), "Không phải bí thư"));
    let needing = phone.next_needing(vec![1], publish(place.cell("CB1"), "Mẫu"));
    let response = phone.sync(&mut engine, vec![refused, needing]);
    assert!(matches!(
        verdicts(&response)[..],
        [
            Verdict::Rejected(Rejection::NotAllowed { .. }),
            Verdict::Rejected(Rejection::DependsOn { n: 1 })
        ]
    ));
}

#[test]
fn an_edit_of_a_pending_text_stands_on_what_that_one_wrote() {
    let place = Place::new();
    let mut engine = place.engine();
    let mut phone = place.phone(&mut engine, "M01");
    let notice = publish(place.cell("CB1"), "Một");
    let meeting = notice.meeting;
    let one = phone.next(notice);
    let two = phone.next_needing(vec![1], change(meeting, Base::After(1), "Hai"));
    let three = phone.next_needing(vec![1], change(meeting, Base::After(1), "Ba"));
    let response = phone.sync(&mut engine, vec![one, two, three]);
    let found = verdicts(&response);
    assert!(
        matches!(found[..2], [Verdict::Done(_), Verdict::Done(_)]),
        "{found:?}"
    );
    assert!(
        matches!(found[2], Verdict::Rejected(Rejection::Stale { .. })),
        "{found:?}"
    );
}

#[test]
fn an_unknown_kind_is_held_with_what_needs_it_and_delays_nothing_else() {
    let place = Place::new();
    let mut engine = place.engine();
    let mut phone = place.phone(&mut engine, "M01");
    let unknown = phone.next(Intent::Unknown { code: 9_999 });
    let needing = phone.next_needing(vec![1], publish(place.cell("CB1"), "Đợi"));
    let free = phone.next(publish(place.cell("CB1"), "Không đợi"));
    let first = phone.sync(&mut engine, vec![unknown.clone(), needing.clone(), free]);
    assert!(matches!(
        verdicts(&first)[..],
        [Verdict::NotYet, Verdict::NotYet, Verdict::Done(_)]
    ));
    assert_eq!(first.high_water, 3);
    // Later the phone sends the held ones again, together with a new one.
    let next = phone.next(publish(place.cell("CB1"), "Sau"));
    let again = phone.sync(&mut engine, vec![unknown, needing, next]);
    assert!(matches!(
        verdicts(&again)[..],
        [Verdict::NotYet, Verdict::NotYet, Verdict::Done(_)]
    ));
    // A held number is taken all the same.
    let other = sent(1, vec![], publish(place.cell("CB1"), "Khác"));
    assert_eq!(
        verdicts(&phone.sync(&mut engine, vec![other])),
        [&Verdict::Rejected(Rejection::NumberReused)]
    );
}

#[test]
fn feeds_add_up_and_the_other_cell_receives_nothing() {
    let place = Place::new();
    let mut engine = place.engine();
    let mut secretary = place.phone(&mut engine, "M01");
    let mut member = place.phone(&mut engine, "M03");
    let mut stranger = place.phone(&mut engine, "M05");
    for phone in [&mut secretary, &mut member, &mut stranger] {
        phone.sync_all(&mut engine);
    }
    let before = stranger.feeds.clone();
    let notice = publish(place.cell("CB1"), "Sinh hoạt");
    let meeting = notice.meeting;
    let mutation = secretary.next(notice);
    let response = secretary.sync(&mut engine, vec![mutation]);
    assert!(
        response.bodies.iter().any(|body| body.key == meeting.0),
        "an own write comes with its receipt"
    );
    for phone in [&mut secretary, &mut member, &mut stranger] {
        phone.sync_all(&mut engine);
    }
    assert!(secretary.holds(meeting.0) && member.holds(meeting.0));
    assert_eq!(stranger.feeds, before);
}

#[test]
fn a_record_changed_often_is_one_row() {
    let place = Place::new();
    let mut engine = place.engine();
    let mut secretary = place.phone(&mut engine, "M01");
    let notice = publish(place.cell("CB1"), "Lần 0");
    let meeting = notice.meeting;
    let mut mutations = vec![secretary.next(notice)];
    for n in 1..30 {
        let change = change(meeting, Base::After(n), &format!("Lần {n}"));
        mutations.push(secretary.next_needing(vec![n], change));
    }
    let response = secretary.sync(&mut engine, mutations);
    assert!(
        verdicts(&response)
            .iter()
            .all(|verdict| matches!(verdict, Verdict::Done(_)))
    );
    let cell = Scope::organisation(place.cell("CB1"));
    let rows = |response: &sotay_model::wire::SyncResponse| {
        let page = response
            .pages
            .iter()
            .find(|page| page.scope == cell)
            .unwrap()
            .clone();
        page.rows.iter().filter(|row| row.key == meeting.0).count()
    };
    assert_eq!(rows(&response), 1);
}

#[test]
fn a_member_who_moves_leaves_a_tombstone_loses_a_scope_and_gains_one() {
    let place = Place::new();
    let mut engine = place.engine();
    let (old, new) = (
        Scope::organisation(place.cell("CB1")),
        Scope::organisation(place.cell("CB2")),
    );
    let mut mover = place.phone(&mut engine, "M04");
    let mut stayer = place.phone(&mut engine, "M03");
    let mut host = place.phone(&mut engine, "M05");
    for phone in [&mut mover, &mut stayer, &mut host] {
        phone.sync_all(&mut engine);
    }
    let record = Member::key(place.commune.members["M04"]);
    assert!(stayer.holds(record) && !host.holds(record));

    place.import_with("Mẫu 04,CB1", "Mẫu 04,CB2");

    let response = stayer.sync(&mut engine, Vec::new());
    let page = response
        .pages
        .iter()
        .find(|page| page.scope == old)
        .unwrap();
    assert!(
        page.rows
            .iter()
            .any(|row| row.key == record && row.content.is_none())
    );
    assert!(!stayer.holds(record));
    host.sync_all(&mut engine);
    assert!(host.holds(record));
    let response = mover.sync(&mut engine, Vec::new());
    assert_eq!((response.revoked, response.gained), (vec![old], vec![new]));
    assert!(mover.feeds.contains_key(&new) && !mover.feeds.contains_key(&old));
}

#[test]
fn a_receipt_outlives_access_but_its_body_does_not() {
    let place = Place::new();
    let mut engine = place.engine();
    let mut phone = place.phone(&mut engine, "M05");
    let mutation = phone.next(publish(place.cell("CB2"), "Trước khi chuyển"));
    let before = phone.ask(&mut engine, vec![mutation.clone()]).unwrap();
    assert_eq!(before.bodies.len(), 1);
    // The secretary moves to another cell, and years later the office in the old one has ended too.
    place.import_with("Mẫu 05,CB2", "Mẫu 05,CB1");
    let asked = Asked {
        installation: phone.id,
        request: phone.request(vec![mutation]),
    };
    let years = NOW.plus_minutes(5 * 366 * 24 * 60);
    let after = engine
        .handle_batch(&[asked], years)
        .unwrap()
        .responses
        .pop()
        .unwrap()
        .unwrap();
    assert_eq!(after.receipts, before.receipts);
    assert_eq!(after.bodies, []);
    assert!(
        after
            .pages
            .iter()
            .all(|page| page.scope != Scope::organisation(place.cell("CB2")))
    );
}

#[test]
fn pages_end_between_mutations_and_lead_to_the_same_place() {
    let place = Place::new();
    let mut engine = place.engine();
    let mut secretary = place.phone(&mut engine, "M01");
    let documents: Vec<_> = (0..4)
        .map(|_| secretary.next(document(place.cell("CB1"), 25)))
        .collect();
    let response = secretary.sync(&mut engine, documents);
    assert!(
        verdicts(&response)
            .iter()
            .all(|verdict| matches!(verdict, Verdict::Done(_))),
        "{:?}",
        verdicts(&response)
    );

    let mut at_once = place.phone(&mut engine, "M03");
    assert_eq!(at_once.sync_all(&mut engine), 1);
    for max_rows in [1, 7, 26, 40] {
        let mut bit_by_bit = place.phone(&mut engine, "M03");
        bit_by_bit.max_rows = max_rows;
        let rounds = bit_by_bit.sync_all(&mut engine);
        assert!(rounds > 2, "{rounds} rounds of {max_rows} rows");
        assert_eq!(bit_by_bit.feeds, at_once.feeds);
    }

    // One row is wanted, but 26 of one mutation belong together.
    let cell = Scope::organisation(place.cell("CB1"));
    let mut patient = place.phone(&mut engine, "M03");
    patient.max_rows = 1;
    let mut sizes = Vec::new();
    loop {
        let response = patient.sync(&mut engine, Vec::new());
        sizes.extend(
            response
                .pages
                .iter()
                .filter(|page| page.scope == cell)
                .map(|page| page.rows.len()),
        );
        if !response.more {
            break;
        }
    }
    assert_eq!(
        sizes.iter().filter(|size| **size == 26).count(),
        4,
        "{sizes:?}"
    );
}

#[test]
fn cursors_of_another_incarnation_or_epoch_are_void() {
    let place = Place::new();
    let mut engine = place.engine();
    let mut phone = place.phone(&mut engine, "M03");
    phone.sync_all(&mut engine);
    let feeds = phone.feeds.clone();
    assert!(
        phone.ask(&mut engine, Vec::new()).unwrap().pages.is_empty(),
        "nothing new"
    );

    phone.incarnation -= 1;
    let response = phone.sync(&mut engine, Vec::new());
    assert!(response.pages.iter().all(|page| page.from == 0));
    assert_eq!(phone.feeds, feeds);

    let scope = *phone.feeds.keys().next().unwrap();
    phone.feeds.get_mut(&scope).unwrap().epoch += 1;
    let response = phone.sync(&mut engine, Vec::new());
    assert_eq!(
        response
            .pages
            .iter()
            .map(|page| (page.scope, page.from))
            .collect::<Vec<_>>(),
        [(scope, 0)]
    );
    assert_eq!(phone.feeds, feeds);
}

#[test]
fn a_revoked_phone_is_unknown() {
    let place = Place::new();
    let mut engine = place.engine();
    let mut phone = place.phone(&mut engine, "M01");
    let mutation = phone.next(publish(place.cell("CB1"), "Mẫu"));
    assert!(engine.revoke(phone.id, NOW).unwrap());
    assert!(!engine.revoke(phone.id, NOW).unwrap());
    assert_eq!(
        phone.ask(&mut engine, vec![mutation]).err(),
        Some(ProblemCode::UnknownInstallation)
    );
    assert!(!engine.accepts(phone.id).unwrap());
}

#[test]
fn a_batch_is_one_transaction_and_each_phone_reads_its_own_writes() {
    let place = Place::new();
    let mut engine = place.engine();
    let mut one = place.phone(&mut engine, "M01");
    let mut two = place.phone(&mut engine, "M02");
    let stranger = place.phone(&mut engine, "M05");
    let asked: Vec<Asked> = [&mut one, &mut two]
        .into_iter()
        .map(|phone| {
            let mutation = phone.next(publish(place.cell("CB1"), "Mẫu"));
            Asked {
                installation: phone.id,
                request: phone.request(vec![mutation]),
            }
        })
        .chain([Asked {
            installation: stranger.id,
            request: stranger.request(Vec::new()),
        }])
        .collect();
    let answered = engine.handle_batch(&asked, NOW).unwrap();
    let responses: Vec<_> = answered.responses.into_iter().map(Result::unwrap).collect();
    assert!(
        answered
            .changed
            .contains(&Scope::organisation(place.cell("CB1")))
    );
    one.keep(&responses[0]);
    two.keep(&responses[1]);
    let cell = Scope::organisation(place.cell("CB1"));
    assert_eq!(one.feeds[&cell], two.feeds[&cell]);
    // It is on the disk: another connection reads the same.
    let mut elsewhere = open(&place.data());
    one.sync_all(&mut elsewhere);
    assert_eq!(notice_text("Mẫu").title, "Mẫu");
    assert_eq!(one.feeds[&cell], two.feeds[&cell]);
}

#[test]
fn a_request_that_writes_too_much_is_continued_by_the_next() {
    let place = Place::new();
    let mut engine = place.engine();
    let mut secretary = place.phone(&mut engine, "M01");
    secretary.max_rows = 1;
    let documents: Vec<_> = (0..42)
        .map(|_| secretary.next(document(place.cell("CB1"), 500)))
        .collect();
    let first = secretary.sync(&mut engine, documents.clone());
    assert_eq!(
        (first.receipts.len(), first.high_water, first.more),
        (40, 40, true)
    );
    let second = secretary.sync(&mut engine, documents[40..].to_vec());
    assert_eq!((second.receipts.len(), second.high_water), (2, 42));
}
