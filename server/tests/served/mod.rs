//! A server over real TLS, and phones made of keys.

#![allow(dead_code, reason = "each test program uses its part")]

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};

use reqwest::{Client, Method, Response, StatusCode};
use ring::signature::{Ed25519KeyPair, KeyPair};
use sotay_model::device_key::PublicKey;
use sotay_model::enrolment::{EnrolmentKeys, Invitation};
use sotay_model::exchange::{self, SixDigits};
use sotay_model::session::{SESSION_HEADER, SessionCertificate};
use sotay_model::signature::{self, Headers, Parameters, SessionKey};
use sotay_model::wire::{
    ClaimEnrolment, Enrolled, EnrolmentClaimed, EnrolmentOpened, EnrolmentState, NONCE_HEADER,
    OpenEnrolment, PROTOCOL, PhonesAnswer, PhonesRequest, Problem, ProblemCode, SyncRequest,
};
use sotay_model::{InstallationId, MemberId, OrganisationId, Timestamp, cbor};
use sotay_server::commune::{self, Certificates, Confirmation};
use sotay_server::engine::stretch;
use sotay_server::{Running, Server, ServerConfig};

use crate::common::{NOW, Place};

pub(crate) fn fixed_clock() -> Timestamp {
    NOW
}

pub(crate) struct Served {
    pub(crate) place: Place,
    pub(crate) running: Running,
    pub(crate) client: Client,
}

/// A client that trusts this folder's roots and nothing else.
pub(crate) fn client_of(place: &Place) -> Client {
    let mut roots = rustls::RootCertStore::empty();
    for root in Certificates::open(&place.data(), NOW).unwrap().roots() {
        roots.add(root.clone()).unwrap();
    }
    let tls = rustls::ClientConfig::builder_with_provider(Arc::new(
        rustls::crypto::ring::default_provider(),
    ))
    .with_safe_default_protocol_versions()
    .unwrap()
    .with_root_certificates(roots)
    .with_no_client_auth();
    #[allow(clippy::disallowed_methods, reason = "with the folder's roots")]
    let builder = Client::builder();
    builder
        .tls_backend_preconfigured(tls)
        .no_proxy()
        .build()
        .unwrap()
}

/// A phone that joins: what it made, and what it committed to.
pub(crate) struct Joiner {
    pub(crate) keys: EnrolmentKeys,
    pub(crate) pair: Ed25519KeyPair,
    pub(crate) approval: Option<PublicKey>,
    pub(crate) nonce: [u8; 32],
}

impl Joiner {
    /// One whose keys are made of one byte.
    pub(crate) fn new(keys: &EnrolmentKeys, seed: u8) -> Self {
        Self {
            keys: keys.clone(),
            pair: Ed25519KeyPair::from_seed_unchecked(&[seed; 32]).unwrap(),
            approval: None,
            nonce: [seed; 32],
        }
    }

    pub(crate) fn device(&self) -> PublicKey {
        PublicKey::ed25519(self.pair.public_key().as_ref())
    }

    pub(crate) fn commitment(&self) -> [u8; 32] {
        let approval = self.approval.as_ref();
        exchange::phone_commitment(&self.keys.lookup, &self.device(), approval, &self.nonce)
    }

    pub(crate) fn open(&self) -> OpenEnrolment {
        OpenEnrolment {
            protocol: PROTOCOL,
            lookup: self.keys.lookup.to_vec(),
            commitment: self.commitment().to_vec(),
        }
    }

    pub(crate) fn claim(&self, opened: &EnrolmentOpened) -> ClaimEnrolment {
        let name = "Máy thử";
        let claimed =
            exchange::claim_bytes(&self.commitment(), &opened.commitment, &opened.fresh, name);
        ClaimEnrolment {
            lookup: self.keys.lookup.to_vec(),
            device: self.device(),
            approval: self.approval.clone(),
            nonce: self.nonce.to_vec(),
            fresh: opened.fresh.clone(),
            device_name: name.into(),
            proof: exchange::claim_proof(&self.keys.claim, &claimed).to_vec(),
            signature: self.pair.sign(&claimed).as_ref().to_vec(),
        }
    }

    pub(crate) fn digits(&self, opened: &EnrolmentOpened, claimed: &EnrolmentClaimed) -> SixDigits {
        SixDigits::of(
            &self.commitment(),
            &opened.commitment,
            &self.nonce,
            &claimed.nonce,
        )
    }
}

impl Served {
    pub(crate) fn start() -> Self {
        Self::with(|_| {})
    }

    pub(crate) fn with(change: impl FnOnce(&mut ServerConfig)) -> Self {
        Self::on(Place::new(), change)
    }

