//! Asking the server about phones.

use std::sync::Arc;
use std::time::{Duration, Instant};

use sotay_model::enrolment::{Code, Invitation, InvitationFault};
use sotay_model::exchange::SixDigits;
use sotay_model::organisation::MemberStatus;
use sotay_model::qr::Qr;
use sotay_model::rejection::{Fault, Field, Rejection};
use sotay_model::wire::{NewInvitation, PhoneLine, PhonesAnswer, PhonesRequest};
use sotay_model::{InstallationId, MemberId, cbor};

use super::views::{Confirmation, InvitationView, JoiningPhoneView, PhoneView, QrView};
use crate::enrol;
use crate::error::{HandbookError, ServerFault};
use crate::handbook::Handbook;
use crate::keys;
use crate::lifecycle::Inner;
use crate::meetings::PersonName;
use crate::organisation;

const PHONES: &str = "/v1/phones";
/// For how many days the server lets an officer invite.
const DAYS: std::ops::RangeInclusive<u32> = 1..=14;

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// The member's own phones.
    pub fn phones(&self) -> Result<Vec<PhoneView>, HandbookError> {
        self.listed(&PhonesRequest::List)
    }

    /// Another member's phones, for who may revoke them.
    pub fn phones_of(&self, member: MemberId) -> Result<Vec<PhoneView>, HandbookError> {
        self.listed(&PhonesRequest::PhonesOf(member))
    }

    /// Gives one of the own phones another name.
    pub fn rename_phone(
        &self,
        installation: InstallationId,
        name: String,
    ) -> Result<(), HandbookError> {
        let count = name.trim().chars().filter(|c| !c.is_control()).count();
        if count == 0 {
            return Err(invalid(Field::Name, Fault::Empty));
        }
        if count > enrol::MAX_DEVICE_NAME {
            let limit = enrol::MAX_DEVICE_NAME as u32;
            let field = Field::Name;
            return Err(Rejection::TooLarge { field, limit }.into());
        }
        self.done(&PhonesRequest::Rename(installation, name))
    }

    /// Whom this member may invite, by name: the members of the own cell, for its secretary and deputy. Needs no network.
    pub fn invitable(&self) -> Result<Vec<PersonName>, HandbookError> {
        self.read(|current| {
            if !organisation::leads(current, current.me, current.cell)? {
                return Ok(Vec::new());
            }
            let lines = organisation::directory(current, current.cell)?;
            Ok(lines
                .into_iter()
                .filter(|line| line.status != MemberStatus::TemporaryIn)
                .map(|line| PersonName {
                    member: line.member,
                    name: line.name,
                })
                .collect())
        })
    }

    /// Invites a member to one more phone, for 1 to 14 days. The code is made here: the server gets only what follows from it.
    pub fn invite(&self, member: MemberId, days: u32) -> Result<InvitationView, HandbookError> {
        if !DAYS.contains(&days) {
            return Err(invalid(Field::Period, Fault::Malformed));
        }
        let inner = self.inner();
        inner.guarded(|| {
            let code = Code::from_random(keys::random()?);
            let derived = enrol::stretched(&code)?;
            let wanted = NewInvitation {
                member,
                lookup: derived.lookup.to_vec(),
                anchors: derived.anchors.to_vec(),
                claim: derived.claim.to_vec(),
                days,
            };
            let host = inner.member()?.identity.address.clone();
            let plain = code.text();
            let text = Invitation::new(&host, code)
                .map_err(|fault| HandbookError::InvitationUnreadable { fault })?
                .text();
            // No host is so long that its invitation would not fit.
            let qr = Qr::of(&text).map_err(|_| HandbookError::InvitationUnreadable {
                fault: InvitationFault::Host,
            })?;
            match inner.ask(&PhonesRequest::Invite(wanted))? {
                PhonesAnswer::Invited(until) => Ok(InvitationView {
                    qr: QrView::from(&qr),
                    text,
                    code: plain,
                    host,
                    until,
                }),
                _ => Err(inner.broke_the_protocol()),
            }
        })
    }

    /// The phones that wait for a confirmation which this member may give.
    pub fn joining_phones(&self) -> Result<Vec<JoiningPhoneView>, HandbookError> {
        let inner = self.inner();
        inner.guarded(|| match inner.ask(&PhonesRequest::Joining)? {
            PhonesAnswer::Joining(lines) => lines
                .into_iter()
                .map(|line| {
                    let digits = SixDigits::from_number(line.digits)
                        .ok_or_else(|| inner.broke_the_protocol())?;
                    Ok(JoiningPhoneView {
                        installation: line.installation,
                        member: line.member,
                        member_name: line.member_name,
                        cell_name: line.cell_name,
                        device_name: line.device_name,
                        digits: digits.text(),
                        since: line.since,
                    })
                })
                .collect(),
            _ => Err(inner.broke_the_protocol()),
        })
    }

    /// Confirms a phone by the six digits that the member reads out from it. What is not six digits uses up no try.
    pub fn confirm_phone(
        &self,
        installation: InstallationId,
        digits: String,
    ) -> Result<Confirmation, HandbookError> {
        let inner = self.inner();
        inner.guarded(|| {
            let digits = SixDigits::parse(&digits).ok_or(HandbookError::DigitsMalformed)?;
            match inner.ask(&PhonesRequest::Confirm(installation, digits.number()))? {
                PhonesAnswer::Done => Ok(Confirmation::Confirmed),
                PhonesAnswer::WrongDigits(tries_left) => {
                    Ok(Confirmation::WrongDigits { tries_left })
                }
                _ => Err(inner.broke_the_protocol()),
            }
        })
    }

    /// Voids a claim whose digits differ: whoever claimed the invitation is not the member.
    pub fn refuse_phone(&self, installation: InstallationId) -> Result<(), HandbookError> {
        self.done(&PhonesRequest::Refuse(installation))
    }
}

