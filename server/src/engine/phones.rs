//! What members and officers ask about phones: their own list, invitations, confirmations, and privileged acts.
//!
//! The one authorisation function decides, on the records as they stand in the same transaction. Privileged acts come in two
//! steps: a challenge is given for exactly this act, and the approval key that the phone named when it joined must have signed it.

use std::collections::BTreeSet;

use sotay_model::exchange::SixDigits;
use sotay_model::organisation::{Act, Appoint, Organisation};
use sotay_model::session::act_bytes;
use sotay_model::wire::{
    JoiningLine, NewInvitation, PhoneLine, PhonesAnswer, PhonesRequest, PrivilegedAct, ProblemCode,
};
use sotay_model::{
    Actor, InstallationId, Intent, Kind, MemberId, OrganisationId, Rejection, Scope, Timestamp,
    cbor,
};

use super::enrolment::{Compared, compare, device_name, member, refuse, unused};
use super::{Batch, Engine, EngineError, Nonces, operator};
use crate::audit::Event;
use crate::storage::{Installation, Transaction};

/// For how many days an invitation from an officer's phone may be good.
const MAX_INVITATION_DAYS: u32 = 14;

type Answer = Result<PhonesAnswer, ProblemCode>;

/// What a request about phones came to, and whom to wake because of it.
#[derive(Debug)]
pub struct PhonesAnswered {
    /// What is answered.
    pub answer: Answer,
    /// The scopes in which something new stands.
    pub changed: BTreeSet<Scope>,
    /// The phone that is no longer accepted.
    pub revoked: Option<InstallationId>,
}

impl From<Answer> for PhonesAnswered {
    fn from(answer: Answer) -> Self {
        Self {
            answer,
            changed: BTreeSet::new(),
            revoked: None,
        }
    }
}

impl Engine {
    /// Answers a request about phones from an active phone, in one transaction.
    pub fn handle_phones(
        &mut self,
        phone: &Installation,
        request: &PhonesRequest,
        nonces: &Nonces,
        now: Timestamp,
    ) -> Result<PhonesAnswered, EngineError> {
        let transaction = if writes(request) {
            self.storage.write()?
        } else {
            self.storage.read()?
        };
        // It may have been revoked since its signature was checked.
        let Some(phone) = &transaction
            .installation(phone.id)?
            .filter(Installation::is_accepted)
        else {
            return Ok(Err(ProblemCode::UnknownInstallation).into());
        };
        let asked = Asked {
            transaction: &transaction,
            phone,
            nonces,
            now,
        };
        let answered = match asked.answer(request) {
            Ok(answered) => answered,
            Err(Refusal::Rule(why)) => Ok(PhonesAnswer::Rejected(why)).into(),
            Err(Refusal::Problem(code)) => Err(code).into(),
            Err(Refusal::Engine(error)) => return Err(error),
        };
        if writes(request) {
            transaction.commit()?;
        }
        Ok(answered)
    }
}

/// Whether a request changes anything.
pub(crate) const fn writes(request: &PhonesRequest) -> bool {
    !matches!(
        request,
        PhonesRequest::List
            | PhonesRequest::Joining
            | PhonesRequest::PhonesOf(_)
            | PhonesRequest::Begin(_)
    )
}

/// Why a request comes to nothing.
enum Refusal {
    Rule(Rejection),
    Problem(ProblemCode),
    Engine(EngineError),
}

impl<E: Into<EngineError>> From<E> for Refusal {
    fn from(error: E) -> Self {
        Self::Engine(error.into())
    }
}

struct Asked<'a> {
    transaction: &'a Transaction<'a>,
    phone: &'a Installation,
    nonces: &'a Nonces,
    now: Timestamp,
}

