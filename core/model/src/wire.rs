//! The messages between phone and server, as they travel: CBOR bodies of HTTPS requests.
//!
//! ```text
//! POST /v1/enrolment/open   OpenEnrolment   → EnrolmentOpened   any certificate; the reply proves itself by a MAC
//! POST /v1/enrolment/claim  ClaimEnrolment  → EnrolmentClaimed  certificate checked against the anchors just handed over
//! POST /v1/enrolment/state                  → EnrolmentState    signed; until an officer has compared the six digits
//! POST /v1/phones           PhonesRequest   → PhonesAnswer      signed; invitations, confirmations, a member's phones
//! POST /v1/sync             SyncRequest     → SyncResponse      signed
//! GET  /v1/wake                            → server-sent events, one empty event when something new waits; signed
//! PUT  /v1/blobs/<sha256>?home=<scope>&from=<n>&size=<n>   bytes → BlobState; signed
//! GET  /v1/blobs/<sha256>?record=<home>/<id>               the range asked for → 206 and the bytes; signed
//! ```
//! Every refusal carries a [`Problem`]. Each reply of a signed route brings the nonce for the next request in the header
//! [`NONCE_HEADER`], so that a phone whose clock is years off signs as well as any other.

use minicbor::{Decode, Encode};

use crate::cbor::cbor_code;
use crate::device_key::PublicKey;
use crate::id::{Id, InstallationId, MemberId, OrganisationId, RecordKey, Scope};
use crate::organisation::Appoint;
use crate::record::{Kind, Stamp};
use crate::rejection::Rejection;
use crate::session::Revocation;
use crate::time::Timestamp;

/// The protocol's version; a server answers [`ProblemCode::UnsupportedProtocol`] to one it does not speak.
pub const PROTOCOL: u32 = 1;
/// The media type of every body.
pub const MEDIA_TYPE: &str = "application/cbor";
/// The path of a blob, before its digest.
pub const BLOBS: &str = "/v1/blobs/";
/// The most bytes of a blob in one response; of a longer range the beginning is sent.
pub const MAX_RANGE_BYTES: u64 = 1 << 20;
/// Where the server's next nonce travels.
pub const NONCE_HEADER: &str = "sotay-nonce";
/// The most bytes of a request's body.
pub const MAX_REQUEST_BYTES: usize = 4 << 20;
/// The most bytes of a response's body, after decompression.
pub const MAX_RESPONSE_BYTES: usize = 16 << 20;
/// The most mutations in one request.
pub const MAX_MUTATIONS: usize = 1_000;
/// The most scopes that one member may hold.
pub const MAX_SCOPES: usize = 1_000;
/// Bodies larger than this are compressed with zstd where the other side accepts it.
pub const COMPRESS_ABOVE: usize = 4 << 10;

/// Labels of the keys derived by HKDF-SHA256 from Argon2id(code); see `docs/protocol.md`.
pub mod labels {
    /// Finds the invitation without showing the code.
    pub const LOOKUP: &[u8] = b"sotay enrolment lookup v1";
    /// Authenticates the trust anchors that the server hands over.
    pub const ANCHORS: &[u8] = b"sotay enrolment anchors v1";
    /// Proves knowledge of the code for one claim.
    pub const CLAIM: &[u8] = b"sotay enrolment claim v1";
}

cbor_code! {
    /// Which algorithm a key uses.
    pub enum KeyAlgorithm {
        /// Ed25519, 32 bytes.
        Ed25519 = 1,
        /// ECDSA P-256 in secure hardware, 65 bytes uncompressed.
        EcdsaP256 = 2,
    }
}

/// Opens an enrolment.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct OpenEnrolment {
    /// [`PROTOCOL`]
    #[n(0)]
    pub protocol: u32,
    /// HKDF(Argon2id(code), [`labels::LOOKUP`]), 32 bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub lookup: Vec<u8>,
    /// [`crate::exchange::phone_commitment`], 32 bytes.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub commitment: Vec<u8>,
}

