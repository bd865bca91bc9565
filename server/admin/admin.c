/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/admin.h"

#include <microhttpd.h>

#include "base/clock.h"
#include "server/admin/handlers.h"
#include "server/console/file.h"
#include "server/console/origin.h"
#include "server/console/sessions.h"
#include "upgrade/transcript.h"

#define KIB      1024
#define API      "/api/v1"
#define PRODUCT  API "/products/{}"
#define FIRMWARE PRODUCT "/firmware/{}"
#define DEVICE   PRODUCT "/devices/{}"
#define WEBHOOK  API "/webhooks/{}"
#define CAMPAIGN FIRMWARE "/campaigns/{}"

/* Method, pattern, body limit, handler. */
#define ROUTES(X)                                                                                            \
    X("GET", API "/reasons", 0, admin_reason_list)                                                           \
    X("GET", API "/status", 0, admin_status_show)                                                            \
    X("GET", API "/overview", 0, admin_overview_show)                                                        \
    X("GET", API "/campaigns", 0, admin_campaign_list_all)                                                   \
    X("DELETE", API "/session", 0, admin_session_end)                                                        \
    X("POST", API "/session/once", 0, admin_session_once)                                                    \
    X("GET", API "/products", 0, admin_product_list)                                                         \
    X("POST", API "/products", 64 * KIB, admin_product_add)                                                  \
    X("GET", PRODUCT, 0, admin_product_show)                                                                 \
    X("PATCH", PRODUCT, 4 * KIB, admin_product_set)                                                          \
    X("DELETE", PRODUCT, 0, admin_product_delete)                                                            \
    X("GET", PRODUCT "/firmware", 0, admin_firmware_list)                                                    \
    X("GET", FIRMWARE, 0, admin_firmware_show)                                                               \
    X("PATCH", FIRMWARE, 64 * KIB, admin_firmware_set)                                                       \
    X("DELETE", FIRMWARE, 0, admin_firmware_delete)                                                          \
    X("PUT", FIRMWARE "/target", 64 * KIB, admin_target_set)                                                 \
    X("DELETE", FIRMWARE "/target", 0, admin_target_drop)                                                    \
    X("GET", FIRMWARE "/campaigns", 0, admin_campaign_list)                                                  \
    X("POST", FIRMWARE "/campaigns", 4 * KIB * KIB, admin_campaign_add)                                      \
    X("GET", CAMPAIGN, 0, admin_campaign_show)                                                               \
    X("PATCH", CAMPAIGN, 4 * KIB * KIB, admin_campaign_set)                                                  \
    X("DELETE", CAMPAIGN, 0, admin_campaign_remove)                                                          \
    X("POST", CAMPAIGN "/start", 0, admin_campaign_start)                                                    \
    X("POST", CAMPAIGN "/pause", 4 * KIB, admin_campaign_pause)                                              \
    X("POST", CAMPAIGN "/resume", 0, admin_campaign_resume)                                                  \
    X("POST", CAMPAIGN "/cancel", 0, admin_campaign_cancel)                                                  \
    X("POST", CAMPAIGN "/approve", 0, admin_campaign_approve)                                                \
    X("POST", CAMPAIGN "/retarget", 4 * KIB, admin_campaign_retarget)                                        \
    X("POST", CAMPAIGN "/copy", 4 * KIB, admin_campaign_copy)                                                \
    X("GET", CAMPAIGN "/devices", 0, admin_campaign_devices)                                                 \
    X("PUT", CAMPAIGN "/devices", 4 * KIB * KIB, admin_campaign_devices_put)                                 \
    X("GET", FIRMWARE "/missing-bases", 0, admin_firmware_missing_bases)                                     \
    X("GET", FIRMWARE "/versions", 0, admin_firmware_versions)                                               \
    X("GET", FIRMWARE "/images", 0, admin_image_list)                                                        \
    X("GET", FIRMWARE "/images/{}", 0, admin_image_show)                                                     \
    X("PATCH", FIRMWARE "/images/{}", 64 * KIB, admin_image_set)                                             \
    X("DELETE", FIRMWARE "/images/{}", 0, admin_image_remove)                                                \
    X("GET", FIRMWARE "/images/{}/content", 0, admin_image_content)                                          \
    X("DELETE", FIRMWARE "/images/{}/quarantine", 0, admin_image_lift)                                       \
    X("GET", FIRMWARE "/matrix", 0, admin_matrix_show)                                                       \
    X("GET", FIRMWARE "/queue", 0, admin_queue_show)                                                         \
    X("GET", FIRMWARE "/packages", 0, admin_package_list)                                                    \
    X("GET", FIRMWARE "/packages/{}/{}", 0, admin_package_show)                                              \
    X("POST", FIRMWARE "/packages/{}/{}", 0, admin_package_ask)                                              \
    X("GET", FIRMWARE "/packages/{}/{}/content", 0, admin_package_content)                                   \
    X("DELETE", FIRMWARE "/packages/{}/{}", 0, admin_package_forget)                                         \
    X("POST", FIRMWARE "/packages/{}/{}/release", 64 * KIB, admin_package_release)                           \
    X("DELETE", FIRMWARE "/packages/{}/{}/release", 0, admin_package_take_back)                              \
    X("PUT", FIRMWARE "/packages/{}/{}/quarantine", 4 * KIB, admin_package_quarantine)                       \
    X("DELETE", FIRMWARE "/packages/{}/{}/quarantine", 0, admin_package_lift)                                \
    X("GET", FIRMWARE "/paths", 0, admin_path_show)                                                          \
    X("POST", FIRMWARE "/paths", 0, admin_path_ask)                                                          \
    X("POST", FIRMWARE "/reports", 4 * KIB * KIB, admin_report_add_many)                                     \
    X("POST", FIRMWARE "/links", 4 * KIB * KIB, admin_link_add_many)                                         \
    X("POST", PRODUCT "/devices", 4 * KIB * KIB, admin_device_import)                                        \
    X("GET", PRODUCT "/devices", 0, admin_device_list)                                                       \
    X("POST", PRODUCT "/devices/unblock", 0, admin_device_unblock_all)                                       \
    X("GET", PRODUCT "/explain", 0, admin_explain)                                                           \
    X("GET", FIRMWARE "/outcomes", 0, admin_outcomes)                                                        \
    X("GET", DEVICE, 0, admin_device_show)                                                                   \
    X("PATCH", DEVICE, 16 * KIB, admin_device_set)                                                           \
    X("DELETE", DEVICE, 0, admin_device_delete)                                                              \
    X("POST", DEVICE "/retire", 0, admin_device_retire)                                                      \
    X("POST", DEVICE "/restore", 0, admin_device_restore)                                                    \
    X("POST", DEVICE "/admit", 0, admin_device_admit)                                                        \
    X("POST", DEVICE "/replace", 4 * KIB, admin_device_replace)                                              \
    X("POST", DEVICE "/unblock", 0, admin_device_unblock)                                                    \
    X("POST", DEVICE "/write-off", 0, admin_device_write_off)                                                \
    X("POST", DEVICE "/claim", 4 * KIB, admin_claim_accept)                                                  \
    X("DELETE", DEVICE "/claim", 0, admin_claim_dismiss)                                                     \
    X("POST", DEVICE "/transcripts", TRANSCRIPT_MAX_BYTES, admin_transcript_add)                             \
    X("GET", DEVICE "/transcripts", 0, admin_transcript_list)                                                \
    X("GET", DEVICE "/transcripts/{}", 0, admin_transcript_show)                                             \
    X("POST", DEVICE "/link", 64 * KIB, admin_link_add)                                                      \
    X("DELETE", DEVICE "/links", 0, admin_link_revoke_all)                                                   \
    X("DELETE", DEVICE "/links/{}", 0, admin_link_revoke)                                                    \
    X("GET", DEVICE "/check-ins", 0, admin_device_check_ins)                                                 \
    X("GET", API "/unknown", 0, admin_unknown_list)                                                          \
    X("DELETE", API "/unknown", 0, admin_unknown_forget_all)                                                 \
    X("DELETE", API "/unknown/{}", 0, admin_unknown_forget)                                                  \
    X("GET", API "/webhooks", 0, admin_webhook_list)                                                         \
    X("POST", API "/webhooks", 64 * KIB, admin_webhook_add)                                                  \
    X("GET", WEBHOOK, 0, admin_webhook_show)                                                                 \
    X("PATCH", WEBHOOK, 64 * KIB, admin_webhook_set)                                                         \
    X("DELETE", WEBHOOK, 0, admin_webhook_remove)                                                            \
    X("POST", WEBHOOK "/test", 0, admin_webhook_test)                                                        \
    X("GET", WEBHOOK "/events", 0, admin_webhook_events)                                                     \
    X("DELETE", WEBHOOK "/events", 0, admin_webhook_forget_all)                                              \
    X("POST", WEBHOOK "/events/resend", 0, admin_webhook_resend_all)                                         \
    X("DELETE", WEBHOOK "/events/{}", 0, admin_webhook_forget)                                               \
    X("POST", WEBHOOK "/events/{}/resend", 0, admin_webhook_resend)                                          \
    X("POST", API "/backup", 0, admin_backup_begin)                                                          \
    X("DELETE", API "/backup", 0, admin_backup_end)                                                          \
    X("GET", API "/backup/files/{}", 0, admin_backup_file)                                                   \
    X("GET", API "/ledger", 0, admin_ledger_list)                                                            \
    X("GET", API "/ledger/head", 0, admin_ledger_head)                                                       \
    X("POST", API "/ledger/prune", 4 * KIB, admin_ledger_prune)

