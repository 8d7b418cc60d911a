//! The words of the screens, in Vietnamese, for the codes in the views. The apps have the same in their resource files.

use sotay_client::meetings::{ConfirmationWait, MeetingStage};
use sotay_model::Timestamp;
use sotay_model::meetings::{AbsenceReason, AbsenceState, AttendanceMark, Choice, StepReason};

/// "19 giờ 30, thứ Hai 05/01", in Vietnam's time.
pub(crate) fn moment(at: Timestamp) -> String {
    const DAYS: [&str; 7] = [
        "thứ Năm",
        "thứ Sáu",
        "thứ Bảy",
        "Chủ nhật",
        "thứ Hai",
        "thứ Ba",
        "thứ Tư",
    ];
    let local = at.plus_minutes(7 * 60).0.div_euclid(60_000);
    let (days, minutes) = (local.div_euclid(24 * 60), local.rem_euclid(24 * 60));
    let day = usize::try_from(days.rem_euclid(7)).unwrap_or(0);
    let date = at.date().to_string();
    let (month, day_of_month) = (&date[5..7], &date[8..10]);
    format!("{}, {} {day_of_month}/{month}", hour(minutes), DAYS[day])
}

/// "19 giờ → 19 giờ 30, thứ Hai 05/01", or both moments in full where the day changed.
pub(crate) fn moved(before: Timestamp, after: Timestamp) -> String {
    let (from, to) = (moment(before), moment(after));
    match (from.split_once(", "), to.split_once(", ")) {
        (Some((hour, day)), Some((_, same))) if day == same => format!("{hour} → {to}"),
        _ => format!("{from} → {to}"),
    }
}

/// "19 giờ 30".
fn hour(minutes: i64) -> String {
    match minutes % 60 {
        0 => format!("{} giờ", minutes / 60),
        rest => format!("{} giờ {rest:02}", minutes / 60),
    }
}

pub(crate) fn choice(choice: Choice) -> &'static str {
    match choice {
        Choice::WillAttend => "Sẽ dự",
        Choice::WillAttendOnline => "Sẽ dự trực tuyến",
        Choice::Undecided => "Chưa chắc",
        Choice::Unknown { .. } => "?",
    }
}

pub(crate) fn reason(reason: AbsenceReason) -> &'static str {
    match reason {
        AbsenceReason::Health => "Sức khỏe",
        AbsenceReason::Family => "Gia đình",
        AbsenceReason::Work => "Công tác",
        AbsenceReason::Away => "Đi xa",
        AbsenceReason::Other => "Khác",
        AbsenceReason::Unknown { .. } => "?",
    }
}

pub(crate) fn absence(state: AbsenceState) -> &'static str {
    match state {
        AbsenceState::Waiting => "Chờ duyệt",
        AbsenceState::Granted => "Đã đồng ý",
        AbsenceState::Refused => "Chưa đồng ý",
        AbsenceState::Withdrawn => "Đã rút",
        AbsenceState::Unknown { .. } => "?",
    }
}

pub(crate) fn mark(mark: AttendanceMark) -> &'static str {
    match mark {
        AttendanceMark::Unmarked => "Chưa điểm danh",
        AttendanceMark::Present => "Có mặt",
        AttendanceMark::Late => "Đến muộn",
        AttendanceMark::LeftEarly => "Về sớm",
        AttendanceMark::AbsentExcused => "Vắng có lý do",
        AttendanceMark::AbsentUnexcused => "Vắng không lý do",
        AttendanceMark::Unknown { .. } => "?",
    }
}

pub(crate) fn stage(stage: MeetingStage) -> &'static str {
    match stage {
        MeetingStage::Announced => "Đã thông báo",
        MeetingStage::Cancelled => "Đã hủy",
        MeetingStage::Open => "Đang điểm danh",
        MeetingStage::Confirmed => "Đã xác nhận",
    }
}

pub(crate) fn wait(wait: &ConfirmationWait) -> String {
    match wait {
        ConfirmationWait::Opening => "chưa mở điểm danh".into(),
        ConfirmationWait::Marks { count } => format!("còn {count} chưa điểm danh"),
        ConfirmationWait::Conflicts { count } => format!("còn {count} dòng khác nhau"),
        ConfirmationWait::Chair => "chủ trì xác nhận".into(),
        ConfirmationWait::SecondPerson => "thư ký xác nhận".into(),
        ConfirmationWait::Ratification => "bí thư đồng ý người chủ trì".into(),
    }
}

/// A step of a figure, with the English beside it for the reader of the demo.
pub(crate) fn step(reason: StepReason) -> (&'static str, &'static str) {
    match reason {
        StepReason::OfficialConvened => ("chính thức được triệu tập", "official members convened"),
        StepReason::ProbationaryConvened => {
            ("dự bị được triệu tập", "probationary members convened")
        }
        StepReason::TemporaryElsewhere => {
            ("sinh hoạt tạm thời nơi khác", "at another cell for a time")
        }
        StepReason::ExemptNotVoting => ("được miễn, không biểu quyết", "exempt and not voting"),
        StepReason::Suspended => ("bị đình chỉ", "suspended"),
        StepReason::AbsentExcused => ("vắng có lý do được chấp nhận", "absent, reason accepted"),
        StepReason::TemporaryIn => ("sinh hoạt tạm thời tại đây", "here for a time"),
        StepReason::PresentInRoom => ("có mặt tại chỗ", "present in the room"),
        StepReason::PresentOnline => ("có mặt trực tuyến", "present online"),
        StepReason::Unknown { .. } => ("?", "?"),
    }
}
