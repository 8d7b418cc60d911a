//! Acts that need a fresh unlock: the server gives a nonce, the hardware's second key signs act and nonce after the officer has
//! shown a face, a finger or the phone's code, and only then the act is carried out.

use std::sync::{Arc, Weak};

use sotay_model::organisation::Appoint;
use sotay_model::session::act_bytes;
use sotay_model::wire::{self, PhonesAnswer, PhonesRequest};
use sotay_model::{InstallationId, MemberId, cbor};

use super::views::TaskForm;
use crate::error::HandbookError;
use crate::handbook::Handbook;
use crate::lifecycle::Inner;
use crate::signer;

/// An act that waits for the officer's unlock, five minutes at most.
#[derive(Debug)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Object))]
pub struct PrivilegedAct {
    inner: Weak<Inner>,
    installation: InstallationId,
    act: Vec<u8>,
    nonce: Vec<u8>,
}

/// What an act brought.
#[derive(Clone, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum ActDone {
    /// It is done.
    Done,
    /// What was exported.
    Export {
        /// As JSON: personal data, to be handed to the member and kept nowhere.
        json: String,
    },
}

impl std::fmt::Debug for ActDone {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Done => "Done",
            Self::Export { .. } => "Export",
        })
    }
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl PrivilegedAct {
    /// What the key for privileged acts signs, with SHA-256: 32 bytes.
    pub fn challenge(&self) -> Vec<u8> {
        act_bytes(self.installation, &self.act, &self.nonce).to_vec()
    }

    /// Carries it out, with that key's signature in DER. `NotApproved` where it is not that key's, came too late, or was carried out
    /// before.
    pub fn finish(&self, signature: Vec<u8>) -> Result<ActDone, HandbookError> {
        let inner = self.inner.upgrade().ok_or(HandbookError::Cancelled)?;
        inner.guarded(|| {
            let signature = signer::fixed(&signature).map_err(|_| HandbookError::NotApproved)?;
            let finish = PhonesRequest::Finish(self.act.clone(), self.nonce.clone(), signature);
            match inner.ask(&finish)? {
                PhonesAnswer::Done => Ok(ActDone::Done),
                PhonesAnswer::Export(json) => Ok(ActDone::Export { json }),
                _ => Err(inner.broke_the_protocol()),
            }
        })
    }
}

#[cfg_attr(feature = "uniffi", uniffi::export)]
impl Handbook {
    /// Begins to revoke a phone: it is wiped at its next contact, with everything on it that was not sent.
    pub fn begin_revoking(
        &self,
        installation: InstallationId,
    ) -> Result<Arc<PrivilegedAct>, HandbookError> {
        self.begin(|| Ok(wire::PrivilegedAct::Revoke(installation)))
    }

    /// Begins to give a task in an organisation.
    pub fn begin_granting(&self, task: TaskForm) -> Result<Arc<PrivilegedAct>, HandbookError> {
        self.begin(|| {
            self.may_enter()?;
            Ok(wire::PrivilegedAct::Grant(Appoint {
                id: self.new_id()?,
                member: task.member,
                organisation: task.organisation,
                role: task.role,
                phone: task.phone,
                from: task.from,
                until: task.until,
            }))
        })
    }

    /// Begins to export what stands about a member in the own scope, and the phones.
    pub fn begin_exporting(&self, member: MemberId) -> Result<Arc<PrivilegedAct>, HandbookError> {
        self.begin(|| Ok(wire::PrivilegedAct::Export(member)))
    }
}

impl Handbook {
    fn begin(
        &self,
        act: impl FnOnce() -> Result<wire::PrivilegedAct, HandbookError>,
    ) -> Result<Arc<PrivilegedAct>, HandbookError> {
        let inner = self.inner();
        inner.guarded(|| {
            let installation = inner.member()?.identity.installation;
            let act = cbor::to_bytes(&act()?);
            match inner.ask(&PhonesRequest::Begin(act.clone()))? {
                PhonesAnswer::Challenge(nonce) => Ok(Arc::new(PrivilegedAct {
                    inner: Arc::downgrade(inner),
                    installation,
                    act,
                    nonce,
                })),
                _ => Err(inner.broke_the_protocol()),
            }
        })
    }
}
