-- Times are UTC milliseconds, sizes bytes, hashes SHA-256 as 32 bytes, versions normalised text.
CREATE TABLE admin_token (
    id         INTEGER PRIMARY KEY,
    sha256     BLOB NOT NULL UNIQUE,
    created_ms INTEGER NOT NULL
) STRICT;

CREATE TABLE product (
    id          INTEGER PRIMARY KEY,
    product_key TEXT NOT NULL UNIQUE,
    name        TEXT NOT NULL,
    created_ms  INTEGER NOT NULL
) STRICT;

CREATE TABLE firmware (
    id                INTEGER PRIMARY KEY,
    product_id        INTEGER NOT NULL REFERENCES product,
    name              TEXT NOT NULL,
    format            TEXT,
    max_package_bytes INTEGER NOT NULL,
    target_image_id   INTEGER REFERENCES image,
    created_ms        INTEGER NOT NULL,
    UNIQUE (product_id, name)
) STRICT;
CREATE INDEX firmware_by_name ON firmware (name);

CREATE TABLE image (
    id          INTEGER PRIMARY KEY,
    firmware_id INTEGER NOT NULL REFERENCES firmware,
    version     TEXT NOT NULL,
    sha256      BLOB NOT NULL,
    size_bytes  INTEGER NOT NULL,
    file_name   TEXT,
    warning     TEXT,
    uploaded_ms INTEGER NOT NULL,
    UNIQUE (firmware_id, version)
) STRICT;
CREATE INDEX image_by_sha256 ON image (sha256);

-- Keyed by bytes, not by versions: two firmwares with the same images share their packages.
CREATE TABLE package (
    id          INTEGER PRIMARY KEY,
    from_sha256 BLOB NOT NULL,
    to_sha256   BLOB NOT NULL,
    format      TEXT NOT NULL,
    state       TEXT NOT NULL CHECK (state IN ('queued', 'generating', 'ready', 'failed')),
    size_bytes  INTEGER,
    sha256      BLOB,
    error       TEXT,
    crashes     INTEGER NOT NULL DEFAULT 0,
    queued_ms   INTEGER NOT NULL,
    started_ms  INTEGER,
    finished_ms INTEGER,
    CHECK (state <> 'ready' OR (size_bytes IS NOT NULL AND sha256 IS NOT NULL)),
    UNIQUE (from_sha256, to_sha256, format)
) STRICT;
CREATE INDEX package_queued ON package (queued_ms, id) WHERE state = 'queued';
CREATE INDEX package_by_sha256 ON package (sha256) WHERE sha256 IS NOT NULL;

CREATE TABLE device (
    id                      INTEGER PRIMARY KEY,
    product_id              INTEGER NOT NULL REFERENCES product,
    id_kind                 TEXT NOT NULL CHECK (id_kind IN ('imei', 'mac', 'uid')),
    device                  TEXT NOT NULL,
    firmware_id             INTEGER NOT NULL REFERENCES firmware,
    confirmed_version       TEXT,
    confirmed_ms            INTEGER,
    confirmed_by            TEXT CHECK (confirmed_by IN ('check-in', 'host-report')),
    confirmed_authenticated INTEGER,
    asked_version           TEXT,
    first_seen_ms           INTEGER,
    last_seen_ms            INTEGER,
    check_ins               INTEGER NOT NULL DEFAULT 0,
    last_code               INTEGER,
    last_reason             TEXT,
    last_answer_ms          INTEGER,
    blocked                 INTEGER NOT NULL DEFAULT 0,
    notice                  TEXT,
    UNIQUE (product_id, id_kind, device)
) STRICT;
CREATE INDEX device_by_firmware ON device (firmware_id, asked_version);

-- How many devices were admitted unasked, by product and UTC day.
CREATE TABLE admission (
    product_id INTEGER NOT NULL REFERENCES product,
    day        INTEGER NOT NULL,
    devices    INTEGER NOT NULL,
    PRIMARY KEY (product_id, day)
) STRICT, WITHOUT ROWID;

CREATE TABLE link (
    id          INTEGER PRIMARY KEY,
    token       TEXT NOT NULL UNIQUE,
    device_id   INTEGER NOT NULL REFERENCES device,
    firmware_id INTEGER NOT NULL REFERENCES firmware,
    version     TEXT,
    created_ms  INTEGER NOT NULL,
    revoked_ms  INTEGER
) STRICT;
CREATE INDEX link_by_device ON link (device_id, id);

CREATE TABLE attempt (
    id             INTEGER PRIMARY KEY,
    device_id      INTEGER NOT NULL REFERENCES device,
    firmware_id    INTEGER NOT NULL REFERENCES firmware,
    link_id        INTEGER REFERENCES link,
    from_version   TEXT NOT NULL,
    to_version     TEXT NOT NULL,
    target_version TEXT NOT NULL,
    state          TEXT NOT NULL,
    reason         TEXT NOT NULL,
    format         TEXT,
    package_sha256 BLOB,
    size_bytes     INTEGER,
    acked          TEXT NOT NULL DEFAULT '',
    bytes_acked    INTEGER NOT NULL DEFAULT 0,
    fetches        INTEGER NOT NULL DEFAULT 0,
    created_ms     INTEGER NOT NULL,
    sent_ms        INTEGER,
    active_ms      INTEGER,
    delivered_ms   INTEGER,
    ended_ms       INTEGER
) STRICT;
-- One open attempt per device, exact by constraint.
CREATE UNIQUE INDEX attempt_open ON attempt (device_id)
    WHERE state IN ('waiting', 'sending', 'interrupted', 'delivered');
CREATE INDEX attempt_by_device ON attempt (device_id, id);
CREATE INDEX attempt_by_link ON attempt (link_id, from_version, to_version) WHERE link_id IS NOT NULL;
CREATE INDEX attempt_sending ON attempt (state) WHERE state = 'sending';

-- Packages begun (not resumed), for the loop guard; rows older than a day are dropped as new ones come.
CREATE TABLE begun (
    device_id INTEGER NOT NULL REFERENCES device,
    begun_ms  INTEGER NOT NULL,
    packages  INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (device_id, begun_ms)
) STRICT, WITHOUT ROWID;
