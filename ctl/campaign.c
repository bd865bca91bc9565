/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* dfotactl campaign list, show, devices */
#include <stdio.h>
#include "ctl/campaign.h"
#include "ctl/campaign_forecast.h"
#include "ctl/command.h"

static const struct table_column list_columns[] = {
    {"#", "campaign", TABLE_NUMBER},
    {"NAME", "name", TABLE_TEXT},
    {"TARGET", "target", TABLE_TEXT},
    {"STATE", "state", TABLE_TEXT},
    {"STAGE", "stage", TABLE_NUMBER},
    {"WAITING", "counts.waiting", TABLE_NUMBER},
    {"ADMITTED", "counts.admitted", TABLE_NUMBER},
    {"CONFIRMED", "counts.confirmed", TABLE_NUMBER},
    {"NOT APPLIED", "counts.not_applied", TABLE_NUMBER},
};
static const struct table_view list_view = {list_columns, TABLE_COUNT(list_columns), "paused_why", "! "};

static const struct table_column page_columns[] = {
    {"Campaign", "campaign", TABLE_NUMBER},
    {"Name", "name", TABLE_TEXT},
    {"Target", "target", TABLE_TEXT},
    {"State", "state", TABLE_TEXT},
    {"  because", "paused_why", TABLE_TEXT},
    {"Audience", "audience", TABLE_TEXT},
    {"  filter", "filter", TABLE_TEXT},
    {"  frozen", "frozen", TABLE_TEXT},
    {"  order", "order", TABLE_TEXT},
    {"Devices", "devices", TABLE_NUMBER},
    {"  waiting", "counts.waiting", TABLE_NUMBER},
    {"  admitted", "counts.admitted", TABLE_NUMBER},
    {"  confirmed", "counts.confirmed", TABLE_NUMBER},
    {"  not applied", "counts.not_applied", TABLE_NUMBER},
    {"  diverged", "counts.diverged", TABLE_NUMBER},
    {"  silent", "counts.silent", TABLE_NUMBER},
    {"  out", "counts.out", TABLE_NUMBER},
    {"Stage", "stage", TABLE_NUMBER},
    {"  waits for", "gate", TABLE_TEXT},
    {"Created by", "created_by", TABLE_TEXT},
    {"Created", "created_at", TABLE_TIME},
    {"Started", "started_at", TABLE_TIME},
    {"Ended", "ended_at", TABLE_TIME},
};
static const struct table_view page_view = {page_columns, TABLE_COUNT(page_columns), NULL, NULL};

static const struct table_column stage_columns[] = {
    {"STAGE", "number", TABLE_NUMBER},       {"ADMITS", "admits", TABLE_TEXT},
    {"MIN", "min_confirmed", TABLE_NUMBER},  {"PERCENT", "confirmed_percent", TABLE_NUMBER},
    {"FAIL", "max_failed", TABLE_NUMBER},    {"SILENT", "max_silent", TABLE_NUMBER},
    {"SETTLE", "settle_ms", TABLE_DURATION}, {"APPROVED", "approved", TABLE_NUMBER},
    {"OF", "approvals", TABLE_NUMBER},       {"CONFIRMED", "counts.confirmed", TABLE_NUMBER},
};
static const struct table_view stage_view = {stage_columns, TABLE_COUNT(stage_columns), NULL, NULL};

static const struct table_column device_columns[] = {
    {"DEVICE", "device", TABLE_TEXT},
    {"OUTCOME", "outcome", TABLE_TEXT},
    {"SINCE", "since", TABLE_TIME},
    {"STAGE", "stage", TABLE_NUMBER},
    {"CONFIRMED", "confirmed_version", TABLE_TEXT},
    {"LAST SEEN", "last_seen_at", TABLE_TIME},
};
static const struct table_view device_view = {device_columns, TABLE_COUNT(device_columns), NULL, ""};

/* What a stage admits in one word, and its number. */
static void name_stages(json_t *stages)
{
    json_t *stage;
    size_t i;
    json_array_foreach (stages, i, stage) {
        char text[32] = "all";
        const json_t *devices = json_object_get(stage, "devices"),
                     *percent = json_object_get(stage, "percent");
        if (json_is_integer(devices))
            snprintf(text, sizeof text, "%lld", (long long)json_integer_value(devices));
        if (json_is_integer(percent))
            snprintf(text, sizeof text, "%lld %%", (long long)json_integer_value(percent));
        json_object_set_new(stage, "admits", json_string(text));
        json_object_set_new(stage, "number", json_integer((json_int_t)i + 1));
    }
}

static const struct table_column breach_columns[] = {
    {"DEVICE", "device", TABLE_TEXT},
    {"OUTCOME", "outcome", TABLE_TEXT},
    {"SINCE", "since", TABLE_TIME},
    {"RUNS", "confirmed_version", TABLE_TEXT},
    {"LAST SEEN", "last_seen_at", TABLE_TIME},
};
static const struct table_view breach_view = {breach_columns, TABLE_COUNT(breach_columns), NULL, NULL};

/* The devices that broke the gate. */
static void print_breach(const json_t *breach)
{
    const json_t *devices = json_object_get(breach, "devices");
    if (!devices)
        return;
    printf("\nThe gate of stage %lld broke: %s. Its devices, the newest first (%zu of %lld)\n",
           (long long)json_integer_value(json_object_get(breach, "stage")),
           json_string_value(json_object_get(breach, "gate")), json_array_size(devices),
           (long long)json_integer_value(json_object_get(breach, "count")));
    table_print(stdout, devices, &breach_view);
}

void campaign_print(const struct session *session, json_t *campaign)
{
    session_print_page(session, campaign, &page_view);
    if (session->json)
        return;
    json_t *stages = json_object_get(campaign, "stages");
    name_stages(stages);
    putchar('\n');
    table_print(stdout, stages, &stage_view);
    print_breach(json_object_get(campaign, "broken_gate"));
    campaign_forecast_compare(campaign);
}

bool campaign_list(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *answer = NULL;
    if (!session_path(session, &path, fail, "firmware", session->args[0], "campaigns", NULL) ||
        !session_fetch_pages(session, path.text, &answer, fail))
        return false;
    bool ok = session_print_list(session, answer, &list_view, fail);
    json_decref(answer);
    return ok;
}

bool campaign_show(struct session *session, struct failure *fail)
{
    struct client_path path;
    json_t *campaign = NULL;
    if (!session_path(session, &path, fail, "firmware", session->args[0], "campaigns", session->args[1],
                      NULL) ||
        !client_get(session->client, path.text, &campaign, fail))
        return false;
    campaign_print(session, campaign);
    json_decref(campaign);
    return true;
}

bool campaign_devices(struct session *session, struct failure *fail)
{
    const char *outcome = session->options->outcome;
    struct client_path path;
    json_t *answer = NULL;
    if (!session_path(session, &path, fail, "firmware", session->args[0], "campaigns", session->args[1],
                      "devices", NULL) ||
        (outcome && !client_path_query(&path, "outcome", outcome, fail)) ||
        !session_fetch_pages(session, path.text, &answer, fail))
        return false;
    bool ok = session_print_list(session, answer, &device_view, fail);
    json_decref(answer);
    return ok;
}
