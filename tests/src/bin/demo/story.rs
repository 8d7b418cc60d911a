//! The story, scene by scene.

use sotay_client::documents::{DocumentForm, SectionForm};
use sotay_client::meetings::{MeetingStage, NoticeForm};
use sotay_model::documents::{ConfidentialityLevel, DocumentKind};
use sotay_model::meetings::{
    AbsenceReason, AbsenceState, AttendanceMark, Choice, MeetingKind, MeetingMode,
    ParticipationMode,
};
use sotay_model::{MeetingKey, Timestamp};
use sotay_tests::{Failure, fail};

use crate::cast::CELL;
use crate::screens;
use crate::stage::Stage;

const EVERYBODY: [&str; 6] = [
    "secretary",
    "deputy",
    "first",
    "second",
    "third",
    "stranger",
];

/// Ends the demo where something is not as it should be.
fn must(so: bool, what: &str) -> Result<(), Failure> {
    if so {
        Ok(())
    } else {
        fail!("this should be so: {what}")
    }
}

/// Plays it all; the meeting.
pub(crate) fn play(stage: &mut Stage) -> Result<MeetingKey, Failure> {
    let meeting = notice(stage)?;
    answers(stage, meeting)?;
    change(stage, meeting)?;
    roll_call(stage, meeting)?;
    back(stage, meeting)?;
    confirm(stage, meeting)?;
    stranger(stage, meeting)?;
    Ok(meeting)
}

/// 19:00 in Vietnam, the day after tomorrow.
fn evening() -> Timestamp {
    let day = sotay_server::system_clock()
        .plus_minutes(2 * 24 * 60)
        .date();
    day.start().plus_minutes(19 * 60)
}

fn notice(stage: &mut Stage) -> Result<MeetingKey, Failure> {
    stage
        .paper
        .scene("The secretary publishes a document and a notice")?;
    let secretary = stage.handbook("secretary")?;
    let section = |number: &str, heading: &str, text: &str| SectionForm {
        number: number.into(),
        heading: heading.into(),
        text: text.into(),
    };
    let document = secretary.publish_document(DocumentForm {
        title: "Dự thảo nghị quyết tháng 12".into(),
        number: Some("03-DT/CB".into()),
        issuer: "Chi ủy thôn Mẫu Một".into(),
        kind: DocumentKind::Draft,
        level: ConfidentialityLevel::Internal,
        issued_on: sotay_server::system_clock().date(),
        for_meeting: None,
        sections: vec![
            section("1", "Tình hình", "Vụ mùa gặt xong, đường thôn còn dở dang."),
            section("1.1", "Kết quả", "Đã bê tông hóa 400 mét."),
            section("2", "Nhiệm vụ", "Làm nốt 250 mét trước Tết."),
        ],
    })?;
    let starts_at = evening();
    let meeting = secretary.publish_notice(
        NoticeForm {
            kind: MeetingKind::Regular,
            title: "Sinh hoạt thường kỳ tháng 12".into(),
            starts_at,
            ends_at: starts_at.plus_minutes(90),
            place: "Nhà văn hóa thôn Mẫu Một".into(),
            mode: MeetingMode::InRoom,
            agenda: vec![
                "Đánh giá công tác tháng 11".into(),
                "Góp ý dự thảo nghị quyết".into(),
            ],
            documents: vec![document],
            guests: vec![],
            answer_by: None,
            absence_by: None,
        },
        vec![],
    )?;
    stage.sync(&EVERYBODY)?;
    stage.paper.say("The three members of the cell see both at once; what a phone has received it can read without a network.")?;
    let first = stage.handbook("first")?;
    let (home, screen) = (first.home()?, first.meeting(meeting)?);
    must(home.next_meeting.is_some(), "the member sees the meeting")?;
    must(
        screen.documents.iter().all(|document| document.complete),
        "the document can be read offline",
    )?;
    let screens = [
        stage.screen("first", screens::home(&home))?,
        stage.screen(
            "second",
            screens::meeting(&stage.handbook("second")?.meeting(meeting)?),
        )?,
    ];
    stage.paper.screens(&screens)?;
    Ok(meeting)
}

