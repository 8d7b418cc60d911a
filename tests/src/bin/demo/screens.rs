//! Screens as lines of text, each from the view that an app would show.

use sotay_client::home::{HomeView, WaitingItem};
use sotay_client::meetings::{
    AnswersView, ConfirmedView, MeetingCard, MeetingView, NoticeChangeView, NoticeDifference,
    RollCallView,
};
use sotay_model::meetings::{AttendanceMark, Figure};

use crate::words;

/// How many lines of a roll call are printed; a phone scrolls.
const ROLL_CALL_LINES: usize = 4;

/// The first screen.
pub(crate) fn home(view: &HomeView) -> Vec<String> {
    let mut lines = vec!["TRANG CHÍNH".to_owned()];
    for change in &view.changes {
        lines.extend(self::change(change));
    }
    match &view.next_meeting {
        Some(card) => {
            lines.push("Cuộc họp tới".into());
            lines.extend(indented(meeting_card(card)));
        }
        None => lines.push("Chưa có cuộc họp nào.".into()),
    }
    if !view.waiting.is_empty() {
        lines.push(format!("Việc cần làm ({})", view.waiting.len()));
        lines.extend(indented(view.waiting.iter().map(waiting).collect()));
    }
    if !view.new_documents.is_empty() {
        lines.push("Tài liệu mới".into());
        lines.extend(
            view.new_documents
                .iter()
                .map(|document| format!("  {}", document.title)),
        );
    }
    if view.delivery.unsent > 0 && view.delivery.offline {
        lines.push(format!(
            "⚠ Chưa có mạng. Đã lưu ({}), sẽ tự gửi.",
            view.delivery.unsent
        ));
    } else if view.delivery.unsent > 0 {
        lines.push(format!("Đã lưu ({}), sẽ tự gửi.", view.delivery.unsent));
    } else if view.delivery.offline {
        lines.push("⚠ Chưa có mạng.".into());
    }
    lines
}

fn waiting(item: &WaitingItem) -> String {
    match item {
        WaitingItem::Acknowledge { .. } => "Xem thay đổi  [Tôi đã biết]".into(),
        WaitingItem::Answer { answer_by, .. } => {
            format!(
                "Trả lời trước {}  [Tôi sẽ dự] [Xin vắng]",
                words::moment(*answer_by)
            )
        }
        WaitingItem::Read { title, .. } => format!("Đọc: {title}"),
        WaitingItem::DecideAbsences { count, .. } => format!("Xin vắng chờ duyệt ({count})"),
        WaitingItem::ResolveMarks { count, .. } => format!("Điểm danh khác nhau ({count})"),
        WaitingItem::Confirm { .. } => "Điểm danh  [Xác nhận]".into(),
        WaitingItem::RatifyChair { .. } => "Đồng ý người chủ trì".into(),
        WaitingItem::UpdateNeeded { minimum } => format!("Cập nhật ứng dụng: {minimum}"),
        WaitingItem::UpdateApp { count } => format!("Cập nhật ứng dụng để xem ({count})"),
        WaitingItem::Refused { count } => format!("Không gửi được ({count})"),
    }
}

fn meeting_card(card: &MeetingCard) -> Vec<String> {
    let mut lines = vec![
        card.title.clone(),
        words::moment(card.starts_at),
        card.place.clone(),
    ];
    if let Some(answer) = &card.my_answer {
        let mut line = format!("Đã trả lời: {}", words::choice(answer.choice));
        for (so, text) in [
            (answer.for_old_time, " (cho giờ cũ)"),
            (answer.late, " (muộn)"),
            (answer.pending, " · chờ gửi"),
        ] {
            if so {
                line.push_str(text);
            }
        }
        lines.push(line);
    }
    if let Some(absence) = &card.my_absence {
        let pending = if absence.pending {
            " · chờ gửi"
        } else {
            ""
        };
        lines.push(format!(
            "Xin vắng ({}): {}{pending}",
            words::reason(absence.reason),
            words::absence(absence.state)
        ));
        if let (Some(answer), Some(by)) = (&absence.answer, &absence.decided_by) {
            lines.push(format!("  {by}: “{answer}”"));
        }
    }
    lines
}

