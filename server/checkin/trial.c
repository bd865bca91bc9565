/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/trial.h"

#include <stdio.h>
#include <string.h>

#include "server/core/log.h"
#include "server/ledger/event.h"
#include "server/webhook/notify.h"
#include "storage/trial.h"
#include "storage/image_package.h"

static struct trial_limits limits_of(const struct firmware *firmware)
{
    return (struct trial_limits){(unsigned)firmware->canary_confirmations,
                                 (unsigned)firmware->quarantine_after};
}

/* A delta is out of service through its package. A full package leads to its image from any version. */
static bool is_quarantined(struct db *db, struct facts *facts, bool *ret, struct error *err)
{
    static const struct sha256 any = {{0}};
    struct snapshot *known = &facts->snapshot;
    struct quarantine quarantine;
    *ret = false;
    if (!facts->planned.full)
        return true;
    if (!quarantine_find(db, facts->firmware.id, &any, &facts->planned.hop.sha256, &quarantine, ret, err))
        return false;
    if (*ret)
        snprintf(known->package_quarantine, sizeof known->package_quarantine, "%s", quarantine.reason);
    return true;
}

static bool name_other(struct db *db, int64_t id, struct snapshot *known, struct error *err)
{
    struct device other;
    bool found;
    if (!device_by_id(db, id, &other, &found, err))
        return false;
    snprintf(known->canary_device, sizeof known->canary_device, "%s:%s",
             found ? identity_kind_name(other.id_kind) : "", found ? other.device : "");
    return true;
}

bool trial_look(struct db *db, const struct config *config, struct facts *facts, struct error *err)
{
    struct snapshot *known = &facts->snapshot;
    const struct trial_limits limits = limits_of(&facts->firmware);
    const struct trial_question question = {.firmware_id = facts->firmware.id,
                                            .package_sha256 = &facts->planned.package.sha256,
                                            .device_id = facts->device.id,
                                            .idle_since_ms =
                                                facts->checkin.now_ms - (int64_t)config->pin_idle_ms};
    struct trial_facts found;
    if (known->package != PACKAGE_READY)
        return true;
    if (!trial_load(db, &question, limits.canary_confirmations, &found, err) ||
        !is_quarantined(db, facts, &found.trial.quarantined, err))
        return false;
    known->trial = found.trial;
    known->trial_limits = limits;
    known->trial_own_failed = found.own_failed;
    return !found.trial.other_tries || name_other(db, found.other, known, err);
}

/* The images of a hop. `from` stays zero for a full package. A package that is not stored any more was one of these
   versions; among several builds, its images are not known then. */
static bool find_images(struct db *db, const struct attempt *attempt, struct quarantine *hop, bool *ret_found,
                        struct error *err)
{
    char builds[BUILDS_SIZE];
    size_t from_count, to_count;
    struct image from, to;
    bool found_from;
    if (strcmp(attempt->format, FULL_FORMAT) == 0)
        return image_package_to(db, attempt->firmware_id, attempt->to, &attempt->package_sha256, &hop->to,
                                ret_found, err);
    if (!image_package_ends(db, attempt->firmware_id, attempt->from, attempt->to, &attempt->package_sha256,
                            &hop->from, &hop->to, ret_found, err))
        return false;
    if (*ret_found)
        return true;
    if (!image_builds(db, attempt->firmware_id, attempt->from, builds, &from_count, err) ||
        !image_builds(db, attempt->firmware_id, attempt->to, builds, &to_count, err) ||
        !image_find(db, attempt->firmware_id, attempt->from, &from, &found_from, err) ||
        !image_find(db, attempt->firmware_id, attempt->to, &to, ret_found, err))
        return false;
    *ret_found = *ret_found && found_from && from_count == 1 && to_count == 1;
    if (*ret_found) {
        hop->from = from.sha256;
        hop->to = to.sha256;
    }
    return true;
}

static bool take_out(struct db *db, const struct attempt *attempt, const struct firmware *firmware,
                     const struct trial *trial, struct quarantine *quarantine, struct error *err)
{
    bool by_canary = trial->confirmed < (unsigned)firmware->canary_confirmations;
    char reason[REASON_TEXT_SIZE];
    if (by_canary)
        reason_write(quarantine->reason, sizeof quarantine->reason,
                     REASON(REASON_TRIAL_FAILED, R_TEXT(attempt->from)));
    else
        reason_write(quarantine->reason, sizeof quarantine->reason,
                     REASON(REASON_TRIAL_FAILED_LATER, R_NUMBER(trial->not_applied), R_TEXT(attempt->from)));
    reason_text(quarantine->reason, REASON_ENGLISH, reason);
    json_t *detail = json_object();
    event_reason(detail, "reason", quarantine->reason);
    log_line(LOG_LEVEL_WARN, "package-quarantined", "firmware", firmware->name, "from", attempt->from, "to",
             attempt->to, "reason", reason, NULL);
    const struct notify_quarantine told = {
        .firmware_id = firmware->id,
        .from = sha256_is_zero(&quarantine->from) ? "" : attempt->from,
        .to = attempt->to,
        .why = by_canary ? "canary" : "devices",
        .reason = reason,
        .device_id = attempt->device_id,
    };
    if (!quarantine_add(db, quarantine, err) || !notify_quarantined(db, &told, quarantine->at_ms, err)) {
        json_decref(detail);
        return false;
    }
    return event_attempt(db, LEDGER_PACKAGE_QUARANTINED, quarantine->at_ms, attempt, detail, err);
}

bool trial_end(struct db *db, const struct attempt *attempt, int64_t now_ms, struct error *err)
{
    const struct trial_question question = {.firmware_id = attempt->firmware_id,
                                            .package_sha256 = &attempt->package_sha256,
                                            .idle_since_ms = now_ms};
    struct quarantine quarantine = {
        .firmware_id = attempt->firmware_id, .package_sha256 = attempt->package_sha256, .at_ms = now_ms};
    struct firmware firmware;
    struct trial_facts found;
    bool known;
    if (attempt->state != ATTEMPT_NOT_APPLIED || !attempt->size_bytes)
        return true;
    if (!firmware_by_id(db, attempt->firmware_id, &firmware, &known, err) || !known)
        return known;
    const struct trial_limits limits = limits_of(&firmware);
    if (!trial_load(db, &question, limits.canary_confirmations, &found, err) ||
        !find_images(db, attempt, &quarantine, &known, err))
        return false;
    if (!known || !canary_quarantines(&found.trial, &limits))
        return true;
    return quarantine_find(db, firmware.id, &quarantine.from, &quarantine.to, &(struct quarantine){0}, &known,
                           err) &&
           (known || take_out(db, attempt, &firmware, &found.trial, &quarantine, err));
}
