-- The hours in which downloads of a firmware begin, and the bytes that a device may be sent in a month.
ALTER TABLE firmware ADD COLUMN hours TEXT NOT NULL DEFAULT 'always';
ALTER TABLE firmware ADD COLUMN max_bytes_per_month INTEGER NOT NULL DEFAULT 0; -- 0: no limit

-- Bytes of packages that were sent to a device in a month, with those that TCP sent again.
CREATE TABLE traffic (
    device_id INTEGER NOT NULL REFERENCES device,
    month     INTEGER NOT NULL, -- 12 * year + month - 1, on the clock of the firmware's hours
    bytes     INTEGER NOT NULL,
    PRIMARY KEY (device_id, month)
) STRICT, WITHOUT ROWID;
CREATE INDEX traffic_by_month ON traffic (month);
