/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Attempts as they are stored: one device, one hop. The states and their table are in upgrade/attempt.h. */
#ifndef DFOTA_STORAGE_ATTEMPT_H
#define DFOTA_STORAGE_ATTEMPT_H

#include "storage/db.h"
#include "storage/device.h"
#include "storage/firmware.h"
#include "upgrade/attempt.h"
#include "upgrade/decision.h"

struct attempt {
    int64_t id, device_id, firmware_id, link_id; /* link_id 0: over the dialect */
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE], target[VERSION_TEXT_SIZE];
    char state[ATTEMPT_STATE_SIZE];
    char reason[REASON_SIZE]; /* of the decision that opened it or moved it last */
    /* The bytes it is pinned to, from the first that went out; "" and 0 before. */
    char format[FORMAT_SIZE];
    struct sha256 package_sha256;
    int64_t size_bytes;
    int64_t proven;                    /* 1: they were applied here */
    char released_by[ADMIN_NAME_SIZE]; /* where they were not: the admin who released them */
    char origin[ORIGIN_SIZE];    /* where the request came from that began the bytes; "": not told apart */
    char elsewhere[ORIGIN_SIZE]; /* where else its package was asked for, last; "": nowhere */
    int64_t beside;              /* 1: kept beside the device's main attempt (upgrade/attempt_slot.h) */
    int64_t by_proxy;            /* 1: some of them went to a proxy of our own */
    char acked[ATTEMPT_RANGES_TEXT]; /* acked_format() */
    int64_t bytes_acked, fetches;
    int64_t created_ms, sent_ms, delivered_ms, ended_ms; /* 0: not yet */
    int64_t active_ms; /* when bytes were last begun or acknowledged; 0: there is nothing to continue */
};

struct link_deliveries { /* of one base and target over one link */
    int64_t count, last_ms;
};

enum attempt_state attempt_state_of(const struct attempt *attempt);

/* The one attempt of a device that is not over: its main one, or the one beside. */
bool attempt_open_of(struct db *db, int64_t device_id, bool beside, struct attempt *ret, bool *ret_found,
                     struct error *err);
/* The one beside becomes the main one. The main one must be over. */
bool attempt_promote(struct db *db, struct attempt *attempt, struct error *err);
/* The newest of a device, where nobody has said what became of it. */
bool attempt_silent_of(struct db *db, int64_t device_id, struct attempt *ret, bool *ret_found,
                       struct error *err);
bool attempt_by_id(struct db *db, int64_t id, struct attempt *ret, bool *ret_found, struct error *err);
bool attempt_add(struct db *db, struct attempt *attempt, struct error *err); /* fills attempt->id */
/* Takes the place of the device's newest attempt that has ended without a byte sent, and keeps its number; *ret_found false:
   there is none, and nothing has happened. What that one was told of is gone. */
bool attempt_add_in_place(struct db *db, struct attempt *attempt, bool *ret_found, struct error *err);
bool attempt_update(struct db *db, const struct attempt *attempt, struct error *err);
/* Newest first, at most `limit`; *ret is the caller's (free). */
bool attempt_list(struct db *db, int64_t device_id, int64_t limit, struct attempt **ret, size_t *ret_count,
                  struct error *err);
/* How often a package from → anywhere on the way to target was delivered over this link after since_ms. What is dated ahead of
   now_ms does not count. */
bool attempt_link_deliveries(struct db *db, int64_t link_id, const char *from, const char *target,
                             int64_t since_ms, int64_t now_ms, struct link_deliveries *ret,
                             struct error *err);
/* How many other hops than from → to were confirmed of this device, of those begun after since_ms and not ahead of
   now_ms. */
bool attempt_count_gone(struct db *db, int64_t device_id, const char *from, const char *to, int64_t since_ms,
                        int64_t now_ms, int64_t *ret, struct error *err);
/* Its times, where they lie ahead of now_ms, become now_ms. */
void attempt_clamp(struct attempt *attempt, int64_t now_ms);
/* At start: what was `sending` when the server ended was interrupted. */
bool attempt_list_sending(struct db *db, struct attempt **ret, size_t *ret_count, struct error *err);
bool attempt_interrupt_all(struct db *db, struct error *err);

#endif
