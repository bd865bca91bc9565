/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/admin/admin.h"

#include <microhttpd.h>

#include "server/access/access.h"
#include "server/admin/handlers.h"
#include "server/admin/parameters.h"
#include "server/console/file.h"
#include "upgrade/transcript.h"

#define KIB      1024
#define API      "/api/v1"
#define PRODUCT  API "/products/{}"
#define FIRMWARE PRODUCT "/firmware/{}"
#define DEVICE   PRODUCT "/devices/{}"
#define WEBHOOK  API "/webhooks/{}"
#define CAMPAIGN FIRMWARE "/campaigns/{}"

/* The access of a call: its scope, each includes the ones before; CUT: see access.h. */
#define READ    SCOPE_READ
#define UPLOAD  SCOPE_UPLOAD  /* images and packages */
#define OPERATE SCOPE_OPERATE /* devices, links, campaigns, reports, releases */
#define ADMIN   SCOPE_ADMIN   /* products, settings, deletion of firmware and images, webhooks, tokens */
#define CUT     ACCESS_CUT

/* Method, pattern, parameters of the query (admin_check_query() refuses others), access, body limit (0: the call
   takes no body), handler. */
#define ROUTES(X)                                                                                            \
    X("GET", API "/reasons", "lang", READ | CUT, 0, admin_reason_list)                                       \
    X("GET", API "/status", "", READ | CUT, 0, admin_status_show)                                            \
    X("GET", API "/signing-key", "", READ | CUT, 0, admin_signing_key_show)                                  \
    X("GET", API "/overview", "", READ | CUT, 0, admin_overview_show)                                        \
    X("GET", API "/campaigns", "after limit q sort", READ | CUT, 0, admin_campaign_list_all)                 \
    X("DELETE", API "/session", "", READ | CUT, 0, admin_session_end)                                        \
    X("POST", API "/session/once", "", READ | CUT, 0, admin_session_once)                                    \
    X("GET", API "/products", "after limit q sort", READ | CUT, 0, admin_product_list)                       \
    X("POST", API "/products", "", ADMIN, 64 * KIB, admin_product_add)                                       \
    X("GET", PRODUCT, "", READ, 0, admin_product_show)                                                       \
    X("PATCH", PRODUCT, "", ADMIN, 4 * KIB, admin_product_set)                                               \
    X("DELETE", PRODUCT, "", ADMIN, 0, admin_product_delete)                                                 \
    X("GET", PRODUCT "/firmware", "after limit q sort", READ, 0, admin_firmware_list)                        \
    X("GET", FIRMWARE, "", READ, 0, admin_firmware_show)                                                     \
    X("PATCH", FIRMWARE, "", ADMIN, 64 * KIB, admin_firmware_set)                                            \
    X("DELETE", FIRMWARE, "", ADMIN, 0, admin_firmware_delete)                                               \
    X("PUT", FIRMWARE "/target", "dry_run", OPERATE, 64 * KIB, admin_target_set)                             \
    X("DELETE", FIRMWARE "/target", "", OPERATE, 0, admin_target_drop)                                       \
    X("GET", FIRMWARE "/campaigns", "after limit q sort", READ, 0, admin_campaign_list)                      \
    X("POST", FIRMWARE "/campaigns", "", OPERATE, 4 * KIB * KIB, admin_campaign_add)                         \
    X("GET", CAMPAIGN, "", READ, 0, admin_campaign_show)                                                     \
    X("PATCH", CAMPAIGN, "", OPERATE, 4 * KIB * KIB, admin_campaign_set)                                     \
    X("DELETE", CAMPAIGN, "", OPERATE, 0, admin_campaign_remove)                                             \
    X("POST", CAMPAIGN "/start", "dry_run", OPERATE, 0, admin_campaign_start)                                \
    X("POST", CAMPAIGN "/pause", "", OPERATE, 4 * KIB, admin_campaign_pause)                                 \
    X("POST", CAMPAIGN "/resume", "", OPERATE, 0, admin_campaign_resume)                                     \
    X("POST", CAMPAIGN "/cancel", "", OPERATE, 0, admin_campaign_cancel)                                     \
    X("POST", CAMPAIGN "/approve", "stage", OPERATE, 0, admin_campaign_approve)                              \
    X("POST", CAMPAIGN "/retarget", "", OPERATE, 4 * KIB, admin_campaign_retarget)                           \
    X("POST", CAMPAIGN "/copy", "", OPERATE, 4 * KIB, admin_campaign_copy)                                   \
    X("GET", CAMPAIGN "/evidence", "rows", READ, 0, admin_evidence_get)                                      \
    X("GET", CAMPAIGN "/devices", "after limit outcome q", READ, 0, admin_campaign_devices)                  \
    X("PUT", CAMPAIGN "/devices", "", OPERATE, 4 * KIB * KIB, admin_campaign_devices_put)                    \
    X("GET", FIRMWARE "/missing-bases", "after limit q sort", READ, 0, admin_firmware_missing_bases)         \
    X("GET", FIRMWARE "/versions", "after days limit q sort", READ, 0, admin_firmware_versions)              \
    X("GET", FIRMWARE "/images", "after limit q sort", READ, 0, admin_image_list)                            \
    X("GET", FIRMWARE "/images/{}", "variant", READ, 0, admin_image_show)                                    \
    X("PATCH", FIRMWARE "/images/{}", "variant", OPERATE, 64 * KIB, admin_image_set)                         \
    X("DELETE", FIRMWARE "/images/{}", "variant", ADMIN, 0, admin_image_remove)                              \
    X("GET", FIRMWARE "/images/{}/content", "variant", READ, 0, admin_image_content)                         \
    X("PUT", FIRMWARE "/images/{}/about", "variant", UPLOAD, 64 * KIB, admin_image_about_set)                \
    X("PUT", FIRMWARE "/images/{}/sbom", "variant", UPLOAD, KIB *KIB, admin_image_sbom_put)                  \
    X("GET", FIRMWARE "/images/{}/sbom", "variant", READ, 0, admin_image_sbom_get)                           \
    X("DELETE", FIRMWARE "/images/{}/sbom", "variant", OPERATE, 0, admin_image_sbom_delete)                  \
    X("DELETE", FIRMWARE "/images/{}/quarantine", "variant", OPERATE, 0, admin_image_lift)                   \
    X("GET", FIRMWARE "/matrix", "", READ, 0, admin_matrix_show)                                             \
    X("GET", FIRMWARE "/queue", "limit", READ, 0, admin_queue_show)                                          \
    X("GET", FIRMWARE "/packages", "after limit q sort", READ, 0, admin_package_list)                        \
    X("GET", FIRMWARE "/packages/{}/{}", "from_variant to_variant", READ, 0, admin_package_show)             \
    X("POST", FIRMWARE "/packages/{}/{}", "from_variant to_variant", UPLOAD, 0, admin_package_ask)           \
    X("GET", FIRMWARE "/packages/{}/{}/content", "from_variant to_variant", READ, 0, admin_package_content)  \
    X("GET", FIRMWARE "/packages/{}/{}/content.sig", "from_variant to_variant", READ, 0,                     \
      admin_package_signature)                                                                               \
    X("DELETE", FIRMWARE "/packages/{}/{}", "from_variant to_variant", OPERATE, 0, admin_package_forget)     \
    X("POST", FIRMWARE "/packages/{}/{}/release", "from_variant to_variant", OPERATE, 64 * KIB,              \
      admin_package_release)                                                                                 \
    X("DELETE", FIRMWARE "/packages/{}/{}/release", "from_variant to_variant", OPERATE, 0,                   \
      admin_package_take_back)                                                                               \
    X("PUT", FIRMWARE "/packages/{}/{}/quarantine", "from_variant to_variant", OPERATE, 4 * KIB,             \
      admin_package_quarantine)                                                                              \
    X("DELETE", FIRMWARE "/packages/{}/{}/quarantine", "from_variant to_variant", OPERATE, 0,                \
      admin_package_lift)                                                                                    \
    X("GET", FIRMWARE "/paths", "from from_variant to", READ, 0, admin_path_show)                            \
    X("POST", FIRMWARE "/paths", "from from_variant to", UPLOAD, 0, admin_path_ask)                          \
    X("POST", FIRMWARE "/reports", "", OPERATE, 4 * KIB * KIB, admin_report_add_many)                        \
    X("POST", FIRMWARE "/links", "existing version", OPERATE, 4 * KIB * KIB, admin_link_add_many)            \
    X("POST", PRODUCT "/devices", "", OPERATE, 4 * KIB * KIB, admin_device_import)                           \
    X("GET", PRODUCT "/devices", "after device firmware held limit notice q retired sort", READ, 0,          \
      admin_device_list)                                                                                     \
    X("POST", PRODUCT "/devices/unblock", "firmware q", OPERATE, 0, admin_device_unblock_all)                \
    X("GET", PRODUCT "/explain", "core_id device firmware link over range version", READ, 0, admin_explain)  \
    X("GET", FIRMWARE "/outcomes", "after limit q state target", READ, 0, admin_outcomes)                    \
    X("GET", DEVICE, "", READ, 0, admin_device_show)                                                         \
    X("PATCH", DEVICE, "", OPERATE, 16 * KIB, admin_device_set)                                              \
    X("DELETE", DEVICE, "", OPERATE, 0, admin_device_delete)                                                 \
    X("POST", DEVICE "/retire", "", OPERATE, 0, admin_device_retire)                                         \
    X("POST", DEVICE "/restore", "", OPERATE, 0, admin_device_restore)                                       \
    X("POST", DEVICE "/admit", "", OPERATE, 0, admin_device_admit)                                           \
    X("POST", DEVICE "/replace", "", OPERATE, 4 * KIB, admin_device_replace)                                 \
    X("POST", DEVICE "/unblock", "", OPERATE, 0, admin_device_unblock)                                       \
    X("POST", DEVICE "/write-off", "", OPERATE, 0, admin_device_write_off)                                   \
    X("POST", DEVICE "/claim", "", OPERATE, 4 * KIB, admin_claim_accept)                                     \
    X("DELETE", DEVICE "/claim", "", OPERATE, 0, admin_claim_dismiss)                                        \
    X("POST", DEVICE "/transcripts", "captured_at", OPERATE, TRANSCRIPT_MAX_BYTES, admin_transcript_add)     \
    X("GET", DEVICE "/transcripts", "after limit q sort", READ, 0, admin_transcript_list)                    \
    X("GET", DEVICE "/transcripts/{}", "", READ, 0, admin_transcript_show)                                   \
    X("POST", DEVICE "/link", "", OPERATE, 64 * KIB, admin_link_add)                                         \
    X("DELETE", DEVICE "/links", "", OPERATE, 0, admin_link_revoke_all)                                      \
    X("GET", DEVICE "/links/{}", "", READ, 0, admin_link_show)                                               \
    X("DELETE", DEVICE "/links/{}", "", OPERATE, 0, admin_link_revoke)                                       \
    X("GET", DEVICE "/check-ins", "after limit q sort", READ, 0, admin_device_check_ins)                     \
    X("GET", PRODUCT "/secrets", "after limit q sort", READ, 0, admin_secret_list)                           \
    X("POST", PRODUCT "/secrets", "", OPERATE, 4 * KIB, admin_secret_add)                                    \
    X("GET", DEVICE "/secrets", "after limit q sort", READ, 0, admin_secret_list_device)                     \
    X("POST", DEVICE "/secrets", "", OPERATE, 4 * KIB, admin_secret_add_device)                              \
    X("GET", PRODUCT "/secrets/{}", "", READ, 0, admin_secret_show)                                          \
    X("POST", PRODUCT "/secrets/{}/rotate", "", OPERATE, 4 * KIB, admin_secret_rotate)                       \
    X("DELETE", PRODUCT "/secrets/{}", "", OPERATE, 0, admin_secret_revoke)                                  \
    X("GET", API "/unknown", "after limit product q sort", READ | CUT, 0, admin_unknown_list)                \
    X("DELETE", API "/unknown", "", OPERATE, 0, admin_unknown_forget_all)                                    \
    X("DELETE", API "/unknown/{}", "", OPERATE, 0, admin_unknown_forget)                                     \
    X("GET", API "/webhooks", "after limit q sort", READ | CUT, 0, admin_webhook_list)                       \
    X("POST", API "/webhooks", "", ADMIN, 64 * KIB, admin_webhook_add)                                       \
    X("GET", WEBHOOK, "", READ, 0, admin_webhook_show)                                                       \
    X("PATCH", WEBHOOK, "", ADMIN, 64 * KIB, admin_webhook_set)                                              \
    X("DELETE", WEBHOOK, "", ADMIN, 0, admin_webhook_remove)                                                 \
    X("POST", WEBHOOK "/test", "", ADMIN, 0, admin_webhook_test)                                             \
    X("GET", WEBHOOK "/events", "after limit q sort state", READ, 0, admin_webhook_events)                   \
    X("DELETE", WEBHOOK "/events", "", ADMIN, 0, admin_webhook_forget_all)                                   \
    X("POST", WEBHOOK "/events/resend", "", ADMIN, 0, admin_webhook_resend_all)                              \
    X("DELETE", WEBHOOK "/events/{}", "", ADMIN, 0, admin_webhook_forget)                                    \
    X("POST", WEBHOOK "/events/{}/resend", "", ADMIN, 0, admin_webhook_resend)                               \
    X("POST", API "/backup", "", ADMIN, 0, admin_backup_begin)                                               \
    X("POST", API "/backup/result", "", ADMIN, KIB, admin_backup_result)                                     \
    X("DELETE", API "/backup", "", ADMIN, 0, admin_backup_end)                                               \
    X("GET", API "/backup/files/{}", "", ADMIN, 0, admin_backup_file)                                        \
    X("GET", API "/ledger", "after device kind limit product q since sort until", READ | CUT, 0,             \
      admin_ledger_list)                                                                                     \
    X("GET", API "/ledger/head", "", READ, 0, admin_ledger_head)                                             \
    X("POST", API "/ledger/prune", "", ADMIN, 4 * KIB, admin_ledger_prune)                                   \
    X("GET", API "/tokens", "after limit q sort", ADMIN, 0, admin_token_list)                                \
    X("POST", API "/tokens", "", ADMIN, 4 * KIB, admin_token_add)                                            \
    X("GET", API "/tokens/{}", "", ADMIN, 0, admin_token_show)                                               \
    X("DELETE", API "/tokens/{}", "", ADMIN, 0, admin_token_revoke)                                          \
    X("POST", API "/tokens/{}/rotate", "", ADMIN, 4 * KIB, admin_token_rotate)

