/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/luatos_run.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/cleanup.h"
#include "sim/code.h"
#include "sim/luatos_runner.h"
#include "sim/luatos_turnkey.h"

#define BARE_MARK "###"

enum code { /* of the callback of libfota and libfota2 */
            RESULT_DONE = 0,
            RESULT_CONNECT = 1,
            RESULT_CLOSED = 3,
            RESULT_FAILED = 4,
            RESULT_NO_KEY = 5,
};

/* What the library reports for an exchange that brought no complete answer. */
static enum code code_of(enum fetch_result result, const struct fetch_answer *answer)
{
    if (result == FETCH_NOTHING)
        return answer->connected ? RESULT_CLOSED : RESULT_CONNECT;
    return RESULT_FAILED;
}

/* ---- libfota and libfota2 ---- */

static bool take_plain(struct luatos_runner *run, enum fetch_result result, const struct fetch_answer *answer)
{
    char why[LUATOS_WHY_SIZE];
    int code;
    if (result == FETCH_BROKEN)
        return runner_end(run, OUTCOME_BROKEN, answer->why);
    if (result == FETCH_CUT)
        return runner_lose_power(run, answer);
    if (result != FETCH_DONE) {
        RUNNER_TRACE(follows, "result %d: %s", code_of(result, answer), answer->why);
        return runner_fail(run, answer->why);
    }
    if (answer->status != 200 && answer->status != 206) {
        bool read = code_read(buffer_bytes(&answer->body), &code);
        RUNNER_TRACE(follows, "result %d: status %d; the library does not read: %d %s", RESULT_FAILED,
                     answer->status, read ? code : 0, read ? code_text(code) : "no code");
        return read ? runner_refuse(run, code) : runner_fail(run, "a refusal without a code");
    }
    run->told = true;
    run->failures = 0;
    RUNNER_TRACE(follows, "%d, %" PRIu64 " bytes", answer->status, answer->length_bytes);
    if (runner_has_reached(run))
        return runner_end(run, OUTCOME_REACHED, "");
    if (runner_write(run, answer, why) != LUATOS_DONE) {
        RUNNER_TRACE(then, "result %d: %s", RESULT_FAILED, why);
        bool restarts = run->flash.pending;
        return runner_settle(run, OUTCOME_REJECTED, why) && (!restarts || runner_start_again(run));
    }
    RUNNER_TRACE(then, "result %d", RESULT_DONE);
    return runner_start_again(run);
}

static bool ask_plain(struct luatos_runner *run, const struct buffer *target)
{
    struct fetch_answer answer;
    enum fetch_result result =
        runner_exchange(run, "GET", &run->plan->url, target, NULL, run->client->check_ms, true, &answer);
    bool goes_on = take_plain(run, result, &answer);
    buffer_free(&answer.body);
    return goes_on;
}

/* ---- The run ---- */

/* *ret_on: whether the module goes on. */
static bool ask(struct luatos_runner *run, bool *ret_on, struct error *err)
{
    _cleanup_(buffer_free) struct buffer target = {0};
    const char *path = run->plan->url.path;
    run->asks++;
    RUNNER_TRACE(does, "asks from %s", run->image->version);
    if (run->bare ? !buffer_add(&target, path, strlen(path), err)
                  : !luatos_write_target(run->client, path, &run->words, &target, err))
        return false;
    *ret_on = run->client->two_steps ? luatos_turnkey_ask(run, &target) : ask_plain(run, &target);
    return true;
}

static bool fill(struct luatos_runner *run, const struct sim_options *options, struct plan *plan,
                 const struct image *image, struct error *err)
{
    const char *url = options->url, *cut = strstr(options->firmware, "_LuatOS-SoC_");
    run->bare = slice_starts(slice_of(url), BARE_MARK);
    run->words = (struct luatos_words){.key = plan->product_key,
                                       .firmware = plan->firmware,
                                       .model = options->model ? options->model
                                                : cut          ? strrchr(cut, '_') + 1
                                                               : "",
                                       .id = options->imei ? options->imei : DEFAULT_IMEI};
    if (!run->client)
        return error_set(err, ERROR_BAD_REQUEST,
                         "--client takes a name that dfota-sim --help lists, not '%.100s'", options->client);
    if (run->bare && strcmp(run->client->name, "libfota2") != 0)
        return error_set(err, ERROR_BAD_REQUEST, "only libfota2 takes a URL with " BARE_MARK);
    if (!slice_copy((struct slice){options->firmware,
                                   cut ? (size_t)(cut - options->firmware) : strlen(options->firmware)},
                    run->words.project, sizeof run->words.project))
        return error_set(err, ERROR_BAD_REQUEST, "--firmware is too long");
    if (!url_parse(url + (run->bare ? sizeof BARE_MARK - 1 : 0), &plan->url, err) ||
        !luatos_flash_open(image, luatos_model_takes_whole(run->words.model), &run->flash, err))
        return false;
    return runner_become(run, image) ||
           error_set(err, ERROR_BAD_REQUEST, "the image of a LuatOS module needs --know CORE.x.y.z=FILE");
}

bool luatos_run(const struct sim_options *options, struct plan *plan, const struct image *image,
                bool *ret_wanted, bool *ret_unreachable, struct error *err)
{
    struct luatos_runner run = {.client = luatos_client_find(options->client),
                                .plan = plan,
                                .room = options->partition_bytes ? options->partition_bytes : UINT64_MAX,
                                .hurry = options->speed ? options->speed : 1,
                                .kind = options->core_id};
    bool ok = fill(&run, options, plan, image, err), on = true;
    if (ok && !run.client->two_steps && !*plan->product_key) {
        trace_does(&plan->trace, run.words.id, "result %d: no PRODUCT_KEY", RESULT_NO_KEY);
        on = runner_end(&run, OUTCOME_REFUSED, "no request");
    }
    while (ok && on)
        ok = ask(&run, &on, err);
    luatos_flash_free(&run.flash);
    if (!ok)
        return false;
    bool good = run.outcome != OUTCOME_BROKEN && run.outcome != OUTCOME_UNREACHABLE;
    *ret_unreachable = run.outcome == OUTCOME_UNREACHABLE;
    *ret_wanted = good && (plan->expect[0]    ? release_same(run.image->version, plan->expect)
                           : plan->until[0]   ? release_same(run.image->version, plan->until)
                           : plan->until_idle ? run.outcome == OUTCOME_IDLE
                                              : run.outcome != OUTCOME_UNKNOWN);
    return true;
}
