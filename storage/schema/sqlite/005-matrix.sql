-- What leads to an image is looked up when it is withdrawn or deleted; how long packages took lately, for estimates; who
-- waits for what.
CREATE INDEX package_by_to ON package (to_sha256);
CREATE INDEX package_made ON package (finished_ms) WHERE state = 'ready' AND origin <> 'uploaded';
CREATE INDEX attempt_waiting ON attempt (firmware_id, from_version, to_version) WHERE state = 'waiting';
