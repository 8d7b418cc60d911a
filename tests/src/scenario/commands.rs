//! Calling a command by its name.

use serde_json::Value;
use sotay_client::Handbook;
use sotay_client::documents::{DocumentForm, SectionForm};
use sotay_client::meetings::{MarkCorrection, NoticeForm};
use sotay_model::MeetingKey;
use sotay_model::documents::{ConfidentialityLevel, DocumentKind};
use sotay_model::meetings::{
    AbsenceReason, AttendanceMark, Channel, Choice, MeetingKind, MeetingMode, ParticipationMode,
};
use sotay_model::profile::ProfileField;

use super::Trouble;
use super::arguments::{Arguments, date, instant, named, number, parsed, text};
use crate::failure::Failure;

/// Calls a command and gives the key it returns, if it does. All but `join` and `restart`, which are the phone's.
pub(super) fn call(
    handbook: &Handbook,
    command: &str,
    mut a: Arguments,
) -> Result<Option<String>, Trouble> {
    let a = &mut a;
    let mut made = None;
    match command {
        "sync" => {
            handbook.sync()?;
        }
        "publish_notice" => {
            let with = a.list("with", parsed)?.unwrap_or_default();
            let form = notice_form(a)?;
            made = Some(handbook.publish_notice(form, with)?.to_string());
        }
        "publish_document" => {
            made = Some(handbook.publish_document(document_form(a)?)?.to_string());
        }
        "change_notice" => change_notice(handbook, a)?,
        "cancel_meeting" => handbook.cancel_meeting(a.of()?, a.text("reason")?)?,
        "acknowledge_notice" => {
            handbook.acknowledge_notice(a.of()?, notice_version(handbook, a)?)?;
        }
        "mark_informed" => {
            let (member, channel) = (a.member("member")?, channel(a)?);
            handbook.mark_informed(a.of()?, member, channel, notice_version(handbook, a)?)?;
        }
        "respond" => {
            let choice = a.required("choice", named(Choice::from_name))?;
            handbook.respond(a.of()?, choice, notice_version(handbook, a)?)?;
        }
        "respond_on_behalf" => {
            let choice = a.required("choice", named(Choice::from_name))?;
            let (member, channel) = (a.member("member")?, channel(a)?);
            let version = notice_version(handbook, a)?;
            handbook.respond_on_behalf(a.of()?, member, choice, channel, version)?;
        }
        "request_absence" => {
            let reason = a.required("reason", named(AbsenceReason::from_name))?;
            handbook.request_absence(a.of()?, reason, a.optional("note", text)?)?;
        }
        "request_absence_on_behalf" => {
            let reason = a.required("reason", named(AbsenceReason::from_name))?;
            let (member, note, channel) =
                (a.member("member")?, a.optional("note", text)?, channel(a)?);
            handbook.request_absence_on_behalf(a.of()?, member, reason, note, channel)?;
        }
        "withdraw_absence" => handbook.withdraw_absence(a.of()?)?,
        "decide_absence" => {
            let (member, granted) = (a.member("member")?, a.required("granted", Value::as_bool)?);
            handbook.decide_absence(a.of()?, member, granted, a.optional("answer", text)?)?;
        }
        "open_roll_call" => {
            let (chair, minute_taker) = (a.member("chair")?, a.optional("minute_taker", parsed)?);
            handbook.open_roll_call(a.of()?, chair, minute_taker)?;
        }
        "delegate_chair" => handbook.delegate_chair(a.of()?, a.member("member")?)?,
        "assume_chair" => handbook.assume_chair(a.of()?, a.text("reason")?)?,
        "ratify_chair" => handbook.ratify_chair(a.of()?)?,
        "mark_attendance" => {
            let (member, mark, mode) = marked(a)?;
            let voted = a.optional("voted", Value::as_bool)?.unwrap_or(false);
            handbook.mark_attendance(a.of()?, member, mark, mode, voted)?;
        }
        "resolve_marks" => {
            let mark = a.required("mark", named(AttendanceMark::from_name))?;
            handbook.resolve_marks(a.of()?, a.member("member")?, mark)?;
        }
        "confirm_roll_call" => {
            let meeting = a.of()?;
            let seen = handbook.roll_call(meeting)?.seen;
            handbook.confirm_roll_call(meeting, seen)?;
        }
        "correct_roll_call" => {
            let (from, reason) = (a.required("from", number)?, a.text("reason")?);
            let changes = a.value("changes").unwrap_or_default();
            let changes = changes.as_array().cloned().unwrap_or_default().into_iter();
            let changes = changes.map(correction).collect::<Result<_, Failure>>()?;
            handbook.correct_roll_call(a.of()?, from, changes, reason)?;
        }
        "object_to_mark" => handbook.object_to_mark(a.of()?, a.text("text")?)?,
        "set_reading_place" => {
            handbook.set_reading_place(a.of()?, a.required("order", number)?)?;
        }
        "request_correction" => {
            let field = a.required("field", named(ProfileField::from_name))?;
            handbook.request_correction(field, a.text("text")?)?;
        }
        "discard_refused" => handbook.discard_refused(first_refused(handbook)?)?,
        "send_again" => handbook.send_again(first_refused(handbook)?)?,
        other => return Err(Failure(format!("there is no command {other:?}")).into()),
    }
    std::mem::replace(a, Arguments::new(None, serde_json::Map::new())).end()?;
    Ok(made)
}

