/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The limit of new devices: a number per product and UTC day. No network may use all of it, so that a sender who invents
   thousands of IMEIs behind one address leaves room for the modules of other networks. Thousands of modules behind one
   address of a carrier are normal, so the share of a network is large: three quarters of what the other networks have
   left. A known device is never refused. */
#ifndef DFOTA_SERVER_CHECKIN_ADMISSION_H
#define DFOTA_SERVER_CHECKIN_ADMISSION_H

#include "storage/product.h"

#define ADMISSION_NETWORK_SIZE 48

enum admission { ADMISSION_OPEN, ADMISSION_NETWORK_FULL, ADMISSION_FULL };

/* "192.0.2.7:40312" → "192.0.2.0/24", "[2001:db8::7]:1" → "2001:db8::/56". "" where it cannot be read. */
void admission_network(const char *peer, char out[ADMISSION_NETWORK_SIZE]);

struct admission_place { /* where a new device comes from, and when */
    int64_t product_id;
    const char
        *network; /* "": not known, behind a proxy of our own; then only the number of the product counts */
    int64_t day;  /* UTC, since 1970 */
};

/* *ret: one more device may come. `limit` is the number of a product. *ret_told: a row of the ledger says already that
   the product or the network is full. */
bool admission_look(struct db *db, const struct admission_place *place, uint64_t limit, enum admission *ret,
                    bool *ret_told, struct error *err) __attribute__((warn_unused_result));
/* Writer's thread: counts one more device. */
bool admission_take(struct db *db, const struct admission_place *place, struct error *err)
    __attribute__((warn_unused_result));
/* Writer's thread: writes into the ledger, once a day and network, that devices are refused. */
bool admission_tell(struct db *db, const struct product *product, const char *network, int64_t now_ms,
                    enum admission full, uint64_t limit, struct error *err)
    __attribute__((warn_unused_result));

#endif
