/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/decide.h"

#include <stdio.h>

#include "server/campaign/move.h"

/* The last attempt of the device is silent, and the version in the request tells its outcome late. */
static bool find_late(struct db *db, struct facts *facts, struct attempt *ret, enum attempt_event *event,
                      bool *ret_found, struct error *err)
{
    struct snapshot known = {.attempt_open = true, .attempt_state = ATTEMPT_SILENT};
    *ret_found = false;
    if (facts->snapshot.attempt_open || !facts->device.id || facts->checkin.source != CHECKIN_DIALECT)
        return true;
    if (!facts->traces.silent)
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

/* What the report in the request does to the campaign, by what it says of an attempt or of the version. */
static bool look_at_report(struct db *db, const struct facts *facts, const struct attempt *late, bool is_late,
                           enum attempt_event event, const struct decision *decision,
                           enum campaign_event *ret, char *ret_why, struct error *err)
{
    bool ends = decision->end_attempt && decision->attempt_event != EVENT_SUPERSEDE;
    const struct attempt *ended = ends ? &facts->attempt : late;
    enum attempt_state state = ended->state;
    char version[VERSION_TEXT_SIZE];
    *ret = CAMPAIGN_EVENT_COUNT;
    if (ends)
        event = decision->attempt_event;
    if ((ends || (is_late && decision->confirm)) && attempt_apply(&state, event) &&
        !campaign_foresee_attempt(db, &facts->member, ended, state, facts->checkin.now_ms, ret, ret_why, err))
        return false;
    if (*ret != CAMPAIGN_EVENT_COUNT || !decision->confirm)
        return true;
    version_format(&facts->checkin.version, version);
    return campaign_foresee_version(db, &facts->member, version, facts->checkin.now_ms, ret, ret_why, err);
}

bool checkin_decide(struct db *db, struct facts *facts, const struct decision_limits *limits,
                    struct decision *ret, struct error *err)
{
    struct snapshot *known = &facts->snapshot;
    struct attempt late = {.state = ATTEMPT_SILENT};
    enum attempt_event event = EVENT_SUPERSEDE;
    enum campaign_event does;
    bool is_late;
    if (!find_late(db, facts, &late, &event, &is_late, err))
        return false;
    known->late_failed =
        is_late && event == EVENT_SAW_OLD && strcmp(late.to, facts->planned.hop.version) == 0 &&
        (!facts->planned.package_found || sha256_equal(&late.package_sha256, &facts->planned.package.sha256));
    decision_make(&facts->checkin, known, limits, ret);
    if (!begins(ret))
        return true;
    if (!look_at_report(db, facts, &late, is_late, event, ret, &does, known->campaign_why, err))
        return false;
    if (does == CAMPAIGN_EVENT_COUNT)
        return true;
    known->campaign_paused = does == CAMPAIGN_PAUSE;
    if (does == CAMPAIGN_FINISH)
        known->target.count = 0; /* it leads no device any more */
    decision_make(&facts->checkin, known, limits, ret);
    return true;
}
