//! Phones, for whoever runs the server: who waits, confirming, listing, revoking.

use std::collections::HashMap;
use std::path::Path;

use sotay_model::exchange::SixDigits;
use sotay_model::{Id, InstallationId, MemberId, Timestamp};

use super::{CommuneError, DATABASE, MEMBER, words};
use crate::engine::{Compared, compare, refuse};
use crate::storage::{Installation, Storage, Transaction};

/// What became of six digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Confirmation {
    /// They agree: the phone is the member's.
    Confirmed,
    /// They differ; so many tries are left. With none the member is invited anew.
    WrongDigits {
        /// Tries left.
        left: u32,
    },
    /// No phone of this member waits.
    NobodyWaits,
}

/// A phone that waits for six digits to be compared.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Waiting {
    /// The member's code in the list.
    pub member: String,
    /// What the phone is called.
    pub device_name: String,
    /// What its screen shows.
    pub digits: SixDigits,
    /// Until when it waits.
    pub until: Timestamp,
}

fn open(folder: &Path) -> Result<Storage, CommuneError> {
    Ok(Storage::open(&folder.join(DATABASE))?)
}

fn member_of(transaction: &Transaction<'_>, code: &str) -> Result<MemberId, CommuneError> {
    let code = words::tidy(code);
    match transaction.entry(MEMBER, &code)? {
        Some(entry) => Ok(MemberId(entry.id)),
        None => Err(CommuneError::UnknownMember { code }),
    }
}

/// The phones that wait, the oldest first.
pub fn waiting(folder: &Path, now: Timestamp) -> Result<Vec<Waiting>, CommuneError> {
    let mut storage = open(folder)?;
    let transaction = storage.read()?;
    let codes: HashMap<Id, String> = (transaction.entries(MEMBER)?.into_iter())
        .map(|(code, entry)| (entry.id, code))
        .collect();
    let mut lines = Vec::new();
    for joining in transaction.all_joining(now)? {
        let Some(phone) = transaction.installation(joining.installation)? else {
            continue;
        };
        lines.push(Waiting {
            member: codes.get(&phone.member.0).cloned().unwrap_or_default(),
            device_name: phone.device_name,
            digits: joining.digits,
            until: joining.until,
        });
    }
    Ok(lines)
}

/// Confirms the phone of a member that shows these digits. Where several wait, the digits say which.
pub fn confirm(
    folder: &Path,
    member_code: &str,
    digits: &str,
    now: Timestamp,
) -> Result<Confirmation, CommuneError> {
    let digits = SixDigits::parse(digits).ok_or(CommuneError::NotSixDigits)?;
    let mut storage = open(folder)?;
    let transaction = storage.write()?;
    let member = member_of(&transaction, member_code)?;
    let mut waiting = Vec::new();
    for phone in transaction.installations_of(member)? {
        waiting.extend(transaction.joining(phone.id, now)?);
    }
    let meant = waiting
        .iter()
        .find(|joining| joining.digits == digits)
        .or_else(|| waiting.first());
    let Some(meant) = meant else {
        return Ok(Confirmation::NobodyWaits);
    };
    let compared = compare(&transaction, meant.installation, digits, None, now)?;
    transaction.commit()?;
    Ok(match compared {
        Compared::Agree => Confirmation::Confirmed,
        Compared::Differ { left } => Confirmation::WrongDigits { left },
        Compared::NobodyWaits => Confirmation::NobodyWaits,
        Compared::MayNotJoin => {
            let code = words::tidy(member_code);
            return Err(CommuneError::MayNotJoin { code });
        }
    })
}

/// A member's phones that are accepted or wait, the oldest first.
pub fn phones(folder: &Path, member_code: &str) -> Result<Vec<Installation>, CommuneError> {
    let mut storage = open(folder)?;
    let transaction = storage.read()?;
    let member = member_of(&transaction, member_code)?;
    Ok(transaction.installations_of(member)?)
}

/// Revokes one phone of a member, or all of them; how many. Each is wiped at its next contact.
pub fn revoke(
    folder: &Path,
    member_code: &str,
    phone: Option<InstallationId>,
    now: Timestamp,
) -> Result<usize, CommuneError> {
    let mut storage = open(folder)?;
    let transaction = storage.write()?;
    let member = member_of(&transaction, member_code)?;
    let mut revoked = 0;
    for known in transaction.installations_of(member)? {
        if phone.is_none_or(|phone| phone == known.id) {
            refuse(&transaction, &known, None, now)?;
            revoked += 1;
        }
    }
    transaction.commit()?;
    Ok(revoked)
}
