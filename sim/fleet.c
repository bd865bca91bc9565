/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/fleet.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "delta/file.h"

#define IMEI_BODY       14 /* digits before the check digit */
#define LINKS_MAX_BYTES ((size_t)32 << 20)

#define COLUMNS_MAX 64

struct row { /* a line of a file of links; parts that are missing are empty */
    struct slice imei, version, url, report_url;
};

/* Which part of a row each column has; PART_NONE: it is not used. */
enum part { PART_NONE, PART_IMEI, PART_VERSION, PART_URL, PART_REPORT_URL };

struct columns {
    enum part part[COLUMNS_MAX];
    size_t count;
};

static char check_digit(const char body[IMEI_BODY])
{
    int sum = 0;
    for (int i = 0; i < IMEI_BODY; i++) {
        int digit = (body[i] - '0') * (i % 2 ? 2 : 1);
        sum += digit > 9 ? digit - 9 : digit;
    }
    return (char)('0' + (10 - sum % 10) % 10);
}

/* The n-th IMEI after `first`, with a valid check digit. The first one (n == 0) is copied unchanged. */
static bool number_imei(const char *first, size_t n, char *out, size_t out_size, struct error *err)
{
    uint64_t value;
    if (n == 0)
        return (slice_is_clean_utf8(slice_of(first)) && slice_copy(slice_of(first), out, out_size)) ||
               error_set(err, ERROR_BAD_REQUEST, "--imei takes an IMEI or another id, not '%.100s'", first);
    if (strlen(first) < IMEI_BODY || !slice_u64((struct slice){first, IMEI_BODY}, &value))
        return error_set(err, ERROR_BAD_REQUEST, "--count needs an --imei of at least %d digits", IMEI_BODY);
    snprintf(out, out_size, "%014llu", (unsigned long long)(value + n) % 100000000000000u);
    out[IMEI_BODY] = check_digit(out);
    out[IMEI_BODY + 1] = '\0';
    return true;
}

/* Gives the module its version, and its image: the known image of the version, or --image. */
static bool equip(struct module *module, const struct fleet_source *source, struct slice version,
                  struct error *err)
{
    if (version.len && !release_read(version, module->version))
        return error_set(err, ERROR_BAD_REQUEST, "'%.*s' is not a version", (int)version.len, version.ptr);
    if (!version.len)
        memcpy(module->version, source->version, strlen(source->version));
    const struct image *known =
        module->version[0] ? image_store_find(module->plan->store, module->version) : NULL;
    module->image = version.len && known ? known : source->image ? source->image : known;
    if (!module->image)
        return error_set(err, ERROR_BAD_REQUEST,
                         "the image of %s is not known; use --image or --know %s=FILE", module->label,
                         module->version[0] ? module->version : "VERSION");
    if (!module->version[0])
        memcpy(module->version, module->image->version, sizeof module->version);
    if (!module->version[0])
        return error_set(err, ERROR_BAD_REQUEST,
                         "which version does %s run? The image does not say; use --version", module->label);
    return true;
}

static bool set_report_url(struct module *module, struct slice report_url, struct error *err)
{
    if (!module->plan->report)
        return true;
    /* The link http://HOST/d/TOKEN/VERSION has the report URL /d/TOKEN/report. */
    const char *end = strrchr(module->link, '/');
    int made = report_url.len
                   ? asprintf(&module->report_url, "%.*s", (int)report_url.len, report_url.ptr)
                   : asprintf(&module->report_url, "%.*s/report", (int)(end - module->link), module->link);
    if (made < 0)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    struct url url;
    return url_parse(module->report_url, &url, err);
}

static bool make_linked(struct fleet *fleet, const struct plan *plan, const struct fleet_source *source,
                        const struct row *row, struct error *err)
{
    struct module *module = &fleet->module[fleet->count];
    struct url url;
    *module = (struct module){.plan = plan, .news = true};
    fleet->count++;
    if (!slice_is_clean_utf8(row->imei) || !slice_copy(row->imei, module->imei, sizeof module->imei))
        return error_set(err, ERROR_BAD_REQUEST, "'%.*s' is not an IMEI", (int)row->imei.len, row->imei.ptr);
    if (row->imei.len)
        snprintf(module->label, sizeof module->label, "%s", module->imei);
    else
        snprintf(module->label, sizeof module->label, "module %zu", fleet->count);
    module->link = strndup(row->url.ptr, row->url.len);
    if (!module->link)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    return url_parse(module->link, &url, err) && set_report_url(module, row->report_url, err) &&
           equip(module, source, row->version, err);
}

