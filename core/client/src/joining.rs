//! Joining, as an app sees it: claim an invitation, show six digits, ask until an officer has confirmed them.
//!
//! Between the claim and the confirmation the phone is nobody's: it shows its digits, also after it was killed, and every
//! other call answers `NotEnrolled`.

use std::sync::Arc;

use rusqlite::TransactionBehavior;
use sotay_model::exchange::SixDigits;
use sotay_model::statement::Version;
use sotay_model::wire::{Enrolled, EnrolmentState, ProblemCode};
use sotay_model::{Timestamp, cbor};

use crate::engine;
use crate::enrol;
use crate::error::HandbookError;
use crate::handbook::{Handbook, JoinedView};
use crate::identity::{Identity, Joining};
use crate::lifecycle::Inner;
use crate::session::Signer;
use crate::store::locked;
use crate::store::rows::{self, Setting};
use crate::transport::{Answer, Transport, Trust};
use crate::watch::Touched;

const STATE: &str = "/v1/enrolment/state";

/// A phone that waits for an officer.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Record))]
pub struct JoiningView {
    /// Six digits to read out to the officer, who compares them with what the server shows.
    pub digits: String,
    /// Until when they can be confirmed.
    pub until: Timestamp,
    /// The server that was joined: host, and port where it is not 443.
    pub host: String,
}

impl std::fmt::Debug for JoiningView {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("JoiningView")
            .field("until", &self.until)
            .finish_non_exhaustive()
    }
}

impl From<&Joining> for JoiningView {
    fn from(joining: &Joining) -> Self {
        Self {
            digits: SixDigits::from_number(joining.digits)
                .map_or_else(String::new, SixDigits::text),
            until: joining.until,
            host: joining.address.clone(),
        }
    }
}

/// A claim that waits, with the opened device key.
#[derive(Debug)]
pub(crate) struct Waiting {
    joining: Joining,
    signer: Arc<Signer>,
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// Claims an invitation: the text of a scanned code, `sotay://join/<host:port>/<code>`, or `host:port` and the thirteen
    /// typed symbols separated by a space. Needs the network; nothing is left behind when it fails. What it gives is shown
    /// until [`Handbook::finish_joining`] says who joined. A claim that waited already is forgotten once the new one is taken.
    pub fn join(
        &self,
        invitation: String,
        device_name: String,
    ) -> Result<JoiningView, HandbookError> {
        let inner = self.inner();
        inner.guarded(|| {
            let _turn = inner.turns.take(&inner.under_way, None)?;
            if inner.joined().is_some() {
                return Err(HandbookError::AlreadyEnrolled);
            }
            drop(inner.enter()?);
            let wire = enrol::Wire {
                network: &*inner.network()?,
                under_way: &inner.under_way,
                link: &inner.link,
            };
            let own = enrol::Own {
                keys: inner.keys(),
                hardware: inner.hardware.as_ref(),
            };
            let unanswered = &mut locked(&inner.unanswered);
            let (joining, now) = enrol::join(&wire, unanswered, own, &invitation, &device_name)?;
            let view = JoiningView::from(&joining);
            let pass = inner.enter()?;
            let mut writer = pass.writer();
            let kept = writer
                .db
                .transaction_with_behavior(TransactionBehavior::Immediate)?;
            rows::set(&kept, Setting::Joining, &cbor::to_bytes(&joining))?;
            inner.learn_time(&kept, now)?;
            kept.commit()?;
            inner.wait_for_officer(joining)?;
            Ok(view)
        })
    }

    /// The claim that waits for an officer, as `join` gave it; none before `join` and once joined. Needs no network.
    pub fn joining(&self) -> Result<Option<JoiningView>, HandbookError> {
        let inner = self.inner();
        inner.guarded(|| {
            drop(inner.enter()?);
            let waiting = locked(&inner.waiting);
            Ok(waiting.as_ref().map(|waiting| (&waiting.joining).into()))
        })
    }

