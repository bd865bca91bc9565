/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/rehearsal.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "sim/rehearsal_report.h"
#include "sim/rehearsal_round.h"
#include "sim/rehearsal_setup.h"

#define ROUNDS_MAX  2000
#define IDLE_ROUNDS 3 /* nothing moved in so many rounds: nothing will */
#define SETTLE_US   300000
#define CAMPAIGN    "/campaigns/rehearsal"

__attribute__((format(printf, 2, 3))) static void note(struct rehearsal *rehearsal, const char *format, ...)
{
    char text[400];
    int used = snprintf(text, sizeof text, "Round %u: ", rehearsal->rounds);
    va_list args;
    va_start(args, format);
    vsnprintf(text + used, sizeof text - (size_t)used, format, args);
    va_end(args);
    json_array_append_new(rehearsal->events, json_string(text));
}

static const char *text_of(const json_t *object, const char *key)
{
    const char *text = json_string_value(json_object_get(object, key));
    return text ? text : "";
}

static json_int_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static bool call(struct rehearsal *rehearsal, const char *method, const char *rest, json_t *body,
                 json_t **ret, struct error *err)
{
    char path[400];
    snprintf(path, sizeof path, "%s" CAMPAIGN "%s", rehearsal->firmware, rest);
    return api_call(rehearsal->api, method, path, body, ret, err);
}

static bool is_running(const struct rehearsal *rehearsal)
{
    return strcmp(text_of(rehearsal->campaign, "state"), "running") == 0;
}

/* Takes over `now`, the campaign as it is now. *ret_changed: its stage, its state or an outcome. */
static void take_campaign(struct rehearsal *rehearsal, json_t *now, bool *ret_changed)
{
    json_t *before = rehearsal->campaign;
    json_int_t stage = number_of(now, "stage");
    *ret_changed = !json_equal(json_object_get(before, "counts"), json_object_get(now, "counts"));
    if (stage != number_of(before, "stage")) {
        note(rehearsal, "stage %lld of %zu begins", (long long)stage,
             json_array_size(json_object_get(now, "stages")));
        *ret_changed = true;
    }
    if (strcmp(text_of(before, "state"), text_of(now, "state")) != 0) {
        note(rehearsal, "the campaign is %s%s%s", text_of(now, "state"),
             *text_of(now, "paused_why") ? ": " : "", text_of(now, "paused_why"));
        *ret_changed = true;
    }
    json_decref(before);
    rehearsal->campaign = now;
}

static bool look(struct rehearsal *rehearsal, bool *ret_changed, struct error *err)
{
    json_t *now;
    if (!call(rehearsal, "GET", "", NULL, &now, err))
        return false;
    take_campaign(rehearsal, now, ret_changed);
    return true;
}

/* ---- what the gate of the current stage waits for ---- */

static const json_t *current_stage(const struct rehearsal *rehearsal)
{
    json_int_t number = number_of(rehearsal->campaign, "stage");
    if (!is_running(rehearsal) || json_is_null(json_object_get(rehearsal->campaign, "gate")) || number < 1)
        return NULL;
    return json_array_get(json_object_get(rehearsal->campaign, "stages"), (size_t)number - 1);
}

/* Milliseconds until the settle time is over; 0: it is, or there is none. */
static int64_t settles_for(const json_t *stage)
{
    int64_t settle_ms = number_of(stage, "settle_ms"), last_ms = number_of(stage, "last_confirmed_at");
    int64_t left_ms = last_ms + settle_ms - clock_utc_ms();
    return settle_ms && last_ms && left_ms > 0 ? left_ms : 0;
}

/* The server looks at the gates once a minute, and at each change. A resume is such a change. */
static bool make_it_look(struct rehearsal *rehearsal, struct error *err)
{
    return call(rehearsal, "POST", "/pause", NULL, NULL, err) &&
           call(rehearsal, "POST", "/resume", NULL, NULL, err);
}

