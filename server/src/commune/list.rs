//! Reading a list as people keep it: .xlsx or CSV, as rows of cells. What the cells mean is for [`super::members`].

use std::fs::File;
use std::io::{BufReader, Read, Seek};
use std::path::Path;

use calamine::{Data, Reader, Xlsx, XlsxError};

/// A cell of a list.
#[derive(Debug, Clone, PartialEq)]
pub enum Cell {
    /// Nothing.
    Empty,
    /// A text.
    Text(String),
    /// A number that a spreadsheet keeps as such; a day is one too, counted from 1899-12-30.
    Number(f64),
}

/// The rows of a list, each with its number as a spreadsheet shows it.
pub type Rows = Vec<(u32, Vec<Cell>)>;

/// Why a list could not be read at all.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ListFault {
    /// Neither .xlsx nor .csv.
    #[error("a list is an .xlsx or a .csv file")]
    Extension,
    /// The file cannot be read.
    #[error("cannot be read: {0}")]
    File(String),
    /// The file is not what its name says.
    #[error("is not a spreadsheet: {0}")]
    Form(String),
    /// The text is in an older encoding: save it as UTF-8.
    #[error("is not UTF-8; save it as \"CSV UTF-8\"")]
    Encoding,
    /// No sheet.
    #[error("has no sheet")]
    NoSheet,
}

/// Reads the first sheet of an .xlsx file, or a CSV file.
pub fn read(path: &Path) -> Result<Rows, ListFault> {
    let extension = path
        .extension()
        .and_then(|text| text.to_str())
        .unwrap_or_default()
        .to_lowercase();
    match extension.as_str() {
        "xlsx" => {
            let file = File::open(path).map_err(|error| ListFault::File(error.to_string()))?;
            read_xlsx(BufReader::new(file))
        }
        "csv" => {
            let bytes = std::fs::read(path).map_err(|error| ListFault::File(error.to_string()))?;
            read_csv(&bytes)
        }
        _ => Err(ListFault::Extension),
    }
}

/// Reads CSV text: UTF-8, separated by commas, semicolons or tabs.
pub fn read_csv(bytes: &[u8]) -> Result<Rows, ListFault> {
    let text = std::str::from_utf8(bytes).map_err(|_| ListFault::Encoding)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let count = |separator: u8| {
        text.bytes()
            .take(4_096)
            .filter(|byte| *byte == separator)
            .count()
    };
    let delimiter = [b',', b';', b'\t']
        .into_iter()
        .max_by_key(|separator| count(*separator))
        .unwrap_or(b',');
    let mut reader = csv::ReaderBuilder::new()
        .has_headers(false)
        .flexible(true)
        .delimiter(delimiter)
        .from_reader(text.as_bytes());
    let mut rows = Rows::new();
    for record in reader.records() {
        let record = record.map_err(|error| ListFault::Form(error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        let cells = record.iter().map(text_cell).collect();
        rows.push((u32::try_from(line).unwrap_or(u32::MAX), cells));
    }
    Ok(rows)
}

/// Reads the first sheet of an .xlsx file.
pub(crate) fn read_xlsx(file: impl Read + Seek) -> Result<Rows, ListFault> {
    let mut book = Xlsx::new(file).map_err(|error| match error {
        XlsxError::Io(error) => ListFault::File(error.to_string()),
        other => ListFault::Form(other.to_string()),
    })?;
    let range = book
        .worksheet_range_at(0)
        .ok_or(ListFault::NoSheet)?
        .map_err(|error| ListFault::Form(error.to_string()))?;
    let (first, left) = range.start().unwrap_or_default();
    let before = vec![Cell::Empty; usize::try_from(left).unwrap_or(0)];
    let row = |(number, cells): (u32, &[Data])| {
        let cells = before
            .iter()
            .cloned()
            .chain(cells.iter().map(xlsx_cell))
            .collect();
        (first + number + 1, cells)
    };
    Ok((0..).zip(range.rows()).map(row).collect())
}

fn xlsx_cell(cell: &Data) -> Cell {
    match cell {
        Data::String(text) | Data::DateTimeIso(text) | Data::DurationIso(text) => text_cell(text),
        Data::Int(number) => text_cell(&number.to_string()).into_number(),
        Data::Float(number) => Cell::Number(*number),
        Data::DateTime(day) => Cell::Number(day.as_f64()),
        Data::Bool(value) => Cell::Text(value.to_string()),
        Data::Error(error) => Cell::Text(format!("{error}")),
        Data::Empty => Cell::Empty,
    }
}

impl Cell {
    fn into_number(self) -> Self {
        match &self {
            Self::Text(text) => text.parse().map_or(self, Self::Number),
            _ => self,
        }
    }
}

fn text_cell(text: &str) -> Cell {
    let text = text.trim();
    if text.is_empty() {
        Cell::Empty
    } else {
        Cell::Text(text.to_owned())
    }
}
