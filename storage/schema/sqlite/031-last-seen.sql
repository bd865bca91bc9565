-- The devices of a product, those that were never seen first.
CREATE INDEX device_by_last_seen ON device (product_id, state, coalesce(last_seen_ms, 0));
