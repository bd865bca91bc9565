/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The forecast of a campaign: devices, bytes, and how long it takes at the rhythm in which the devices ask. */
#include "server/admin/campaign_forecast.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/planning/package_key.h"
#include "storage/rhythm.h"
#include "storage/trial.h"
#include "upgrade/forecast.h"

/* Confirmations that the package of a hop needs before it goes to all. */
static bool count_missing(struct admin_call *call, struct db *db, const struct firmware *firmware,
                          const struct graph *graph, const struct plan_pair *hop, unsigned *ret,
                          struct error *err)
{
    const struct image *to = &graph->image[hop->to];
    const unsigned needed = (unsigned)firmware->canary_confirmations;
    struct package_key key;
    struct package package = {.sha256 = to->sha256};
    struct trial_question question = {.firmware_id = firmware->id, .package_sha256 = &package.sha256};
    struct trial_facts facts;
    bool found = true;
    *ret = 0;
    if (!plan_edge(&graph->plan, hop->from, hop->to)->full) {
        graph_package_key(call->daemon, firmware, graph, hop, &key);
        if (!package_find(db, &key, &package, &found, err))
            return false;
    }
    if (!found || !needed)
        return true;
    if (!trial_load(db, &question, needed, &facts, err))
        return false;
    *ret = facts.trial.confirmed < needed ? needed - facts.trial.confirmed : 0;
    return true;
}

bool campaign_outlook_add(struct admin_call *call, struct db *db, const struct firmware *firmware,
                          const struct graph *graph, const struct plan *plan, int64_t devices,
                          struct campaign_outlook *outlook, struct error *err)
{
    unsigned canaries = 0, missing;
    struct plan_pair hop = {.to = 0};
    while (hop.to != graph->plan.count - 1) {
        hop.from = hop.to;
        hop.to = plan_next(&graph->plan, hop.from);
        if (!count_missing(call, db, firmware, graph, &hop, &missing, err))
            return false;
        canaries += missing;
    }
    outlook->devices += devices;
    outlook->bytes += devices * (int64_t)plan->bytes;
    if (plan->hops > outlook->hops)
        outlook->hops = plan->hops;
    if (canaries > outlook->canaries)
        outlook->canaries = canaries;
    return true;
}

bool campaign_outlook_to_json(struct db *db, const struct campaign *campaign,
                              const struct campaign_outlook *outlook, json_t **ret, struct error *err)
{
    _cleanup_(cleanup_free) struct rhythm *list = NULL;
    struct stages stages = {.stage = {{.kind = STAGE_ALL}}, .count = 1};
    struct rhythm_sum rhythm;
    struct forecast forecast;
    size_t count;
    if (!rhythm_sample(db, campaign, &list, &count, err) ||
        (campaign->id && !campaign_stages_load(db, campaign->id, &stages, err)))
        return false;
    rhythm_sum_up(list, count, clock_utc_ms(), &rhythm);
    const struct forecast_work work = {.devices = (unsigned)outlook->devices,
                                       .audience = (unsigned)outlook->audience,
                                       .hops = outlook->hops,
                                       .canaries = outlook->canaries,
                                       .stages = stages.stage,
                                       .stage_count = stages.count};
    forecast_make(&work, &rhythm, &forecast);
    *ret = json_pack("{s:I, s:I, s:I, s:I, s:I, s:i, s:i, s:i, s:I, s:i, s:i, s:i, s:i, s:o, s:o, s:o, s:o}",
                     "devices", (json_int_t)outlook->devices, "bytes", (json_int_t)outlook->bytes, "waiting",
                     (json_int_t)outlook->waiting, "unreachable", (json_int_t)outlook->unreachable, "unknown",
                     (json_int_t)outlook->unknown, "hops", (int)outlook->hops, "canaries",
                     (int)outlook->canaries, "rounds", (int)forecast.rounds, "settle_ms",
                     (json_int_t)forecast.settle_ms, "approvals", (int)forecast.approvals, "sampled",
                     (int)rhythm.devices, "rhythm_known", (int)rhythm.known, "quiet", (int)rhythm.quiet,
                     "interval_ms", field_number(rhythm.typical_ms), "slow_interval_ms",
                     field_number(rhythm.slow_ms), "duration_ms", field_number(forecast.typical_ms),
                     "slow_duration_ms", field_number(forecast.slow_ms));
    return true;
}

bool campaign_forecast(struct admin_call *call, struct db *db, const struct firmware *firmware,
                       const struct campaign *campaign, int64_t besides, char ret[CAMPAIGN_FORECAST_SIZE],
                       struct error *err)
{
    json_t *effect;
    if (!campaign_effect(call, db, firmware, campaign, besides, &effect, err))
        return false;
    _cleanup_(cleanup_free) char *text = json_dumps(json_object_get(effect, "forecast"), JSON_COMPACT);
    json_decref(effect);
    if (!text || strlen(text) >= CAMPAIGN_FORECAST_SIZE)
        return error_set(err, ERROR_INTERNAL, "the forecast of a campaign cannot be stored");
    snprintf(ret, CAMPAIGN_FORECAST_SIZE, "%s", text);
    return true;
}

json_t *campaign_forecast_to_json(const struct campaign *campaign)
{
    json_t *json = campaign->forecast[0] ? json_loads(campaign->forecast, 0, NULL) : NULL;
    return json ? json : json_null();
}

json_t *campaign_actual_to_json(const struct campaign *campaign, int64_t confirmed)
{
    int64_t end_ms = campaign->ended_ms ? campaign->ended_ms : clock_utc_ms();
    int64_t elapsed_ms = end_ms > campaign->started_ms ? end_ms - campaign->started_ms : 0;
    return json_pack("{s:I, s:I, s:I, s:o}", "confirmed", (json_int_t)confirmed, "bytes",
                     (json_int_t)campaign->bytes, "bytes_in_vain", (json_int_t)campaign->vain, "elapsed_ms",
                     campaign->started_ms ? json_integer((json_int_t)elapsed_ms) : json_null());
}
