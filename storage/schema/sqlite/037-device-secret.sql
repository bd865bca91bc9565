-- Secrets of devices: of one device, or of all devices of a product.
ALTER TABLE product ADD COLUMN device_secret TEXT; -- NULL: optional; 'required'
CREATE TABLE device_secret (
    id           INTEGER PRIMARY KEY AUTOINCREMENT, -- never used again: ledger and log name it
    product_id   INTEGER NOT NULL REFERENCES product ON DELETE CASCADE,
    device_id    INTEGER REFERENCES device ON DELETE CASCADE, -- NULL: of the product
    value_mac    TEXT NOT NULL UNIQUE, -- to find it
    value_sealed BLOB NOT NULL,        -- to show it again
    created_ms   INTEGER NOT NULL,
    ends_ms      INTEGER,              -- NULL: it does not end
    revoked_ms   INTEGER
) STRICT;
CREATE INDEX device_secret_owner ON device_secret (product_id, device_id);
CREATE INDEX device_secret_device ON device_secret (device_id);
-- The secret that a device used last.
CREATE TABLE device_secret_use (
    device_id INTEGER PRIMARY KEY REFERENCES device ON DELETE CASCADE,
    secret_id INTEGER NOT NULL REFERENCES device_secret ON DELETE CASCADE,
    used_ms   INTEGER NOT NULL -- at most a day old
) STRICT;
CREATE INDEX device_secret_use_secret ON device_secret_use (secret_id);
-- The id of a device came with the secret of another device or product.
CREATE TABLE device_secret_conflict (
    device_id INTEGER PRIMARY KEY REFERENCES device ON DELETE CASCADE,
    secret_id INTEGER NOT NULL REFERENCES device_secret ON DELETE CASCADE,
    at_ms     INTEGER NOT NULL -- of the last one that was recorded
) STRICT;
CREATE INDEX device_secret_conflict_secret ON device_secret_conflict (secret_id);
CREATE INDEX device_secret_conflict_at ON device_secret_conflict (at_ms);
