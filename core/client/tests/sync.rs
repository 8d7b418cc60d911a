//! Phones and a real server on loopback: joining, syncing, refusals, and what happens when the network misbehaves.

#![allow(clippy::unwrap_used, reason = "of tests")]

mod common;

use common::{Commune, Phone};
use sotay_client::HandbookError;
use sotay_model::Rejection;
use sotay_model::enrolment::InvitationFault;
use sotay_model::meetings::Choice;
use sotay_model::rejection::Denial;

#[test]
fn a_notice_reaches_the_cell_and_the_answer_comes_back() {
    let commune = Commune::new();
    let (secretary, member, other_cell) =
        (commune.phone("bt"), commune.phone("a"), commune.phone("x"));
    let meeting = secretary.notice("Sinh hoạt thử");
    assert_eq!(
        secretary.handbook.meeting(meeting).unwrap().card.title,
        "Sinh hoạt thử"
    );
    let report = secretary.handbook.sync().unwrap();
    assert_eq!((report.accepted, report.refused), (1, 0));

    member.handbook.sync().unwrap();
    member
        .handbook
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();
    member.handbook.sync().unwrap();
    secretary.handbook.sync().unwrap();
    let answers = secretary.handbook.answers(meeting).unwrap();
    assert!(format!("{answers:-?}").contains("WillAttend"));

    other_cell.handbook.sync().unwrap();
    assert_eq!(
        other_cell.handbook.meeting(meeting).unwrap_err(),
        HandbookError::NotHere
    );
}

#[test]
fn what_is_entered_without_a_network_is_shown_kept_over_a_restart_and_sent_once() {
    let mut commune = Commune::new();
    let mut secretary = commune.phone("bt");
    commune.stop();
    let meeting = secretary.notice("Ngoại tuyến");
    secretary
        .handbook
        .change_notice_title(meeting, "Ngoại tuyến, đổi");
    assert!(matches!(
        secretary.handbook.sync(),
        Err(HandbookError::ServerUnreachable { .. })
    ));
    secretary.restart();
    assert_eq!(
        secretary.handbook.meeting(meeting).unwrap().card.title,
        "Ngoại tuyến, đổi"
    );
    assert_eq!(secretary.handbook.home().unwrap().delivery.unsent, 2);
    commune.start();
    assert_eq!(secretary.handbook.sync().unwrap().accepted, 2);
    assert_eq!(secretary.handbook.home().unwrap().delivery.unsent, 0);
    assert_eq!(secretary.handbook.sync().unwrap().accepted, 0);
    let deputy = commune.phone("pbt");
    assert_eq!(
        deputy.handbook.meeting(meeting).unwrap().card.title,
        "Ngoại tuyến, đổi"
    );
}

/// What the commands take, in one line.
trait Change {
    fn change_notice_title(&self, meeting: sotay_model::MeetingKey, title: &str);
}

impl Change for sotay_client::Handbook {
    fn change_notice_title(&self, meeting: sotay_model::MeetingKey, title: &str) {
        let base = self.meeting(meeting).unwrap().base;
        let mut form = self.notice_form(meeting).unwrap();
        form.title = title.into();
        self.change_notice(meeting, base, form, false).unwrap();
    }
}

#[test]
fn a_stale_change_is_parked_with_its_words_and_delays_nothing() {
    let commune = Commune::new();
    let (secretary, deputy) = (commune.phone("bt"), commune.phone("pbt"));
    let meeting = secretary.notice("Chung");
    secretary.handbook.sync().unwrap();
    deputy.handbook.sync().unwrap();
    secretary
        .handbook
        .change_notice_title(meeting, "Của bí thư");
    deputy
        .handbook
        .change_notice_title(meeting, "Của phó bí thư");
    deputy
        .handbook
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();
    secretary.handbook.sync().unwrap();
    let report = deputy.handbook.sync().unwrap();
    assert_eq!((report.accepted, report.refused), (1, 1));
    let outbox = deputy.handbook.outbox().unwrap();
    assert!(outbox.unsent.is_empty());
    assert_eq!(outbox.refused.len(), 1);
    assert_eq!(
        deputy.handbook.meeting(meeting).unwrap().card.title,
        "Của bí thư"
    );
    deputy
        .handbook
        .discard_refused(outbox.refused[0].n)
        .unwrap();
    assert!(deputy.handbook.outbox().unwrap().refused.is_empty());
    deputy.handbook.change_notice_title(meeting, "Sau khi xem");
    assert_eq!(deputy.handbook.sync().unwrap().accepted, 1);
}

