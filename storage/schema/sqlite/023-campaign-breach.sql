-- Which gate paused a campaign, and what was told of it to webhooks.
ALTER TABLE campaign ADD COLUMN breach TEXT;          -- the limit that the gate broke; NULL: no gate paused it
ALTER TABLE campaign ADD COLUMN breach_stage INTEGER; -- the stage with this gate, from 0
ALTER TABLE campaign ADD COLUMN last_done INTEGER NOT NULL DEFAULT 0;   -- the last stage is done: it was told
ALTER TABLE campaign ADD COLUMN asked_stage INTEGER NOT NULL DEFAULT 0; -- admins were asked to approve this stage, from 1

-- The devices that count for the limits of a gate, by the time of the outcome.
CREATE INDEX campaign_device_failed ON campaign_device (campaign_id, stage, at_ms) WHERE outcome IN ('not_applied', 'diverged');
CREATE INDEX campaign_device_silent ON campaign_device (campaign_id, stage, at_ms) WHERE outcome = 'silent';
