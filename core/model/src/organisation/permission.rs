//! The one authorisation function: whether somebody may do something now. Deny by default.
//!
//! Every rule, and the server for what only it carries out, describes what is wanted as an [`Act`] and asks [`permit`]. An act
//! is named here or it does not exist; the match over acts has no arm that allows what it does not name; and a rule that never
//! asked changes nothing ([`crate::apply()`] sees to it). What a meeting's own records say of the actor (the chair, the
//! recorder, who is convened) the rule reads and hands in with the act; offices, terms, status and the tree of organisations
//! are read here, anew for each question.
//!
//! Permission is not the whole rule: a permitted act may still come too late or say nothing. What is allowed to whom stands,
//! for people to read, in `docs/authorisation.md`, and the tests hold this function to that page.

use super::access::{Standing, chain_above, takes_part};
use super::records::{Member, MemberStatus, Organisation, Role};
use crate::apply::{Actor, Context};
use crate::id::{MemberId, OrganisationId, Scope, ScopeKind};
use crate::meetings::{AttendanceMark, MarkSource};
use crate::rejection::{Closing, Denial, Rejection};
use crate::time::{Now, Timestamp};
use crate::world::{Reader, Stop};

/// Something that one can do or read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Act {
    /// Adds an organisation, or brings it up to date.
    FoundOrganisation,
    /// Enters a member from the party's register.
    EnterMember,
    /// Gives an office.
    Appoint,
    /// Ends an office.
    EndAppointment,
    /// Introduces a member to temporary activity.
    IntroduceTemporarily,
    /// Says that a line of the own profile is wrong.
    RequestCorrection,
    /// Announces a meeting.
    PublishNotice {
        /// The organisation that calls it.
        caller: OrganisationId,
        /// One that is to meet; asked for each.
        participant: OrganisationId,
    },
    /// Changes a notice.
    ChangeNotice {
        /// The organisation that called the meeting.
        caller: OrganisationId,
    },
    /// Cancels a meeting.
    CancelMeeting {
        /// The organisation that called it.
        caller: OrganisationId,
    },
    /// "I know this version."
    AcknowledgeNotice {
        /// The participating organisation.
        organisation: OrganisationId,
        /// Whether the actor is convened there.
        convened: bool,
    },
    /// "I told this member."
    MarkInformed(OnBehalf),
    /// The own answer.
    Respond {
        /// The participating organisation.
        organisation: OrganisationId,
        /// Whether the actor is convened there.
        convened: bool,
    },
    /// An answer entered for another member.
    RespondOnBehalf(OnBehalf),
    /// Asks to be excused, for oneself or for another member.
    RequestAbsence(OnBehalf),
    /// Takes back what was asked about the own absence.
    WithdrawAbsence {
        /// The participating organisation.
        organisation: OrganisationId,
    },
    /// Decides on a request.
    DecideAbsence {
        /// The participating organisation.
        organisation: OrganisationId,
        /// Who decides there: the organisation itself; for a congress the one that convenes it.
        deciding: OrganisationId,
        /// Whose absence.
        member: MemberId,
    },
    /// Opens the meeting for one organisation.
    OpenRollCall {
        /// The participating organisation.
        organisation: OrganisationId,
        /// Who is to chair.
        chair: MemberId,
        /// Whom the secretary asked to chair.
        asked: Option<MemberId>,
    },
    /// Asks another official member to take the chair.
    DelegateChair {
        /// The participating organisation.
        organisation: OrganisationId,
    },
    /// Takes the chair without being asked.
    AssumeChair {
        /// The participating organisation.
        organisation: OrganisationId,
        /// With which status the actor is convened.
        convened_as: Option<MemberStatus>,
        /// Whether another person is in the chair and marked present.
        occupied: bool,
    },
    /// Agrees to a chair that was assumed.
    RatifyChair {
        /// The participating organisation.
        organisation: OrganisationId,
    },
    /// Marks a member.
    MarkAttendance(Marking),
    /// Decides between differing marks.
    ResolveMarks(Marking),
    /// Confirms the sheet.
    ConfirmRollCall {
        /// The participating organisation.
        organisation: OrganisationId,
        /// What the roll call says of the actor.
        seat: Seat,
    },
    /// Proposes a correction of a confirmed sheet.
    CorrectRollCall {
        /// The participating organisation.
        organisation: OrganisationId,
        /// What the roll call says of the actor.
        seat: Seat,
    },
    /// Objects to the own line.
    ObjectToMark {
        /// The participating organisation.
        organisation: OrganisationId,
    },
    /// Publishes a document.
    PublishDocument {
        /// The organisation that publishes.
        organisation: OrganisationId,
    },
    /// Hands over the bytes of an attachment, for a document to be published at this home.
    HandOverBlob {
        /// Where the document is to lie.
        home: Scope,
    },
    /// Reads what is shown to a scope: its pages, a record or a blob listed there, word that something new stands there.
    Read {
        /// The scope.
        scope: Scope,
    },
    /// Makes an invitation for a member's phone.
    Invite {
        /// Whose phone.
        member: MemberId,
    },
    /// Says that the digits on a joining phone are the right ones.
    ConfirmEnrolment {
        /// Whose phone.
        member: MemberId,
    },
    /// Lists phones.
    ListPhones {
        /// Whose.
        member: MemberId,
    },
    /// Gives a phone another name.
    RenamePhone {
        /// Whose.
        member: MemberId,
    },
    /// Shuts a phone out for good.
    RevokePhone {
        /// Whose.
        member: MemberId,
    },
    /// Lets somebody type for the office, or help others to join.
    GrantRole {
        /// In which organisation.
        organisation: OrganisationId,
        /// As what; only [`Role::Assistant`] and [`Role::EnrolmentHelper`] are the organisation's own to give.
        role: Role,
    },
    /// Takes out everything that is kept about a member.
    ExportProfile {
        /// About whom.
        member: MemberId,
    },
}

