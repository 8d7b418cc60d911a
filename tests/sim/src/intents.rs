//! What people enter: a random intent over what their phone shows them.

use sotay_client::simulation::Held;
use sotay_model::documents::{ConfidentialityLevel, DocumentKind, PublishDocument, SectionDraft};
use sotay_model::meetings::{
    AbsenceReason, AcknowledgeNotice, AttendanceMark, Base, CancelMeeting, ChangeNotice, Channel,
    Choice, DecideAbsence, MarkAttendance, Meeting, MeetingKind, MeetingMode, NoticeText,
    OpenRollCall, ParticipationMode, PublishNotice, RequestAbsence, Respond, RespondOnBehalf,
    WithdrawAbsence,
};
use sotay_model::{
    DocumentKey, Id, Intent, Kind, MeetingKey, MemberId, OrganisationId, Record, RecordKey, Scope,
    Stamp, Timestamp,
};

use crate::dice::Dice;

/// Who enters it, and when by the server's clock.
#[derive(Debug, Clone, Copy)]
pub struct Author<'a> {
    /// The member.
    pub me: MemberId,
    /// The cell it is about.
    pub cell: OrganisationId,
    /// All members.
    pub members: &'a [MemberId],
    /// When.
    pub now: Timestamp,
}

struct KnownMeeting {
    key: MeetingKey,
    versions: u32,
    base: Base,
}

fn meetings(held: &Held) -> Vec<KnownMeeting> {
    let mut keys: Vec<RecordKey> = held
        .base
        .keys()
        .chain(held.overlay.keys())
        .copied()
        .collect();
    keys.sort_unstable();
    keys.dedup();
    keys.into_iter()
        .filter_map(|key| {
            let confirmed = held.base.get(&key);
            let laid = held.overlay.get(&key);
            let (kind, body) = match (laid, confirmed) {
                (Some(laid), _) => (laid.kind, &laid.body),
                (None, Some(record)) => (record.kind, &record.body),
                (None, None) => return None,
            };
            if kind != Kind::Meeting {
                return None;
            }
            let stamp = confirmed.map_or_else(Stamp::default, |record| record.stamp);
            let record = Record {
                key,
                kind,
                parent: Id::default(),
                stamp,
                body: body.clone(),
            };
            let meeting: Meeting = record.read().ok()?;
            Some(KnownMeeting {
                key: MeetingKey(key),
                versions: u32::try_from(meeting.versions.len()).ok()?,
                base: laid.map_or(Base::Confirmed(stamp), |laid| Base::After(laid.n)),
            })
        })
        .collect()
}

fn notice(now: Timestamp, number: u64) -> NoticeText {
    let starts_at = now.plus_minutes(1 + (number % 5_000).cast_signed());
    NoticeText {
        title: format!("Sinh hoạt {}", number % 1_000),
        starts_at,
        ends_at: starts_at.plus_minutes(90),
        place: "Nhà văn hóa Mẫu".into(),
        mode: MeetingMode::InRoom,
        agenda: vec!["Nội dung".repeat(1 + (number % 9) as usize)],
        documents: Vec::new(),
        guests: Vec::new(),
        answer_by: None,
        absence_by: None,
    }
}

fn document(home: OrganisationId, id: Id, now: Timestamp, number: u64) -> PublishDocument {
    let section = |n: u64| SectionDraft {
        number: n.to_string(),
        heading: format!("Mục {n}"),
        text: "Nội dung ".repeat(1 + (number % 30) as usize),
    };
    PublishDocument {
        document: DocumentKey(RecordKey::new(Scope::organisation(home), id)),
        title: format!("Văn bản {}", number % 1_000),
        number: None,
        issuer: "Đảng ủy xã Mẫu".into(),
        kind: DocumentKind::Resolution,
        level: ConfidentialityLevel::Internal,
        issued_on: now.date(),
        for_meeting: None,
        sections: (1..=1 + number % 12).map(section).collect(),
        attachments: Vec::new(),
    }
}

/// Draws one.
pub fn draw(dice: &mut Dice, held: &Held, author: Author<'_>) -> Intent {
    let Author {
        me,
        cell,
        members,
        now,
    } = author;
    let known = meetings(held);
    let what = dice.below(16);
    let chosen = dice.pick(&known);
    let member = dice.pick(members).copied().unwrap_or(me);
    let number = dice.next();
    let fresh = Id::v7(now.0.rem_euclid(1 << 47), dice.ten());
    let yes = number.is_multiple_of(2);
    match (what, chosen) {
        (0 | 1, _) | (3.., None) => PublishNotice {
            meeting: MeetingKey(RecordKey::new(Scope::organisation(cell), fresh)),
            participating: vec![cell],
            kind: MeetingKind::Regular,
            notice: notice(now, number),
        }
        .into(),
        (2, _) => document(cell, fresh, now, number).into(),
        (3..=5, Some(meeting)) => ChangeNotice {
            meeting: meeting.key,
            base: meeting.base,
            notice: notice(now, number),
            urgent: yes,
        }
        .into(),
        (6, Some(meeting)) if number.is_multiple_of(8) => CancelMeeting {
            meeting: meeting.key,
            reason: "Lý do thử".into(),
        }
        .into(),
        (6 | 7, Some(meeting)) => Respond {
            meeting: meeting.key,
            organisation: cell,
            choice: if yes {
                Choice::WillAttend
            } else {
                Choice::Undecided
            },
            notice_version: meeting.versions,
        }
        .into(),
        (8, Some(meeting)) => RequestAbsence {
            meeting: meeting.key,
            organisation: cell,
            member: me,
            reason: AbsenceReason::Work,
            note: None,
            channel: Channel::Handbook,
        }
        .into(),
        (9, Some(meeting)) => WithdrawAbsence {
            meeting: meeting.key,
            organisation: cell,
        }
        .into(),
        (10, Some(meeting)) => DecideAbsence {
            meeting: meeting.key,
            organisation: cell,
            member,
            granted: yes,
            answer: None,
        }
        .into(),
        (11, Some(meeting)) if number.is_multiple_of(3) => OpenRollCall {
            meeting: meeting.key,
            organisation: cell,
            chair: me,
            minute_taker: None,
        }
        .into(),
        (12, Some(meeting)) => AcknowledgeNotice {
            meeting: meeting.key,
            organisation: cell,
            notice_version: meeting.versions,
        }
        .into(),
        (13, Some(meeting)) => RespondOnBehalf {
            meeting: meeting.key,
            organisation: cell,
            member,
            choice: Choice::WillAttend,
            channel: Channel::PhoneCall,
            notice_version: meeting.versions,
        }
        .into(),
        (_, Some(meeting)) => MarkAttendance {
            meeting: meeting.key,
            organisation: cell,
            member,
            mark: if yes {
                AttendanceMark::Present
            } else {
                AttendanceMark::AbsentUnexcused
            },
            mode: ParticipationMode::InRoom,
            voted: false,
        }
        .into(),
    }
}
