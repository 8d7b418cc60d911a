//! Invitations, and the phones that come with them.
//!
//! Every invitation that cannot be used, for whatever reason, gives the same answer. Five wrong proofs burn one, five wrong
//! digits make a claim void. The proof is checked before anything is written, except that a wrong one is counted. A claimed phone
//! can do nothing but ask how its enrolment stands until an officer has compared the six digits.

use argon2::{Algorithm, Argon2, Params, Version};
use ring::rand::{SecureRandom, SystemRandom};
use sotay_model::device_key::PublicKey;
use sotay_model::enrolment::{self, Code, EnrolmentKeys};
use sotay_model::exchange::{self, HASH_BYTES, SixDigits};
use sotay_model::organisation::Member;
use sotay_model::wire::{
    ClaimEnrolment, Enrolled, EnrolmentClaimed, EnrolmentOpened, EnrolmentState, OpenEnrolment,
    PROTOCOL, ProblemCode,
};
use sotay_model::{Id, InstallationId, MemberId, Scope, Timestamp};

use super::{Engine, EngineError, Nonces, may_join};
use crate::audit::Event;
use crate::storage::{Installation, Invitation, Joining, StorageError, Transaction};

/// How many wrong proofs burn an invitation, and how many wrong digits make a claim void.
pub const MAX_TRIES: u32 = 5;
/// How many phones a member may have at a time.
pub const MAX_PHONES: u32 = 3;
/// The most characters of a phone's name.
const MAX_DEVICE_NAME: usize = 100;
/// How long a claimed phone waits for an officer, in milliseconds.
const CONFIRM_WITHIN_MS: i64 = 24 * 3_600_000;

/// Argon2id of a code, with the parameters that both sides use.
pub fn stretch(code: &Code) -> Result<[u8; 32], StorageError> {
    let failed = |_| StorageError::Damaged { what: "code" };
    let params = Params::new(
        enrolment::MEMORY_KIB,
        enrolment::PASSES,
        enrolment::LANES,
        Some(32),
    )
    .map_err(failed)?;
    let mut stretched = [0; 32];
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
        .hash_password_into(&code.secret(), enrolment::SALT, &mut stretched)
        .map_err(failed)?;
    Ok(stretched)
}

impl Engine {
    /// Hands the trust anchors over, proven by the code, and commits to them and a nonce.
    pub fn open_enrolment(
        &mut self,
        request: &OpenEnrolment,
        anchors: &[u8],
        nonces: &Nonces,
        now: Timestamp,
    ) -> Result<Result<EnrolmentOpened, ProblemCode>, EngineError> {
        if request.protocol != PROTOCOL {
            return Ok(Err(ProblemCode::UnsupportedProtocol));
        }
        if request.lookup.len() != HASH_BYTES || request.commitment.len() != HASH_BYTES {
            return Ok(Err(ProblemCode::Malformed));
        }
        let transaction = self.storage.read()?;
        let invitation = usable(&transaction, &request.lookup, now)?;
        let Some(invitation) = invitation.filter(|invitation| invitation.used_at.is_none()) else {
            return Ok(Err(ProblemCode::InvitationUnusable));
        };
        if transaction.phones_of(invitation.member, now)? >= MAX_PHONES {
            return Ok(Err(ProblemCode::InvitationUnusable));
        }
        let fresh = nonces.for_claim(&request.lookup, &request.commitment, now);
        let nonce = nonces.of_exchange(&request.lookup, &request.commitment, &fresh);
        let commitment = exchange::server_commitment(&request.commitment, anchors, &nonce);
        let mac = exchange::anchors_mac(&invitation.anchors_key, anchors, &fresh, &commitment);
        Ok(Ok(EnrolmentOpened {
            anchors: anchors.to_vec(),
            mac: mac.to_vec(),
            fresh: fresh.to_vec(),
            commitment: commitment.to_vec(),
        }))
    }

