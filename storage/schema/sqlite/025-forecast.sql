-- The rhythm of a device: its pauses of at least five minutes between two questions, and their sum. Shorter ones are questions
-- about a package that is being made or resumed. Of the past only the mean is known.
ALTER TABLE device ADD COLUMN pauses INTEGER NOT NULL DEFAULT 0;
ALTER TABLE device ADD COLUMN pauses_ms INTEGER NOT NULL DEFAULT 0;
UPDATE device SET pauses = check_ins - 1, pauses_ms = last_seen_ms - first_seen_ms
    WHERE check_ins > 1 AND last_seen_ms - first_seen_ms >= 300000 * (check_ins - 1);

-- What was expected at the start, as JSON; and the bytes that were acknowledged, those in vain included.
ALTER TABLE campaign ADD COLUMN forecast TEXT;
ALTER TABLE campaign ADD COLUMN bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE campaign ADD COLUMN vain INTEGER NOT NULL DEFAULT 0;
UPDATE campaign SET bytes = s.bytes, vain = s.vain
    FROM (SELECT campaign_id AS id, sum(bytes_acked) AS bytes,
                 coalesce(sum(bytes_acked) FILTER (WHERE state IN ('not_applied', 'diverged', 'silent', 'abandoned')), 0) AS vain
          FROM attempt WHERE campaign_id IS NOT NULL GROUP BY campaign_id) s
    WHERE s.id = campaign.id;
