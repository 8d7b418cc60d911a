-- Version 4: a phone waits for an officer who compares six digits; then it is a member's.

-- Since when the phone is a member's; none while it waits.
ALTER TABLE installation ADD COLUMN active_since INTEGER;
UPDATE installation SET active_since = enrolled_at;

-- The key for privileged acts, encoded with its algorithm.
ALTER TABLE installation ADD COLUMN approval BLOB;

-- The digest of the claim that used the invitation: the same one gets the same answer.
ALTER TABLE invitation ADD COLUMN claim BLOB;

-- Phones that wait.
CREATE TABLE joining (
    installation BLOB PRIMARY KEY,
    digits INTEGER NOT NULL,
    tries_left INTEGER NOT NULL,
    until INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
