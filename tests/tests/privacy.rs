//! What is not shown to a member is not on the member's phone either: looked up in the database itself.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Village, publish};
use sotay_model::meetings::{AbsenceReason, Choice};
use sotay_tests::examiner::mentions;

#[test]
fn another_cell_receives_nothing_of_a_meeting() {
    let village = Village::new();
    let (secretary, stranger) = (village.phone("c1-01"), village.phone("c2-01"));
    let meeting = publish(&secretary, "Sinh hoạt");
    secretary
        .handbook()
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();
    secretary.handbook().sync().unwrap();
    stranger.handbook().sync().unwrap();

    let cell = village.commune.organisations["c1"];
    assert!(mentions(&secretary, meeting.0.id.as_bytes()).unwrap() > 0);
    assert_eq!(mentions(&stranger, meeting.0.id.as_bytes()).unwrap(), 0);
    assert_eq!(mentions(&stranger, cell.0.as_bytes()).unwrap(), 0);
    assert_eq!(stranger.handbook().meetings(None, 200).unwrap().count, 0);
}

#[test]
fn a_reason_and_an_answer_are_with_their_author_and_the_office_only() {
    let village = Village::new();
    let (secretary, deputy) = (village.phone("c1-01"), village.phone("c1-02"));
    let (author, other) = (village.phone("c1-03"), village.phone("c1-04"));
    let meeting = publish(&secretary, "Sinh hoạt");
    author.handbook().sync().unwrap();
    let note = "Tôi đi khám bệnh.";
    author
        .handbook()
        .request_absence(meeting, AbsenceReason::Health, Some(note.into()))
        .unwrap();
    for phone in [&author, &secretary, &deputy, &other] {
        phone.handbook().sync().unwrap();
    }
    for (phone, may) in [
        (&author, true),
        (&secretary, true),
        (&deputy, true),
        (&other, false),
    ] {
        let holds = mentions(phone, note.as_bytes()).unwrap() > 0;
        assert_eq!(holds, may, "{}", phone.name);
    }
}