fn answers(stage: &mut Stage, meeting: MeetingKey) -> Result<(), Failure> {
    stage.paper.scene("One answers, one asks to be excused")?;
    let version = stage.handbook("first")?.meeting(meeting)?.notice_version;
    stage
        .handbook("first")?
        .respond(meeting, Choice::WillAttend, version)?;
    let note = "Tôi đi khám bệnh theo hẹn.";
    let second = stage.handbook("second")?;
    second.request_absence(meeting, AbsenceReason::Health, Some(note.to_owned()))?;
    stage.sync(&["first", "second", "secretary"])?;
    let waiting = stage.handbook("secretary")?.answers(meeting)?;
    must(
        waiting.absences_waiting == 1,
        "one request waits for the secretary",
    )?;
    let before = stage.screen("secretary", screens::answers(&waiting))?;

    let answer = Some("Chi bộ chúc đồng chí mau khỏe.".to_owned());
    let member = stage.member("c1-04")?;
    stage
        .handbook("secretary")?
        .decide_absence(meeting, member, true, answer)?;
    stage.sync(&["secretary", "second"])?;
    let home = stage.handbook("second")?.home()?;
    let absence = home
        .next_meeting
        .as_ref()
        .and_then(|card| card.my_absence.as_ref());
    must(
        absence.is_some_and(|absence| absence.state == AbsenceState::Granted),
        "the member is excused",
    )?;
    stage
        .paper
        .say("The member writes why; the secretary decides; the answer comes back.")?;
    let screens = [before, stage.screen("second", screens::home(&home))?];
    stage.paper.screens(&screens)?;

    stage.sync(&EVERYBODY)?;
    for name in EVERYBODY {
        let holds = sotay_tests::examiner::mentions(stage.phone(name)?, note.as_bytes())? > 0;
        let may = matches!(name, "secretary" | "deputy" | "second");
        must(
            holds == may,
            "a reason is only with its author and the office",
        )?;
    }
    stage.paper.holds("The reason is in the databases of its author, the secretary and the deputy, and in no other phone's.")
}

fn change(stage: &mut Stage, meeting: MeetingKey) -> Result<(), Failure> {
    stage
        .paper
        .scene("The time changes while one phone is out of reach")?;
    stage.network("third")?.cut();
    let secretary = stage.handbook("secretary")?;
    let mut form = secretary.notice_form(meeting)?;
    form.starts_at = form.starts_at.plus_minutes(30);
    form.ends_at = form.ends_at.plus_minutes(30);
    form.place = "Trụ sở thôn Mẫu Một".into();
    secretary.change_notice(meeting, secretary.meeting(meeting)?.base, form, true)?;
    stage.sync(&["secretary", "deputy", "first", "second"])?;

    let first = stage.handbook("first")?;
    let changed = first.home()?;
    must(
        changed.changes.len() == 1,
        "the change is shown as a difference",
    )?;
    let screen = stage.screen("first", screens::home(&changed))?;

    let third = stage.handbook("third")?;
    let version = third.meeting(meeting)?.notice_version;
    third.respond(meeting, Choice::WillAttend, version)?;
    stage.sync_in_vain("third")?;
    let offline = third.home()?;
    must(
        offline.delivery.offline && offline.delivery.unsent == 1,
        "the answer is kept",
    )?;
    stage.paper.say(
        "Left: the member sees what differs and is asked again. Right: a phone without a network still shows the old time; its \
         holder answers, and the answer is kept.",
    )?;
    let screens = [screen, stage.screen("third", screens::home(&offline))?];
    stage.paper.screens(&screens)?;

    let version = first.meeting(meeting)?.notice_version;
    first.acknowledge_notice(meeting, version)?;
    first.respond(meeting, Choice::WillAttend, version)?;
    stage.sync(&["first", "secretary"])?;
    must(
        first.home()?.changes.is_empty(),
        "an acknowledged change is not shown again",
    )?;
    stage.paper.holds(
        "“Tôi đã biết”: the first member knows the change, and has answered for the new time.",
    )
}

fn roll_call(stage: &mut Stage, meeting: MeetingKey) -> Result<(), Failure> {
    stage.paper.scene(
        "The meeting: the secretary's phone loses the network too, and takes the roll call",
    )?;
    stage.paper.say("(The demo does not wait two days.)")?;
    stage.network("secretary")?.cut();
    let secretary = stage.handbook("secretary")?;
    secretary.open_roll_call(
        meeting,
        stage.member("c1-01")?,
        Some(stage.member("c1-02")?),
    )?;
    let opened = secretary.roll_call(meeting)?;
    for line in &opened.lines {
        let code = stage
            .commune
            .members
            .iter()
            .find(|(_, id)| **id == line.member);
        let mark = match code.map_or("", |(code, _)| code.as_str()) {
            "c1-04" => AttendanceMark::AbsentExcused,
            "c1-08" => AttendanceMark::AbsentUnexcused,
            "c1-09" => AttendanceMark::Late,
            _ => AttendanceMark::Present,
        };
        secretary.mark_attendance(meeting, line.member, mark, ParticipationMode::InRoom, false)?;
    }
    stage.sync_in_vain("secretary")?;
    let taken = secretary.roll_call(meeting)?;
    must(taken.unmarked == 0, "everyone is marked")?;
    let home = secretary.home()?;
    must(
        home.delivery.offline && home.delivery.unsent > 0,
        "the roll call waits on the phone",
    )?;
    stage.paper.say(&format!(
        "{} members are convened with the status they have now. All {} entries are decided by the same rules as on the server and \
         wait on the phone.",
        taken.lines.len(),
        home.delivery.unsent
    ))?;
    let screens = [
        stage.screen("secretary", screens::roll_call(&opened))?,
        stage.screen("secretary", screens::roll_call(&taken))?,
    ];
    stage.paper.screens(&screens)
}

