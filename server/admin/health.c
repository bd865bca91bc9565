/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* GET /healthz: the process is alive. GET /readyz: it can do its work. Both without a token, so a stranger can ask at any
   rate: /healthz does nothing, and /readyz tests the database at most once in PROBE_MS, whoever asks. */
#include <pthread.h>

#include "base/clock.h"
#include "server/admin/handlers.h"
#include "server/core/uptime.h"
#include "storage/pending_report.h"

#define PROBE_MS   5000  /* how old a result may be */
#define PATIENT_MS 10000 /* a test that takes longer has failed */

static void answer(struct request *request, int status, const char *text)
{
    struct reply reply;
    reply_text(&reply, status, "text/plain; charset=utf-8", text, strlen(text));
    reply_header(&reply, "Cache-Control", "no-store");
    request_answer(request, &reply);
}

void admin_health_serve(struct request *request)
{
    answer(request, 200, "ok\n");
}

#define NOT_READY "not ready: "

static struct {
    pthread_mutex_t mutex;
    bool is_running, is_known;
    int64_t began_ms, ended_ms; /* boot clock */
    const char *fault;          /* of the last test that ended; NULL: none */
} probe = {.mutex = PTHREAD_MUTEX_INITIALIZER};

/* One small row is written and synced. */
static bool write_something(void *cls, struct db *db, struct error *err)
{
    (void)cls;
    return uptime_store(db, uptime_now_ms(), err);
}

static const char *run_probe(struct daemon *daemon)
{
    struct error ignored; /* the log tells it where it happens; a stranger is not told paths */
    struct db *db;
    int64_t ms;
    if (!reader_pool_take(daemon->reader_pool, &db, &ignored))
        return NOT_READY "the database cannot be opened\n";
    bool ok = uptime_load(db, &ms, &ignored);
    reader_pool_give(daemon->reader_pool, db);
    if (!ok)
        return NOT_READY "the database cannot be read\n";
    return writer_call(daemon->writer, write_something, NULL, &ignored) ? NULL
                                                                        : NOT_READY
               "the database cannot be written\n";
}

/* True: the caller has to run the test. */
static bool claim_probe(void)
{
    int64_t now_ms = clock_boot_ms();
    pthread_mutex_lock(&probe.mutex);
    bool mine = !probe.is_running && (!probe.is_known || now_ms - probe.ended_ms >= PROBE_MS);
    if (mine) {
        probe.is_running = true;
        probe.began_ms = now_ms;
    }
    pthread_mutex_unlock(&probe.mutex);
    return mine;
}

static void end_probe(const char *fault)
{
    pthread_mutex_lock(&probe.mutex);
    probe.is_running = false;
    probe.is_known = true;
    probe.ended_ms = clock_boot_ms();
    probe.fault = fault;
    pthread_mutex_unlock(&probe.mutex);
}

static const char *last_fault(void)
{
    pthread_mutex_lock(&probe.mutex);
    const char *fault = probe.fault;
    if (probe.is_running && clock_boot_ms() - probe.began_ms > PATIENT_MS)
        fault = NOT_READY "the database does not answer\n";
    else if (!probe.is_known)
        fault = NOT_READY "the first test of the database is not over\n";
    pthread_mutex_unlock(&probe.mutex);
    return fault;
}

void admin_ready_serve(struct request *request)
{
    struct daemon *daemon = request->context;
    if (!atomic_load(&daemon->is_serving)) {
        answer(request, 503, NOT_READY "the server is starting or stopping\n");
        return;
    }
    if (claim_probe())
        end_probe(run_probe(daemon));
    const char *fault = last_fault();
    answer(request, fault ? 503 : 200, fault ? fault : "ready\n");
}
