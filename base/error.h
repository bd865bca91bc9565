/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Errors: one table of code, HTTP status and stable name. A function that fails returns false and fills a
   struct error. */
#ifndef DFOTA_BASE_ERROR_H
#define DFOTA_BASE_ERROR_H

#include <stdbool.h>

/* Code, HTTP status of the admin API, stable name for clients. A new error is a new row. */
#define ERROR_TABLE(X)                                                                                       \
    X(ERROR_INTERNAL, 500, "internal")                                                                       \
    X(ERROR_BAD_REQUEST, 400, "bad-request")                                                                 \
    X(ERROR_BAD_NAME, 400, "bad-name")                                                                       \
    X(ERROR_BAD_JSON, 400, "bad-json")                                                                       \
    X(ERROR_UNAUTHORIZED, 401, "unauthorized")                                                               \
    X(ERROR_FORBIDDEN, 403, "forbidden")                                                                     \
    X(ERROR_NOT_FOUND, 404, "not-found")                                                                     \
    X(ERROR_PRODUCT_NOT_FOUND, 404, "product-not-found")                                                     \
    X(ERROR_FIRMWARE_NOT_FOUND, 404, "firmware-not-found")                                                   \
    X(ERROR_IMAGE_NOT_FOUND, 404, "image-not-found")                                                         \
    X(ERROR_PACKAGE_NOT_FOUND, 404, "package-not-found")                                                     \
    X(ERROR_DEVICE_NOT_FOUND, 404, "device-not-found")                                                       \
    X(ERROR_LINK_NOT_FOUND, 404, "link-not-found")                                                           \
    X(ERROR_CLAIM_NOT_FOUND, 404, "claim-not-found")                                                         \
    X(ERROR_WEBHOOK_NOT_FOUND, 404, "webhook-not-found")                                                     \
    X(ERROR_EVENT_NOT_FOUND, 404, "event-not-found")                                                         \
    X(ERROR_TOKEN_NOT_FOUND, 404, "token-not-found")                                                         \
    X(ERROR_SECRET_NOT_FOUND, 404, "secret-not-found")                                                       \
    X(ERROR_SECRET_ENDED, 409, "secret-ended")                                                               \
    X(ERROR_CLAIM_CHANGED, 409, "claim-changed")                                                             \
    X(ERROR_CAMPAIGN_NOT_FOUND, 404, "campaign-not-found")                                                   \
    X(ERROR_CAMPAIGN_EXISTS, 409, "campaign-exists")                                                         \
    X(ERROR_CAMPAIGN_CONFLICT, 409, "campaign-conflict")                                                     \
    X(ERROR_CAMPAIGN_STATE, 409, "campaign-state")                                                           \
    X(ERROR_ALREADY_APPROVED, 409, "already-approved")                                                       \
    X(ERROR_METHOD_NOT_ALLOWED, 405, "method-not-allowed")                                                   \
    X(ERROR_TIMEOUT, 408, "timeout")                                                                         \
    X(ERROR_DEVICE_IN_USE, 409, "device-in-use")                                                             \
    X(ERROR_DEVICE_RETIRED, 409, "device-retired")                                                           \
    X(ERROR_FIRMWARE_EXISTS, 409, "firmware-exists")                                                         \
    X(ERROR_FIRMWARE_IN_USE, 409, "firmware-in-use")                                                         \
    X(ERROR_PRODUCT_IN_USE, 409, "product-in-use")                                                           \
    X(ERROR_PRODUCT_EXISTS, 409, "product-exists")                                                           \
    X(ERROR_WEBHOOK_EXISTS, 409, "webhook-exists")                                                           \
    X(ERROR_TOKEN_EXISTS, 409, "token-exists")                                                               \
    X(ERROR_TOKEN_REVOKED, 409, "token-revoked")                                                             \
    X(ERROR_LAST_TOKEN, 409, "last-token")                                                                   \
    X(ERROR_IMAGE_CONFLICT, 409, "image-conflict")                                                           \
    X(ERROR_SEVERAL_BUILDS, 409, "several-builds")                                                           \
    X(ERROR_IMAGE_WITHDRAWN, 409, "image-withdrawn")                                                         \
    X(ERROR_IMAGE_IN_USE, 409, "image-in-use")                                                               \
    X(ERROR_FORMAT_NOT_SET, 409, "format-not-set")                                                           \
    X(ERROR_PACKAGE_NOT_READY, 409, "package-not-ready")                                                     \
    X(ERROR_PACKAGE_OVERSIZE, 409, "package-oversize")                                                       \
    X(ERROR_PACKAGE_CHANGED, 409, "package-changed")                                                         \
    X(ERROR_NOT_UNPROVEN, 409, "not-unproven")                                                               \
    X(ERROR_NOT_UPLOADED, 409, "not-uploaded")                                                               \
    X(ERROR_PRECONDITION_FAILED, 412, "precondition-failed")                                                 \
    X(ERROR_IDEMPOTENCY_IN_PROGRESS, 409, "idempotency-in-progress")                                         \
    X(ERROR_IDEMPOTENCY_ANSWER_LOST, 409, "idempotency-answer-lost")                                         \
    X(ERROR_TOO_LARGE, 413, "too-large")                                                                     \
    X(ERROR_URI_TOO_LONG, 414, "uri-too-long")                                                               \
    X(ERROR_UNSUPPORTED_TYPE, 415, "unsupported-type")                                                       \
    X(ERROR_RANGE, 416, "range")                                                                             \
    X(ERROR_BAD_VERSION, 422, "bad-version")                                                                 \
    X(ERROR_WRONG_FIRMWARE, 422, "wrong-firmware")                                                           \
    X(ERROR_BAD_DEVICE, 422, "bad-device")                                                                   \
    X(ERROR_INVALID, 422, "invalid")                                                                         \
    X(ERROR_NOT_AN_UPGRADE, 422, "not-an-upgrade")                                                           \
    X(ERROR_CANNOT_APPLY, 422, "cannot-apply")                                                               \
    X(ERROR_NOT_AN_IMAGE, 422, "not-an-image")                                                               \
    X(ERROR_NOT_A_PACKAGE, 422, "not-a-package")                                                             \
    X(ERROR_DIGEST_MISMATCH, 422, "digest-mismatch")                                                         \
    X(ERROR_IDEMPOTENCY_KEY_REUSED, 422, "idempotency-key-reused")                                           \
    X(ERROR_TOO_MANY_ATTEMPTS, 429, "too-many-attempts")                                                     \
    X(ERROR_HEADERS_TOO_LARGE, 431, "headers-too-large")                                                     \
    X(ERROR_UNAVAILABLE, 503, "unavailable")                                                                 \
    X(ERROR_NO_SPACE, 507, "no-space")                                                                       \
    X(ERROR_CORRUPT, 500, "corrupt")

enum error_code {
#define X(code, status, name) code,
    ERROR_TABLE(X)
#undef X
        ERROR_CODES
};

/* A code for programs, and one sentence for people (UTF-8, no newline, cut if too long). */
struct error {
    enum error_code code;
    char text[400];
};

/* Fills *err and returns false: return error_set(err, ERROR_X, "…"). */
bool error_set(struct error *err, enum error_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* As error_set(), and appends ": " and the text of the errno value `number`, unless it is 0. The code is
   ERROR_NO_SPACE for ENOSPC and EDQUOT, ERROR_UNAVAILABLE for EROFS, otherwise ERROR_INTERNAL. */
bool error_errno(struct error *err, int number, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

int error_status(enum error_code code);       /* the HTTP status of the admin API */
const char *error_name(enum error_code code); /* the stable name, static storage */

#endif
