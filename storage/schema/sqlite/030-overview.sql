-- Devices by the version that they have confirmed, at the end of each UTC day (milliseconds / 86,400,000).
CREATE TABLE fleet_day (
    firmware_id INTEGER NOT NULL REFERENCES firmware ON DELETE CASCADE,
    day         INTEGER NOT NULL,
    version     TEXT NOT NULL, -- '': no report; '*': all versions that have fewer devices than the listed ones
    devices     INTEGER NOT NULL CHECK (devices > 0),
    PRIMARY KEY (firmware_id, day, version)
) STRICT, WITHOUT ROWID;

-- Devices that need a new link; few.
CREATE INDEX device_stale_link ON device (id) WHERE notice LIKE 'stale link%' AND blocked = 0;
