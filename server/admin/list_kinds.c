/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/list_kinds.h"

#define LANGUAGE(name, ...)                                                                                  \
    static const struct filter_field name##_fields[] = {__VA_ARGS__};                                        \
    static const struct filter_language name##_language = {                                                  \
        name##_fields, sizeof name##_fields / sizeof *name##_fields, list_read_item};

/* Short lists: name, order, fields. */
#define SHORT(name, by, ...)                                                                                 \
    LANGUAGE(name, __VA_ARGS__)                                                                              \
    const struct list_kind list_##name = {.language = &name##_language, .order = (by)};

/* Long lists: name, values of sort, fields. */
#define LONG(name, by, ...)                                                                                  \
    LANGUAGE(name, __VA_ARGS__)                                                                              \
    const struct list_kind list_##name = {.language = &name##_language, .sorts = (by)};

/* GET /products */
SHORT(products, "created_at product_key", {"product_key", FILTER_TEXT}, {"name", FILTER_TEXT},
      {"created_at", FILTER_TIME}, {"trusted_check_ins", FILTER_FLAG}, {"unknown_devices", FILTER_TEXT},
      {"device_secret", FILTER_TEXT})

/* GET …/firmware */
SHORT(firmware, "firmware", {"firmware", FILTER_TEXT}, {"format", FILTER_TEXT},
      {"format_is_default", FILTER_FLAG}, {"max_package_bytes", FILTER_NUMBER}, {"downgrades", FILTER_FLAG},
      {"quarantined", FILTER_NUMBER}, {"target", FILTER_VERSION}, {"images", FILTER_NUMBER},
      {"devices", FILTER_NUMBER}, {"created_at", FILTER_TIME}, {"notice", FILTER_TEXT})

/* GET …/missing-bases */
SHORT(missing_bases, "-devices version", {"version", FILTER_VERSION}, {"devices", FILTER_NUMBER})

/* GET …/versions */
SHORT(versions, "day", {"day", FILTER_TIME})

/* GET …/images */
SHORT(images, "version variant", {"version", FILTER_VERSION}, {"variant", FILTER_TEXT},
      {"default", FILTER_FLAG}, {"kind", FILTER_TEXT}, {"core", FILTER_VERSION}, {"content", FILTER_TEXT},
      {"core_id", FILTER_NUMBER}, {"chip", FILTER_TEXT}, {"size", FILTER_NUMBER}, {"sha256", FILTER_TEXT},
      {"file_name", FILTER_TEXT}, {"uploaded_at", FILTER_TIME}, {"withdrawn", FILTER_FLAG},
      {"waypoint", FILTER_TEXT})

/* GET …/packages */
SHORT(packages, "from to from_variant to_variant format queued_at", {"from", FILTER_VERSION},
      {"from_variant", FILTER_TEXT}, {"to", FILTER_VERSION}, {"to_variant", FILTER_TEXT},
      {"format", FILTER_TEXT}, {"state", FILTER_TEXT}, {"size", FILTER_NUMBER}, {"counted", FILTER_NUMBER},
      {"sha256", FILTER_TEXT}, {"proven", FILTER_FLAG}, {"crashes", FILTER_NUMBER},
      {"queued_at", FILTER_TIME}, {"finished_at", FILTER_TIME}, {"duration_ms", FILTER_NUMBER},
      {"error", FILTER_TEXT}, {"uploaded_by", FILTER_TEXT}, {"released", FILTER_FLAG},
      {"quarantine", FILTER_FLAG}, {"improving", FILTER_FLAG})

/* GET /tokens */
SHORT(tokens, "revoked_at token", {"token", FILTER_NUMBER}, {"name", FILTER_TEXT}, {"scope", FILTER_TEXT},
      {"product", FILTER_TEXT}, {"state", FILTER_TEXT}, {"created_at", FILTER_TIME},
      {"expires_at", FILTER_TIME}, {"used_at", FILTER_TIME}, {"used_from", FILTER_TEXT},
      {"revoked_at", FILTER_TIME})

/* GET …/secrets */
SHORT(secrets, "-of secret", {"secret", FILTER_NUMBER}, {"of", FILTER_TEXT}, {"device", FILTER_TEXT},
      {"state", FILTER_TEXT}, {"created_at", FILTER_TIME}, {"ends_at", FILTER_TIME},
      {"revoked_at", FILTER_TIME}, {"devices", FILTER_NUMBER}, {"used_at", FILTER_TIME})