/// Whom a phone trusts from now on, and nobody else.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct TrustAnchors {
    /// DER certificates that every connection must chain to: one in use, one spare.
    #[n(0)]
    pub tls: Vec<minicbor::bytes::ByteVec>,
    /// The organisation's Ed25519 keys, 32 bytes each, that sign what the phone obeys without asking: one in use, one spare.
    #[n(1)]
    pub organisation: Vec<minicbor::bytes::ByteVec>,
}

/// What the server hands over before it is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnrolmentOpened {
    /// The encoded [`TrustAnchors`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub anchors: Vec<u8>,
    /// [`crate::exchange::anchors_mac`] of `anchors`, `fresh` and `commitment` under HKDF(…, [`labels::ANCHORS`]), 32 bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub mac: Vec<u8>,
    /// Makes the claim fresh: good for an hour, for this invitation and this phone's commitment. 32 bytes.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub fresh: Vec<u8>,
    /// [`crate::exchange::server_commitment`], 32 bytes.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub commitment: Vec<u8>,
}

/// Claims an invitation for a key that the phone made, and reveals what it committed to.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClaimEnrolment {
    /// As in [`OpenEnrolment`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub lookup: Vec<u8>,
    /// The device key: certifies sessions.
    #[n(1)]
    pub device: PublicKey,
    /// The key for privileged acts, usable after a fresh unlock only, if the phone has one.
    #[n(2)]
    pub approval: Option<PublicKey>,
    /// The phone's nonce, 32 bytes.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub nonce: Vec<u8>,
    /// As in [`EnrolmentOpened`].
    #[cbor(n(4), with = "minicbor::bytes")]
    pub fresh: Vec<u8>,
    /// What the phone is called, for the member's own list of phones.
    #[n(5)]
    pub device_name: String,
    /// HMAC-SHA256 of [`crate::exchange::claim_bytes`] under HKDF(…, [`labels::CLAIM`]): it knows the code.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub proof: Vec<u8>,
    /// The device key's signature over [`crate::exchange::claim_bytes`], 64 bytes: it holds the private key.
    #[cbor(n(7), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

/// The claim is taken: the invitation is used up, and the phone waits for an officer.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnrolmentClaimed {
    /// The phone's number for sessions and mutations.
    #[n(0)]
    pub installation: InstallationId,
    /// What the server committed to, 32 bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub nonce: Vec<u8>,
    /// Server time.
    #[n(2)]
    pub now: Timestamp,
    /// Until when an officer must have confirmed.
    #[n(3)]
    pub until: Timestamp,
}

/// How a phone's enrolment stands.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum EnrolmentState {
    /// No officer has confirmed the six digits yet.
    #[n(0)]
    Waiting,
    /// The phone is a member's.
    #[n(1)]
    Active(#[n(0)] Enrolled),
}

/// Whose phone it is now.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Enrolled {
    /// Whose handbook it is.
    #[n(0)]
    pub member: MemberId,
    /// The member's name, to greet before the first sync.
    #[n(1)]
    pub member_name: String,
    /// The member's home cell.
    #[n(2)]
    pub cell: OrganisationId,
    /// Server time.
    #[n(3)]
    pub now: Timestamp,
}

