/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/rehearsal_report.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/clock.h"
#include "base/text.h"

#define PAGE 1000

/* What a module knows of itself, and the outcomes that the server may have for it. A module cannot know whether the
   server has a package for it in mind (admitted), nor whether the last bytes before a restart were acknowledged
   (not_applied). */
enum fate { FATE_WAITING, FATE_ON_THE_WAY, FATE_AT_TARGET, FATE_REFUSED, FATES };
static const struct {
    const char *name, *text, *outcomes[3];
} fates[FATES] = {
    [FATE_WAITING] = {"untouched", "never got a byte", {"waiting", "admitted"}},
    [FATE_ON_THE_WAY] = {"on_the_way", "got bytes, and are not at the target", {"admitted", "not_applied"}},
    [FATE_AT_TARGET] = {"at_target", "run the target", {"confirmed"}},
    [FATE_REFUSED] = {"refused", "did not apply a package", {"not_applied"}},
};

static enum fate fate_of(const struct rehearsal *rehearsal, const struct module *module)
{
    if (release_same(module->version, rehearsal->options->campaign))
        return FATE_AT_TARGET;
    if (module->rejected)
        return FATE_REFUSED;
    return module->bytes ? FATE_ON_THE_WAY : FATE_WAITING;
}

static bool fits(enum fate fate, const char *outcome)
{
    for (size_t i = 0; i < 3 && fates[fate].outcomes[i]; i++)
        if (strcmp(fates[fate].outcomes[i], outcome) == 0)
            return true;
    return false;
}

struct comparison {
    size_t fate[FATES];
    size_t different;
    json_t *differences; /* texts, the first ones */
    uint64_t bytes;
};

static void count_outcome(json_t *counts, const char *outcome)
{
    json_int_t before = json_integer_value(json_object_get(counts, outcome));
    json_object_set_new(counts, outcome, json_integer(before + 1));
}

static void compare(const struct rehearsal *rehearsal, const struct module *module, const json_t *device,
                    struct comparison *ret, json_t *counts)
{
    const char *outcome = json_string_value(json_object_get(device, "outcome")),
               *id = json_string_value(json_object_get(device, "device"));
    enum fate fate = fate_of(rehearsal, module);
    bool same = id && outcome && strcmp(id, module->imei) == 0 && fits(fate, outcome);
    ret->fate[fate]++;
    ret->bytes += module->bytes;
    count_outcome(counts, outcome ? outcome : "none");
    if (same || ret->different++ >= 20)
        return;
    json_array_append_new(ret->differences,
                          json_sprintf("%s runs %s (%s); the server says of %s: %s", module->label,
                                       module->version, fates[fate].text, id ? id : "no device",
                                       outcome ? outcome : "nothing"));
}

/* The list of the server has the order of the fleet. */
static bool compare_all(struct rehearsal *rehearsal, struct comparison *ret, json_t *counts,
                        struct error *err)
{
    const struct fleet *fleet = &rehearsal->fleet;
    for (size_t at = 0; at < fleet->count;) {
        char path[400];
        json_t *page = NULL;
        snprintf(path, sizeof path, "%s/campaigns/rehearsal/devices?limit=%d&after=%zu", rehearsal->firmware,
                 PAGE, at);
        if (!api_call(rehearsal->api, "GET", path, NULL, &page, err))
            return false;
        const json_t *items = json_object_get(page, "items");
        size_t count = json_array_size(items);
        for (size_t i = 0; i < count && at < fleet->count; i++, at++)
            compare(rehearsal, &fleet->module[at], json_array_get(items, i), ret, counts);
        json_decref(page);
        if (!count)
            return error_set(err, ERROR_INVALID, "the server has only %zu of %zu devices", at, fleet->count);
    }
    return true;
}

/* The sums of the stages are the outcomes of the devices. */
static void compare_counts(const struct rehearsal *rehearsal, const json_t *counts, struct comparison *ret)
{
    const char *outcome;
    json_t *count;
    json_object_foreach (json_object_get(rehearsal->campaign, "counts"), outcome, count)
        if (json_integer_value(count) != json_integer_value(json_object_get(counts, outcome))) {
            ret->different++;
            json_array_append_new(
                ret->differences,
                json_sprintf("the server counts %lld devices %s, and lists %lld",
                             (long long)json_integer_value(count), outcome,
                             (long long)json_integer_value(json_object_get(counts, outcome))));
        }
}

