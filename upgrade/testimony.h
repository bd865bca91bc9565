/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* A version that somebody wrote down: does it count as what the device runs, or has something newer been said
   since?

   A transcript, or a line of a list, may arrive long after the version was seen. It must not take back what
   was confirmed later, so it is put in order by the earliest moment at which it can have been seen. Modules
   go upward only; that settles what the clocks leave open. Pure: no clock. */
#ifndef DFOTA_UPGRADE_TESTIMONY_H
#define DFOTA_UPGRADE_TESTIMONY_H

#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"
#include "upgrade/version.h"

/* Some modules print the network's time as local, some as universal, with the same zone behind it. It is read
   as local: the moment is then right, or too early by the zone, which is at most this. */
#define TESTIMONY_ZONE_MS (14 * HOUR_MS)

struct testimony {
    struct version version;
    int64_t seen_ms;    /* the earliest moment that the text, or who sent it, names; 0: none */
    bool by_network;    /* … and it is the network's time */
    int64_t arrived_ms; /* UTC, here; or when, at the latest, it was written down */
    bool same_firmware; /* as what is confirmed: only then one version is above the other */
    bool live;          /* sent by the device's own host, which sends what it has just captured */
    bool has_outcome;   /* the text shows how a whole package ended, before the version */
};

struct verdict {
    bool counts;
    int64_t at_ms;   /* since when, as far as is known: not before what was confirmed last */
    const char *why; /* it does not count; static */
};

/* `confirmed` (count 0: none) was last seen at confirmed_ms. */
struct verdict testimony_weigh(const struct testimony *testimony, const struct version *confirmed,
                               int64_t confirmed_ms);

/* Whether it was seen after `since_ms`, e.g. after bytes were sent: only then it can be what became of them.
   `upward`: what it shows is a newer version than ran then. */
bool testimony_is_after(const struct testimony *testimony, int64_t since_ms, bool upward);

#endif
