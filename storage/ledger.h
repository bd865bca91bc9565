/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* The ledger: one row for each fact, appended and never changed, with the SHA-256 of the row before. Rows
   refer to things by name and hash, not by ids of other rows, which may be deleted. doc/ledger.md
   describes each kind. */
#ifndef DFOTA_STORAGE_LEDGER_H
#define DFOTA_STORAGE_LEDGER_H

#include "base/chain.h"
#include "storage/db.h"
#include "upgrade/identity.h"
#include "upgrade/name.h"

/* Kind, its name, what it refers to, what its detail may have. Each is a row in doc/ledger.md. */
#define LEDGER_KINDS(X)                                                                                      \
    X(LEDGER_PRODUCT_ADDED, "product-added", "product", "by name")                                           \
    X(LEDGER_PRODUCT_SET, "product-set", "product",                                                          \
      "by device_secret name trusted_check_ins unknown_devices")                                             \
    X(LEDGER_PRODUCT_DELETED, "product-deleted", "product", "by name")                                       \
    X(LEDGER_IMAGE_UPLOADED, "image-uploaded", "product firmware",                                           \
      "by content core_id file_name sha256 size variant version warnings")                                   \
    X(LEDGER_IMAGE_WITHDRAWN, "image-withdrawn", "product firmware", "by reason sha256 variant version")     \
    X(LEDGER_IMAGE_RESTORED, "image-restored", "product firmware", "by sha256 variant version")              \
    X(LEDGER_IMAGE_DELETED, "image-deleted", "product firmware", "by sha256 size variant version")           \
    X(LEDGER_IMAGE_SET, "image-set", "product firmware",                                                     \
      "advisory by default purpose reason release_note_sha256 sbom_sha256 sha256 variant version waypoint")  \
    X(LEDGER_FIRMWARE_SET, "firmware-set", "product firmware",                                               \
      "by canary_confirmations downgrades format full_packages hours max_bytes_per_month max_package_bytes " \
      "quarantine_after")                                                                                    \
    X(LEDGER_FIRMWARE_RENAMED, "firmware-renamed", "product firmware", "by devices name")                    \
    X(LEDGER_FIRMWARE_DELETED, "firmware-deleted", "product firmware", "by")                                 \
    X(LEDGER_TARGET_SET, "target-set", "product firmware", "before by sha256 version")                       \
    X(LEDGER_TARGET_DROPPED, "target-dropped", "product firmware", "before by")                              \
    X(LEDGER_CAMPAIGN_ADDED, "campaign-added", "product firmware",                                           \
      "audience by campaign devices filter frozen stages target")                                            \
    X(LEDGER_CAMPAIGN_SET, "campaign-set", "product firmware",                                               \
      "audience by campaign devices filter frozen stages target")                                            \
    X(LEDGER_CAMPAIGN_DELETED, "campaign-deleted", "product firmware", "by campaign")                        \
    X(LEDGER_CAMPAIGN_STARTED, "campaign-started", "product firmware", "by campaign target")                 \
    X(LEDGER_CAMPAIGN_STAGE_BEGAN, "campaign-stage-began", "product firmware",                               \
      "admits admits_code admits_params campaign stage")                                                     \
    X(LEDGER_CAMPAIGN_APPROVED, "campaign-approved", "product firmware", "by campaign stage")                \
    X(LEDGER_CAMPAIGN_PAUSED, "campaign-paused", "product firmware",                                         \
      "by campaign count devices gate reason reason_code reason_params stage target")                        \
    X(LEDGER_CAMPAIGN_RESUMED, "campaign-resumed", "product firmware", "by campaign target")                 \
    X(LEDGER_CAMPAIGN_RETARGETED, "campaign-retargeted", "product firmware", "before by campaign target")    \
    X(LEDGER_CAMPAIGN_FINISHED, "campaign-finished", "product firmware", "campaign target")                  \
    X(LEDGER_CAMPAIGN_CANCELLED, "campaign-cancelled", "product firmware", "by campaign target")             \
    X(LEDGER_PACKAGE_ASKED, "package-asked", "product firmware",                                             \
      "by format from from_variant to to_variant")                                                           \
    X(LEDGER_PACKAGE_MADE, "package-made", "package",                                                        \
      "effort format from_sha256 origin proven size to_sha256")                                              \
    X(LEDGER_PACKAGE_REFUSED, "package-refused", "product firmware package",                                 \
      "counted format from from_sha256 limit reason size to to_sha256 why")                                  \
    X(LEDGER_PACKAGE_UPLOADED, "package-uploaded", "product firmware package",                               \
      "by format from from_variant proven size to to_variant")                                               \
    X(LEDGER_PACKAGE_FORGOTTEN, "package-forgotten", "product firmware package",                             \
      "by format from from_variant to to_variant")                                                           \
    X(LEDGER_PACKAGE_RELEASED, "package-released", "product firmware package",                               \
      "by format from from_variant note to to_variant")                                                      \
    X(LEDGER_RELEASE_TAKEN_BACK, "release-taken-back", "product firmware package",                           \
      "by format from from_variant to to_variant")                                                           \
    X(LEDGER_PACKAGE_QUARANTINED, "package-quarantined", "product firmware device attempt package",          \
      "by format from from_variant reason reason_code reason_params to to_variant")                          \
    X(LEDGER_QUARANTINE_LIFTED, "quarantine-lifted", "product firmware package",                             \
      "by format from from_variant to to_variant")                                                           \
    X(LEDGER_DEVICE_WRITTEN_OFF, "device-written-off", "product device", "by")                               \
    X(LEDGER_PACKAGE_LOST, "package-lost", "package", "reason")                                              \
    X(LEDGER_LINK_MADE, "link-made", "product firmware device", "by link token version")                     \
    X(LEDGER_LINKS_REVOKED, "links-revoked", "product device", "by link")                                    \
    X(LEDGER_DEVICE_SET, "device-set", "product device", "build_sha256 by held_out note tags")               \
    X(LEDGER_DEVICE_RETIRED, "device-retired", "product device", "by")                                       \
    X(LEDGER_DEVICE_RESTORED, "device-restored", "product device", "by")                                     \
    X(LEDGER_DEVICE_REPLACED, "device-replaced", "product device", "by successor")                           \
    X(LEDGER_DEVICE_ADMITTED, "device-admitted", "product device", "by")                                     \
    X(LEDGER_DEVICE_DELETED, "device-deleted", "product device", "by")                                       \
    X(LEDGER_DEVICES_IMPORTED, "devices-imported", "product", "added admitted by changed devices sha256")    \
    X(LEDGER_DEVICE_UNBLOCKED, "device-unblocked", "product device", "by")                                   \
    X(LEDGER_CHECK_IN, "check-in", "product firmware device attempt package",                                \
      "code guard offset over reason reason_code reason_params to version")                                  \
    X(LEDGER_VERSION_REPORTED, "version-reported", "product firmware device",                                \
      "authenticated before build_sha256 evidence grade since version")                                      \
    X(LEDGER_VERSION_CLAIMED, "version-claimed", "product firmware device",                                  \
      "confirmed confirmed_grade evidence grade origin version")                                             \
    X(LEDGER_CLAIM_ACCEPTED, "claim-accepted", "product firmware device",                                    \
      "by evidence grade origin version")                                                                    \
    X(LEDGER_CLAIM_DISMISSED, "claim-dismissed", "product firmware device",                                  \
      "by evidence grade origin version")                                                                    \
    X(LEDGER_TRANSCRIPT_RECEIVED, "transcript-received", "product firmware device attempt",                  \
      "by counted from sha256 version why")                                                                  \
    X(LEDGER_REPORTS_LISTED, "reports-listed", "product firmware", "by reports")                             \
    X(LEDGER_BYTES_DELIVERED, "bytes-delivered", "product firmware device attempt package",                  \
      "bytes_acked from size to")                                                                            \
    X(LEDGER_BYTES_HANDED_OVER, "bytes-handed-over", "product firmware device attempt package",              \
      "bytes_acked from size to")                                                                            \
    X(LEDGER_BYTES_INTERRUPTED, "bytes-interrupted", "product firmware device attempt package",              \
      "bytes_acked from size to why")                                                                        \
    X(LEDGER_ASKED_ELSEWHERE, "asked-elsewhere", "product firmware device attempt package",                  \
      "begun_by from origin to")                                                                             \
    X(LEDGER_RESULT_TOLD, "result-told", "product firmware device attempt package", "code from meaning to")  \
    X(LEDGER_ATTEMPT_ENDED, "attempt-ended", "product firmware device attempt package",                      \
      "before delay_ms event from state to")                                                                 \
    X(LEDGER_EVENT_UNFIT, "event-unfit", "product firmware device attempt package", "event from state to")   \
    X(LEDGER_FACTS_COUNTED, "facts-counted", "product firmware device", "counts day of total")               \
    X(LEDGER_ADMISSION_FULL, "admission-full", "product", "devices limit network")                           \
    X(LEDGER_WEBHOOK_ADDED, "webhook-added", "product",                                                      \
      "by enabled host kinds name signed template webhook")                                                  \
    X(LEDGER_WEBHOOK_SET, "webhook-set", "product", "by enabled host kinds name signed template webhook")    \
    X(LEDGER_WEBHOOK_REMOVED, "webhook-removed", "product", "by host name webhook")                          \
    X(LEDGER_TOKEN_ADDED, "token-added", "product", "by expires name scope token")                           \
    X(LEDGER_TOKEN_ROTATED, "token-rotated", "product", "by expires name old_until scope token")             \
    X(LEDGER_TOKEN_REVOKED, "token-revoked", "product", "by name scope token")                               \
    X(LEDGER_SECRET_ADDED, "secret-added", "product device", "by secret token")                              \
    X(LEDGER_SECRET_ROTATED, "secret-rotated", "product device", "by old_secret old_until secret token")     \
    X(LEDGER_SECRET_REVOKED, "secret-revoked", "product device", "by secret")                                \
    X(LEDGER_SECRET_CONFLICT, "secret-conflict", "product device", "secret")                                 \
    X(LEDGER_BACKUP_MADE, "backup-made", "", "by files made missing result size")                            \
    X(LEDGER_PRUNED, CHAIN_CHECKPOINT, "", "before by count first hash last")

