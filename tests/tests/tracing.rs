//! What phone and server say of themselves to whoever listens, at every level and in every crate: nothing of a person.

#![allow(clippy::unwrap_used, clippy::panic)]

mod common;

use common::{Village, publish};
use sotay_client::HandbookError;
use sotay_model::meetings::{AbsenceReason, Choice};
use sotay_server::{Server, ServerConfig};
use sotay_tests::phone::Phone;
use sotay_tests::recorder::{listen, said};

#[test]
fn nothing_that_phone_and_server_say_of_themselves_names_a_person_or_quotes_a_record() {
    // The server in this process too, so that one listener hears both.
    let Village {
        server,
        commune,
        folder,
    } = Village::new();
    let (data, address) = (folder.path().join("server"), server.address());
    server.kill().unwrap();
    listen();
    let running = Server::start(ServerConfig::new(&data, address)).unwrap();
    let phone = |member: &str| {
        let phone = Phone::with_key_file(folder.path(), member).unwrap();
        let invitation = sotay_tests::commune::invitation(&data, member, &address.to_string());
        let invitation = invitation.unwrap().text();
        sotay_tests::commune::join(phone.handbook(), &data, invitation, member).unwrap();
        phone.handbook().sync().unwrap();
        phone
    };
    let (secretary, member) = (phone("c1-01"), phone("c1-03"));
    let meeting = publish(&secretary, "Một tiêu đề riêng");
    let run = member.handbook().start_sync().unwrap();
    member.handbook().sync().unwrap();
    member
        .handbook()
        .respond(meeting, Choice::WillAttend, 1)
        .unwrap();
    member
        .handbook()
        .request_absence(
            meeting,
            AbsenceReason::Health,
            Some("Một lý do riêng".into()),
        )
        .unwrap();
    member.handbook().sync().unwrap();
    // A refusal and an error, in which texts could slip out.
    let form = secretary.handbook().notice_form(meeting).unwrap();
    let base = secretary.handbook().meeting(meeting).unwrap().base;
    secretary
        .handbook()
        .cancel_meeting(meeting, "Một cớ riêng".into())
        .unwrap();
    secretary.handbook().sync().unwrap();
    drop(
        secretary
            .handbook()
            .change_notice(meeting, base, form, false),
    );
    run.cancel().unwrap();
    running.shutdown();
    member
        .handbook()
        .set_reading_place(sotay_model::DocumentKey(meeting.0), 1)
        .unwrap_err();
    assert!(matches!(
        member.handbook().sync(),
        Err(HandbookError::ServerUnreachable { .. } | HandbookError::ServerUnexpected { .. })
    ));
    member.handbook().shutdown().unwrap();

    let said = said().to_lowercase();
    for from in ["sotay_client::sync sync limited=", "sotay_server::http"] {
        assert!(said.contains(from), "{from} said nothing:\n{said}");
    }
    let me = commune.members["c1-03"];
    let hexadecimal: String = me.0.as_bytes().iter().map(|b| format!("{b:02x}")).collect();
    for secret in [
        "riêng",
        "Đồng chí",
        "Nhà văn hóa",
        &me.to_string(),
        &hexadecimal,
        &format!("{:?}", me.0.as_bytes()),
        &meeting.to_string(),
        &meeting.0.id.to_string(),
    ] {
        let line = said
            .lines()
            .find(|line| line.contains(&secret.to_lowercase()));
        assert_eq!(line, None, "{secret}");
    }
}
