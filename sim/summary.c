/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/summary.h"

#include <inttypes.h>
#include <jansson.h>
#include <string.h>

struct totals {
    size_t by_outcome[OUTCOMES];
    size_t as_wanted;
    uint64_t asks, waits, packages, rejected, resumes, reports, bytes;
};

static struct totals add_up(const struct fleet *fleet)
{
    struct totals totals = {0};
    for (size_t i = 0; i < fleet->count; i++) {
        const struct module *module = &fleet->module[i];
        totals.by_outcome[module->outcome]++;
        totals.as_wanted += module_ended_as_wanted(module);
        totals.asks += module->asks;
        totals.waits += module->waits;
        totals.packages += module->packages;
        totals.rejected += module->rejected;
        totals.resumes += module->resumes;
        totals.reports += module->reports;
        totals.bytes += module->bytes;
    }
    return totals;
}

void summary_print(const struct fleet *fleet, FILE *out)
{
    struct totals totals = add_up(fleet);
    const char *mark = ":";
    fprintf(out, "%zu module%s", fleet->count, fleet->count == 1 ? "" : "s");
    for (enum outcome i = 0; i < OUTCOMES; i++)
        if (totals.by_outcome[i]) {
            fprintf(out, "%s %zu %s", mark, totals.by_outcome[i], outcome_name(i));
            mark = ",";
        }
    fprintf(out, "; %" PRIu64 " asks, %" PRIu64 " packages applied, %" PRIu64 " bytes; %zu as wanted\n",
            totals.asks, totals.packages, totals.bytes, totals.as_wanted);
}

static json_t *describe(const struct module *module)
{
    char hash[SHA256_HEX_SIZE];
    sha256_hex(&module->image->hash, hash);
    const char *version = module->image->version[0] ? module->image->version : module->version;
    return json_pack("{s:s, s:s, s:s, s:s, s:b, s:s, s:i, s:I, s:I, s:I, s:I, s:I, s:I, s:I}", "module",
                     module->label, "version", version, "sha256", hash, "outcome",
                     outcome_name(module->outcome), "as_wanted", module_ended_as_wanted(module), "detail",
                     module->detail, "last_code", module->last_code, "asks", (json_int_t)module->asks,
                     "waits", (json_int_t)module->waits, "packages", (json_int_t)module->packages, "rejected",
                     (json_int_t)module->rejected, "resumes", (json_int_t)module->resumes, "reports",
                     (json_int_t)module->reports, "bytes", (json_int_t)module->bytes);
}

static json_t *describe_all(const struct fleet *fleet)
{
    struct totals totals = add_up(fleet);
    json_t *outcomes = json_object(), *items = json_array();
    for (enum outcome i = 0; i < OUTCOMES; i++)
        if (totals.by_outcome[i])
            json_object_set_new(outcomes, outcome_name(i), json_integer((json_int_t)totals.by_outcome[i]));
    for (size_t i = 0; i < fleet->count; i++)
        json_array_append_new(items, describe(&fleet->module[i]));
    return json_pack("{s:I, s:I, s:o, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "modules",
                     (json_int_t)fleet->count, "as_wanted", (json_int_t)totals.as_wanted, "outcomes",
                     outcomes, "asks", (json_int_t)totals.asks, "waits", (json_int_t)totals.waits, "packages",
                     (json_int_t)totals.packages, "rejected", (json_int_t)totals.rejected, "resumes",
                     (json_int_t)totals.resumes, "reports", (json_int_t)totals.reports, "bytes",
                     (json_int_t)totals.bytes, "items", items);
}

bool summary_print_json(const struct fleet *fleet, FILE *out, struct error *err)
{
    json_t *json = describe_all(fleet);
    bool ok = json && json_dumpf(json, out, JSON_COMPACT) == 0 && fputc('\n', out) != EOF && fflush(out) == 0;
    json_decref(json);
    return ok || error_set(err, ERROR_INTERNAL, "cannot write the summary");
}
