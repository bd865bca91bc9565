/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Makes links for a list of devices: all or none. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/handlers.h"
#include "server/admin/link_csv.h"
#include "server/admin/path_params.h"
#include "server/core/log.h"

struct bulk {
    struct admin_call *call;
    struct product product;
    struct firmware firmware;
    struct link_order *orders;
    size_t count;
    struct csv_faults faults;
};

/* ?version= is for lines without a version; "": there is none. */
static bool read_common_version(const struct request *request, const char *firmware,
                                char out[VERSION_TEXT_SIZE], struct error *err)
{
    char text[256];
    struct version version;
    bool found;
    out[0] = '\0';
    if (!request_query(request, "version", text, sizeof text, &found, err))
        return false;
    if (!found || !text[0])
        return true;
    if (!name_parse_version_of(slice_of(text), firmware, &version, err))
        return false;
    version_format(&version, out);
    return true;
}

/* ?existing=keep */
static bool read_keep(const struct request *request, bool *ret, struct error *err)
{
    char text[16];
    if (!request_query(request, "existing", text, sizeof text, ret, err))
        return false;
    return !*ret || strcmp(text, "keep") == 0 ||
           error_set(err, ERROR_BAD_REQUEST, "existing takes keep, not '%s'", text);
}

static bool make_all(void *cls, struct db *db, struct error *err)
{
    struct bulk *bulk = cls;
    struct link_memo memo = {.needed = ""};
    int64_t now_ms = clock_utc_ms();
    struct error why;
    if (!path_params_firmware(bulk->call->request, db, &bulk->product, &bulk->firmware, err))
        return false; /* read again: its target may have changed since the list was read */
    for (size_t i = 0; i < bulk->count; i++)
        if (!link_order_make(bulk->call->daemon, db, &bulk->firmware, now_ms, &memo, &bulk->orders[i],
                             &why) ||
            (!bulk->orders[i].kept && !link_order_note(bulk->call->request, db, &bulk->product,
                                                       &bulk->firmware, &bulk->orders[i], &why)))
            if (!csv_note_fault(&bulk->faults, bulk->orders[i].line, &why, err))
                return false;
    return csv_end_faults(&bulk->faults, err);
}

static void answer(struct bulk *bulk)
{
    struct admin_call *call = bulk->call;
    if (request_accepts(call->request, "text/csv")) {
        size_t len;
        _cleanup_(cleanup_free) char *text = link_csv_write(call->daemon, bulk->orders, bulk->count, &len);
        if (text)
            reply_text(&call->reply, 200, "text/csv; charset=utf-8", text, len);
        else
            reply_json(&call->reply, 200, NULL);
        return;
    }
    json_t *items = json_array();
    for (size_t i = 0; i < bulk->count; i++)
        json_array_append_new(items, link_order_json(call->daemon, &bulk->firmware, &bulk->orders[i]));
    call_answer_items(call, items);
}

static bool run(struct bulk *bulk, struct error *err)
{
    struct admin_call *call = bulk->call;
    struct log_number number;
    char version[VERSION_TEXT_SIZE];
    bool keep;
    if (!path_params_firmware(call->request, call->db, &bulk->product, &bulk->firmware, err) ||
        !call_check_type(call, "text/csv", "the list of devices", err) ||
        !read_common_version(call->request, bulk->firmware.name, version, err) ||
        !read_keep(call->request, &keep, err) ||
        !link_csv_parse(call->request->body, bulk->firmware.name, version, &bulk->orders, &bulk->count,
                        &bulk->faults, err))
        return false;
    for (size_t i = 0; i < bulk->count; i++)
        bulk->orders[i].keep = keep;
    if (!link_has_address(call))
        return true;
    if (!call_change(call, make_all, bulk, err))
        return false;
    log_line(LOG_LEVEL_INFO, "links-made", "product", bulk->product.product_key, "firmware",
             bulk->firmware.name, "links", log_i64(&number, (long long)bulk->count), NULL);
    answer(bulk);
    return true;
}

bool admin_link_add_many(struct admin_call *call, struct error *err)
{
    struct bulk bulk = {.call = call};
    bool ok = run(&bulk, err);
    if (!ok)
        call_show_faults(call, &bulk.faults);
    free(bulk.orders);
    return ok;
}
