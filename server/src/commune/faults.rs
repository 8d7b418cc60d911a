//! What can be wrong in a row of a list, so that whoever keeps it finds the place.

use std::fmt;

use super::words::Column;

/// What is wrong with a cell of the list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CellFault {
    /// It must hold something.
    #[error("is empty")]
    Empty,
    /// The code stands in another row too.
    #[error("stands in row {first} too")]
    Repeated {
        /// The row that has it first.
        first: u32,
    },
    /// No organisation has this code or name.
    #[error("{text:?} is the code or name of no organisation")]
    UnknownCell {
        /// What stands there.
        text: String,
    },
    /// No status is called so.
    #[error("{text:?} is no status")]
    UnknownStatus {
        /// What stands there.
        text: String,
    },
    /// Not a day, or one the calendar does not have.
    #[error("{text:?} is not a day")]
    NotADay {
        /// What stands there.
        text: String,
    },
    /// A number lost its leading zeros in a spreadsheet.
    #[error(
        "has {found} digits instead of {expected}: leading zeros lost? Format the column as text"
    )]
    LostZeros {
        /// How many digits there are.
        found: u32,
        /// How many there should be.
        expected: u32,
    },
    /// The rules refuse it.
    #[error("{0}")]
    Refused(String),
}

/// Something wrong in one row.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RowFault {
    /// The row as the spreadsheet numbers it.
    pub row: u32,
    /// The column; none for the row as a whole.
    pub column: Option<Column>,
    /// What is wrong.
    pub fault: CellFault,
}

impl fmt::Display for RowFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.column {
            Some(column) => write!(f, "row {}, {column}: {}", self.row, self.fault),
            None => write!(f, "row {}: {}", self.row, self.fault),
        }
    }
}
