/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/luatos_runner.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include "base/cleanup.h"
#include "sim/code.h"

#define FAILURES_MAX   5 /* of the network in a row */
#define KIND_NAME      "LUAT_CONF_FIRMWARE_TYPE_NUM"
#define JSON_MAX_BYTES 65536

bool runner_end(struct luatos_runner *run, enum outcome outcome, const char *detail)
{
    run->outcome = outcome;
    if (outcome == OUTCOME_BROKEN)
        RUNNER_TRACE(does, "module breaks: %s", detail);
    else
        RUNNER_TRACE(does, "ends at %s: %s%s%s", run->image->version, outcome_name(outcome),
                     *detail ? ", " : "", detail);
    return false;
}

void runner_pause_ms(const struct luatos_runner *run, int64_t ms)
{
    ms /= (int64_t)run->hurry;
    const struct timespec time = {.tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000};
    nanosleep(&time, NULL);
}

/* ---- What runs ---- */

/* The number after its name in the settings of a build; 0: none. */
static int64_t read_kind(struct bytes settings)
{
    const char *at =
        settings.len ? memmem(settings.ptr, settings.len, KIND_NAME, sizeof KIND_NAME - 1) : NULL;
    if (!at)
        return 0;
    const char *limit = (const char *)settings.ptr + settings.len;
    int64_t kind = 0;
    for (at += sizeof KIND_NAME - 1; at < limit && (*at == ' ' || *at == '\t'); at++)
        ;
    for (; at < limit && *at >= '0' && *at <= '9' && kind < 100000; at++)
        kind = kind * 10 + (*at - '0');
    return kind;
}

/* The kind of build: of --core-id, or of the .soc. A script leaves it as it is. */
static int64_t find_kind(const struct luatos_runner *run, const struct image *image)
{
    struct soc soc;
    struct error err;
    if (run->kind != CORE_ID_NONE)
        return (int64_t)run->kind;
    if (!soc_owns(buffer_bytes(&image->bytes)) || !soc_open(buffer_bytes(&image->bytes), &soc, &err))
        return run->words.core_id;
    int64_t kind = read_kind(buffer_bytes(&soc.settings));
    soc_free(&soc);
    return kind;
}

bool runner_become(struct luatos_runner *run, const struct image *image)
{
    run->image = image;
    run->words.core_id = find_kind(run, image);
    return luatos_read_version(image->version, &run->words);
}

bool runner_start_again(struct luatos_runner *run)
{
    char why[LUATOS_WHY_SIZE];
    enum luatos_result result = luatos_flash_start(&run->flash, why);
    if (result == LUATOS_DEAD)
        return runner_end(run, OUTCOME_BROKEN, why);
    if (result == LUATOS_REFUSED) {
        RUNNER_TRACE(then, "restarts: %s", why);
        return true;
    }
    const struct image *image = image_store_pick(run->plan->store, luatos_flash_runs, &run->flash);
    if (!image)
        return runner_end(run, OUTCOME_UNKNOWN, "core and script are together no known release");
    if (!runner_become(run, image))
        return runner_end(run, OUTCOME_UNKNOWN, "the version of this release is not CORE.x.y.z or CORE.x.z");
    run->told = false;
    RUNNER_TRACE(then, "restarts into %s", image->version);
    return true;
}

/* ---- One exchange ---- */

enum fetch_result runner_exchange(struct luatos_runner *run, const char *method, const struct url *url,
                                  const struct buffer *target, const char *body, int64_t timeout_ms,
                                  bool is_package, struct fetch_answer *answer)
{
    struct error err;
    _cleanup_(buffer_free) struct buffer request = {0};
    _cleanup_(cleanup_free) char *rest = NULL;
    *answer = (struct fetch_answer){0};
    int made =
        body ? asprintf(
                   &rest,
                   " HTTP/1.1\r\nHost: %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
                   url->host, strlen(body), body)
             : asprintf(&rest, " HTTP/1.1\r\nHost: %s\r\n\r\n", url->host);
    if (made < 0 || !buffer_add(&request, method, strlen(method), &err) ||
        !buffer_add(&request, " ", 1, &err) || !buffer_add(&request, target->ptr, target->len, &err) ||
        !buffer_add(&request, rest, strlen(rest), &err))
        return FETCH_NOTHING;
    const struct fetch_order order = {url,
                                      {(const char *)request.ptr, request.len},
                                      is_package ? IMAGE_MAX_BYTES : JSON_MAX_BYTES,
                                      is_package && !run->cut_done ? run->plan->cut_bytes : UINT64_MAX,
                                      0,
                                      false,
                                      timeout_ms / (int64_t)run->hurry + 1};
    return fetch_run(&order, answer);
}

/* ---- How an ask ends ---- */

static bool wants_more(const struct luatos_runner *run)
{
    return run->plan->asks > 0 && run->asks < run->plan->asks;
}

bool runner_has_reached(const struct luatos_runner *run)
{
    return run->plan->until[0] && run->told && release_same(run->image->version, run->plan->until);
}

bool runner_settle(struct luatos_runner *run, enum outcome outcome, const char *why)
{
    if (run->plan->asks > 0 && !wants_more(run))
        return runner_end(run, OUTCOME_ASKED, "");
    if (!wants_more(run))
        return runner_end(run, outcome, why);
    runner_pause_ms(run, run->plan->interval_ms);
    return true;
}

/* After a refusal that the library cannot read. */
bool runner_refuse(struct luatos_runner *run, int code)
{
    char why[96];
    snprintf(why, sizeof why, "%d %s", code, code_text(code));
    run->told = true;
    run->failures = 0;
    if (runner_has_reached(run))
        return runner_end(run, OUTCOME_REACHED, "");
    if (code == CODE_WAIT && (run->plan->asks == 0 || wants_more(run))) {
        runner_pause_ms(run, run->plan->interval_ms);
        return true;
    }
    return runner_settle(run, code == CODE_IDLE ? OUTCOME_IDLE : OUTCOME_REFUSED, why);
}

bool runner_fail(struct luatos_runner *run, const char *why)
{
    if (++run->failures >= FAILURES_MAX)
        return runner_end(run, OUTCOME_UNREACHABLE, why);
    if (run->plan->asks > 0 && !wants_more(run))
        return runner_end(run, OUTCOME_ASKED, "");
    runner_pause_ms(run, run->plan->interval_ms);
    return true;
}

/* The module loses power in the middle of the download. */
bool runner_lose_power(struct luatos_runner *run, const struct fetch_answer *answer)
{
    run->cut_done = true;
    RUNNER_TRACE(then, "loses power after %" PRIu64 " bytes", answer->received_bytes);
    return runner_start_again(run);
}

enum luatos_result runner_write(struct luatos_runner *run, const struct fetch_answer *answer,
                                char why[LUATOS_WHY_SIZE])
{
    if (answer->length_bytes > run->room) {
        snprintf(why, LUATOS_WHY_SIZE, "%" PRIu64 " bytes are more than %" PRIu64, answer->length_bytes,
                 run->room);
        return LUATOS_REFUSED;
    }
    return luatos_flash_write(&run->flash, buffer_bytes(&answer->body), why);
}
