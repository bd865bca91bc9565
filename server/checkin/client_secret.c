/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/client_secret.h"

#include "base/clock.h"
#include "server/core/log.h"
#include "server/ledger/event.h"

void client_secret_take(const struct request *request, struct client_identity *client)
{
    client->secret_in_path = request->secret.ptr != NULL;
    if (client->secret_in_path)
        slice_copy(request->secret, client->secret,
                   sizeof client->secret); /* a secret that is too long becomes "": no device has it */
}

static bool belongs(const struct device_secret *secret, int64_t product_id, int64_t device_id)
{
    return secret->product_id == product_id && (!secret->device_id || secret->device_id == device_id);
}

/* Finds a valid secret. */
static bool find(struct db *db, const char *value, int64_t now_ms, struct device_secret *ret, bool *ret_found,
                 struct error *err)
{
    *ret_found = false;
    if (value[0] && !device_secret_find(db, value, ret, ret_found, err))
        return false;
    *ret_found = *ret_found && device_secret_is_valid(ret, now_ms);
    return true;
}

/* The request is of a stranger: nothing of the device may be used or changed. */
static void forget(struct facts *facts)
{
    struct snapshot *known = &facts->snapshot;
    facts->device = (struct device){.id = 0};
    facts->link = (struct link){.id = 0};
    facts->firmware = (struct firmware){.id = 0};
    known->device_known = known->firmware_known = known->link_unknown = known->link_revoked = false;
}

bool client_secret_check(struct db *db, const struct client_identity *client, struct facts *facts,
                         struct error *err)
{
    const char *value = client->secret_in_path ? client->secret : client->device_key;
    struct secret_facts *secret = &facts->secret;
    enum secret_state *state = &facts->snapshot.secret;
    struct device_secret row = {.id = 0};
    bool found;
    if (!find(db, value, facts->checkin.now_ms, &row, &found, err))
        return false;
    if (found && belongs(&row, facts->product.id, facts->device.id)) {
        secret->id = row.id;
        secret->kind = row.device_id ? SECRET_OF_DEVICE : SECRET_OF_PRODUCT;
        return true;
    }
    if (found) {
        secret->id = row.id;
        secret->conflict_device = facts->device.id;
    }
    /* A link that an admin made is itself a secret of its device. */
    bool by_link = facts->link.id && !facts->link.handed_out;
    bool demanded = facts->product.device_secret == DEVICE_SECRET_REQUIRED && !by_link;
    *state = client->secret_in_path          ? SECRET_WRONG_PATH
             : found                         ? SECRET_WRONG_KEY
             : facts->product.id && demanded ? SECRET_MISSING
                                             : SECRET_FINE;
    if (*state != SECRET_FINE)
        forget(facts);
    return true;
}

bool client_secret_fits(struct db *db, const char *value, const struct device *device, int64_t now_ms,
                        bool *ret_fits, struct error *err)
{
    struct device_secret row = {.id = 0};
    if (!find(db, value, now_ms, &row, ret_fits, err))
        return false;
    *ret_fits = *ret_fits && belongs(&row, device->product_id, device->id);
    return true;
}

static bool is_news(const struct device_secret_use *stored, const struct facts *facts)
{
    return stored->secret_id != facts->secret.id ||
           !clock_is_within(stored->at_ms, DAY_MS, facts->checkin.now_ms);
}

static bool record_use(struct db *db, const struct facts *facts, struct error *err)
{
    const struct device_secret_use use = {facts->secret.id, facts->checkin.now_ms};
    struct device_secret_use stored;
    if (facts->secret.kind == SECRET_NONE)
        return true;
    return device_secret_used(db, facts->device.id, &stored, err) &&
           (!is_news(&stored, facts) || device_secret_set_used(db, facts->device.id, &use, err));
}

static bool record_conflict(struct db *db, struct facts *facts, struct error *err)
{
    struct secret_facts *secret = &facts->secret;
    const struct device_secret_use use = {secret->id, facts->checkin.now_ms};
    const struct event event = {
        .kind = LEDGER_SECRET_CONFLICT, .at_ms = facts->checkin.now_ms, .device = &secret->device};
    struct device_secret_use stored;
    bool found;
    if (!secret->conflict_device)
        return true;
    if (!device_secret_conflict(db, secret->conflict_device, &stored, err) ||
        !device_by_id(db, secret->conflict_device, &secret->device, &found, err))
        return false;
    if (!found || (stored.secret_id && clock_is_within(stored.at_ms, DAY_MS, facts->checkin.now_ms)))
        return true;
    secret->tells_conflict = true;
    return device_secret_set_conflict(db, secret->conflict_device, &use, err) &&
           event_add(db, &event, json_pack("{s:I}", "secret", (json_int_t)secret->id), err);
}

bool client_secret_record(struct db *db, struct facts *facts, struct error *err)
{
    return facts->device.id ? record_use(db, facts, err) : record_conflict(db, facts, err);
}

void client_secret_log_conflict(const struct facts *facts)
{
    struct log_number number;
    if (facts->secret.tells_conflict)
        log_line(LOG_LEVEL_WARN, "secret-conflict", "product", facts->product.product_key, "device",
                 facts->secret.device.device, "secret", log_i64(&number, facts->secret.id), NULL);
}

const char *client_secret_of_answer(const struct client_identity *client, const struct facts *facts)
{
    return facts->secret.kind == SECRET_NONE ? ""
           : client->secret_in_path          ? client->secret
                                             : client->device_key;
}