/* Without a token: method, pattern, body limit, handler. */
#define OPEN(X)                                                                                              \
    X("POST", API "/session", 4 * KIB, admin_session_begin)                                                  \
    X("GET", API "/session", 0, admin_session_show)

/* Answers without an end: method, pattern, handler of HEAD. The socket goes to admin_events_take(). */
#define STREAMS(X) X("GET", API "/events", admin_events_head)

/* Uploads: method, pattern, stream, handler. */
#define UPLOADS(X)                                                                                           \
    X("PUT", FIRMWARE "/images/{}", admin_upload_by_path, run_image_upload)                                  \
    X("POST", PRODUCT "/images", admin_upload_by_file_name, run_image_upload)                                \
    X("PUT", FIRMWARE "/packages/{}/{}", admin_upload_package, run_package_upload)

#define X(method, pattern, body_limit, handler)                                                              \
    static void run_##handler(struct request *request)                                                       \
    {                                                                                                        \
        call_run(request, handler);                                                                          \
    }
ROUTES(X)
OPEN(X)
#undef X

#define X(method, pattern, handler)                                                                          \
    static void run_##handler(struct request *request)                                                       \
    {                                                                                                        \
        call_run(request, handler);                                                                          \
    }
STREAMS(X)
#undef X

static void run_image_upload(struct request *request)
{
    call_run(request, admin_image_add);
}

