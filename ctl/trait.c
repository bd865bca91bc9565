/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/trait.h"

#include <stddef.h>
#include "ctl/confirm.h"

static command_run *const local[] = {help_show, version_show, evidence_verify};

static command_run *const reads[] = {
    status_show,      doctor_show,    product_list,     image_list,         firmware_list, firmware_show,
    campaign_list,    campaign_show,  campaign_devices, missing_bases_list, path_show,     package_list,
    package_show,     package_log,    matrix_show,      queue_show,         device_list,   device_show,
    outcomes_show,    explain_show,   why_show,         transcript_list,    unknown_list,  webhook_list,
    webhook_show,     webhook_failed, webhook_waiting,  token_list,         ledger_list,   ledger_head,
    signing_key_show, secret_list,
};

/* They change nothing, and to repeat them is of no use. */
static command_run *const fetches[] = {backup_make, evidence_get, image_get, package_get, ledger_verify};

#define HAS(list, command) has(list, sizeof(list) / sizeof *(list), command)

static bool has(command_run *const *list, size_t count, const struct command *command)
{
    for (size_t i = 0; i < count; i++)
        if (list[i] == command->run)
            return true;
    return false;
}

bool trait_is_local(const struct command *command)
{
    return HAS(local, command);
}

bool trait_reads(const struct command *command)
{
    return HAS(reads, command);
}

bool trait_changes(const struct command *command)
{
    return !HAS(local, command) && !HAS(reads, command) && !HAS(fetches, command);
}

bool trait_asks(const struct command *command)
{
    return confirm_knows(command->run);
}