fn back(stage: &mut Stage, meeting: MeetingKey) -> Result<(), Failure> {
    stage.paper.scene("Both phones come back")?;
    for name in ["secretary", "third"] {
        stage.network(name)?.restore();
    }
    stage.sync(&[
        "third",
        "secretary",
        "deputy",
        "first",
        "second",
        "third",
        "secretary",
    ])?;
    let third = stage.handbook("third")?.home()?;
    let kept = third
        .next_meeting
        .as_ref()
        .and_then(|card| card.my_answer.as_ref());
    must(
        kept.is_some_and(|answer| answer.for_old_time && !answer.pending),
        "the offline answer arrived and reads: for the old time",
    )?;
    let (here, there) = (
        stage.handbook("secretary")?.roll_call(meeting)?,
        stage.handbook("deputy")?.roll_call(meeting)?,
    );
    must(
        here.lines == there.lines && here.seen == there.seen,
        "secretary and deputy see one sheet",
    )?;
    stage.paper.say(
        "Nothing was lost: the third member's answer arrived, marked as given for the old time, and the change is shown. The \
         deputy, who takes the minutes, has the sheet that the secretary made offline.",
    )?;
    let screens = [
        stage.screen("third", screens::home(&third))?,
        stage.screen("deputy", screens::roll_call(&there))?,
    ];
    stage.paper.screens(&screens)
}

fn confirm(stage: &mut Stage, meeting: MeetingKey) -> Result<(), Failure> {
    stage
        .paper
        .scene("The cell confirms: chair and minute-taker say “this is how it was”")?;
    for name in ["secretary", "deputy"] {
        let handbook = stage.handbook(name)?;
        handbook.confirm_roll_call(meeting, handbook.roll_call(meeting)?.seen)?;
        stage.sync(&[name, "secretary", "deputy"])?;
    }
    stage.sync(&EVERYBODY)?;
    let secretary = stage.handbook("secretary")?.roll_call(meeting)?;
    let Some(confirmed) = &secretary.confirmed else {
        fail!("two confirmations make a version");
    };
    let second = stage.handbook("second")?.meeting(meeting)?;
    must(
        second.card.stage == MeetingStage::Confirmed,
        "every member sees the confirmed version",
    )?;
    let screens = [
        stage.screen("secretary", screens::figures(confirmed))?,
        stage.screen("second", screens::meeting(&second))?,
    ];
    stage.paper.screens(&screens)?;
    let figures = &confirmed.figures;
    let by_rule = if figures.vote_base_by_rule {
        "QĐ 294 §9.3.2"
    } else {
        "QĐ 294 §9.3.2, written for congresses and applied here by the cell's own decision"
    };
    stage.paper.say(&format!(
        "Vote base ({by_rule}): {}.",
        screens::counted_in_english(&figures.vote_base)
    ))?;
    stage.paper.say(&format!(
        "Attendance rate, a figure apart: attending {}; of {}. Above the mark of a good meeting: {}.",
        screens::counted_in_english(&figures.attending),
        screens::counted_in_english(&figures.attendance_base),
        if figures.attendance_good { "yes" } else { "no" }
    ))
}

fn stranger(stage: &mut Stage, meeting: MeetingKey) -> Result<(), Failure> {
    stage
        .paper
        .scene("A member of another cell has received nothing of this meeting")?;
    let stranger = stage.handbook("stranger")?;
    let (home, page, library) = (
        stranger.home()?,
        stranger.meetings(None, 200)?,
        stranger.library(None, 200)?,
    );
    must(
        page.count == 0 && library.count == 0,
        "no meeting, no document",
    )?;
    must(
        matches!(
            stranger.meeting(meeting),
            Err(sotay_client::HandbookError::NotHere)
        ),
        "asked for by its key, the meeting is not on that phone",
    )?;
    let phone = stage.phone("stranger")?;
    let held = sotay_tests::examiner::contents(phone)?.records;
    let Some(cell) = stage.commune.organisations.get(CELL) else {
        fail!("the cell is gone");
    };
    let mentions = sotay_tests::examiner::mentions(phone, meeting.0.id.as_bytes())?
        + sotay_tests::examiner::mentions(phone, cell.0.as_bytes())?;
    must(
        mentions == 0,
        "no record on the stranger's phone mentions the meeting or its cell",
    )?;
    let screens = [stage.screen("stranger", screens::home(&home))?];
    stage.paper.screens(&screens)?;
    stage.paper.holds(&format!(
        "{} meetings, {} documents; of the {held} records in that phone's database {mentions} mention the meeting or its cell.",
        page.count, library.count
    ))
}