static bool make_numbered(struct fleet *fleet, const struct plan *plan, const struct fleet_source *source,
                          struct error *err)
{
    for (; fleet->count < source->count; fleet->count++) {
        struct module *module = &fleet->module[fleet->count];
        *module = (struct module){.plan = plan, .news = true};
        if (!number_imei(source->imei, fleet->count, module->imei, sizeof module->imei, err))
            return false;
        snprintf(module->label, sizeof module->label, "%s", module->imei);
        if (!equip(module, source, (struct slice){NULL, 0}, err))
            return false;
    }
    return true;
}

/* The next field of a CSV line. Quotes around it are taken off; a quote inside stays doubled, because no field that is used
   has one. */
static bool split_field(struct slice *rest, struct slice *ret)
{
    if (!slice_starts(*rest, "\""))
        return slice_split(rest, ',', ret);
    size_t end = 1;
    while (end < rest->len && (rest->ptr[end] != '"' || (end + 1 < rest->len && rest->ptr[end + 1] == '"')))
        end += rest->ptr[end] == '"' ? 2 : 1;
    if (end > rest->len)
        end = rest->len;
    struct slice behind = {rest->ptr + end, rest->len - end}, ignored;
    *ret = (struct slice){rest->ptr + 1, end - 1};
    if (!slice_split(&behind, ',', &ignored))
        behind.len = 0;
    *rest = behind;
    return true;
}

/* A header names the columns in any order, as dfotactl device links -o csv prints it. False: the line is no header. */
static bool read_header(struct slice line, struct columns *ret)
{
    static const struct {
        const char *name;
        enum part part;
    } names[] = {{"imei", PART_IMEI},
                 {"device", PART_IMEI},
                 {"version", PART_VERSION},
                 {"url", PART_URL},
                 {"report_url", PART_REPORT_URL}};
    bool found = false;
    struct slice field;
    struct columns columns = {.count = 0};
    while (columns.count < COLUMNS_MAX && split_field(&line, &field)) {
        for (size_t i = 0; i < sizeof names / sizeof *names; i++)
            if (slice_is(field, names[i].name))
                columns.part[columns.count] = names[i].part;
        found = found || columns.part[columns.count] == PART_URL;
        columns.count++;
    }
    if (found)
        *ret = columns;
    return found;
}

static struct row read_row(struct slice line, const struct columns *columns)
{
    struct row row = {0};
    struct slice *const parts[] = {NULL, &row.imei, &row.version, &row.url, &row.report_url};
    struct slice field;
    if (!memchr(line.ptr, ',', line.len)) {
        row.url = line;
        return row;
    }
    for (size_t i = 0; i < columns->count && split_field(&line, &field); i++)
        if (columns->part[i] != PART_NONE)
            *parts[columns->part[i]] = field;
    return row;
}

static bool make_listed(struct fleet *fleet, const struct plan *plan, const struct fleet_source *source,
                        struct error *err)
{
    _cleanup_(buffer_free) struct buffer file = {0};
    if (!file_load(source->links, LINKS_MAX_BYTES, &file, err))
        return false;
    struct slice rest = {(const char *)file.ptr, file.len}, line;
    struct columns columns = {{PART_IMEI, PART_VERSION, PART_URL, PART_REPORT_URL}, 4};
    size_t number = 0;
    while (slice_split(&rest, '\n', &line)) {
        number++;
        if (slice_ends(line, "\r"))
            line.len--;
        if (line.len == 0 || (number == 1 && read_header(line, &columns)))
            continue;
        if (fleet->count == FLEET_MAX)
            return error_set(err, ERROR_BAD_REQUEST, "more than %u links", FLEET_MAX);
        struct row row = read_row(line, &columns);
        struct error why;
        if (!make_linked(fleet, plan, source, &row, &why))
            return error_set(err, why.code, "%s, line %zu: %s", source->links, number, why.text);
    }
    return fleet->count > 0 || error_set(err, ERROR_BAD_REQUEST, "%s has no links", source->links);
}

bool fleet_make(const struct plan *plan, const struct fleet_source *source, struct fleet *ret,
                struct error *err)
{
    struct fleet fleet = {calloc(source->links ? FLEET_MAX : source->count, sizeof *fleet.module), 0};
    const struct row row = {.imei = slice_of(source->imei), .url = slice_of(source->link)};
    bool ok = !fleet.module   ? error_set(err, ERROR_INTERNAL, "out of memory")
              : source->link  ? make_linked(&fleet, plan, source, &row, err)
              : source->links ? make_listed(&fleet, plan, source, err)
                              : make_numbered(&fleet, plan, source, err);
    if (!ok) {
        fleet_free(&fleet);
        return false;
    }
    *ret = fleet;
    return true;
}

void fleet_free(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        module_release(&fleet->module[i]);
    free(fleet->module);
    *fleet = (struct fleet){0};
}
