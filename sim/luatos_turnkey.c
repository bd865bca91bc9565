/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/luatos_turnkey.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "base/sha256.h"
#include "sim/code.h"
#include "sim/luatos_offer.h"

#define REPORT_PATH "/api/site/turnkey_fota_result?"

enum report { REPORT_WRITTEN = 0, REPORT_OK = 1, REPORT_FAILED = 2, REPORT_OTHER = 3 };

static bool send_result(struct luatos_runner *run, const struct luatos_offer *offer, enum report code)
{
    char text[512], body[256];
    const struct url *url = &run->plan->url;
    struct slice base = slice_of(url->path);
    if (!offer->fota_sn || strlen(offer->fota_sn) > 100)
        return true;
    base.len -= slice_ends(base, "/");
    int len = snprintf(text, sizeof text, "%.*s" REPORT_PATH "fota_sn=%s&result_code=%d", (int)base.len,
                       base.ptr, offer->fota_sn, (int)code);
    snprintf(body, sizeof body, "{\"fota_sn\":\"%s\",\"result_code\":%d}", offer->fota_sn, (int)code);
    const struct buffer target = {(uint8_t *)text, (size_t)len, 0};
    for (int tries = 0; tries < run->client->report_tries; tries++) {
        struct fetch_answer answer;
        int said = -1;
        if (tries)
            runner_pause_ms(run, LUATOS_REPORT_PAUSE_MS);
        enum fetch_result result = runner_exchange(
            run, "POST", url, &target, run->client->sends_json ? body : "", LUATOS_REPORT_MS, false, &answer);
        bool taken = result == FETCH_DONE && answer.status == 200 &&
                     code_read(buffer_bytes(&answer.body), &said) && said == 0;
        RUNNER_TRACE(then, "reports %d%s", (int)code, taken ? "" : ", and the server does not take it");
        buffer_free(&answer.body);
        if (taken)
            break;
    }
    return true;
}

static bool give_up(struct luatos_runner *run, const struct luatos_offer *offer, const char *why)
{
    RUNNER_TRACE(then, "gives up: %s", why);
    return send_result(run, offer, REPORT_OTHER) && runner_settle(run, OUTCOME_REJECTED, why);
}

static bool matches(const struct luatos_runner *run, const struct luatos_offer *offer, struct bytes bytes)
{
    struct sha256 stated, real;
    if (!offer->sha256)
        return true;
    if (run->client->hashes_name)
        bytes = (struct bytes){(const uint8_t *)"/ram/fota.bin", sizeof "/ram/fota.bin" - 1};
    sha256_of(bytes.ptr, bytes.len, &real);
    return sha256_from_hex(slice_of(offer->sha256), &stated) && sha256_equal(&stated, &real);
}

/* After the restart the library compares what runs with what was announced, and believes only that. */
static bool conclude(struct luatos_runner *run, const struct luatos_offer *offer)
{
    char why[OFFER_WHY_SIZE], text[OFFER_WHY_SIZE + 64];
    const struct image *before = run->image;
    if (!run->client->judges)
        return send_result(run, offer, REPORT_WRITTEN) && runner_start_again(run);
    if (!runner_start_again(run))
        return false;
    bool runs = luatos_offer_is_running(offer, &run->words, why);
    send_result(run, offer, runs ? REPORT_OK : REPORT_FAILED);
    snprintf(text, sizeof text, "it reports a good update as failed: %s", runs ? "" : why);
    return runs || run->image == before || runner_end(run, OUTCOME_BROKEN, text);
}

static bool take_file(struct luatos_runner *run, const struct luatos_offer *offer, enum fetch_result result,
                      const struct fetch_answer *answer)
{
    char why[LUATOS_WHY_SIZE];
    if (result == FETCH_BROKEN)
        return runner_end(run, OUTCOME_BROKEN, answer->why);
    if (result == FETCH_CUT)
        return runner_lose_power(run, answer);
    if (result != FETCH_DONE)
        return give_up(run, offer, answer->why);
    RUNNER_TRACE(follows, "%d, %" PRIu64 " bytes", answer->status, answer->length_bytes);
    if (answer->status == 206)
        return runner_end(run, OUTCOME_BROKEN, "206 to a plain GET: the library takes only 200");
    if (answer->status != 200)
        return give_up(run, offer, "the status of the file is not 200");
    if (!matches(run, offer, buffer_bytes(&answer->body)))
        return give_up(run, offer, "the SHA-256 is another");
    if (runner_write(run, answer, why) != LUATOS_DONE)
        return give_up(run, offer, why);
    return conclude(run, offer);
}

static bool download(struct luatos_runner *run, const struct luatos_offer *offer)
{
    struct url url;
    struct error err;
    struct fetch_answer answer;
    if (!url_parse(offer->url, &url, &err))
        return give_up(run, offer, err.text);
    struct buffer target = {(uint8_t *)url.path, strlen(url.path), 0};
    RUNNER_TRACE(does, "downloads %s", offer->url);
    enum fetch_result result =
        runner_exchange(run, "GET", &url, &target, NULL, run->client->download_ms, true, &answer);
    bool goes_on = take_file(run, offer, result, &answer);
    buffer_free(&answer.body);
    return goes_on;
}

static bool take_offer(struct luatos_runner *run, enum fetch_result result, const struct fetch_answer *answer)
{
    char why[OFFER_WHY_SIZE];
    struct luatos_offer offer;
    if (result == FETCH_BROKEN)
        return runner_end(run, OUTCOME_BROKEN, answer->why);
    if (result != FETCH_DONE || answer->status != 200) {
        snprintf(why, sizeof why, "status %d %s", answer->status, answer->why);
        RUNNER_TRACE(follows, "%s", why);
        return runner_fail(run, why);
    }
    if (!luatos_offer_read(buffer_bytes(&answer->body), &offer, why)) {
        luatos_offer_free(&offer);
        return runner_end(run, OUTCOME_BROKEN, why);
    }
    run->told = true;
    run->failures = 0;
    bool goes_on;
    if (offer.code) {
        RUNNER_TRACE(follows, "%d %s", offer.code, code_text(offer.code));
        goes_on = runner_refuse(run, offer.code);
    } else {
        RUNNER_TRACE(follows, "an update");
        goes_on = runner_has_reached(run) ? runner_end(run, OUTCOME_REACHED, "") : download(run, &offer);
    }
    luatos_offer_free(&offer);
    return goes_on;
}

bool luatos_turnkey_ask(struct luatos_runner *run, const struct buffer *target)
{
    struct fetch_answer answer;
    enum fetch_result result =
        runner_exchange(run, "GET", &run->plan->url, target, NULL, run->client->check_ms, false, &answer);
    bool goes_on = take_offer(run, result, &answer);
    buffer_free(&answer.body);
    return goes_on;
}
