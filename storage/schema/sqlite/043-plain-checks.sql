-- SQLite makes a table in memory for each condition with IN and more than two constants, each time a statement with the
-- condition runs. For a check-in this took a tenth of the time of the writer. The same conditions with OR take no such table.
-- What is stored does not change, so only the text of the CHECK conditions is replaced.
PRAGMA writable_schema = ON;
UPDATE sqlite_schema SET sql = replace(replace(sql,
        'CHECK (id_kind IN (''imei'', ''mac'', ''uid''))',
        'CHECK (id_kind = ''imei'' OR id_kind = ''mac'' OR id_kind = ''uid'')'),
        'CHECK (confirmed_by IN (''check-in'', ''host-report'', ''transcript'', ''list''))',
        'CHECK (confirmed_by = ''check-in'' OR confirmed_by = ''host-report'' OR confirmed_by = ''transcript'' OR confirmed_by = ''list'')')
    WHERE type = 'table' AND name = 'device';
UPDATE sqlite_schema SET sql = replace(sql,
        'CHECK (subject IN (''device'', ''link'', ''product''))',
        'CHECK (subject = ''device'' OR subject = ''link'' OR subject = ''product'')')
    WHERE type = 'table' AND name = 'budget';
DROP INDEX IF EXISTS attempt_open;
CREATE UNIQUE INDEX attempt_open ON attempt (device_id, beside)
    WHERE state = 'waiting' OR state = 'sending' OR state = 'interrupted' OR state = 'delivered' OR state = 'handed_over';
DROP INDEX IF EXISTS attempt_pinned;
CREATE INDEX attempt_pinned ON attempt (package_sha256)
    WHERE state = 'sending' OR state = 'interrupted' OR state = 'handed_over';
PRAGMA writable_schema = RESET; -- this connection reads the schema again; others do because an index has changed
