/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One check-in in memory: what the request says of its sender, and what storage knows of the sender. */
#ifndef DFOTA_SERVER_CHECKIN_FACTS_H
#define DFOTA_SERVER_CHECKIN_FACTS_H

#include "server/campaign/member.h"
#include "server/checkin/admission.h"
#include "server/planning/plan_cache.h"
#include "storage/attempt.h"
#include "storage/device.h"
#include "storage/device_secret.h"
#include "storage/firmware.h"
#include "storage/guard.h"
#include "storage/image.h"
#include "storage/link.h"
#include "storage/package.h"
#include "storage/product.h"
#include "storage/traces.h"
#include "upgrade/guard.h"
#include "upgrade/decision.h"
#include "upgrade/attempt_slot.h"

#define SAID_SIZE 121

/* The words of the request, escaped for people. The admin sees them when the request is refused. */
struct said_words {
    char product_key[SAID_SIZE], firmware[SAID_SIZE], version[SAID_SIZE], id[SAID_SIZE];
};

/* The sender, as the request says. The dialect fills all but the last two; a link fills the last two. Both fill the
   secret. */
struct client_identity {
    char product_key[PRODUCT_KEY_SIZE];   /* "": missing or unusable */
    bool by_proxy;                        /* the TCP peer is one of config.device_proxies */
    char origin[ORIGIN_SIZE];             /* of the peer; "": origins are not distinguished */
    char network[ADMISSION_NETWORK_SIZE]; /* of the peer; "": not known, behind a proxy */
    bool id_usable;
    struct identity identity;
    bool id_raw;                       /* a uid with bytes that are not text; stored as hex */
    char firmware[FIRMWARE_NAME_SIZE]; /* "": missing or unusable */
    struct said_words said;
    bool secret_in_path;             /* the path is /t/SECRET/… */
    char secret[DEVICE_SECRET_SIZE]; /* in the path */
    char device_key[DEVICE_SECRET_SIZE];
    char token[LINK_TOKEN_SIZE];
    char version_text[FIRMWARE_NAME_SIZE +
                      VERSION_TEXT_SIZE]; /* in the URL; any form that name_parse_version_of() reads */
};

struct secret_facts {
    enum secret_kind kind;   /* SECRET_NONE: the request has no valid one */
    int64_t id;              /* of the valid one, or of the one of another owner */
    int64_t conflict_device; /* the known device whose id came with the secret of another owner; 0: none */
    struct device device;    /* that device, after client_secret_record_conflict() */
    bool tells_conflict;     /* the ledger has a new row about it */
};

enum build_by {
    BUILD_NOT_KNOWN, /* the only build or the default counts */
    BUILD_KNOWN,     /* stored of the device */
    BUILD_BY_CORE_ID,
    BUILD_BY_ELIMINATION,
    BUILD_OF_NONE /* it runs none that a package may be made from */
};

struct base_build { /* which build of the base the device runs, see base_build.h */
    enum build_by by;
    struct sha256 sha256; /* of the image, or image_no_build */
};

struct facts {
    bool by_proxy;
    enum grade grade; /* of the version in the request */
    char origin
        [ORIGIN_SIZE]; /* of the client, or ORIGIN_LINK; "": all requests of the device count as one origin */
    char peer[ORIGIN_SIZE]; /* origin of the client, for the record */
    enum attempt_slot slot; /* which attempt the request is about */
    struct attempt main;    /* the main attempt, when the request is about another; id 0: no such attempt */
    struct guard guard;
    char guard_why[GUARD_TEXT_SIZE]; /* why the guard closes with this request; "": it does not */
    enum admission admission;        /* for a device that is not known */
    bool admission_told;             /* the ledger says already that the limit is reached */
    bool tells_admission;            /* record_decision() has added that row to the ledger now */
    struct checkin checkin;          /* with the version from the URL of a link */
    struct version named;            /* the version in the request, with its middle part */
    struct snapshot snapshot;
    struct secret_facts secret;
    struct product product;
    struct firmware firmware; /* its target is that of the campaign that leads the device */
    struct campaign_member member;
    struct device device;   /* valid with snapshot.device_known */
    struct traces traces;   /* of the device, before this check-in */
    struct link link;       /* valid over a known link */
    struct attempt attempt; /* valid with snapshot.attempt_open */
    struct base_build build;
    struct planned planned; /* the way to the target, when the base is another version */
    bool clamped;           /* times of the device were in the future and were set to now: to be stored */
    struct said said;       /* with what this check-in over the dialect says */
    bool said_changed, newly_shared;
    bool counted; /* record_decision() has counted the check-in, in the row of the device */
    bool noted; /* record_decision() has added a row to the ledger, because the check-in changed something */
    bool spent; /* no row was added, because the budget of the day is used up */
};

/* A report of this grade replaces what is confirmed of the device. */
bool facts_counts(const struct facts *facts, enum grade grade);

/* Anyone, or any device of the product, could have sent the request, and the device has evidence of a higher grade. */
bool facts_are_lower(const struct facts *facts);

/* After the commit: logs what record_decision() has told the admin. */
void facts_log(const struct facts *facts, const char *network);

/* The sender is not a known device, or the device has used up its rows of the ledger for the day. Its log lines are
   limited. */
bool facts_of_stranger(const struct facts *facts);

#endif
