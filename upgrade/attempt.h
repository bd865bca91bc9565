/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* An attempt: one device, one hop. One table of (state, event) → state. */
#ifndef DFOTA_UPGRADE_ATTEMPT_H
#define DFOTA_UPGRADE_ATTEMPT_H

#include <stdbool.h>
#include <stdint.h>
#include "base/enum_names.h"
#include "base/slice.h"

#define ATTEMPT_STATES(X)                                                                                    \
    X(ATTEMPT_WAITING, "waiting")         /* the device asked, the package is not ready */                   \
    X(ATTEMPT_SENDING, "sending")         /* an answer with firmware was begun */                            \
    X(ATTEMPT_INTERRUPTED, "interrupted") /* that transfer ended before all was acknowledged */              \
    X(ATTEMPT_DELIVERED, "delivered")     /* the TCP peer acknowledged every byte of the package */          \
    X(ATTEMPT_HANDED_OVER, "handed_over") /* all was acknowledged, but some of it by a proxy of our own */   \
    X(ATTEMPT_CONFIRMED, "confirmed") /* delivered, and the device or its host reported the new version */   \
    X(ATTEMPT_NOT_BY_US,                                                                                     \
      "confirmed_not_by_us") /* the new version was reported, but not all bytes were seen to arrive */       \
    X(ATTEMPT_NOT_APPLIED, "not_applied") /* it came back with the old version after delivery */             \
    X(ATTEMPT_DIVERGED, "diverged")       /* it came back with a third version after bytes had gone */       \
    X(ATTEMPT_SILENT, "silent")           /* delivered; nobody reported in time, or before the next one */   \
    X(ATTEMPT_ABANDONED, "abandoned")     /* given up for another hop or offer, or nothing had gone */

enum attempt_state {
#define X(state, name) state,
    ATTEMPT_STATES(X)
#undef X
        ATTEMPT_STATE_COUNT
};

extern const struct enum_names attempt_state_names;

enum attempt_event {
    EVENT_SEND,        /* an answer with firmware begins (first, again, or a resume) */
    EVENT_CUT,         /* a transfer ended, not all acknowledged */
    EVENT_ALL_ACKED,   /* the acknowledged ranges cover the package */
    EVENT_HANDED_OVER, /* the same, but for some of them the TCP peer was our own proxy */
    EVENT_SAW_TARGET,  /* the device or its host reported the version the hop leads to */
    EVENT_SAW_OLD,     /* … the version the hop starts from */
    EVENT_SAW_OTHER,   /* … a third version */
    EVENT_OVERDUE,     /* nobody reported in the time allowed */
    EVENT_SUPERSEDE,   /* a decision for another hop, or a new offer of this one, takes its place */
    ATTEMPT_EVENT_COUNT
};

/* False, and *state untouched, when the event does not fit the state (it is then recorded and changes nothing). Fitting
   events may leave the state as it is (EVENT_SAW_OLD while sending). */
bool attempt_apply(enum attempt_state *state, enum attempt_event event);

const char *attempt_event_name(enum attempt_event event); /* "send", "saw-target", … */
bool attempt_is_open(enum attempt_state state); /* waiting to handed_over; a device has at most one */
const char *attempt_state_name(enum attempt_state state);
bool attempt_state_parse(struct slice text, enum attempt_state *ret);

/* What the peer has acknowledged of a package: disjoint, non-touching, ascending ranges [first, end). When over
   ATTEMPT_RANGES_MAX would be needed the smallest is forgotten: never more is claimed than was seen. */
#define ATTEMPT_RANGES_MAX  32
#define ATTEMPT_RANGES_TEXT (ATTEMPT_RANGES_MAX * 42) /* two numbers of 20 digits, hyphen, comma or NUL */

struct acked_ranges {
    struct {
        uint64_t first, end;
    } range[ATTEMPT_RANGES_MAX];
    unsigned count;
};

void acked_add(struct acked_ranges *ranges, uint64_t first, uint64_t end); /* empty when end <= first */
uint64_t acked_total(const struct acked_ranges *ranges);
bool acked_covers(const struct acked_ranges *ranges,
                  uint64_t size); /* [0, size) whole; size 0 is never covered */
/* "0-4096,8192-9000" (end exclusive), for storage. Parsing refuses anything that acked_format would not write. */
void acked_format(const struct acked_ranges *ranges, char out[ATTEMPT_RANGES_TEXT]);
bool acked_parse(struct slice text, struct acked_ranges *ret);

#endif
