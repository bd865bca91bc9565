-- What else than the images decides a package's bytes joins its key; where the bytes come from, whether they were
-- proven, who released them, and how hard dfota has tried stand beside them.
CREATE TABLE package_new (
    id            INTEGER PRIMARY KEY AUTOINCREMENT, -- never given twice: a job may run on for a row that is gone
    from_sha256   BLOB NOT NULL,
    to_sha256     BLOB NOT NULL,
    format        TEXT NOT NULL,
    recipe        TEXT NOT NULL DEFAULT '',
    state         TEXT NOT NULL CHECK (state IN ('queued', 'generating', 'ready', 'failed')),
    wanted        INTEGER NOT NULL DEFAULT 1, -- 0: for the matrix only
    size_bytes    INTEGER,
    sha256        BLOB,
    origin        TEXT NOT NULL DEFAULT 'made' CHECK (origin IN ('made', 'external', 'uploaded')),
    uploaded_by   TEXT,
    proven        INTEGER NOT NULL DEFAULT 0,
    released_ms   INTEGER,
    released_by   TEXT,
    released_note TEXT,
    effort        INTEGER NOT NULL DEFAULT 0, -- of the bytes: 1 quick, 2 good, 3 best, 0 not made by dfota
    tried         INTEGER NOT NULL DEFAULT 0, -- the hardest effort that was tried
    note          TEXT,
    log           TEXT,
    error         TEXT,
    crashes       INTEGER NOT NULL DEFAULT 0,
    queued_ms     INTEGER NOT NULL,
    started_ms    INTEGER,
    finished_ms   INTEGER,
    CHECK (state <> 'ready' OR (size_bytes IS NOT NULL AND sha256 IS NOT NULL)),
    CHECK (released_ms IS NULL OR (released_by IS NOT NULL AND released_note IS NOT NULL AND state = 'ready')),
    UNIQUE (from_sha256, to_sha256, format, recipe)
) STRICT;
INSERT INTO package_new (id, from_sha256, to_sha256, format, state, size_bytes, sha256, proven, effort, tried, error, crashes,
                         queued_ms, started_ms, finished_ms)
    SELECT id, from_sha256, to_sha256, format, state, size_bytes, sha256, state = 'ready', CASE state WHEN 'ready' THEN 2 ELSE 0 END,
           CASE state WHEN 'ready' THEN 2 ELSE 0 END, error, crashes, queued_ms, started_ms, finished_ms FROM package;
DROP TABLE package;
ALTER TABLE package_new RENAME TO package;
CREATE INDEX package_queued ON package (wanted DESC, queued_ms, id) WHERE state = 'queued';
CREATE INDEX package_by_sha256 ON package (sha256) WHERE sha256 IS NOT NULL;

-- A full package (a LuatOS script file) stands among the images; `core` is the one that may take it.
ALTER TABLE image ADD COLUMN kind TEXT NOT NULL DEFAULT 'image' CHECK (kind IN ('image', 'full'));
ALTER TABLE image ADD COLUMN core TEXT;
ALTER TABLE image ADD COLUMN content TEXT; -- what its bytes were found to be
ALTER TABLE image ADD COLUMN withdrawn_ms INTEGER;
ALTER TABLE image ADD COLUMN withdrawn_reason TEXT;
ALTER TABLE image ADD COLUMN waypoint TEXT NOT NULL DEFAULT 'allowed' CHECK (waypoint IN ('allowed', 'forbidden', 'required'));
ALTER TABLE image ADD COLUMN waypoint_reason TEXT;

ALTER TABLE firmware ADD COLUMN downgrades INTEGER NOT NULL DEFAULT 0;

-- Of the package that was sent.
ALTER TABLE attempt ADD COLUMN proven INTEGER NOT NULL DEFAULT 1;
ALTER TABLE attempt ADD COLUMN released_by TEXT;
CREATE INDEX attempt_pinned ON attempt (package_sha256) WHERE state IN ('sending', 'interrupted');
