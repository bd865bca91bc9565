/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* One check-in in memory: what the request says of its sender, and what storage knows of the sender. */
#ifndef DFOTA_SERVER_CHECKIN_FACTS_H
#define DFOTA_SERVER_CHECKIN_FACTS_H

#include "server/checkin/admission.h"
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

/* A report of this grade replaces what is confirmed of the device. */
bool facts_counts(const struct facts *facts, enum grade grade);

/* Anyone could have sent the request, and the device has evidence of a higher grade. */
bool facts_are_lower(const struct facts *facts);

/* After the commit: logs what record_decision() has told the admin. */
void facts_log(const struct facts *facts, const char *network);

/* The sender is not a known device, or the device has used up its rows of the ledger for the day. Its log lines are
   limited. */
bool facts_of_stranger(const struct facts *facts);

#endif