    pub(crate) fn on(place: Place, change: impl FnOnce(&mut ServerConfig)) -> Self {
        let mut config = ServerConfig::new(place.data(), "127.0.0.1:0".parse().unwrap());
        config.clock = fixed_clock;
        change(&mut config);
        let running = Server::start(config).unwrap();
        let client = client_of(&place);
        Self {
            place,
            running,
            client,
        }
    }

    pub(crate) fn url(&self, path: &str) -> String {
        format!("https://{}{path}", self.running.address())
    }

    pub(crate) fn invite(&self, member: &str) -> Invitation {
        commune::invite(
            &self.place.data(),
            member,
            Some(&self.running.address().to_string()),
            14,
            NOW,
        )
        .unwrap()
    }

    pub(crate) async fn post(&self, path: &str, body: Vec<u8>) -> Response {
        self.client
            .post(self.url(path))
            .body(body)
            .send()
            .await
            .unwrap()
    }

    pub(crate) async fn open(&self, joiner: &Joiner) -> Response {
        let body = cbor::to_bytes(&joiner.open());
        self.post("/v1/enrolment/open", body).await
    }

    pub(crate) async fn opened(&self, joiner: &Joiner) -> EnrolmentOpened {
        cbor::from_bytes(&self.open(joiner).await.bytes().await.unwrap()).unwrap()
    }

    pub(crate) async fn claim(&self, joiner: &Joiner, opened: &EnrolmentOpened) -> Response {
        let body = cbor::to_bytes(&joiner.claim(opened));
        self.post("/v1/enrolment/claim", body).await
    }

    /// Claims an invitation; the phone waits then.
    pub(crate) async fn claimed(&self, joiner: Joiner) -> (Phone, SixDigits) {
        let opened = self.opened(&joiner).await;
        assert!(exchange::anchors_fit(
            &joiner.keys.anchors,
            &opened.anchors,
            &opened.fresh,
            &opened.commitment,
            &opened.mac
        ));
        let response = self.claim(&joiner, &opened).await;
        assert_eq!(response.status(), StatusCode::OK);
        let claimed: EnrolmentClaimed = cbor::from_bytes(&response.bytes().await.unwrap()).unwrap();
        let again =
            exchange::server_commitment(&joiner.commitment(), &opened.anchors, &claimed.nonce);
        assert_eq!(again[..], opened.commitment[..]);
        let digits = joiner.digits(&opened, &claimed);
        let phone = self
            .session(claimed.installation, &joiner.pair, joiner.nonce[0])
            .await;
        (phone, digits)
    }

    /// Begins a session with a key made of one byte, certified by the device key.
    pub(crate) async fn session(
        &self,
        installation: InstallationId,
        device: &Ed25519KeyPair,
        seed: u8,
    ) -> Phone {
        let key = Ed25519KeyPair::from_seed_unchecked(&[seed ^ 0xff; 32]).unwrap();
        let mut phone = Phone {
            installation,
            key,
            nonce: "none".into(),
            certificate: None,
            enrolled: None,
        };
        let response = self.signed(&phone, Method::POST, "/v1/sync", &[]).await;
        phone.nonce = nonce_of(&response);
        assert_eq!(problem(response).await.1, ProblemCode::StaleNonce);
        let public = phone.public();
        let signed = SessionCertificate::signed_bytes(installation, &public, &phone.nonce);
        phone.certificate = Some(SessionCertificate {
            installation,
            key: public.to_vec(),
            nonce: phone.nonce.clone(),
            signature: device.sign(&signed).as_ref().to_vec(),
        });
        phone
    }

    /// Joins with keys made of one byte, and is confirmed on the command line.
    pub(crate) async fn join(&self, member: &str, seed: u8) -> Phone {
        let joiner = Joiner::new(&keys_of(&self.invite(member)), seed);
        self.confirmed(member, joiner).await
    }

    pub(crate) async fn confirmed(&self, member: &str, joiner: Joiner) -> Phone {
        let (mut phone, digits) = self.claimed(joiner).await;
        let confirmed = commune::confirm(&self.place.data(), member, &digits.text(), NOW).unwrap();
        assert_eq!(confirmed, Confirmation::Confirmed);
        phone.enrolled = Some(self.enrolled(&phone).await);
        phone
    }

    pub(crate) async fn state(&self, phone: &Phone) -> EnrolmentState {
        let response = self
            .signed(phone, Method::POST, "/v1/enrolment/state", &[])
            .await;
        cbor::from_bytes(&response.bytes().await.unwrap()).unwrap()
    }

