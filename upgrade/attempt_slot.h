/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Which attempt a request is about. A device has one main attempt; a second one is kept beside it for requests
   that may be a stranger's, so that they neither end nor change what the main attempt continues.

   Requests are told apart by their origin: the network address, or `link` for a link that an admin made. A
   module that changes its address cannot be told from a stranger; it is served beside then. Pure. */
#ifndef DFOTA_UPGRADE_ATTEMPT_SLOT_H
#define DFOTA_UPGRADE_ATTEMPT_SLOT_H

#include <stdbool.h>

enum attempt_slot {
    SLOT_MAIN,
    SLOT_BESIDE,
    SLOT_UNCLEAR /* asked from the middle, and two downloads of different bytes could be meant */
};

struct slot_attempt {
    bool open;
    bool live;        /* bytes were begun and can still be continued */
    bool same_origin; /* the request comes from where the bytes were begun, or that is not told apart */
    bool fits;        /* it starts from the version and is of the firmware that is asked from */
};

struct slot_question {
    bool lower;      /* anybody could have sent it, and the device has evidence of a higher grade */
    bool by_link;    /* it came over a link that an admin made */
    bool continues;  /* it asks from the middle */
    bool same_bytes; /* both attempts are pinned to the same bytes */
    struct slot_attempt main, beside;
};

enum attempt_slot attempt_slot_choose(const struct slot_question *question);

#endif
