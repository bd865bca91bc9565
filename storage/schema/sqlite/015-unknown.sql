-- Names, versions and ids of devices that the server refused, for the admin to correct. At most a hundred of a product, and a
-- thousand in all: the least counted leave first.
CREATE TABLE unknown (
    id       INTEGER PRIMARY KEY,
    product  TEXT NOT NULL, -- '' where the product is what is unknown
    kind     TEXT NOT NULL CHECK (kind IN ('product', 'firmware', 'version', 'id')),
    firmware TEXT NOT NULL, -- of a version; else ''
    text     TEXT NOT NULL, -- as sent, escaped
    code     INTEGER NOT NULL, -- the answer to the last of them
    count    INTEGER NOT NULL,
    devices  TEXT NOT NULL, -- up to eight of those that sent it, the last one first, a blank between
    first_ms INTEGER NOT NULL,
    last_ms  INTEGER NOT NULL,
    UNIQUE (product, kind, firmware, text)
) STRICT;
CREATE INDEX unknown_leaving ON unknown (count, last_ms);
CREATE INDEX unknown_leaving_of ON unknown (product, count, last_ms);

-- What a device said of itself last, to see two modules behind one id.
CREATE TABLE device_said (
    device_id  INTEGER PRIMARY KEY REFERENCES device,
    forms      INTEGER NOT NULL DEFAULT 0, -- of its id, a bit each (storage/said.h)
    version    TEXT,    -- that it said last, since when
    since_ms   INTEGER,
    before     TEXT,    -- that it said before that, since when
    before_ms  INTEGER,
    shared_ms  INTEGER  -- the two alternate with no delivery between them: two modules seem to share the id
) STRICT;
CREATE INDEX device_said_shared ON device_said (device_id) WHERE shared_ms IS NOT NULL;
