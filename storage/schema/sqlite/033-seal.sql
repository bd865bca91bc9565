-- No secret is in the database as it is. mac(), seal() and seal_check() are functions of the server (storage/sqlite_seal.c);
-- their key is the file secret.key beside the database.
CREATE TABLE secret_key (
    id          INTEGER PRIMARY KEY CHECK (id = 1),
    check_value TEXT NOT NULL,   -- tells which secret.key belongs to this database
    cleaned     INTEGER NOT NULL -- 1: the file has no old bytes of secrets any more
) STRICT;
-- A new database has no token yet, and nothing to clean.
INSERT INTO secret_key (id, check_value, cleaned)
    SELECT 1, seal_check(), NOT EXISTS (SELECT 1 FROM admin_token);

ALTER TABLE link ADD COLUMN token_sealed BLOB; -- to show the link again
UPDATE link SET token_sealed = seal(token), token = mac(token);
ALTER TABLE link RENAME COLUMN token TO token_mac; -- to find the link

ALTER TABLE webhook ADD COLUMN url_sealed BLOB; -- the URL of a chat robot is a secret
ALTER TABLE webhook ADD COLUMN secret_sealed BLOB;
UPDATE webhook SET url_sealed = seal(url), secret_sealed = seal(secret);
ALTER TABLE webhook DROP COLUMN url;
ALTER TABLE webhook DROP COLUMN secret;

ALTER TABLE transcript ADD COLUMN text_sealed BLOB; -- it may have the URL of a link
UPDATE transcript SET text_sealed = seal(text);
ALTER TABLE transcript DROP COLUMN text;

ALTER TABLE outbox ADD COLUMN facts_sealed BLOB; -- they may have the URL of a link
UPDATE outbox SET facts_sealed = seal(facts);
ALTER TABLE outbox DROP COLUMN facts;
