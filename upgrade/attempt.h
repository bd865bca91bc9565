/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* An attempt: one device and one hop. Its states and events, and the bytes that the peer has acknowledged.
   Pure. */
#ifndef DFOTA_UPGRADE_ATTEMPT_H
#define DFOTA_UPGRADE_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/enum_names.h"
#include "base/slice.h"

#define ATTEMPT_STATES(X)                                                                                    \
    X(ATTEMPT_WAITING, "waiting")         /* the device has asked; no bytes were sent */                     \
    X(ATTEMPT_SENDING, "sending")         /* a transfer has begun */                                         \
    X(ATTEMPT_INTERRUPTED, "interrupted") /* the transfer ended before all bytes were acknowledged */        \
    X(ATTEMPT_DELIVERED, "delivered")     /* the TCP peer acknowledged every byte of the package */          \
    X(ATTEMPT_HANDED_OVER, "handed_over") /* all bytes were acknowledged, some of them by our own proxy */   \
    X(ATTEMPT_CONFIRMED, "confirmed") /* delivered, and the device or its host reported the new version */   \
    X(ATTEMPT_NOT_BY_US,                                                                                     \
      "confirmed_not_by_us") /* the new version was reported, but not all bytes were acknowledged */         \
    X(ATTEMPT_NOT_APPLIED, "not_applied") /* the old version was reported after the delivery */              \
    X(ATTEMPT_DIVERGED, "diverged")       /* a third version was reported after bytes were sent */           \
    X(ATTEMPT_SILENT, "silent") /* delivered, but no report came in time, or before the next attempt */      \
    X(ATTEMPT_ABANDONED, "abandoned") /* replaced by another hop or offer, or ended before bytes were sent */

enum attempt_state {
#define X(state, name) state,
    ATTEMPT_STATES(X)
#undef X
        ATTEMPT_STATE_COUNT
};

extern const struct enum_names attempt_state_names;

/* A module has all bytes before it reports the new version, but the last acknowledgement may be late. An
   acknowledgement later than this after the report belongs to another download. */
#define ATTEMPT_LATE_ACK_MS 60000

enum attempt_event {
    EVENT_SEND,        /* a transfer begins: the first, another one, or a resume */
    EVENT_CUT,         /* a transfer ended before all bytes were acknowledged */
    EVENT_ALL_ACKED,   /* the acknowledged ranges cover the package */
    EVENT_HANDED_OVER, /* the same, but the TCP peer of some ranges was our own proxy */
    EVENT_SAW_TARGET,  /* the device or its host reported the version that the hop leads to */
    EVENT_SAW_OLD,     /* … the version that the hop starts from */
    EVENT_SAW_OTHER,   /* … a third version */
    EVENT_OVERDUE,     /* no report came in the allowed time */
    EVENT_SUPERSEDE,   /* another hop, or a new offer of this hop, replaces the attempt */
    ATTEMPT_EVENT_COUNT
};

/* Applies the event to *state. An event may leave the state unchanged (EVENT_SAW_OLD while sending). False
   if the event does not fit the state: then *state is unchanged, and the event is only recorded. */
bool attempt_apply(enum attempt_state *state, enum attempt_event event);

const char *attempt_event_name(enum attempt_event event); /* "send", "saw-target", … */
bool attempt_is_open(enum attempt_state state); /* waiting to handed_over; a device has at most one */
const char *attempt_state_name(enum attempt_state state);
bool attempt_state_parse(struct slice text, enum attempt_state *ret);

/* The bytes of a package that the peer has acknowledged: ascending ranges [first, end) with gaps between
   them. If more than ATTEMPT_RANGES_MAX ranges are needed, the smallest is dropped, so the record never
   contains more than was seen. */
#define ATTEMPT_RANGES_MAX  32
#define ATTEMPT_RANGES_TEXT (ATTEMPT_RANGES_MAX * 42) /* two numbers of 20 digits, hyphen, comma or NUL */

struct acked_ranges {
    struct {
        uint64_t first, end;
    } range[ATTEMPT_RANGES_MAX];
    unsigned count;
};

void acked_add(struct acked_ranges *ranges, uint64_t first, uint64_t end); /* does nothing if end <= first */
uint64_t acked_total(const struct acked_ranges *ranges);
/* Whether the ranges cover [0, size). False for size 0. */
bool acked_covers(const struct acked_ranges *ranges, uint64_t size);
/* "0-4096,8192-9000" (without the end), for storage. acked_parse() reads only what acked_format() writes. */
void acked_format(const struct acked_ranges *ranges, char out[ATTEMPT_RANGES_TEXT]);
bool acked_parse(struct slice text, struct acked_ranges *ret);

#endif
