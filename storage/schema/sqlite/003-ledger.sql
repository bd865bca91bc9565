-- What happened, one row a fact, each with the hash of the one before (doc/ledger.md). No row is ever changed; the oldest
-- ones may be removed, which the row says that is appended then.
CREATE TABLE ledger (
    seq      INTEGER PRIMARY KEY CHECK (seq > 0),
    at_ms    INTEGER NOT NULL,
    kind     TEXT NOT NULL,
    product  TEXT NOT NULL,
    firmware TEXT NOT NULL,
    device   TEXT NOT NULL,
    attempt  INTEGER NOT NULL,
    package  TEXT NOT NULL,
    detail   TEXT NOT NULL,
    prev     BLOB NOT NULL,
    hash     BLOB NOT NULL
) STRICT;
CREATE INDEX ledger_by_time ON ledger (at_ms);
CREATE INDEX ledger_by_device ON ledger (device, seq) WHERE device <> '';
CREATE INDEX ledger_by_kind ON ledger (kind, seq);

-- Check-ins that changed nothing, by device and UTC day.
CREATE TABLE check_in_day (
    device_id INTEGER NOT NULL REFERENCES device,
    day       INTEGER NOT NULL,
    first_ms  INTEGER NOT NULL,
    last_ms   INTEGER NOT NULL,
    count     INTEGER NOT NULL,
    PRIMARY KEY (device_id, day)
) STRICT, WITHOUT ROWID;
CREATE INDEX check_in_day_by_day ON check_in_day (day);
