-- An admin says that the devices of the firmware run CSDK applications with the vendor's code for full packages. A full package is a
-- row of `package` with the format 'full' and 32 zero bytes as from_sha256: it leads to its image from any version.
ALTER TABLE firmware ADD COLUMN full_packages INTEGER NOT NULL DEFAULT 0;
