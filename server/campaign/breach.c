/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/campaign/breach.h"

#include <stdio.h>

#include "base/cleanup.h"

#define NAMES_SIZE 1200 /* bytes of the names as JSON: a row of the ledger has room for them */
#define IN_TEXT    3

/* False: the names are long, and this one has no room. */
static bool add_name(json_t *devices, const char *name)
{
    json_array_append_new(devices, json_string(name));
    if (json_dumpb(devices, NULL, 0, JSON_COMPACT) <= NAMES_SIZE)
        return true;
    json_array_remove(devices, json_array_size(devices) - 1);
    return false;
}

static void write_text(struct campaign_breach *breach)
{
    size_t used = 0, i;
    const json_t *name;
    breach->text[0] = '\0';
    json_array_foreach (breach->devices, i, name)
        if (i < IN_TEXT)
            used += (size_t)snprintf(breach->text + used, sizeof breach->text - used, "%s%s", i ? ", " : "",
                                     json_string_value(name));
    if (breach->count > IN_TEXT && used < sizeof breach->text)
        snprintf(breach->text + used, sizeof breach->text - used, " and %lld more",
                 (long long)breach->count - IN_TEXT);
}

bool campaign_breach_load(struct db *db, const struct campaign *campaign, struct campaign_breach *ret,
                          struct error *err)
{
    _cleanup_(cleanup_free) struct campaign_device_listed *list = NULL;
    struct stages stages;
    size_t count;
    *ret = (struct campaign_breach){.devices = NULL};
    if (!campaign->breach)
        return true;
    if (!campaign_stages_load(db, campaign->id, &stages, err) ||
        !campaign_device_breached(db, campaign->id, campaign->breach_stage, campaign->breach,
                                  BREACH_DEVICES_MAX, &list, &count, err))
        return false;
    ret->devices = json_array();
    ret->count = stage_breached_by(&stages.stage[campaign->breach_stage], campaign->breach);
    for (size_t i = 0; i < count; i++) {
        char name[IDENTITY_SIZE + 8];
        snprintf(name, sizeof name, "%s:%s", identity_kind_name(list[i].id_kind), list[i].device);
        if (!add_name(ret->devices, name))
            break;
    }
    write_text(ret);
    return true;
}

void campaign_breach_clear(struct campaign_breach *breach)
{
    json_decref(breach->devices);
    breach->devices = NULL;
}
