/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/rehearsal_setup.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "sim/rehearsal_round.h"

#define PRODUCT       "rehearsal"
#define FIRMWARE      "firmware"
#define PARTITION     491520
#define SPEED         86400
#define MADE_MS       (30 * MINUTE_MS)
#define MADE_US       200000
#define GUARD_PER_DAY 6 /* the default of dfotad */
#define IMEI_LINE     24

/* ---- the fleet ---- */

static uint64_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005u + 1442695040888963407u;
    return *state >> 33;
}

static bool equip(struct rehearsal *rehearsal, struct module *module, const char *version, struct error *err)
{
    module->image = image_store_find(rehearsal->plan.store, version);
    memcpy(module->version, version, strlen(version) + 1);
    return module->image ||
           error_set(err, ERROR_BAD_REQUEST, "--from %s needs --know %s=FILE", version, version);
}

/* The versions and the modules that refuse are spread by chance; --seed gives another chance. */
static bool make_fleet(struct rehearsal *rehearsal, struct error *err)
{
    const struct sim_options *options = rehearsal->options;
    struct fleet *fleet = &rehearsal->fleet;
    uint64_t random = options->seed == SEED_NONE ? 1 : options->seed;
    size_t total = 0, refuse, left[FROM_MAX];
    for (size_t i = 0; i < options->from.count; i++)
        total += left[i] = (size_t)options->from.group[i].count;
    if (total > FLEET_MAX)
        return error_set(err, ERROR_BAD_REQUEST, "more than %u modules", FLEET_MAX);
    const struct fleet_source source = {.imei = options->imei ? options->imei : DEFAULT_IMEI,
                                        .count = total,
                                        .version = options->from.group[0].version};
    if (!fleet_make(&rehearsal->plan, &source, fleet, err))
        return false;
    refuse = (total * (size_t)options->refuse + 50) / 100;
    for (size_t i = 0, rest = total; i < total; i++, rest--) {
        size_t group = 0, pick = next_random(&random) % rest;
        for (; pick >= left[group]; group++)
            pick -= left[group];
        left[group]--;
        fleet->module[i].random = next_random(&random) + 1;
        fleet->module[i].refuses = next_random(&random) % rest < refuse;
        refuse -= fleet->module[i].refuses;
        if (!equip(rehearsal, &fleet->module[i], options->from.group[group].version, err))
            return false;
    }
    return true;
}

static bool fill_plan(struct rehearsal *rehearsal, struct image_store *store, struct error *err)
{
    const struct sim_options *options = rehearsal->options;
    struct plan *plan = &rehearsal->plan;
    const struct image *image;
    const char *dialect = options->dialect ? options->dialect : dialect_table[0].name;
    *plan = (struct plan){.dialect = dialect_find(dialect),
                          .has_url = true,
                          .product_key = PRODUCT,
                          .firmware = options->firmware ? options->firmware : FIRMWARE,
                          .asks = 1,
                          .partition_bytes = options->partition_bytes ? options->partition_bytes : PARTITION,
                          .chip = options->chip,
                          .cut_bytes = UINT64_MAX,
                          .loss_percent = (unsigned)options->loss,
                          .resets_percent = (unsigned)options->resets,
                          .hops = &rehearsal->hops,
                          .store = store};
    hop_log_init(&rehearsal->hops);
    if (!plan->dialect)
        return error_set(err, ERROR_BAD_REQUEST,
                         "--dialect takes a name that dfota-sim --help lists, not '%.100s'", dialect);
    for (size_t i = 0; i < options->know.count; i++)
        if (!image_store_load(store, options->know.file[i].path, options->know.file[i].version, &image, err))
            return false;
    return true;
}

/* ---- the server ---- */

/* Packages do not change after they are made. In a day of the rehearsal a module asks more often than in a real one:
   the loop guard counts only when modules ask that often. */
static bool start_server(struct rehearsal *rehearsal, struct error *err)
{
    bool guard = rehearsal->interval_ms < DAY_MS / GUARD_PER_DAY;
    const char *const options[] = {"--matrix",
                                   "all",
                                   "--idle-effort",
                                   "none",
                                   "--job-memory-bytes",
                                   "0",
                                   "--max-new-devices-per-day",
                                   "1000000000",
                                   "--loop-guard-per-day",
                                   guard ? "6" : "1000000",
                                   NULL};
    struct scratch *scratch = &rehearsal->scratch;
    return scratch_start(rehearsal->options->server, options, scratch, err) &&
           api_open(scratch->admin, scratch->token, &rehearsal->api, err) &&
           url_parse(scratch->device_url, &rehearsal->plan.url, err);
}

static bool call(struct rehearsal *rehearsal, const char *method, const char *rest, json_t *body,
                 json_t **ret, struct error *err)
{
    char path[400];
    snprintf(path, sizeof path, "%s%s", rehearsal->firmware, rest);
    return api_call(rehearsal->api, method, path, body, ret, err);
}

static bool upload(struct rehearsal *rehearsal, struct error *err)
{
    const struct known_files *know = &rehearsal->options->know;
    for (size_t i = 0; i < know->count; i++) {
        const struct image *image = image_store_find(rehearsal->plan.store, know->file[i].version);
        char path[400];
        snprintf(path, sizeof path, "%s/images/%s", rehearsal->firmware, know->file[i].version);
        if (!api_put(rehearsal->api, path, "application/octet-stream", buffer_bytes(&image->bytes), err))
            return false;
    }
    return true;
}

