/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* …/firmware/{firmware}/outcomes: the state of each device on its way to the target, since when, by which
   evidence, and the number of devices in each state. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/handlers.h"
#include "server/admin/path_params.h"
#include "server/planning/graph.h"
#include "storage/outcome.h"
#include "upgrade/outcome.h"

#define PAGE_DEFAULT 100
#define PAGE_MAX     1000
#define BASES_MAX    64 /* versions for which it is remembered whether a path leads from them */

struct base { /* a version that devices run, and whether a path leads from it to the target */
    char version[VERSION_TEXT_SIZE];
    bool reachable;
};

struct outcomes {
    struct admin_call *call;
    struct product product;
    struct firmware firmware;
    struct version target;
    char states[200];  /* "": all; else the wanted states, separated by commas */
    int64_t before_ms; /* only what has not changed since then; INT64_MAX: all */
    uint64_t limit, after;

    struct outcome_row row; /* the current row of the database */
    struct base base[BASES_MAX];
    unsigned base_count;
    json_t *counts, *items;
    uint64_t found;
    int64_t last_id;
    bool more, failed;
    struct error *err;
};

/* ---- The query ---- */

/* "90s", "30m", "24h", "7d". */
static bool read_age(struct slice text, int64_t *ret_ms)
{
    static const struct {
        char unit;
        int64_t ms;
    } units[] = {{'s', 1000}, {'m', MINUTE_MS}, {'h', HOUR_MS}, {'d', DAY_MS}};
    uint64_t number;
    if (text.len < 2 || !slice_u64((struct slice){text.ptr, text.len - 1}, &number) || number > 100000)
        return false;
    for (size_t i = 0; i < sizeof units / sizeof *units; i++)
        if (units[i].unit == text.ptr[text.len - 1]) {
            *ret_ms = (int64_t)number * units[i].ms;
            return true;
        }
    return false;
}

static bool check_states(const char *states, struct error *err)
{
    struct slice rest = slice_of(states), one;
    while (states[0] && slice_split(&rest, ',', &one))
        if (!outcome_is_name(one))
            return error_set(
                err, ERROR_BAD_REQUEST,
                "state must be one or more, separated by commas, of the states of an attempt and "
                "" OUTCOME_NOT_BEGUN ", " OUTCOME_UNREACHABLE ", " OUTCOME_ABOVE ", " OUTCOME_ON_THE_WAY
                ", " OUTCOME_BLOCKED);
    return true;
}

static bool read_question(struct outcomes *ask, struct error *err)
{
    const struct request *request = ask->call->request;
    char age[16];
    bool found;
    int64_t age_ms;
    ask->limit = PAGE_DEFAULT;
    ask->before_ms = INT64_MAX;
    if (!path_params_firmware(request, ask->call->db, &ask->product, &ask->firmware, err) ||
        !call_query_number(request, "limit", 1, PAGE_MAX, &ask->limit, err) ||
        !call_query_number(request, "after", 0, INT64_MAX, &ask->after, err) ||
        !request_query(request, "state", ask->states, sizeof ask->states, &found, err) ||
        !check_states(ask->states, err) ||
        !request_query(request, "older_than", age, sizeof age, &found, err))
        return false;
    if (found && !read_age(slice_of(age), &age_ms))
        return error_set(err, ERROR_BAD_REQUEST,
                         "older_than must be a number followed by s, m, h or d, such as 24h");
    if (found)
        ask->before_ms = clock_utc_ms() - age_ms;
    return version_parse(slice_of(ask->firmware.target), &ask->target) ||
           error_set(err, ERROR_INVALID, "firmware %s has no target: set one first", ask->firmware.name);
}

/* ---- The state of one device ---- */

static bool find_path(const struct outcomes *ask, const char *text, bool *ret, struct error *err)
{
    struct version base;
    struct graph graph;
    struct plan plan;
    if (!version_parse(slice_of(text), &base) || version_compare(&base, &ask->target) == 0) {
        *ret = true;
        return true;
    }
    if (!graph_load(ask->call->daemon, ask->call->db, &ask->firmware, &base, &ask->target, &graph, err))
        return false;
    plan_make(&graph.plan, &plan);
    *ret = plan.outcome != PLAN_NONE;
    graph_free(&graph);
    return true;
}

/* Devices run few versions. For versions beyond BASES_MAX the path is searched again each time. */
static bool is_reachable(struct outcomes *ask, const char *version)
{
    struct base found = {.reachable = true};
    for (unsigned i = 0; i < ask->base_count; i++)
        if (strcmp(ask->base[i].version, version) == 0)
            return ask->base[i].reachable;
    snprintf(found.version, sizeof found.version, "%s", version);
    if (!find_path(ask, version, &found.reachable, ask->err))
        ask->failed = true;
    if (ask->base_count < BASES_MAX)
        ask->base[ask->base_count++] = found;
    return found.reachable;
}

struct judged {
    const char *outcome, *reason;
    int64_t since_ms; /* 0: not known */
};

static struct outcome_facts facts_of(const struct outcomes *ask)
{
    const struct outcome_row *row = &ask->row;
    struct outcome_facts facts = {.target = ask->target,
                                  .downgrades = ask->firmware.downgrades,
                                  .blocked = row->blocked,
                                  .by_us = row->by_us,
                                  .attempted = row->attempt_id,
                                  .to_target = strcmp(row->to, ask->firmware.target) == 0};
    version_parse(slice_of(row->confirmed_version), &facts.confirmed);
    version_parse(slice_of(row->asked_version), &facts.asked);
    if (row->attempt_id)
        facts.state = row->state;
    return facts;
}

