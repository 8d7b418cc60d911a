//! The sheet of a roll call as everybody sees it: which of differing marks stands, what is still open, and the digest that
//! confirmers sign.
//!
//! Invariant: the digest depends on what the sheet says, not on the order in which lines or marks arrived, nor on who marked.

use std::cmp::Reverse;

use ring::digest::{Context as Digest, SHA256};

use super::records::{Attendance, AttendanceMark, ConfirmedLine, Mark, ParticipationMode};
use crate::cbor::UnknownKeys;
use crate::organisation::MemberStatus;

/// The digest of a sheet as a confirmer sees it: SHA-256, 32 bytes.
pub type SheetDigest = Vec<u8>;

/// Which mark stands for a line, and whether a conflict is open.
///
/// A resolved mark stands. Else Present, Late or LeftEarly beats an absence; then the meeting's recorder, the secretary, the
/// deputy, an assistant, the member; then the later one by the phones' clocks; then the higher id, so that the order never
/// depends on who arrived first. A conflict is open while marks of different persons differ and nobody decided.
pub fn standing_mark(line: &Attendance) -> (Option<&Mark>, bool) {
    if let Some(resolved) = &line.resolved {
        return (Some(resolved), false);
    }
    let standing = line.marks.iter().max_by_key(|mark| {
        (
            is_present(mark.mark),
            Reverse(mark.source),
            mark.made_at,
            mark.by,
        )
    });
    let differ = line
        .marks
        .iter()
        .any(|mark| standing.is_some_and(|s| s.mark != mark.mark));
    (standing, differ)
}

/// Whether a mark says that the member took part.
pub const fn is_present(mark: AttendanceMark) -> bool {
    matches!(
        mark,
        AttendanceMark::Present | AttendanceMark::Late | AttendanceMark::LeftEarly
    )
}

/// Whether a line must be marked before a confirmation. Who is exempt, suspended, or elsewhere for a time is not expected;
/// the status already says why the line is empty. If they come, they are marked like anyone.
pub const fn needs_mark(convened_as: MemberStatus) -> bool {
    matches!(
        convened_as,
        MemberStatus::Official | MemberStatus::Probationary | MemberStatus::TemporaryIn
    )
}

/// Whether a mark says that an exempt member came and voted; of others the status says it.
pub(super) fn votes(convened_as: MemberStatus, mark: &Mark) -> bool {
    convened_as == MemberStatus::Exempt && is_present(mark.mark) && mark.voted
}

/// The mark that confirmers sign for a line: the proposed correction, else the standing one.
fn signed_mark(line: &Attendance) -> Option<&Mark> {
    line.proposed.as_ref().or_else(|| standing_mark(line).0)
}

/// The sheet as confirmers see it, proposed corrections included, in the order of the members.
pub fn sheet(lines: &[Attendance]) -> Vec<ConfirmedLine> {
    let mut sheet: Vec<ConfirmedLine> = lines
        .iter()
        .map(|line| {
            let mark = signed_mark(line);
            ConfirmedLine {
                member: line.member,
                name: line.name.clone(),
                convened_as: line.convened_as,
                mark: mark.map_or(AttendanceMark::Unmarked, |mark| mark.mark),
                mode: mark.map_or(ParticipationMode::InRoom, |mark| mark.mode),
                voted: mark.is_some_and(|mark| votes(line.convened_as, mark)),
                unknown: UnknownKeys::none(),
            }
        })
        .collect();
    sheet.sort_by_key(|line| line.member);
    sheet
}

/// What confirmers sign: the standing marks of all lines, in the order of the members.
pub fn sheet_digest(lines: &[Attendance]) -> SheetDigest {
    let mut digest = Digest::new(&SHA256);
    digest.update(b"sotay sheet v1");
    for line in sheet(lines) {
        digest.update(line.member.0.as_bytes());
        for code in [
            line.convened_as.code(),
            line.mark.code(),
            line.mode.code(),
            line.voted.into(),
        ] {
            digest.update(&code.to_be_bytes());
        }
    }
    digest.finish().as_ref().to_vec()
}

/// How many lines still lack a mark that they need.
pub fn unmarked_count(lines: &[Attendance]) -> u32 {
    let open = lines
        .iter()
        .filter(|l| needs_mark(l.convened_as) && signed_mark(l).is_none());
    u32::try_from(open.count()).unwrap_or(u32::MAX)
}

/// How many lines have differing marks between which nobody has decided.
pub fn conflict_count(lines: &[Attendance]) -> u32 {
    let open = lines
        .iter()
        .filter(|line| line.proposed.is_none() && standing_mark(line).1);
    u32::try_from(open.count()).unwrap_or(u32::MAX)
}
