/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Decides whether a version in a transcript or a list counts as the version that the device runs now.

   A transcript or a list may arrive long after the version was seen. It must not replace a version that was
   confirmed later. So it is ordered by the earliest time at which the version can have been seen. If the
   clocks leave the order open, a newer version counts, because modules normally upgrade. Pure: no clock. */
#ifndef DFOTA_UPGRADE_TESTIMONY_H
#define DFOTA_UPGRADE_TESTIMONY_H

#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/sha256.h"
#include "upgrade/version.h"

/* The largest time zone. Some modules print the network time as local time, some as UTC, both followed by
   the zone. It is read as local time: the result is right, or too early by the zone. */
#define TESTIMONY_ZONE_MS (14 * HOUR_MS)

struct testimony {
    struct version version;
    const struct sha256 *build; /* the image that is said to run; NULL: not said */
    int64_t seen_ms;            /* UTC; the earliest time that the text or its sender gives; 0: none */
    bool by_network;            /* seen_ms is a network time */
    int64_t arrived_ms;         /* UTC; when the server got it, or the latest time at which it was written */
    bool same_firmware;         /* as the confirmed version: only then the versions can be compared */
    bool live;                  /* sent by the device's host, which sends what it has just captured */
    bool has_outcome;           /* before the version the text shows how a complete package ended */
    int64_t
        proven_ms; /* UTC; the text shows how the package of the main attempt was applied, and this is when that
                           package was delivered. Then the version was seen after that, whatever seen_ms is; 0: no */
};

struct verdict {
    bool counts;
    int64_t at_ms;   /* UTC; since when the device runs the version; not before the confirmed time */
    const char *why; /* why it does not count; NULL if it counts; static storage */
};

/* The version `confirmed` (count 0: none) was last seen at confirmed_ms. */
struct verdict testimony_weigh(const struct testimony *testimony, const struct version *confirmed,
                               int64_t confirmed_ms);

/* Whether the version was seen after `since_ms`, for example after bytes were sent: only then it can be
   their result. `upward`: the version is newer than the one at since_ms. */
bool testimony_is_after(const struct testimony *testimony, int64_t since_ms, bool upward);

/* The first moment at which a newer version can be the result of a package: its bytes were sent, and the last
   acknowledgement came at delivered_ms (0: not yet), which is late when it comes a minute later. */
int64_t testimony_result_since(int64_t sent_ms, int64_t delivered_ms);

/* Whether the version was seen late enough to be the result of a package, which leads `upward` or not. sent_ms: when
   its first byte was sent; delivered_ms: when all were acknowledged, or 0. */
bool testimony_tells_result(const struct testimony *testimony, int64_t sent_ms, int64_t delivered_ms,
                            bool upward);

#endif
