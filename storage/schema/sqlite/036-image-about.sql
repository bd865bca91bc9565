-- What an image is for, in words of people and for tools: shown with the image, and in the evidence of a campaign.
CREATE TABLE image_about (
    image_id     INTEGER PRIMARY KEY REFERENCES image ON DELETE CASCADE,
    purpose      TEXT, -- 'security-fix', 'bug-fix', 'feature', 'other'
    release_note TEXT,
    advisory     TEXT, -- a name or an address
    sbom         BLOB,
    sbom_sha256  BLOB,
    sbom_format  TEXT -- as the file claims: 'CycloneDX', 'SPDX'; '': neither
) STRICT;