static bool approve(struct rehearsal *rehearsal, const json_t *stage, struct error *err)
{
    for (json_int_t i = number_of(stage, "approved"); i < number_of(stage, "approvals"); i++) {
        char rest[64];
        snprintf(rest, sizeof rest, "/approve?stage=%lld&by=admin-%lld",
                 (long long)number_of(rehearsal->campaign, "stage"), (long long)i + 1);
        if (!call(rehearsal, "POST", rest, NULL, NULL, err))
            return false;
    }
    note(rehearsal, "the rehearsal approves stage %lld", (long long)number_of(rehearsal->campaign, "stage"));
    return true;
}

/* Nothing moved in this round. *ret_waits: only for time or for approval. */
static bool help(struct rehearsal *rehearsal, bool *ret_waits, struct error *err)
{
    const json_t *stage = current_stage(rehearsal);
    *ret_waits = true;
    if (stage && settles_for(stage))
        return true;
    if (stage && number_of(stage, "approved") < number_of(stage, "approvals"))
        return approve(rehearsal, stage, err);
    *ret_waits = false;
    return !stage || !number_of(stage, "settle_ms") || make_it_look(rehearsal, err);
}

/* ---- the rounds ---- */

static void await_round(const struct rehearsal *rehearsal, int64_t start_ms)
{
    int64_t left_ms = start_ms + rehearsal->interval_ms / rehearsal->speed - clock_boot_ms();
    if (left_ms > 0)
        usleep((useconds_t)(left_ms * 1000));
}

static bool run_rounds(struct rehearsal *rehearsal, struct error *err)
{
    unsigned idle = 0, after = 0;
    while (rehearsal->rounds < ROUNDS_MAX && idle < IDLE_ROUNDS && after < 2) {
        int64_t start_ms = clock_boot_ms();
        if (scratch_is_interrupted())
            return error_set(err, ERROR_UNAVAILABLE, "interrupted");
        bool moved, changed, waits = false;
        rehearsal->rounds++;
        if (!rehearsal_round(rehearsal, &moved, err) || !look(rehearsal, &changed, err))
            return false;
        if (!is_running(rehearsal)) { /* modules on their way come back once more */
            after++;
        } else if (moved || changed) {
            idle = 0;
        } else {
            if (!help(rehearsal, &waits, err))
                return false;
            idle += !waits;
        }
        await_round(rehearsal, start_ms);
    }
    rehearsal->rounds -= idle + (after ? after - 1 : 0);
    if (is_running(rehearsal))
        note(rehearsal, "the last in which something moved");
    return true;
}

/* A full package has no hop of its own in the API: it is left out. */
static void look_at_hop(struct rehearsal *rehearsal, struct hop *hop)
{
    char path[400];
    struct error ignored;
    json_t *package = NULL;
    snprintf(path, sizeof path, "%s/packages/%s/%s", rehearsal->firmware, hop->from, hop->to);
    if (!api_call(rehearsal->api, "GET", path, NULL, &package, &ignored))
        return;
    snprintf(hop->out_of_service, sizeof hop->out_of_service, "%s",
             text_of(json_object_get(package, "quarantine"), "reason"));
    json_decref(package);
}

/* The kernel acknowledges the last bytes a moment later. */
static bool end(struct rehearsal *rehearsal, struct error *err)
{
    bool changed;
    usleep(SETTLE_US);
    for (unsigned i = 0; i < rehearsal->hops.count; i++)
        look_at_hop(rehearsal, &rehearsal->hops.hop[i]);
    return look(rehearsal, &changed, err);
}

static void release(struct rehearsal *rehearsal)
{
    api_close(&rehearsal->api);
    scratch_stop(&rehearsal->scratch);
    fleet_free(&rehearsal->fleet);
    json_decref(rehearsal->forecast);
    json_decref(rehearsal->campaign);
    json_decref(rehearsal->events);
}

bool rehearsal_run(const struct sim_options *options, bool *ret_agree, struct error *err)
{
    _cleanup_(image_store_free) struct image_store *store = NULL;
    static struct rehearsal rehearsal; /* large */
    rehearsal = (struct rehearsal){.options = options, .events = json_array()};
    bool ok = image_store_open(&store, err) && rehearsal_prepare(&rehearsal, store, err) &&
              run_rounds(&rehearsal, err) && end(&rehearsal, err) &&
              rehearsal_report(&rehearsal, ret_agree, err);
    release(&rehearsal);
    return ok;
}