impl Asked<'_> {
    fn answer(&self, request: &PhonesRequest) -> Result<PhonesAnswered, Refusal> {
        let me = self.phone.member;
        let done = || PhonesAnswered::from(Ok(PhonesAnswer::Done));
        Ok(match request {
            PhonesRequest::List => {
                self.may(&Act::ListPhones { member: me })?;
                Ok(PhonesAnswer::Phones(self.phones_of(me)?)).into()
            }
            PhonesRequest::Rename(id, name) => {
                let name = device_name(name)
                    .filter(|name| !name.is_empty())
                    .ok_or(Refusal::Problem(ProblemCode::Malformed))?;
                let member = self.owned(*id)?.member;
                self.may(&Act::RenamePhone { member })?;
                self.transaction.rename(*id, &name)?;
                let phone = *id;
                self.audit(member, &Event::PhoneRenamed { member, phone })?;
                done()
            }
            PhonesRequest::Leave => self.revoke(self.phone)?,
            PhonesRequest::Invite(new) => Ok(PhonesAnswer::Invited(self.invite(new)?)).into(),
            PhonesRequest::Joining => Ok(PhonesAnswer::Joining(self.joining()?)).into(),
            PhonesRequest::Confirm(id, digits) => {
                let digits = SixDigits::from_number(*digits)
                    .ok_or(Refusal::Problem(ProblemCode::Malformed))?;
                self.may_confirm(*id)?;
                match compare(self.transaction, *id, digits, Some(me), self.now)? {
                    Compared::Agree => done(),
                    Compared::Differ { left } => Ok(PhonesAnswer::WrongDigits(left)).into(),
                    Compared::NobodyWaits | Compared::MayNotJoin => return Err(nobody()),
                }
            }
            PhonesRequest::Refuse(id) => {
                let phone = self.may_confirm(*id)?;
                if phone.active_since.is_some() {
                    return Err(nobody());
                }
                refuse(self.transaction, &phone, Some(me), self.now)?;
                done()
            }
            PhonesRequest::PhonesOf(member) => {
                self.may(&Act::RevokePhone { member: *member })?;
                Ok(PhonesAnswer::Phones(self.phones_of(*member)?)).into()
            }
            PhonesRequest::Begin(act) => {
                self.may_act(&read_act(act)?)?;
                let nonce = self.nonces.for_act(self.phone.id, act, self.now);
                Ok(PhonesAnswer::Challenge(nonce.to_vec())).into()
            }
            PhonesRequest::Finish(act, nonce, signature) => {
                let not_approved = || Refusal::Problem(ProblemCode::NotApproved);
                let given_out = self
                    .nonces
                    .fresh_for_act(self.phone.id, act, nonce, self.now)
                    .ok_or_else(not_approved)?;
                let signed = act_bytes(self.phone.id, act, nonce);
                let approved = self
                    .phone
                    .approval
                    .as_ref()
                    .is_some_and(|key| key.verifies(&signed, signature));
                if !approved {
                    return Err(not_approved());
                }
                if !self.nonces.is_first_act(nonce, given_out, self.now) {
                    return Err(not_approved());
                }
                let act = read_act(act)?;
                self.may_act(&act)?;
                self.carry_out(act)?
            }
        })
    }

    /// Asks the one authorisation function.
    fn may(&self, act: &Act) -> Result<(), Refusal> {
        let actor = Actor::Member(self.phone.member);
        Batch::begin(self.transaction, self.now)?
            .permit(actor, act)?
            .map_err(Refusal::Rule)
    }

    /// A phone that somebody has. An unknown one is answered like one that the asker may not touch.
    fn owned(&self, id: InstallationId) -> Result<Installation, Refusal> {
        let phone = self.transaction.installation(id)?;
        phone
            .filter(|phone| phone.revoked_at.is_none())
            .ok_or_else(nobody)
    }

    fn may_confirm(&self, id: InstallationId) -> Result<Installation, Refusal> {
        let phone = self.owned(id)?;
        let member = phone.member;
        match self.may(&Act::ConfirmEnrolment { member }) {
            Ok(()) => Ok(phone),
            // Who may not confirm learns nothing about who waits.
            Err(Refusal::Rule(_)) => Err(nobody()),
            Err(other) => Err(other),
        }
    }

    fn revoke(&self, phone: &Installation) -> Result<PhonesAnswered, Refusal> {
        let by = Some(self.phone.member);
        refuse(self.transaction, phone, by, self.now)?;
        Ok(PhonesAnswered {
            revoked: Some(phone.id),
            ..Ok(PhonesAnswer::Done).into()
        })
    }

    fn audit(&self, member: MemberId, event: &Event) -> Result<(), Refusal> {
        Ok(self
            .transaction
            .audit(self.now, Scope::person(member), event)?)
    }

    fn may_act(&self, act: &PrivilegedAct) -> Result<(), Refusal> {
        if self.phone.approval.is_none() {
            return Err(Refusal::Problem(ProblemCode::NotApproved));
        }
        self.may(&match act {
            PrivilegedAct::Revoke(id) => Act::RevokePhone {
                member: self.owned(*id)?.member,
            },
            PrivilegedAct::Grant(appoint) => Act::GrantRole {
                organisation: appoint.organisation,
                role: appoint.role,
            },
            PrivilegedAct::Export(member) => Act::ExportProfile { member: *member },
        })
    }

    fn carry_out(&self, act: PrivilegedAct) -> Result<PhonesAnswered, Refusal> {
        match act {
            PrivilegedAct::Revoke(id) => self.revoke(&self.owned(id)?),
            PrivilegedAct::Grant(appoint) => self.grant(appoint),
            PrivilegedAct::Export(member) => {
                let export = super::export::of_member(self.transaction, member)?;
                let (by, what) = (Some(self.phone.member), "profile".to_owned());
                self.audit(member, &Event::Exported { by, what })?;
                Ok(Ok(PhonesAnswer::Export(export)).into())
            }
        }
    }

    /// Gives a task as the operator would, once the secretary was allowed to: the rules of appointments hold.
    fn grant(&self, appoint: Appoint) -> Result<PhonesAnswered, Refusal> {
        match operator::enter(self.transaction, [Intent::Appoint(appoint)], self.now)? {
            Ok(changed) => Ok(PhonesAnswered {
                changed,
                ..Ok(PhonesAnswer::Done).into()
            }),
            Err(refused) => Err(Refusal::Rule(refused.why)),
        }
    }

    fn invite(&self, new: &NewInvitation) -> Result<Timestamp, Refusal> {
        let malformed = || Refusal::Problem(ProblemCode::Malformed);
        let key = |bytes: &[u8]| <[u8; 32]>::try_from(bytes).map_err(|_| malformed());
        let keys = sotay_model::enrolment::EnrolmentKeys {
            lookup: key(&new.lookup)?,
            anchors: key(&new.anchors)?,
            claim: key(&new.claim)?,
        };
        if !(1..=MAX_INVITATION_DAYS).contains(&new.days) {
            return Err(malformed());
        }
        self.may(&Act::Invite { member: new.member })?;
        // An officer who sends the same keys again gets the same answer; anybody else's invitation is not overwritten.
        if let Some(known) = self.transaction.invitation(&keys.lookup)? {
            let same = known.member == new.member && known.used_at.is_none();
            return same.then_some(known.expires_at).ok_or_else(malformed);
        }
        let until = self.now.plus_minutes(i64::from(new.days) * 24 * 60);
        self.transaction
            .set_invitation(&unused(new.member, &keys, until))?;
        let (member, by) = (new.member, Some(self.phone.member));
        self.audit(member, &Event::InvitationMade { member, by })?;
        Ok(until)
    }

    fn phones_of(&self, member: MemberId) -> Result<Vec<PhoneLine>, Refusal> {
        let mut lines = Vec::new();
        for phone in self.transaction.installations_of(member)? {
            let waits = self.transaction.joining(phone.id, self.now)?.is_some();
            if phone.active_since.is_some() || waits {
                lines.push(PhoneLine {
                    installation: phone.id,
                    name: phone.device_name,
                    since: phone.enrolled_at,
                    active: phone.active_since.is_some(),
                });
            }
        }
        Ok(lines)
    }

    /// The phones that wait and that the asker may confirm.
    fn joining(&self) -> Result<Vec<JoiningLine>, Refusal> {
        let mut lines = Vec::new();
        if !self.holds_any_office()? {
            return Ok(lines);
        }
        for joining in self.transaction.all_joining(self.now)? {
            let phone = self.transaction.installation(joining.installation)?;
            let Some(phone) = phone else {
                continue;
            };
            match self.may(&Act::ConfirmEnrolment {
                member: phone.member,
            }) {
                Ok(()) => {}
                Err(Refusal::Rule(_)) => continue,
                Err(other) => return Err(other),
            }
            let Some(invited) = member(self.transaction, phone.member)? else {
                continue;
            };
            lines.push(JoiningLine {
                installation: phone.id,
                member: phone.member,
                member_name: invited.name,
                cell_name: self.name_of(invited.cell)?,
                device_name: phone.device_name,
                digits: joining.digits.number(),
                since: phone.enrolled_at,
            });
        }
        Ok(lines)
    }

    /// Who holds no office confirms nobody, however many wait.
    fn holds_any_office(&self) -> Result<bool, Refusal> {
        let mut found = false;
        self.transaction
            .listing(Scope::person(self.phone.member), 0, |row| {
                found |= matches!(row.content, Some((Kind::Appointment, _, _)));
                !found
            })?;
        Ok(found)
    }

    fn name_of(&self, organisation: OrganisationId) -> Result<String, Refusal> {
        Ok(self
            .transaction
            .record(Organisation::key(organisation))?
            .and_then(|stored| stored.record.read::<Organisation>().ok())
            .map(|found| found.name)
            .unwrap_or_default())
    }
}

fn nobody() -> Refusal {
    Refusal::Rule(Rejection::NotFound {
        what: sotay_model::rejection::Subject::Phone,
    })
}

fn read_act(bytes: &[u8]) -> Result<PrivilegedAct, Refusal> {
    cbor::from_bytes(bytes).map_err(|_| Refusal::Problem(ProblemCode::Malformed))
}
