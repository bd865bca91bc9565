-- Smaller bytes that were found for a package wait here while a transfer is pinned to its present ones.
ALTER TABLE package ADD COLUMN better_size_bytes INTEGER;
ALTER TABLE package ADD COLUMN better_sha256 BLOB;
ALTER TABLE package ADD COLUMN better_effort INTEGER;
ALTER TABLE package ADD COLUMN better_note TEXT;
CREATE INDEX package_better ON package (better_sha256) WHERE better_sha256 IS NOT NULL;
-- What dfota made and may try harder.
CREATE INDEX package_improvable ON package (tried, wanted) WHERE state = 'ready' AND origin = 'made' AND tried > 0 AND tried < 3;
