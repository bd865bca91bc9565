/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* What libfota3 reads from the server's answer in JSON, and how it compares after the restart. */
#ifndef DFOTA_SIM_LUATOS_OFFER_H
#define DFOTA_SIM_LUATOS_OFFER_H

#include <stdbool.h>
#include <jansson.h>
#include "base/slice.h"
#include "sim/luatos_client.h"

#define OFFER_WHY_SIZE 200

struct luatos_offer { /* owned: luatos_offer_free(). Texts are views of the JSON. */
    json_t *json;
    int code; /* 0: an update */
    const char *url, *fota_sn;
    const char *sha256; /* NULL: nothing is compared */
};

/* Reads an answer of status 200. False: the library stops with an error; `why` says why. */
bool luatos_offer_read(struct bytes body, struct luatos_offer *ret, char why[OFFER_WHY_SIZE]);
void luatos_offer_free(struct luatos_offer *offer);

/* Whether the module that now runs `words` finds that the announced update is there. False: `why` has the first
   field that differs. */
bool luatos_offer_is_running(const struct luatos_offer *offer, const struct luatos_words *words,
                             char why[OFFER_WHY_SIZE]);

#endif