/* ---- JSON ---- */

static json_t *hops_to_json(const struct hop_log *log)
{
    json_t *list = json_array();
    for (unsigned i = 0; i < log->count; i++) {
        const struct hop *hop = &log->hop[i];
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:I, s:I, s:I, s:s*}", "from", hop->from, "to",
                                              hop->to, "canary", hop->first, "downloads",
                                              (json_int_t)hop->downloads, "applied", (json_int_t)hop->applied,
                                              "refused", (json_int_t)hop->refused, "out_of_service",
                                              hop->out_of_service[0] ? hop->out_of_service : NULL));
    }
    return list;
}

static json_t *report_to_json(const struct rehearsal *rehearsal, const struct comparison *comparison,
                              bool agree)
{
    json_t *modules = json_object();
    for (size_t i = 0; i < FATES; i++)
        json_object_set_new(modules, fates[i].name, json_integer((json_int_t)comparison->fate[i]));
    return json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:O, s:O, s:O, s:O, s:I}", "agree", agree,
                     "modules", (json_int_t)rehearsal->fleet.count, "rounds", (json_int_t)rehearsal->rounds,
                     "speed", (json_int_t)rehearsal->speed, "asks", (json_int_t)rehearsal->asks, "bytes",
                     (json_int_t)comparison->bytes, "fates", modules, "hops", hops_to_json(&rehearsal->hops),
                     "differences", comparison->differences, "events", rehearsal->events, "forecast",
                     rehearsal->forecast, "campaign", rehearsal->campaign, "faults",
                     (json_int_t)rehearsal->faults);
}

/* ---- text ---- */

static long long number(const json_t *object, const char *key)
{
    return (long long)json_integer_value(json_object_get(object, key));
}

static void print_lines(const json_t *texts)
{
    json_t *text;
    size_t i;
    json_array_foreach (texts, i, text) {
        text_put(stdout, json_string_value(text));
        putchar('\n');
    }
}

static void print_counts(const json_t *counts)
{
    static const char *const names[][2] = {{"waiting", "waiting"},     {"admitted", "on their way"},
                                           {"confirmed", "confirmed"}, {"not_applied", "not applied"},
                                           {"diverged", "diverged"},   {"silent", "silent"}};
    const char *mark = "";
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (number(counts, names[i][0])) {
            printf("%s%lld %s", mark, number(counts, names[i][0]), names[i][1]);
            mark = ", ";
        }
    puts(*mark ? "" : "no device");
}

static void print_stages(const json_t *campaign)
{
    json_t *stage;
    size_t i;
    json_array_foreach (json_object_get(campaign, "stages"), i, stage) {
        if (json_is_integer(json_object_get(stage, "devices")))
            printf("Stage %zu (%lld devices): ", i + 1, number(stage, "devices"));
        else if (json_is_integer(json_object_get(stage, "percent")))
            printf("Stage %zu (%lld %%): ", i + 1, number(stage, "percent"));
        else
            printf("Stage %zu (all): ", i + 1);
        print_counts(json_object_get(stage, "counts"));
    }
}

static void print_hops(const struct hop_log *log)
{
    for (unsigned i = 0; i < log->count; i++) {
        const struct hop *hop = &log->hop[i];
        printf("Hop %s to %s: canary %s; %" PRIu64 " downloads, %" PRIu64 " applied, %" PRIu64 " refused\n",
               hop->from, hop->to, hop->first, hop->downloads, hop->applied, hop->refused);
        if (hop->out_of_service[0]) {
            fputs("  out of service: ", stdout);
            text_put(stdout, hop->out_of_service);
            putchar('\n');
        }
    }
}

static void print_share(uint64_t percent, const char *text)
{
    if (percent)
        printf("%" PRIu64 " %% of the %s.\n", percent, text);
}

