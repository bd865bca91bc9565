/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "storage/removal.h"

#include "storage/entities.h"
#include "storage/fleet.h"

enum {
    DEVICE_USES,
    DEVICE_BUDGET,
    DEVICE_LINK_BUDGETS,
    DEVICE_GUARD,
    DEVICE_TURNKEY_LINKS,
    DEVICE_LINKS,
    DEVICE,
    FIRMWARE_USES,
    FIRMWARE_CAMPAIGN_DEVICES,
    FIRMWARE_CAMPAIGNS,
    FIRMWARE_RELEASES,
    FIRMWARE_QUARANTINES,
    FIRMWARE,
    PRODUCT_DEVICES,
    PRODUCT_ADMISSIONS,
    PRODUCT_NETWORKS,
    PRODUCT_BUDGET,
    PRODUCT_OUTBOX,
    PRODUCT_WEBHOOKS,
    PRODUCT
};
static const char *const sql[] = {
    [DEVICE_USES] = ("SELECT (SELECT count(*) FROM attempt WHERE device_id = $1), "
                     "(SELECT count(*) FROM transcript WHERE device_id = $1), "
                     "(SELECT count(*) FROM device WHERE replaced_by = $1)"),
    /* Ids are used again, so nothing that names the device by its id may stay. */
    [DEVICE_BUDGET] = "DELETE FROM budget WHERE subject = 'device' AND subject_id = $1",
    [DEVICE_LINK_BUDGETS] = ("DELETE FROM budget WHERE subject = 'link' AND subject_id IN "
                             "(SELECT id FROM link WHERE device_id = $1)"),
    [DEVICE_GUARD] = "DELETE FROM guard_closed WHERE device_id = $1",
    [DEVICE_TURNKEY_LINKS] = "DELETE FROM turnkey_link WHERE device_id = $1",
    [DEVICE_LINKS] = "DELETE FROM link WHERE device_id = $1",
    [DEVICE] = "DELETE FROM device WHERE id = $1",
    [FIRMWARE_USES] =
        "SELECT (SELECT count(*) FROM image WHERE firmware_id = $1), "
        "(SELECT count(*) FROM device WHERE firmware_id = $1), "
        "(SELECT count(*) FROM link WHERE firmware_id = $1), "
        "(SELECT count(*) FROM attempt WHERE firmware_id = $1), "
        "(SELECT count(*) FROM device WHERE claim_version IS NOT NULL AND claim_firmware_id = $1)",
    [FIRMWARE_CAMPAIGN_DEVICES] = ("DELETE FROM campaign_device WHERE campaign_id IN "
                                   "(SELECT id FROM campaign WHERE firmware_id = $1)"),
    [FIRMWARE_CAMPAIGNS] = "DELETE FROM campaign WHERE firmware_id = $1",
    [FIRMWARE_RELEASES] = "DELETE FROM package_release WHERE firmware_id = $1",
    [FIRMWARE_QUARANTINES] = "DELETE FROM quarantine WHERE firmware_id = $1",
    [FIRMWARE] = "DELETE FROM firmware WHERE id = $1",
    [PRODUCT_DEVICES] = "SELECT count(*) FROM device WHERE product_id = $1",
    [PRODUCT_ADMISSIONS] = "DELETE FROM admission WHERE product_id = $1",
    [PRODUCT_NETWORKS] = "DELETE FROM admission_network WHERE product_id = $1",
    [PRODUCT_BUDGET] = "DELETE FROM budget WHERE subject = 'product' AND subject_id = $1",
    [PRODUCT_OUTBOX] = ("DELETE FROM outbox WHERE webhook_id IN "
                        "(SELECT id FROM webhook WHERE product_id = $1)"),
    [PRODUCT_WEBHOOKS] = "DELETE FROM webhook WHERE product_id = $1",
    [PRODUCT] = "DELETE FROM product WHERE id = $1",
};
DB_TABLE(removal, ENTITY_REMOVAL);

/* Runs the statements from `first` to `last` with the id. */
static bool run(struct db *db, unsigned first, unsigned last, int64_t id, struct error *err)
{
    for (unsigned statement = first; statement <= last; statement++)
        if (!db_do(db, COMMAND(statement, PARAMS(P_INT(id))), NULL, err))
            return false;
    return true;
}

bool removal_device_uses(struct db *db, int64_t device_id, struct device_uses *ret, struct error *err)
{
    bool found;
    return db_row(db,
                  QUERY(DEVICE_USES, PARAMS(P_INT(device_id)),
                        FIELDS(F_INT(&ret->attempts), F_INT(&ret->transcripts), F_INT(&ret->replaces))),
                  &found, err);
}

bool removal_device(struct db *db, int64_t device_id, struct error *err)
{
    return fleet_remove_device(db, device_id, err) && run(db, DEVICE_BUDGET, DEVICE, device_id, err);
}

bool removal_firmware_uses(struct db *db, int64_t firmware_id, struct firmware_uses *ret, struct error *err)
{
    bool found;
    return db_row(db,
                  QUERY(FIRMWARE_USES, PARAMS(P_INT(firmware_id)),
                        FIELDS(F_INT(&ret->images), F_INT(&ret->devices), F_INT(&ret->links),
                               F_INT(&ret->attempts), F_INT(&ret->claims))),
                  &found, err);
}

bool removal_firmware(struct db *db, int64_t firmware_id, struct error *err)
{
    return fleet_remove_firmware(db, firmware_id, err) &&
           run(db, FIRMWARE_CAMPAIGN_DEVICES, FIRMWARE, firmware_id, err);
}

bool removal_product_devices(struct db *db, int64_t product_id, int64_t *ret, struct error *err)
{
    bool found;
    return db_row(db, QUERY(PRODUCT_DEVICES, PARAMS(P_INT(product_id)), FIELDS(F_INT(ret))), &found, err);
}

bool removal_product(struct db *db, int64_t product_id, struct error *err)
{
    return run(db, PRODUCT_ADMISSIONS, PRODUCT, product_id, err);
}
