/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The devices of a campaign in its evidence. */
#include <stdlib.h>

#include "base/cleanup.h"
#include "server/admin/evidence.h"

#define PAGE         500
#define ATTEMPTS_MAX 10 /* the newest ones of a device */

static bool note_package(struct evidence *evidence, const struct proof_attempt *attempt, struct error *err)
{
    if (sha256_is_zero(&attempt->package_sha256))
        return true;
    for (size_t i = 0; i < evidence->package_count; i++)
        if (sha256_equal(&evidence->package[i].sha256, &attempt->package_sha256) &&
            strcmp(evidence->package[i].from, attempt->from) == 0)
            return true;
    if (evidence->package_count == evidence->package_room) {
        size_t room = 2 * evidence->package_room + 16;
        struct evidence_package *more = reallocarray(evidence->package, room, sizeof *more);
        if (!more)
            return error_set(err, ERROR_INTERNAL, "out of memory");
        evidence->package = more;
        evidence->package_room = room;
    }
    struct evidence_package *package = &evidence->package[evidence->package_count++];
    *package =
        (struct evidence_package){.sha256 = attempt->package_sha256, .size_bytes = attempt->size_bytes};
    memcpy(package->from, attempt->from, sizeof package->from);
    memcpy(package->to, attempt->to, sizeof package->to);
    memcpy(package->format, attempt->format, sizeof package->format);
    return true;
}

static json_t *attempt_json(const struct proof_attempt *attempt)
{
    bool sent = !sha256_is_zero(&attempt->package_sha256);
    return json_pack("{s:I, s:s, s:s, s:s, s:o, s:o, s:I, s:o, s:b, s:o, s:I, s:o, s:o, s:o}", "attempt",
                     (json_int_t)attempt->id, "from", attempt->from, "to", attempt->to, "state",
                     attempt_state_name(attempt->state), "package",
                     sent ? field_hash(&attempt->package_sha256) : json_null(), "size",
                     field_number(attempt->size_bytes), "bytes_acked", (json_int_t)attempt->bytes_acked,
                     "proven", sent ? json_boolean(attempt->proven) : json_null(), "by_proxy",
                     attempt->by_proxy, "released_by", field_text(attempt->released_by), "created_at",
                     (json_int_t)attempt->created_ms, "sent_at", field_number(attempt->sent_ms),
                     "delivered_at", field_number(attempt->delivered_ms), "ended_at",
                     field_number(attempt->ended_ms));
}

static bool list_attempts(struct evidence *evidence, int64_t device_id, json_t **ret, struct error *err)
{
    _cleanup_(cleanup_free) struct proof_attempt *list = NULL;
    size_t count;
    if (!proof_attempts(evidence->db, device_id, evidence->path.campaign.id, ATTEMPTS_MAX, &list, &count,
                        err))
        return false;
    *ret = json_array();
    for (size_t i = count; i-- > 0;) {
        if (!note_package(evidence, &list[i], err)) {
            json_decref(*ret);
            return false;
        }
        json_array_append_new(*ret, attempt_json(&list[i]));
    }
    return true;
}

static bool write_device(struct evidence *evidence, const struct proof_device *device, struct error *err)
{
    const struct campaign_device *place = &device->place;
    char id[LEDGER_DEVICE_SIZE];
    json_t *attempts;
    snprintf(id, sizeof id, "%s:%s", identity_kind_name(device->id_kind), device->device);
    if (!list_attempts(evidence, place->device_id, &attempts, err))
        return false;
    bool known = device->confirmed_version[0];
    json_t *confirmed =
        known ? json_pack("{s:s, s:o, s:s, s:o}", "version", device->confirmed_version, "evidence",
                          field_text(enum_name(&reported_by_names, device->confirmed_by)), "grade",
                          enum_name(&grade_names, device->confirmed_grade), "at",
                          field_number(device->confirmed_ms))
              : json_null();
    bool admitted = place->admitted && place->outcome != OUTCOME_OUT;
    return evidence_write(evidence,
                          json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "device", id, "outcome",
                                    campaign_outcome_name(place->outcome), "since",
                                    field_number(place->at_ms), "stage",
                                    admitted ? json_integer((json_int_t)place->stage + 1) : json_null(),
                                    "confirmed", confirmed, "attempts", attempts),
                          err);
}

bool evidence_write_devices(struct evidence *evidence, struct error *err)
{
    int64_t after = -1;
    bool first = true;
    fputc('[', evidence->out);
    for (size_t count = PAGE; count == PAGE;) {
        _cleanup_(cleanup_free) struct proof_device *list = NULL;
        if (!proof_devices(evidence->db, evidence->path.campaign.id, after, PAGE, &list, &count, err))
            return false;
        for (size_t i = 0; i < count; i++) {
            fputs(first ? "\n" : ",\n", evidence->out);
            first = false;
            if (!write_device(evidence, &list[i], err))
                return false;
            after = list[i].place.rank;
        }
    }
    fputc(']', evidence->out);
    return true;
}
