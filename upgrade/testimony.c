/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/testimony.h"

#include "upgrade/attempt.h"

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

/* The clocks of the network and of the server differ a little: a network time that is ahead counts as the
   arrival. */
static int64_t seen_ms(const struct testimony *testimony)
{
    return testimony->by_network && testimony->seen_ms > testimony->arrived_ms ? testimony->arrived_ms
                                                                               : testimony->seen_ms;
}

/* A time in whole seconds means any moment of that second. */
static int64_t last_of_second(const struct testimony *testimony, int64_t ms)
{
    int64_t end_ms = ms % SECOND_MS ? ms : ms + SECOND_MS - 1;
    return end_ms > testimony->arrived_ms ? later(ms, testimony->arrived_ms) : end_ms;
}

static bool is_ahead(const struct testimony *testimony)
{
    return testimony->seen_ms > testimony->arrived_ms + (testimony->by_network ? TESTIMONY_ZONE_MS : 0);
}

bool testimony_is_after(const struct testimony *testimony, int64_t since_ms, bool upward)
{
    int64_t earliest_ms = seen_ms(testimony);
    if (testimony->arrived_ms < since_ms || is_ahead(testimony))
        return false;
    /* Without a time, a report of the host is new, unless it shows an old version and no outcome. */
    if (!earliest_ms)
        return testimony->live && (upward || testimony->has_outcome);
    if (upward)
        earliest_ms =
            testimony->by_network ? earliest_ms + TESTIMONY_ZONE_MS : last_of_second(testimony, earliest_ms);
    return earliest_ms >= since_ms;
}

int64_t testimony_result_since(int64_t sent_ms, int64_t delivered_ms)
{
    return later(sent_ms, delivered_ms - ATTEMPT_LATE_ACK_MS);
}

bool testimony_tells_result(const struct testimony *testimony, int64_t sent_ms, int64_t delivered_ms,
                            bool upward)
{
    bool is_old = delivered_ms && !upward;
    return testimony_is_after(testimony,
                              is_old ? delivered_ms : testimony_result_since(sent_ms, delivered_ms), upward);
}

static int64_t time_of(const struct testimony *testimony, int64_t not_before_ms)
{
    int64_t at_ms = testimony->seen_ms ? seen_ms(testimony) : testimony->arrived_ms;
    return at_ms < not_before_ms ? not_before_ms : at_ms;
}

struct verdict testimony_weigh(const struct testimony *testimony, const struct version *confirmed,
                               int64_t confirmed_ms)
{
    if (!testimony->version.count)
        return (struct verdict){.why = "the text does not show which version the device runs now"};
    if (is_ahead(testimony))
        return (struct verdict){.why = "its time is in the future"};
    if (!confirmed->count)
        return (struct verdict){true, time_of(testimony, testimony->proven_ms), NULL};
    if (testimony->proven_ms)
        return (struct verdict){true, time_of(testimony, later(testimony->proven_ms, confirmed_ms)), NULL};
    bool upward = testimony->same_firmware && version_compare(&testimony->version, confirmed) > 0;
    if (testimony_is_after(testimony, confirmed_ms, upward))
        return (struct verdict){true, time_of(testimony, confirmed_ms), NULL};
    if (testimony->seen_ms)
        return (struct verdict){.why = "the confirmed version was seen later"};
    return (struct verdict){.why =
                                "it is not known whether this version was seen after the confirmed version"};
}
