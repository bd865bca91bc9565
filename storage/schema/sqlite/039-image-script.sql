-- Where the script of a LuatOS image is in flash. NULL: not known, or no LuatOS.
ALTER TABLE image ADD COLUMN script_address INTEGER;
ALTER TABLE image ADD COLUMN script_area INTEGER; -- bytes; of a release
ALTER TABLE image ADD COLUMN kept_bytes INTEGER; -- of a release: the largest packed script that a module keeps
ALTER TABLE image ADD COLUMN script_bytes INTEGER; -- of the script itself
ALTER TABLE image ADD COLUMN packed_bytes INTEGER; -- of a full package: its packed script
ALTER TABLE image ADD COLUMN script_bits INTEGER; -- of the virtual machine: 32 or 64
-- A script in an uploaded package was not compared with the place of the device's script, so such a package was proven
-- for its core only. It is sent again when an admin has released it, or uploaded it anew beside two .soc.
UPDATE package SET proven = 0 WHERE format = 'ec618-luatos' AND origin = 'uploaded';
