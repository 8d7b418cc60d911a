-- The server's tables. Where a table belongs to a scope, the scope comes first in its key, so that tables can be distributed
-- by it; a listing carries the body, so that a feed is read from one table.

CREATE TABLE meta (
    name TEXT PRIMARY KEY,
    value BLOB NOT NULL
) STRICT, WITHOUT ROWID;

-- Where each feed stands, and what its live records add up to.
CREATE TABLE scope (
    scope BLOB PRIMARY KEY,
    epoch INTEGER NOT NULL,
    head INTEGER NOT NULL,
    sum BLOB NOT NULL,
    count INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

CREATE TABLE record (
    home BLOB NOT NULL,
    id BLOB NOT NULL,
    kind INTEGER NOT NULL,
    parent BLOB NOT NULL,
    incarnation INTEGER NOT NULL,
    version INTEGER NOT NULL,
    body BLOB NOT NULL,
    audience BLOB NOT NULL,
    PRIMARY KEY (home, id)
) STRICT;

-- A record's newest version in a scope that shows it, or, without kind, parent and body, that it left.
-- group_end: the last seq that the same mutation gave in this scope; a page ends only there.
CREATE TABLE listing (
    scope BLOB NOT NULL,
    seq INTEGER NOT NULL,
    home BLOB NOT NULL,
    id BLOB NOT NULL,
    kind INTEGER,
    parent BLOB,
    incarnation INTEGER NOT NULL,
    version INTEGER NOT NULL,
    hash BLOB,
    body BLOB,
    group_end INTEGER NOT NULL,
    PRIMARY KEY (scope, seq)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX listing_record ON listing (scope, home, id);
CREATE INDEX listing_children ON listing (scope, kind, parent) WHERE body IS NOT NULL;

CREATE TABLE installation (
    id BLOB PRIMARY KEY,
    member BLOB NOT NULL,
    algorithm INTEGER NOT NULL,
    public_key BLOB NOT NULL,
    high_water INTEGER NOT NULL,
    device_name TEXT NOT NULL,
    enrolled_at INTEGER NOT NULL,
    revoked_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX installation_member ON installation (member);

-- Without a receipt: seen, and held because this server does not know the kind yet.
CREATE TABLE receipt (
    installation BLOB NOT NULL,
    n INTEGER NOT NULL,
    digest BLOB NOT NULL,
    receipt BLOB,
    PRIMARY KEY (installation, n)
) STRICT, WITHOUT ROWID;

CREATE TABLE invitation (
    lookup BLOB PRIMARY KEY,
    roots_key BLOB NOT NULL,
    claim_key BLOB NOT NULL,
    member BLOB NOT NULL,
    expires_at INTEGER NOT NULL,
    tries_left INTEGER NOT NULL,
    used_at INTEGER,
    used_by BLOB
) STRICT, WITHOUT ROWID;

-- What the operator calls an organisation, a member, an office; and the digest of what was last entered for it.
CREATE TABLE register (
    subject TEXT NOT NULL,
    code TEXT NOT NULL,
    id BLOB NOT NULL,
    entered BLOB NOT NULL,
    PRIMARY KEY (subject, code)
) STRICT, WITHOUT ROWID;