    /// Takes a claim: from now on the phone waits for an officer. The same claim again gets the same answer: the first one may
    /// have been lost on the way. Any other claim of the invitation gets none, or whoever has the code could try digits.
    /// `handed` are the anchors that are handed over now, and those that the phone may have been handed before a rotation.
    pub fn claim_enrolment(
        &mut self,
        claim: &ClaimEnrolment,
        handed: &[Vec<u8>],
        nonces: &Nonces,
        now: Timestamp,
    ) -> Result<Result<EnrolmentClaimed, ProblemCode>, EngineError> {
        let Some(name) = device_name(&claim.device_name) else {
            return Ok(Err(ProblemCode::Malformed));
        };
        let keys_fit = claim.device.is_well_formed()
            && claim
                .approval
                .as_ref()
                .is_none_or(PublicKey::is_well_formed);
        if !keys_fit || claim.nonce.len() != HASH_BYTES || claim.lookup.len() != HASH_BYTES {
            return Ok(Err(ProblemCode::Malformed));
        }
        let phone = exchange::phone_commitment(
            &claim.lookup,
            &claim.device,
            claim.approval.as_ref(),
            &claim.nonce,
        );
        if !nonces.is_fresh_for_claim(&claim.lookup, &phone, &claim.fresh, now) {
            return Ok(Err(ProblemCode::StaleNonce));
        }
        let nonce = nonces.of_exchange(&claim.lookup, &phone, &claim.fresh);
        let transaction = self.storage.write()?;
        let Some(mut invitation) = usable(&transaction, &claim.lookup, now)? else {
            return Ok(Err(ProblemCode::InvitationUnusable));
        };
        let fitting = handed.iter().find_map(|anchors| {
            let server = exchange::server_commitment(&phone, anchors, &nonce);
            let claimed = exchange::claim_bytes(&phone, &server, &claim.fresh, &claim.device_name);
            exchange::claim_fits(&invitation.claim_key, &claimed, &claim.proof)
                .then_some((server, claimed))
        });
        let Some((server, claimed)) = fitting else {
            invitation.tries_left -= 1;
            transaction.set_invitation(&invitation)?;
            if invitation.tries_left == 0 {
                let member = invitation.member;
                let event = Event::InvitationBurnt { member };
                transaction.audit(now, Scope::person(member), &event)?;
            }
            transaction.commit()?;
            return Ok(Err(ProblemCode::InvitationUnusable));
        };
        if !claim.device.verifies(&claimed, &claim.signature) {
            return Ok(Err(ProblemCode::BadSignature));
        }
        if let Some(id) = invitation.used_by {
            let waiting = transaction
                .joining(id, now)?
                .filter(|_| invitation.claim.as_deref() == Some(&claimed));
            return Ok(waiting
                .map(|joining| EnrolmentClaimed {
                    installation: id,
                    nonce: nonce.to_vec(),
                    now,
                    until: joining.until,
                })
                .ok_or(ProblemCode::InvitationUnusable));
        }
        if transaction.phones_of(invitation.member, now)? >= MAX_PHONES {
            return Ok(Err(ProblemCode::InvitationUnusable));
        }
        let id = InstallationId(Id::v7(now.0, random()?));
        let until = Timestamp(now.0.saturating_add(CONFIRM_WITHIN_MS));
        let device = claim.device.clone();
        transaction.add_installation(&Installation {
            approval: claim.approval.clone(),
            ..Installation::joining(id, invitation.member, device, name, now)
        })?;
        transaction.await_officer(&Joining {
            installation: id,
            digits: SixDigits::of(&phone, &server, &claim.nonce, &nonce),
            tries_left: MAX_TRIES,
            until,
        })?;
        invitation.used_at = Some(now);
        invitation.used_by = Some(id);
        invitation.claim = Some(claimed.to_vec());
        transaction.set_invitation(&invitation)?;
        let (member, phone) = (invitation.member, id);
        let event = Event::PhoneEnrolled { member, phone };
        transaction.audit(now, Scope::person(member), &event)?;
        transaction.commit()?;
        Ok(Ok(EnrolmentClaimed {
            installation: id,
            nonce: nonce.to_vec(),
            now,
            until,
        }))
    }

    /// How the enrolment of a phone stands. A claim that became void is answered like every unusable invitation.
    pub fn enrolment_state(
        &mut self,
        phone: &Installation,
        now: Timestamp,
    ) -> Result<Result<EnrolmentState, ProblemCode>, EngineError> {
        let transaction = self.storage.read()?;
        if phone.active_since.is_none() {
            let waits = transaction.joining(phone.id, now)?.is_some()
                && may_join(&transaction, phone.member, now)?;
            return Ok(if waits {
                Ok(EnrolmentState::Waiting)
            } else {
                Err(ProblemCode::InvitationUnusable)
            });
        }
        let Some(member) = member(&transaction, phone.member)? else {
            return Ok(Err(ProblemCode::InvitationUnusable));
        };
        Ok(Ok(EnrolmentState::Active(Enrolled {
            member: phone.member,
            member_name: member.name,
            cell: member.cell,
            now,
        })))
    }
}

