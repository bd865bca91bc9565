/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The rule of a check-in: what does this device get, why, and what is to be recorded. Pure: no clock, no I/O.

   A check-in is decided in two steps, because what must be looked up depends on the base:
   1. decision_base() says from which version the device is served;
   2. the caller looks up images, package, attempt and counts for it, and decision_make() decides.
   The same decision without recording is HEAD and "explain". */
#ifndef DFOTA_UPGRADE_DECISION_H
#define DFOTA_UPGRADE_DECISION_H

#include <stdbool.h>
#include <stdint.h>
#include "base/sha256.h"
#include "upgrade/answer.h"
#include "upgrade/attempt.h"
#include "upgrade/grade.h"
#include "upgrade/planner.h"
#include "upgrade/version.h"

#define REASON_SIZE 240

enum checkin_source {
    CHECKIN_DIALECT, /* the device says which version it runs: evidence */
    CHECKIN_LINK /* the version was typed into the URL once: it selects a base and is evidence of nothing */
};

struct range { /* of the request's Range header */
    bool present;
    bool bad;      /* malformed, several ranges, a suffix, another unit: answered 416, never 200 */
    bool has_last; /* bytes=first-last; else open ended */
    uint64_t first, last;
};

struct checkin {
    enum checkin_source source;
    int64_t now_ms;         /* UTC */
    struct version version; /* as the request names it; count 0: none */
    struct range range;
    bool offer; /* it asks where to fetch, and is told so instead of being sent anything */
    bool
        core_leads; /* the version is CORE.x.y.z; where images are named CORE alone, the script does not count */
    bool
        drops_middle; /* the version is CORE.x.y.z; where the target is named CORE.x.z, it counts without y */
};

#define RELEASER_SIZE 101 /* an admin's name */

/* PACKAGE_UNPROVEN: made, but it could not be applied here, and no admin has released it. */
enum package_state {
    PACKAGE_NONE,
    PACKAGE_QUEUED,
    PACKAGE_GENERATING,
    PACKAGE_READY,
    PACKAGE_UNPROVEN,
    PACKAGE_FAILED
};

/* What storage knows at this moment. Fields behind a false `…_known` are not looked at. */
struct snapshot {
    /* who asks */
    bool product_known, id_usable, link_unknown, link_revoked;
    bool firmware_named;     /* a firmware name was sent */
    bool firmware_known;     /* in this product */
    bool firmware_elsewhere; /* not here, but in another product */
    bool device_known;
    bool admission_full;         /* this product has taken its daily number of new devices */
    bool admission_network_full; /* and it is the share of its network that is spent */
    bool
        shared; /* two modules seem to come under its id: what one says tells nothing of the other's package */
    bool blocked;               /* the loop guard closed on this device, for where the request comes from */
    struct version confirmed;   /* last reported version of the firmware asked for; count 0: none */
    enum grade confirmed_grade; /* of that report, whatever its firmware */
    enum grade grade;           /* of what the request says */

    /* firmware */
    bool no_address; /* the server knows of no URL to hand out */
    bool format_set;
    uint64_t max_package_bytes;
    struct version target; /* count 0: no target */
    bool downgrades;       /* an admin allows the way back */

    /* for the base that decision_base() named */
    struct version base; /* count 0: none */
    bool base_known;     /* its image is here, or some way leads from it all the same */
    /* where no way leads to the target */
    bool base_full;                      /* what is here of it is a full package: no delta is made from one */
    char target_core[VERSION_TEXT_SIZE]; /* the target is a full package, and this core may take it; "": it is
                                            an image */

    /* the way from base to target: PLAN_PATH where the package alone decides */
    enum plan_outcome plan;
    char plan_reason[REASON_SIZE]; /* with PLAN_WAIT and PLAN_NONE */
    struct version hop;            /* where it leads first, or is looked for; count 0: the target itself */
    bool pairs_unasked;            /* packages are worth making that nobody asked for yet */

