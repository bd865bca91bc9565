-- Counts of the fleet. They are changed in the transaction of the fact that they count (storage/fleet.c), so that no answer
-- reads all devices.

-- Devices that are alike. With target_version '' all active devices of a firmware; else those that have a main attempt for that
-- target, with the newest of them. A group without a device has no row.
CREATE TABLE fleet_group (
    id                INTEGER PRIMARY KEY,
    firmware_id       INTEGER NOT NULL REFERENCES firmware,
    target_version    TEXT NOT NULL,
    confirmed_version TEXT NOT NULL, -- '': no report
    asked_version     TEXT NOT NULL, -- '': the device never asked
    blocked           INTEGER NOT NULL, -- by the loop guard, for the origin that the device last fetched from
    by_us             INTEGER NOT NULL, -- a package to the target was delivered and confirmed
    state             TEXT NOT NULL,    -- of the attempt; '': target_version is ''
    to_target         INTEGER NOT NULL, -- the hop of the attempt leads to the target
    devices           INTEGER NOT NULL CHECK (devices > 0),
    UNIQUE (firmware_id, target_version, confirmed_version, asked_version, blocked, by_us, state, to_target)
) STRICT;

-- The groups of each device. group_id 0: the device has another firmware now, or is not active.
CREATE TABLE fleet_member (
    device_id      INTEGER NOT NULL REFERENCES device,
    firmware_id    INTEGER NOT NULL REFERENCES firmware,
    target_version TEXT NOT NULL,
    group_id       INTEGER NOT NULL,
    PRIMARY KEY (device_id, firmware_id, target_version)
) STRICT, WITHOUT ROWID;
CREATE INDEX fleet_member_by_group ON fleet_member (group_id, device_id);

-- Bytes that were acknowledged on the way to a target. `vain`: of attempts that ended and were not confirmed.
CREATE TABLE fleet_bytes (
    firmware_id    INTEGER NOT NULL REFERENCES firmware,
    target_version TEXT NOT NULL,
    bytes          INTEGER NOT NULL,
    vain           INTEGER NOT NULL,
    PRIMARY KEY (firmware_id, target_version)
) STRICT, WITHOUT ROWID;

-- Attempts that wait for a package. A hop without such an attempt has no row.
CREATE TABLE fleet_waiting (
    firmware_id  INTEGER NOT NULL REFERENCES firmware,
    from_version TEXT NOT NULL,
    to_version   TEXT NOT NULL,
    devices      INTEGER NOT NULL CHECK (devices > 0),
    PRIMARY KEY (firmware_id, from_version, to_version)
) STRICT, WITHOUT ROWID;
DROP INDEX attempt_waiting;

DROP INDEX device_by_firmware;
DROP INDEX device_conflict;
CREATE INDEX device_conflict ON device (state) WHERE claim_version IS NOT NULL;
CREATE INDEX device_blocked ON device (firmware_id) WHERE blocked <> 0;

CREATE INDEX attempt_by_us ON attempt (device_id, firmware_id, target_version)
    WHERE state = 'confirmed' AND to_version = target_version AND beside = 0;
CREATE INDEX attempt_from_origin ON attempt (device_id, id) WHERE origin <> '' AND beside = 0;

-- Rows of the ledger by hour of at_ms. first_seq is at most, last_seq is at least what the rows have.
CREATE TABLE ledger_hour (
    hour      INTEGER NOT NULL,
    product   TEXT NOT NULL,
    kind      TEXT NOT NULL,
    rows      INTEGER NOT NULL,
    first_seq INTEGER NOT NULL,
    last_seq  INTEGER NOT NULL,
    PRIMARY KEY (hour, product, kind)
) STRICT, WITHOUT ROWID;
CREATE INDEX ledger_hour_empty ON ledger_hour (rows) WHERE rows = 0;
CREATE INDEX ledger_by_product ON ledger (product, seq) WHERE product <> '';

