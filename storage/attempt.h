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

/* Conditions in SQL, as the indexes attempt_open and attempt_pinned have them. `of` is "" or the name of the table in the
   statement with a dot. Not with IN: migration 043 says why. */
#define ATTEMPT_IS_OPEN(of)                                                                                  \
    "(" of "state = 'waiting' OR " of "state = 'sending' OR " of "state = 'interrupted' OR " of              \
    "state = 'delivered' OR " of "state = 'handed_over')"
#define ATTEMPT_IS_PINNED(of)                                                                                \
    "(" of "state = 'sending' OR " of "state = 'interrupted' OR " of "state = 'handed_over')"

struct attempt {
    int64_t id, device_id, firmware_id, link_id; /* link_id 0: the device asked over the dialect */
    int64_t campaign_id;                         /* the campaign that leads the device; 0: none */
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE], target[VERSION_TEXT_SIZE];
    enum attempt_state state;
    char reason[REASON_SIZE]; /* of the decision that opened or last moved the attempt */
    /* The bytes that the attempt is pinned to, from the first byte that was sent; "" and 0 before. */
    char format[FORMAT_SIZE];
    struct sha256 package_sha256;
    int64_t size_bytes;
    bool proven;                       /* the package was applied on this server */
    char released_by[ADMIN_NAME_SIZE]; /* of an unproven package: the admin who released it */
    char origin[ORIGIN_SIZE];          /* where the request came from that began the bytes; "": not known */
    char elsewhere[ORIGIN_SIZE];       /* the last other origin that asked for the package; "": none */
    bool beside;                       /* kept beside the device's main attempt (upgrade/attempt_slot.h) */
    bool by_proxy;                     /* some bytes went to a proxy of our own */
    char acked[ATTEMPT_RANGES_TEXT];   /* acked_format() */
    int64_t bytes_acked, fetches;
    int64_t created_ms, sent_ms, delivered_ms, ended_ms; /* 0: not yet */
    int64_t ready_ms;  /* when webhooks were told that its package is ready; 0: not yet */
    int64_t active_ms; /* when bytes were last begun or acknowledged; 0: there is nothing to resume */
};

/* The open attempt of a device: the main one, or the one beside it. */
/* Both open attempts of a device: [0] the main one, [1] the one beside. */
bool attempt_open_pair(struct db *db, int64_t device_id, struct attempt ret[2], bool ret_open[2],
                       struct error *err);
bool attempt_open_of(struct db *db, int64_t device_id, bool beside, struct attempt *ret, bool *ret_found,
                     struct error *err);
/* The attempt beside becomes the main attempt. The main attempt must have ended. */
bool attempt_promote(struct db *db, struct attempt *attempt, struct error *err);
/* The newest main attempt of a device, if it is silent. */
bool attempt_silent_of(struct db *db, int64_t device_id, struct attempt *ret, bool *ret_found,
                       struct error *err);
bool attempt_by_id(struct db *db, int64_t id, struct attempt *ret, bool *ret_found, struct error *err);
bool attempt_add(struct db *db, struct attempt *attempt, struct error *err); /* fills attempt->id */
/* Replaces the device's newest attempt that ended before a byte was sent, and keeps the id of that
   attempt. *ret_found false: there is no such attempt, and nothing was changed. An offer to libfota3 of
   the replaced attempt is deleted. */
bool attempt_add_in_place(struct db *db, struct attempt *attempt, bool *ret_found, struct error *err);
/* Stores all fields but those that an attempt has from its beginning: device, firmware, from, created_ms,
   beside. */
bool attempt_update(struct db *db, const struct attempt *attempt, struct error *err);
/* Newest first, at most `limit`; *ret is the caller's (free). */
bool attempt_list(struct db *db, int64_t device_id, int64_t limit, struct attempt **ret, size_t *ret_count,
                  struct error *err);

/* What to count, after since_ms. Times that are ahead of now_ms do not count. */
struct attempt_filter {
    const char *from, *to;
    int64_t since_ms, now_ms;
};
struct link_deliveries { /* count 0: none */
    int64_t count, last_ms;
};
/* How many packages from filter->from were delivered over a link, on the way to the target filter->to. */
bool attempt_link_deliveries(struct db *db, int64_t link_id, const struct attempt_filter *filter,
                             struct link_deliveries *ret, struct error *err);
/* How many hops of a device other than filter->from → filter->to were confirmed. */
bool attempt_count_completed(struct db *db, int64_t device_id, const struct attempt_filter *filter,
                             int64_t *ret, struct error *err);

/* Sets the times that are ahead of now_ms to now_ms. */
void attempt_clamp(struct attempt *attempt, int64_t now_ms);
/* At start: what was `sending` when the server ended was interrupted. */
bool attempt_list_sending(struct db *db, struct attempt **ret, size_t *ret_count, struct error *err);
bool attempt_interrupt_all(struct db *db, struct error *err);

#endif
