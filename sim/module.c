/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "sim/module.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/cleanup.h"
#include "base/clock.h"
#include "delta/engine.h"
#include "sim/code.h"
#include "sim/fetch.h"
#include "sim/host.h"

#define FAILURES_MAX    5 /* of the network in a row */
#define TARGET_MAX      2048
#define REFUSED_PACKAGE "-1003"

#define TRACE(kind, ...) trace_##kind(&module->plan->trace, module->label, __VA_ARGS__)

static const struct {
    const char *name;
    bool is_fault;
} outcomes[OUTCOMES] = {
#define X(id, name, fault) [id] = {name, fault},
    OUTCOME_TABLE(X)
#undef X
};

const char *outcome_name(enum outcome outcome)
{
    return outcomes[outcome].name;
}

void module_release(struct module *module)
{
    buffer_free(&module->part);
    free(module->link);
    free(module->report_url);
}

static const char *running(const struct module *module)
{
    return module->image->version[0] ? module->image->version : module->version;
}

bool module_ended_as_wanted(const struct module *module)
{
    const struct plan *plan = module->plan;
    if (outcomes[module->outcome].is_fault)
        return false;
    if (plan->expect[0])
        return release_same(running(module), plan->expect);
    if (plan->until[0])
        return release_same(running(module), plan->until);
    return plan->until_idle ? module->outcome == OUTCOME_IDLE : module->outcome != OUTCOME_UNKNOWN;
}

/* How a step ends */

static bool end(struct module *module, enum outcome outcome, const char *detail)
{
    module->outcome = outcome;
    snprintf(module->detail, sizeof module->detail, "%s", detail);
    for (char *c = module->detail; *c; c++) /* may contain bytes from the server, cut anywhere */
        if (*c < ' ' || *c > '~')
            *c = '?';
    if (outcome == OUTCOME_BROKEN)
        TRACE(does, "module breaks: %s", detail);
    else
        TRACE(does, "ends at %s: %s%s%s", running(module), outcome_name(outcome), *detail ? ", " : "",
              detail);
    return false;
}

static bool asked_enough(const struct module *module)
{
    return module->plan->asks > 0 && module->asks >= module->plan->asks;
}

static bool go_on(struct module *module, int64_t wait_ms)
{
    if (asked_enough(module) && !module->report_due)
        return end(module, OUTCOME_ASKED, "");
    module->due_ms = clock_boot_ms() + wait_ms;
    return true;
}

/* An answer that would come again: it ends the module, unless --asks is given. */
static bool settle(struct module *module, enum outcome outcome, const char *detail)
{
    if (module->plan->asks == 0 || (outcome == OUTCOME_IDLE && module->plan->until_idle))
        return end(module, outcome, detail);
    return go_on(module, module->plan->interval_ms);
}

static bool fail(struct module *module, const char *why)
{
    TRACE(follows, "%s", why);
    if (++module->failures >= FAILURES_MAX)
        return end(module, OUTCOME_UNREACHABLE, why);
    return go_on(module, module->plan->interval_ms);
}

/* Runs the version of --until, and has told the server so, if it can. */
static bool has_reached(const struct module *module)
{
    const struct plan *plan = module->plan;
    bool can_tell = plan->has_url || plan->report;
    return plan->until[0] && release_same(running(module), plan->until) && !(can_tell && module->news);
}

/* The package */

static void drop_part(struct module *module)
{
    buffer_free(&module->part);
    module->part_bytes = module->total_bytes = 0;
}

static bool reject(struct module *module, const char *why)
{
    module->rejected++;
    TRACE(then, "refuses the package: " REFUSED_PACKAGE ", %s", why);
    drop_part(module);
    return settle(module, OUTCOME_REJECTED, why);
}

static bool reboot(struct module *module, const struct image *image)
{
    char hex[SHA256_HEX_SIZE];
    sha256_hex(&image->hash, hex);
    TRACE(then, "applied: sha256 %s, %zu bytes", hex, image->bytes.len);
    module->packages++;
    module->image = image;
    drop_part(module);
    if (!image->version[0])
        return end(module, OUTCOME_UNKNOWN, "the version of this image is not known");
    memcpy(module->before, module->version, sizeof module->before);
    snprintf(module->version, sizeof module->version, "%s", image->version);
    module->news = true;
    module->report_due = module->plan->report;
    TRACE(then, "reboots into %s", image->version);
    if (has_reached(module))
        return end(module, OUTCOME_REACHED, "");
    return go_on(module, 0);
}

/* A real module finds a wrong base by a hash. Not every format has a hash, so here the new image must be a
   known image. */
