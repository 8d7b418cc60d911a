//! Reading a list as people keep it: .xlsx or CSV, as rows of cells. What the cells mean is for [`super::members`].

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Cursor, Read, Seek};
use std::path::Path;

use calamine::{Data, Reader, Xlsx, XlsxError};

/// The most columns of a list.
pub const MAX_COLUMNS: usize = 1_000;
/// The most cells of a list, empty ones before others in a row included: a province of 75,000 members has a third of it.
pub const MAX_CELLS: usize = 4_000_000;
/// The most bytes of a file, and of the texts in it.
pub const MAX_BYTES: usize = 64 << 20;

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
    /// More than any register.
    #[error("is too large: at most {MAX_COLUMNS} columns, {MAX_CELLS} cells and {MAX_BYTES} bytes")]
    TooLarge,
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
        "xlsx" => read_xlsx(Cursor::new(whole(path)?)),
        "csv" => read_csv(&whole(path)?),
        _ => Err(ListFault::Extension),
    }
}

fn whole(path: &Path) -> Result<Vec<u8>, ListFault> {
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(MAX_BYTES as u64 + 1).read_to_end(&mut bytes))
        .map_err(|error| ListFault::File(error.to_string()))?;
    if bytes.len() > MAX_BYTES {
        return Err(ListFault::TooLarge);
    }
    Ok(bytes)
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
    let mut count = 0;
    for record in reader.records() {
        let record = record.map_err(|error| ListFault::Form(error.to_string()))?;
        let line = record.position().map_or(0, csv::Position::line);
        count += record.len();
        if count > MAX_CELLS || record.len() > MAX_COLUMNS {
            return Err(ListFault::TooLarge);
        }
        let cells = record.iter().map(text_cell).collect();
        rows.push((u32::try_from(line).unwrap_or(u32::MAX), cells));
    }
    Ok(rows)
}

/// Reads the first sheet of an .xlsx file, cell by cell: a sheet says of each cell where it stands, and one cell in the last corner
/// must not make a whole sheet of empty ones.
pub(crate) fn read_xlsx(file: impl Read + Seek) -> Result<Rows, ListFault> {
    let mut book = Xlsx::new(file).map_err(form)?;
    let sheet = book.sheet_names().first().cloned();
    let mut cells = match book.worksheet_cells_reader(&sheet.ok_or(ListFault::NoSheet)?) {
        Err(XlsxError::NotAWorksheet(_)) => return Err(ListFault::NoSheet),
        cells => cells.map_err(form)?,
    };
    let mut rows: BTreeMap<u32, Vec<Cell>> = BTreeMap::new();
    let (mut count, mut bytes) = (0, 0);
    while let Some(found) = cells.next_cell().map_err(form)? {
        let (row, column) = found.get_position();
        let cell = xlsx_cell(&Data::from(found.get_value().clone()));
        let column = usize::try_from(column).unwrap_or(usize::MAX);
        if cell == Cell::Empty {
            continue;
        }
        if column >= MAX_COLUMNS {
            return Err(ListFault::TooLarge);
        }
        let cells = rows.entry(row.saturating_add(1)).or_default();
        if cells.len() <= column {
            count += column + 1 - cells.len();
            cells.resize(column + 1, Cell::Empty);
        }
        // A text stands in the file once, however many cells say it.
        bytes += match &cell {
            Cell::Text(text) => text.len(),
            Cell::Empty | Cell::Number(_) => 0,
        };
        if count > MAX_CELLS || bytes > MAX_BYTES {
            return Err(ListFault::TooLarge);
        }
        cells[column] = cell;
    }
    Ok(rows.into_iter().collect())
}

fn form(error: XlsxError) -> ListFault {
    match error {
        XlsxError::Io(error) => ListFault::File(error.to_string()),
        other => ListFault::Form(other.to_string()),
    }
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
