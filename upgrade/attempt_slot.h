/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Chooses the attempt of a request. A device has one main attempt. A second attempt is kept beside it for
   requests that may come from a stranger, so that they cannot end or change the main attempt.

   The origin of a request is its network address, or `link` for a link that an admin made. A module that
   changes its address looks like a stranger; it then uses the second attempt. Pure. */
#ifndef DFOTA_UPGRADE_ATTEMPT_SLOT_H
#define DFOTA_UPGRADE_ATTEMPT_SLOT_H

#include <stdbool.h>

enum attempt_slot {
    SLOT_MAIN,
    SLOT_BESIDE,
    SLOT_UNCLEAR /* the request from the middle could continue either of two downloads */
};

struct slot_attempt {
    bool open;
    bool live;        /* its download has begun and can still be continued */
    bool same_origin; /* the request has the origin that began the download, or origins do not count */
    bool fits;        /* it has the firmware and the base of the request */
};

struct slot_question {
    bool lower;      /* the request has a lower grade than the evidence of the device */
    bool by_link;    /* over a link that an admin made */
    bool continues;  /* a request from the middle */
    bool same_bytes; /* both attempts are pinned to the same bytes */
    struct slot_attempt main, beside;
};

enum attempt_slot attempt_slot_choose(const struct slot_question *question);

#endif
