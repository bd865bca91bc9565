/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The decision about a check-in: what the device gets, why, and what the server records. Pure: no clock, no
   I/O.

   The decision has two steps, because the second needs data that depends on the base:
   1. decision_base() returns the version that the device is served from.
   2. The caller loads the images, package, attempt and counts for this base. decision_make() then decides.
   HEAD and "explain" make the same decision and record nothing. */
#ifndef DFOTA_UPGRADE_DECISION_H
#define DFOTA_UPGRADE_DECISION_H

#include <stdbool.h>
#include <stdint.h>
#include "base/sha256.h"
#include "upgrade/allowance.h"
#include "upgrade/answer.h"
#include "upgrade/attempt.h"
#include "upgrade/campaign.h"
#include "upgrade/canary.h"
#include "upgrade/grade.h"
#include "upgrade/planner.h"
#include "upgrade/reason.h"
#include "upgrade/version.h"

enum checkin_source {
    CHECKIN_DIALECT, /* the device says which version it runs: evidence */
    CHECKIN_LINK     /* somebody typed the version into the URL: it selects a base and is not evidence */
};

struct range { /* the Range header of the request */
    bool present;
    bool bad;      /* malformed, several ranges, a suffix, or another unit: the answer is 416, never 200 */
    bool has_last; /* bytes=FIRST-LAST; otherwise bytes=FIRST- */
    uint64_t first, last;
};

struct checkin {
    enum checkin_source source;
    int64_t now_ms;         /* UTC */
    struct version version; /* the version in the request; count 0: none */
    struct range range;
    bool offer;       /* the device asks for the URL of a package, not for its bytes */
    bool core_leads;  /* the version is CORE.x.y.z: compare only CORE with images that are named CORE */
    bool has_core_id; /* libfota3 names the kind of its core */
    int64_t core_id;
    bool drops_middle; /* the version is CORE.x.y.z: leave out y if the target is named CORE.x.z */
};

#define RELEASER_SIZE 101 /* an admin's name */

enum package_state {
    PACKAGE_NONE,
    PACKAGE_QUEUED,
    PACKAGE_GENERATING,
    PACKAGE_READY,
    PACKAGE_UNPROVEN, /* made, but this server could not apply it, and no admin has released it */
    PACKAGE_FAILED,
    PACKAGE_QUARANTINED /* made, but out of service: devices came back with the old version */
};

enum secret_state {
    SECRET_FINE,       /* it is valid, or none is needed */
    SECRET_WRONG_PATH, /* the path has a secret that is not valid, or not for this device */
    SECRET_WRONG_KEY,  /* the device_key is the secret of another device or product */
    SECRET_MISSING     /* the product demands one, and the request has none that is valid */
};

/* The state of the database at this moment. The decision ignores fields whose `…_known` is false. */
struct snapshot {
    /* the device and its product */
    bool product_known, id_usable, link_unknown, link_revoked;
    enum secret_state secret;
    bool firmware_named;     /* the request contains a firmware name */
    bool firmware_known;     /* … of this product */
    bool firmware_elsewhere; /* … of another product */
    bool device_known;
    bool refuse_new;             /* the product refuses devices that it does not know */
    bool hold_new;               /* the product holds them until an admin admits them */
    bool held, retired;          /* the device is waiting to be admitted; an admin retired it */
    bool held_out;               /* an admin holds it out of all campaigns */
    bool admission_full;         /* the product has reached its daily limit of new devices */
    bool admission_network_full; /* the device's network has reached its share of that limit */
    bool shared; /* two modules seem to use this id: a report of one says nothing about the other's package */
    bool blocked;               /* the loop guard has blocked the device for the origin of this request */
    struct version confirmed;   /* the last reported version of this firmware; count 0: none */
    enum grade confirmed_grade; /* the grade of the last report, of any firmware */
    enum grade grade;           /* the grade of this request */

    /* the firmware */
    bool no_address; /* the server does not know the URL that devices must use */
    bool format_set;
    uint64_t max_package_bytes;
    struct version target; /* count 0: none */
    bool downgrades;       /* an admin allows older targets */

    /* the campaign that leads the device to the target */
    char campaign[CAMPAIGN_NAME_SIZE]; /* "": none */
    bool campaign_paused;
    char campaign_why[REASON_SIZE];   /* when paused: a reason */
    bool finish_transfers;            /* when paused: unfinished downloads go on */
    bool campaign_holds;              /* no stage has admitted the device, and the current one does not */
    char campaign_stage[REASON_SIZE]; /* when it holds: what the stage admits, a reason */

    /* the base that decision_base() returned */
    struct version base; /* count 0: none */
    bool
        base_gone; /* the build that the device runs is not stored any more, but another one of its version is */
    char base_builds[300]; /* variants of the base, when several are stored and none is chosen; else "" */
    char
        build_doubt[REASON_SIZE]; /* why the stored builds are not its base, a reason; "": nothing is wrong */
    bool
        places_differ; /* the builds of the base have their scripts in different places, or for different machines, and it
                           is not recorded which one the device runs; base_builds names them */
    bool base_known;                     /* its image is stored, or a path leads from it without an image */
    bool base_full;                      /* only a full package of it is stored: no delta is made from it */
    char target_core[VERSION_TEXT_SIZE]; /* the target is a full package for this core; "": an image */