/// What became of six digits that an officer entered.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Compared {
    /// They agree: the phone is the member's.
    Agree,
    /// They differ; so many tries are left. With none the claim is void.
    Differ {
        /// Tries left.
        left: u32,
    },
    /// No such phone waits.
    NobodyWaits,
    /// The member may not join any more.
    MayNotJoin,
}

/// Compares digits with those of a phone that waits; `by` whom, or the operator. The caller commits, whatever came out: a wrong try is counted.
pub(crate) fn compare(
    transaction: &Transaction<'_>,
    phone: InstallationId,
    digits: SixDigits,
    by: Option<MemberId>,
    now: Timestamp,
) -> Result<Compared, EngineError> {
    let Some(mut joining) = transaction.joining(phone, now)? else {
        return Ok(Compared::NobodyWaits);
    };
    let Some(known) = transaction.installation(phone)? else {
        return Ok(Compared::NobodyWaits);
    };
    let member = known.member;
    // The membership may have ended since the invitation was used.
    if !may_join(transaction, member, now)? {
        return Ok(Compared::MayNotJoin);
    }
    if joining.digits == digits {
        transaction.activate(phone, now)?;
        let event = Event::PhoneConfirmed { member, phone, by };
        transaction.audit(now, Scope::person(member), &event)?;
        return Ok(Compared::Agree);
    }
    joining.tries_left = joining.tries_left.saturating_sub(1);
    if joining.tries_left == 0 {
        refuse(transaction, &known, by, now)?;
    } else {
        transaction.await_officer(&joining)?;
    }
    Ok(Compared::Differ {
        left: joining.tries_left,
    })
}

/// A phone is no longer accepted, and waits no longer. An invitation it came with stays used up: the member is invited anew.
pub(crate) fn refuse(
    transaction: &Transaction<'_>,
    phone: &Installation,
    by: Option<MemberId>,
    now: Timestamp,
) -> Result<(), EngineError> {
    let (member, id) = (phone.member, phone.id);
    transaction.end_waiting(id)?;
    if transaction.revoke(id, now)? {
        let event = Event::PhoneRevoked {
            member,
            phone: id,
            by,
        };
        transaction.audit(now, Scope::person(member), &event)?;
    }
    Ok(())
}

/// An invitation that nobody has tried yet.
pub(super) const fn unused(
    member: MemberId,
    keys: &EnrolmentKeys,
    expires_at: Timestamp,
) -> Invitation {
    Invitation {
        lookup: keys.lookup,
        anchors_key: keys.anchors,
        claim_key: keys.claim,
        member,
        expires_at,
        tries_left: MAX_TRIES,
        used_at: None,
        used_by: None,
        claim: None,
    }
}

/// The invitation, unless it is expired or burnt, or whose it is may not join. A used one only serves the phone that used it.
fn usable(
    transaction: &Transaction<'_>,
    lookup: &[u8],
    now: Timestamp,
) -> Result<Option<Invitation>, EngineError> {
    let found = transaction.invitation(lookup)?;
    let found = found.filter(|found| found.tries_left > 0 && now <= found.expires_at);
    match found {
        Some(invitation) if may_join(transaction, invitation.member, now)? => Ok(Some(invitation)),
        _ => Ok(None),
    }
}

pub(super) fn member(
    transaction: &Transaction<'_>,
    id: MemberId,
) -> Result<Option<Member>, EngineError> {
    Ok(transaction
        .record(Member::key(id))?
        .and_then(|stored| stored.record.read().ok()))
}

/// A phone's name without control characters and white space around; none if it is too long.
pub(super) fn device_name(text: &str) -> Option<String> {
    let name: String = text.trim().chars().filter(|c| !c.is_control()).collect();
    (name.chars().count() <= MAX_DEVICE_NAME).then_some(name)
}

/// Bytes nobody can guess.
pub(crate) fn random<const N: usize>() -> Result<[u8; N], StorageError> {
    let mut bytes = [0; N];
    SystemRandom::new()
        .fill(&mut bytes)
        .map_err(|_| StorageError::Damaged {
            what: "source of randomness",
        })?;
    Ok(bytes)
}
