-- What libfota3 was told of an attempt: fota_sn names it unguessably, and the device says with it how it went.
CREATE TABLE turnkey (
    attempt_id  INTEGER PRIMARY KEY REFERENCES attempt,
    fota_sn     TEXT NOT NULL UNIQUE,
    result_code INTEGER,
    result_form TEXT CHECK (result_form IN ('query', 'json')),
    result_ms   INTEGER,
    CHECK ((result_code IS NULL) = (result_ms IS NULL) AND (result_code IS NULL) = (result_form IS NULL))
) STRICT;

-- The link that such a device downloads from, made with its first offer and kept.
CREATE TABLE turnkey_link (
    device_id   INTEGER NOT NULL REFERENCES device,
    firmware_id INTEGER NOT NULL REFERENCES firmware,
    link_id     INTEGER NOT NULL REFERENCES link,
    PRIMARY KEY (device_id, firmware_id)
) STRICT, WITHOUT ROWID;
