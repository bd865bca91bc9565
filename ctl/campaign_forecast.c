/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/campaign_forecast.h"

#include <stdlib.h>
#include "ctl/table.h"

static const struct table_column page_columns[] = {
    {"Rounds", "rounds", TABLE_NUMBER},
    {"  for canaries", "canaries", TABLE_NUMBER},
    {"Settle times", "settle_ms", TABLE_DURATION},
    {"Approvals", "approvals", TABLE_NUMBER},
    {"Time", "duration_ms", TABLE_DURATION},
    {"  one question in", "interval_ms", TABLE_DURATION},
    {"Time if slow", "slow_duration_ms", TABLE_DURATION},
    {"  one question in", "slow_interval_ms", TABLE_DURATION},
    {"Sampled", "sampled", TABLE_NUMBER},
    {"  rhythm known", "rhythm_known", TABLE_NUMBER},
    {"  quiet", "quiet", TABLE_NUMBER},
};
static const struct table_view page_view = {page_columns, TABLE_COUNT(page_columns), "notes", ""};

static const struct table_column columns[] = {
    {"", "what", TABLE_TEXT},
    {"FORECAST", "forecast", TABLE_NUMBER},
    {"ACTUAL", "actual", TABLE_NUMBER},
};
static const struct table_view view = {columns, TABLE_COUNT(columns), NULL, NULL};

static json_int_t number(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void add_note(json_t *notes, json_int_t devices, const char *text)
{
    if (devices)
        json_array_append_new(notes, json_sprintf("%lld %s", (long long)devices, text));
}

/* What the numbers do not say. */
static json_t *notes_of(const json_t *forecast)
{
    json_t *notes = json_array();
    if (number(forecast, "rounds") && !number(forecast, "rhythm_known"))
        json_array_append_new(notes,
                              json_string("The time is not known: no device has asked twice, with five "
                                          "minutes or more between."));
    if (number(forecast, "approvals"))
        json_array_append_new(notes, json_string("The time until admins approve is not counted."));
    add_note(notes, number(forecast, "waiting"), "devices are not counted: their packages are not made yet.");
    add_note(notes, number(forecast, "unknown"), "devices are not counted: their path is not known.");
    add_note(notes, number(forecast, "quiet"),
             "of the sampled devices are quiet: they have not asked for three of their intervals.");
    return notes;
}

void campaign_forecast_print(json_t *forecast)
{
    if (!json_is_object(forecast))
        return;
    json_object_set_new(forecast, "notes", notes_of(forecast));
    putchar('\n');
    table_print_page(stdout, forecast, &page_view);
}

static void add_row(json_t *rows, const char *what, const json_t *forecast, const char *expected,
                    const json_t *actual, const char *found, enum table_kind kind)
{
    char *left = table_value(forecast, expected, kind), *right = table_value(actual, found, kind);
    json_array_append_new(rows,
                          json_pack("{s:s, s:s*, s:s*}", "what", what, "forecast", left, "actual", right));
    free(left);
    free(right);
}

void campaign_forecast_compare(const json_t *campaign)
{
    const json_t *forecast = json_object_get(campaign, "forecast"),
                 *actual = json_object_get(campaign, "actual");
    if (!json_integer_value(json_object_get(campaign, "started_at")))
        return;
    json_t *rows = json_array();
    add_row(rows, "Devices confirmed", forecast, "devices", actual, "confirmed", TABLE_NUMBER);
    add_row(rows, "Unreachable", forecast, "unreachable", actual, "", TABLE_NUMBER);
    add_row(rows, "Bytes", forecast, "bytes", actual, "bytes", TABLE_NUMBER);
    add_row(rows, "  in vain", forecast, "", actual, "bytes_in_vain", TABLE_NUMBER);
    add_row(rows, "Time", forecast, "duration_ms", actual, "elapsed_ms", TABLE_DURATION);
    add_row(rows, "  if slow", forecast, "slow_duration_ms", actual, "", TABLE_DURATION);
    putchar('\n');
    table_print(stdout, rows, &view);
    json_decref(rows);
}
