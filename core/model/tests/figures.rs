//! The figures for the minutes.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use proptest::prelude::*;
use sotay_model::cbor::UnknownKeys;
use sotay_model::id::{Id, MemberId};
use sotay_model::meetings::{
    AttendanceMark, ConfirmedLine, Figure, MeetingKind, ParticipationMode, Step, StepReason,
    figures,
};
use sotay_model::organisation::{MemberStatus, Policy};

fn line(status: MemberStatus, mark: AttendanceMark, voted: bool) -> ConfirmedLine {
    ConfirmedLine {
        member: MemberId(Id::default()),
        name: "Đồng chí Mẫu".to_owned(),
        convened_as: status,
        mark,
        mode: ParticipationMode::InRoom,
        voted,
        unknown: UnknownKeys::none(),
    }
}

fn lines(groups: &[(usize, MemberStatus, AttendanceMark)]) -> Vec<ConfirmedLine> {
    let groups = groups.iter();
    groups
        .flat_map(|(n, status, mark)| vec![line(*status, *mark, false); *n])
        .collect()
}

const fn step(reason: StepReason, count: i32) -> Step {
    Step { reason, count }
}

/// 20 official, of whom 2 elsewhere; 2 probationary; 3 exempt, one of whom came and voted; 1 suspended; 1 visitor.
fn sheet() -> Vec<ConfirmedLine> {
    let mut lines = lines(&[
        (14, MemberStatus::Official, AttendanceMark::Present),
        (1, MemberStatus::Official, AttendanceMark::Late),
        (2, MemberStatus::Official, AttendanceMark::AbsentExcused),
        (1, MemberStatus::Official, AttendanceMark::AbsentUnexcused),
        (2, MemberStatus::TemporaryOut, AttendanceMark::Unmarked),
        (1, MemberStatus::Probationary, AttendanceMark::Present),
        (1, MemberStatus::Probationary, AttendanceMark::AbsentExcused),
        (2, MemberStatus::Exempt, AttendanceMark::Unmarked),
        (1, MemberStatus::Suspended, AttendanceMark::Unmarked),
        (1, MemberStatus::TemporaryIn, AttendanceMark::Present),
        (1, MemberStatus::Guest, AttendanceMark::Present),
    ]);
    lines.push(line(MemberStatus::Exempt, AttendanceMark::Present, true));
    lines[0].mode = ParticipationMode::Online;
    lines
}

#[test]
fn the_vote_base_is_counted_step_by_step() {
    let f = figures(&sheet(), MeetingKind::Congress, &Policy::default());
    assert_eq!(
        f.vote_base,
        Figure {
            value: 17,
            counted: vec![
                step(StepReason::OfficialConvened, 24),
                step(StepReason::TemporaryElsewhere, -2),
                step(StepReason::ExemptNotVoting, -2),
                step(StepReason::Suspended, -1),
                step(StepReason::AbsentExcused, -2),
            ],
        }
    );
    assert!(f.vote_base_by_rule);
    assert_eq!((f.ordinary_majority, f.two_thirds_majority), (9, 12));
}

#[test]
fn the_attendance_rate_is_another_figure() {
    let f = figures(&sheet(), MeetingKind::Regular, &Policy::default());
    assert!(!f.vote_base_by_rule);
    assert_eq!((f.attending.value, f.attendance_base.value), (17, 21));
    assert_eq!(
        f.attending.counted,
        vec![
            step(StepReason::PresentInRoom, 16),
            step(StepReason::PresentOnline, 1)
        ]
    );
    assert!(!f.attendance_good, "81 per cent");
    let policy = Policy {
        excused_leave_rate_base: true,
        temporary_in_counts: false,
        ..Policy::default()
    };
    let f = figures(&sheet(), MeetingKind::Regular, &policy);
    assert_eq!((f.attending.value, f.attendance_base.value), (16, 17));
    assert!(f.attendance_good, "94 per cent");
}

#[test]
fn the_minutes_state_each_kind() {
    let f = figures(&sheet(), MeetingKind::Regular, &Policy::default());
    assert_eq!(
        (
            f.total,
            f.official,
            f.probationary,
            f.exempt,
            f.suspended,
            f.elsewhere,
            f.temporary_in
        ),
        (26, 20, 2, 3, 1, 2, 1)
    );
    assert_eq!(
        (
            f.present_official,
            f.present_probationary,
            f.present_exempt,
            f.present_temporary
        ),
        (15, 1, 1, 1)
    );
    assert_eq!(
        (
            f.present_online,
            f.absent_excused,
            f.absent_unexcused,
            f.unmarked
        ),
        (1, 3, 1, 0)
    );
}

#[test]
fn an_exempt_member_who_came_without_voting_stays_outside_the_base() {
    let came = vec![line(MemberStatus::Exempt, AttendanceMark::Present, false)];
    let f = figures(&came, MeetingKind::Congress, &Policy::default());
    assert_eq!(
        (
            f.vote_base.value,
            f.attendance_base.value,
            f.ordinary_majority
        ),
        (0, 0, 0)
    );
    assert!(!f.attendance_good);
}

#[test]
fn exactly_the_mark_of_the_policy_is_not_above_it() {
    let policy = Policy {
        good_attendance_percent: 80,
        ..Policy::default()
    };
    let four_of_five = lines(&[
        (4, MemberStatus::Official, AttendanceMark::Present),
        (1, MemberStatus::Official, AttendanceMark::AbsentUnexcused),
    ]);
    assert!(!figures(&four_of_five, MeetingKind::Regular, &policy).attendance_good);
}

prop_compose! {
    fn any_line()(
        status in 0_u32..13, mark in 0_u32..8, mode in 0_u32..4, voted: bool
    ) -> ConfirmedLine {
        ConfirmedLine {
            mode: ParticipationMode::from_code(mode),
            ..line(MemberStatus::from_code(status), AttendanceMark::from_code(mark), voted)
        }
    }
}

proptest! {
    #[test]
    fn figures_hold_together_for_every_sheet(
        lines in prop::collection::vec(any_line(), 0..60),
        kind in 0_u32..8,
        excused_leave_rate_base: bool,
        temporary_in_counts: bool,
        good_attendance_percent: u32,
    ) {
        let policy = Policy {
            excused_leave_rate_base, temporary_in_counts, good_attendance_percent, ..Policy::default()
        };
        let f = figures(&lines, MeetingKind::from_code(kind), &policy);
        for figure in [&f.vote_base, &f.attending, &f.attendance_base] {
            let sum: i32 = figure.counted.iter().map(|step| step.count).sum();
            prop_assert_eq!(i32::try_from(figure.value).unwrap(), sum);
        }
        prop_assert!(f.attending.value <= f.attendance_base.value);
        prop_assert!(f.vote_base.value <= f.official - f.elsewhere + f.exempt);
        prop_assert_eq!(f.total, f.official + f.probationary + f.exempt + f.suspended);
        prop_assert!(f.elsewhere <= f.official);
        if f.vote_base.value > 0 {
            prop_assert!(f.ordinary_majority * 2 > f.vote_base.value);
            prop_assert!((f.ordinary_majority - 1) * 2 <= f.vote_base.value);
            prop_assert!(f.two_thirds_majority * 3 >= f.vote_base.value * 2);
            prop_assert!((f.two_thirds_majority - 1) * 3 < f.vote_base.value * 2);
        }
        let mut turned = lines;
        turned.reverse();
        prop_assert_eq!(figures(&turned, MeetingKind::from_code(kind), &policy), f);
    }
}
