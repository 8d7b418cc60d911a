//! What a list of members says, row by row.
//!
//! The first row that names at least code, name and cell is the heading; what stands above it is a title. Nothing is guessed:
//! a row that is not clear is reported with its column, and one such row keeps the whole list from being entered.

use std::collections::BTreeMap;

use sotay_model::organisation::MemberStatus;
use sotay_model::{CalendarDate, OrganisationId};

use super::days::{DayOrYear, serial_or_year, written_day_or_year};
use super::faults::{CellFault, RowFault};
use super::list::{Cell, Rows};
use super::words::{Column, HEADINGS, STATUSES, named, tidy};

/// How many rows a title may have.
const MAX_TITLE_ROWS: usize = 20;
/// The digits of a card number.
const CARD_DIGITS: usize = 8;
/// The digits of a telephone number with its leading zero.
const PHONE_DIGITS: usize = 10;

/// What a list says of one member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MemberRow {
    /// The row as the spreadsheet numbers it.
    pub row: u32,
    /// The list's own code.
    pub code: String,
    /// The name, in normal form C.
    pub name: String,
    /// The home cell.
    pub cell: OrganisationId,
    /// The status; official where the list has no such column.
    pub status: MemberStatus,
    /// Birthday.
    pub born: Option<CalendarDate>,
    /// Year of birth where only that is known.
    pub born_year: Option<u32>,
    /// ngày vào Đảng
    pub admitted_on: Option<CalendarDate>,
    /// ngày chính thức
    pub official_on: Option<CalendarDate>,
    /// số thẻ
    pub card_number: Option<String>,
    /// ngày cấp thẻ
    pub card_issued_on: Option<CalendarDate>,
    /// nơi cấp thẻ
    pub card_issued_by: Option<String>,
    /// The number to call.
    pub phone: Option<String>,
}

/// Reads a list, or says what is wrong in every row that is not clear. An empty result of faults means: no heading.
pub(crate) fn interpret(
    rows: &Rows,
    cell_of: impl Fn(&str) -> Option<OrganisationId>,
) -> Result<Vec<MemberRow>, Vec<RowFault>> {
    let Some((heading, columns)) = find_heading(rows) else {
        return Err(Vec::new());
    };
    let mut members = Vec::new();
    let mut faults = Vec::new();
    let mut first_rows: BTreeMap<String, u32> = BTreeMap::new();
    for (number, cells) in &rows[heading + 1..] {
        if cells.iter().all(|cell| *cell == Cell::Empty) {
            continue;
        }
        let mut row = RowReader {
            number: *number,
            cells,
            columns: &columns,
            faults: Vec::new(),
        };
        let member = row.member(&cell_of);
        if let Some(code) = row.text(Column::Code) {
            match first_rows.get(&code) {
                Some(first) => {
                    let fault = CellFault::Repeated { first: *first };
                    row.fault(Column::Code, fault);
                }
                None => {
                    first_rows.insert(code, *number);
                }
            }
        }
        faults.append(&mut row.faults);
        members.extend(member);
    }
    if faults.is_empty() {
        Ok(members)
    } else {
        Err(faults)
    }
}

fn find_heading(rows: &Rows) -> Option<(usize, BTreeMap<Column, usize>)> {
    rows.iter()
        .take(MAX_TITLE_ROWS)
        .enumerate()
        .find_map(|(place, (_, cells))| {
            let mut columns = BTreeMap::new();
            for (at, cell) in cells.iter().enumerate() {
                if let Cell::Text(text) = cell
                    && let Some(column) = named(HEADINGS, text)
                {
                    columns.entry(column).or_insert(at);
                }
            }
            let enough = [Column::Code, Column::Name, Column::Cell]
                .iter()
                .all(|column| columns.contains_key(column));
            enough.then_some((place, columns))
        })
}

struct RowReader<'r> {
    number: u32,
    cells: &'r [Cell],
    columns: &'r BTreeMap<Column, usize>,
    faults: Vec<RowFault>,
}

