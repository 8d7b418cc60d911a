//! Joining: from an invitation's text to a phone that the server knows, and that an officer has yet to confirm.
//!
//! The first answer may come over any certificate: it hands over the organisation's anchors and proves itself by a MAC under a key
//! that only who knows the code can derive. The claim then goes over a connection that must chain to those anchors, and proves in
//! turn that the phone knows the code. The code itself never travels. Both sides commit before they reveal
//! ([`sotay_model::exchange`]), so the six digits tell anybody in between, even one who knows the code.

use std::sync::Arc;

use sotay_model::enrolment::{self, Code, EnrolmentKeys, Invitation};
use sotay_model::exchange::{self, HASH_BYTES, SixDigits};
use sotay_model::wire::{
    ClaimEnrolment, EnrolmentClaimed, EnrolmentOpened, OpenEnrolment, PROTOCOL, TrustAnchors,
};
use sotay_model::{Timestamp, cbor};
use zeroize::Zeroizing;

use crate::any_certificate::AnyCertificate;
use crate::error::{HandbookError, ServerFault};
use crate::identity::Joining;
use crate::keys::{self, Keys};
use crate::network::{Network, UnderWay};
use crate::server_certificate::ServerCertificate;
use crate::signer::{Device, DeviceSigner};
use crate::transport::{Link, Transport, Trust};

const OPEN: &str = "/v1/enrolment/open";
const CLAIM: &str = "/v1/enrolment/claim";
/// The most characters of a phone's name.
pub(crate) const MAX_DEVICE_NAME: usize = 80;

/// Reads a scanned or typed invitation.
pub(crate) fn read(text: &str) -> Result<Invitation, HandbookError> {
    let text = text.trim();
    let read = if text.contains("://") {
        Invitation::parse(text)
    } else {
        match text.split_once(char::is_whitespace) {
            Some((host, code)) => Invitation::typed(host, code),
            None => Err(enrolment::InvitationFault::NotAnInvitation),
        }
    };
    read.map_err(|fault| HandbookError::InvitationUnreadable { fault })
}

/// Stretches the code: the same on phone and server, slow for whoever guesses.
pub(crate) fn stretched(code: &Code) -> Result<EnrolmentKeys, HandbookError> {
    let secret = Zeroizing::new(code.secret());
    let mut bytes = Zeroizing::new([0; 32]);
    argon2::Params::new(
        enrolment::MEMORY_KIB,
        enrolment::PASSES,
        enrolment::LANES,
        Some(32),
    )
    .map(|params| argon2::Argon2::new(argon2::Algorithm::Argon2id, argon2::Version::V0x13, params))
    .and_then(|argon| argon.hash_password_into(&secret, enrolment::SALT, bytes.as_mut_slice()))
    .map_err(|_| HandbookError::KeyFailed)?;
    Ok(EnrolmentKeys::derive(&bytes))
}

/// How a message is sent and waited for.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Wire<'w> {
    /// The thread that sends.
    pub(crate) network: &'w Network,
    /// What another thread can end.
    pub(crate) under_way: &'w UnderWay,
    /// What connections share.
    pub(crate) link: &'w Link,
}

/// A claim that was sent and whose answer never came. The server may have used the invitation up for this key, so the same claim
/// is sent again when the same code is entered again; it is kept in memory only.
#[derive(Debug)]
pub(crate) struct Unanswered {
    lookup: [u8; 32],
    /// As they came: the server committed to these bytes.
    anchors: Vec<u8>,
    trust: TrustAnchors,
    nonce: [u8; HASH_BYTES],
    /// The phone's commitment, then the server's.
    commitments: [[u8; HASH_BYTES]; 2],
    claim: Vec<u8>,
    device_key: Vec<u8>,
}

/// With what a phone joins.
#[derive(Clone, Copy)]
pub(crate) struct Own<'o> {
    /// Seal what is kept.
    pub(crate) keys: &'o Keys,
    /// The phone's secure hardware.
    pub(crate) hardware: Option<&'o Arc<dyn DeviceSigner>>,
}

