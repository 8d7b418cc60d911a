-- Version 2: what may be forgotten.

-- Deletions up to `floor` are no longer known in this feed.
ALTER TABLE scope ADD COLUMN floor INTEGER NOT NULL DEFAULT 0;

-- When the line was written, in milliseconds since 1970.
ALTER TABLE listing ADD COLUMN at INTEGER NOT NULL DEFAULT 0;
CREATE INDEX listing_gone ON listing (at) WHERE body IS NULL;

-- settled: receipts up to this number are forgotten, the phone has them.
-- backed_up: mutations up to this number are in the last backup; backed_up_twice: in the one before it too.
ALTER TABLE installation ADD COLUMN settled INTEGER NOT NULL DEFAULT 0;
ALTER TABLE installation ADD COLUMN backed_up INTEGER NOT NULL DEFAULT 0;
ALTER TABLE installation ADD COLUMN backed_up_twice INTEGER NOT NULL DEFAULT 0;