impl RowReader<'_> {
    fn member(&mut self, cell_of: &impl Fn(&str) -> Option<OrganisationId>) -> Option<MemberRow> {
        let code = self.required(Column::Code);
        let name = self.required(Column::Name);
        let cell = self.required(Column::Cell).and_then(|text| {
            let found = cell_of(&text);
            if found.is_none() {
                self.fault(Column::Cell, CellFault::UnknownCell { text });
            }
            found
        });
        let (born, born_year) = self.day_or_year(Column::Born);
        let status = self.status();
        let admitted_on = self.day(Column::AdmittedOn);
        let official_on = self.day(Column::OfficialOn);
        let card_issued_on = self.day(Column::CardIssuedOn);
        let card_number = self.digits(Column::CardNumber, CARD_DIGITS);
        let phone = self.digits(Column::Phone, PHONE_DIGITS);
        Some(MemberRow {
            row: self.number,
            code: code?,
            name: name?,
            cell: cell?,
            status: status?,
            born,
            born_year,
            admitted_on,
            official_on,
            card_number,
            card_issued_on,
            card_issued_by: self.text(Column::CardIssuedBy),
            phone,
        })
    }

    fn fault(&mut self, column: Column, fault: CellFault) {
        self.faults.push(RowFault {
            row: self.number,
            column: Some(column),
            fault,
        });
    }

    fn cell(&self, column: Column) -> &Cell {
        self.columns
            .get(&column)
            .and_then(|at| self.cells.get(*at))
            .unwrap_or(&Cell::Empty)
    }

    /// The text of a cell: normal form C, white space in it collapsed.
    fn text(&self, column: Column) -> Option<String> {
        match self.cell(column) {
            Cell::Empty => None,
            Cell::Number(number) => Some(number.to_string()),
            Cell::Text(text) => Some(tidy(text)),
        }
    }

    fn required(&mut self, column: Column) -> Option<String> {
        let text = self.text(column);
        if text.is_none() {
            self.fault(column, CellFault::Empty);
        }
        text
    }

    fn status(&mut self) -> Option<MemberStatus> {
        let Some(text) = self.text(Column::Status) else {
            if self.columns.contains_key(&Column::Status) {
                self.fault(Column::Status, CellFault::Empty);
                return None;
            }
            return Some(MemberStatus::Official);
        };
        let status = named(STATUSES, &text);
        if status.is_none() {
            self.fault(Column::Status, CellFault::UnknownStatus { text });
        }
        status
    }

    fn day(&mut self, column: Column) -> Option<CalendarDate> {
        match self.day_or_year(column) {
            (None, Some(year)) => {
                self.fault(
                    column,
                    CellFault::NotADay {
                        text: year.to_string(),
                    },
                );
                None
            }
            (day, _) => day,
        }
    }

    fn day_or_year(&mut self, column: Column) -> (Option<CalendarDate>, Option<u32>) {
        let cell = self.cell(column).clone();
        let found = match &cell {
            Cell::Empty => return (None, None),
            Cell::Number(number) => serial_or_year(*number),
            Cell::Text(text) => written_day_or_year(text),
        };
        match found {
            Some(DayOrYear::Day(day)) => (Some(day), None),
            Some(DayOrYear::Year(year)) => (None, Some(year)),
            None => {
                let text = self.text(column).unwrap_or_default();
                self.fault(column, CellFault::NotADay { text });
                (None, None)
            }
        }
    }

    /// A number written with digits and perhaps separators, which must not have lost zeros.
    fn digits(&mut self, column: Column, expected: usize) -> Option<String> {
        let text = self.text(column)?;
        let found = text.chars().filter(char::is_ascii_digit).count();
        // A spreadsheet drops leading zeros from what it takes for a number; written with anything else it is as meant.
        let taken_for_a_number = text.chars().all(|c| c.is_ascii_digit());
        if taken_for_a_number && found < expected {
            let count = |count: usize| u32::try_from(count).unwrap_or(u32::MAX);
            self.fault(
                column,
                CellFault::LostZeros {
                    found: count(found),
                    expected: count(expected),
                },
            );
            return None;
        }
        Some(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::commune::list::read_csv;
    use sotay_model::Id;

    fn cell(text: &str) -> Option<OrganisationId> {
        (text == "CB1").then_some(OrganisationId(Id::from_bytes([1; 16])))
    }

    fn read(text: &str) -> Result<Vec<MemberRow>, Vec<RowFault>> {
        interpret(&read_csv(text.as_bytes()).unwrap(), cell)
    }

    fn day(text: &str) -> Option<CalendarDate> {
        Some(text.parse().unwrap())
    }

    #[test]
    fn vietnamese_headings_a_title_and_decomposed_letters_are_read() {
        let name = "Nguye\u{302}\u{303}n Va\u{306}n  Thu\u{309}\u{31b}";
        let text = format!(
            "\u{feff}DANH SÁCH ĐẢNG VIÊN;;\n\nMã;Họ và tên;Chi bộ;Trạng thái;Năm sinh;Ngày vào Đảng;Số thẻ\n\
             A1;{name};CB1;Dự bị;1958;03/02/1980;01234567\n;;;;;;\n"
        );
        let members = read(&text).unwrap();
        assert_eq!(members.len(), 1);
        let one = &members[0];
        assert_eq!(
            (one.row, one.code.as_str(), one.name.as_str()),
            (4, "A1", "Nguyễn Văn Thử")
        );
        assert_eq!(
            (one.status, one.born, one.born_year),
            (MemberStatus::Probationary, None, Some(1958))
        );
        assert_eq!(
            (one.admitted_on, one.card_number.as_deref()),
            (day("1980-02-03"), Some("01234567"))
        );
    }

    #[test]
    fn days_are_read_as_people_write_them() {
        for text in [
            "07/05/1954",
            "7/5/1954",
            "7-5-1954",
            "07.05.1954",
            "1954-05-07",
            "1954-05-07 00:00:00",
        ] {
            let members =
                read(&format!("code,name,cell,date of birth\n1,Mẫu,CB1,{text}\n")).unwrap();
            assert_eq!(members[0].born, day("1954-05-07"), "{text}");
        }
        for number in [19_851.0, 19_851.75] {
            assert!(
                matches!(serial_or_year(number), Some(DayOrYear::Day(found)) if Some(found) == day("1954-05-07"))
            );
        }
    }

    #[test]
    fn every_unclear_row_is_reported_with_its_column() {
        let text = "code,name,cell,status,born,admitted_on,card_number,phone\n\
                    1,,CB1,official,,,,\n\
                    2,Mẫu,CB9,official,,,,\n\
                    3,Mẫu,CB1,vip,,,,\n\
                    4,Mẫu,CB1,official,31/02/1958,,,\n\
                    5,Mẫu,CB1,official,,1980,,\n\
                    6,Mẫu,CB1,official,,,123456,\n\
                    7,Mẫu,CB1,official,,,,901234567\n\
                    7,Mẫu,CB1,official,,,,\n";
        let faults = read(text).unwrap_err();
        let found: Vec<_> = faults
            .into_iter()
            .map(|fault| (fault.row, fault.column.unwrap(), fault.fault))
            .collect();
        assert_eq!(
            found,
            [
                (2, Column::Name, CellFault::Empty),
                (
                    3,
                    Column::Cell,
                    CellFault::UnknownCell { text: "CB9".into() }
                ),
                (
                    4,
                    Column::Status,
                    CellFault::UnknownStatus { text: "vip".into() }
                ),
                (
                    5,
                    Column::Born,
                    CellFault::NotADay {
                        text: "31/02/1958".into()
                    }
                ),
                (
                    6,
                    Column::AdmittedOn,
                    CellFault::NotADay {
                        text: "1980".into()
                    }
                ),
                (
                    7,
                    Column::CardNumber,
                    CellFault::LostZeros {
                        found: 6,
                        expected: 8
                    }
                ),
                (
                    8,
                    Column::Phone,
                    CellFault::LostZeros {
                        found: 9,
                        expected: 10
                    }
                ),
                (9, Column::Code, CellFault::Repeated { first: 8 }),
            ]
        );
    }

    #[test]
    fn a_list_without_a_heading_is_no_list() {
        assert_eq!(read("a,b,c\n1,2,3\n"), Err(Vec::new()));
        assert_eq!(read(""), Err(Vec::new()));
    }
}
