/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What storage knows when a device asks: loaded at once, in the writer's thread, as the snapshot that the
 * rules judge. */
#ifndef DFOTA_SERVER_CHECKIN_LOOKUP_H
#define DFOTA_SERVER_CHECKIN_LOOKUP_H

#include "server/checkin/admission.h"
#include "server/context.h"
#include "server/planning/plan_cache.h"
#include "storage/attempt.h"
#include "storage/device.h"
#include "storage/firmware.h"
#include "storage/image.h"
#include "storage/link.h"
#include "storage/package.h"
#include "storage/product.h"
#include "storage/said.h"
#include "upgrade/decision.h"
#include "upgrade/attempt_slot.h"

#define SAID_SIZE 121

/* What the request says, raw and escaped for people: what it was when it is refused. */
struct said_words {
    char product_key[SAID_SIZE], firmware[SAID_SIZE], version[SAID_SIZE], id[SAID_SIZE];
};

/* Who asks, as the request says it. Of the dialect the first four; over a link the last two. */
struct client_identity {
    char product_key[PRODUCT_KEY_SIZE];   /* "": none or unusable */
    bool by_proxy;                        /* the TCP peer is one of config.device_proxies */
    char origin[ORIGIN_SIZE];             /* of its peer; "": not told apart */
    char network[ADMISSION_NETWORK_SIZE]; /* of the peer, ""; behind a proxy: not known */
    bool id_usable;
    struct identity identity;
    bool id_raw;                       /* a uid in bytes that are not text; kept as hex */
    char firmware[FIRMWARE_NAME_SIZE]; /* "": none or unusable */
    struct said_words said;
    char token[LINK_TOKEN_SIZE];
    char version_text[FIRMWARE_NAME_SIZE +
                      VERSION_TEXT_SIZE]; /* in the URL; any form that name_parse_version_of() takes */
};

struct facts {
    bool by_proxy;
    enum grade grade;         /* of what the request says */
    char origin[ORIGIN_SIZE]; /* the client's, ORIGIN_LINK, or "": all requests of the device count as one */
    char peer[ORIGIN_SIZE];   /* the client's, for the record */
    enum attempt_slot slot;   /* which attempt it is about */
    struct attempt main;      /* where that is not the main one: the main one; id 0: none */
    struct guard guard;
    enum admission admission; /* of a device that is not known */
    bool admission_told;      /* the ledger says that it is full */
    bool tells_admission;     /* record_decision() has put that into the ledger just now */
    struct checkin checkin;   /* with the version that a link's URL names */
    struct version named;     /* the version in the request, before its middle is dropped */
    struct snapshot snapshot;
    struct product product;
    struct firmware firmware;
    struct device device;   /* where snapshot.device_known */
    struct link link;       /* over a link that is known */
    struct attempt attempt; /* where snapshot.attempt_open */
    struct planned planned; /* the way to the target, from a base that is another version */
    bool clamped;           /* times of the device lay ahead of now, and have become now: to be stored */
    struct said said;       /* with what a check-in over the dialect says now */
    bool said_changed, newly_shared;
    bool noted; /* record_decision() has put the check-in into the ledger, because it changed something */
    bool spent; /* it would have, but the budget of the day is spent */
};

/* Writer's thread, in a transaction: what transfers of the device have had acknowledged up to now is stored
   on the way, because it decides. ERROR_NOT_FOUND for a link whose URL names no version that can be read. */
bool lookup_load(struct daemon *daemon, struct db *db, const struct client_identity *client,
                 const struct checkin *checkin, struct facts *ret, struct error *err)
    __attribute__((warn_unused_result));

/* After the commit: logs what record_decision() has told the admin. */
void facts_log(const struct facts *facts, const char *network);

/* Nobody that is known asks: what is logged of it counts as a stranger's. Once a device has spent its rows of the ledger
   for the day, it counts as one too. */
bool facts_of_stranger(const struct facts *facts);

/* Writer's thread: stores what the decision says is to be recorded. The attempt that bytes are sent for is
   then facts->attempt. */
bool record_decision(struct daemon *daemon, struct db *db, const struct client_identity *client,
                     struct facts *facts, const struct decision *decision, struct error *err)
    __attribute__((warn_unused_result));

/* The same for a device and a firmware that the caller has, without a request: what record_report() needs. */
bool lookup_device(struct daemon *daemon, struct db *db, const struct device *device,
                   const struct firmware *firmware, int64_t now_ms, struct facts *ret, struct error *err)
    __attribute__((warn_unused_result));

struct report { /* of a version that a device runs, from elsewhere than its own check-in */
    struct version version;
    const char *by; /* as device.confirmed_by */
    int64_t at_ms;  /* since when it is known */
    enum grade grade;
    bool tells_attempt; /* it was seen late enough to say what became of the open attempt */
};

/* Whether a report of this grade replaces what is confirmed of the device. */
bool facts_counts(const struct facts *facts, enum grade grade);

/* Writer's thread: confirms it, ends the attempts it speaks of, takes back a notice. One of a lower grade than
   what is confirmed becomes a claim instead, and decides nothing. */
bool record_report(struct db *db, struct facts *facts, const struct report *report, struct error *err)
    __attribute__((warn_unused_result));

#endif