/// What is asked about phones and invitations. Who may ask what: [`crate::organisation::Act`].
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum PhonesRequest {
    /// The member's own phones.
    #[n(0)]
    List,
    /// Gives one of the own phones another name.
    #[n(1)]
    Rename(#[n(0)] InstallationId, #[n(1)] String),
    /// The phone that asks leaves: it signed out.
    #[n(2)]
    Leave,
    /// Invites a member to one more phone.
    #[n(3)]
    Invite(#[n(0)] NewInvitation),
    /// The phones that wait for a confirmation which the asker may give.
    #[n(4)]
    Joining,
    /// The six digits agree.
    #[n(5)]
    Confirm(#[n(0)] InstallationId, #[n(1)] u32),
    /// They do not: whoever claimed the invitation is not the member.
    #[n(6)]
    Refuse(#[n(0)] InstallationId),
    /// Another member's phones, for who may revoke them.
    #[n(7)]
    PhonesOf(#[n(0)] MemberId),
    /// Begins a privileged act: the encoded [`PrivilegedAct`].
    #[n(8)]
    Begin(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// Finishes it: the act, the nonce of [`PhonesAnswer::Challenge`], and the approval key's signature over
    /// [`crate::session::act_bytes`], 64 bytes.
    #[n(9)]
    Finish(
        #[cbor(n(0), with = "minicbor::bytes")] Vec<u8>,
        #[cbor(n(1), with = "minicbor::bytes")] Vec<u8>,
        #[cbor(n(2), with = "minicbor::bytes")] Vec<u8>,
    ),
}

// What it says of somebody stays out of logs: only what kind of question it is.
impl std::fmt::Debug for PhonesRequest {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::List => "List",
            Self::Rename(..) => "Rename(…)",
            Self::Leave => "Leave",
            Self::Invite(_) => "Invite(…)",
            Self::Joining => "Joining",
            Self::Confirm(..) => "Confirm(…)",
            Self::Refuse(_) => "Refuse(…)",
            Self::PhonesOf(_) => "PhonesOf(…)",
            Self::Begin(_) => "Begin(…)",
            Self::Finish(..) => "Finish(…)",
        })
    }
}

/// An invitation whose code an officer's phone made: the server sees what follows from the code, never the code.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct NewInvitation {
    /// Who is invited.
    #[n(0)]
    pub member: MemberId,
    /// The key *lookup*, 32 bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub lookup: Vec<u8>,
    /// The key *anchors*, 32 bytes.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub anchors: Vec<u8>,
    /// The key *claim*, 32 bytes.
    #[cbor(n(3), with = "minicbor::bytes")]
    pub claim: Vec<u8>,
    /// For how many days, 1 to 14.
    #[n(4)]
    pub days: u32,
}

impl std::fmt::Debug for NewInvitation {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("NewInvitation")
            .field("member", &self.member)
            .finish_non_exhaustive()
    }
}

/// What needs a key that a fresh unlock opened, and a fresh nonce of the server.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum PrivilegedAct {
    /// Revokes a phone: it is wiped at its next contact.
    #[n(0)]
    Revoke(#[n(0)] InstallationId),
    /// Gives a task in an organisation that its secretary may give.
    #[n(1)]
    Grant(#[n(0)] Appoint),
    /// Hands out what stands about a member in the own scope, and the phones, as JSON.
    #[n(2)]
    Export(#[n(0)] MemberId),
}

/// What is answered about phones and invitations.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
pub enum PhonesAnswer {
    /// It is done.
    #[n(0)]
    Done,
    /// A member's phones.
    #[n(1)]
    Phones(#[n(0)] Vec<PhoneLine>),
    /// Until when the invitation can be used.
    #[n(2)]
    Invited(#[n(0)] Timestamp),
    /// The phones that wait.
    #[n(3)]
    Joining(#[n(0)] Vec<JoiningLine>),
    /// Sign this nonce together with the act, within five minutes. 32 bytes.
    #[n(4)]
    Challenge(#[cbor(n(0), with = "minicbor::bytes")] Vec<u8>),
    /// The digits differ; so many tries are left.
    #[n(5)]
    WrongDigits(#[n(0)] u32),
    /// What was exported.
    #[n(6)]
    Export(#[n(0)] String),
    /// A rule said no.
    #[n(7)]
    Rejected(#[n(0)] Rejection),
}

impl std::fmt::Debug for PhonesAnswer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Done => "Done",
            Self::Phones(_) => "Phones(…)",
            Self::Invited(_) => "Invited(…)",
            Self::Joining(_) => "Joining(…)",
            Self::Challenge(_) => "Challenge(…)",
            Self::WrongDigits(left) => return write!(f, "WrongDigits({left})"),
            Self::Export(_) => "Export(…)",
            Self::Rejected(why) => return write!(f, "Rejected({why:?})"),
        })
    }
}

/// One phone of a member.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct PhoneLine {
    /// Its number.
    #[n(0)]
    pub installation: InstallationId,
    /// What it is called.
    #[n(1)]
    pub name: String,
    /// Since when it is known.
    #[n(2)]
    pub since: Timestamp,
    /// Whether an officer has confirmed it.
    #[n(3)]
    pub active: bool,
}

/// A phone that waits for an officer.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct JoiningLine {
    /// Its number.
    #[n(0)]
    pub installation: InstallationId,
    /// Who was invited.
    #[n(1)]
    pub member: MemberId,
    /// The member's name.
    #[n(2)]
    pub member_name: String,
    /// The name of the member's home cell.
    #[n(3)]
    pub cell_name: String,
    /// What the phone is called.
    #[n(4)]
    pub device_name: String,
    /// The six digits, as a number below a million.
    #[n(5)]
    pub digits: u32,
    /// Since when it waits.
    #[n(6)]
    pub since: Timestamp,
}

/// Where a phone stands in a scope's feed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Cursor {
    /// The scope.
    #[n(0)]
    pub scope: Scope,
    /// The feed's epoch.
    #[n(1)]
    pub epoch: u64,
    /// Everything up to this was received.
    #[n(2)]
    pub seq: u64,
    /// Where the feed stood when the phone began to fetch it from 0: what was deleted up to there, it never got. See
    /// [`Page::began`].
    #[n(3)]
    #[cbor(default)]
    pub began: u64,
}

/// A pending mutation.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Sent {
    /// Its number on this phone, contiguous from 1.
    #[n(0)]
    pub n: u64,
    /// The encoded [`crate::Mutation`], the same bytes at every try.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub mutation: Vec<u8>,
}

/// One round trip.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SyncRequest {
    /// [`PROTOCOL`]
    #[n(0)]
    pub protocol: u32,
    /// The server incarnation that the cursors are from; 0 before the first response.
    #[n(1)]
    pub incarnation: u64,
    /// One for every scope the phone holds. A scope the server grants and this list lacks is gained, one that it no longer
    /// grants is revoked.
    #[n(2)]
    pub cursors: Vec<Cursor>,
    /// Pending mutations in ascending order of n.
    #[n(3)]
    pub mutations: Vec<Sent>,
    /// The most rows the phone wants in the response's pages.
    #[n(4)]
    pub max_rows: u32,
    /// About the most bytes the phone wants in the response's pages; 0: as many as the server likes.
    #[n(5)]
    #[cbor(default)]
    pub max_bytes: u32,
    /// The phone asks no more about its mutations up to this number: the server may forget their receipts.
    #[n(6)]
    #[cbor(default)]
    pub settled_through: u64,
}

/// One line of a page: a record's newest version, or that it left the scope.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Row {
    /// Position in the scope's feed.
    #[n(0)]
    pub seq: u64,
    /// Which record.
    #[n(1)]
    pub key: RecordKey,
    /// Which version.
    #[n(2)]
    pub stamp: Stamp,
    /// The contents; none for a tombstone.
    #[n(3)]
    pub content: Option<Content>,
}

