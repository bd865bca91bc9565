/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/link_csv.h"

#include <stdio.h>
#include <stdlib.h>

#include "server/admin/csv.h"
#include "server/checkin/link_url.h"

struct orders {
    const char *firmware, *version;
    struct link_order *list;
    size_t count, room;
};

static bool read_version(struct slice field, const char *firmware, const char *common,
                         char out[VERSION_TEXT_SIZE], struct error *err)
{
    struct version version;
    if (field.len == 0) {
        snprintf(out, VERSION_TEXT_SIZE, "%s", common);
        return true;
    }
    if (!name_parse_version_of(field, firmware, &version, err))
        return false;
    version_format(&version, out);
    return true;
}

static struct link_order *next(struct orders *orders, struct error *err)
{
    if (orders->count == orders->room) {
        size_t room = orders->room ? orders->room * 2 : 256;
        struct link_order *list = reallocarray(orders->list, room, sizeof *list);
        if (!list) {
            error_set(err, ERROR_INTERNAL, "out of memory");
            return NULL;
        }
        orders->list = list;
        orders->room = room;
    }
    return &orders->list[orders->count++];
}

static bool take_line(void *cls, const struct csv_line *line, struct error *err)
{
    struct orders *orders = cls;
    struct link_order *order = next(orders, err);
    if (!order)
        return false;
    *order = (struct link_order){.line = line->line, .identity = line->identity};
    return read_version(line->field[1], orders->firmware, orders->version, order->version, err);
}

bool link_csv_parse(struct slice text, const char *firmware, const char *version, struct link_order **ret,
                    size_t *ret_count, struct csv_faults *faults, struct error *err)
{
    struct orders orders = {.firmware = firmware, .version = version};
    if (!csv_read(text, 2, "a line is IMEI[,version]", take_line, &orders, faults, err)) {
        free(orders.list);
        return false;
    }
    *ret = orders.list;
    *ret_count = orders.count;
    return true;
}

static void write_lines(FILE *out, const struct daemon *daemon, const struct link_order *orders, size_t count)
{
    fputs("imei,version,url,report_url\n", out);
    for (size_t i = 0; i < count; i++) {
        char url[LINK_URL_SIZE], report_url[LINK_URL_SIZE];
        link_url(daemon, orders[i].link.token, orders[i].version, url);
        link_report_url(daemon, orders[i].link.token, report_url);
        fprintf(out, "%s,%s,%s,%s\n", orders[i].identity.id, orders[i].version, url, report_url);
    }
}

char *link_csv_write(const struct daemon *daemon, const struct link_order *orders, size_t count,
                     size_t *ret_len)
{
    char *text = NULL;
    FILE *out = open_memstream(&text, ret_len);
    if (!out)
        return NULL;
    write_lines(out, daemon, orders, count);
    if (fclose(out) == 0) /* `text` is final only after fclose() */
        return text;
    free(text);
    return NULL;
}