static bool apply(struct module *module)
{
    char why[160];
    struct error err;
    TRACE(then, "100 %%, %" PRIu64 " bytes", module->total_bytes);
    if (module->total_bytes > module->plan->partition_bytes) {
        snprintf(why, sizeof why, "%" PRIu64 " bytes do not fit into the partition of %" PRIu64 " bytes",
                 module->total_bytes, module->plan->partition_bytes);
        return reject(module, why);
    }
    _cleanup_(buffer_free) struct buffer bytes = {0};
    if (!engine_fits(buffer_bytes(&module->part), buffer_bytes(&module->image->bytes), module->plan->chip,
                     &err) ||
        !engine_apply(buffer_bytes(&module->image->bytes), buffer_bytes(&module->part), IMAGE_MAX_BYTES,
                      &bytes, &err)) {
        snprintf(why, sizeof why, "%.150s", err.text);
        return reject(module, why);
    }
    const struct image *image = image_store_identify(module->plan->store, buffer_bytes(&module->part), &bytes,
                                                     !image_store_knows_versions(module->plan->store));
    if (!image)
        return reject(module, "it was made for another base (the result is not a known image)");
    if (module->plan->hops)
        hop_log_add(module->plan->hops, module->version, image->version, module->label, !module->refuses);
    if (module->refuses)
        return reject(module, "this module applies no package");
    return reboot(module, image);
}

/* One ask */

static bool write_target(const struct module *module, const struct url *url, char out[TARGET_MAX])
{
    const struct plan *plan = module->plan;
    if (module->link)
        return slice_copy(slice_of(url->path), out, TARGET_MAX);
    const struct dialect_words words = {plan->product_key, module->imei, plan->firmware, module->version};
    return dialect_write(plan->dialect, url->path, &words, out, TARGET_MAX);
}

static void say_ask(const struct module *module)
{
    if (module->part_bytes)
        TRACE(does, "asks for the rest from byte %" PRIu64, module->part_bytes);
    else
        TRACE(does, module->link ? "asks its link from %s" : "asks from %s",
              module->link ? running(module) : module->version);
}

/* What a real module cannot handle in a complete answer; NULL: nothing. */
static const char *find_fault(const struct module *module, const struct fetch_answer *answer, bool ranged)
{
    bool delivers = answer->status == 200 || answer->status == 206;
    bool looks_json = module->part_bytes == 0 && answer->body.len > 0 && answer->body.ptr[0] == '{';
    if (delivers && (answer->is_json || looks_json))
        return "200 with JSON: modules write it to flash as firmware";
    if (answer->status == 206 && !ranged)
        return "206 to a request without Range";
    if (answer->status == 200 && module->part_bytes)
        return "200 to a request for the rest: the file becomes too long";
    if (answer->status == 206 && answer->first != module->part_bytes)
        return "206 starts at another byte than requested";
    if (answer->status == 206 && module->part_bytes && answer->total != module->total_bytes)
        return "the rest is from a package of another size";
    return NULL;
}

static bool take_refusal(struct module *module, const struct fetch_answer *answer)
{
    int code;
    char why[96];
    if (answer->status == 416 && module->part_bytes) {
        TRACE(follows, "416, no rest available: starts again");
        drop_part(module);
        return go_on(module, 0);
    }
    if (!code_read(buffer_bytes(&answer->body), &code)) {
        snprintf(why, sizeof why, "%d without a code", answer->status);
        return fail(module, why);
    }
    module->last_code = code;
    snprintf(why, sizeof why, "%d %s", code, code_text(code));
    if (answer->status >= 500 && !code_is_known(code))
        return fail(module, why);
    module->failures = 0;
    TRACE(follows, "%s", why);
    if (has_reached(module))
        return end(module, OUTCOME_REACHED, "");
    if (code == CODE_WAIT) {
        module->waits++;
        return go_on(module, module->plan->interval_ms);
    }
    return settle(module, code == CODE_IDLE ? OUTCOME_IDLE : OUTCOME_REFUSED, why);
}

/* Handles the bytes of a package that arrived. */
static bool take_package(struct module *module, enum fetch_result result, struct fetch_answer *answer)
{
    struct error err;
    if (module->part_bytes)
        TRACE(follows, "%d, %" PRIu64 " bytes, resuming at %" PRIu64, answer->status, answer->length_bytes,
              answer->first);
    else
        TRACE(follows, "%d, %" PRIu64 " bytes", answer->status, answer->length_bytes);
    module->resumes += module->part_bytes > 0;
    module->total_bytes = answer->total;
    module->part_bytes += answer->received_bytes;
    module->bytes += answer->received_bytes;
    if (answer->body.len && !buffer_add(&module->part, answer->body.ptr, answer->body.len, &err))
        return end(module, OUTCOME_UNREACHABLE, err.text);
    if (result == FETCH_CUT) {
        module->cut_done = true;
        TRACE(then, "cut after %" PRIu64 " bytes", module->part_bytes);
        if (module->restarts) {
            TRACE(then, "restarts, and forgets what it received");
            drop_part(module);
        }
        return go_on(module, 0);
    }
    if (result == FETCH_LOST) {
        module->failures = answer->received_bytes ? 0 : module->failures;
        return fail(module, answer->why);
    }
    module->failures = 0;
    return has_reached(module) ? end(module, OUTCOME_REACHED, "") : apply(module);
}

