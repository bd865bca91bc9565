-- Tokens of the admin API: each has a name, a scope and maybe a product. The tokens of older versions may do everything.
ALTER TABLE admin_token ADD COLUMN name TEXT NOT NULL DEFAULT '';
ALTER TABLE admin_token ADD COLUMN scope TEXT NOT NULL DEFAULT 'admin' CHECK (scope IN ('read', 'upload', 'operate', 'admin'));
ALTER TABLE admin_token ADD COLUMN product_key TEXT;     -- NULL: all products
ALTER TABLE admin_token ADD COLUMN expires_ms INTEGER;   -- NULL: never
ALTER TABLE admin_token ADD COLUMN old_sha256 BLOB;      -- the secret before the last rotation
ALTER TABLE admin_token ADD COLUMN old_until_ms INTEGER; -- until when it is still accepted
ALTER TABLE admin_token ADD COLUMN used_ms INTEGER;      -- last use, at most some minutes old
ALTER TABLE admin_token ADD COLUMN used_from TEXT;       -- the address of that use
ALTER TABLE admin_token ADD COLUMN revoked_ms INTEGER;
UPDATE admin_token SET name = CASE WHEN id = (SELECT min(id) FROM admin_token) THEN 'admin' ELSE 'admin-' || id END;
CREATE UNIQUE INDEX admin_token_name ON admin_token (name) WHERE revoked_ms IS NULL;
