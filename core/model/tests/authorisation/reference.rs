//! A second evaluator, written from the text of `docs/authorisation.md` and from nothing else: plain lists, no records, no
//! scopes, no order of checks. Slow and obvious.

use sotay_model::organisation::{MemberStatus, Role};

/// An office as the register has it. Days are numbers.
#[derive(Debug, Clone)]
pub(crate) struct Office {
    pub(crate) member: u32,
    pub(crate) organisation: u32,
    pub(crate) role: Role,
    pub(crate) from: u32,
    pub(crate) until: Option<u32>,
}

/// A temporary activity.
#[derive(Debug, Clone)]
pub(crate) struct Visit {
    pub(crate) member: u32,
    pub(crate) host: u32,
    pub(crate) from: u32,
    pub(crate) until: u32,
}

/// All that the page speaks of.
#[derive(Debug, Clone, Default)]
pub(crate) struct Register {
    /// Organisation, the one above, and whether it is a cell.
    pub(crate) organisations: Vec<(u32, Option<u32>, bool)>,
    /// Member, home, status.
    pub(crate) members: Vec<(u32, u32, MemberStatus)>,
    pub(crate) offices: Vec<Office>,
    pub(crate) visits: Vec<Visit>,
    pub(crate) today: u32,
}

/// What somebody asks to do. Numbers instead of ids; what a meeting's records say is said.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Ask {
    /// `PublishNotice`, with one other organisation.
    Call { caller: u32, other: u32 },
    /// `ChangeNotice`.
    Change(u32),
    /// `Respond`.
    Answer { at: u32, convened: bool },
    /// `RespondOnBehalf`.
    AnswerFor { at: u32, other: u32, convened: bool },
    /// `DecideAbsence`.
    Excuse { at: u32, deciding: u32, other: u32 },
    /// `DelegateChair`.
    Delegate(u32),
    /// `MarkAttendance` of another line, with or without the chair.
    Mark { at: u32, other: u32, chair: bool },
    /// `ConfirmRollCall`, with or without a seat.
    Confirm { at: u32, seated: bool },
    /// `CorrectRollCall`, with or without a seat.
    Correct { at: u32, seated: bool },
    /// `ObjectToMark`.
    Object(u32),
    /// `PublishDocument`.
    Publish(u32),
    /// `RequestCorrection`.
    SayItIsWrong,
    /// `Invite`.
    Invite(u32),
    /// `ConfirmEnrolment`.
    ConfirmPhone(u32),
    /// `ListPhones`.
    ListPhones(u32),
    /// `RevokePhone`.
    RevokePhone(u32),
    /// `GrantRole`.
    Grant { at: u32, role: Role },
    /// `ExportProfile`.
    Export(u32),
}

impl Register {
    fn entry(&self, member: u32) -> Option<(u32, MemberStatus)> {
        let found = self.members.iter().find(|(m, ..)| *m == member);
        found.map(|(_, home, status)| (*home, *status))
    }

    fn above(&self, organisation: u32) -> Option<u32> {
        let found = self.organisations.iter().find(|(o, ..)| *o == organisation);
        found.and_then(|(_, above, _)| *above)
    }

    /// Whether `upper` is this organisation or above it.
    fn is_or_above(&self, upper: u32, organisation: u32) -> bool {
        upper == organisation
            || self
                .above(organisation)
                .is_some_and(|above| self.is_or_above(upper, above))
    }

    fn status_is(&self, member: u32, one_of: &[MemberStatus]) -> bool {
        self.entry(member)
            .is_some_and(|(_, status)| one_of.contains(&status))
    }

    fn full(&self, member: u32) -> bool {
        self.status_is(member, &[MemberStatus::Official])
    }

    fn active(&self, member: u32) -> bool {
        let active = [
            MemberStatus::Official,
            MemberStatus::Probationary,
            MemberStatus::Exempt,
        ];
        self.status_is(member, &active)
    }

    fn here(&self, member: u32) -> bool {
        self.active(member) || self.status_is(member, &[MemberStatus::Suspended])
    }

    /// Whether the member holds this office there today, and it counts.
    fn holds(&self, member: u32, role: Role, organisation: u32) -> bool {
        let appointed = self.offices.iter().any(|office| {
            office.member == member
                && office.role == role
                && office.organisation == organisation
                && office.from <= self.today
                && office.until.is_none_or(|until| self.today <= until)
        });
        appointed
            && match role {
                Role::Secretary | Role::DeputySecretary | Role::CommitteeMember => {
                    self.full(member)
                }
                Role::CellFollower | Role::EnrolmentHelper => self.active(member),
                Role::Assistant => {
                    let home = self.entry(member).map(|(home, _)| home);
                    self.active(member)
                        && home.is_some_and(|home| self.is_or_above(organisation, home))
                }
                Role::Unknown { .. } => false,
            }
    }