/// A record's contents.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Content {
    /// What it is about.
    #[n(0)]
    pub kind: Kind,
    /// What it belongs to.
    #[n(1)]
    pub parent: Id,
    /// The body's bytes.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub body: Vec<u8>,
}

/// The changes of one scope in `(from, to]`.
///
/// A page applies where `from` is the phone's cursor. One that begins at 0 also applies where its `began` is beyond both the
/// phone's cursor and the `began` of its own download: the server no longer knows what was deleted since, the phone throws
/// the scope's listings away and starts over.
#[derive(Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Page {
    /// The scope.
    #[n(0)]
    pub scope: Scope,
    /// The feed's epoch; another one than the cursor's means: throw away and start from 0.
    #[n(1)]
    pub epoch: u64,
    /// Applies only to this cursor.
    #[n(2)]
    pub from: u64,
    /// The new cursor.
    #[n(3)]
    pub to: u64,
    /// The changes in ascending order of seq; holes are legal.
    #[n(4)]
    pub rows: Vec<Row>,
    /// Whether more waits behind `to`.
    #[n(5)]
    pub more: bool,
    /// On the last page: the sum of the scope's live records at `to`, 16 bytes.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub sum: Option<Vec<u8>>,
    /// On the last page: how many live records.
    #[n(7)]
    pub count: Option<u64>,
    /// On a page that begins at 0: where the feed stood. Deletions up to there are left out of the whole download.
    #[n(8)]
    #[cbor(default)]
    pub began: u64,
    /// On a page with more behind it: how many live records the scope has, so that progress can be shown.
    #[n(9)]
    pub total: Option<u64>,
}

