-- Version 5: what should never have been entered and was removed, so that it does not come back. Digests and keys, never contents.

-- what: 1 a file's SHA-256, 2 a text's SHA-256, 3 a record's home and id.
CREATE TABLE spill (
    what INTEGER NOT NULL,
    name BLOB NOT NULL,
    at INTEGER NOT NULL,
    PRIMARY KEY (what, name)
) STRICT, WITHOUT ROWID;
