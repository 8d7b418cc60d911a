//! Signing requests: an Ed25519 key for a day, certified by the device key.
//!
//! A session begins without a certificate: the server answers its first request with a nonce, the device key signs that nonce
//! with the session's key, and the certificate goes along until the server has answered it. The phone never judges by its own
//! clock whether the day is over: the server says so, and a new session begins. A nonce belongs to the session it was given to.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex};

use ring::signature::Ed25519KeyPair;
use sotay_model::InstallationId;
use sotay_model::session::SessionCertificate;
use sotay_model::signature::{self, Headers, Parameters, Request, SessionKey};
use sotay_model::statement::{SignedStatement, Statement, StatementFault};
use sotay_model::wire::{Problem, ProblemCode, TrustAnchors};
use zeroize::Zeroizing;

use crate::error::HandbookError;
use crate::keys;
use crate::signer::Device;
use crate::store::locked;

/// Signed with before the server gave a nonce; any server answers it with a fresh one.
const NO_NONCE: &str = "none";
const SEED_BYTES: usize = 32;

/// How one phone signs.
#[derive(Debug)]
pub(crate) struct Signer {
    installation: InstallationId,
    device: Device,
    trusted: Mutex<Trusted>,
    session: Mutex<Option<Arc<Session>>>,
    /// The session has to be kept for the next start.
    unkept: AtomicBool,
    revoked: AtomicBool,
}

/// Whose word this phone obeys: by it phones are wiped, and others take its place.
#[derive(Debug)]
struct Trusted {
    organisation: Vec<Vec<u8>>,
    /// Of the last statement that was kept or heard.
    serial: u64,
    /// A newer one, which is not kept yet.
    heard: Option<Statement>,
}

/// See the module.
#[derive(Debug)]
pub(crate) struct Session {
    pair: Ed25519KeyPair,
    key: SessionKey,
    seed: Zeroizing<[u8; SEED_BYTES]>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    nonce: Option<String>,
    /// The certificate as it travels.
    certificate: Option<String>,
    /// The server knows the certificate.
    known: bool,
}

/// The headers of one try, and what it depended on.
pub(crate) struct Signed {
    /// The signature's.
    pub(crate) headers: Headers,
    /// The certificate, where it has to go along.
    pub(crate) certificate: Option<String>,
    session: Arc<Session>,
}

/// One request, however many tries it takes.
#[derive(Debug, Default)]
pub(crate) struct Tries {
    stale: bool,
    renewed: bool,
}

impl Tries {
    /// More than any honest server makes of it: an old nonce, an unknown session, one whose day is over, a nonce for a new one.
    pub(crate) const MOST: usize = 6;
}

impl Session {
    fn new() -> Result<Self, HandbookError> {
        Self::from_seed(Zeroizing::new(keys::random()?), State::default())
    }

    fn from_seed(seed: Zeroizing<[u8; SEED_BYTES]>, state: State) -> Result<Self, HandbookError> {
        let pair = Ed25519KeyPair::from_seed_unchecked(seed.as_slice())
            .map_err(|_| HandbookError::KeyFailed)?;
        Ok(Self {
            key: signature::session_key(&pair),
            pair,
            seed,
            state: Mutex::new(state),
        })
    }

    /// From what [`Signer::to_keep`] gave.
    fn from_kept(kept: &[u8]) -> Option<Self> {
        let (seed, certificate) = kept.split_first_chunk::<SEED_BYTES>()?;
        let state = State {
            certificate: Some(String::from_utf8(certificate.to_vec()).ok()?),
            known: true,
            nonce: None,
        };
        Self::from_seed(Zeroizing::new(*seed), state).ok()
    }
}

impl Signer {
    /// For a phone; `kept` is its session of an earlier start.
    pub(crate) fn new(
        installation: InstallationId,
        device: Device,
        anchors: &TrustAnchors,
        serial: u64,
        kept: Option<&[u8]>,
    ) -> Self {
        let session = kept.and_then(Session::from_kept).map(Arc::new);
        Self {
            installation,
            device,
            trusted: Mutex::new(Trusted {
                organisation: keys_of(anchors),
                serial,
                heard: None,
            }),
            session: Mutex::new(session),
            unkept: AtomicBool::new(false),
            revoked: AtomicBool::new(false),
        }
    }

    /// Which statement of the organisation this phone has, kept or heard.
    pub(crate) fn serial(&self) -> u64 {
        locked(&self.trusted).serial
    }

    /// The server handed a statement over. One that a known key of the organisation signed, that is newer, and whose anchors
    /// connections can be checked against, waits to be kept; any other changes nothing.
    pub(crate) fn stated(
        &self,
        header: &str,
        usable: impl FnOnce(&TrustAnchors) -> bool,
    ) -> Result<(), StatementFault> {
        let mut trusted = locked(&self.trusted);
        let known = trusted.organisation.iter().map(Vec::as_slice);
        let statement = SignedStatement::from_header(header)?.open(known, trusted.serial)?;
        if !usable(&statement.anchors) {
            return Err(StatementFault::Unusable);
        }
        trusted.serial = statement.serial;
        trusted.heard = Some(statement);
        Ok(())
    }

