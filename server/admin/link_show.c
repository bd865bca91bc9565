/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Links that were made, as the API shows them. */
#include "base/cleanup.h"
#include "server/access/access.h"
#include "server/admin/device.h"
#include "server/admin/handlers.h"
#include "server/admin/link.h"
#include "server/admin/path_params.h"
#include "server/checkin/link_url.h"

static json_t *to_json(struct admin_call *call, const struct link *link, const char *firmware)
{
    char url[LINK_URL_SIZE];
    bool is_open = access_sees_links(call->request), has_address = is_open && call->daemon->device_url[0];
    link_url(call->daemon, link->token, link->version, url);
    return json_pack("{s:I, s:o, s:s, s:o, s:o, s:o, s:I, s:o}", "link", (json_int_t)link->id, "token",
                     field_text(is_open ? link->token : ""), "firmware", firmware, "version",
                     field_text(link->version), "url", field_text(has_address ? url : ""), "at_commands",
                     has_address ? link_at_commands(url) : json_array(), "created_at",
                     (json_int_t)link->created_ms, "revoked_at", field_number(link->revoked_ms));
}

bool admin_links_json(struct admin_call *call, int64_t device_id, int64_t id, json_t **ret, struct error *err)
{
    _cleanup_(cleanup_free) struct link *list = NULL;
    _cleanup_(cleanup_json) json_t *items = json_array();
    struct firmware firmware = {.id = 0};
    size_t count;
    if (!link_list(call->db, device_id, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (id && list[i].id != id)
            continue;
        if (!device_name_firmware(call->db, list[i].firmware_id, &firmware, err))
            return false;
        json_array_append_new(items, to_json(call, &list[i], firmware.name));
    }
    *ret = json_incref(items);
    return true;
}

bool admin_link_show(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *items = NULL;
    struct product product;
    struct device device;
    uint64_t id;
    if (!path_params_device(call->request, call->db, &product, &device, err))
        return false;
    if (!slice_u64(call->request->param[2], &id) || id == 0 || id > INT64_MAX)
        return error_set(err, ERROR_LINK_NOT_FOUND, "a link id must be a number");
    if (!admin_links_json(call, device.id, (int64_t)id, &items, err))
        return false;
    if (!json_array_size(items))
        return error_set(err, ERROR_LINK_NOT_FOUND, "the device has no link %llu", (unsigned long long)id);
    reply_json(&call->reply, 200, json_incref(json_array_get(items, 0)));
    return true;
}
