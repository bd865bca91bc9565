/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Devices that come on their own are admitted up to a number a product and UTC day, and no network may take all of it: whoever
   invents thousands of IMEIs behind one address leaves room for the modules of every other network. Thousands of modules
   behind one address of a carrier are normal, so a network's share is large: three quarters of what the others have
   left. A device that is known is never turned away. */
#ifndef DFOTA_SERVER_CHECKIN_ADMISSION_H
#define DFOTA_SERVER_CHECKIN_ADMISSION_H

#include "storage/product.h"

#define ADMISSION_NETWORK_SIZE 48

enum admission { ADMISSION_OPEN, ADMISSION_NETWORK_FULL, ADMISSION_FULL };

/* "192.0.2.7:40312" → "192.0.2.0/24", "[2001:db8::7]:1" → "2001:db8::/56". "" where it cannot be read. */
void admission_network(const char *peer, char out[ADMISSION_NETWORK_SIZE]);

/* Whether one more may come. `network` "": behind a proxy of our own, where no network is known, only the product's number
   counts. *ret_told: the ledger says already that it is full. */
bool admission_look(struct db *db, int64_t product_id, const char *network, int64_t day, uint64_t limit,
                    enum admission *ret, bool *ret_told, struct error *err)
    __attribute__((warn_unused_result));
/* Writer's thread: one more has come. */
bool admission_take(struct db *db, int64_t product_id, const char *network, int64_t day, struct error *err)
    __attribute__((warn_unused_result));
/* Writer's thread: the ledger says, once a day and network, that devices are turned away. */
bool admission_tell(struct db *db, const struct product *product, const char *network, int64_t now_ms,
                    enum admission full, uint64_t limit, struct error *err)
    __attribute__((warn_unused_result));

#endif
