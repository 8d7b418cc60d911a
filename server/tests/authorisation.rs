//! Permission is read anew: for each request, each page, each range of a blob, and each mutation. What was allowed a moment
//! ago says nothing.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

mod common;

use std::sync::Arc;

use common::{NOW, Phone, Place, fresh_id, publish, sent, verdicts};
use sotay_model::blob::PieceDigests;
use sotay_model::cbor::UnknownKeys;
use sotay_model::documents::{
    Attachment, ConfidentialityLevel, DocumentKind, PublishDocument, SectionDraft,
};
use sotay_model::meetings::{Choice, Respond};
use sotay_model::organisation::{Appoint, EndAppointment, Role};
use sotay_model::rejection::Denial;
use sotay_model::wire::{Sent, SyncResponse, Verdict};
use sotay_model::{
    BlobDigest, DocumentKey, Id, Intent, OrganisationId, RecordKey, Rejection, Scope, Timestamp,
};
use sotay_server::blobs::{Blobs, Part};
use sotay_server::engine::{Asked, Engine};

fn document(home: OrganisationId, attachments: Vec<Attachment>) -> PublishDocument {
    PublishDocument {
        document: DocumentKey(RecordKey::new(Scope::organisation(home), fresh_id())),
        title: "Nghị quyết".into(),
        number: None,
        issuer: "Chi bộ thôn Mẫu Một".into(),
        kind: DocumentKind::Resolution,
        level: ConfidentialityLevel::Internal,
        issued_on: NOW.date(),
        for_meeting: None,
        sections: vec![SectionDraft {
            number: "1".into(),
            heading: "Mục".into(),
            text: "Nội dung".into(),
        }],
        attachments,
    }
}

/// One round trip at an instant; what comes is kept.
fn sync_at(
    engine: &mut Engine,
    phone: &mut Phone,
    at: Timestamp,
    mutations: Vec<Sent>,
) -> SyncResponse {
    let asked = Asked {
        installation: phone.id,
        request: phone.request(mutations),
    };
    let mut answered = engine.handle_batch(&[asked], at).unwrap();
    let response = answered.responses.pop().unwrap().unwrap();
    phone.keep(&response);
    response
}

/// Asks for little at a time until a part of this scope has come and more is to come.
fn begin_download(engine: &mut Engine, phone: &mut Phone, scope: Scope, at: Timestamp) {
    phone.max_rows = 1;
    for _ in 0..100 {
        let response = sync_at(engine, phone, at, Vec::new());
        let page = response.pages.iter().find(|page| page.scope == scope);
        if page.is_some_and(|page| page.more && !page.rows.is_empty()) {
            return;
        }
    }
    panic!("no page of {scope} came with more behind it");
}

fn assert_cut_off(response: &SyncResponse, scope: Scope) {
    assert!(response.pages.iter().all(|page| page.scope != scope));
    assert!(response.revoked.contains(&scope));
}

fn operate(engine: &mut Engine, intent: impl Into<Intent>, at: Timestamp) {
    engine.enter([intent.into()], at).unwrap().unwrap();
}

/// The first instant of a day some days from now.
fn day(ahead: i64) -> Timestamp {
    NOW.plus_minutes(ahead * 24 * 60).date().start()
}

/// M04 of the first cell becomes deputy of the second one until the end of tomorrow.
fn deputy_until_tomorrow(place: &Place, engine: &mut Engine) -> Id {
    place.import_with("Dự bị", "Chính thức");
    let id = fresh_id();
    let office = Appoint {
        id,
        member: place.commune.members["M04"],
        organisation: place.cell("CB2"),
        role: Role::DeputySecretary,
        phone: None,
        from: NOW.date(),
        until: Some(day(1).date()),
    };
    operate(engine, office, NOW);
    id
}

/// The office of the second cell gets answers to five notices.
fn fill_the_office(place: &Place, engine: &mut Engine) {
    let cell = place.cell("CB2");
    let mut secretary = place.phone(engine, "M05");
    let mut member = place.phone(engine, "M06");
    for n in 0..5 {
        let notice = publish(cell, &format!("Lần {n}"));
        let answer = Respond {
            meeting: notice.meeting,
            organisation: cell,
            choice: Choice::WillAttend,
            notice_version: 1,
        };
        let (notice, answer) = (secretary.next(notice), member.next(answer));
        secretary.sync(engine, vec![notice]);
        let response = member.sync(engine, vec![answer]);
        assert!(matches!(verdicts(&response)[..], [Verdict::Done(_)]));
    }
}

#[test]
fn authz_a_transfer_between_two_pages_of_a_download_stops_the_second() {
    let place = Place::new();
    let mut engine = place.engine();
    let old = Scope::organisation(place.cell("CB1"));
    let mut secretary = place.phone(&mut engine, "M01");
    for _ in 0..5 {
        let mutation = secretary.next(document(place.cell("CB1"), vec![]));
        secretary.sync(&mut engine, vec![mutation]);
    }
    let mut mover = place.phone(&mut engine, "M04");
    begin_download(&mut engine, &mut mover, old, NOW);

    place.import_with("Mẫu 04,CB1", "Mẫu 04,CB2");

    let response = sync_at(&mut engine, &mut mover, NOW, Vec::new());
    assert_cut_off(&response, old);
    assert!(
        response
            .gained
            .contains(&Scope::organisation(place.cell("CB2")))
    );
}