-- The first counts.
CREATE VIEW fleet_fact AS
    SELECT d.id AS device_id, d.firmware_id, coalesce(d.confirmed_version, '') AS confirmed_version,
           coalesce(d.asked_version, '') AS asked_version,
           d.blocked AND EXISTS (SELECT 1 FROM guard_closed g WHERE g.device_id = d.id AND (g.origin = ''
               OR g.origin = coalesce((SELECT o.origin FROM attempt o WHERE o.device_id = d.id AND o.beside = 0
                                       AND o.origin <> '' ORDER BY o.id DESC LIMIT 1), g.origin))) AS blocked
    FROM device d WHERE d.state IS NULL;
CREATE VIEW fleet_newest AS
    SELECT device_id, firmware_id, target_version, max(id) AS id FROM attempt WHERE beside = 0
    GROUP BY device_id, firmware_id, target_version;
CREATE VIEW fleet_state AS
    SELECT f.device_id, f.firmware_id, '' AS target_version, f.confirmed_version, f.asked_version, f.blocked,
           0 AS by_us, '' AS state, 0 AS to_target
    FROM fleet_fact f
    UNION ALL
    SELECT f.device_id, f.firmware_id, n.target_version, f.confirmed_version, f.asked_version, f.blocked,
           EXISTS (SELECT 1 FROM attempt c WHERE c.device_id = n.device_id AND c.firmware_id = n.firmware_id
                   AND c.target_version = n.target_version AND c.to_version = c.target_version AND c.state = 'confirmed'
                   AND c.beside = 0),
           a.state, a.to_version = a.target_version
    FROM fleet_newest n JOIN fleet_fact f ON f.device_id = n.device_id AND f.firmware_id = n.firmware_id
    JOIN attempt a ON a.id = n.id;
INSERT INTO fleet_group (firmware_id, target_version, confirmed_version, asked_version, blocked, by_us, state, to_target,
                         devices)
    SELECT firmware_id, target_version, confirmed_version, asked_version, blocked, by_us, state, to_target, count(*)
    FROM fleet_state GROUP BY 1, 2, 3, 4, 5, 6, 7, 8;
INSERT INTO fleet_member (device_id, firmware_id, target_version, group_id)
    SELECT s.device_id, s.firmware_id, s.target_version, g.id FROM fleet_state s JOIN fleet_group g
    ON g.firmware_id = s.firmware_id AND g.target_version = s.target_version AND g.confirmed_version = s.confirmed_version
    AND g.asked_version = s.asked_version AND g.blocked = s.blocked AND g.by_us = s.by_us
    AND g.state = s.state AND g.to_target = s.to_target
    UNION ALL
    SELECT n.device_id, n.firmware_id, n.target_version, 0 FROM fleet_newest n JOIN device d ON d.id = n.device_id
    WHERE d.firmware_id <> n.firmware_id OR d.state IS NOT NULL;
DROP VIEW fleet_state;
DROP VIEW fleet_newest;
DROP VIEW fleet_fact;
INSERT INTO fleet_bytes (firmware_id, target_version, bytes, vain)
    SELECT firmware_id, target_version, sum(bytes_acked),
           coalesce(sum(bytes_acked) FILTER (WHERE state IN ('not_applied', 'diverged', 'silent', 'abandoned')), 0)
    FROM attempt GROUP BY firmware_id, target_version HAVING sum(bytes_acked) > 0;
INSERT INTO fleet_waiting (firmware_id, from_version, to_version, devices)
    SELECT firmware_id, from_version, to_version, count(*) FROM attempt WHERE state = 'waiting'
    GROUP BY firmware_id, from_version, to_version;
INSERT INTO ledger_hour (hour, product, kind, rows, first_seq, last_seq)
    SELECT at_ms / 3600000, product, kind, count(*), min(seq), max(seq) FROM ledger GROUP BY 1, 2, 3;