impl Handbook {
    fn done(&self, request: &PhonesRequest) -> Result<(), HandbookError> {
        let inner = self.inner();
        inner.guarded(|| match inner.ask(request)? {
            PhonesAnswer::Done => Ok(()),
            _ => Err(inner.broke_the_protocol()),
        })
    }

    fn listed(&self, request: &PhonesRequest) -> Result<Vec<PhoneView>, HandbookError> {
        let inner = self.inner();
        inner.guarded(|| {
            let this = inner.member()?.identity.installation;
            let view = |line: PhoneLine| PhoneView {
                installation: line.installation,
                name: line.name,
                since: line.since,
                active: line.active,
                this: line.installation == this,
            };
            match inner.ask(request)? {
                PhonesAnswer::Phones(lines) => Ok(lines.into_iter().map(view).collect()),
                _ => Err(inner.broke_the_protocol()),
            }
        })
    }
}

/// What the server would not even read, as the form that it was written in can show it.
fn invalid(field: Field, why: Fault) -> HandbookError {
    Rejection::Invalid { field, why }.into()
}

impl Inner {
    /// One question, answered by the server or not at all.
    pub(crate) fn ask(&self, request: &PhonesRequest) -> Result<PhonesAnswer, HandbookError> {
        drop(self.enter()?);
        self.ask_until(request, None)?
            .ok_or(HandbookError::Cancelled)
    }

    fn ask_until(
        &self,
        request: &PhonesRequest,
        until: Option<Instant>,
    ) -> Result<Option<PhonesAnswer>, HandbookError> {
        let member = self.member()?;
        let (network, transport) = (self.network()?, self.transport()?);
        let (sending, signer) = (Arc::clone(&transport), Arc::clone(&member.signer));
        let body = cbor::to_bytes(request);
        let answer = network.wait_until(&self.asking, until, async move {
            sending.post_signed(&signer, PHONES, body).await
        });
        let answer = match answer {
            // Somebody paused the handbook, which ends what is under way.
            Err(HandbookError::Cancelled) if self.is_paused() => Err(HandbookError::Paused),
            answer => answer,
        };
        match answer? {
            None => Ok(None),
            Some(answer) => match transport.message(answer)? {
                PhonesAnswer::Rejected(why) => Err(why.into()),
                answer => Ok(Some(answer)),
            },
        }
    }

    /// Tells the server that this phone leaves, as far as it can be told quickly.
    pub(crate) fn leave(&self) {
        const PATIENCE: Duration = Duration::from_secs(5);
        // Best effort: who leaves offline stays in the list of phones until somebody takes the phone out of it.
        let _ = self.ask_until(&PhonesRequest::Leave, Some(Instant::now() + PATIENCE));
    }

    /// It answered something else than it was asked.
    pub(super) fn broke_the_protocol(&self) -> HandbookError {
        self.transport().map_or_else(
            |error| error,
            |transport| transport.unexpected(ServerFault::Protocol),
        )
    }
}
