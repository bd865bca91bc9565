-- A campaign leads devices to a version in stages. The target of a firmware is a plain campaign: one stage, all devices.
-- A campaign that is running or paused is live.
CREATE TABLE campaign (
    id               INTEGER PRIMARY KEY,
    firmware_id      INTEGER NOT NULL REFERENCES firmware,
    name             TEXT NOT NULL,
    plain            INTEGER NOT NULL DEFAULT 0,
    target           TEXT NOT NULL, -- a version
    state            TEXT NOT NULL,
    audience         TEXT NOT NULL CHECK (audience IN ('all', 'list')),
    devices          INTEGER NOT NULL DEFAULT 0, -- of a list; else those that had to be led to the target when the stage began
    ahead            INTEGER NOT NULL DEFAULT 0, -- of these: they reported the target before a stage admitted them
    stage            INTEGER NOT NULL DEFAULT 0, -- the current one, from 0
    stage_started_ms INTEGER,
    paused_why       TEXT,
    pause_when_done  INTEGER NOT NULL DEFAULT 0,
    finish_transfers INTEGER NOT NULL DEFAULT 1, -- while it is paused
    created_by       TEXT,
    created_ms       INTEGER NOT NULL,
    started_ms       INTEGER,
    ended_ms         INTEGER
) STRICT;
CREATE UNIQUE INDEX campaign_by_name ON campaign (firmware_id, name) WHERE plain = 0;
CREATE UNIQUE INDEX campaign_plain ON campaign (firmware_id) WHERE plain = 1 AND state IN ('running', 'paused');
CREATE INDEX campaign_live ON campaign (firmware_id, audience) WHERE state IN ('running', 'paused');
CREATE INDEX campaign_by_firmware ON campaign (firmware_id, id);

-- A stage with its gate, and how many of the devices that it admitted have which outcome.
CREATE TABLE campaign_stage (
    campaign_id       INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    position          INTEGER NOT NULL, -- from 0
    kind              TEXT NOT NULL,
    size              INTEGER NOT NULL,
    least_confirmed   INTEGER NOT NULL,
    confirmed_percent INTEGER NOT NULL,
    most_failed       INTEGER NOT NULL,
    most_silent       INTEGER NOT NULL,
    settle_ms         INTEGER NOT NULL,
    approvals         INTEGER NOT NULL,
    last_confirmed_ms INTEGER,
    admitted          INTEGER NOT NULL DEFAULT 0,
    confirmed         INTEGER NOT NULL DEFAULT 0,
    not_applied       INTEGER NOT NULL DEFAULT 0,
    diverged          INTEGER NOT NULL DEFAULT 0,
    silent            INTEGER NOT NULL DEFAULT 0,
    PRIMARY KEY (campaign_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE campaign_approval (
    campaign_id INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    position    INTEGER NOT NULL,
    name        TEXT NOT NULL, -- of an admin
    at_ms       INTEGER NOT NULL,
    PRIMARY KEY (campaign_id, position, name)
) STRICT, WITHOUT ROWID;

-- The devices of a list; of other audiences those that a stage has admitted.
CREATE TABLE campaign_device (
    campaign_id INTEGER NOT NULL REFERENCES campaign ON DELETE CASCADE,
    device_id   INTEGER NOT NULL REFERENCES device,
    rank        INTEGER NOT NULL, -- in the list, from 0; else the id of the device
    stage       INTEGER,          -- that admitted it; NULL: none yet
    outcome     TEXT NOT NULL,
    at_ms       INTEGER,          -- of the outcome
    PRIMARY KEY (campaign_id, device_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX campaign_device_of ON campaign_device (device_id, campaign_id);
CREATE UNIQUE INDEX campaign_device_rank ON campaign_device (campaign_id, rank);
CREATE INDEX campaign_device_outcome ON campaign_device (campaign_id, outcome, rank);

ALTER TABLE attempt ADD COLUMN campaign_id INTEGER;

INSERT INTO campaign (firmware_id, name, plain, target, state, audience, created_ms, started_ms, stage_started_ms)
    SELECT f.id, 'target', 1, i.version, 'running', 'all', f.created_ms, f.created_ms, f.created_ms
    FROM firmware f JOIN image i ON i.id = f.target_image_id;
INSERT INTO campaign_stage (campaign_id, position, kind, size, least_confirmed, confirmed_percent, most_failed, most_silent,
                            settle_ms, approvals)
    SELECT id, 0, 'all', 0, 0, 0, 2147483647, 2147483647, 0, 0 FROM campaign;
ALTER TABLE firmware DROP COLUMN target_image_id;