static struct judged judge(struct outcomes *ask)
{
    const struct outcome_row *row = &ask->row;
    const struct outcome_facts facts = facts_of(ask);
    struct version from;
    char text[VERSION_TEXT_SIZE];
    bool reachable = true, by_attempt;
    if (outcome_needs_path(&facts, &from)) {
        version_format(&from, text);
        reachable = is_reachable(ask, text);
    }
    struct judged judged = {outcome_of(&facts, reachable, &by_attempt), row->last_reason, row->confirmed_ms};
    if (by_attempt) {
        judged.reason = row->reason;
        judged.since_ms = row->ended_ms       ? row->ended_ms
                          : row->delivered_ms ? row->delivered_ms
                          : row->sent_ms      ? row->sent_ms
                                              : row->created_ms;
    } else if (strcmp(judged.outcome, OUTCOME_BLOCKED) == 0) {
        judged.since_ms = row->last_answer_ms;
    } else if (strcmp(judged.outcome, OUTCOME_NOT_BEGUN) == 0) {
        judged.since_ms = 0;
    }
    return judged;
}

static bool is_wanted(const struct outcomes *ask, const struct judged *judged)
{
    struct slice rest = slice_of(ask->states), one;
    if (ask->before_ms != INT64_MAX && (!judged->since_ms || judged->since_ms > ask->before_ms))
        return false;
    if (!ask->states[0])
        return true;
    while (slice_split(&rest, ',', &one))
        if (slice_is(one, judged->outcome))
            return true;
    return false;
}

static json_t *row_to_json(const struct outcome_row *row, const struct judged *judged)
{
    bool tried = row->attempt_id;
    return json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "device",
                     row->device, "id_kind", identity_kind_name(row->id_kind), "outcome", judged->outcome,
                     "since", field_number(judged->since_ms), "confirmed_version",
                     field_text(row->confirmed_version), "confirmed_at", field_number(row->confirmed_ms),
                     "confirmed_by", field_text(enum_name(&reported_by_names, row->confirmed_by)),
                     "confirmed_grade", field_text(grade_name(row->confirmed_grade)), "last_seen_at",
                     field_number(row->last_seen_ms), "attempt", field_number(row->attempt_id), "from",
                     field_text(row->from), "to", field_text(row->to), "bytes_acked",
                     tried ? json_integer(row->bytes_acked) : json_null(), "reason",
                     field_text(judged->reason));
}

static void count(json_t *counts, const char *outcome)
{
    json_int_t before = json_integer_value(json_object_get(counts, outcome));
    json_object_set_new(counts, outcome, json_integer(before + 1));
}

/* A clock that was ahead has written times that are in the future. */
static void clamp_times(struct outcome_row *row)
{
    int64_t now_ms = clock_utc_ms(), *const times[] = {&row->confirmed_ms,   &row->last_seen_ms,
                                                       &row->last_answer_ms, &row->created_ms,
                                                       &row->sent_ms,        &row->delivered_ms,
                                                       &row->ended_ms};
    for (size_t i = 0; i < sizeof times / sizeof *times; i++)
        *times[i] = clock_clamp(*times[i], now_ms);
}

static bool take_row(void *cls)
{
    struct outcomes *ask = cls;
    clamp_times(&ask->row);
    const struct judged judged = judge(ask);
    count(ask->counts, judged.outcome);
    if (!is_wanted(ask, &judged))
        return !ask->failed;
    ask->found++;
    if (ask->row.device_id <= (int64_t)ask->after)
        return !ask->failed;
    if (json_array_size(ask->items) >= ask->limit) {
        ask->more = true;
        return !ask->failed;
    }
    json_array_append_new(ask->items, row_to_json(&ask->row, &judged));
    ask->last_id = ask->row.device_id;
    return !ask->failed;
}

/* ---- The answer ---- */

static void add_headers(const struct outcomes *ask)
{
    struct reply *reply = &ask->call->reply;
    char firmware[3 * FIRMWARE_NAME_SIZE], age[16] = "";
    bool found = false;
    struct error unwanted;
    reply_header(reply, "X-Total-Count", "%llu", (unsigned long long)ask->found);
    if (!ask->more)
        return;
    slice_percent_encode(slice_of(ask->firmware.name), firmware, sizeof firmware);
    if (!request_query(ask->call->request, "older_than", age, sizeof age, &found, &unwanted))
        return;
    reply_header(reply, "Link",
                 "</api/v1/products/%s/firmware/%s/outcomes?limit=%llu&after=%lld%s%s%s%s>; rel=\"next\"",
                 ask->product.product_key, firmware, (unsigned long long)ask->limit, (long long)ask->last_id,
                 ask->states[0] ? "&state=" : "", ask->states, found ? "&older_than=" : "", age);
}

bool admin_outcomes(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *counts = json_object();
    _cleanup_(cleanup_json) json_t *items = json_array();
    struct outcomes ask = {.call = call, .counts = counts, .items = items, .err = err};
    struct outcome_bytes bytes = {0};
    call_store_counts(call);
    if (!read_question(&ask, err) ||
        !outcome_rows(call->db, ask.firmware.id, ask.firmware.target, &ask.row, take_row, &ask, err) ||
        ask.failed || !outcome_bytes(call->db, ask.firmware.id, ask.firmware.target, &bytes, err))
        return false;
    reply_json(&call->reply, 200,
               json_pack("{s:s, s:O, s:I, s:I, s:O}", "target", ask.firmware.target, "counts", counts,
                         "bytes_acked", (json_int_t)bytes.all, "bytes_in_vain", (json_int_t)bytes.vain,
                         "items", items));
    add_headers(&ask);
    return true;
}