/// What became of a mutation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Receipt {
    /// The mutation's number.
    #[n(0)]
    pub n: u64,
    /// What became of it.
    #[n(1)]
    pub verdict: Verdict,
}

/// What became of a mutation.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
pub enum Verdict {
    /// Carried out; where its effects stand in the feeds. Their bodies are among [`SyncResponse::bodies`] unless a later change
    /// or a lost access overtook them.
    #[n(0)]
    Done(#[n(0)] Vec<Written>),
    /// Refused for good.
    #[n(1)]
    Rejected(#[n(0)] Rejection),
    /// This server does not know the kind yet: keep it and try again.
    #[n(2)]
    NotYet,
}

/// One record that a mutation wrote.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Written {
    /// Which record.
    #[n(0)]
    pub key: RecordKey,
    /// Its version then.
    #[n(1)]
    pub stamp: Stamp,
    /// One of the scopes it was written to that the phone holds.
    #[n(2)]
    pub scope: Scope,
    /// Its position there.
    #[n(3)]
    pub seq: u64,
}

/// The current contents of a record that a receipt names.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct CurrentBody {
    /// Which record.
    #[n(0)]
    pub key: RecordKey,
    /// Its version now.
    #[n(1)]
    pub stamp: Stamp,
    /// Its contents now.
    #[n(2)]
    pub content: Content,
}

/// The answer to one round trip.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct SyncResponse {
    /// The server's incarnation; another one than the request's means that all cursors are void.
    #[n(0)]
    pub incarnation: u64,
    /// Server time.
    #[n(1)]
    pub now: Timestamp,
    /// One for each mutation of the request that was looked at, in ascending order of n.
    #[n(2)]
    pub receipts: Vec<Receipt>,
    /// Bodies for the receipts, read under the access check.
    #[n(3)]
    pub bodies: Vec<CurrentBody>,
    /// Changes, at most one page a scope. A scope with nothing new has none.
    #[n(4)]
    pub pages: Vec<Page>,
    /// Scopes the member holds that the request did not name; their pages start from 0.
    #[n(5)]
    pub gained: Vec<Scope>,
    /// Scopes of the request that the member no longer holds.
    #[n(6)]
    pub revoked: Vec<Scope>,
    /// Whether another request brings more at once.
    #[n(7)]
    pub more: bool,
    /// Accepted mutations up to this number are in a backup; the phone may forget them.
    #[n(8)]
    pub backed_up_through: u64,
    /// The highest number of this installation the server has seen.
    #[n(9)]
    pub high_water: u64,
    /// The server has forgotten the receipts of this installation up to this number. After a restore the phone sends again what
    /// it keeps above it: where the server still knows the number it answers with what it remembers.
    #[n(10)]
    #[cbor(default)]
    pub settled_through: u64,
}

