#include "server/admin/link_csv.h"

#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

#include "server/link_url.h"

struct orders {
    struct link_order *list;
    size_t count, room;
};

static struct slice trim(struct slice text)
{
    while (text.len && memchr(" \t\r", text.ptr[0], 3))
        text = (struct slice){text.ptr + 1, text.len - 1};
    while (text.len && memchr(" \t\r", text.ptr[text.len - 1], 3))
        text.len--;
    return text;
}

static struct slice unquote(struct slice field)
{
    field = trim(field);
    if (field.len >= 2 && field.ptr[0] == '"' && field.ptr[field.len - 1] == '"')
        field = trim((struct slice){field.ptr + 1, field.len - 2});
    return field;
}

static bool is_heading(struct slice line)
{
    line = unquote(line);
    if (line.len && line.ptr[0] == '"')
        line = (struct slice){line.ptr + 1, line.len - 1};
    return line.len >= 4 && strncasecmp(line.ptr, "imei", 4) == 0;
}

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

static bool read_line(struct slice line, const char *firmware, const char *common, struct link_order *ret,
                      struct error *err)
{
    struct slice rest = line, imei, version = {NULL, 0};
    slice_split(&rest, ',', &imei);
    slice_split(&rest, ',', &version);
    if (rest.ptr)
        return error_set(err, ERROR_INVALID, "a line is IMEI[,version]");
    *ret = (struct link_order){.version = ""};
    if (!identity_normalise(ID_IMEI, unquote(imei), &ret->identity))
        return error_set(err, ERROR_BAD_DEVICE, "an IMEI has 14 to 16 digits");
    return read_version(unquote(version), firmware, common, ret->version, err);
}

static struct link_order *next(struct orders *orders, struct error *err)
{
    if (orders->count == LINK_CSV_MAX) {
        error_set(err, ERROR_TOO_LARGE, "more than %d devices: send them in parts", LINK_CSV_MAX);
        return NULL;
    }
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

static bool read_lines(struct slice text, const char *firmware, const char *common, struct orders *orders,
                       struct error *err)
{
    struct slice line;
    if (slice_starts(text, "\xEF\xBB\xBF"))
        text = (struct slice){text.ptr + 3, text.len - 3};
    for (unsigned number = 1; slice_split(&text, '\n', &line); number++) {
        struct error why;
        if (trim(line).len == 0 || (number == 1 && is_heading(line)))
            continue;
        struct link_order *order = next(orders, err);
        if (!order)
            return false;
        if (!read_line(line, firmware, common, order, &why))
            return error_set(err, why.code, "line %u: %.380s", number, why.text);
    }
    return true;
}

bool link_csv_parse(struct slice text, const char *firmware, const char *version, struct link_order **ret,
                    size_t *ret_count, struct error *err)
{
    struct orders orders = {NULL, 0, 0};
    if (!read_lines(text, firmware, version, &orders, err)) {
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
    if (fclose(out) == 0) /* text stands still only now */
        return text;
    free(text);
    return NULL;
}
