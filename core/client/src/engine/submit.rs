//! Submitting: decided by the rules, kept in the journal and the database with its effect, all or nothing.

use rusqlite::{OptionalExtension, TransactionBehavior, params};
use sotay_model::meetings::{AbsenceRequest, RollCall};
use sotay_model::mutation::MAX_MUTATION_BYTES;
use sotay_model::rejection::Field;
use sotay_model::{
    DocumentKey, Intent, MeetingKey, MemberId, Mutation, OrganisationId, RecordKey, Rejection,
    Timestamp, World, cbor,
};

use super::overlay::{self, Decision};
use crate::error::HandbookError;
use crate::store::Writer;
use crate::store::rows::{self, DAMAGED, Setting, Standing};
use crate::watch::Touched;

/// The most own mutations that wait, or are parked, at a time: more than anybody enters in a year without a network.
pub(crate) const MAX_WAITING: u32 = 20_000;

/// Decides on an intent and keeps it; its number, and what it touched. Durable when this returns.
pub(crate) fn submit(
    writer: &mut Writer,
    me: MemberId,
    now: Timestamp,
    made_at: Timestamp,
    intent: Intent,
) -> Result<(i64, Touched), HandbookError> {
    let Writer {
        db,
        overlay,
        journal,
    } = writer;
    let named = named_records(&intent, me);
    let mut mutation = Mutation {
        made_at,
        needs: Vec::new(),
        intent,
    };
    let mut needs = overlay::creators(overlay, named);
    needs.extend(mutation.base_after());
    mutation.needs = needs.into_iter().collect();

    let db = db.transaction_with_behavior(TransactionBehavior::Immediate)?;
    let effect = match overlay::decide(&db, overlay, &mut World::new(), me, now, &mutation)? {
        Decision::Done(effect) => effect,
        Decision::Refused(why) => return Err(HandbookError::Refused { why }),
        Decision::Unknown => return Err(HandbookError::AppTooOld),
    };
    let bytes = cbor::to_bytes(&mutation);
    if bytes.len() > MAX_MUTATION_BYTES {
        let limit = u32::try_from(MAX_MUTATION_BYTES).unwrap_or(u32::MAX);
        return Err(HandbookError::Refused {
            why: Rejection::TooLarge {
                field: Field::Mutation,
                limit,
            },
        });
    }
    let waiting = rows::standing(&db, Standing::Pending)? + rows::standing(&db, Standing::Parked)?;
    if waiting >= MAX_WAITING {
        return Err(HandbookError::OutboxFull { limit: MAX_WAITING });
    }
    let n = rows::setting_number(&db, Setting::NextN)?
        .unwrap_or(1)
        .max(journal.high_water() + 1);
    rows::set_number(&db, Setting::NextN, n + 1)?;
    db.prepare_cached("INSERT INTO outbox (n, state, at, mutation) VALUES (?1, ?2, ?3, ?4)")?
        .execute(params![n, Standing::Pending as u8, now.0, bytes])?;
    // A failure below must leave the overlay in memory as the table stands.
    let before: Vec<_> = effect
        .puts
        .iter()
        .map(|put| (put.key, overlay.get(&put.key).cloned()))
        .collect();
    let mut touched = overlay.lay_effect(&db, n, effect)?;
    let kept = overlay
        .store_touched(&db, &touched)
        .and_then(|()| journal.keep(n, now.0, &bytes))
        .and_then(|()| {
            db.commit().map_err(|error| {
                journal.take_back(n);
                error.into()
            })
        });
    if let Err(error) = kept {
        overlay.put_back(before);
        return Err(error);
    }
    touched.outbox = true;
    Ok((n, touched))
}

/// Puts a refused mutation away for good.
pub(crate) fn discard(writer: &mut Writer, n: i64) -> Result<Touched, HandbookError> {
    let deleted = writer
        .db
        .prepare_cached("DELETE FROM outbox WHERE n = ?1 AND state = ?2")?
        .execute(params![n, Standing::Parked as u8])?;
    if deleted == 0 {
        return Err(HandbookError::NotHere);
    }
    // It is put away; a journal that says too much only brings it back after a loss of power.
    let _ = writer.journal.settle(&[n]);
    Ok(Touched {
        outbox: true,
        ..Touched::default()
    })
}

/// A refused mutation's intent.
pub(crate) fn parked(writer: &Writer, n: i64) -> Result<Intent, HandbookError> {
    let mut select = writer
        .db
        .prepare_cached("SELECT mutation FROM outbox WHERE n = ?1 AND state = ?2")?;
    let bytes: Option<Vec<u8>> = select
        .query_row(params![n, Standing::Parked as u8], |row| row.get(0))
        .optional()?;
    let mutation: Mutation =
        cbor::from_bytes(&bytes.ok_or(HandbookError::NotHere)?).map_err(|_| DAMAGED)?;
    Ok(mutation.intent)
}

/// The records an intent names. If one of them was created by a mutation that is still pending, this one needs that one.
fn named_records(intent: &Intent, me: MemberId) -> Vec<RecordKey> {
    let absence = |meeting: MeetingKey, organisation: OrganisationId, member: MemberId| {
        vec![
            meeting.0,
            AbsenceRequest::key(meeting, organisation, member),
            AbsenceRequest::entered_key(meeting, organisation, member, me),
        ]
    };
    let roll_call = |meeting: MeetingKey, organisation: OrganisationId| {
        vec![meeting.0, RollCall::key(meeting, organisation)]
    };
    let documents = |documents: &[DocumentKey]| {
        documents
            .iter()
            .map(|document| document.0)
            .collect::<Vec<_>>()
    };
    match intent {
        Intent::PublishNotice(i) => documents(&i.notice.documents),
        Intent::ChangeNotice(i) => {
            let mut named = documents(&i.notice.documents);
            named.push(i.meeting.0);
            named
        }
        Intent::CancelMeeting(i) => vec![i.meeting.0],
        Intent::AcknowledgeNotice(i) => vec![i.meeting.0],
        Intent::MarkInformed(i) => vec![i.meeting.0],
        Intent::Respond(i) => vec![i.meeting.0],
        Intent::RespondOnBehalf(i) => vec![i.meeting.0],
        Intent::RequestAbsence(i) => vec![i.meeting.0],
        Intent::WithdrawAbsence(i) => absence(i.meeting, i.organisation, me),
        Intent::DecideAbsence(i) => absence(i.meeting, i.organisation, i.member),
        Intent::OpenRollCall(i) => vec![i.meeting.0],
        Intent::DelegateChair(i) => vec![i.meeting.0],
        Intent::AssumeChair(i) => vec![i.meeting.0],
        Intent::RatifyChair(i) => roll_call(i.meeting, i.organisation),
        Intent::MarkAttendance(i) => roll_call(i.meeting, i.organisation),
        Intent::ResolveMarks(i) => roll_call(i.meeting, i.organisation),
        Intent::ConfirmRollCall(i) => roll_call(i.meeting, i.organisation),
        Intent::CorrectRollCall(i) => roll_call(i.meeting, i.organisation),
        Intent::ObjectToMark(i) => roll_call(i.meeting, i.organisation),
        Intent::PublishDocument(i) => i.for_meeting.iter().map(|meeting| meeting.0).collect(),
        Intent::FoundOrganisation(_)
        | Intent::EnterMember(_)
        | Intent::Appoint(_)
        | Intent::EndAppointment(_)
        | Intent::IntroduceTemporarily(_)
        | Intent::RequestCorrection(_)
        | Intent::Unknown { .. } => Vec::new(),
    }
}
