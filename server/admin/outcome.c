/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* …/firmware/{firmware}/outcomes: how far each device is on the way to the target, since when, and by what
   evidence. The counts come from groups of devices that are alike (storage/fleet.h), the items from a page of
   their members. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/handlers.h"
#include "server/admin/list_kinds.h"
#include "server/admin/path_params.h"
#include "server/admin/reason.h"
#include "server/planning/reach.h"
#include "storage/campaign.h"
#include "storage/outcome.h"
#include "upgrade/outcome.h"

#define WALK_MAX 2000 /* devices that one call with q looks at */

struct outcomes {
    struct admin_call *call;
    struct product product;
    struct firmware firmware;
    struct version target;
    char named[FIRMWARE_NAME_SIZE + VERSION_TEXT_SIZE]; /* the target in the query; "": none */
    char states[200]; /* "": all; else the wanted states, separated by commas */
    struct list_query query;
    uint64_t limit;
    int64_t after;

    struct reach reach;
    json_t *counts, *items;
    struct outcome_group *groups; /* those that are wanted */
    size_t group_count;
    int64_t found; /* devices of these groups */
    int64_t until; /* the page ends after this device; INT64_MAX: it is the last page */
    bool failed;
    struct error *err;
};

/* ---- The query ---- */

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

/* "1147, 1162" */
static bool refuse_target(const char (*list)[VERSION_TEXT_SIZE], size_t count, const char *firmware,
                          struct error *err)
{
    char text[400];
    size_t used = 0;
    for (size_t i = 0; i < count && used < sizeof text; i++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s", i ? ", " : "", list[i]);
    return error_set(err, ERROR_INVALID,
                     "campaigns of firmware %s lead to several versions: name one with target=: %s", firmware,
                     text);
}

/* The target that the query names; else the target of the firmware, or of all its live campaigns. */
static bool find_target(struct outcomes *ask, struct error *err)
{
    _cleanup_(cleanup_free) char(*list)[VERSION_TEXT_SIZE] = NULL;
    struct firmware *firmware = &ask->firmware;
    size_t count;
    if (ask->named[0]) {
        if (!name_parse_version_of(slice_of(ask->named), firmware->name, &ask->target, err))
            return false;
        version_format(&ask->target, firmware->target);
        return true;
    }
    if (!firmware->target[0]) {
        if (!campaign_targets(ask->call->db, firmware->id, &list, &count, err))
            return false;
        if (count > 1)
            return refuse_target((const char(*)[VERSION_TEXT_SIZE])list, count, firmware->name, err);
        if (count)
            memcpy(firmware->target, list[0], sizeof firmware->target);
    }
    return version_parse(slice_of(firmware->target), &ask->target) ||
           error_set(err, ERROR_INVALID, "firmware %s has no target: set one first", firmware->name);
}

static bool read_question(struct outcomes *ask, struct error *err)
{
    const struct request *request = ask->call->request;
    bool found;
    if (!path_params_firmware(request, ask->call->db, &ask->product, &ask->firmware, err) ||
        !list_read(ask->call, &list_outcomes, &ask->query, err) ||
        !list_read_after(&ask->query, &ask->after, err) ||
        !request_query(request, "state", ask->states, sizeof ask->states, &found, err) ||
        !check_states(ask->states, err) ||
        !request_query(request, "target", ask->named, sizeof ask->named, &found, err))
        return false;
    ask->limit = ask->query.limit ? ask->query.limit : LIST_PAGE_DEFAULT;
    return find_target(ask, err);
}

/* ---- The state of one device ---- */

struct judged {
    const char *outcome, *reason;
    int64_t since_ms; /* 0: not known */
};

static struct outcome_facts facts_of_group(const struct outcomes *ask, const struct fleet_group *group)
{
    struct outcome_facts facts = {.target = ask->target,
                                  .downgrades = ask->firmware.downgrades,
                                  .blocked = group->blocked,
                                  .by_us = group->by_us,
                                  .attempted = group->target[0],
                                  .to_target = group->to_target};
    version_parse(slice_of(group->confirmed), &facts.confirmed);
    version_parse(slice_of(group->asked), &facts.asked);
    if (facts.attempted)
        attempt_state_parse(slice_of(group->state), &facts.state);
    return facts;
}

static struct outcome_facts facts_of_row(const struct outcomes *ask, const struct outcome_row *row)
{
    struct fleet_group group = {.blocked = row->blocked,
                                .by_us = row->by_us,
                                .to_target = strcmp(row->to, ask->firmware.target) == 0};
    memcpy(group.confirmed, row->confirmed_version, sizeof group.confirmed);
    memcpy(group.asked, row->asked_version, sizeof group.asked);
    if (row->attempt_id) {
        memcpy(group.target, ask->firmware.target, sizeof group.target);
        snprintf(group.state, sizeof group.state, "%s", attempt_state_name(row->state));
    }
    return facts_of_group(ask, &group);
}

/* `build` is that of the confirmed version; zero: not known. */
static const char *outcome_name(struct outcomes *ask, const struct outcome_facts *facts,
                                const struct sha256 *build, bool *ret_by_attempt)
{
    static const struct sha256 unknown;
    struct version from;
    char text[VERSION_TEXT_SIZE];
    bool reachable = true;
    if (outcome_needs_path(facts, &from)) {
        bool is_confirmed = facts->confirmed.count && version_compare(&from, &facts->confirmed) == 0;
        version_format(&from, text);
        if (!reach_look(&ask->reach, text, is_confirmed ? build : &unknown, &reachable, ask->err))
            ask->failed = true;
    }
    return outcome_of(facts, reachable, ret_by_attempt);
}

static struct judged judge(struct outcomes *ask, const struct outcome_row *row)
{
    const struct outcome_facts facts = facts_of_row(ask, row);
    bool by_attempt;
    struct judged judged = {outcome_name(ask, &facts, &row->build, &by_attempt), row->last_reason,
                            row->confirmed_ms};
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

static bool is_wanted_state(const struct outcomes *ask, const char *outcome)
{
    struct slice rest = slice_of(ask->states), one;
    if (!ask->states[0])
        return true;
    while (slice_split(&rest, ',', &one))
        if (slice_is(one, outcome))
            return true;
    return false;
}

static json_t *row_to_json(const struct outcome_row *row, const struct judged *judged)
{
    bool tried = row->attempt_id;
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "device", row->device, "id_kind",
        identity_kind_name(row->id_kind), "outcome", judged->outcome, "since", field_number(judged->since_ms),
        "confirmed_version", field_text(row->confirmed_version), "confirmed_at",
        field_number(row->confirmed_ms), "confirmed_by",
        field_text(enum_name(&reported_by_names, row->confirmed_by)), "confirmed_grade",
        field_text(grade_name(row->confirmed_grade)), "last_seen_at", field_number(row->last_seen_ms),
        "attempt", field_number(row->attempt_id), "from", field_text(row->from), "to", field_text(row->to),
        "bytes_acked", tried ? json_integer(row->bytes_acked) : json_null());
    reason_to_json(json, "reason", judged->reason);
    return json;
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

/* ---- The groups ---- */

/* Adds devices of the group whose builds are the same. *is_wanted stays true. */
static void count_build(struct outcomes *ask, const struct outcome_group *one, const struct sha256 *build,
                        int64_t devices, bool *is_wanted)
{
    const struct outcome_facts facts = facts_of_group(ask, &one->group);
    bool by_attempt;
    if (!devices)
        return;
    const char *outcome = outcome_name(ask, &facts, build, &by_attempt);
    json_int_t before = json_integer_value(json_object_get(ask->counts, outcome));
    json_object_set_new(ask->counts, outcome, json_integer(before + devices));
    if (!is_wanted_state(ask, outcome))
        return;
    ask->found += devices;
    *is_wanted = true;
}

/* The builds of its devices matter where their path does, and their version has several. */
static bool has_builds(struct outcomes *ask, const struct outcome_group *one, char version[VERSION_TEXT_SIZE],
                       bool *ret, struct error *err)
{
    const struct outcome_facts facts = facts_of_group(ask, &one->group);
    char builds[BUILDS_SIZE];
    struct version from;
    size_t count;
    *ret = false;
    if (!outcome_needs_path(&facts, &from))
        return true;
    version_format(&from, version);
    if (!image_builds(ask->call->db, ask->firmware.id, version, builds, &count, err))
        return false;
    *ret = count > 1;
    return true;
}

static bool count_group(struct outcomes *ask, const struct outcome_group *one, bool *is_wanted,
                        struct error *err)
{
    static const struct sha256 unknown;
    _cleanup_(cleanup_free) struct outcome_build *list = NULL;
    char version[VERSION_TEXT_SIZE];
    int64_t rest = one->devices;
    size_t count = 0;
    bool several;
    if (!has_builds(ask, one, version, &several, err) ||
        (several && !outcome_builds(ask->call->db, one, version, ask->firmware.target, &list, &count, err)))
        return false;
    for (size_t i = 0; i < count; i++) {
        count_build(ask, one, &list[i].hash, list[i].devices, is_wanted);
        rest -= list[i].devices;
    }
    count_build(ask, one, &unknown, rest > 0 ? rest : 0, is_wanted);
    return !ask->failed;
}

static bool count_groups(struct outcomes *ask, struct error *err)
{
    size_t count;
    ask->reach = (struct reach){
        .daemon = ask->call->daemon, .db = ask->call->db, .firmware = &ask->firmware, .target = ask->target};
    if (!outcome_groups(ask->call->db, ask->firmware.id, ask->firmware.target, &ask->groups, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        const struct outcome_group one = ask->groups[i];
        bool is_wanted = false;
        if (!count_group(ask, &one, &is_wanted, err))
            return false;
        if (is_wanted)
            ask->groups[ask->group_count++] = one;
    }
    return true;
}

/* ---- The page ---- */

static bool load_ids(struct outcomes *ask, struct outcome_page *page, struct error *err)
{
    struct db *db = ask->call->db;
    bool ok = true;
    if (!ask->states[0])
        ok = outcome_of_firmware(db, ask->firmware.id, page, err);
    for (size_t i = 0; ok && ask->states[0] && i < ask->group_count; i++)
        ok = outcome_members(db, &ask->groups[i].group, ask->firmware.target, page, err);
    if (ok)
        outcome_page_cut(page);
    return ok;
}

/* The id is left out when the device has changed since the groups were read. */
static bool add_item(struct outcomes *ask, int64_t device_id, struct error *err)
{
    struct outcome_row row;
    bool found;
    if (!outcome_row_of(ask->call->db, ask->firmware.id, ask->firmware.target, device_id, &row, &found, err))
        return false;
    if (!found)
        return true;
    clamp_times(&row);
    const struct judged judged = judge(ask, &row);
    if (is_wanted_state(ask, judged.outcome)) {
        json_t *item = row_to_json(&row, &judged);
        if (list_selects(&ask->query, item))
            json_array_append(ask->items, item);
        json_decref(item);
    }
    return !ask->failed;
}

/* One id more than the page has room for tells whether there is another page. With q, most devices may not be wanted. */
static bool fill_page(struct outcomes *ask, struct error *err)
{
    int64_t wanted = ask->query.filter.count ? WALK_MAX : (int64_t)ask->limit + 1;
    struct outcome_page page = OUTCOME_PAGE(ask->after, wanted);
    bool ok = load_ids(ask, &page, err);
    size_t i = 0;
    for (; ok && i < page.count && json_array_size(ask->items) < ask->limit; i++)
        ok = add_item(ask, page.ids[i], err);
    if (ok)
        ask->until = i < page.count ? page.ids[i - 1] : page.until;
    free(page.ids);
    return ok;
}

/* ---- The answer ---- */

/* All pages are for the same target. The groups do not know what q asks for. */
static void add_headers(struct outcomes *ask)
{
    char after[24];
    if (!ask->query.filter.count)
        list_total(&ask->query, ask->found);
    if (ask->until == INT64_MAX)
        return;
    snprintf(after, sizeof after, "%lld", (long long)ask->until);
    list_link_pinned(&ask->query, ask->named[0] ? NULL : "target", ask->firmware.target, after);
}

static bool answer(struct outcomes *ask, struct error *err)
{
    struct outcome_bytes bytes;
    if (!read_question(ask, err) || !count_groups(ask, err) || !fill_page(ask, err) ||
        !outcome_bytes(ask->call->db, ask->firmware.id, ask->firmware.target, &bytes, err))
        return false;
    reply_json(&ask->call->reply, 200,
               json_pack("{s:s, s:O, s:I, s:I, s:O}", "target", ask->firmware.target, "counts", ask->counts,
                         "bytes_acked", (json_int_t)bytes.all, "bytes_in_vain", (json_int_t)bytes.vain,
                         "items", ask->items));
    add_headers(ask);
    return true;
}

bool admin_outcomes(struct admin_call *call, struct error *err)
{
    _cleanup_(cleanup_json) json_t *counts = json_object();
    _cleanup_(cleanup_json) json_t *items = json_array();
    struct outcomes ask = {.call = call, .counts = counts, .items = items, .until = INT64_MAX, .err = err};
    call_store_counts(call);
    bool ok = answer(&ask, err);
    free(ask.groups);
    return ok;
}