static bool take_answer(struct module *module, enum fetch_result result, struct fetch_answer *answer,
                        bool ranged)
{
    if (result == FETCH_NOTHING)
        return fail(module, answer->why);
    if (result == FETCH_BROKEN)
        return end(module, OUTCOME_BROKEN, answer->why);
    const char *fault = find_fault(module, answer, ranged);
    if (fault)
        return end(module, OUTCOME_BROKEN, fault);
    if (module->part_bytes == 0)
        module->news = false; /* the server now knows which version runs */
    if (answer->status == 200 || answer->status == 206)
        return take_package(module, result, answer);
    return result == FETCH_DONE ? take_refusal(module, answer) : fail(module, answer->why);
}

/* xorshift: 0 to 99 */
static unsigned draw(struct module *module)
{
    module->random ^= module->random << 13;
    module->random ^= module->random >> 7;
    module->random ^= module->random << 17;
    return (unsigned)(module->random % 100);
}

/* After which share of the body the next download is cut; 0: it is not. */
static unsigned draw_cut(struct module *module)
{
    const struct plan *plan = module->plan;
    if (!plan->loss_percent && !plan->resets_percent)
        return 0;
    unsigned fate = draw(module);
    module->restarts = fate < plan->resets_percent;
    return fate < plan->resets_percent + plan->loss_percent ? 1 + draw(module) * 9 / 10 : 0;
}

static bool ask(struct module *module)
{
    struct error err;
    struct url url = module->plan->url;
    char target[TARGET_MAX], request[TARGET_MAX + 512], range[48] = "";
    bool ranged = module->part_bytes || module->plan->dialect->always_range;
    if (module->link && !url_parse(module->link, &url, &err))
        return end(module, OUTCOME_UNREACHABLE, err.text);
    if (!write_target(module, &url, target))
        return end(module, OUTCOME_BROKEN, "the URL is longer than 2 KB");
    if (ranged)
        snprintf(range, sizeof range, "Range: bytes=%" PRIu64 "-\r\n", module->part_bytes);
    snprintf(request, sizeof request, "GET %s HTTP/1.1\r\nHost: %s\r\n%s\r\n", target, url.host, range);

    module->asks += module->part_bytes == 0;
    say_ask(module);
    struct fetch_answer answer;
    const struct fetch_order order = {&url,
                                      slice_of(request),
                                      module->plan->partition_bytes,
                                      module->cut_done ? UINT64_MAX : module->plan->cut_bytes,
                                      draw_cut(module),
                                      module->part_bytes > 0,
                                      0};
    enum fetch_result result = fetch_run(&order, &answer);
    bool goes_on = take_answer(module, result, &answer, ranged);
    buffer_free(&answer.body);
    return goes_on;
}

/* The host's report */

static bool follow(struct module *module, char *next_url)
{
    if (next_url) {
        free(module->link);
        module->link = next_url;
    }
    TRACE(follows, "%s", next_url ? "uses the next link" : "nothing more to do");
    if (has_reached(module))
        return end(module, OUTCOME_REACHED, "");
    return next_url ? go_on(module, 0) : settle(module, OUTCOME_IDLE, "nothing more to do for the host");
}

static bool send_report(const struct module *module, const struct url *url, const char *name,
                        struct host_answer *ret)
{
    char before[192];
    if (!module->plan->transcript ||
        !host_full_name(module->plan->firmware, module->before, before, sizeof before))
        return host_report(url, name, ret);
    return host_send_transcript(url, before, name, ret);
}

static bool report(struct module *module)
{
    char name[192];
    struct url url;
    struct error err;
    struct host_answer answer;
    if (!host_full_name(module->plan->firmware, module->version, name, sizeof name))
        return end(module, OUTCOME_REFUSED, "the full name is too long");
    if (!url_parse(module->report_url, &url, &err))
        return end(module, OUTCOME_UNREACHABLE, err.text);
    TRACE(does, "reports %s", name);
    if (send_report(module, &url, name, &answer)) {
        module->reports++;
        module->failures = 0;
        module->report_due = module->news = false;
        TRACE(follows, "confirmed %s", answer.confirmed);
        return follow(module, answer.next_url);
    }
    if (answer.broken)
        return end(module, OUTCOME_BROKEN, answer.why);
    if (answer.status == 0 || answer.status >= 500)
        return fail(module, answer.why);
    TRACE(follows, "%s", answer.why);
    module->report_due = false;
    return settle(module, OUTCOME_REFUSED, answer.why);
}

bool module_step(struct module *module)
{
    return module->report_due ? report(module) : ask(module);
}
