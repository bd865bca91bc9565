/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/attempt.h"

#include <inttypes.h>
#include <stdio.h>

static const struct {
    enum attempt_state from;
    enum attempt_event event;
    enum attempt_state to;
} transitions[] = {
    /* No bytes were sent: a reported version does not come from this package. */
    {ATTEMPT_WAITING, EVENT_SEND, ATTEMPT_SENDING},
    {ATTEMPT_WAITING, EVENT_SAW_TARGET, ATTEMPT_NOT_BY_US},
    {ATTEMPT_WAITING, EVENT_SAW_OLD, ATTEMPT_WAITING},
    {ATTEMPT_WAITING, EVENT_SAW_OTHER, ATTEMPT_ABANDONED},
    {ATTEMPT_WAITING, EVENT_SUPERSEDE, ATTEMPT_ABANDONED},

    /* Bytes are being sent. A device asks with the old version before each resume, so that changes nothing.
       A report of the target before all bytes are acknowledged may come from another upgrade, or from a
       stranger. */
    {ATTEMPT_SENDING, EVENT_SEND, ATTEMPT_SENDING},
    {ATTEMPT_SENDING, EVENT_CUT, ATTEMPT_INTERRUPTED},
    {ATTEMPT_SENDING, EVENT_ALL_ACKED, ATTEMPT_DELIVERED},
    {ATTEMPT_SENDING, EVENT_HANDED_OVER, ATTEMPT_HANDED_OVER},
    {ATTEMPT_SENDING, EVENT_SAW_TARGET, ATTEMPT_NOT_BY_US},
    {ATTEMPT_SENDING, EVENT_SAW_OLD, ATTEMPT_SENDING},
    {ATTEMPT_SENDING, EVENT_SAW_OTHER, ATTEMPT_DIVERGED},
    {ATTEMPT_SENDING, EVENT_SUPERSEDE, ATTEMPT_ABANDONED},

    /* Of two connections one may be cut while the other brings the rest. */
    {ATTEMPT_INTERRUPTED, EVENT_SEND, ATTEMPT_SENDING},
    {ATTEMPT_INTERRUPTED, EVENT_CUT, ATTEMPT_INTERRUPTED},
    {ATTEMPT_INTERRUPTED, EVENT_ALL_ACKED, ATTEMPT_DELIVERED},
    {ATTEMPT_INTERRUPTED, EVENT_HANDED_OVER, ATTEMPT_HANDED_OVER},
    {ATTEMPT_INTERRUPTED, EVENT_SAW_TARGET, ATTEMPT_NOT_BY_US},
    {ATTEMPT_INTERRUPTED, EVENT_SAW_OLD, ATTEMPT_INTERRUPTED},
    {ATTEMPT_INTERRUPTED, EVENT_SAW_OTHER, ATTEMPT_DIVERGED},
    {ATTEMPT_INTERRUPTED, EVENT_SUPERSEDE, ATTEMPT_ABANDONED},

    /* All bytes were delivered: only a report shows the result. */
    {ATTEMPT_DELIVERED, EVENT_CUT, ATTEMPT_DELIVERED},
    {ATTEMPT_DELIVERED, EVENT_ALL_ACKED, ATTEMPT_DELIVERED},
    {ATTEMPT_DELIVERED, EVENT_SAW_TARGET, ATTEMPT_CONFIRMED},
    {ATTEMPT_DELIVERED, EVENT_SAW_OLD, ATTEMPT_NOT_APPLIED},
    {ATTEMPT_DELIVERED, EVENT_SAW_OTHER, ATTEMPT_DIVERGED},
    {ATTEMPT_DELIVERED, EVENT_OVERDUE, ATTEMPT_SILENT},
    {ATTEMPT_DELIVERED, EVENT_SUPERSEDE, ATTEMPT_SILENT},

    /* The proxy has all bytes. The module may lose its connection to the proxy and continue. */
    {ATTEMPT_HANDED_OVER, EVENT_SEND, ATTEMPT_SENDING},
    {ATTEMPT_HANDED_OVER, EVENT_CUT, ATTEMPT_HANDED_OVER},
    {ATTEMPT_HANDED_OVER, EVENT_HANDED_OVER, ATTEMPT_HANDED_OVER},
    {ATTEMPT_HANDED_OVER, EVENT_SAW_TARGET, ATTEMPT_CONFIRMED},
    {ATTEMPT_HANDED_OVER, EVENT_SAW_OLD, ATTEMPT_NOT_APPLIED},
    {ATTEMPT_HANDED_OVER, EVENT_SAW_OTHER, ATTEMPT_DIVERGED},
    {ATTEMPT_HANDED_OVER, EVENT_OVERDUE, ATTEMPT_SILENT},
    {ATTEMPT_HANDED_OVER, EVENT_SUPERSEDE, ATTEMPT_SILENT},

    /* A late report counts, as long as no other attempt has begun. */
    {ATTEMPT_SILENT, EVENT_SAW_TARGET, ATTEMPT_CONFIRMED},
    {ATTEMPT_SILENT, EVENT_SAW_OLD, ATTEMPT_NOT_APPLIED},
    {ATTEMPT_SILENT, EVENT_SAW_OTHER, ATTEMPT_DIVERGED},

    /* The last acknowledgement came shortly after the report; the caller sets the limit. */
    {ATTEMPT_NOT_BY_US, EVENT_ALL_ACKED, ATTEMPT_CONFIRMED},
    {ATTEMPT_NOT_BY_US, EVENT_HANDED_OVER, ATTEMPT_CONFIRMED},
};