static json_t *settings(const struct option_texts *set)
{
    json_t *json = json_object();
    for (size_t i = 0; i < set->count; i++) {
        struct slice value = slice_of(set->text[i]), name;
        char key[64];
        if (!slice_split(&value, '=', &name) || !slice_copy(name, key, sizeof key))
            continue;
        json_t *read = json_loadb(value.ptr, value.len, JSON_DECODE_ANY, NULL);
        json_object_set_new(json, key, read ? read : json_stringn(value.ptr, value.len));
    }
    return json;
}

static bool set_up(struct rehearsal *rehearsal, struct error *err)
{
    const struct sim_options *options = rehearsal->options;
    char name[3 * 64 + 1];
    slice_percent_encode(slice_of(rehearsal->plan.firmware), name, sizeof name);
    snprintf(rehearsal->firmware, sizeof rehearsal->firmware, "/products/" PRODUCT "/firmware/%s", name);
    if (!api_call(rehearsal->api, "POST", "/products",
                  json_pack("{s:s, s:s}", "name", PRODUCT, "product_key", PRODUCT), NULL, err) ||
        !upload(rehearsal, err) ||
        (options->set.count && !call(rehearsal, "PATCH", "", settings(&options->set), NULL, err)))
        return false;
    for (size_t i = 0; i < options->waypoints.count; i++) {
        char rest[128];
        snprintf(rest, sizeof rest, "/images/%.64s", options->waypoints.text[i]);
        if (!call(rehearsal, "PATCH", rest,
                  json_pack("{s:s, s:s}", "waypoint", "required", "reason", "--waypoint"), NULL, err))
            return false;
    }
    return true;
}

/* ---- the campaign ---- */

static json_t *stages_to_json(const struct rehearsal *rehearsal)
{
    const struct option_stages *stages = &rehearsal->options->stages;
    json_t *list = stages->count ? json_array() : NULL;
    for (size_t i = 0; i < stages->count; i++) {
        json_t *stage = json_object();
        json_array_append_new(list, stage);
        for (size_t n = 0; n < stages->stage[i].count; n++) {
            struct stage_option_field field = stages->stage[i].field[n];
            if (strcmp(field.name, "settle_ms") == 0 && field.value)
                field.value = field.value / rehearsal->speed + 1;
            json_object_set_new(stage, field.name,
                                strcmp(field.name, "all") == 0 ? json_true() : json_integer(field.value));
        }
    }
    return list;
}

static bool make_campaign(struct rehearsal *rehearsal, struct error *err)
{
    _cleanup_(buffer_free) struct buffer list = {0};
    char path[400];
    for (size_t i = 0; i < rehearsal->fleet.count; i++) {
        const char *imei = rehearsal->fleet.module[i].imei;
        if (!buffer_add(&list, imei, strlen(imei), err) || !buffer_add(&list, "\n", 1, err))
            return false;
    }
    snprintf(path, sizeof path, "%s/campaigns/rehearsal/devices", rehearsal->firmware);
    return call(rehearsal, "POST", "/campaigns",
                json_pack("{s:s, s:s, s:o*}", "name", "rehearsal", "target", rehearsal->options->campaign,
                          "stages", stages_to_json(rehearsal)),
                NULL, err) &&
           api_put(rehearsal->api, path, "text/csv", buffer_bytes(&list), err);
}

/* Waits until the path of each device is settled, as it is on a server whose images are not new. */
static bool await_packages(struct rehearsal *rehearsal, struct error *err)
{
    for (int64_t end_ms = clock_boot_ms() + MADE_MS;; usleep(MADE_US)) {
        json_t *effect;
        if (!call(rehearsal, "POST", "/campaigns/rehearsal/start?dry_run=1", NULL, &effect, err))
            return false;
        json_decref(rehearsal->forecast);
        rehearsal->forecast = json_incref(json_object_get(effect, "forecast"));
        json_decref(effect);
        if (!json_integer_value(json_object_get(rehearsal->forecast, "waiting")))
            return true;
        if (scratch_is_interrupted())
            return error_set(err, ERROR_UNAVAILABLE, "interrupted");
        if (clock_boot_ms() > end_ms)
            return error_set(err, ERROR_UNAVAILABLE, "the packages are not made after half an hour");
    }
}

bool rehearsal_prepare(struct rehearsal *rehearsal, struct image_store *store, struct error *err)
{
    const struct sim_options *options = rehearsal->options;
    bool moved;
    rehearsal->speed = options->speed ? (int64_t)options->speed : SPEED;
    rehearsal->interval_ms = options->interval_ms == INTERVAL_NONE ? DAY_MS : options->interval_ms;
    return fill_plan(rehearsal, store, err) && make_fleet(rehearsal, err) && start_server(rehearsal, err) &&
           set_up(rehearsal, err) && rehearsal_round(rehearsal, &moved, err) &&
           make_campaign(rehearsal, err) && await_packages(rehearsal, err) &&
           call(rehearsal, "POST", "/campaigns/rehearsal/start", NULL, &rehearsal->campaign, err);
}
