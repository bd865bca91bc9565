-- Several builds of one version may be stored: the variant tells them apart. A table cannot lose its UNIQUE, so it is made
-- anew, and with it image_about, whose rows would go with those of the old one.
CREATE TABLE image_new (
    id               INTEGER PRIMARY KEY,
    firmware_id      INTEGER NOT NULL REFERENCES firmware,
    version          TEXT NOT NULL,
    sha256           BLOB NOT NULL,
    size_bytes       INTEGER NOT NULL,
    file_name        TEXT,
    warning          TEXT,
    uploaded_ms      INTEGER NOT NULL,
    kind             TEXT NOT NULL DEFAULT 'image' CHECK (kind IN ('image', 'full')),
    core             TEXT,
    content          TEXT, -- what its bytes were found to be
    withdrawn_ms     INTEGER,
    withdrawn_reason TEXT,
    waypoint         TEXT NOT NULL DEFAULT 'allowed' CHECK (waypoint IN ('allowed', 'forbidden', 'required')),
    waypoint_reason  TEXT,
    script_address   INTEGER,
    script_area      INTEGER,
    kept_bytes       INTEGER,
    script_bytes     INTEGER,
    packed_bytes     INTEGER,
    script_bits      INTEGER,
    variant          TEXT NOT NULL DEFAULT '',
    core_id          INTEGER, -- the kind of a LuatOS core, as its devices send it: the last number in the name of a .soc
    chip             TEXT,    -- of a release of LuatOS: 'ec618', 'ec7xx'
    is_default       INTEGER NOT NULL DEFAULT 0, -- an admin named it: for devices whose build is not known
    UNIQUE (firmware_id, version, variant)
) STRICT;
INSERT INTO image_new (id, firmware_id, version, sha256, size_bytes, file_name, warning, uploaded_ms, kind, core, content,
                       withdrawn_ms, withdrawn_reason, waypoint, waypoint_reason, script_address, script_area, kept_bytes,
                       script_bytes, packed_bytes, script_bits)
    SELECT id, firmware_id, version, sha256, size_bytes, file_name, warning, uploaded_ms, kind, core, content,
           withdrawn_ms, withdrawn_reason, waypoint, waypoint_reason, script_address, script_area, kept_bytes,
           script_bytes, packed_bytes, script_bits FROM image;
CREATE TABLE image_about_old AS SELECT * FROM image_about;
DROP TABLE image_about;
DROP TABLE image;
ALTER TABLE image_new RENAME TO image;
-- LuatOS-SoC_V2034_Air780EHM_116.soc, with or without a project before it: 116.
UPDATE image SET core_id = n.number FROM (
    SELECT id, rest, CAST(substr(rest, length(rtrim(rest, '0123456789')) + 1) AS INTEGER) AS number FROM (
        SELECT id, substr(file_name, instr(file_name, 'LuatOS-SoC_V') + 12, length(file_name) - 15 - instr(file_name, 'LuatOS-SoC_V'))
            AS rest FROM image WHERE file_name GLOB '*LuatOS-SoC_V?*_?*_[0-9]*.soc')) AS n
    WHERE image.id = n.id AND length(n.rest) - length(replace(n.rest, '_', '')) = 2 AND rtrim(n.rest, '0123456789') LIKE '%\_' ESCAPE '\'
    AND n.number <= 2147483647;
CREATE INDEX image_by_sha256 ON image (sha256);
CREATE UNIQUE INDEX image_default ON image (firmware_id, version) WHERE is_default = 1;
CREATE TABLE image_about (
    image_id     INTEGER PRIMARY KEY REFERENCES image ON DELETE CASCADE,
    purpose      TEXT, -- 'security-fix', 'bug-fix', 'feature', 'other'
    release_note TEXT,
    advisory     TEXT, -- a name or an address
    sbom         BLOB,
    sbom_sha256  BLOB,
    sbom_format  TEXT -- as the file claims: 'CycloneDX', 'SPDX'; '': neither
) STRICT;
INSERT INTO image_about SELECT * FROM image_about_old;
DROP TABLE image_about_old;
-- The image of which the device runs the build: known when a package to it was delivered and confirmed, or an admin said so.
ALTER TABLE device ADD COLUMN build_sha256 BLOB;
-- The kind of core that the device named when the package was offered: the word of a request, for this attempt alone.
ALTER TABLE turnkey ADD COLUMN core_id INTEGER;