/// Something entered about one member at a meeting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OnBehalf {
    /// The participating organisation.
    pub organisation: OrganisationId,
    /// About whom; may be the actor.
    pub member: MemberId,
    /// Whether that member is convened there.
    pub convened: bool,
}

/// A mark for one member.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Marking {
    /// The participating organisation.
    pub organisation: OrganisationId,
    /// Whose line; may be the actor's.
    pub member: MemberId,
    /// The mark.
    pub mark: AttendanceMark,
    /// What the roll call says of the actor.
    pub seat: Seat,
}

/// What a roll call says of the acting member.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Seat {
    /// chủ trì
    pub chair: bool,
    /// Opened the roll call.
    pub recorder: bool,
    /// thư ký
    pub minute_taker: bool,
    /// There is no minute-taker, and the actor is an official member marked as present.
    pub stands_in: bool,
}

impl Seat {
    /// In which capacity somebody with this seat and these offices marks a line.
    pub(crate) fn marks_as(self, me: &Standing, wanted: &Marking) -> Option<MarkSource> {
        let offices = me.offices(wanted.organisation);
        let seat = self.of(me);
        if seat.recorder || seat.minute_taker {
            Some(MarkSource::Recorder)
        } else if offices.has(Role::Secretary) {
            Some(MarkSource::Secretary)
        } else if offices.has(Role::DeputySecretary) {
            Some(MarkSource::Deputy)
        } else if seat.chair || offices.has(Role::Assistant) {
            Some(MarkSource::Assistant)
        } else {
            (wanted.member == me.member.id).then_some(MarkSource::OwnSelf)
        }
    }

    /// A suspended member keeps no seat.
    fn of(self, me: &Standing) -> Self {
        if me.member.status == MemberStatus::Suspended {
            Self::default()
        } else {
            self
        }
    }
}

/// Whether the actor may do this now: `Ok`, or why not. `Stop::Unloaded` where the world must be loaded further: the reader
/// says what it needs. The server's clock looks at the day; on a phone every office counts that the phone was shown.
pub fn permit(world: &Reader<'_>, actor: Actor, now: Now, act: &Act) -> Result<(), Stop> {
    Context::new(world, actor, now, Timestamp(0)).permit(act)
}