static void print_how(const struct rehearsal *rehearsal)
{
    const struct sim_options *options = rehearsal->options;
    printf("Rehearsal of a campaign to %s with %zu modules.\n", options->campaign, rehearsal->fleet.count);
    print_share(options->loss, "downloads lose the connection, and continue");
    print_share(options->resets, "downloads end with a restart of the module, and begin again");
    print_share(options->refuse, "modules apply no package");
    printf(
        "In a round each module asks once: a round is %.6g hours. The server runs by the true clock; settle "
        "times are divided by %lld.\n",
        (double)rehearsal->interval_ms / HOUR_MS, (long long)rehearsal->speed);
    puts(
        "Not rehearsed: radio, hardware, modules that stay silent, and times of the server such as that of the "
        "loop guard.\n");
}

/* The forecast beside what came of it. Settle times of the server are those of the command line / speed. */
static void print_books(const struct rehearsal *rehearsal, const struct comparison *comparison)
{
    const json_t *actual = json_object_get(rehearsal->campaign, "actual"), *forecast = rehearsal->forecast;
    double settle =
        (double)number(forecast, "settle_ms") * (double)rehearsal->speed / (double)rehearsal->interval_ms;
    printf("Rounds: %u. The forecast was %lld, and settle times of %.3g rounds.\n", rehearsal->rounds,
           number(forecast, "rounds"), settle);
    printf("Bytes: modules received %" PRIu64
           "; the server counts %lld acknowledged, %lld of them in vain. The "
           "forecast was %lld.\n",
           comparison->bytes, number(actual, "bytes"), number(actual, "bytes_in_vain"),
           number(forecast, "bytes"));
    printf("Devices: %lld confirmed. The forecast was %lld with a path, %lld that cannot be reached.\n\n",
           number(actual, "confirmed"), number(forecast, "devices"), number(forecast, "unreachable"));
}

static void print_end(const struct rehearsal *rehearsal, const struct comparison *comparison, bool agree)
{
    const char *why = json_string_value(json_object_get(rehearsal->campaign, "paused_why")),
               *gate = json_string_value(json_object_get(rehearsal->campaign, "gate"));
    printf("The campaign is %s%s%s%s%s\n", json_string_value(json_object_get(rehearsal->campaign, "state")),
           why ? ": " : "", why ? why : "", gate ? "; it waits: " : "", gate ? gate : "");
    print_books(rehearsal, comparison);
    printf("The server says: ");
    print_counts(json_object_get(rehearsal->campaign, "counts"));
    printf("The modules say: ");
    for (size_t i = 0; i < FATES; i++)
        printf("%s%zu %s", i ? ", " : "", comparison->fate[i], fates[i].text);
    putchar('\n');
    if (rehearsal->faults)
        printf("%zu times a module broke off: %s\n", rehearsal->faults, rehearsal->fault);
    print_lines(comparison->differences);
    puts(agree ? "The server and the modules agree." : "The server and the modules do not agree.");
}

static void print(const struct rehearsal *rehearsal, const struct comparison *comparison, bool agree)
{
    print_how(rehearsal);
    print_lines(rehearsal->events);
    putchar('\n');
    print_stages(rehearsal->campaign);
    print_hops(&rehearsal->hops);
    putchar('\n');
    print_end(rehearsal, comparison, agree);
}

bool rehearsal_report(struct rehearsal *rehearsal, bool *ret_agree, struct error *err)
{
    struct comparison comparison = {.differences = json_array()};
    json_t *counts = json_object();
    bool ok = compare_all(rehearsal, &comparison, counts, err);
    if (ok) {
        compare_counts(rehearsal, counts, &comparison);
        *ret_agree = !comparison.different && !rehearsal->faults;
        if (rehearsal->options->output) {
            json_t *json = report_to_json(rehearsal, &comparison, *ret_agree);
            ok = json && json_dumpf(json, stdout, JSON_COMPACT) == 0 && putchar('\n') != EOF;
            json_decref(json);
            if (!ok)
                error_set(err, ERROR_INTERNAL, "cannot write the report");
        } else {
            print(rehearsal, &comparison, *ret_agree);
        }
    }
    json_decref(counts);
    json_decref(comparison.differences);
    return ok;
}
