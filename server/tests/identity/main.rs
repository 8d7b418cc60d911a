//! Who a request comes from: joining with six digits, sessions, revocations, and what officers do about phones.

#![allow(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test may stop at the first surprise"
)]

#[path = "../common/mod.rs"]
mod common;
#[path = "../served/mod.rs"]
mod served;

mod acts;
mod bodies;
mod joining;
mod listening;
mod phones;
mod requests;

use reqwest::StatusCode;
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair};
use served::{Joiner, Served, keys_of};
use sotay_model::device_key::{PublicKey, fixed_from_der};
use sotay_model::enrolment::{Code, EnrolmentKeys};
use sotay_model::wire::{NewInvitation, ProblemCode};
use sotay_server::engine::stretch;

const UNUSABLE: (StatusCode, ProblemCode) =
    (StatusCode::FORBIDDEN, ProblemCode::InvitationUnusable);
const BAD: (StatusCode, ProblemCode) = (StatusCode::UNAUTHORIZED, ProblemCode::BadSignature);

fn joiner(served: &Served, member: &str, seed: u8) -> Joiner {
    Joiner::new(&keys_of(&served.invite(member)), seed)
}

/// A P-256 key as a phone's hardware holds one.
struct Hardware(EcdsaKeyPair);

impl Hardware {
    fn new() -> Self {
        let random = SystemRandom::new();
        let document =
            EcdsaKeyPair::generate_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &random).unwrap();
        let algorithm = &ECDSA_P256_SHA256_ASN1_SIGNING;
        Self(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap())
    }

    fn public(&self) -> PublicKey {
        PublicKey::p256(self.0.public_key().as_ref()).unwrap()
    }

    fn sign(&self, message: &[u8]) -> Vec<u8> {
        let der = self.0.sign(&SystemRandom::new(), message).unwrap();
        fixed_from_der(der.as_ref()).unwrap().to_vec()
    }
}

fn invitation_of(served: &Served, member: &str, random: u8) -> (NewInvitation, EnrolmentKeys) {
    let keys = EnrolmentKeys::derive(&stretch(&Code::from_random([random; 8])).unwrap());
    let new = NewInvitation {
        member: served.place.commune.members[member],
        lookup: keys.lookup.to_vec(),
        anchors: keys.anchors.to_vec(),
        claim: keys.claim.to_vec(),
        days: 7,
    };
    (new, keys)
}
