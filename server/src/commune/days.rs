//! Days as spreadsheets and people write them.

use sotay_model::CalendarDate;

/// What stands where a birthday should: registers often hold only the year.
pub(super) enum DayOrYear {
    Day(CalendarDate),
    Year(u32),
}

fn year(number: i64) -> Option<DayOrYear> {
    u32::try_from(number)
        .ok()
        .filter(|year| (1900..=2100).contains(year))
        .map(DayOrYear::Year)
}

/// A spreadsheet's number: a year, or days since 1899-12-30.
pub(super) fn serial_or_year(number: f64) -> Option<DayOrYear> {
    if !(1.0..1_000_000.0).contains(&number) {
        return None;
    }
    // In range, so nothing is lost but the time of day.
    let whole = number.trunc() as i64;
    if let Some(year) = year(whole) {
        return Some(year);
    }
    let noon = CalendarDate::new(1899, 12, 30)?
        .start()
        .plus_minutes(whole * 24 * 60 + 12 * 60);
    Some(DayOrYear::Day(noon.date()))
}

/// 31/12/1958, 31-12-1958, 31.12.1958, 1958-12-31, 1958.
pub(super) fn written_day_or_year(text: &str) -> Option<DayOrYear> {
    let text = text.trim();
    // Some programs write a day together with midnight.
    let text = text.split_once([' ', 'T']).map_or(text, |(day, _)| day);
    let numbers: Option<Vec<u32>> = text
        .split(['/', '-', '.'])
        .map(|part| {
            part.bytes()
                .all(|b| b.is_ascii_digit())
                .then(|| part.parse().ok())
                .flatten()
        })
        .collect();
    let whole_year = |year: u32| {
        i32::try_from(year)
            .ok()
            .filter(|year| (1900..=2100).contains(year))
    };
    match numbers?.as_slice() {
        [only] => year(i64::from(*only)),
        [y, m, d] if *y >= 1000 => CalendarDate::new(whole_year(*y)?, *m, *d).map(DayOrYear::Day),
        [d, m, y] => CalendarDate::new(whole_year(*y)?, *m, *d).map(DayOrYear::Day),
        _ => None,
    }
}
