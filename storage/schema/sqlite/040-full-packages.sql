-- An admin says that the devices of the firmware run CSDK applications with the vendor's code for full packages: 'allowed' where no
-- delta will do, 'preferred' before deltas. A full package is a row of `package` with the format 'full' and 32 zero bytes as
-- from_sha256: it leads to its image from any version.
ALTER TABLE firmware ADD COLUMN full_packages TEXT NOT NULL DEFAULT 'off' CHECK (full_packages IN ('off', 'allowed', 'preferred'));