/* GET /unknown */
SHORT(unknown, "-last_at -unknown", {"unknown", FILTER_NUMBER}, {"product", FILTER_TEXT},
      {"kind", FILTER_TEXT}, {"firmware", FILTER_TEXT}, {"text", FILTER_TEXT}, {"code", FILTER_NUMBER},
      {"count", FILTER_NUMBER}, {"devices", FILTER_NUMBER}, {"device", FILTER_TEXT},
      {"first_at", FILTER_TIME}, {"last_at", FILTER_TIME})

/* GET …/transcripts */
SHORT(transcripts, "-transcript", {"transcript", FILTER_NUMBER}, {"source", FILTER_TEXT},
      {"received_at", FILTER_TIME}, {"captured_at", FILTER_TIME}, {"seen_at", FILTER_TIME},
      {"firmware", FILTER_TEXT}, {"version", FILTER_VERSION}, {"counted", FILTER_FLAG}, {"why", FILTER_TEXT},
      {"attempt", FILTER_NUMBER}, {"size", FILTER_NUMBER})

/* GET …/check-ins */
SHORT(check_ins, "-day", {"day", FILTER_TIME}, {"first_at", FILTER_TIME}, {"last_at", FILTER_TIME},
      {"count", FILTER_NUMBER})

/* GET /webhooks */
SHORT(webhooks, "webhook", {"webhook", FILTER_NUMBER}, {"name", FILTER_TEXT}, {"product", FILTER_TEXT},
      {"kinds", FILTER_TAGS}, {"signed", FILTER_FLAG}, {"enabled", FILTER_FLAG}, {"waiting", FILTER_NUMBER},
      {"failed", FILTER_NUMBER}, {"lost", FILTER_NUMBER}, {"created_at", FILTER_TIME},
      {"created_by", FILTER_TEXT})

/* GET /campaigns, GET …/campaigns */
LONG(campaigns, "-campaign", {"campaign", FILTER_NUMBER}, {"product", FILTER_TEXT}, {"firmware", FILTER_TEXT},
     {"name", FILTER_TEXT}, {"plain", FILTER_FLAG}, {"target", FILTER_VERSION}, {"state", FILTER_TEXT},
     {"audience", FILTER_TEXT}, {"devices", FILTER_NUMBER}, {"stage", FILTER_NUMBER},
     {"created_by", FILTER_TEXT}, {"created_at", FILTER_TIME}, {"started_at", FILTER_TIME},
     {"ended_at", FILTER_TIME}, {"paused_why", FILTER_TEXT})

/* GET …/campaigns/{}/devices */
LONG(campaign_devices, "", {"device", FILTER_TEXT}, {"id_kind", FILTER_TEXT}, {"outcome", FILTER_TEXT},
     {"since", FILTER_TIME}, {"stage", FILTER_NUMBER}, {"confirmed_version", FILTER_VERSION},
     {"asked_version", FILTER_VERSION}, {"last_seen_at", FILTER_TIME})

/* GET …/outcomes */
LONG(outcomes, "", {"device", FILTER_TEXT}, {"id_kind", FILTER_TEXT}, {"outcome", FILTER_TEXT},
     {"since", FILTER_TIME}, {"confirmed_version", FILTER_VERSION}, {"confirmed_at", FILTER_TIME},
     {"confirmed_by", FILTER_TEXT}, {"confirmed_grade", FILTER_TEXT}, {"last_seen_at", FILTER_TIME},
     {"attempt", FILTER_NUMBER}, {"from", FILTER_VERSION}, {"to", FILTER_VERSION},
     {"bytes_acked", FILTER_NUMBER}, {"reason", FILTER_TEXT})

/* GET /ledger */
LONG(ledger, "seq -seq", {"seq", FILTER_NUMBER}, {"at", FILTER_TIME}, {"kind", FILTER_TEXT},
     {"product", FILTER_TEXT}, {"firmware", FILTER_TEXT}, {"device", FILTER_TEXT}, {"attempt", FILTER_NUMBER},
     {"package", FILTER_TEXT})

/* GET …/events of a webhook */
LONG(events, "event", {"event", FILTER_NUMBER}, {"kind", FILTER_TEXT}, {"order", FILTER_TEXT},
     {"since", FILTER_TIME}, {"tries", FILTER_NUMBER}, {"next_try_at", FILTER_TIME},
     {"gave_up_at", FILTER_TIME}, {"error", FILTER_TEXT})