    /// A statement that was heard and has to be kept.
    pub(crate) fn heard_statement(&self) -> Option<Statement> {
        locked(&self.trusted).heard.clone()
    }

    /// It was kept: from now on these are obeyed.
    pub(crate) fn obey(&self, anchors: &TrustAnchors, serial: u64) {
        let mut trusted = locked(&self.trusted);
        trusted.organisation = keys_of(anchors);
        trusted
            .heard
            .take_if(|statement| statement.serial <= serial);
    }

    /// The session to keep for the next start, if it is another one than when this was last asked.
    pub(crate) fn to_keep(&self) -> Option<Zeroizing<Vec<u8>>> {
        let session = locked(&self.session).clone()?;
        if !self.unkept.swap(false, Ordering::Relaxed) {
            return None;
        }
        let state = locked(&session.state);
        let certificate = state.certificate.as_deref()?;
        Some(Zeroizing::new(
            [session.seed.as_slice(), certificate.as_bytes()].concat(),
        ))
    }

    /// What [`Signer::to_keep`] gave could not be kept.
    pub(crate) fn not_kept(&self) {
        self.unkept.store(true, Ordering::Relaxed);
    }

    /// Signs one try of a request. Asks the device key where the session has a nonce and no certificate yet.
    pub(crate) fn signed(
        &self,
        request: &Request<'_>,
        created: i64,
    ) -> Result<Signed, HandbookError> {
        let session = {
            let mut session = locked(&self.session);
            match session.as_ref() {
                Some(session) => Arc::clone(session),
                None => Arc::clone(session.insert(Arc::new(Session::new()?))),
            }
        };
        let mut state = locked(&session.state);
        if let (None, Some(nonce)) = (&state.certificate, &state.nonce) {
            let signed = SessionCertificate::signed_bytes(self.installation, &session.key, nonce);
            let certificate = SessionCertificate {
                installation: self.installation,
                key: session.key.to_vec(),
                nonce: nonce.clone(),
                signature: self.device.sign(&signed)?,
            };
            state.certificate = Some(certificate.header());
            state.known = false;
            tracing::debug!("a session begins");
        }
        let nonce = state.nonce.as_deref().unwrap_or(NO_NONCE);
        let parameters =
            Parameters::new(created, session.key, nonce).map_err(|_| HandbookError::KeyFailed)?;
        Ok(Signed {
            headers: signature::sign_with(&session.pair, request, &parameters),
            certificate: state.certificate.clone().filter(|_| !state.known),
            session: {
                drop(state);
                session
            },
        })
    }

    /// The server answered with this nonce for the next request; what is no nonce is not remembered.
    pub(crate) fn heard(signed: &Signed, nonce: &str) {
        if Parameters::new(0, signed.session.key, nonce).is_ok() {
            locked(&signed.session.state).nonce = Some(nonce.to_owned());
        }
    }

    /// The server did what was asked: it knows the session.
    pub(crate) fn accepted(&self, signed: &Signed) {
        let mut state = locked(&signed.session.state);
        if !std::mem::replace(&mut state.known, true) {
            self.unkept.store(true, Ordering::Relaxed);
        }
    }

    /// The server refused; whether to sign and send once more.
    pub(crate) fn refused(&self, tries: &mut Tries, signed: &Signed, problem: &Problem) -> bool {
        match problem.code {
            ProblemCode::StaleNonce => !std::mem::replace(&mut tries.stale, true),
            ProblemCode::UnknownSession if signed.certificate.is_none() => {
                locked(&signed.session.state).known = false;
                true
            }
            ProblemCode::UnknownSession if !tries.renewed => {
                *tries = Tries {
                    stale: false,
                    renewed: true,
                };
                let mut session = locked(&self.session);
                // Another request may have begun a new one already.
                session.take_if(|now| Arc::ptr_eq(now, &signed.session));
                true
            }
            ProblemCode::UnknownInstallation => {
                let trusted = locked(&self.trusted);
                let organisation = trusted.organisation.iter().map(Vec::as_slice);
                if let Some(revocation) = &problem.revocation
                    && revocation.holds(self.installation, organisation)
                {
                    self.revoked.store(true, Ordering::Relaxed);
                }
                false
            }
            _ => false,
        }
    }

    /// Whether the organisation's own word came that this phone is nobody's any more.
    pub(crate) fn is_revoked(&self) -> bool {
        self.revoked.load(Ordering::Relaxed)
    }
}

/// The organisation's keys among trust anchors.
fn keys_of(anchors: &TrustAnchors) -> Vec<Vec<u8>> {
    let keys = anchors.organisation.iter();
    keys.map(|key| key.to_vec()).collect()
}