/// What changed in a notice.
pub(crate) fn change(change: &NoticeChangeView) -> Vec<String> {
    let mut lines = vec![
        if change.urgent {
            "‼ Đã đổi gấp"
        } else {
            "Đã đổi"
        }
        .to_owned(),
    ];
    for difference in &change.differences {
        let line = match difference {
            NoticeDifference::Title { before, after } => format!("Tên: {before} → {after}"),
            NoticeDifference::StartsAt { before, after } => {
                format!("Giờ: {}", words::moved(*before, *after))
            }
            NoticeDifference::EndsAt { before, after } => {
                format!("Kết thúc: {}", words::moved(*before, *after))
            }
            NoticeDifference::Place { before, after } => format!("Nơi: {before} → {after}"),
            NoticeDifference::Mode { before, after } => {
                format!("Hình thức: {before:?} → {after:?}")
            }
            NoticeDifference::Agenda { added, removed } => changed_list("Nội dung", added, removed),
            NoticeDifference::Documents { added, removed } => {
                format!("Tài liệu: +{} −{removed}", added.len())
            }
            NoticeDifference::Guests { added, removed } => {
                changed_list("Khách mời", added, removed)
            }
            NoticeDifference::AnswerBy { after, .. } => {
                format!("Trả lời trước: {}", words::moment(*after))
            }
            NoticeDifference::AbsenceBy { after, .. } => {
                format!("Xin vắng trước: {}", words::moment(*after))
            }
        };
        lines.push(format!("  {line}"));
    }
    lines
}

fn changed_list(name: &str, added: &[String], removed: &[String]) -> String {
    let mut line = format!("{name}:");
    for entry in added {
        line.push_str(&format!(" +{entry}"));
    }
    for entry in removed {
        line.push_str(&format!(" −{entry}"));
    }
    line
}

/// The meeting screen.
pub(crate) fn meeting(view: &MeetingView) -> Vec<String> {
    let mut lines = vec![format!("CUỘC HỌP · {}", words::stage(view.card.stage))];
    lines.extend(meeting_card(&view.card));
    lines.push("Nội dung".into());
    lines.extend(view.agenda.iter().map(|entry| format!("  · {entry}")));
    if !view.documents.is_empty() {
        lines.push(format!("Tài liệu ({})", view.documents.len()));
        for document in &view.documents {
            let offline = if document.complete {
                " – xem được khi không có mạng"
            } else {
                ""
            };
            lines.push(format!("  {}{offline}", document.title));
        }
    }
    if let Some(line) = &view.my_line {
        lines.push(format!("Điểm danh của tôi: {}", words::mark(line.mark)));
    }
    lines
}

/// The secretary's answers.
pub(crate) fn answers(view: &AnswersView) -> Vec<String> {
    let answered = view
        .lines
        .iter()
        .filter(|line| line.answer.is_some() || line.absence.is_some());
    let mut lines = vec![
        "TRẢ LỜI".to_owned(),
        format!("Sẽ dự {} / {}", view.will_attend, view.expected),
        format!("Xin vắng chờ duyệt ({})", view.absences_waiting),
        format!("Chưa nhận ({})  [Đã báo] [Gọi]", view.not_reached),
    ];
    for line in answered {
        lines.push(line.name.clone());
        if let Some(answer) = &line.answer {
            let old = if answer.for_old_time {
                " (cho giờ cũ)"
            } else {
                ""
            };
            lines.push(format!("  {}{old}", words::choice(answer.choice)));
        }
        if let Some(absence) = &line.absence {
            let note = absence.note.as_deref().unwrap_or_default();
            lines.push(format!(
                "  Xin vắng ({}): {} “{note}”",
                words::reason(absence.reason),
                words::absence(absence.state)
            ));
        }
    }
    lines
}

