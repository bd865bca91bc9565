-- How long the server has run in all, by the boot clock. What devices must have done in some time is counted in this.
CREATE TABLE served (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    ms  INTEGER NOT NULL
) STRICT;
INSERT INTO served (one, ms) VALUES (1, 0);

-- Attempts whose package is delivered and that nobody has reported on, and when that began, in served time.
CREATE TABLE awaited (
    attempt_id INTEGER PRIMARY KEY REFERENCES attempt,
    since_ms   INTEGER NOT NULL
) STRICT;
CREATE INDEX awaited_since ON awaited (since_ms);
INSERT INTO awaited (attempt_id, since_ms) SELECT id, 0 FROM attempt WHERE state IN ('delivered', 'handed_over');
