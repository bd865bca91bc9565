-- Devices of a list that reported the target before a stage admitted them: few, looked for when a stage begins.
CREATE INDEX campaign_device_ahead ON campaign_device (campaign_id, rank) WHERE stage IS NULL AND outcome = 'confirmed';
