-- Version 3: the audit log.

-- One chain for each home scope, and one for the server itself, whose scope is empty. Each entry's hash covers the one
-- before it and a commitment to what happened; what happened lies beside it and may be erased together with its salt.
CREATE TABLE audit (
    scope BLOB NOT NULL,
    n INTEGER NOT NULL,
    at INTEGER NOT NULL,
    commitment BLOB NOT NULL,
    hash BLOB NOT NULL,
    salt BLOB,
    payload BLOB,
    PRIMARY KEY (scope, n)
) STRICT, WITHOUT ROWID;

-- Signed statements of how far every chain was.
CREATE TABLE audit_checkpoint (
    n INTEGER PRIMARY KEY,
    body BLOB NOT NULL,
    key BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT, WITHOUT ROWID;