impl Context<'_> {
    /// Refuses what the actor may not do, and notes that somebody asked.
    pub(crate) fn permit(&self, act: &Act) -> Result<(), Stop> {
        self.judge(act)?;
        if !matches!(act, Act::Read { .. }) {
            self.permitted.set(true);
        }
        Ok(())
    }

    fn judge(&self, act: &Act) -> Result<(), Stop> {
        match *act {
            Act::FoundOrganisation
            | Act::EnterMember
            | Act::Appoint
            | Act::EndAppointment
            | Act::IntroduceTemporarily => {
                allow(self.actor == Actor::Operator, Denial::OperatorNeeded)
            }
            Act::RequestCorrection => self.entered(self.my_id()?),

            Act::PublishNotice {
                caller,
                participant,
            } => {
                self.leads(caller)?;
                allow(
                    participant == caller
                        || self.me()?.offices(participant).leads()
                        || self.leads_above(participant)?,
                    Denial::OfficeNeeded,
                )
            }
            Act::ChangeNotice { caller } | Act::CancelMeeting { caller } => self.leads(caller),

            Act::AcknowledgeNotice {
                organisation,
                convened,
            }
            | Act::Respond {
                organisation,
                convened,
            } => {
                self.attends(organisation)?;
                allow(convened, Denial::NotConvened)
            }
            Act::MarkInformed(about) | Act::RespondOnBehalf(about) | Act::RequestAbsence(about) => {
                let me = self.attends(about.organisation)?;
                allow(
                    about.member == me.member.id || me.offices(about.organisation).enters(),
                    Denial::OfficeNeeded,
                )?;
                allow(about.convened, Denial::NotConvened)
            }
            Act::WithdrawAbsence { organisation } | Act::ObjectToMark { organisation } => {
                self.attends(organisation).map(drop)
            }
            Act::DecideAbsence {
                organisation,
                deciding,
                member,
            } => {
                let me = self.me()?;
                allow(member != me.member.id, Denial::OwnAbsence)?;
                let types = me.offices(deciding).has(Role::Assistant)
                    || me.offices(organisation).has(Role::Assistant);
                let why = if types {
                    Denial::AssistantNeverDecides
                } else {
                    Denial::OfficeNeeded
                };
                allow(me.offices(deciding).leads(), why)
            }

            Act::OpenRollCall {
                organisation,
                chair,
                asked,
            } => {
                let me = self.attends(organisation)?;
                if me.offices(organisation).leads() {
                    return Ok(());
                }
                // Whoever was asked to take the chair may open, but cannot put another into it.
                allow(
                    asked == Some(me.member.id) && me.member.status == MemberStatus::Official,
                    Denial::OfficeNeeded,
                )?;
                allow(chair == me.member.id, Denial::ChairNeeded)
            }
            Act::DelegateChair { organisation } | Act::RatifyChair { organisation } => {
                let me = self.attends(organisation)?;
                allow(me.offices(organisation).leads(), Denial::OfficeNeeded)
            }
            Act::AssumeChair {
                organisation,
                convened_as,
                occupied,
            } => {
                let me = self.attends(organisation)?;
                let status = convened_as.ok_or(denied(Denial::NotConvened))?;
                allow(
                    status == MemberStatus::Official && me.member.status == status,
                    Denial::OfficialMemberNeeded,
                )?;
                allow(!occupied, Denial::ChairNeeded)
            }

            Act::MarkAttendance(wanted) => {
                let me = self.attends(wanted.organisation)?;
                may_mark(me, &wanted)
            }
            Act::ResolveMarks(wanted) => {
                let me = self.attends(wanted.organisation)?;
                allow(
                    wanted.seat.of(me).chair || me.offices(wanted.organisation).leads(),
                    Denial::ChairNeeded,
                )?;
                may_mark(me, &wanted)
            }
            Act::ConfirmRollCall { organisation, seat } => {
                let seat = seat.of(self.attends(organisation)?);
                allow(
                    seat.chair || seat.minute_taker || seat.stands_in,
                    Denial::NotAConfirmer,
                )
            }
            Act::CorrectRollCall { organisation, seat } => {
                let me = self.attends(organisation)?;
                let seat = seat.of(me);
                allow(
                    me.offices(organisation).leads()
                        || seat.chair
                        || seat.recorder
                        || seat.minute_taker,
                    Denial::OfficeNeeded,
                )
            }

            Act::PublishDocument { organisation } => self.in_office(organisation),
            Act::HandOverBlob { home } => {
                allow(home.kind == ScopeKind::Organisation, Denial::OfficeNeeded)?;
                self.in_office(OrganisationId(home.id))
            }
            Act::Read { scope } => allow(self.holds(scope)?, Denial::NotAMember),

            Act::Invite { member } => {
                let target = self.may_join(member)?;
                self.office_for(target.cell)
            }
            Act::ConfirmEnrolment { member } => {
                let target = self.may_join(member)?;
                if self.actor == Actor::Operator {
                    return Ok(());
                }
                let me = self.me()?;
                let confirms = |organisation: OrganisationId| {
                    let offices = me.offices(organisation);
                    offices.leads() || offices.has(Role::EnrolmentHelper)
                };
                let allowed = confirms(target.cell)
                    || chain_above(self.world, target.cell)?
                        .into_iter()
                        .any(confirms);
                allow(allowed, Denial::OfficeNeeded)
            }
            Act::ListPhones { member }
            | Act::RenamePhone { member }
            | Act::ExportProfile { member } => {
                allow(self.my_id()? == member, Denial::NotOwnLine)?;
                self.entered(member)
            }
            Act::RevokePhone { member } => {
                let target = self.entry(member)?;
                if self.actor == Actor::Member(member) {
                    return Ok(());
                }
                self.office_for(target.cell)
            }
            Act::GrantRole { organisation, role } => {
                allow(
                    matches!(role, Role::Assistant | Role::EnrolmentHelper),
                    Denial::OperatorNeeded,
                )?;
                allow(
                    self.actor == Actor::Operator
                        || self.me()?.offices(organisation).has(Role::Secretary),
                    Denial::OfficeNeeded,
                )
            }
        }
    }

    /// Secretary or deputy of the organisation.
    fn leads(&self, organisation: OrganisationId) -> Result<(), Stop> {
        allow(
            self.me()?.offices(organisation).leads(),
            Denial::OfficeNeeded,
        )
    }

    /// Secretary or deputy of the organisation, or the operator in their place.
    fn office_for(&self, organisation: OrganisationId) -> Result<(), Stop> {
        match self.actor {
            Actor::Operator => Ok(()),
            Actor::Member(_) => self.leads(organisation),
        }
    }

    /// Whoever speaks for the organisation: its secretary and deputy, and in a committee over cells also its members.
    fn in_office(&self, organisation: OrganisationId) -> Result<(), Stop> {
        self.me()?;
        allow(
            self.holds(Scope::office(organisation))?,
            Denial::OfficeNeeded,
        )
    }

    /// A member in good standing to whom the organisation's meetings are shown.
    fn attends(&self, organisation: OrganisationId) -> Result<&Standing, Stop> {
        let me = self.me()?;
        allow(
            self.holds(Scope::organisation(organisation))?,
            Denial::NotAMember,
        )?;
        Ok(me)
    }

    /// Whether the actor leads the organisation directly above this one.
    fn leads_above(&self, organisation: OrganisationId) -> Result<bool, Stop> {
        let found = self.see::<Organisation>(Organisation::key(organisation))?;
        let me = self.me()?;
        let above = found.and_then(|found| found.body.above);
        Ok(above.is_some_and(|above| me.offices(above).leads()))
    }

    /// A member's line in the directory. Who asks about somebody unknown learns no more than who may not ask.
    fn entry(&self, member: MemberId) -> Result<Member, Stop> {
        let found = self.world.get::<Member>(Member::key(member))?;
        found
            .map(|found| found.body)
            .ok_or(denied(Denial::OfficeNeeded))
    }

    /// A member who is known, whatever the status.
    fn entered(&self, member: MemberId) -> Result<(), Stop> {
        let found = self.world.get::<Member>(Member::key(member))?;
        allow(found.is_some(), Denial::NotAMember)
    }

    /// A member, or a candidate, who may have a phone.
    fn may_join(&self, member: MemberId) -> Result<Member, Stop> {
        let target = self.entry(member)?;
        if takes_part(target.status) || target.status == MemberStatus::Candidate {
            return Ok(target);
        }
        self.office_for(target.cell)?;
        Err(Rejection::Closed {
            what: Closing::Membership,
            since: None,
        }
        .into())
    }
}

/// Refuses who has no capacity to mark the line. Nobody excuses himself; and whoever has no task at the roll call may say of
/// himself only that he came.
fn may_mark(me: &Standing, wanted: &Marking) -> Result<(), Stop> {
    let source = wanted.seat.marks_as(me, wanted);
    let source = source.ok_or(denied(Denial::OfficeNeeded))?;
    let allowed = wanted.member != me.member.id
        || match wanted.mark {
            AttendanceMark::Present | AttendanceMark::Late | AttendanceMark::Unmarked => true,
            AttendanceMark::LeftEarly => source != MarkSource::OwnSelf,
            AttendanceMark::AbsentExcused
            | AttendanceMark::AbsentUnexcused
            | AttendanceMark::Unknown { .. } => false,
        };
    allow(allowed, Denial::OwnAbsence)
}

fn allow(allowed: bool, why: Denial) -> Result<(), Stop> {
    if allowed { Ok(()) } else { Err(denied(why)) }
}

const fn denied(why: Denial) -> Stop {
    Stop::Rejected(Rejection::NotAllowed { why })
}
