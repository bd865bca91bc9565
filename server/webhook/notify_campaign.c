/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/webhook/notify_campaign.h"

#include <stdio.h>

#include "server/ledger/event.h"
#include "server/webhook/notify_row.h"
#include "storage/product.h"

struct subject { /* what an event speaks of */
    struct product product;
    struct firmware firmware;
    struct stages stages;
};

/* *ret_wanted false: nobody wants this kind, and *ret is not filled. */
static bool look_up(struct db *db, enum webhook_kind kind, const struct campaign *campaign,
                    struct subject *ret, bool *ret_wanted, struct error *err)
{
    bool found;
    *ret = (struct subject){.stages = {.count = 0}};
    if (!notify_is_wanted(db, kind, ret_wanted, err))
        return false;
    return !*ret_wanted || (firmware_by_id(db, campaign->firmware_id, &ret->firmware, &found, err) &&
                            product_by_id(db, ret->firmware.product_id, &ret->product, &found, err) &&
                            campaign_stages_load(db, campaign->id, &ret->stages, err));
}

static json_t *facts_of(const struct campaign *campaign, const struct subject *subject)
{
    return json_pack("{s:s, s:s, s:I, s:o*, s:s, s:I, s:I}", "product", subject->product.product_key,
                     "firmware", subject->firmware.name, "campaign", (json_int_t)campaign->id, "name",
                     event_text(campaign->name), "target", campaign->target, "stage",
                     (json_int_t)campaign->stage + 1, "stages", (json_int_t)subject->stages.count);
}

/* Of `count` stages. */
static void add_counts(json_t *facts, const struct stage *stages, size_t count, int64_t ahead)
{
    json_int_t confirmed = ahead, failed = 0, silent = 0;
    for (size_t i = 0; i < count; i++) {
        confirmed += stages[i].count[OUTCOME_CONFIRMED];
        failed += stage_breached_by(&stages[i], BREACH_FAILED);
        silent += stage_breached_by(&stages[i], BREACH_SILENT);
    }
    json_object_set_new(facts, "confirmed", json_integer(confirmed));
    json_object_set_new(facts, "failed", json_integer(failed));
    json_object_set_new(facts, "silent", json_integer(silent));
}

static long long number(const json_t *facts, const char *name)
{
    return (long long)json_integer_value(json_object_get(facts, name));
}

/* "Campaign spring (pump to 1162, product pumps) " */
static size_t begin(const struct campaign *campaign, const struct subject *subject,
                    char out[NOTIFY_SUMMARY_SIZE])
{
    return (size_t)snprintf(out, NOTIFY_SUMMARY_SIZE, "Campaign %s (%s to %s, product %s)", campaign->name,
                            subject->firmware.name, campaign->target, subject->product.product_key);
}

static bool add(struct db *db, enum webhook_kind kind, const struct campaign *campaign,
                const struct subject *subject, const char *summary, json_t *facts, int64_t at_ms,
                struct error *err)
{
    return notify_add(db, kind, subject->product.id, "campaign", campaign->id, at_ms, summary, facts, err);
}

bool notify_stage_done(struct db *db, const struct campaign *campaign, const struct stages *stages,
                       const char *next, int64_t at_ms, struct error *err)
{
    char summary[NOTIFY_SUMMARY_SIZE];
    struct subject subject;
    bool wanted;
    if (!look_up(db, WEBHOOK_STAGE_DONE, campaign, &subject, &wanted, err))
        return false;
    if (!wanted)
        return true;
    json_t *facts = facts_of(campaign, &subject);
    add_counts(facts, &stages->stage[campaign->stage], 1, 0);
    size_t used = begin(campaign, &subject, summary);
    snprintf(summary + used, sizeof summary - used,
             ": stage %lld of %u is done; confirmed: %lld, failed: %lld, silent: %lld. %s.",
             (long long)campaign->stage + 1, subject.stages.count, number(facts, "confirmed"),
             number(facts, "failed"), number(facts, "silent"), next);
    return add(db, WEBHOOK_STAGE_DONE, campaign, &subject, summary, facts, at_ms, err);
}

bool notify_campaign_paused(struct db *db, const struct campaign *campaign,
                            const struct notify_breach *breach, int64_t at_ms, struct error *err)
{
    char summary[NOTIFY_SUMMARY_SIZE];
    char why[REASON_TEXT_SIZE];
    struct subject subject;
    bool wanted;
    if (!look_up(db, WEBHOOK_CAMPAIGN_PAUSED, campaign, &subject, &wanted, err))
        return false;
    if (!wanted)
        return true;
    json_t *facts = facts_of(campaign, &subject);
    json_t *reason = event_text(reason_text(campaign->paused_why, REASON_ENGLISH, why));
    if (reason)
        json_object_set_new(facts, "reason", reason);
    if (breach->devices) {
        json_object_set_new(facts, "gate", json_string(enum_name(&gate_breach_names, campaign->breach)));
        json_object_set_new(facts, "gate_stage", json_integer((json_int_t)campaign->breach_stage + 1));
        json_object_set(facts, "devices", breach->devices);
        json_object_set_new(facts, "count", json_integer((json_int_t)breach->count));
    }
    size_t used = begin(campaign, &subject, summary);
    snprintf(summary + used, sizeof summary - used, " is paused: %s%s%s.", why, breach->devices ? ": " : "",
             breach->devices ? breach->text : "");
    return add(db, WEBHOOK_CAMPAIGN_PAUSED, campaign, &subject, summary, facts, at_ms, err);
}

bool notify_campaign_finished(struct db *db, const struct campaign *campaign, int64_t at_ms,
                              struct error *err)
{
    char summary[NOTIFY_SUMMARY_SIZE];
    struct subject subject;
    bool wanted;
    if (!look_up(db, WEBHOOK_CAMPAIGN_FINISHED, campaign, &subject, &wanted, err))
        return false;
    if (!wanted)
        return true;
    json_t *facts = facts_of(campaign, &subject);
    add_counts(facts, subject.stages.stage, subject.stages.count, campaign->ahead);
    size_t used = begin(campaign, &subject, summary);
    snprintf(summary + used, sizeof summary - used,
             " is finished; confirmed: %lld, failed: %lld, silent: %lld.", number(facts, "confirmed"),
             number(facts, "failed"), number(facts, "silent"));
    return add(db, WEBHOOK_CAMPAIGN_FINISHED, campaign, &subject, summary, facts, at_ms, err);
}

bool notify_campaign_person(struct db *db, const struct campaign *campaign, const char *why,
                            const char *notice, int64_t at_ms, struct error *err)
{
    char summary[NOTIFY_SUMMARY_SIZE];
    struct subject subject;
    bool wanted;
    if (!look_up(db, WEBHOOK_NEEDS_PERSON, campaign, &subject, &wanted, err))
        return false;
    if (!wanted)
        return true;
    json_t *facts = facts_of(campaign, &subject), *text = event_text(notice);
    json_object_set_new(facts, "why", json_string(why));
    if (text)
        json_object_set_new(facts, "notice", text);
    size_t used = begin(campaign, &subject, summary);
    snprintf(summary + used, sizeof summary - used, " needs a person: %s.", notice);
    return add(db, WEBHOOK_NEEDS_PERSON, campaign, &subject, summary, facts, at_ms, err);
}
