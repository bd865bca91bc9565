-- The last backup of each result, as the program that made it reported.
CREATE TABLE backup (
    result     TEXT PRIMARY KEY CHECK (result IN ('complete', 'incomplete', 'failed')),
    made_ms    INTEGER NOT NULL, -- when the copy of the database was made
    ended_ms   INTEGER NOT NULL, -- when the result was reported
    token_name TEXT NOT NULL,
    size_bytes INTEGER NOT NULL,
    files      INTEGER NOT NULL, -- images and packages
    missing    INTEGER NOT NULL  -- of these, damaged on the server and not in the backup
) STRICT, WITHOUT ROWID;