/// A new notice; what is left out is as the README says.
fn notice_form(a: &mut Arguments) -> Result<NoticeForm, Trouble> {
    let kind = a.optional("kind", named(MeetingKind::from_name))?;
    let mut form = NoticeForm {
        kind: kind.unwrap_or(MeetingKind::Regular),
        title: a.text("title")?,
        starts_at: a.required("starts_at", instant)?,
        ends_at: a.required("ends_at", instant)?,
        place: "Nhà văn hóa".into(),
        mode: MeetingMode::InRoom,
        agenda: Vec::new(),
        documents: Vec::new(),
        guests: Vec::new(),
        answer_by: None,
        absence_by: None,
    };
    fill(a, &mut form)?;
    Ok(form)
}

/// The form of the notice as it stands, with the fields that are named.
fn change_notice(handbook: &Handbook, a: &mut Arguments) -> Result<(), Trouble> {
    let meeting: MeetingKey = a.of()?;
    let urgent = a.optional("urgent", Value::as_bool)?.unwrap_or(false);
    let mut form = handbook.notice_form(meeting)?;
    fill(a, &mut form)?;
    let base = handbook.meeting(meeting)?.base;
    Ok(handbook.change_notice(meeting, base, form, urgent)?)
}

fn fill(a: &mut Arguments, form: &mut NoticeForm) -> Result<(), Failure> {
    fn set<T>(field: &mut T, given: Option<T>) {
        if let Some(given) = given {
            *field = given;
        }
    }
    set(&mut form.title, a.optional("title", text)?);
    set(&mut form.starts_at, a.optional("starts_at", instant)?);
    set(&mut form.ends_at, a.optional("ends_at", instant)?);
    set(&mut form.place, a.optional("place", text)?);
    set(
        &mut form.mode,
        a.optional("mode", named(MeetingMode::from_name))?,
    );
    set(&mut form.agenda, a.list("agenda", text)?);
    set(&mut form.documents, a.list("documents", parsed)?);
    set(&mut form.guests, a.list("guests", text)?);
    if let Some(deadline) = a.optional("answer_by", instant)? {
        form.answer_by = Some(deadline);
    }
    if let Some(deadline) = a.optional("absence_by", instant)? {
        form.absence_by = Some(deadline);
    }
    Ok(())
}

fn document_form(a: &mut Arguments) -> Result<DocumentForm, Failure> {
    let section = |value: &Value| {
        let field = |name| value.get(name).and_then(text);
        Some(SectionForm {
            number: field("number")?,
            heading: field("heading")?,
            text: field("text")?,
        })
    };
    let kind = a.optional("kind", named(DocumentKind::from_name))?;
    let level = a.optional("level", named(ConfidentialityLevel::from_name))?;
    let issued_on = a.optional("issued_on", date)?;
    Ok(DocumentForm {
        title: a.text("title")?,
        number: a.optional("number", text)?,
        issuer: a
            .optional("issuer", text)?
            .unwrap_or_else(|| "Chi ủy".into()),
        kind: kind.unwrap_or(DocumentKind::Draft),
        level: level.unwrap_or(ConfidentialityLevel::Internal),
        issued_on: match issued_on {
            Some(day) => day,
            None => "2026-11-01".parse()?,
        },
        for_meeting: a.optional("for_meeting", parsed)?,
        sections: a.list("sections", section)?.unwrap_or_default(),
    })
}

fn channel(a: &mut Arguments) -> Result<Channel, Failure> {
    a.required("channel", named(Channel::from_name))
}

fn marked(
    a: &mut Arguments,
) -> Result<(sotay_model::MemberId, AttendanceMark, ParticipationMode), Failure> {
    let mark = a.required("mark", named(AttendanceMark::from_name))?;
    let mode = a.optional("mode", named(ParticipationMode::from_name))?;
    Ok((
        a.member("member")?,
        mark,
        mode.unwrap_or(ParticipationMode::InRoom),
    ))
}

fn correction(value: Value) -> Result<MarkCorrection, Failure> {
    let Value::Object(with) = value else {
        crate::fail!("a change is an object");
    };
    let mut a = Arguments::new(None, with);
    let (member, mark, mode) = marked(&mut a)?;
    a.end()?;
    Ok(MarkCorrection { member, mark, mode })
}

/// The version given, or the one on the meeting's screen.
fn notice_version(handbook: &Handbook, a: &mut Arguments) -> Result<u32, Trouble> {
    Ok(match a.optional("notice_version", number)? {
        Some(version) => version,
        None => handbook.meeting(a.of()?)?.notice_version,
    })
}

fn first_refused(handbook: &Handbook) -> Result<i64, Trouble> {
    let refused = handbook.outbox()?.refused;
    let first = refused
        .first()
        .ok_or_else(|| Failure("nothing was refused".into()))?;
    Ok(first.n)
}