/// Claims an invitation; nothing is kept on the phone before the server has taken the claim. Also gives the server's time.
pub(crate) fn join(
    wire: &Wire<'_>,
    unanswered: &mut Option<Unanswered>,
    own: Own<'_>,
    invitation: &str,
    device_name: &str,
) -> Result<(Joining, Timestamp), HandbookError> {
    let invitation = read(invitation)?;
    let address = invitation.host();
    let enrolment_keys = stretched(invitation.code())?;
    let attempt = match unanswered.take() {
        Some(before) if before.lookup == enrolment_keys.lookup => before,
        _ => open(wire, own, address, &enrolment_keys, device_name)?,
    };
    let transport = Transport::new(address, &Trust::Anchors(&attempt.trust), wire.link)?;
    match ask::<EnrolmentClaimed>(wire, transport, CLAIM, attempt.claim.clone()) {
        Ok(claimed) => {
            let [phone, server] = &attempt.commitments;
            let revealed = exchange::server_commitment(phone, &attempt.anchors, &claimed.nonce);
            if claimed.nonce.len() != HASH_BYTES || revealed != *server {
                // It chose its nonce after it knew the phone's: that is what somebody in between would do.
                return Err(untrusted(address));
            }
            let digits = SixDigits::of(phone, server, &attempt.nonce, &claimed.nonce);
            let joining = Joining {
                installation: claimed.installation,
                address: address.to_owned(),
                anchors: attempt.trust,
                device_key: attempt.device_key,
                digits: digits.number(),
                until: claimed.until,
            };
            Ok((joining, claimed.now))
        }
        Err(error) => {
            // The server's own word ends the attempt; anything else may have happened to an answer on its way.
            if matches!(
                error,
                HandbookError::ServerUnreachable { .. } | HandbookError::Cancelled
            ) || matches!(&error, HandbookError::ServerUnexpected { fault, .. }
                    if !matches!(fault, ServerFault::Untrusted | ServerFault::Protocol))
            {
                *unanswered = Some(attempt);
            }
            Err(error)
        }
    }
}

/// Fetches the anchors, and makes the claim for a new key.
fn open(
    wire: &Wire<'_>,
    own: Own<'_>,
    address: &str,
    enrolment_keys: &EnrolmentKeys,
    device_name: &str,
) -> Result<Unanswered, HandbookError> {
    let (device, device_key) = Device::new(own.keys, own.hardware)?;
    let (public, approval) = (device.public_key()?, device.approval_key()?);
    let nonce = keys::random()?;
    let lookup = enrolment_keys.lookup;
    let phone = exchange::phone_commitment(&lookup, &public, approval.as_ref(), &nonce);
    let met = Arc::new(AnyCertificate::new());
    let trust = Trust::AnswerProvesItself(Arc::clone(&met));
    let transport = Transport::new(address, &trust, wire.link)?;
    let message = OpenEnrolment {
        protocol: PROTOCOL,
        lookup: lookup.to_vec(),
        commitment: phone.to_vec(),
    };
    let opened: EnrolmentOpened = ask(wire, transport, OPEN, cbor::to_bytes(&message))?;
    let (anchors, fresh) = (opened.anchors, opened.fresh);
    let server: [u8; HASH_BYTES] = opened
        .commitment
        .try_into()
        .map_err(|_| untrusted(address))?;
    let key = &enrolment_keys.anchors;
    // Whoever answers without knowing the code is not the server that made the invitation.
    if fresh.len() != HASH_BYTES
        || !exchange::anchors_fit(key, &anchors, &fresh, &server, &opened.mac)
    {
        return Err(untrusted(address));
    }
    let trust: TrustAnchors = cbor::from_bytes(&anchors).map_err(|_| untrusted(address))?;
    let usable = trust.organisation.iter().all(|key| key.len() == HASH_BYTES);
    let check = ServerCertificate::under(&trust, &wire.link.time).filter(|_| usable);
    if !check.is_some_and(|check| met.passes(&check)) {
        return Err(untrusted(address));
    }
    let device_name: String = device_name
        .chars()
        .filter(|c| !c.is_control())
        .take(MAX_DEVICE_NAME)
        .collect();
    let claim = exchange::claim_bytes(&phone, &server, &fresh, &device_name);
    let message = ClaimEnrolment {
        lookup: lookup.to_vec(),
        device: public,
        approval,
        nonce: nonce.to_vec(),
        fresh,
        device_name,
        proof: exchange::claim_proof(&enrolment_keys.claim, &claim).to_vec(),
        signature: device.sign(&claim)?,
    };
    Ok(Unanswered {
        lookup,
        anchors,
        trust,
        nonce,
        commitments: [phone, server],
        claim: cbor::to_bytes(&message),
        device_key,
    })
}

fn untrusted(address: &str) -> HandbookError {
    HandbookError::ServerUnexpected {
        address: address.to_owned(),
        fault: ServerFault::Untrusted,
    }
}

fn ask<T: for<'b> minicbor::Decode<'b, ()>>(
    wire: &Wire<'_>,
    transport: Transport,
    path: &'static str,
    body: Vec<u8>,
) -> Result<T, HandbookError> {
    let transport = Arc::new(transport);
    let sent = Arc::clone(&transport);
    let answer = wire
        .network
        .wait_for(wire.under_way, async move { sent.post(path, body).await })?;
    transport.message(answer)
}
