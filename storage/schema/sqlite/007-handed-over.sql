-- Bytes that went through a proxy of our own: its TCP has acknowledged them, not the module's.
ALTER TABLE attempt ADD COLUMN by_proxy INTEGER NOT NULL DEFAULT 0;
DROP INDEX attempt_open;
CREATE UNIQUE INDEX attempt_open ON attempt (device_id)
    WHERE state IN ('waiting', 'sending', 'interrupted', 'delivered', 'handed_over');
-- What was handed over may still be continued from the middle: its bytes are pinned.
DROP INDEX attempt_pinned;
CREATE INDEX attempt_pinned ON attempt (package_sha256) WHERE state IN ('sending', 'interrupted', 'handed_over');
