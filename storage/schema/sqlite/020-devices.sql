-- What an admin says of a device, and whether it takes part.
ALTER TABLE device ADD COLUMN tags TEXT;       -- sorted, with a blank between two; NULL: none
ALTER TABLE device ADD COLUMN note TEXT;
ALTER TABLE device ADD COLUMN state TEXT CHECK (state IN ('held', 'retired')); -- NULL: active
ALTER TABLE device ADD COLUMN state_ms INTEGER; -- since when it is held or retired
ALTER TABLE device ADD COLUMN replaced_by INTEGER REFERENCES device; -- of a retired one: the device in its place
CREATE INDEX device_of_product ON device (product_id, state);
CREATE INDEX device_of_firmware ON device (firmware_id, state);
CREATE INDEX device_replaced ON device (replaced_by) WHERE replaced_by IS NOT NULL;
CREATE INDEX link_by_firmware ON link (firmware_id);
CREATE INDEX package_release_by_firmware ON package_release (firmware_id);

-- What happens to a device that is not known: NULL: it is admitted, 'held': an admin admits it, 'refused'.
ALTER TABLE product ADD COLUMN unknown_devices TEXT CHECK (unknown_devices IN ('held', 'refused'));
