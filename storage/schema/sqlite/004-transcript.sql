-- What a host captured of its module, and what it says of attempts. Who confirmed a version gets two new answers: the
-- column is made anew with them.
CREATE TABLE transcript (
    id          INTEGER PRIMARY KEY,
    device_id   INTEGER NOT NULL REFERENCES device,
    sha256      BLOB NOT NULL,
    source      TEXT NOT NULL CHECK (source IN ('host', 'admin')),
    received_ms INTEGER NOT NULL,
    captured_ms INTEGER, -- as who sent it says
    seen_ms     INTEGER, -- when, at the earliest, its last version was seen
    firmware    TEXT,    -- of that version
    version     TEXT,
    counted     INTEGER NOT NULL, -- as a report
    why         TEXT,             -- it did not count
    attempt_id  INTEGER REFERENCES attempt,
    size_bytes  INTEGER NOT NULL,
    text        BLOB NOT NULL,
    UNIQUE (device_id, sha256)
) STRICT;
CREATE INDEX transcript_by_device ON transcript (device_id, id);

CREATE TABLE evidence (
    attempt_id    INTEGER NOT NULL REFERENCES attempt,
    transcript_id INTEGER NOT NULL REFERENCES transcript ON DELETE CASCADE,
    try           INTEGER NOT NULL, -- in the transcript, from 0
    outcome       TEXT NOT NULL,
    cause         TEXT NOT NULL,
    words         TEXT NOT NULL,
    PRIMARY KEY (attempt_id, transcript_id, try)
) STRICT, WITHOUT ROWID;
CREATE INDEX evidence_by_transcript ON evidence (transcript_id);

ALTER TABLE device ADD COLUMN confirmed_by_new TEXT
    CHECK (confirmed_by_new IN ('check-in', 'host-report', 'transcript', 'list'));
UPDATE device SET confirmed_by_new = confirmed_by;
ALTER TABLE device DROP COLUMN confirmed_by;
ALTER TABLE device RENAME COLUMN confirmed_by_new TO confirmed_by;
