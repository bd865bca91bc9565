-- How a device asked last: over the dialect, turnkey_fota or a link, and what it named. `explain` asks in the same way.
ALTER TABLE device ADD COLUMN asked_over TEXT;      -- 'dialect', 'core' (its version begins with the core's), 'turnkey', 'link'; NULL: never, or before this was kept
ALTER TABLE device ADD COLUMN asked_link INTEGER;   -- the link, where asked_over is 'link'
ALTER TABLE device ADD COLUMN asked_said TEXT;      -- the version that the request named; NULL: none
ALTER TABLE device ADD COLUMN asked_firmware TEXT;  -- the firmware name that it gave, where it was no link
