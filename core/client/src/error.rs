//! The one error type at the border: each variant is something a person can act on.

use sotay_model::enrolment::InvitationFault;
use sotay_model::rejection::Rejection;

/// Why a call did not do what was asked. Nothing that was entered is lost by any of them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Error))]
pub enum HandbookError {
    /// No handbook has been joined in this folder yet.
    #[error("not enrolled")]
    NotEnrolled,
    /// This folder already holds somebody's handbook.
    #[error("already enrolled")]
    AlreadyEnrolled,
    /// The invitation's text has a mistake: type it again.
    #[error("the invitation cannot be read: {fault:?}")]
    InvitationUnreadable {
        /// What is wrong with it.
        fault: InvitationFault,
    },
    /// The invitation is unknown, used up, expired or burnt: ask for a new one.
    #[error("the invitation cannot be used")]
    InvitationUnusable,
    /// No connection: everything entered is kept and sent later.
    #[error("the server at {address} cannot be reached")]
    ServerUnreachable {
        /// Host and port that were tried.
        address: String,
    },
    /// Something answered, but not as a Sotay server does: check the address.
    #[error("unexpected answer from {address}: {fault:?}")]
    ServerUnexpected {
        /// Host and port that were tried.
        address: String,
        /// What was wrong with the answer.
        fault: ServerFault,
    },
    /// The server does not know this phone, or it was revoked: ask the secretary. What was not sent stays here.
    #[error("this phone is not known to the server")]
    PhoneNotKnown,
    /// What was typed is not six digits. No try was used.
    #[error("not six digits")]
    DigitsMalformed,
    /// This phone has no key for what only an unlocked phone may do, or somebody else signed it.
    #[error("this phone may not approve that")]
    NotApproved,
    /// The server speaks a newer protocol: update the app. What was entered is kept.
    #[error("the app is too old for the server")]
    AppTooOld,
    /// The organisation wants a newer app before anything more is entered. Everything here can be read, and what was entered
    /// before is still sent.
    #[error("version {minimum} or newer is needed to enter anything")]
    UpdateNeeded {
        /// The oldest version that may, as `1.2.3`.
        minimum: String,
    },
    /// A rule said no.
    #[error("refused: {why}")]
    Refused {
        /// Which rule, with the facts.
        why: Rejection,
    },
    /// The screen asks for something that is not on this phone (any more).
    #[error("not on this phone")]
    NotHere,
    /// The database was written by a newer version of the app: update the app.
    #[error("database version {found} is newer than {known}")]
    NewerDatabase {
        /// The version in the file.
        found: u32,
        /// The newest this app knows.
        known: u32,
    },
    /// The file is no database of this handbook, or damaged beyond opening. `unsent` answers are safe in the journal.
    #[error("the database cannot be read")]
    DatabaseUnreadable {
        /// How many unsent mutations the journal still holds.
        unsent: u32,
    },
    /// The key store is locked: unlock the phone and try again.
    #[error("the key is locked")]
    KeyLocked,
    /// The key store could not answer: try again.
    #[error("the key store failed")]
    KeyFailed,
    /// The key is gone for good; joining again loses the unsent answers.
    #[error("the key is lost")]
    KeyLost {
        /// How many unsent mutations would be lost.
        unsent: u32,
    },
    /// The handbook is locked by a PIN: ask for it and call `open_with_pin`.
    #[error("the PIN is needed, {tries_left} tries are left")]
    PinNeeded {
        /// How many wrong ones in a row delete the handbook.
        tries_left: u32,
    },
    /// Not the PIN that was set.
    #[error("the PIN is wrong, {tries_left} tries are left")]
    PinWrong {
        /// How many further wrong ones delete the handbook; never 0.
        tries_left: u32,
    },
    /// A PIN is exactly six digits. No try was used.
    #[error("a PIN has six digits")]
    PinMalformed,
    /// The PIN was wrong ten times in a row, and the handbook was deleted: join again with a new invitation.
    #[error("deleted after ten wrong PINs, {unsent} entries were lost")]
    WipedAfterTries {
        /// How many unsent mutations were lost.
        unsent: u32,
    },
    /// Signing out would lose answers that were not sent. Nothing was done.
    #[error("{count} entries are not sent yet")]
    Unsent {
        /// How many.
        count: u32,
    },
    /// The organisation revoked this phone, and the handbook was deleted. Opening gives an empty one.
    #[error("this phone was revoked")]
    Revoked,
    /// The key fits no part of this handbook: it is another one's.
    #[error("the key does not fit")]
    WrongKey,
    /// The phone's storage is full: free some space. Nothing entered before is lost.
    #[error("storage is full")]
    StorageFull,
    /// So many entries wait to be sent, or were refused and not put away, that no more are taken: reach the server first.
    #[error("{limit} entries wait already")]
    OutboxFull {
        /// The most that may wait.
        limit: u32,
    },
    /// The phone's storage failed.
    #[error("storage failed with code {code}")]
    StorageFailed {
        /// SQLite's extended result code, or the operating system's error number.
        code: i32,
    },
    /// Another process has this handbook open.
    #[error("in use by another process")]
    InUse,
    /// The handbook is paused: call `resume` first.
    #[error("paused")]
    Paused,
    /// The call was cancelled, or the handbook is shut down.
    #[error("cancelled")]
    Cancelled,
    /// A defect of ours; the number finds it in the log.
    #[error("internal error {incident}")]
    Internal {
        /// Also written to the log.
        incident: String,
    },
}

/// What was wrong with a server's answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[cfg_attr(feature = "uniffi", derive(uniffi::Enum))]
pub enum ServerFault {
    /// A page for people, as hotel and airport networks send: sign in to the network first.
    Html,
    /// A status that no Sotay server sends.
    Status {
        /// The HTTP status.
        code: u16,
    },
    /// The answer ended early.
    Truncated,
    /// There was nothing in it.
    Empty,
    /// It could not be read.
    Unreadable,
    /// It was larger than any answer may be.
    TooLarge,
    /// The certificate is not one of the organisation's.
    Untrusted,
    /// It broke the protocol's rules.
    Protocol,
}

impl From<Rejection> for HandbookError {
    fn from(why: Rejection) -> Self {
        Self::Refused { why }
    }
}
