//! Joining: from an invitation's text to a phone that the server knows.
//!
//! The first answer may come over any certificate: it hands over the organisation's roots and proves itself by a MAC under a key
//! that only who knows the code can derive. The claim then goes over a connection that must chain to those roots, and proves in
//! turn that the phone knows the code. The code itself never travels.

use std::sync::Arc;

use sotay_model::cbor;
use sotay_model::enrolment::{self, EnrolmentKeys, Invitation};
use sotay_model::wire::{
    ClaimEnrolment, Enrolled, EnrolmentOpened, KeyAlgorithm, OpenEnrolment, PROTOCOL,
};
use zeroize::Zeroizing;

use crate::error::{HandbookError, ServerFault};
use crate::identity::{self, Identity};
use crate::keys::Keys;
use crate::network::{Network, UnderWay};
use crate::transport::{Answer, Link, Transport, Trust};

const OPEN: &str = "/v1/enrolment/open";
const CLAIM: &str = "/v1/enrolment/claim";
/// The most characters of a phone's name.
const MAX_DEVICE_NAME: usize = 80;

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
fn stretched(invitation: &Invitation) -> Result<EnrolmentKeys, HandbookError> {
    let secret = Zeroizing::new(invitation.code().secret());
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
    roots: Vec<u8>,
    claim: Vec<u8>,
    device_key: Vec<u8>,
}

/// Joins; nothing is kept on the phone before the server has said yes.
pub(crate) fn join(
    wire: &Wire<'_>,
    unanswered: &mut Option<Unanswered>,
    keys: &Keys,
    invitation: &str,
    device_name: &str,
) -> Result<(Identity, Enrolled), HandbookError> {
    let invitation = read(invitation)?;
    let address = invitation.host();
    let enrolment_keys = stretched(&invitation)?;
    let attempt = match unanswered.take() {
        Some(before) if before.lookup == enrolment_keys.lookup => before,
        _ => open(wire, keys, address, &enrolment_keys, device_name)?,
    };
    let transport = Transport::new(address, &Trust::Roots(attempt.roots.clone()), wire.link)?;
    match exchange::<Enrolled>(wire, transport, CLAIM, attempt.claim.clone()) {
        Ok(enrolled) => Ok((
            Identity {
                installation: enrolled.installation,
                member: enrolled.member,
                member_name: enrolled.member_name.clone(),
                cell: enrolled.cell,
                address: address.to_owned(),
                roots: attempt.roots,
                device_key: attempt.device_key,
            },
            enrolled,
        )),
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

/// Fetches the roots, and makes the claim for a new key.
fn open(
    wire: &Wire<'_>,
    keys: &Keys,
    address: &str,
    enrolment_keys: &EnrolmentKeys,
    device_name: &str,
) -> Result<Unanswered, HandbookError> {
    let transport = Transport::new(address, &Trust::AnswerProvesItself, wire.link)?;
    let open = OpenEnrolment {
        protocol: PROTOCOL,
        lookup: enrolment_keys.lookup.to_vec(),
    };
    let opened: EnrolmentOpened = exchange(wire, transport, OPEN, cbor::to_bytes(&open))?;
    if !enrolment::roots_fit(
        &enrolment_keys.roots,
        &opened.roots,
        &opened.nonce,
        &opened.mac,
    ) {
        // Whoever answered does not know the code: not the server that made the invitation.
        return Err(HandbookError::ServerUnexpected {
            address: address.to_owned(),
            fault: ServerFault::Untrusted,
        });
    }
    let (pair, device_key) = identity::new_device_key(keys)?;
    let public_key = identity::public_key(&pair).to_vec();
    let algorithm = KeyAlgorithm::Ed25519;
    let claim = ClaimEnrolment {
        lookup: enrolment_keys.lookup.to_vec(),
        algorithm,
        proof: enrolment::claim_proof(&enrolment_keys.claim, &opened.nonce, algorithm, &public_key)
            .to_vec(),
        signature: pair
            .sign(&enrolment::claim_signed_bytes(&opened.nonce, &public_key))
            .as_ref()
            .to_vec(),
        public_key,
        nonce: opened.nonce,
        device_name: device_name
            .chars()
            .filter(|c| !c.is_control())
            .take(MAX_DEVICE_NAME)
            .collect(),
    };
    Ok(Unanswered {
        lookup: enrolment_keys.lookup,
        roots: opened.roots,
        claim: cbor::to_bytes(&claim),
        device_key,
    })
}

fn exchange<T: for<'b> minicbor::Decode<'b, ()>>(
    wire: &Wire<'_>,
    transport: Transport,
    path: &'static str,
    body: Vec<u8>,
) -> Result<T, HandbookError> {
    let transport = Arc::new(transport);
    let sent = Arc::clone(&transport);
    match wire
        .network
        .wait_for(wire.under_way, async move { sent.post(path, body).await })?
    {
        Answer::Message(bytes) => cbor::from_bytes(&bytes).map_err(|error| {
            transport.unexpected(if error.is_end_of_input() {
                ServerFault::Truncated
            } else {
                ServerFault::Unreadable
            })
        }),
        Answer::Problem(code, status) => Err(transport.refused(code, status)),
    }
}
