//! Invitations as the operator deals with them: one as text and picture, which ones are open, and closing them. Many at once, on
//! paper, stand in `printing`.
//!
//! What goes into a file is written before anybody is invited, and removed again if the invitations do not come to be. So there never is
//! a valid invitation that nobody holds in hand; the worst that is left is a paper that opens nothing.

use std::collections::BTreeMap;
use std::path::Path;

use sotay_model::enrolment::{Code, Invitation};
use sotay_model::organisation::Member;
use sotay_model::qr::Qr;
use sotay_model::{Id, MemberId, Timestamp};

use super::{CommuneError, DATABASE, MEMBER, ORGANISATION, first_host, words};
use crate::engine::{close, draw, give_out, may_join};
use crate::paper::PaperError;
use crate::picture::PictureForm;
use crate::private_file::PrivateFile;
use crate::storage::{Storage, Transaction};

/// For how many days an invitation may be good at most.
pub const MAX_VALID_DAYS: u32 = 92;

/// An invitation that somebody could still join with.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct OpenInvitation {
    /// The cell's code; the id where the register has none.
    pub cell: String,
    /// The member's code; the id where the register has none.
    pub member: String,
    /// Until when.
    pub expires_at: Timestamp,
}

/// The invitations that are open, by cell and member. Codes are not stored, so nobody can list them.
pub fn open_invitations(
    folder: &Path,
    now: Timestamp,
) -> Result<Vec<OpenInvitation>, CommuneError> {
    let mut storage = Storage::open(&folder.join(DATABASE))?;
    let transaction = storage.read()?;
    let cells = names_of(&transaction, ORGANISATION)?;
    let members = names_of(&transaction, MEMBER)?;
    let called = |names: &BTreeMap<Id, String>, id: Id| {
        names.get(&id).cloned().unwrap_or_else(|| id.to_string())
    };
    let mut open = Vec::new();
    for (id, expires_at) in transaction.open_invitations(now)? {
        let cell = member(&transaction, id)?
            .map(|member| called(&cells, member.cell.0))
            .unwrap_or_default();
        open.push(OpenInvitation {
            cell,
            member: called(&members, id.0),
            expires_at,
        });
    }
    open.sort();
    Ok(open)
}

/// Makes the open invitations of a member unusable; how many there were.
pub fn revoke_invitations(
    folder: &Path,
    member_code: &str,
    now: Timestamp,
) -> Result<usize, CommuneError> {
    let mut storage = Storage::open(&folder.join(DATABASE))?;
    let transaction = storage.write()?;
    let member = known(&transaction, member_code)?;
    let closed = close(&transaction, member, now)?;
    transaction.commit()?;
    Ok(closed)
}

/// Invites a member to join from one more phone. Without `host` it is the first of the configuration.
pub fn invite(
    folder: &Path,
    member_code: &str,
    host: Option<&str>,
    valid_days: u32,
    now: Timestamp,
) -> Result<Invitation, CommuneError> {
    invite_one(folder, member_code, (host, valid_days), None, now)
}

/// Invites a member and writes the QR code into a new picture file, PNG or SVG by its name, that only its owner may read.
pub fn invite_by_picture(
    folder: &Path,
    member_code: &str,
    host: Option<&str>,
    valid_days: u32,
    picture: &Path,
    now: Timestamp,
) -> Result<Invitation, CommuneError> {
    let form = PictureForm::of(picture).ok_or_else(|| CommuneError::PictureForm {
        path: picture.to_owned(),
    })?;
    let picture = Some((picture, form));
    invite_one(folder, member_code, (host, valid_days), picture, now)
}

fn invite_one(
    folder: &Path,
    member_code: &str,
    (host, valid_days): (Option<&str>, u32),
    picture: Option<(&Path, PictureForm)>,
    now: Timestamp,
) -> Result<Invitation, CommuneError> {
    let mut storage = Storage::open(&folder.join(DATABASE))?;
    invited(&storage.read()?, member_code, now)?;
    let host = checked_host(folder, host)?;
    let expires_at = now.plus_minutes(checked_days(valid_days)? * DAY);
    let drawn = draw(1)?;
    let one = drawn.first().ok_or(CommuneError::NobodyToInvite)?;
    let invitation = Invitation::new(&host, one.code.clone())?;
    let file = match picture {
        Some((path, form)) => {
            let qr = Qr::of(&invitation.text()).map_err(PaperError::from)?;
            Some(write(path, &form.draw(&qr))?)
        }
        None => None,
    };
    let transaction = storage.write()?;
    // Drawing took its time.
    let member = invited(&transaction, member_code, now)?;
    give_out(&transaction, member, one, expires_at, now)?;
    transaction.commit()?;
    if let Some(file) = file {
        file.keep();
    }
    Ok(invitation)
}

/// Minutes.
pub(super) const DAY: i64 = 24 * 60;

fn known(transaction: &Transaction<'_>, code: &str) -> Result<MemberId, CommuneError> {
    let code = words::tidy(code);
    let entry = transaction.entry(MEMBER, &code)?;
    Ok(MemberId(
        entry.ok_or(CommuneError::UnknownMember { code })?.id,
    ))
}

/// The member with this code, who may join.
fn invited(
    transaction: &Transaction<'_>,
    code: &str,
    now: Timestamp,
) -> Result<MemberId, CommuneError> {
    let member = known(transaction, code)?;
    if may_join(transaction, member, now)? {
        Ok(member)
    } else {
        let code = words::tidy(code);
        Err(CommuneError::MayNotJoin { code })
    }
}

pub(super) fn member(
    transaction: &Transaction<'_>,
    id: MemberId,
) -> Result<Option<Member>, CommuneError> {
    Ok(transaction
        .record(Member::key(id))?
        .and_then(|stored| stored.record.read().ok()))
}

fn names_of(
    transaction: &Transaction<'_>,
    subject: &str,
) -> Result<BTreeMap<Id, String>, CommuneError> {
    let entries = transaction.entries(subject)?;
    Ok(entries
        .into_iter()
        .map(|(code, entry)| (entry.id, code))
        .collect())
}

pub(super) fn checked_host(folder: &Path, host: Option<&str>) -> Result<String, CommuneError> {
    let host = match host {
        Some(host) => host.to_owned(),
        None => first_host(folder)?,
    };
    let checked = Invitation::new(&host, Code::from_random([0; 8]))?;
    Ok(checked.host().to_owned())
}

pub(super) fn checked_days(days: u32) -> Result<i64, CommuneError> {
    if days <= MAX_VALID_DAYS {
        Ok(i64::from(days))
    } else {
        Err(CommuneError::ValidTooLong { days })
    }
}

pub(super) fn write(path: &Path, bytes: &[u8]) -> Result<PrivateFile, CommuneError> {
    PrivateFile::write(path, bytes).map_err(file_error(path))
}

pub(super) fn file_error(path: &Path) -> impl FnOnce(std::io::Error) -> CommuneError {
    let path = path.to_owned();
    move |source| CommuneError::File { path, source }
}
