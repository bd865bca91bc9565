-- Files in blobs/ that no row names, and when this was first seen. After some time they are removed.
CREATE TABLE blob_unknown (
    sha256   BLOB PRIMARY KEY,
    since_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- For the removal of old attempts, which transcripts may refer to.
CREATE INDEX transcript_by_attempt ON transcript (attempt_id);
