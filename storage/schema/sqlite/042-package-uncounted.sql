-- Bytes of a package that do not count against the limit of its firmware: the head and the script of the format ec618-luatos. A
-- module keeps the script in an area of its own. Of packages that were made before, the whole file counts.
ALTER TABLE package ADD COLUMN uncounted_bytes INTEGER NOT NULL DEFAULT 0;
ALTER TABLE package ADD COLUMN better_uncounted_bytes INTEGER NOT NULL DEFAULT 0;
-- The head was counted before, and the highest limit was higher by its 92 bytes.
UPDATE firmware SET max_package_bytes = 491520 WHERE format = 'ec618-luatos' AND max_package_bytes > 491520;