#[test]
fn authz_a_term_that_ends_between_two_pages_of_a_download_stops_the_second() {
    let place = Place::new();
    let mut engine = place.engine();
    let office = Scope::office(place.cell("CB2"));
    fill_the_office(&place, &mut engine);
    deputy_until_tomorrow(&place, &mut engine);
    let mut deputy = place.phone(&mut engine, "M04");
    let last_instant = Timestamp(day(2).0 - 1);
    begin_download(&mut engine, &mut deputy, office, last_instant);

    let response = sync_at(&mut engine, &mut deputy, day(2), Vec::new());
    assert_cut_off(&response, office);
    let organisation = Scope::organisation(place.cell("CB2"));
    assert!(!response.gained.contains(&organisation));
    assert!(response.pages.iter().all(|page| page.scope != organisation));
}

#[test]
fn authz_an_office_that_is_taken_away_between_two_pages_stops_the_second() {
    let place = Place::new();
    let mut engine = place.engine();
    let office = Scope::office(place.cell("CB2"));
    fill_the_office(&place, &mut engine);
    let id = deputy_until_tomorrow(&place, &mut engine);
    let mut deputy = place.phone(&mut engine, "M04");
    begin_download(&mut engine, &mut deputy, office, day(1));

    let end = EndAppointment {
        member: place.commune.members["M04"],
        id,
        until: NOW.date(),
    };
    operate(&mut engine, end, day(1));

    let response = sync_at(&mut engine, &mut deputy, day(1), Vec::new());
    assert_cut_off(&response, office);
}

#[test]
fn authz_a_mutation_is_judged_when_it_arrives_and_not_when_it_was_made() {
    let place = Place::new();
    let mut engine = place.engine();
    deputy_until_tomorrow(&place, &mut engine);
    let mut deputy = place.phone(&mut engine, "M04");
    // Both were made in time; the second lay on a phone without a network.
    let in_time = deputy.next(publish(place.cell("CB2"), "Kịp"));
    let response = sync_at(
        &mut engine,
        &mut deputy,
        Timestamp(day(2).0 - 1),
        vec![in_time],
    );
    assert!(matches!(verdicts(&response)[..], [Verdict::Done(_)]));
    let too_late = deputy.next(publish(place.cell("CB2"), "Muộn"));
    let response = sync_at(&mut engine, &mut deputy, day(2), vec![too_late]);
    assert_eq!(
        verdicts(&response),
        [&Verdict::Rejected(Rejection::NotAllowed {
            why: Denial::OfficeNeeded
        })]
    );
}

#[test]
fn authz_each_range_of_a_blob_and_each_part_handed_over_is_asked_anew() {
    let place = Place::new();
    let blobs = Arc::new(Blobs::of(&place.data()));
    let mut engine = place.engine().with_blobs(blobs.clone());
    let home = Scope::organisation(place.cell("CB2"));
    let bytes = [7; 1_000];
    let digest = BlobDigest::of(&bytes);
    let mut secretary = place.phone(&mut engine, "M05");
    let part = Part {
        phone: secretary.id,
        home,
        digest,
        size: 1_000,
    };
    blobs.append(&part, 0, &bytes).unwrap();
    let mut pieces = PieceDigests::default();
    pieces.push(&bytes);
    let publication = document(
        place.cell("CB2"),
        vec![Attachment {
            name: "a.pdf".into(),
            media_type: "application/pdf".into(),
            size: 1_000,
            blob: digest,
            pieces,
            unknown: UnknownKeys::none(),
        }],
    );
    let record = publication.document.0;
    let mutation = secretary.next(publication);
    let response = secretary.sync(&mut engine, vec![mutation]);
    assert!(matches!(verdicts(&response)[..], [Verdict::Done(_)]));

    deputy_until_tomorrow(&place, &mut engine);
    let deputy = place.commune.members["M04"];
    for (at, allowed) in [(Timestamp(day(2).0 - 1), true), (day(2), false)] {
        let shown = engine.blob_shown(deputy, record, digest, at).unwrap();
        assert_eq!(shown.is_some(), allowed);
        assert_eq!(engine.may_hand_over(deputy, home, at).unwrap(), allowed);
    }
}

#[test]
fn authz_within_one_batch_each_answer_follows_from_what_stands_then() {
    let place = Place::new();
    let mut engine = place.engine();
    deputy_until_tomorrow(&place, &mut engine);
    let office = Scope::office(place.cell("CB2"));
    let phones = [
        place.phone(&mut engine, "M04"),
        place.phone(&mut engine, "M05"),
    ];
    let notice = sent(1, vec![], publish(place.cell("CB2"), "Chung"));
    let asked: Vec<Asked> = phones
        .iter()
        .zip([vec![], vec![notice]])
        .map(|(phone, mutations)| Asked {
            installation: phone.id,
            request: phone.request(mutations),
        })
        .collect();
    let answered = engine.handle_batch(&asked, day(2)).unwrap();
    let gained: Vec<bool> = answered
        .responses
        .iter()
        .map(|response| response.as_ref().unwrap().gained.contains(&office))
        .collect();
    assert_eq!(gained, [false, true]);
}
