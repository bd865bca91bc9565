-- Failures that an admin accepted by a resume, beyond the limits of the gate. Until now a resume raised the limits.
ALTER TABLE campaign_stage ADD COLUMN accepted_failed INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaign_stage ADD COLUMN accepted_silent INTEGER NOT NULL DEFAULT 0;