/// The roll call: its figures, and everybody whose line is not simply present.
pub(crate) fn roll_call(view: &RollCallView) -> Vec<String> {
    let mut lines = vec![
        "ĐIỂM DANH".to_owned(),
        format!(
            "Có mặt {} · Vắng {} · Chưa điểm danh {}",
            view.present, view.absent, view.unmarked
        ),
    ];
    let others: Vec<_> = view
        .lines
        .iter()
        .filter(|line| line.mark != AttendanceMark::Present)
        .collect();
    for line in others.iter().take(ROLL_CALL_LINES) {
        let pending = if line.pending { "*" } else { "" };
        lines.push(format!(
            "  {} – {}{pending}",
            line.name,
            words::mark(line.mark)
        ));
    }
    if let Some(more @ 1..) = others.len().checked_sub(ROLL_CALL_LINES) {
        lines.push(format!("  … và {more} đồng chí nữa"));
    }
    if others.iter().any(|line| line.pending) {
        lines.push("  * đã lưu, chờ gửi".into());
    }
    for confirmation in &view.confirmations {
        lines.push(format!("Đã xác nhận: {}", confirmation.by.name));
    }
    if view.confirmed.is_none() && !view.waits_for.is_empty() {
        let waits: Vec<String> = view.waits_for.iter().map(words::wait).collect();
        lines.push(format!("Còn chờ: {}", waits.join(", ")));
    }
    if view.may_confirm {
        lines.push("[Xác nhận]".into());
    }
    lines
}

/// The figures for the minutes, each with how it was counted.
pub(crate) fn figures(confirmed: &ConfirmedView) -> Vec<String> {
    let figures = &confirmed.figures;
    let mut lines = vec![
        format!(
            "BIÊN BẢN · bản {} · {}",
            confirmed.number,
            words::moment(confirmed.confirmed_at)
        ),
        format!(
            "Tổng số {}: chính thức {}, dự bị {}, miễn {}",
            figures.total, figures.official, figures.probationary, figures.exempt
        ),
        format!(
            "Có mặt: chính thức {}, dự bị {}, miễn {}",
            figures.present_official, figures.present_probationary, figures.present_exempt
        ),
        format!(
            "Vắng: có lý do {}, không lý do {}",
            figures.absent_excused, figures.absent_unexcused
        ),
        format!("Căn cứ biểu quyết: {}", figures.vote_base.value),
    ];
    lines.extend(counted(&figures.vote_base));
    lines.push(format!(
        "  quá nửa: {} · hai phần ba: {}",
        figures.ordinary_majority, figures.two_thirds_majority
    ));
    let (there, of) = (figures.attending.value, figures.attendance_base.value);
    let tenths = (there * 1_000).checked_div(of).unwrap_or(0);
    lines.push(format!(
        "Tỷ lệ dự họp: {there}/{of} = {},{}%",
        tenths / 10,
        tenths % 10
    ));
    lines.extend(counted(&figures.attending));
    lines.push("  trên".into());
    lines.extend(counted(&figures.attendance_base));
    let names: Vec<&str> = confirmed
        .confirmed_by
        .iter()
        .map(|by| by.name.as_str())
        .collect();
    lines.push(format!("Xác nhận: {}", names.join(", ")));
    lines
}

/// The steps of a figure.
fn counted(figure: &Figure) -> Vec<String> {
    let step = |step: &sotay_model::meetings::Step| {
        let sign = if step.count < 0 { '−' } else { '+' };
        format!(
            "  {sign}{} {}",
            step.count.unsigned_abs(),
            words::step(step.reason).0
        )
    };
    figure.counted.iter().map(step).collect()
}

/// The same in English, for the narration.
pub(crate) fn counted_in_english(figure: &Figure) -> String {
    let steps: Vec<String> = figure
        .counted
        .iter()
        .map(|step| {
            let sign = if step.count < 0 { "less" } else { "" };
            format!(
                "{sign} {} {}",
                step.count.unsigned_abs(),
                words::step(step.reason).1
            )
            .trim()
            .to_owned()
        })
        .collect();
    format!("{} = {}", figure.value, steps.join(", "))
}

fn indented(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().map(|line| format!("  {line}")).collect()
}
