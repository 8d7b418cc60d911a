//! What an entry tells: who, what, on which record or phone; never the contents.

use std::fmt;

use minicbor::{Decode, Encode};
use sotay_model::{InstallationId, MemberId, RecordKey, Scope};

/// The most records that one entry names: opening a roll call writes one for each member.
pub const MAX_NAMED: usize = 8;

/// Something that happened. The numbers are stored and never reused.
#[derive(Debug, Clone, PartialEq, Eq, Encode, Decode)]
#[cbor(map)]
pub enum Event {
    /// The rules let a mutation through and its records were written. Appointments are among these.
    #[n(0)]
    Mutation {
        /// Whose; none: the operator's.
        #[n(0)]
        by: Option<MemberId>,
        /// From which phone.
        #[n(1)]
        phone: Option<InstallationId>,
        /// The intent's name.
        #[n(2)]
        kind: String,
        /// Which records were written: the first [`MAX_NAMED`].
        #[n(3)]
        records: Vec<RecordKey>,
        /// How many more there were.
        #[n(4)]
        more: u64,
    },
    /// A phone used an invitation. It may still have to be confirmed.
    #[n(1)]
    PhoneEnrolled {
        /// Whose.
        #[n(0)]
        member: MemberId,
        /// Which one.
        #[n(1)]
        phone: InstallationId,
    },
    /// Somebody compared the digits: the phone is active.
    #[n(2)]
    PhoneConfirmed {
        /// Whose.
        #[n(0)]
        member: MemberId,
        /// Which one.
        #[n(1)]
        phone: InstallationId,
        /// Who compared; none: the operator.
        #[n(2)]
        by: Option<MemberId>,
    },
    /// A phone is no longer accepted.
    #[n(3)]
    PhoneRevoked {
        /// Whose.
        #[n(0)]
        member: MemberId,
        /// Which one.
        #[n(1)]
        phone: InstallationId,
        /// Who asked for it; none: the operator.
        #[n(2)]
        by: Option<MemberId>,
    },
    /// A phone got another name.
    #[n(4)]
    PhoneRenamed {
        /// Whose.
        #[n(0)]
        member: MemberId,
        /// Which one.
        #[n(1)]
        phone: InstallationId,
    },
    /// A member may join with one more phone.
    #[n(5)]
    InvitationMade {
        /// Who.
        #[n(0)]
        member: MemberId,
        /// Who invited; none: the operator.
        #[n(1)]
        by: Option<MemberId>,
    },
    /// Wrong tries made an invitation useless.
    #[n(6)]
    InvitationBurnt {
        /// Whose.
        #[n(0)]
        member: MemberId,
    },
    /// The operator entered a list.
    #[n(7)]
    Imported {
        /// Members entered for the first time.
        #[n(0)]
        new: u64,
        /// Members whose entry changed.
        #[n(1)]
        changed: u64,
    },
    /// Something left the system as a file.
    #[n(8)]
    Exported {
        /// Who asked for it; none: the operator.
        #[n(0)]
        by: Option<MemberId>,
        /// What: a word of the program's own.
        #[n(1)]
        what: String,
    },
    /// A backup was made.
    #[n(9)]
    BackedUp,
    /// The database comes from a backup.
    #[n(10)]
    Restored {
        /// The incarnation that began.
        #[n(0)]
        incarnation: u64,
    },
    /// The server's certificate now stands under what was the spare root.
    #[n(11)]
    RootsRotated,
    /// An event of an entry was erased. This entry itself stays readable.
    #[n(12)]
    Erased {
        /// The chain.
        #[n(0)]
        scope: Option<Scope>,
        /// The entry.
        #[n(1)]
        n: u64,
    },
    /// The open invitations of a member were made unusable.
    #[n(13)]
    InvitationsClosed {
        /// Whose.
        #[n(0)]
        member: MemberId,
        /// Who did it; none: the operator.
        #[n(1)]
        by: Option<MemberId>,
    },
    /// The organisation signs with what was its spare key.
    #[n(15)]
    SigningKeyRotated,
    /// Apps older than that enter nothing more.
    #[n(14)]
    MinimumVersionSet {
        /// As `1.2.3`.
        #[n(0)]
        version: String,
    },
    /// The operator removed what should never have been entered.
    #[n(16)]
    Purged {
        /// Which records lost words or files: the first [`MAX_NAMED`].
        #[n(0)]
        records: Vec<RecordKey>,
        /// How many more there were.
        #[n(1)]
        more: u64,
        /// How many files.
        #[n(2)]
        files: u64,
    },
    /// Records were removed because their time was over.
    #[n(17)]
    Expired {
        /// How many.
        #[n(0)]
        records: u64,
    },
}

impl fmt::Display for Event {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let by = |member: &Option<MemberId>| {
            member.map_or_else(|| "operator".to_owned(), |member| member.to_string())
        };
        match self {
            Self::Mutation {
                by: who,
                phone,
                kind,
                records,
                more,
            } => {
                write!(f, "{kind} by {}", by(who))?;
                if let Some(phone) = phone {
                    write!(f, " on phone {phone}")?;
                }
                records
                    .iter()
                    .try_for_each(|record| write!(f, " {record}"))?;
                match more {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
            Self::PhoneEnrolled { member, phone } => {
                write!(f, "phone {phone} enrolled for {member}")
            }
            Self::PhoneConfirmed {
                member,
                phone,
                by: who,
            } => write!(f, "phone {phone} of {member} confirmed by {}", by(who)),
            Self::PhoneRevoked {
                member,
                phone,
                by: who,
            } => write!(f, "phone {phone} of {member} revoked by {}", by(who)),
            Self::PhoneRenamed { member, phone } => write!(f, "phone {phone} of {member} renamed"),
            Self::InvitationMade { member, by: who } => {
                write!(f, "invitation for {member} made by {}", by(who))
            }
            Self::InvitationBurnt { member } => write!(f, "invitation for {member} burnt"),
            Self::InvitationsClosed { member, by: who } => {
                write!(f, "invitations for {member} closed by {}", by(who))
            }
            Self::Imported { new, changed } => {
                write!(f, "list entered: {new} new, {changed} changed")
            }
            Self::Expired { records } => {
                write!(f, "{records} records removed, whose time was over")
            }
            Self::Purged {
                records,
                more,
                files,
            } => {
                write!(f, "contents removed by operator, {files} files")?;
                records
                    .iter()
                    .try_for_each(|record| write!(f, " {record}"))?;
                match more {
                    0 => Ok(()),
                    more => write!(f, " and {more} more"),
                }
            }
            Self::Exported { by: who, what } => write!(f, "{what} exported by {}", by(who)),
            Self::BackedUp => f.write_str("backup made"),
            Self::Restored { incarnation } => {
                write!(f, "restored from a backup as incarnation {incarnation}")
            }
            Self::RootsRotated => f.write_str("certificate moved to the spare root"),
            Self::SigningKeyRotated => f.write_str("signing moved to the spare key"),
            Self::MinimumVersionSet { version } => {
                write!(f, "apps older than {version} enter nothing more")
            }
            Self::Erased { scope, n } => match scope {
                Some(scope) => write!(f, "event {n} of {scope} erased"),
                None => write!(f, "event {n} of the server erased"),
            },
        }
    }
}
