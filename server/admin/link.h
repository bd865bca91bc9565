/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Making links, one or many. */
#ifndef DFOTA_SERVER_ADMIN_LINK_H
#define DFOTA_SERVER_ADMIN_LINK_H

#include "server/admin/call.h"
#include "storage/device.h"
#include "storage/firmware.h"
#include "storage/link.h"
#include "storage/product.h"

#define LINK_TOKEN_SHOWN 6 /* characters of a token in records: enough to find it again, not to use it */

struct link_order { /* one link to be made */
    struct identity identity;
    char version[VERSION_TEXT_SIZE]; /* normalised; "": the link uses the last reported one */
    /* made: */
    struct link link;
    bool base_missing; /* the image of that version is not here */
    bool base_unknown; /* no version, and none has been reported */
    bool full;         /* the target is a full package for it: neither image nor format is missed */
};

struct link_memo { /* of the orders before: many in a row name the same version. Zeroed at first */
    char needed[VERSION_TEXT_SIZE];     /* its package was asked for */
    bool full;                          /* and is the full one */
    char looked_for[VERSION_TEXT_SIZE]; /* its image was */
    bool base_missing;                  /* and was not here */
};

/* Writer's thread: makes the device where it is not known, and the link, and asks for the package it needs.
 */
bool link_order_make(struct daemon *daemon, struct db *db, const struct firmware *firmware, int64_t now_ms,
                     struct link_memo *memo, struct link_order *order, struct error *err)
    __attribute__((warn_unused_result));

/* Writer's thread, after link_order_make(): for the ledger. */
bool link_order_note(const struct request *request, struct db *db, const struct product *product,
                     const struct firmware *firmware, const struct link_order *order, struct error *err)
    __attribute__((warn_unused_result));

/* The link as it is answered; NULL when memory is gone. */
json_t *link_order_json(const struct daemon *daemon, const struct firmware *firmware,
                        const struct link_order *order);

/* False, and call->reply says so, where no address can be handed out. */
bool link_has_address(struct admin_call *call);

#endif
