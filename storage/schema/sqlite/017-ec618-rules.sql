-- Packages of the EC618's formats were made and proven by rules that a device does not share: most of those in
-- RvsO or of two parts are refused, or change half of a module. None of them is kept, whoever made it; they are
-- made anew, under another recipe. What a command made and dfota proved by those rules goes with them; what was
-- uploaded for it stays, but is proven no longer.
CREATE TABLE package_outdated ( -- their files, removed at the next start
    sha256 BLOB PRIMARY KEY
) STRICT;
INSERT INTO package_outdated
    SELECT sha256 FROM package WHERE sha256 IS NOT NULL AND (format LIKE 'ec618-%' OR (format = 'external' AND origin = 'external' AND proven))
    UNION
    SELECT better_sha256 FROM package WHERE better_sha256 IS NOT NULL AND format LIKE 'ec618-%';
DELETE FROM package WHERE format LIKE 'ec618-%' OR (format = 'external' AND origin = 'external' AND proven);
UPDATE package SET proven = 0 WHERE format = 'external' AND origin = 'uploaded';
-- No module takes more, whatever the limit was set to.
UPDATE firmware SET max_package_bytes = 491520 WHERE format LIKE 'ec618-%' AND max_package_bytes > 491520;
