/* What a device would be answered now, and each rule that leads there: the decision of a check-in, not
 * recorded. */
#include <stdio.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/admin/handlers.h"
#include "server/admin/names.h"
#include "server/checkin.h"
#include "server/origin.h"

#define ATTEMPTS_SEEN 20

struct explain {
    struct admin_call *call;
    struct asker asker;
    struct checkin checkin;
    struct facts facts;
    struct decision decision;
};

static bool find_device(struct explain *explain, struct db *db, struct error *err)
{
    char text[IDENTITY_SIZE + 8];
    bool found;
    if (!names_product(explain->call->request, db, &explain->facts.product, err) ||
        !request_query(explain->call->request, "device", text, sizeof text, &found, err))
        return false;
    if (!found)
        return error_set(err, ERROR_BAD_REQUEST, "name the device: ?device=866597071234567");
    if (!names_identity_in(db, explain->facts.product.id, slice_of(text), &explain->asker.identity, err))
        return false;
    explain->asker.id_usable = true;
    if (!device_find(db, explain->facts.product.id, &explain->asker.identity, &explain->facts.device, &found,
                     err))
        return false;
    return found || error_set(err, ERROR_DEVICE_NOT_FOUND, "the product has no such device");
}

/* Over one of its links, as the module would that has it typed in. */
static bool ask_by_link(struct explain *explain, struct db *db, uint64_t id, struct error *err)
{
    _cleanup_(cleanup_free) struct link *list = NULL;
    size_t count;
    if (!link_list(db, explain->facts.device.id, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if ((uint64_t)list[i].id == id) {
            explain->checkin.source = CHECKIN_LINK;
            snprintf(explain->asker.token, sizeof explain->asker.token, "%s", list[i].token);
            snprintf(explain->asker.version_text, sizeof explain->asker.version_text, "%s", list[i].version);
            return true;
        }
    return error_set(err, ERROR_LINK_NOT_FOUND, "the device has no link %llu", (unsigned long long)id);
}

static bool ask_by_name(struct explain *explain, struct db *db, struct error *err)
{
    struct firmware firmware;
    const struct device *device = &explain->facts.device;
    char name[FIRMWARE_NAME_SIZE], version[FIRMWARE_NAME_SIZE + VERSION_TEXT_SIZE];
    bool found, named;
    if (!request_query(explain->call->request, "firmware", name, sizeof name, &named, err) ||
        !request_query(explain->call->request, "version", version, sizeof version, &found, err) ||
        (!named && !firmware_by_id(db, device->firmware_id, &firmware, &named, err)))
        return false;
    snprintf(explain->asker.product_key, sizeof explain->asker.product_key, "%s",
             explain->facts.product.product_key);
    snprintf(explain->asker.firmware, sizeof explain->asker.firmware, "%s", name[0] ? name : firmware.name);
    if (found)
        return name_parse_version_of(slice_of(version), explain->asker.firmware, &explain->checkin.version,
                                     err);
    const char *last = device->asked_version[0] ? device->asked_version : device->confirmed_version;
    version_parse(slice_of(last), &explain->checkin.version); /* none: as a request without one */
    return true;
}

/* As from where its newest attempt was begun. */
static bool find_origin(struct explain *explain, struct db *db, struct error *err)
{
    _cleanup_(cleanup_free) struct attempt *list = NULL;
    size_t count;
    if (!attempt_list(db, explain->facts.device.id, ATTEMPTS_SEEN, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++)
        if (!list[i].beside && list[i].origin[0] && strcmp(list[i].origin, ORIGIN_LINK) != 0) {
            memcpy(explain->asker.origin, list[i].origin, sizeof explain->asker.origin);
            break;
        }
    return true;
}

static bool decide(void *cls, struct db *db, struct error *err)
{
    struct explain *explain = cls;
    struct daemon *daemon = explain->call->daemon;
    struct decision_limits limits = checkin_limits(&daemon->config);
    uint64_t link = 0, range = 0;
    explain->checkin = (struct checkin){.source = CHECKIN_DIALECT, .now_ms = clock_utc_ms()};
    if (!find_device(explain, db, err) ||
        !call_query_number(explain->call->request, "link", 1, INT64_MAX, &link, err) ||
        !call_query_number(explain->call->request, "range", 0, INT64_MAX, &range, err) ||
        !(link ? ask_by_link(explain, db, link, err) : ask_by_name(explain, db, err)))
        return false;
    explain->checkin.range = (struct range){.present = range > 0, .first = range};
    struct checkin asked = explain->checkin;
    if (!find_origin(explain, db, err) || !facts_load(daemon, db, &explain->asker, &asked, &explain->facts, err))
        return false;
    decision_make(&explain->facts.checkin, &explain->facts.snapshot, &limits, &explain->decision);
    return true;
}

static json_t *rules_to_json(const struct decision *decision)
{
    json_t *rules = json_array();
    for (unsigned i = 0; i <= decision->rule; i++)
        json_array_append_new(rules, json_pack("{s:s, s:s}", "asks", decision_rule(i), "outcome",
                                               i == decision->rule ? "answered" : "passed"));
    return rules;
}

bool admin_explain(struct admin_call *call, struct error *err)
{
    struct explain explain = {.call = call};
    if (!call_change(call, decide, &explain, err))
        return false;
    const struct device *device = &explain.facts.device;
    const struct decision *decision = &explain.decision;
    char base[VERSION_TEXT_SIZE] = "";
    if (explain.facts.snapshot.base.count)
        version_format(&explain.facts.snapshot.base, base);
    char said[VERSION_TEXT_SIZE] = "";
    if (decision->claim)
        version_format(&explain.facts.checkin.version, said);
    reply_json(
        &call->reply, 200,
        json_pack("{s:s, s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:i, s:s, s:o, s:o}", "device", device->device, "over",
                  explain.checkin.source == CHECKIN_LINK ? "link" : "dialect", "firmware",
                  explain.facts.firmware.name, "from", field_text(base), "confirmed_version",
                  field_text(device->confirmed_version), "confirmed_grade", field_text(device->confirmed_grade), "claim",
                  field_text(said), "target",
                  field_text(explain.facts.firmware.target), "code", answer_code(decision->answer), "reason",
                  decision->reason, "rules", rules_to_json(decision), "last_answer",
                  device->last_code
                      ? json_pack("{s:I, s:o, s:I}", "code", (json_int_t)device->last_code, "reason",
                                  field_text(device->last_reason), "at", (json_int_t)device->last_answer_ms)
                      : json_null()));
    return true;
}
