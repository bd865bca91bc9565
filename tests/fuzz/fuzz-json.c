/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Fuzz target: any bytes as the body of a call that takes JSON, handled as far as the database, where the
   changes are taken back. Input: one byte chooses the call, all else is the body.

   What stands between a handler and the network, and between it and the writer's thread, is replaced here. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "server/access/client.h"
#include "server/admin/admin.h"
#include "server/admin/handlers.h"
#include "server/core/stop_point.h"
#include "server/campaign/gate.h"
#include "server/checkin/checkin_task.h"
#include "server/device/device.h"
#include "server/build/scheduler.h"
#include "server/planning/prebuild.h"
#include "server/core/log.h"
#include "server/planning/plan_cache.h"
#include "server/checkin/counters.h"
#include "server/webhook/sender.h"
#include "storage/package.h"
#include "storage/webhook.h"
#include "server/http/transfer.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len);

static struct db *db;
static const struct config config_here;
static struct daemon daemon_here = {.config = &config_here, .device_url = "http://modules.example"};
static char token[LINK_TOKEN_SIZE];

static void demand(bool truth)
{
    if (!truth)
        abort();
}

/* The writer: at once, in this thread. */

bool writer_call(struct writer *writer, writer_function *run, void *cls, struct error *err)
{
    (void)writer;
    if (db_savepoint(db, err) && run(cls, db, err) && db_release(db, err))
        return true;
    db_rollback_savepoint(db);
    return false;
}

bool writer_flush_now(struct writer *writer, struct error *err)
{
    (void)writer;
    (void)err;
    return true;
}

void writer_add(struct writer *writer, struct writer_task *task)
{
    struct error err;
    bool ok = task->run(task, db, &err);
    (void)writer;
    task->done(task, ok ? NULL : &err);
}

bool reader_pool_take(struct reader_pool *reader_pool, struct db **ret, struct error *err)
{
    (void)reader_pool;
    (void)err;
    *ret = db;
    return true;
}

void reader_pool_give(struct reader_pool *reader_pool, struct db *given)
{
    (void)reader_pool;
    demand(given == db);
}

void prebuild_add(struct prebuild *matrix, int64_t firmware_id, int64_t image_id)
{
    (void)matrix, (void)firmware_id, (void)image_id;
}

void sender_wake(struct sender *sender)
{
    (void)sender;
}

void scheduler_wake(struct scheduler *scheduler)
{
    (void)scheduler;
}

void scheduler_wake_wanted(struct scheduler *scheduler)
{
    (void)scheduler;
}

bool scheduler_is_improving(struct scheduler *scheduler, int64_t package_id)
{
    (void)scheduler, (void)package_id;
    return false;
}

void checkin_counters_look(struct checkin_counters *counters, int64_t device_id, int64_t *check_ins,
                           int64_t *last_seen_ms)
{
    (void)counters;
    (void)device_id;
    (void)check_ins;
    (void)last_seen_ms;
}

bool checkin_counters_add(struct checkin_counters *counters, int64_t device_id, int64_t now_ms, bool noted)
{
    (void)counters;
    (void)noted;
    demand(device_id > 0 && now_ms > 0);
    return false;
}

void writer_flush_soon(struct writer *writer)
{
    (void)writer;
}

void client_origin(const struct request *request, char out[CLIENT_ORIGIN_SIZE])
{
    (void)request;
    out[0] = '\0';
}

struct transfers_load transfers_load(struct transfers *transfers, int64_t but)
{
    (void)transfers, (void)but;
    return (struct transfers_load){.running = 0};
}

void transfers_poll(struct transfers *transfers, int64_t attempt,
                    void (*take)(void *cls, const struct transfer_event *event), void *cls)
{
    (void)transfers;
    (void)attempt;
    (void)take;
    (void)cls;
}

struct decision_limits checkin_limits(const struct config *config)
{
    (void)config;
    return (struct decision_limits){.loop_guard_per_day = 2};
}

/* The network: the answer is JSON, whatever was asked, and blames nobody here. */

static unsigned answers;

#ifdef HAVE_STOP_POINTS
void stop_point(const char *name)
{
    (void)name;
}
#endif

void request_answer(struct request *request, struct reply *reply)
{
    json_t *json = json_loadb(reply->bytes, reply->size, JSON_REJECT_DUPLICATES, NULL);
    (void)request;
    demand(reply->status >= 200 && reply->status < 300 && json_is_object(json));
    json_decref(json);
    reply_free(reply);
    answers++;
}

void request_fail(struct request *request, const struct error *err)
{
    json_t *text = field_text(err->text);
    (void)request;
    demand(error_status(err->code) >= 400 && error_status(err->code) < 500);
    demand(json_is_string(text) && json_string_length(text) > 0);
    json_decref(text);
    answers++;
}

bool request_header_at(const struct request *request, const char *name, unsigned index, struct slice *ret)
{
    (void)index;
    return request_header(request, name, ret);
}

