-- Bytes that went through a proxy of our own: its TCP has acknowledged them, not the module's.
ALTER TABLE attempt ADD COLUMN by_proxy INTEGER NOT NULL DEFAULT 0;
DROP INDEX attempt_open;
CREATE UNIQUE INDEX attempt_open ON attempt (device_id)
    WHERE state IN ('waiting', 'sending', 'interrupted', 'delivered', 'handed_over');
