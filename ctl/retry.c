/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "ctl/retry.h"

#include <string.h>
#include <time.h>
#include <unistd.h>
#include "base/clock.h"

#define RETRIES  4
#define RETRY_MS 500 /* before the first one; then twice as long each time */

/* The server takes a key with each POST but these. */
bool retry_takes_key(const char *method, const char *path)
{
    static const char *const ends[] = {"/session/once", "/backup", "/backup/result",
                                       "/ledger/prune", "/test",   "/images"};
    size_t len = strcspn(path, "?");
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
        if (len >= strlen(ends[i]) && strncmp(path + len - strlen(ends[i]), ends[i], strlen(ends[i])) == 0)
            return false;
    return strcmp(method, "POST") == 0;
}

void retry_make_key(char out[RETRY_KEY_SIZE])
{
    uint8_t random[RETRY_KEY_SIZE / 2];
    out[0] = '\0';
    if (getentropy(random, sizeof random) != 0)
        return; /* then the call is not sent again */
    for (size_t i = 0; i < sizeof random; i++)
        snprintf(out + 2 * i, 3, "%02x", random[i]);
}

static bool is_in_progress(const struct http_answer *answer)
{
    return answer->status == 409 && answer->body && strstr(answer->body, "\"idempotency-in-progress\"");
}

/* Waits before the call is sent again, longer each time. False: not within --timeout. */
static bool pause_before(int64_t deadline_ms, unsigned tries)
{
    int64_t pause_ms = (int64_t)RETRY_MS << tries;
    if (deadline_ms > 0 && clock_boot_ms() + pause_ms >= deadline_ms)
        return false;
    const struct timespec pause = {pause_ms / 1000, pause_ms % 1000 * 1000000};
    nanosleep(&pause, NULL);
    return true;
}

bool retry_send(int64_t deadline_ms, const struct http_request *request, struct http_answer *ret,
                struct failure *fail)
{
    bool broke = false;
    for (unsigned tries = 0;; tries++) {
        struct http_request now = *request;
        if (deadline_ms > 0 && tries > 0)
            now.timeout_ms = deadline_ms > clock_boot_ms() ? deadline_ms - clock_boot_ms() : 1;
        bool ok = http_send(&now, ret, fail);
        if (ok && !(request->key && is_in_progress(ret)))
            return true;
        broke = broke || (!ok && ret->broke);
        if (!request->key || (!ok && !broke) || tries == RETRIES || !pause_before(deadline_ms, tries)) {
            size_t used = strlen(fail->text);
            if (!ok && broke && request->key)
                snprintf(fail->text + used, sizeof fail->text - used,
                         ". It is not known whether the server carried the call out");
            return ok;
        }
        http_answer_clear(ret);
        if (request->file)
            rewind(request->file);
    }
}
