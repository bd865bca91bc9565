-- Evidence has a grade. What a lower grade says is kept as a claim beside the confirmed version.
ALTER TABLE product ADD COLUMN check_ins_trusted_ms INTEGER; -- since when its check-ins are trusted; NULL: they are not

ALTER TABLE link ADD COLUMN handed_out INTEGER NOT NULL DEFAULT 0; -- 1: to a check-in, not made by an admin
UPDATE link SET handed_out = 1 WHERE id IN (SELECT link_id FROM turnkey_link);

ALTER TABLE device ADD COLUMN confirmed_grade TEXT;
ALTER TABLE device ADD COLUMN claim_version TEXT;
ALTER TABLE device ADD COLUMN claim_firmware_id INTEGER REFERENCES firmware;
ALTER TABLE device ADD COLUMN claim_ms INTEGER;
ALTER TABLE device ADD COLUMN claim_by TEXT;
ALTER TABLE device ADD COLUMN claim_grade TEXT;
ALTER TABLE device ADD COLUMN claim_origin TEXT;
-- A host's report proves nothing where a link of the device was handed out to a check-in: it may have come over that link.
UPDATE device SET confirmed_grade = CASE
    WHEN confirmed_version IS NULL THEN NULL
    WHEN confirmed_by = 'list' THEN 'admin'
    WHEN confirmed_by = 'transcript' AND (SELECT source FROM transcript t WHERE t.device_id = device.id AND t.counted = 1
                                          ORDER BY t.id DESC LIMIT 1) = 'admin' THEN 'admin'
    WHEN confirmed_by IN ('host-report', 'transcript')
         AND NOT EXISTS (SELECT 1 FROM turnkey_link l WHERE l.device_id = device.id) THEN 'host-report'
    ELSE 'unauthenticated' END;
ALTER TABLE device DROP COLUMN confirmed_authenticated;
CREATE INDEX device_conflict ON device (id) WHERE claim_version IS NOT NULL;

-- Where the bytes of an attempt were begun from, where else its package was asked for, and whether it is kept beside the
-- device's main attempt.
ALTER TABLE attempt ADD COLUMN origin TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN elsewhere TEXT NOT NULL DEFAULT '';
ALTER TABLE attempt ADD COLUMN beside INTEGER NOT NULL DEFAULT 0;
DROP INDEX attempt_open;
CREATE UNIQUE INDEX attempt_open ON attempt (device_id, beside)
    WHERE state IN ('waiting', 'sending', 'interrupted', 'delivered', 'handed_over');

-- The loop guard counts, and closes, by origin.
CREATE TABLE begun_new (
    device_id INTEGER NOT NULL REFERENCES device,
    origin    TEXT NOT NULL,
    begun_ms  INTEGER NOT NULL,
    packages  INTEGER NOT NULL DEFAULT 1,
    PRIMARY KEY (device_id, origin, begun_ms)
) STRICT, WITHOUT ROWID;
INSERT INTO begun_new (device_id, origin, begun_ms, packages) SELECT device_id, '', begun_ms, packages FROM begun;
DROP TABLE begun;
ALTER TABLE begun_new RENAME TO begun;
CREATE TABLE guard_closed (
    device_id INTEGER NOT NULL REFERENCES device,
    origin    TEXT NOT NULL,
    PRIMARY KEY (device_id, origin)
) STRICT, WITHOUT ROWID;
INSERT INTO guard_closed (device_id, origin) SELECT id, '' FROM device WHERE blocked <> 0;
