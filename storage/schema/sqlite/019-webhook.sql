-- URLs that are told of events, and the events that still have to be sent to them.
CREATE TABLE webhook (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    product_id INTEGER REFERENCES product, -- NULL: events of all products
    name       TEXT NOT NULL UNIQUE,
    url        TEXT NOT NULL,
    secret     TEXT,          -- key of the HMAC; NULL: requests are not signed
    kinds      TEXT NOT NULL, -- names of event kinds, a blank between; '': all
    enabled    INTEGER NOT NULL DEFAULT 1,
    created_ms INTEGER NOT NULL,
    created_by TEXT NOT NULL,
    waiting    INTEGER NOT NULL DEFAULT 0, -- rows of the outbox
    failed     INTEGER NOT NULL DEFAULT 0, -- rows of the outbox that were given up
    lost       INTEGER NOT NULL DEFAULT 0, -- failed rows that were removed because there were too many
    template   TEXT           -- NULL: the facts are the body
) STRICT;

-- Only the first waiting row of each webhook and order key has a next_try_ms: so events of one key are sent in order.
CREATE TABLE outbox (
    id          INTEGER PRIMARY KEY AUTOINCREMENT,
    webhook_id  INTEGER NOT NULL REFERENCES webhook,
    event_id    TEXT NOT NULL,    -- the same for each try and each webhook
    kind        TEXT NOT NULL,
    order_key   TEXT NOT NULL,
    facts       TEXT NOT NULL,    -- a JSON object
    since_ms    INTEGER NOT NULL, -- when it began to wait
    tries       INTEGER NOT NULL DEFAULT 0,
    next_try_ms INTEGER,
    error       TEXT,             -- of the last try
    gave_up_ms  INTEGER
) STRICT;
CREATE INDEX outbox_due ON outbox (webhook_id, next_try_ms) WHERE next_try_ms IS NOT NULL;
CREATE INDEX outbox_key ON outbox (webhook_id, order_key, id) WHERE gave_up_ms IS NULL;
CREATE INDEX outbox_waiting ON outbox (webhook_id, id) WHERE gave_up_ms IS NULL;
CREATE INDEX outbox_failed ON outbox (webhook_id, id) WHERE gave_up_ms IS NOT NULL;

-- When it was told that the package this attempt waits for is ready; NULL: not yet.
ALTER TABLE attempt ADD COLUMN ready_ms INTEGER;
CREATE INDEX attempt_untold ON attempt (firmware_id, from_version, id) WHERE state = 'waiting' AND beside = 0 AND ready_ms IS NULL;
