/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/admission.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "server/ledger/event.h"

#define BITS_OF_FOUR 24
#define BITS_OF_SIX  56 /* the network of one customer, with all its addresses */

static void keep_network(unsigned char *address, size_t size, unsigned bits)
{
    for (size_t i = 0; i < size; i++)
        if (i * 8 >= bits)
            address[i] = 0;
}

void admission_network(const char *peer, char out[ADMISSION_NETWORK_SIZE])
{
    char host[INET6_ADDRSTRLEN + 2] = "", text[INET6_ADDRSTRLEN] = "";
    unsigned char address[16];
    const char *end = strrchr(peer, ':');
    bool six = peer[0] == '[';
    out[0] = '\0';
    if (!end || (size_t)(end - peer) >= sizeof host || (six && (end == peer + 1 || end[-1] != ']')))
        return;
    memcpy(host, peer + six, (size_t)(end - peer) - 2u * six);
    if (inet_pton(six ? AF_INET6 : AF_INET, host, address) != 1)
        return;
    keep_network(address, six ? 16 : 4, six ? BITS_OF_SIX : BITS_OF_FOUR);
    inet_ntop(six ? AF_INET6 : AF_INET, address, text, sizeof text);
    snprintf(out, ADMISSION_NETWORK_SIZE, "%s/%d", text, six ? BITS_OF_SIX : BITS_OF_FOUR);
}

bool admission_look(struct db *db, const struct admission_place *place, uint64_t limit, enum admission *ret,
                    bool *ret_told, struct error *err)
{
    const char *network = place->network;
    struct admission_network mine = {.devices = 0}, all = {.devices = 0};
    int64_t total;
    if (!product_admissions(db, place->product_id, place->day, &total, err) ||
        (network[0] && !product_network(db, place->product_id, place->day, network, &mine, err)))
        return false;
    int64_t others = total - mine.devices, left = (int64_t)limit - others, kept = left / 4;
    *ret = total >= (int64_t)limit                     ? ADMISSION_FULL
           : network[0] && mine.devices >= left - kept ? ADMISSION_NETWORK_FULL
                                                       : ADMISSION_OPEN;
    *ret_told = mine.told;
    if (*ret != ADMISSION_FULL)
        return true;
    bool ok = product_network(db, place->product_id, place->day, "", &all, err);
    *ret_told = all.told;
    return ok;
}

bool admission_take(struct db *db, const struct admission_place *place, struct error *err)
{
    return product_admit(db, place->product_id, place->day, err) &&
           (!place->network[0] ||
            product_network_add(db, place->product_id, place->day, place->network, 1, false, err));
}

bool admission_tell(struct db *db, const struct product *product, const char *network, int64_t now_ms,
                    enum admission full, uint64_t limit, struct error *err)
{
    const struct event event = {
        .kind = LEDGER_ADMISSION_FULL, .at_ms = now_ms, .product = product->product_key};
    struct admission_network mine = {.devices = 0};
    const char *of = full == ADMISSION_FULL ? "" : network;
    int64_t devices;
    if (!product_admissions(db, product->id, now_ms / DAY_MS, &devices, err) ||
        !product_network(db, product->id, now_ms / DAY_MS, of, &mine, err) ||
        !product_network_add(db, product->id, now_ms / DAY_MS, of, 0, true, err))
        return false;
    return event_add(db, &event,
                     json_pack("{s:I, s:I, s:o*}", "devices", (json_int_t)(of[0] ? mine.devices : devices),
                               "limit", (json_int_t)limit, "network", event_text(of)),
                     err);
}