static void run_package_upload(struct request *request)
{
    call_run(request, admin_package_upload);
}

const struct route admin_routes[] = {
#define X(method, pattern, body_limit, handler)                                                              \
    {method, pattern, ROUTE_WORKER, body_limit, NULL, run_##handler},
    ROUTES(X)
#undef X
#define X(method, pattern, body_limit, handler)                                                              \
    {method, pattern, ROUTE_WORKER | ROUTE_OPEN, body_limit, NULL, run_##handler},
        OPEN(X)
#undef X
#define X(method, pattern, handler) {method, pattern, ROUTE_WORKER | ROUTE_TAKE, 0, NULL, run_##handler},
            STREAMS(X)
#undef X
#define X(method, pattern, stream, handler) {method, pattern, ROUTE_WORKER, 0, &(stream), handler},
                UPLOADS(X)
#undef X
                    {"GET", "/", ROUTE_OPEN, 0, NULL, console_file_redirect},
    {"GET", "/console", ROUTE_OPEN, 0, NULL, console_file_redirect},
    {"GET", "/console/", ROUTE_OPEN | ROUTE_PREFIX, 0, NULL, console_file_serve},
};
const size_t admin_route_count = sizeof admin_routes / sizeof *admin_routes;

bool admin_token_find(const struct daemon *daemon, struct slice token, struct sha256 *ret)
{
    bool known = false;
    sha256_of(token.ptr, token.len, ret);
    for (size_t i = 0; i < daemon->token_count; i++)
        known |= sha256_equal(ret, &daemon->tokens[i]);
    return known && token.len > 0;
}

bool admin_authorize(struct request *request, struct error *err)
{
    const struct daemon *daemon = request->context;
    struct session session;
    struct slice secret;
    if (request_header(request, "Authorization", &secret))
        return admin_token_find(daemon, request->token, &request->actor) ||
               error_set(err, ERROR_UNAUTHORIZED, "a valid token is needed: Authorization: Bearer TOKEN");
    if (!origin_cookie(request, &secret) ||
        !sessions_find(daemon->sessions, secret, clock_utc_ms(), &session))
        return error_set(err, ERROR_UNAUTHORIZED, "a valid token is needed: Authorization: Bearer TOKEN");
    request->actor = session.token;
    return slice_is(request->method, "GET") || slice_is(request->method, "HEAD") ||
           origin_check_change(request, err);
}

void admin_render_problem(struct reply *reply, int status, const struct error *err)
{
    reply_json(reply, status,
               json_pack("{s:s, s:s, s:i, s:s, s:o}", "type", "about:blank", "title",
                         MHD_get_reason_phrase_for((unsigned)status), "status", status, "code",
                         error_name(err->code), "detail", field_text(err->text)));
    reply->content_type = "application/problem+json";
    if (status == 401)
        reply_header(reply, "WWW-Authenticate", "Bearer");
}

void admin_render_error(void *context, const struct error *err, struct reply *reply)
{
    (void)context;
    admin_render_problem(reply, error_status(err->code), err);
}