    /* package base → hop */
    enum package_state package;
    bool package_full;       /* it is the full package: neither base image nor format matter */
    uint64_t package_size;   /* when ready */
    char package_error[160]; /* when failed */
    char package_released_by
        [RELEASER_SIZE]; /* who stands in for it though it is unproven, "": nobody has to */

    /* the device's open attempt, if any */
    bool attempt_open;
    bool attempt_unclear; /* two downloads of different bytes could be meant by a request from the middle */
    enum attempt_state attempt_state;
    struct version attempt_from, attempt_to, attempt_target;
    bool attempt_same_firmware;
    bool attempt_by_link;      /* it was offered over the very link that asks now */
    int64_t attempt_active_ms; /* when bytes were last begun or acknowledged; 0: nothing is pinned */
    bool pinned_servable;      /* the very bytes it began with are there, not withdrawn, proven */
    uint64_t pinned_size;
    char pinned_released_by[RELEASER_SIZE]; /* as package_released_by */
    bool pinned_full;                       /* they are a full package, which needs no package format */

    /* counts */
    unsigned
        begun_last_day; /* packages begun (200, or 206 from 0) to this device in the 24 hours before now, from where
                                    the request comes */
    unsigned
        hops_gone; /* other hops than this one among them that are on record as confirmed: a way of several
                                    is no loop */
    unsigned
        link_deliveries; /* from this base to this target over this link, since a version was last reported */
    int64_t link_delivered_ms; /* the last of them */
};

struct decision_limits {
    unsigned loop_guard_per_day; /* the vendor: 6 */
    int64_t pin_idle_ms;         /* 24 h */
    unsigned link_offers;        /* 3: the first and two more */
    int64_t link_offer_gap_ms;   /* 24 h */
};

struct decision {
    unsigned rule; /* the one that answered; those before it let the request pass */
    enum answer answer;
    uint64_t first, end;      /* ANSWER_FULL, ANSWER_PART: bytes [first, end) of the package */
    bool resume;              /* serve the pinned bytes of the open attempt; else the package base → hop */
    char reason[REASON_SIZE]; /* UTF-8, one sentence with the facts */

    /* To be recorded, in this order, unless the request only wants to know (HEAD, explain): */
    bool admit;       /* the device is new: create it */
    bool confirm;     /* checkin.version is what the device runs */
    bool claim;       /* checkin.version is kept as a claim beside evidence of a higher grade */
    bool end_attempt; /* apply attempt_event to the open attempt (before a new one is begun) */
    enum attempt_event attempt_event;
    bool unpin;          /* the open attempt stays, but what it was sent cannot be continued any more */
    bool queue_packages; /* packages are needed and nobody asked for them yet */
    bool open_attempt;   /* a new attempt base → hop, state waiting */
    bool aim_attempt;    /* the open attempt, of which nothing was sent, leads to the hop from now on */
    bool send;  /* EVENT_SEND to the attempt that is open then; unless resume, the package base → hop
                                     is pinned to it, anew where the same attempt is fetched again from the start */
    bool begun; /* counts in the loop guard: send, and not a resume */
    bool block; /* the loop guard closes */
    bool notice_stale_link; /* show the admin: stale link or refused package */
};

/* Which version the device is served from: what it says; over a link the last confirmed version where that is newer, or
   where the link names none. count 0: nobody knows. */
struct version decision_base(const struct checkin *checkin, const struct version *confirmed);

void decision_make(const struct checkin *checkin, const struct snapshot *snapshot,
                   const struct decision_limits *limits, struct decision *ret);

/* What a rule asks, in words, in the order in which they are asked; NULL behind the last. */
const char *decision_rule(unsigned rule);

/* A host's (or later an admin's) report of the version a device runs: what it does to the open attempt. Of the snapshot
   only the attempt's state, versions and firmware are looked at. False: nothing is open, or nothing changes. */
bool decision_report(const struct version *reported, const struct snapshot *snapshot,
                     enum attempt_event *ret);

#endif
