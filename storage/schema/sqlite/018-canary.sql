-- A package goes to one device first. Hops of a firmware can be out of service, because devices came back with the old
-- version. from_sha256 is 32 zero bytes for a full package, which leads there from any version.
ALTER TABLE firmware ADD COLUMN canary_confirmations INTEGER NOT NULL DEFAULT 1; -- 0: no canary
ALTER TABLE firmware ADD COLUMN quarantine_after INTEGER NOT NULL DEFAULT 2;
CREATE TABLE quarantine (
    firmware_id    INTEGER NOT NULL REFERENCES firmware,
    from_sha256    BLOB NOT NULL, -- of the images
    to_sha256      BLOB NOT NULL,
    package_sha256 BLOB,          -- of the bytes that failed
    at_ms          INTEGER NOT NULL,
    reason         TEXT NOT NULL,
    PRIMARY KEY (firmware_id, from_sha256, to_sha256)
) STRICT;

-- 1: an admin has given up on the device that has this package; another one may try the package.
ALTER TABLE attempt ADD COLUMN written_off INTEGER NOT NULL DEFAULT 0;
CREATE INDEX attempt_trial ON attempt (package_sha256, firmware_id, state, device_id)
    WHERE package_sha256 IS NOT NULL;
