/* What the server is and holds. */
#include "config.h"

#include "base/clock.h"
#include "server/admin/handlers.h"
#include "server/admin/matrix.h"
#include "storage/device.h"
#include "storage/package.h"
#include "storage/product.h"

bool admin_status_show(struct admin_call *call, struct error *err)
{
    int64_t products, devices, conflicts;
    struct package_counts packages;
    json_t *estimate;
    if (!product_count(call->db, &products, err) || !device_count(call->db, &devices, err) ||
        !device_count_conflicts(call->db, &conflicts, err) ||
        !package_count(call->db, &packages, err) || !admin_backlog_estimate(call, &estimate, err))
        return false;
    reply_json(&call->reply, 200,
               json_pack("{s:s, s:I, s:I, s:I, s:I, s:{s:I, s:I, s:I, s:I, s:o}}", "version", PACKAGE_VERSION,
                         "uptime_ms", (json_int_t)(clock_boot_ms() - call->daemon->started_ms), "products",
                         (json_int_t)products, "devices", (json_int_t)devices, "conflicts", (json_int_t)conflicts, "packages", "queued",
                         (json_int_t)packages.queued, "generating", (json_int_t)packages.generating, "ready",
                         (json_int_t)packages.ready, "failed", (json_int_t)packages.failed, "estimate_ms", estimate));
    return true;
}
