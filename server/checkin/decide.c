/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/decide.h"

#include <stdio.h>

#include "server/campaign/move.h"

/* The last attempt of the device is silent, and the version in the request tells its outcome late. */
static bool find_late(struct db *db, const struct facts *facts, struct attempt *ret,
                      enum attempt_event *event, bool *ret_found, struct error *err)
{
    struct snapshot known = {.attempt_open = true, .attempt_state = ATTEMPT_SILENT};
    *ret_found = false;
    if (facts->snapshot.attempt_open || !facts->device.id || facts->checkin.source != CHECKIN_DIALECT)
        return true;
    if (!attempt_silent_of(db, facts->device.id, ret, ret_found, err))
        return false;
    if (!*ret_found)
        return true;
    version_parse(slice_of(ret->from), &known.attempt_from);
    version_parse(slice_of(ret->to), &known.attempt_to);
    known.attempt_same_firmware = ret->firmware_id == facts->firmware.id;
    *ret_found = decision_report(&facts->checkin.version, &known, event);
    return true;
}

static bool begins(const struct decision *decision)
{
    return decision->open_attempt || decision->aim_attempt || decision->send;
}

bool checkin_decide(struct db *db, struct facts *facts, const struct decision_limits *limits,
                    struct decision *ret, struct error *err)
{
    struct snapshot *known = &facts->snapshot;
    struct attempt late, *ended = &late;
    enum attempt_event event;
    bool is_late, breaks;
    if (!find_late(db, facts, &late, &event, &is_late, err))
        return false;
    known->late_failed =
        is_late && event == EVENT_SAW_OLD && strcmp(late.to, facts->planned.hop.version) == 0;
    decision_make(&facts->checkin, known, limits, ret);
    if (ret->end_attempt && ret->attempt_event != EVENT_SUPERSEDE) {
        ended = &facts->attempt;
        event = ret->attempt_event;
    } else if (!is_late || !ret->confirm) {
        return true;
    }
    enum attempt_state state = ended->state;
    if (!begins(ret) || !attempt_apply(&state, event))
        return true;
    if (!campaign_breaks(db, &facts->member, ended, state, facts->checkin.now_ms, &breaks,
                         known->campaign_why, err))
        return false;
    if (!breaks)
        return true;
    known->campaign_paused = true;
    decision_make(&facts->checkin, known, limits, ret);
    return true;
}
