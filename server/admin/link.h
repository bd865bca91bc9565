/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Makes links, one or many. */
#ifndef DFOTA_SERVER_ADMIN_LINK_H
#define DFOTA_SERVER_ADMIN_LINK_H

#include "server/admin/call.h"
#include "storage/device.h"
#include "storage/firmware.h"
#include "storage/link.h"
#include "storage/product.h"

struct link_order { /* one link to make */
    unsigned line;  /* of a list; 0: there is none */
    struct identity identity;
    char version[VERSION_TEXT_SIZE]; /* normalised; "": the link uses the last reported version */
    bool keep;                       /* use a link that the device has for this firmware and version */
    /* The result: */
    bool kept; /* no link was made: the device had one */
    struct link link;
    bool base_missing;       /* there is no image of that version */
    bool base_unknown;       /* no version is given, and none was reported */
    bool no_target;          /* no campaign leads the device */
    enum device_state state; /* of the device */
    bool held_out;
    bool full; /* the target is a full package for the device: it needs neither image nor format */
};

struct link_memo { /* known from earlier orders: many in a row name the same version. Zero at first */
    /* "VERSION>TARGET BUILD" whose package was asked for */
    char needed[2 * VERSION_TEXT_SIZE + SHA256_HEX_SIZE + 2];
    bool full;                          /* and that is the full package */
    char looked_for[VERSION_TEXT_SIZE]; /* the version whose image was looked for */
    bool base_missing;                  /* and that image does not exist */
};

/* Writer's thread. Adds the device if it is new, makes the link, and asks for the package that it needs. */
bool link_order_make(struct daemon *daemon, struct db *db, const struct firmware *firmware, int64_t now_ms,
                     struct link_memo *memo, struct link_order *order, struct error *err)
    __attribute__((warn_unused_result));

/* Writer's thread, after link_order_make(): adds the ledger row. */
bool link_order_note(const struct request *request, struct db *db, const struct product *product,
                     const struct firmware *firmware, const struct link_order *order, struct error *err)
    __attribute__((warn_unused_result));

/* The firmware of a product that has one only. ERROR_FIRMWARE_NOT_FOUND: it has none; ERROR_INVALID: it has
   several. */
bool link_only_firmware(struct db *db, int64_t product_id, struct firmware *ret, struct error *err)
    __attribute__((warn_unused_result));

/* The link as JSON for the answer; NULL: out of memory. */
json_t *link_order_json(const struct daemon *daemon, const struct firmware *firmware,
                        const struct link_order *order);

/* The links of a device as a list, newest first; with `id` only this one. */
bool admin_links_json(struct admin_call *call, int64_t device_id, int64_t id, json_t **ret, struct error *err)
    __attribute__((warn_unused_result));

/* False: links have no address that can be used; call->reply says so. */
bool link_has_address(struct admin_call *call);

#endif
