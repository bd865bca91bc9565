-- Whether nobody chose a firmware's package format, and the family of modules that its images were found to be for.
ALTER TABLE firmware ADD COLUMN format_is_default INTEGER NOT NULL DEFAULT 0;
ALTER TABLE firmware ADD COLUMN family TEXT;
