/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "upgrade/canary.h"

enum canary canary_decide(const struct trial *trial, const struct trial_limits *limits)
{
    if (trial->quarantined)
        return CANARY_QUARANTINED;
    if (trial->confirmed >= limits->canary_confirmations)
        return CANARY_OVER;
    return trial->other_tries ? CANARY_OTHER : CANARY_FREE;
}

bool canary_quarantines(const struct trial *trial, const struct trial_limits *limits)
{
    if (trial->quarantined || trial->not_applied == 0)
        return false;
    return trial->confirmed < limits->canary_confirmations || trial->not_applied >= limits->quarantine_after;
}
