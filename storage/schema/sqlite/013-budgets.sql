-- What a device, a link and the new devices of a product have added to the ledger on a day, and what was counted beyond that and not
-- stored: by kind, as JSON. A row a subject, of the last day on which there was something.
CREATE TABLE budget (
    subject    TEXT NOT NULL CHECK (subject IN ('device', 'link', 'product')),
    subject_id INTEGER NOT NULL,
    day        INTEGER NOT NULL,
    facts      INTEGER NOT NULL,
    unstored   INTEGER NOT NULL DEFAULT 0,
    told       INTEGER NOT NULL DEFAULT 0, -- of unstored, in the ledger
    product    TEXT NOT NULL DEFAULT '',   -- these three as the ledger names them
    firmware   TEXT NOT NULL DEFAULT '',
    device     TEXT NOT NULL DEFAULT '',
    counts     TEXT NOT NULL DEFAULT '{}',
    PRIMARY KEY (subject, subject_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX budget_by_day ON budget (day);

-- How many devices a network has brought to a product on a day, and whether its share was ever spent.
CREATE TABLE admission_network (
    product_id INTEGER NOT NULL REFERENCES product,
    day        INTEGER NOT NULL,
    network    TEXT NOT NULL,
    devices    INTEGER NOT NULL DEFAULT 0,
    told       INTEGER NOT NULL DEFAULT 0, -- the ledger says that it was full
    PRIMARY KEY (product_id, day, network)
) STRICT, WITHOUT ROWID;
CREATE INDEX admission_network_by_day ON admission_network (day);