/* Without a token: method, pattern, parameters, body limit, handler. */
#define OPEN(X)                                                                                              \
    X("POST", API "/session", "", 4 * KIB, admin_session_begin)                                              \
    X("GET", API "/session", "", 0, admin_session_show)

/* Answers without an end: method, pattern, parameters, access, handler of HEAD. The socket goes to admin_events_take(). */
#define STREAMS(X) X("GET", API "/events", "after product", READ | CUT, admin_events_head)

/* Uploads: method, pattern, parameters, access, stream, handler. */
#define UPLOADS(X)                                                                                           \
    X("PUT", FIRMWARE "/images/{}", "core_id format variant", UPLOAD, admin_upload_by_path,                  \
      run_image_upload)                                                                                      \
    X("POST", PRODUCT "/images", "core_id filename format variant", UPLOAD, admin_upload_by_file_name,       \
      run_image_upload)                                                                                      \
    X("PUT", FIRMWARE "/packages/{}/{}", "format from_variant to_variant", UPLOAD, admin_upload_package,     \
      run_package_upload)

#define RUN(handler)                                                                                         \
    static void run_##handler(struct request *request)                                                       \
    {                                                                                                        \
        call_run(request, handler);                                                                          \
    }
#define X(method, pattern, query, access, body_limit, handler) RUN(handler)
ROUTES(X)
#undef X
#define X(method, pattern, query, body_limit, handler) RUN(handler)
OPEN(X)
#undef X
#define X(method, pattern, query, access, handler) RUN(handler)
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
#define X(method, pattern, query, access, body_limit, handler)                                               \
    {method, pattern, ROUTE_WORKER | ROUTE_ACCESS(access), body_limit, NULL, run_##handler},
    ROUTES(X)
#undef X
#define X(method, pattern, query, body_limit, handler)                                                       \
    {method, pattern, ROUTE_WORKER | ROUTE_OPEN, body_limit, NULL, run_##handler},
        OPEN(X)
#undef X
#define X(method, pattern, query, access, handler)                                                           \
    {method, pattern, ROUTE_WORKER | ROUTE_TAKE | ROUTE_ACCESS(access), 0, NULL, run_##handler},
            STREAMS(X)
#undef X
#define X(method, pattern, query, access, stream, handler)                                                   \
    {method, pattern, ROUTE_WORKER | ROUTE_ACCESS(access), 0, &(stream), handler},
                UPLOADS(X)
#undef X
                    {"GET", "/metrics", ROUTE_WORKER | ROUTE_ACCESS(READ), 0, NULL, admin_metrics_serve},
    {"GET", API "/openapi.yaml", ROUTE_OPEN, 0, NULL, admin_openapi_serve},
    {"GET", "/healthz", ROUTE_OPEN, 0, NULL, admin_health_serve},
    {"GET", "/readyz", ROUTE_WORKER | ROUTE_OPEN, 0, NULL, admin_ready_serve},
    {"GET", "/", ROUTE_OPEN, 0, NULL, console_file_redirect},
    {"GET", "/console", ROUTE_OPEN, 0, NULL, console_file_redirect},
    {"GET", "/console/", ROUTE_OPEN | ROUTE_PREFIX, 0, NULL, console_file_serve},
};
const size_t admin_route_count = sizeof admin_routes / sizeof *admin_routes;

/* The same rows: the parameters of each. */
static const char *const parameters[] = {
#define X(method, pattern, query, ...) query,
    ROUTES(X) OPEN(X) STREAMS(X) UPLOADS(X)
#undef X
};

bool admin_check_query(struct request *request, struct error *err)
{
    size_t row = (size_t)(request->route - admin_routes);
    return row >= sizeof parameters / sizeof *parameters || parameters_check(request, parameters[row], err);
}

void admin_render_problem_with(struct reply *reply, int status, const struct error *err, json_t *members)
{
    json_t *json = json_pack("{s:s, s:s, s:i, s:s, s:o}", "type", "about:blank", "title",
                             MHD_get_reason_phrase_for((unsigned)status), "status", status, "code",
                             error_name(err->code), "detail", field_text(err->text));
    if (members)
        json_object_update_new(json, members);
    reply_json(reply, status, json);
    reply->content_type = "application/problem+json";
    if (status == 401)
        reply_header(reply, "WWW-Authenticate", "Bearer");
    if (status == 429)
        reply_header(reply, "Retry-After", "60");
}

void admin_render_problem(struct reply *reply, int status, const struct error *err)
{
    admin_render_problem_with(reply, status, err, NULL);
}

void admin_render_error(void *context, const struct error *err, struct reply *reply)
{
    (void)context;
    admin_render_problem(reply, error_status(err->code), err);
}