bool request_header(const struct request *request, const char *name, struct slice *ret)
{
    (void)request;
    (void)name;
    *ret = (struct slice){NULL, 0};
    return false;
}

void admin_render_problem_with(struct reply *reply, int status, const struct error *err, json_t *members)
{
    json_decref(members);
    admin_render_problem(reply, status, err);
}

void admin_render_problem(struct reply *reply, int status, const struct error *err)
{
    (void)reply;
    (void)status;
    (void)err;
    abort(); /* only where links have no address */
}

/* What is there to be changed: a product with a firmware of two images, a device, a link. */

static void fill(void)
{
    struct error err;
    struct product product = {.product_key = "pumps", .name = "Village pumps", .created_ms = 1};
    struct firmware firmware;
    struct device device;
    struct identity identity;
    bool new;
    demand(product_add(db, &product, &err) && firmware_ensure(db, product.id, "Pump", 1, &firmware, &err));
    for (uint8_t i = 0; i < 2; i++) {
        struct image image = {.firmware_id = firmware.id, .size_bytes = 1, .uploaded_ms = 1};
        snprintf(image.version, sizeof image.version, "%s", i ? "1162" : "1138");
        memset(image.sha256.byte, i, sizeof image.sha256.byte);
        demand(image_add(db, product.id, &image, &new, &err));
    }
    snprintf(firmware.format, sizeof firmware.format, "bsdiff");
    demand(firmware_update(db, &firmware, &err) &&
           campaign_set_plain(db, &firmware, "1162", "", "", 1, &err));
    demand(identity_parse(slice_of("866597071234569"), &identity));
    demand(device_add(db, product.id, &identity, firmware.id, &device, &err));
    struct image from, to;
    demand(image_get(db, firmware.id, "1138", &from, &err) && image_get(db, firmware.id, "1162", &to, &err));
    const struct package_key key = {
        .from = from.sha256, .to = to.sha256, .format = "bsdiff", .firmware_id = firmware.id};
    const struct package_made made = {
        .size_bytes = 5, .note = "", .log = ""}; /* not proven; its SHA-256 is zero */
    demand(package_put_uploaded(db, &key, &made, "Ann", 1, &err));
    struct link link = {.device_id = device.id, .firmware_id = firmware.id, .created_ms = 1};
    demand(link_add(db, &link, &err));
    snprintf(token, sizeof token, "%s", link.token);
    struct webhook webhook = {.name = "all", .url = "http://x/", .enabled = 1, .created_ms = 1};
    demand(webhook_add(db, &webhook, &err));
}

static void open_database(void)
{
    char directory[] = "/tmp/dfota-fuzz-XXXXXX", file[64], command[64];
    struct error err;
    log_set_level(LOG_LEVEL_ERROR);
    demand(mkdtemp(directory) != NULL);
    snprintf(file, sizeof file, "%s/db", directory);
    snprintf(command, sizeof command, "rm -r %s", directory);
    demand(db_open_writer(file, &db, &err) && plan_cache_open(&daemon_here.plan_cache, &err) &&
           db_begin(db, &err));
    fill();
    demand(db_commit(db, &err));
    demand(system(command) == 0); /* it is open, and needs no name */
}

#define CALL(handler)                                                                                        \
    static void run_##handler(struct request *request)                                                       \
    {                                                                                                        \
        call_run(request, handler);                                                                          \
    }
CALL(admin_product_add)
CALL(admin_firmware_set)
CALL(admin_target_set)
CALL(admin_link_add)
CALL(admin_package_release)
CALL(admin_webhook_add)
#undef CALL

static const struct {
    void (*handle)(struct request *request);
    const char *param[4]; /* NULL: the token */
} calls[] = {
    {run_admin_product_add, {"", "", "", ""}},
    {run_admin_firmware_set, {"pumps", "Pump", "", ""}},
    {run_admin_target_set, {"pumps", "Pump", "", ""}},
    {run_admin_link_add, {"pumps", "imei:866597071234569", "", ""}},
    {run_admin_link_add, {"pumps", "a-new-one", "", ""}},
    {report_handle, {NULL, "", "", ""}},
    {turnkey_result_handle, {"", "", "", ""}},
    {run_admin_package_release, {"pumps", "Pump", "1138", "1162"}},
    {run_admin_webhook_add, {"", "", "", ""}},
};

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t len)
{
    struct error err;
    if (len == 0)
        return 0;
    if (!db)
        open_database();
    unsigned call = input[0] % (sizeof calls / sizeof calls[0]);
    struct request request = {.context = &daemon_here,
                              .body = {len > 1 ? (const char *)input + 1 : NULL, len - 1},
                              .body_length = (int64_t)len - 1};
    for (unsigned i = 0; i < 4; i++)
        request.param[i] = slice_of(calls[call].param[i] ? calls[call].param[i] : token);
    answers = 0;
    demand(db_begin(db, &err));
    calls[call].handle(&request);
    demand(answers == 1 && db_in_transaction(db));
    db_rollback(db);
    return 0;
}