#[test]
fn authz_an_office_lost_while_offline_is_shown_no_more_and_what_it_entered_comes_back_with_the_reason()
 {
    let mut commune = Commune::new();
    let secretary = commune.phone("bt");
    assert!(secretary.handbook.home().unwrap().leads);
    commune.stop();
    let meeting = secretary.notice("Viết khi chưa có mạng");

    // Suspended meanwhile; the appointment itself stands in the register as before.
    let list = "code,name,cell,status\nbt,Đồng chí Mẫu 01,cb1,Suspended\n";
    let list = sotay_server::commune::read_csv(list.as_bytes()).unwrap();
    let now = sotay_server::system_clock();
    sotay_server::commune::import(&commune.data(), &list, now).unwrap();
    commune.start();

    let report = secretary.handbook.sync().unwrap();
    assert_eq!((report.accepted, report.refused), (0, 1));
    let outbox = secretary.handbook.outbox().unwrap();
    let reasons: Vec<_> = outbox
        .refused
        .into_iter()
        .map(|line| line.refusal)
        .collect();
    let why = Denial::OfficeNeeded;
    assert_eq!(reasons, [Some(Rejection::NotAllowed { why })]);
    assert_eq!(
        secretary.handbook.meeting(meeting).unwrap_err(),
        HandbookError::NotHere
    );
    assert!(!secretary.handbook.home().unwrap().leads);
}

#[test]
fn an_invitation_works_once_and_typing_errors_are_told_apart() {
    let commune = Commune::new();
    let invitation = commune.invitation("a");
    let phone = Phone::new(commune.folder.path().join("first"));
    let join = |text: &str| phone.handbook.join(text.into(), "Máy thử".into());
    for (text, fault) in [
        ("xin chào", InvitationFault::Symbol { position: 3 }),
        ("xin", InvitationFault::NotAnInvitation),
        ("https://example.org/", InvitationFault::NotAnInvitation),
        (
            &invitation[..invitation.len() - 2],
            InvitationFault::Length { found: 11 },
        ),
    ] {
        assert_eq!(
            join(text).unwrap_err(),
            HandbookError::InvitationUnreadable { fault },
            "{text}"
        );
    }
    assert_eq!(phone.handbook.joined().unwrap(), None);
    assert_eq!(
        phone.handbook.sync().unwrap_err(),
        HandbookError::NotEnrolled
    );
    let digits = join(&invitation).unwrap().digits;
    assert_eq!(
        phone.handbook.sync().unwrap_err(),
        HandbookError::NotEnrolled
    );
    commune.confirm("a", &digits);
    phone.handbook.finish_joining().unwrap().unwrap();
    assert_eq!(
        join(&invitation).unwrap_err(),
        HandbookError::AlreadyEnrolled
    );
    let second = Phone::new(commune.folder.path().join("second"));
    assert_eq!(
        second
            .handbook
            .join(invitation, "Máy thử".into())
            .unwrap_err(),
        HandbookError::InvitationUnusable
    );
    assert_eq!(second.handbook.joined().unwrap(), None);
}

#[test]
fn typed_host_and_code_join_too() {
    let commune = Commune::new();
    let invitation = sotay_model::enrolment::Invitation::parse(&commune.invitation("a")).unwrap();
    let phone = Phone::new(commune.folder.path().join("typed"));
    let typed = format!(
        "{} {}",
        invitation.host(),
        invitation.code().text().to_lowercase().replace('-', " ")
    );
    let joining = phone.handbook.join(typed, "Máy thử".into()).unwrap();
    commune.confirm("a", &joining.digits);
    let joined = phone.handbook.finish_joining().unwrap().unwrap();
    assert_eq!(joined.member_name, "Đồng chí Mẫu 03");
}