    fn leads(&self, member: u32, organisation: u32) -> bool {
        self.holds(member, Role::Secretary, organisation)
            || self.holds(member, Role::DeputySecretary, organisation)
    }

    fn enters(&self, member: u32, organisation: u32) -> bool {
        self.leads(member, organisation)
            || self.holds(member, Role::CommitteeMember, organisation)
            || self.holds(member, Role::Assistant, organisation)
    }

    /// `Read`, an organisation's pages.
    pub(crate) fn reads_organisation(&self, member: u32, organisation: u32) -> bool {
        let Some((home, _)) = self.entry(member) else {
            return false;
        };
        let visits = self.visits.iter().any(|visit| {
            visit.member == member
                && visit.host == organisation
                && visit.from <= self.today
                && self.today <= visit.until
        });
        let by_office = self.organisations.iter().any(|(below, ..)| {
            let opening = [
                Role::Secretary,
                Role::DeputySecretary,
                Role::CommitteeMember,
                Role::CellFollower,
                Role::Assistant,
            ];
            self.is_or_above(organisation, *below)
                && opening.iter().any(|role| self.holds(member, *role, *below))
        });
        self.here(member) && (self.is_or_above(organisation, home) || visits || by_office)
    }

    /// `Read`, an office's pages.
    pub(crate) fn reads_office(&self, member: u32, organisation: u32) -> bool {
        let found = self.organisations.iter().find(|(o, ..)| *o == organisation);
        let is_cell = found.is_none_or(|(_, _, is_cell)| *is_cell);
        self.leads(member, organisation)
            || (!is_cell && self.holds(member, Role::CommitteeMember, organisation))
    }

    /// Whether somebody may.
    pub(crate) fn may(&self, who: u32, ask: Ask) -> bool {
        let known = self.entry(who).is_some();
        let seated = |at: u32| self.reads_organisation(who, at) && self.active(who);
        match ask {
            Ask::Call { caller, other } => {
                self.leads(who, caller)
                    && (caller == other
                        || self.leads(who, other)
                        || self
                            .above(other)
                            .is_some_and(|above| self.leads(who, above)))
            }
            Ask::Change(at) | Ask::Delegate(at) => self.leads(who, at),
            Ask::Answer { at, convened } => convened && self.reads_organisation(who, at),
            Ask::AnswerFor {
                at,
                other,
                convened,
            } => {
                convened
                    && self.reads_organisation(who, at)
                    && (other == who || self.enters(who, at))
            }
            Ask::Excuse {
                deciding, other, ..
            } => other != who && self.leads(who, deciding),
            Ask::Mark { at, other, chair } => {
                self.leads(who, at)
                    || self.holds(who, Role::Assistant, at)
                    || (chair && seated(at))
                    || (other == who && self.reads_organisation(who, at))
            }
            Ask::Confirm { at, seated: seat } => seat && seated(at),
            Ask::Correct { at, seated: seat } => self.leads(who, at) || (seat && seated(at)),
            Ask::Object(at) => self.reads_organisation(who, at),
            Ask::Publish(at) => self.reads_office(who, at),
            Ask::SayItIsWrong => known,
            Ask::Invite(other) => self.joins(other).is_some_and(|home| self.leads(who, home)),
            Ask::ConfirmPhone(other) => self.joins(other).is_some_and(|home| {
                self.organisations.iter().any(|(upper, ..)| {
                    self.is_or_above(*upper, home)
                        && (self.leads(who, *upper)
                            || self.holds(who, Role::EnrolmentHelper, *upper))
                })
            }),
            Ask::ListPhones(other) | Ask::Export(other) => known && who == other,
            Ask::RevokePhone(other) => self
                .entry(other)
                .is_some_and(|(home, _)| who == other || self.leads(who, home)),
            Ask::Grant { at, role } => {
                matches!(role, Role::Assistant | Role::EnrolmentHelper)
                    && self.holds(who, Role::Secretary, at)
            }
        }
    }

    /// The home of somebody who may have a phone.
    fn joins(&self, member: u32) -> Option<u32> {
        let may = self.here(member) || self.status_is(member, &[MemberStatus::Candidate]);
        self.entry(member).filter(|_| may).map(|(home, _)| home)
    }
}