enum ledger_kind {
#define X(kind, name, refers, detail) kind,
    LEDGER_KINDS(X)
#undef X
        LEDGER_KIND_COUNT
};

const char *ledger_kind_name(enum ledger_kind kind);
bool ledger_kind_is_known(const char *name);

#define LEDGER_KIND_SIZE   24
#define LEDGER_DEVICE_SIZE (IDENTITY_SIZE + 5)
#define LEDGER_DETAIL_SIZE 2048

struct ledger_row { /* "" or 0: the row refers to nothing of that sort */
    int64_t seq, at_ms;
    /* A text and no enum: the chain hashes it, also a kind that this version does not know. */
    char kind[LEDGER_KIND_SIZE];
    char product[PRODUCT_KEY_SIZE], firmware[FIRMWARE_NAME_SIZE];
    char device[LEDGER_DEVICE_SIZE]; /* "imei:866597071234567" */
    int64_t attempt;
    char package[SHA256_HEX_SIZE];   /* of its bytes, in hex */
    char detail[LEDGER_DETAIL_SIZE]; /* a compact JSON object with its names in order */
    struct sha256 prev, hash;
};

struct ledger_filter {
    int64_t after, before; /* seq, both excluded; before 0: no bound */
    bool newest_first;
    char kind[LEDGER_KIND_SIZE], product[PRODUCT_KEY_SIZE], device[LEDGER_DEVICE_SIZE]; /* "": any */
    int64_t since_ms, until_ms; /* since_ms included, until_ms excluded; 0: no bound */
};