    pub(crate) async fn enrolled(&self, phone: &Phone) -> Enrolled {
        match self.state(phone).await {
            EnrolmentState::Active(enrolled) => enrolled,
            EnrolmentState::Waiting => panic!("it still waits"),
        }
    }

    pub(crate) async fn phones(&self, phone: &Phone, request: &PhonesRequest) -> PhonesAnswer {
        let response = self.ask_phones(phone, request).await;
        assert_eq!(response.status(), StatusCode::OK, "{request:?}");
        cbor::from_bytes(&response.bytes().await.unwrap()).unwrap()
    }

    pub(crate) async fn ask_phones(&self, phone: &Phone, request: &PhonesRequest) -> Response {
        let body = cbor::to_bytes(request);
        self.signed(phone, Method::POST, "/v1/phones", &body).await
    }

    pub(crate) async fn signed(
        &self,
        phone: &Phone,
        method: Method,
        path: &str,
        body: &[u8],
    ) -> Response {
        let headers = phone.sign(self, method.as_str(), path, body);
        let certificate = phone.certificate.as_ref();
        self.send_with(method, path, body.to_vec(), &headers, certificate)
            .await
    }

    pub(crate) async fn send(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        headers: &Headers,
    ) -> Response {
        self.send_with(method, path, body, headers, None).await
    }

    pub(crate) async fn send_with(
        &self,
        method: Method,
        path: &str,
        body: Vec<u8>,
        headers: &Headers,
        certificate: Option<&SessionCertificate>,
    ) -> Response {
        let mut request = self
            .client
            .request(method, self.url(path))
            .header(signature::CONTENT_DIGEST, &headers.content_digest)
            .header(signature::SIGNATURE_INPUT, &headers.signature_input)
            .header(signature::SIGNATURE, &headers.signature);
        if let Some(certificate) = certificate {
            request = request.header(SESSION_HEADER, certificate.header());
        }
        request.body(body).send().await.unwrap()
    }
}

pub(crate) struct Phone {
    pub(crate) installation: InstallationId,
    pub(crate) key: Ed25519KeyPair,
    pub(crate) nonce: String,
    pub(crate) certificate: Option<SessionCertificate>,
    enrolled: Option<Enrolled>,
}

impl Phone {
    /// Whose it is; only once it is active.
    pub(crate) fn member(&self) -> MemberId {
        self.enrolled.as_ref().unwrap().member
    }

    /// The home cell of whose it is.
    pub(crate) fn cell(&self) -> OrganisationId {
        self.enrolled.as_ref().unwrap().cell
    }

    pub(crate) fn public(&self) -> SessionKey {
        signature::session_key(&self.key)
    }

    pub(crate) fn sign(&self, served: &Served, method: &str, path: &str, body: &[u8]) -> Headers {
        // A second later each time: a server takes no request twice.
        static SECOND: AtomicI64 = AtomicI64::new(1_700_000_000);
        let second = SECOND.fetch_add(1, Ordering::Relaxed);
        self.sign_as(served, method, path, body, second, &self.nonce)
    }

    pub(crate) fn sign_as(
        &self,
        served: &Served,
        method: &str,
        path: &str,
        body: &[u8],
        created: i64,
        nonce: &str,
    ) -> Headers {
        let (path, query) = path
            .split_once('?')
            .map_or((path, None), |(path, query)| (path, Some(query)));
        let authority = served.running.address().to_string();
        let request = signature::Request {
            method,
            authority: &authority,
            path,
            query,
            body,
        };
        let parameters = Parameters::new(created, self.public(), nonce).unwrap();
        signature::sign_with(&self.key, &request, &parameters)
    }
}

pub(crate) fn keys_of(invitation: &Invitation) -> EnrolmentKeys {
    EnrolmentKeys::derive(&stretch(invitation.code()).unwrap())
}

pub(crate) fn nonce_of(response: &Response) -> String {
    response.headers()[NONCE_HEADER]
        .to_str()
        .unwrap()
        .to_owned()
}

pub(crate) fn empty_sync() -> SyncRequest {
    SyncRequest {
        protocol: PROTOCOL,
        incarnation: 0,
        cursors: vec![],
        mutations: vec![],
        max_rows: 1_000,
        max_bytes: 0,
        settled_through: 0,
    }
}

pub(crate) async fn problem(response: Response) -> (StatusCode, ProblemCode) {
    let status = response.status();
    assert_eq!(response.headers()["content-type"], "application/cbor");
    let problem: Problem = cbor::from_bytes(&response.bytes().await.unwrap()).unwrap();
    (status, problem.code)
}