cbor_code! {
    /// Why a request was refused as a whole.
    pub enum ProblemCode {
        /// Unknown, used up, expired or burnt: one answer for all.
        InvitationUnusable = 1,
        /// The installation is not known, or was revoked.
        UnknownInstallation = 2,
        /// The signature does not fit.
        BadSignature = 3,
        /// The nonce is missing or too old: sign again with the one that comes with this answer.
        StaleNonce = 4,
        /// The body is too large.
        TooLarge = 5,
        /// The protocol version is not spoken here.
        UnsupportedProtocol = 6,
        /// The body could not be read.
        Malformed = 7,
        /// Try again later.
        Busy = 8,
        /// A number was left out: the phone's outbox and the server disagree.
        NumberGap = 9,
        /// An error of the server's own.
        Internal = 10,
        /// No such route.
        NoSuchRoute = 11,
        /// No record that the member is shown names this blob, or it is not here.
        NoSuchBlob = 12,
        /// The blob ends before the range begins.
        NoSuchRange = 13,
        /// The bytes handed over do not have the digest they were announced with; they were thrown away.
        WrongBlob = 14,
        /// The member may not publish at this home.
        MayNotHandOver = 15,
        /// No certificate was sent for this session key, or its day is over.
        UnknownSession = 16,
        /// The phone is not confirmed yet: compare the six digits.
        NotConfirmed = 17,
        /// The phone has no key for privileged acts, or the signature is not that key's.
        NotApproved = 18,
    }
}

/// How far a blob has been handed over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct BlobState {
    /// So many bytes are there; all of them: the blob is complete.
    #[n(0)]
    pub received: u64,
}

/// The body of every refusal.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Problem {
    /// Why.
    #[n(0)]
    pub code: ProblemCode,
    /// With [`ProblemCode::UnknownInstallation`], where the phone was revoked: the organisation's word for it.
    #[n(1)]
    pub revocation: Option<Revocation>,
}

impl From<ProblemCode> for Problem {
    fn from(code: ProblemCode) -> Self {
        Self {
            code,
            revocation: None,
        }
    }
}

crate::redacted! {
    Enrolled { member, member_name, cell, now },
    PhoneLine { installation, name, since, active },
    JoiningLine { installation, member, member_name, cell_name, device_name, digits, since },
    Sent { n, mutation },
    Content { kind, parent, body },
    Page { scope, epoch, from, to, rows, more, sum, count, began, total },
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::Id;

    #[test]
    fn storage_2_what_is_said_about_phones_shows_nobody_in_a_debug_text() {
        const CANARY: &str = "Đồng chí Chim Hoàng Yến";
        let installation = InstallationId(Id::from_bytes([1; 16]));
        let member = MemberId(Id::from_bytes([2; 16]));
        let phone = PhoneLine {
            installation,
            name: CANARY.into(),
            since: Timestamp(0),
            active: true,
        };
        let joining = JoiningLine {
            installation,
            member,
            member_name: CANARY.into(),
            cell_name: CANARY.into(),
            device_name: CANARY.into(),
            digits: 314_159,
            since: Timestamp(0),
        };
        let enrolled = Enrolled {
            member,
            member_name: CANARY.into(),
            cell: OrganisationId(Id::from_bytes([3; 16])),
            now: Timestamp(0),
        };
        let answers = [
            PhonesAnswer::Phones(vec![phone]),
            PhonesAnswer::Joining(vec![joining]),
            PhonesAnswer::Export(CANARY.into()),
        ];
        let requests = [
            PhonesRequest::Rename(installation, CANARY.into()),
            PhonesRequest::Confirm(installation, 314_159),
        ];
        let state = EnrolmentState::Active(enrolled);
        for text in [
            format!("{answers:?}"),
            format!("{requests:?}"),
            format!("{state:#?}"),
        ] {
            assert!(!text.contains(CANARY) && !text.contains("314"), "{text}");
        }
    }
}