struct ledger_removed { /* by one call of ledger_remove(); count 0: no row was old enough */
    int64_t first, last, count;
    struct sha256 hash; /* of the last */
};

/* Check-ins that changed nothing, of one device on one UTC day (milliseconds / 86,400,000). */
struct ledger_day {
    int64_t day, first_ms, last_ms, count;
};

struct ledger_oversize { /* a firmware that a package is too large for */
    char product[PRODUCT_KEY_SIZE], firmware[FIRMWARE_NAME_SIZE];
    char from[VERSION_TEXT_SIZE], to[VERSION_TEXT_SIZE];
    int64_t limit_bytes;
};

/* The row as the chain hashes it. The result points into *row. */
struct chain_row ledger_chain_row(const struct ledger_row *row);

/* Writer's thread, in the transaction of the fact: appends the row. The ledger gives it seq, prev and hash. The rows of a
   transaction are put off and stored together (db_defer). */
bool ledger_add(struct db *db, const struct ledger_row *row, struct error *err)
    __attribute__((warn_unused_result));

/* The last row; all zero when there is none. */
bool ledger_head(struct db *db, struct ledger_row *ret, struct error *err)
    __attribute__((warn_unused_result));

/* How many rows pass the filter, on all pages; filter->after and filter->before are ignored. */
bool ledger_count(struct db *db, const struct ledger_filter *filter, int64_t *ret, struct error *err)
    __attribute__((warn_unused_result));

#define LEDGER_WALK 20000 /* rows that one call reads at most */

/* A page in order of seq, or newest first; *ret is the caller's (free). The page has all rows up to *ret_until
   (may be NULL; newest first: down to it), and the next page begins after it (before it); INT64_MAX: there are no
   others. With two filters a page may have less than `limit` rows although others follow. */
bool ledger_list(struct db *db, const struct ledger_filter *filter, int64_t limit, struct ledger_row **ret,
                 size_t *ret_count, int64_t *ret_until, struct error *err)
    __attribute__((warn_unused_result));

/* Removes the oldest rows, at most `most` and never the last row. Stops before the first row that is dated
   from before_ms to now_ms. The caller appends the row that says so, in the same transaction. */
bool ledger_remove(struct db *db, int64_t before_ms, int64_t now_ms, int64_t most, struct ledger_removed *ret,
                   struct error *err) __attribute__((warn_unused_result));

bool ledger_day_add(struct db *db, int64_t device_id, const struct ledger_day *counts, struct error *err)
    __attribute__((warn_unused_result));
/* Newest first, at most `limit`; *ret is the caller's (free). */
bool ledger_day_list(struct db *db, int64_t device_id, int64_t limit, struct ledger_day **ret,
                     size_t *ret_count, struct error *err) __attribute__((warn_unused_result));
/* Removes counts of days before `day`, at most `most`. */
bool ledger_day_remove(struct db *db, int64_t day, int64_t most, int64_t *ret_removed, struct error *err)
    __attribute__((warn_unused_result));

/* The firmwares that have both images and a limit below size_bytes; *ret is the caller's (free). */
bool ledger_oversize_list(struct db *db, const struct sha256 *from, const struct sha256 *to,
                          int64_t counted_bytes, struct ledger_oversize **ret, size_t *ret_count,
                          struct error *err) __attribute__((warn_unused_result));

#endif
