-- Audiences by filter, and in an order; devices that do not take part.
ALTER TABLE campaign ADD COLUMN filter TEXT; -- of a list: the start makes the list with it; else it is asked at each check-in
ALTER TABLE campaign ADD COLUMN ordering TEXT CHECK (ordering IN ('given', 'hash', 'spread')); -- of a list; NULL: not said
ALTER TABLE campaign ADD COLUMN firsts INTEGER NOT NULL DEFAULT 0; -- ranks below were named by an admin, besides the filter
ALTER TABLE campaign ADD COLUMN reach INTEGER NOT NULL DEFAULT 0; -- of a list: the current stage reaches the ranks below
ALTER TABLE campaign ADD COLUMN reached INTEGER NOT NULL DEFAULT 0; -- devices with such a rank that are not out
ALTER TABLE campaign ADD COLUMN out INTEGER NOT NULL DEFAULT 0; -- devices with the outcome 'out'
UPDATE campaign SET (reach, reached) = (
    SELECT r, r FROM (
        SELECT CASE s.kind WHEN 'all' THEN 2147483647 WHEN 'devices' THEN min(s.size, campaign.devices)
               ELSE (campaign.devices * s.size + 99) / 100 END AS r
        FROM campaign_stage s WHERE s.campaign_id = campaign.id AND s.position = campaign.stage))
    WHERE audience = 'list' AND state IN ('running', 'paused');
UPDATE campaign SET reached = devices WHERE reach = 2147483647;

ALTER TABLE device ADD COLUMN held_out_ms INTEGER; -- since when no campaign leads the device; NULL: campaigns may
CREATE INDEX device_held_out ON device (firmware_id) WHERE held_out_ms IS NOT NULL;