static const char *const state_names[ATTEMPT_STATE_COUNT] = {
#define X(state, name) [state] = name,
    ATTEMPT_STATES(X)
#undef X
};
const struct enum_names attempt_state_names = ENUM_NAMES(state_names);

bool attempt_apply(enum attempt_state *state, enum attempt_event event)
{
    for (size_t i = 0; i < sizeof transitions / sizeof *transitions; i++) {
        if (transitions[i].from == *state && transitions[i].event == event) {
            *state = transitions[i].to;
            return true;
        }
    }
    return false;
}

static const char *const event_names[ATTEMPT_EVENT_COUNT] = {
    [EVENT_SEND] = "send",
    [EVENT_CUT] = "cut",
    [EVENT_ALL_ACKED] = "all-acknowledged",
    [EVENT_SAW_TARGET] = "saw-target",
    [EVENT_SAW_OLD] = "saw-old",
    [EVENT_SAW_OTHER] = "saw-third",
    [EVENT_OVERDUE] = "overdue",
    [EVENT_SUPERSEDE] = "superseded",
    [EVENT_HANDED_OVER] = "handed-over",
};

const char *attempt_event_name(enum attempt_event event)
{
    return event_names[event];
}

bool attempt_is_open(enum attempt_state state)
{
    return state == ATTEMPT_WAITING || state == ATTEMPT_SENDING || state == ATTEMPT_INTERRUPTED ||
           state == ATTEMPT_DELIVERED || state == ATTEMPT_HANDED_OVER;
}

const char *attempt_state_name(enum attempt_state state)
{
    return state_names[state];
}

bool attempt_state_parse(struct slice text, enum attempt_state *ret)
{
    unsigned state;
    if (!enum_find(&attempt_state_names, text, &state))
        return false;
    *ret = (enum attempt_state)state;
    return true;
}

static void forget_smallest(struct acked_ranges *ranges)
{
    unsigned smallest = 0;
    for (unsigned i = 1; i < ranges->count; i++)
        if (ranges->range[i].end - ranges->range[i].first <
            ranges->range[smallest].end - ranges->range[smallest].first)
            smallest = i;
    ranges->count--;
    memmove(&ranges->range[smallest], &ranges->range[smallest + 1],
            (ranges->count - smallest) * sizeof ranges->range[0]);
}

void acked_add(struct acked_ranges *ranges, uint64_t first, uint64_t end)
{
    if (end <= first)
        return;

    /* Ranges [from, to) touch or overlap the new one and are merged into it. */
    unsigned from = 0;
    while (from < ranges->count && ranges->range[from].end < first)
        from++;
    unsigned to = from;
    for (; to < ranges->count && ranges->range[to].first <= end; to++) {
        if (ranges->range[to].first < first)
            first = ranges->range[to].first;
        if (ranges->range[to].end > end)
            end = ranges->range[to].end;
    }

    if (from == to && ranges->count == ATTEMPT_RANGES_MAX) {
        /* Full: drop the smallest range, which may be the new one. */
        struct acked_ranges before = *ranges;
        forget_smallest(ranges);
        uint64_t lost = acked_total(&before) - acked_total(ranges);
        if (end - first <= lost)
            *ranges = before;
        else
            acked_add(ranges, first, end);
        return;
    }
    memmove(&ranges->range[from + 1], &ranges->range[to], (ranges->count - to) * sizeof ranges->range[0]);
    ranges->count = ranges->count - (to - from) + 1;
    ranges->range[from].first = first;
    ranges->range[from].end = end;
}

uint64_t acked_total(const struct acked_ranges *ranges)
{
    uint64_t total = 0;
    for (unsigned i = 0; i < ranges->count; i++)
        total += ranges->range[i].end - ranges->range[i].first;
    return total;
}

bool acked_covers(const struct acked_ranges *ranges, uint64_t size)
{
    return size > 0 && ranges->count > 0 && ranges->range[0].first == 0 && ranges->range[0].end >= size;
}

void acked_format(const struct acked_ranges *ranges, char out[ATTEMPT_RANGES_TEXT])
{
    size_t used = 0;
    out[0] = '\0';
    for (unsigned i = 0; i < ranges->count; i++)
        used += (size_t)snprintf(out + used, ATTEMPT_RANGES_TEXT - used, "%s%" PRIu64 "-%" PRIu64,
                                 i ? "," : "", ranges->range[i].first, ranges->range[i].end);
}

bool acked_parse(struct slice text, struct acked_ranges *ret)
{
    struct acked_ranges ranges = {.count = 0};
    struct slice rest = text.len ? text : (struct slice){NULL, 0}, item, first;

    while (slice_split(&rest, ',', &item)) {
        if (ranges.count == ATTEMPT_RANGES_MAX)
            return false;
        unsigned i = ranges.count++;
        slice_split(&item, '-', &first);
        if (!slice_u64(first, &ranges.range[i].first) || !slice_u64(item, &ranges.range[i].end) ||
            ranges.range[i].end <= ranges.range[i].first)
            return false;
        if (i > 0 && ranges.range[i].first <= ranges.range[i - 1].end)
            return false;
    }

    char again[ATTEMPT_RANGES_TEXT];
    acked_format(&ranges, again);
    if (!slice_is(text, again)) /* leading zeros */
        return false;
    *ret = ranges;
    return true;
}
