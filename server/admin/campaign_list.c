/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The lists of campaigns, newest first: of a firmware, and of the whole server. */
#include "base/cleanup.h"
#include "server/access/access.h"
#include "server/admin/campaign.h"
#include "server/admin/handlers.h"
#include "server/admin/list_kinds.h"
#include "server/admin/path_params.h"

#define PIECE    100  /* campaigns that are read at once */
#define LOOK_MAX 1000 /* that one call looks at */

struct page {
    struct list_query query;
    const struct firmware *firmware; /* NULL: of the whole server, with the key of the product */
    uint64_t limit, looked;
    int64_t before; /* only older ones */
    bool full;      /* there are others */
    json_t *items;
};

/* *ret NULL: the caller may not see it. */
static bool to_json(const struct page *page, const struct campaign *campaign, json_t **ret, struct error *err)
{
    const struct admin_call *call = page->query.call;
    struct firmware firmware;
    struct product product;
    bool found, known = false;
    *ret = NULL;
    if (page->firmware)
        return campaign_to_json(call->db, page->firmware, campaign, ret, err);
    if (!firmware_by_id(call->db, campaign->firmware_id, &firmware, &found, err) ||
        (found && !product_by_id(call->db, firmware.product_id, &product, &known, err)))
        return false;
    if (!found || !known || !access_sees(call->request, product.product_key))
        return true;
    if (!campaign_to_json(call->db, &firmware, campaign, ret, err))
        return false;
    json_object_set_new(*ret, "product", json_string(product.product_key));
    return true;
}

/* Stops before the first one that does not fit into the page. */
static bool add(struct page *page, const struct campaign *campaign, struct error *err)
{
    _cleanup_(cleanup_json) json_t *item = NULL;
    if (!to_json(page, campaign, &item, err))
        return false;
    bool selected = item && list_selects(&page->query, item);
    page->full = selected && json_array_size(page->items) == page->limit;
    if (page->full)
        return true;
    if (selected)
        json_array_append(page->items, item);
    page->before = campaign->id;
    page->full = ++page->looked == LOOK_MAX;
    return true;
}

static bool fill(struct page *page, struct error *err)
{
    struct db *db = page->query.call->db;
    size_t count;
    do {
        _cleanup_(cleanup_free) struct campaign *list = NULL;
        if (!(page->firmware ? campaign_list(db, page->firmware->id, page->before, PIECE, &list, &count, err)
                             : campaign_list_all(db, page->before, PIECE, &list, &count, err)))
            return false;
        for (size_t i = 0; i < count && !page->full; i++)
            if (!add(page, &list[i], err))
                return false;
    } while (count == PIECE && !page->full);
    return true;
}

static bool answer(struct admin_call *call, const struct firmware *firmware, struct error *err)
{
    _cleanup_(cleanup_json) json_t *items = json_array();
    struct page page = {.items = items};
    if (!list_read(call, &list_campaigns, &page.query, err))
        return false;
    page.firmware = firmware;
    page.limit = page.query.limit ? page.query.limit : LIST_PAGE_DEFAULT;
    page.before = INT64_MAX;
    if (!list_read_after(&page.query, &page.before, err) || !fill(&page, err))
        return false;
    call_answer_items(call, json_incref(items));
    if (page.full)
        list_link_number(&page.query, page.before);
    return true;
}

bool admin_campaign_list(struct admin_call *call, struct error *err)
{
    struct product product;
    struct firmware firmware;
    return path_params_firmware(call->request, call->db, &product, &firmware, err) &&
           answer(call, &firmware, err);
}

bool admin_campaign_list_all(struct admin_call *call, struct error *err)
{
    return answer(call, NULL, err);
}
