//! The encrypted database: one writer, readers that never wait for it.

pub(crate) mod rows;
pub(crate) mod schema;

use rusqlite::ErrorCode;

use crate::error::HandbookError;

impl From<rusqlite::Error> for HandbookError {
    fn from(error: rusqlite::Error) -> Self {
        match &error {
            rusqlite::Error::SqliteFailure(failure, _) => match failure.code {
                ErrorCode::DiskFull => Self::StorageFull,
                ErrorCode::NotADatabase | ErrorCode::DatabaseCorrupt => Self::DatabaseUnreadable { unsent: 0 },
                ErrorCode::OperationInterrupted => Self::Paused,
                _ => Self::StorageFailed { code: failure.extended_code },
            },
            // A column of another type than every version writes.
            _ => Self::DatabaseUnreadable { unsent: 0 },
        }
    }
}

impl From<std::io::Error> for HandbookError {
    fn from(error: std::io::Error) -> Self {
        match error.kind() {
            std::io::ErrorKind::StorageFull | std::io::ErrorKind::QuotaExceeded => Self::StorageFull,
            _ => Self::StorageFailed { code: error.raw_os_error().unwrap_or(0) },
        }
    }
}
