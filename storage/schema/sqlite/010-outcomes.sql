-- What became of each device on its way to a target, and what was sent in vain.
CREATE INDEX attempt_by_target ON attempt (firmware_id, target_version, device_id, id);
