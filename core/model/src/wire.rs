//! The messages between phone and server, as they travel: CBOR bodies of HTTPS requests.
//!
//! ```text
//! POST /v1/enrolment/open   OpenEnrolment  → EnrolmentOpened    any certificate; the reply proves itself by a MAC
//! POST /v1/enrolment/claim  ClaimEnrolment → Enrolled           certificate checked against the roots just handed over
//! POST /v1/sync             SyncRequest    → SyncResponse       signed by the installation's key
//! GET  /v1/wake                            → server-sent events, one empty event when something new waits; signed
//! PUT  /v1/blobs/<sha256>?home=<scope>&from=<n>&size=<n>   bytes → BlobState; signed
//! GET  /v1/blobs/<sha256>?record=<home>/<id>               the range asked for → 206 and the bytes; signed
//! ```
//! Every refusal carries a [`Problem`]. Each reply of a signed route brings the nonce for the next request in the header
//! [`NONCE_HEADER`], so that a phone whose clock is years off signs as well as any other.

use minicbor::{Decode, Encode};

use crate::cbor::cbor_code;
use crate::id::{Id, InstallationId, MemberId, RecordKey, Scope};
use crate::record::{Kind, Stamp};
use crate::rejection::Rejection;
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
    /// Authenticates the roots that the server hands over.
    pub const ROOTS: &[u8] = b"sotay enrolment roots v1";
    /// Proves knowledge of the code for one public key.
    pub const CLAIM: &[u8] = b"sotay enrolment claim v1";
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
    // 2: the phone's commitment to its key and nonce, when six digits are compared.
}

/// What the server hands over before it is trusted.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct EnrolmentOpened {
    /// CBOR array of DER certificates that future connections must chain to.
    #[cbor(n(0), with = "minicbor::bytes")]
    pub roots: Vec<u8>,
    /// HMAC-SHA256 of `roots` and `nonce` under HKDF(…, [`labels::ROOTS`]), 32 bytes.
    #[cbor(n(1), with = "minicbor::bytes")]
    pub mac: Vec<u8>,
    /// Goes into the proof of the claim, 32 bytes.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub nonce: Vec<u8>,
    // 3: the server's commitment, when six digits are compared.
}

cbor_code! {
    /// Which algorithm a device key uses.
    pub enum KeyAlgorithm {
        /// Ed25519, 32 bytes.
        Ed25519 = 1,
        /// ECDSA P-256 in secure hardware, 65 bytes uncompressed.
        EcdsaP256 = 2,
    }
}

/// Claims an invitation for a key that the phone made.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct ClaimEnrolment {
    /// As in [`OpenEnrolment`].
    #[cbor(n(0), with = "minicbor::bytes")]
    pub lookup: Vec<u8>,
    /// The key's algorithm.
    #[n(1)]
    pub algorithm: KeyAlgorithm,
    /// The public key.
    #[cbor(n(2), with = "minicbor::bytes")]
    pub public_key: Vec<u8>,
    /// HMAC-SHA256 of nonce, then algorithm code as 4 bytes, then public key, under HKDF(…, [`labels::CLAIM`]).
    #[cbor(n(3), with = "minicbor::bytes")]
    pub proof: Vec<u8>,
    /// The nonce of [`EnrolmentOpened`].
    #[cbor(n(4), with = "minicbor::bytes")]
    pub nonce: Vec<u8>,
    /// What the phone is called, for the member's own list of phones.
    #[n(5)]
    pub device_name: String,
    /// The phone's signature over nonce and public key: it holds the private key.
    #[cbor(n(6), with = "minicbor::bytes")]
    pub signature: Vec<u8>,
}

/// The invitation is used up and the phone known.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Enrolled {
    /// The phone's number for signatures and mutations.
    #[n(0)]
    pub installation: InstallationId,
    /// Whose handbook it is.
    #[n(1)]
    pub member: MemberId,
    /// The member's name, to greet before the first sync.
    #[n(2)]
    pub member_name: String,
    /// The member's home cell.
    #[n(3)]
    pub cell: crate::id::OrganisationId,
    /// Server time.
    #[n(4)]
    pub now: Timestamp,
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
#[derive(Debug, Clone, Copy, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub struct Problem {
    /// Why.
    #[n(0)]
    pub code: ProblemCode,
}

crate::redacted! {
    Sent { n, mutation },
    Content { kind, parent, body },
    Page { scope, epoch, from, to, rows, more, sum, count, began, total },
}
