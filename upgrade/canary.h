/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The canary: the first device that gets a package which no device has confirmed yet. Pure.

   A package was proven here, but never on the hardware of its devices: its first delivery is an experiment. So one
   device at a time gets it, until enough devices have confirmed the new version. When the canary comes back with the
   old version, the package is out of service (quarantine). Other bytes for the same hop begin anew. */
#ifndef DFOTA_UPGRADE_CANARY_H
#define DFOTA_UPGRADE_CANARY_H

#include <stdbool.h>
#include <stdint.h>

#define CANARY_CONFIRMATIONS_DEFAULT 1
#define CANARY_CONFIRMATIONS_MAX     1000
#define QUARANTINE_AFTER_DEFAULT     2
#define QUARANTINE_AFTER_MAX         1000

/* What the attempts of a firmware say of one package. */
struct trial {
    bool quarantined;
    bool other_tries;     /* another device has bytes of the package, and what they did is not known yet */
    unsigned confirmed;   /* devices that reported the new version after the package was delivered to them */
    unsigned not_applied; /* devices that came back with the old version */
};

struct trial_limits {              /* of a firmware */
    unsigned canary_confirmations; /* confirmations before a second device gets the package; 0: no canary */
    unsigned
        quarantine_after; /* devices that came back with the old version, where the canary confirmed it */
};

enum canary {
    CANARY_OVER,       /* enough devices have confirmed the package: this device may have it */
    CANARY_FREE,       /* this device tries the package */
    CANARY_OTHER,      /* another device tries the package */
    CANARY_QUARANTINED /* nobody gets the package */
};

/* Whether a device gets the package. */
enum canary canary_decide(const struct trial *trial, const struct trial_limits *limits);

/* A device came back with the old version, and is counted in the trial: is the package out of service now? */
bool canary_quarantines(const struct trial *trial, const struct trial_limits *limits);

#endif