    /* the path from base to target */
    enum plan_outcome plan;
    char plan_reason[REASON_SIZE]; /* with PLAN_WAIT and PLAN_NONE (reason.h) */
    struct version hop; /* the first hop of the path, or the most promising one; count 0: the target */
    bool pairs_unasked; /* the path needs packages that are not queued yet */

    /* the package base → hop */
    enum package_state package;
    bool package_whole;           /* a full package of CSDK, also with package_full */
    bool package_full;            /* a full package: it needs no base image and no package format */
    uint64_t package_size;        /* when ready */
    uint64_t package_uncounted;   /* of the size: bytes that do not count against the limit */
    char package_error[160];      /* when failed */
    char package_quarantine[200]; /* when quarantined: a reason, or the words of an admin */
    struct trial trial;           /* of the package; quarantined: a full package is out of service */
    struct trial_limits trial_limits;
    bool trial_own_failed; /* the device is among trial.not_applied */
    bool
        late_failed; /* the version in the request says that the device, silent since, did not apply this package */
    char canary_device[80];                  /* trial.other_tries: the device that tries it, "imei:…" */
    char package_released_by[RELEASER_SIZE]; /* who released the unproven package; "": it is not unproven */

    /* whether a download may begin now */
    struct allowance allowance;
    struct allowance_use allowance_use;

    /* the open attempt of the device */
    bool attempt_open;
    bool attempt_unclear; /* a request from the middle could continue either of two downloads */
    enum attempt_state attempt_state;
    struct version attempt_from, attempt_to, attempt_target;
    bool attempt_same_firmware;
    bool
        attempt_other_package; /* its bytes are not those of the package base → hop: the base was another build */
    char attempt_stopped_by
        [CAMPAIGN_NAME_SIZE];  /* its campaign was cancelled or leads to another version now, and
                                                    does not let downloads end; "": it may go on */
    bool attempt_by_link;      /* it was offered over the link of this request */
    int64_t attempt_active_ms; /* UTC of the last byte sent or acknowledged; 0: nothing is pinned */
    bool pinned_servable;      /* the pinned bytes are stored, not withdrawn, and proven or released */
    uint64_t pinned_size, pinned_uncounted;
    char pinned_released_by[RELEASER_SIZE]; /* as package_released_by */
    bool pinned_full;                       /* the pinned bytes are a full package */
    bool pinned_whole;                      /* the pinned bytes are a full package of CSDK */

    /* counts */
    unsigned
        begun_last_day; /* downloads that this origin began (200, or 206 from byte 0) in the last 24 hours */
    unsigned hops_completed;   /* other hops among them that were confirmed: several hops are not a loop */
    unsigned link_deliveries;  /* from this base to this target over this link, since the last report */
    int64_t link_delivered_ms; /* UTC of the last of these deliveries */
};

struct decision_limits {
    unsigned loop_guard_per_day; /* downloads */
    int64_t pin_idle_ms;
    unsigned link_offers; /* the first offer included */
    int64_t link_offer_gap_ms;
    struct allowance_limits allowance;
};

struct decision {
    unsigned rule; /* index of the rule that answered */
    enum answer answer;
    uint64_t first, end; /* ANSWER_FULL, ANSWER_PART: bytes [first, end) of the package */
    bool resume;         /* send the pinned bytes of the open attempt; otherwise the package base → hop */
    char reason[REASON_SIZE]; /* why (reason.h) */

    /* What the server records, in this order. HEAD and "explain" record nothing. */
    bool admit;       /* create the new device */
    bool hold;        /* the new device is held until an admin admits it */
    bool confirm;     /* the device runs checkin.version */
    bool claim;       /* keep checkin.version as a claim beside evidence of a higher grade */
    bool end_attempt; /* apply attempt_event to the open attempt, before a new one begins */
    enum attempt_event attempt_event;
    bool unpin;          /* the open attempt stays open, but its download cannot be continued any more */
    bool queue_packages; /* queue the packages that the path needs */
    bool open_attempt;   /* begin an attempt base → hop in state waiting */
    bool aim_attempt;    /* the open attempt has sent nothing yet: it leads to the hop from now on */
    bool send;  /* apply EVENT_SEND to the open attempt; unless resume, pin the package base → hop to it */
    bool begun; /* the download counts for the loop guard: send, and not a resume */
    bool block; /* the loop guard blocks the device */
    bool wait_for_transfer; /* the device is told to ask again soon, when a transfer has ended */
    bool notice_stale_link; /* show the admin: stale link or refused package */
};

/* The version that the device is served from. In the dialect: the version in the request. Over a link: the
   version in the URL, or the last confirmed version if it is newer or the URL has none. count 0: unknown. */
struct version decision_base(const struct checkin *checkin, const struct version *confirmed);

void decision_make(const struct checkin *checkin, const struct snapshot *snapshot,
                   const struct decision_limits *limits, struct decision *ret);

/* The question of a rule, for "explain". rule: at most the one that answered. */
enum reason_code decision_rule(unsigned rule);

/* The event for the open attempt when a host or an admin reports the device's version. Reads only the
   attempt's state, versions and firmware from the snapshot. False: there is no open attempt, or the report
   does not change it. */
bool decision_report(const struct version *reported, const struct snapshot *snapshot,
                     enum attempt_event *ret);

#endif
