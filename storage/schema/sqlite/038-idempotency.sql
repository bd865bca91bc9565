-- Idempotency-Key of admin calls: what a repeated call is answered with. Kept for a day.
CREATE TABLE idempotency (
    id              INTEGER PRIMARY KEY AUTOINCREMENT,
    token_id        INTEGER NOT NULL, -- of the admin token; not a reference: a key outlives no day
    key             TEXT NOT NULL,
    fingerprint_mac TEXT NOT NULL,    -- of method, path, query and body
    created_ms      INTEGER NOT NULL,
    answer_bytes    INTEGER NOT NULL DEFAULT 0,
    answer_sealed   BLOB,             -- status, headers and body; NULL: not known
    UNIQUE (token_id, key)
) STRICT;
CREATE INDEX idempotency_created ON idempotency (created_ms);
CREATE INDEX idempotency_bytes ON idempotency (answer_bytes);
