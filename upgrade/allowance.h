/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The allowance: whether a download may begin now, by the hours of the day, the bytes that the device was sent in the
   month, and the transfers that run. Pure. A download that has begun is continued from its middle without asking. */
#ifndef DFOTA_UPGRADE_ALLOWANCE_H
#define DFOTA_UPGRADE_ALLOWANCE_H

#include "upgrade/hours.h"
#include "upgrade/reason.h"

/* Bytes per second that a module needs: it gives the whole body 30 seconds, and the body has up to 480 KiB. No transfer is
   slowed down below this rate. */
#define ALLOWANCE_LEAST_RATE 16384

/* A wait up to this is short: the device is told to ask again soon. Some modules then ask every 30 seconds. */
#define ALLOWANCE_SHORT_MS 180000

struct allowance_limits { /* of the server; 0: no limit */
    uint64_t max_transfers;
    uint64_t max_bytes_per_second; /* else at least ALLOWANCE_LEAST_RATE */
};

struct allowance { /* of a firmware */
    struct hours hours;
    uint64_t max_bytes_per_month; /* of a device; 0: no limit */
};

struct allowance_use {
    unsigned transfers;   /* of other devices, now */
    unsigned waiting;     /* devices that wait for a transfer, and asked before this one */
    uint64_t month_bytes; /* sent to this device in the month */
};

struct allowance_wish {
    int64_t now_ms; /* UTC */
    uint64_t size_bytes;
    bool
        has_begun; /* the same download was begun before, and is asked for from its start again: hours do not count */
};

enum allowance_answer {
    ALLOWANCE_BEGIN,
    ALLOWANCE_SOON,  /* the wait is short */
    ALLOWANCE_LATER, /* the wait is long */
    ALLOWANCE_NEVER  /* the package is larger than the bytes of a month */
};

struct allowance_verdict {
    enum allowance_answer answer;
    bool for_transfer;     /* it waits for the end of a transfer; until_ms is then estimated */
    int64_t until_ms;      /* UTC: the end of the wait; 0: no wait, or no end */
    char why[REASON_SIZE]; /* a reason; "" with ALLOWANCE_BEGIN */
};

/* The number of transfers that may run at the same time; 0: no limit. */
uint64_t allowance_transfers(const struct allowance_limits *limits);

void allowance_decide(const struct allowance_limits *limits, const struct allowance *allowance,
                      const struct allowance_use *use, const struct allowance_wish *wish,
                      struct allowance_verdict *ret);

#endif
