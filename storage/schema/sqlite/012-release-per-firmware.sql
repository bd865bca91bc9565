-- A package that was uploaded belongs to the firmware it was uploaded for, and so does the release of an unproven one. Other
-- firmwares with the same two images share what is made here, never what an admin decided elsewhere.
CREATE TABLE package_new (
    id                INTEGER PRIMARY KEY AUTOINCREMENT,
    from_sha256       BLOB NOT NULL,
    to_sha256         BLOB NOT NULL,
    format            TEXT NOT NULL,
    recipe            TEXT NOT NULL DEFAULT '',
    firmware_id       INTEGER NOT NULL DEFAULT 0, -- of an uploaded one; 0: shared by all that have both images
    state             TEXT NOT NULL CHECK (state IN ('queued', 'generating', 'ready', 'failed')),
    wanted            INTEGER NOT NULL DEFAULT 1,
    size_bytes        INTEGER,
    sha256            BLOB,
    origin            TEXT NOT NULL DEFAULT 'made' CHECK (origin IN ('made', 'external', 'uploaded')),
    uploaded_by       TEXT,
    proven            INTEGER NOT NULL DEFAULT 0,
    effort            INTEGER NOT NULL DEFAULT 0,
    tried             INTEGER NOT NULL DEFAULT 0,
    note              TEXT,
    log               TEXT,
    error             TEXT,
    crashes           INTEGER NOT NULL DEFAULT 0,
    queued_ms         INTEGER NOT NULL,
    started_ms        INTEGER,
    finished_ms       INTEGER,
    better_size_bytes INTEGER,
    better_sha256     BLOB,
    better_effort     INTEGER,
    better_note       TEXT,
    CHECK (state <> 'ready' OR (size_bytes IS NOT NULL AND sha256 IS NOT NULL)),
    CHECK ((firmware_id <> 0) = (origin = 'uploaded')),
    UNIQUE (from_sha256, to_sha256, format, recipe, firmware_id)
) STRICT;

-- Which firmware an uploaded package is for: the one that the ledger says, else the only one that has both images. An
-- uploaded package of which neither can be told is forgotten.
INSERT INTO package_new (id, from_sha256, to_sha256, format, recipe, firmware_id, state, wanted, size_bytes, sha256, origin,
                         uploaded_by, proven, effort, tried, note, log, error, crashes, queued_ms, started_ms, finished_ms,
                         better_size_bytes, better_sha256, better_effort, better_note)
    SELECT id, from_sha256, to_sha256, format, recipe, owner, state, wanted, size_bytes, sha256, origin, uploaded_by, proven,
           effort, tried, note, log, error, crashes, queued_ms, started_ms, finished_ms, better_size_bytes, better_sha256,
           better_effort, better_note
    FROM (SELECT p.*, CASE WHEN origin <> 'uploaded' THEN 0 ELSE coalesce(
              (SELECT f.id FROM ledger l JOIN product d ON d.product_key = l.product
               JOIN firmware f ON f.product_id = d.id AND f.name = l.firmware
               JOIN image i ON i.firmware_id = f.id AND i.sha256 = p.from_sha256
               JOIN image t ON t.firmware_id = f.id AND t.sha256 = p.to_sha256
               WHERE l.kind = 'package-uploaded' AND l.package = lower(hex(p.sha256)) ORDER BY l.seq DESC LIMIT 1),
              (SELECT min(i.firmware_id) FROM image i JOIN image t ON t.firmware_id = i.firmware_id AND t.sha256 = p.to_sha256
               WHERE i.sha256 = p.from_sha256 HAVING count(DISTINCT i.firmware_id) = 1)) END AS owner
          FROM package p)
    WHERE owner IS NOT NULL;

-- The release holds for these bytes and this firmware. It ends with the bytes, see the trigger.
CREATE TABLE package_release (
    id            INTEGER PRIMARY KEY,
    package_id    INTEGER NOT NULL REFERENCES package_new ON DELETE CASCADE,
    firmware_id   INTEGER NOT NULL REFERENCES firmware,
    released_ms   INTEGER NOT NULL,
    released_by   TEXT NOT NULL,
    released_note TEXT NOT NULL,
    UNIQUE (package_id, firmware_id)
) STRICT;

-- A release of before holds for the firmware under which the ledger says that it was made last, and for no other.
INSERT INTO package_release (package_id, firmware_id, released_ms, released_by, released_note)
    SELECT id, firmware, released_ms, released_by, released_note
    FROM (SELECT p.*, (SELECT f.id FROM ledger l JOIN product d ON d.product_key = l.product
                       JOIN firmware f ON f.product_id = d.id AND f.name = l.firmware
                       JOIN image i ON i.firmware_id = f.id AND i.sha256 = p.from_sha256
                       JOIN image t ON t.firmware_id = f.id AND t.sha256 = p.to_sha256
                       WHERE l.kind = 'package-released' AND l.package = lower(hex(p.sha256))
                       ORDER BY l.seq DESC LIMIT 1) AS firmware
          FROM package p WHERE released_ms IS NOT NULL)
    WHERE firmware IS NOT NULL AND id IN (SELECT id FROM package_new);

DROP TABLE package;
ALTER TABLE package_new RENAME TO package;
CREATE INDEX package_queued ON package (wanted DESC, queued_ms, id) WHERE state = 'queued';
CREATE INDEX package_by_sha256 ON package (sha256) WHERE sha256 IS NOT NULL;
CREATE INDEX package_by_to ON package (to_sha256);
CREATE INDEX package_made ON package (finished_ms) WHERE state = 'ready' AND origin <> 'uploaded';
CREATE INDEX package_better ON package (better_sha256) WHERE better_sha256 IS NOT NULL;
CREATE INDEX package_improvable ON package (tried, wanted) WHERE state = 'ready' AND origin = 'made' AND tried > 0 AND tried < 3;
CREATE TRIGGER release_ends AFTER UPDATE OF sha256 ON package WHEN old.sha256 IS NOT new.sha256
BEGIN
    DELETE FROM package_release WHERE package_id = old.id;
END;