    /// Asks the server, once, whether an officer has confirmed the digits: none while they wait. `InvitationUnusable` where the
    /// claim was refused or has run out; it is forgotten then, and the phone may join with another invitation.
    pub fn finish_joining(&self) -> Result<Option<JoinedView>, HandbookError> {
        let inner = self.inner();
        inner.guarded(|| {
            let _turn = inner.turns.take(&inner.under_way, None)?;
            if let Some(joined) = inner.joined() {
                return Ok(Some(JoinedView::from(&joined.identity)));
            }
            let waiting = locked(&inner.waiting).clone();
            let waiting = waiting.ok_or(HandbookError::NotEnrolled)?;
            match inner.ask_state(&waiting)? {
                Some(EnrolmentState::Waiting) => Ok(None),
                Some(EnrolmentState::Active(enrolled)) => {
                    Ok(Some(inner.confirmed(&waiting, enrolled)?))
                }
                None => {
                    inner.forget_claim()?;
                    Err(HandbookError::InvitationUnusable)
                }
            }
        })
    }

    /// Forgets a claim that waits; does nothing where there is none.
    pub fn stop_joining(&self) -> Result<(), HandbookError> {
        let inner = self.inner();
        inner.guarded(|| {
            let _turn = inner.turns.take(&inner.under_way, None)?;
            inner.forget_claim()
        })
    }
}

impl Inner {
    /// From now on this claim waits.
    pub(crate) fn wait_for_officer(&self, joining: Joining) -> Result<(), HandbookError> {
        let signer = self.signer(
            joining.installation,
            &joining.device_key,
            &joining.anchors,
            0,
            None,
        )?;
        *locked(&self.waiting) = Some(Arc::new(Waiting {
            joining,
            signer: Arc::new(signer),
        }));
        Ok(())
    }

    /// How the claim stands; none where the server does not know it any more.
    fn ask_state(&self, waiting: &Waiting) -> Result<Option<EnrolmentState>, HandbookError> {
        let joining = &waiting.joining;
        let trust = Trust::Anchors(&joining.anchors);
        let transport = Arc::new(Transport::new(&joining.address, &trust, &self.link)?);
        let (sending, signer) = (Arc::clone(&transport), Arc::clone(&waiting.signer));
        let answer = self.network()?.wait_for(&self.under_way, async move {
            sending.post_signed(&signer, STATE, Vec::new()).await
        })?;
        match answer {
            Answer::Problem(
                ProblemCode::InvitationUnusable | ProblemCode::UnknownInstallation,
                _,
            ) => Ok(None),
            answer => transport.message(answer).map(Some),
        }
    }

    /// An officer has confirmed: from now on it is a member's handbook.
    fn confirmed(
        &self,
        waiting: &Waiting,
        enrolled: Enrolled,
    ) -> Result<JoinedView, HandbookError> {
        let joining = &waiting.joining;
        let identity = Identity {
            installation: joining.installation,
            member: enrolled.member,
            member_name: enrolled.member_name,
            cell: enrolled.cell,
            address: joining.address.clone(),
            anchors: joining.anchors.clone(),
            device_key: joining.device_key.clone(),
            serial: 0,
            minimum: Version::default(),
        };
        let pass = self.enter()?;
        let mut writer = pass.writer();
        let bytes = cbor::to_bytes(&identity);
        writer.journal.keep_identity(&bytes)?;
        let kept = writer
            .db
            .transaction_with_behavior(TransactionBehavior::Immediate)?;
        rows::set(&kept, Setting::Identity, &bytes)?;
        rows::unset(&kept, Setting::Joining)?;
        rows::unset(&kept, Setting::Session)?;
        self.learn_time(&kept, enrolled.now)?;
        kept.commit()?;
        self.watches
            .concern(engine::concern(&writer.db, Some(&identity))?);
        let view = JoinedView::from(&identity);
        self.remember(identity, Arc::clone(&waiting.signer));
        // Best effort: without it the next start begins a session of its own.
        let _ = self.keep_session(&writer.db);
        locked(&self.waiting).take();
        self.watches.committed(&Touched {
            everything: true,
            ..Touched::default()
        });
        self.wake_background();
        Ok(view)
    }

    fn forget_claim(&self) -> Result<(), HandbookError> {
        let pass = self.enter()?;
        rows::unset(&pass.writer().db, Setting::Joining)?;
        locked(&self.waiting).take();
        Ok(())
    }
}
