//! Invitations and the phones that come with them.
//!
//! Every invitation that cannot be used, for whatever reason, gives the same answer. Five wrong proofs burn one. The proof
//! is checked before anything is written, except that a wrong one is counted.

use argon2::{Algorithm, Argon2, Params, Version};
use ring::rand::{SecureRandom, SystemRandom};
use ring::signature::{ED25519, UnparsedPublicKey};
use sotay_model::enrolment::{self, Code, EnrolmentKeys};
use sotay_model::organisation::Member;
use sotay_model::wire::{
    ClaimEnrolment, Enrolled, EnrolmentOpened, KeyAlgorithm, OpenEnrolment, PROTOCOL, ProblemCode,
};
use sotay_model::{Id, InstallationId, MemberId, Timestamp};

use super::{Engine, EngineError, Nonces};
use crate::storage::{Installation, Invitation, StorageError, Transaction};

/// How many wrong proofs burn an invitation.
pub const MAX_TRIES: u32 = 5;
/// How many phones a member may have at a time.
pub const MAX_PHONES: u32 = 3;
/// The most characters of a phone's name.
const MAX_DEVICE_NAME: usize = 100;
const ED25519_KEY_BYTES: usize = 32;

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
    /// Makes an invitation for a member; the code is shown once and not stored.
    pub fn invite(&mut self, member: MemberId, expires_at: Timestamp) -> Result<Code, EngineError> {
        let code = Code::from_random(random()?);
        let keys = EnrolmentKeys::derive(&stretch(&code)?);
        let transaction = self.storage.write()?;
        transaction.set_invitation(&unused(member, &keys, expires_at))?;
        transaction.commit()?;
        Ok(code)
    }

    /// Hands the roots over, proven by the code.
    pub fn open_enrolment(
        &mut self,
        request: &OpenEnrolment,
        roots: &[u8],
        nonces: &Nonces,
        now: Timestamp,
    ) -> Result<Result<EnrolmentOpened, ProblemCode>, EngineError> {
        if request.protocol != PROTOCOL {
            return Ok(Err(ProblemCode::UnsupportedProtocol));
        }
        let transaction = self.storage.read()?;
        let invitation = usable(&transaction, &request.lookup, now)?;
        let Some(invitation) = invitation.filter(|invitation| invitation.used_at.is_none()) else {
            return Ok(Err(ProblemCode::InvitationUnusable));
        };
        if transaction.phones_of(invitation.member)? >= MAX_PHONES {
            return Ok(Err(ProblemCode::InvitationUnusable));
        }
        let nonce = nonces.for_claim(&request.lookup, now);
        let mac = enrolment::roots_mac(&invitation.roots_key, roots, &nonce);
        Ok(Ok(EnrolmentOpened {
            roots: roots.to_vec(),
            mac: mac.to_vec(),
            nonce: nonce.to_vec(),
        }))
    }

    /// Makes a phone known. The same key may claim the same invitation again and gets the same answer: its first one may
    /// have been lost on the way.
    pub fn claim_enrolment(
        &mut self,
        claim: &ClaimEnrolment,
        nonces: &Nonces,
        now: Timestamp,
    ) -> Result<Result<Enrolled, ProblemCode>, EngineError> {
        let Some(device_name) = device_name(&claim.device_name) else {
            return Ok(Err(ProblemCode::Malformed));
        };
        if claim.algorithm != KeyAlgorithm::Ed25519 || claim.public_key.len() != ED25519_KEY_BYTES {
            return Ok(Err(ProblemCode::Malformed));
        }
        if !nonces.is_fresh_for_claim(&claim.lookup, &claim.nonce, now) {
            return Ok(Err(ProblemCode::StaleNonce));
        }
        let transaction = self.storage.write()?;
        let Some(mut invitation) = usable(&transaction, &claim.lookup, now)? else {
            return Ok(Err(ProblemCode::InvitationUnusable));
        };
        let proven = enrolment::claim_fits(
            &invitation.claim_key,
            &claim.nonce,
            claim.algorithm,
            &claim.public_key,
            &claim.proof,
        );
        if !proven {
            invitation.tries_left -= 1;
            transaction.set_invitation(&invitation)?;
            transaction.commit()?;
            return Ok(Err(ProblemCode::InvitationUnusable));
        }
        let signed = enrolment::claim_signed_bytes(&claim.nonce, &claim.public_key);
        if UnparsedPublicKey::new(&ED25519, &claim.public_key)
            .verify(&signed, &claim.signature)
            .is_err()
        {
            return Ok(Err(ProblemCode::BadSignature));
        }
        let Some(member) = member(&transaction, invitation.member)? else {
            return Ok(Err(ProblemCode::InvitationUnusable));
        };
        let installation = match invitation.used_by {
            Some(used_by) => match transaction.installation(used_by)? {
                Some(phone)
                    if phone.public_key == claim.public_key && phone.revoked_at.is_none() =>
                {
                    used_by
                }
                _ => return Ok(Err(ProblemCode::InvitationUnusable)),
            },
            None => {
                if transaction.phones_of(invitation.member)? >= MAX_PHONES {
                    return Ok(Err(ProblemCode::InvitationUnusable));
                }
                let id = InstallationId(Id::v7(now.0, random()?));
                transaction.add_installation(&Installation::joining(
                    id,
                    invitation.member,
                    (claim.algorithm, claim.public_key.clone()),
                    device_name,
                    now,
                ))?;
                invitation.used_at = Some(now);
                invitation.used_by = Some(id);
                transaction.set_invitation(&invitation)?;
                id
            }
        };
        transaction.commit()?;
        Ok(Ok(Enrolled {
            installation,
            member: invitation.member,
            member_name: member.name,
            cell: member.cell,
            now,
        }))
    }
}

/// An invitation that nobody has tried yet.
pub(super) const fn unused(
    member: MemberId,
    keys: &EnrolmentKeys,
    expires_at: Timestamp,
) -> Invitation {
    Invitation {
        lookup: keys.lookup,
        roots_key: keys.roots,
        claim_key: keys.claim,
        member,
        expires_at,
        tries_left: MAX_TRIES,
        used_at: None,
        used_by: None,
    }
}

/// The invitation, unless it is expired or burnt. A used one only serves the phone that used it.
fn usable(
    transaction: &Transaction<'_>,
    lookup: &[u8],
    now: Timestamp,
) -> Result<Option<Invitation>, EngineError> {
    let found = transaction.invitation(lookup)?;
    Ok(found.filter(|invitation| invitation.tries_left > 0 && now <= invitation.expires_at))
}

fn member(transaction: &Transaction<'_>, id: MemberId) -> Result<Option<Member>, EngineError> {
    Ok(transaction
        .record(Member::key(id))?
        .and_then(|stored| stored.record.read().ok()))
}

/// A phone's name without control characters and white space around; none if it is too long.
fn device_name(text: &str) -> Option<String> {
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
