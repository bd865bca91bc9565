/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The next things to do: what waits for a person, each with the one action that settles it. The list is bounded, and
   its statements read no fleet (storage/overview.h), except for versions with several builds and no default. */
#ifndef DFOTA_SERVER_ADMIN_ATTENTION_H
#define DFOTA_SERVER_ADMIN_ATTENTION_H

#include "server/admin/call.h"
#include "storage/firmware.h"
#include "storage/overview.h"
#include "storage/product.h"

#define ATTENTION_MAX     50 /* things in the list */
#define ATTENTION_OF_KIND 5  /* of one kind, and one firmware or product */

struct attention {
    struct admin_call *call;
    json_t *items; /* owned by the caller */
    bool more;     /* there are others of the same kinds */
};

/* Adds one thing. Takes over `subject` (an object that names what it is about) and `action`. since_ms 0: not known. */
void attention_put(struct attention *attention, const char *kind, json_t *subject, int64_t since_ms,
                   json_t *action, const char *format, ...) __attribute__((format(printf, 6, 7)));
/* The action. method NULL: one call does not settle it, a person has to decide. Else the call; the rest is its path,
   whose parts are encoded already. */
json_t *attention_action(const char *name, const char *method, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The name of a firmware as a part of a path. Returns `out`. */
const char *attention_encode(const char *name, char out[3 * FIRMWARE_NAME_SIZE]);

/* Things of the whole server; of one product; of one firmware. */
bool attention_server(struct attention *attention, struct error *err) __attribute__((warn_unused_result));
bool attention_product(struct attention *attention, const struct product *product, struct error *err)
    __attribute__((warn_unused_result));
bool attention_firmware(struct attention *attention, const struct product *product,
                        const struct firmware *firmware, const struct overview_counts *counts,
                        struct error *err) __attribute__((warn_unused_result));

#endif
