-- Sessions of the console. The secrets are in the cookies of browsers; only their hashes are here. A session ends with the
-- token that it came from.
CREATE TABLE session (
    sha256       BLOB PRIMARY KEY NOT NULL, -- of the secret
    token_sha256 BLOB NOT NULL,             -- as in admin_token
    created_ms   INTEGER NOT NULL,
    used_ms      INTEGER NOT NULL,          -- a few minutes old at most
    expires_ms   INTEGER NOT NULL           -- then it ends, however often it is used
) STRICT;
