/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/evidence.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"
#include "server/checkin/record.h"
#include "server/checkin/record_attempt.h"
#include "server/ledger/event.h"

#define ATTEMPTS_MAX 100 /* newest attempts; older ones are ignored */

struct transcript_post *transcript_post_make(struct slice text, bool live, int64_t captured_ms)
{
    struct transcript_post *post = calloc(1, sizeof *post);
    if (!post)
        return NULL;
    post->text = text;
    post->live = live;
    post->captured_ms = captured_ms;
    sha256_of(text.ptr, text.len, &post->sha256);
    transcript_read(text, &post->found);
    return post;
}

/* When the confirmed version was reported last. In the dialect a device reports its version at every
   check-in, and only the first one is stored as the time of confirmation. */
static int64_t confirmed_until(const struct device *device)
{
    if (device->confirmed_by == REPORTED_BY_CHECK_IN && device->last_seen_ms > device->confirmed_ms)
        return device->last_seen_ms;
    return device->confirmed_ms;
}

static int64_t later(int64_t a, int64_t b)
{
    return a > b ? a : b;
}

const char *testify_doubt(const struct facts *facts, const struct testimony *testimony)
{
    const struct device *device = &facts->device;
    const struct attempt *attempt = &facts->attempt;
    int64_t known_ms = later(device->confirmed_ms, device->last_seen_ms);
    if (facts->snapshot.attempt_open)
        known_ms = later(known_ms, later(attempt->active_ms, attempt->delivered_ms));
    int64_t slack_ms = testimony->live ? TESTIMONY_ZONE_MS : 0;
    if (testimony->proven_ms)
        return NULL;
    if (!testimony->live && facts->snapshot.attempt_open && attempt->delivered_ms &&
        !record_attempt_is_told(attempt, testimony))
        return "nothing shows that it was seen after the package was delivered: the attempt stays open until the "
               "device is heard of again";
    if (!testimony->seen_ms)
        return testimony->live ? NULL : "nothing tells when it was seen: it counts as seen when it came";
    return testimony->seen_ms + slack_ms < known_ms
               ? "it was seen before the device was last heard of: the device may run another version by now"
               : NULL;
}

bool evidence_version(struct db *db, struct facts *facts, const struct testimony *testimony,
                      enum reported_by by, enum grade grade, struct verdict *ret, struct error *err)
{
    struct version confirmed = {.count = 0};
    version_parse(slice_of(facts->device.confirmed_version), &confirmed);
    *ret = testimony_weigh(testimony, &confirmed, confirmed_until(&facts->device));
    if (!ret->counts)
        return true;
    const struct report report = {testimony->version, by, ret->at_ms, grade, testimony->build, testimony};
    if (!facts_counts(facts, grade))
        *ret = (struct verdict){.why = "what is confirmed has a higher grade: this is kept as a claim"};
    return record_report(db, facts, &report, err);
}

/* Attempts, from a transcript */

static bool is_version(const struct full_name *name, const char *firmware, const char *version)
{
    char text[VERSION_TEXT_SIZE];
    if (!name->version.count || strcmp(name->firmware, firmware) != 0)
        return false;
    version_format(&name->version, text);
    return strcmp(text, version) == 0;
}

/* The latest time at which the text can have been written. A captured_at in whole seconds means that second. */
static int64_t latest_of(const struct transcript_post *post)
{
    int64_t end_ms = post->captured_ms % SECOND_MS ? post->captured_ms : post->captured_ms + SECOND_MS - 1;
    return post->captured_ms && end_ms < post->row.received_ms ? end_ms : post->row.received_ms;
}

static bool fits_time(const struct attempt *attempt, const struct transcript_post *post,
                      const struct transcript_try *try)
{
    const struct transcript *found = &post->found;
    int64_t latest_ms = latest_of(post);
    if (found->last_ms && found->last_ms + DAY_MS + TESTIMONY_ZONE_MS < latest_ms)
        latest_ms = found->last_ms + DAY_MS +
                    TESTIMONY_ZONE_MS; /* the module gets the time from the network about once a day */
    if (attempt->created_ms > latest_ms)
        return false;
    return !attempt->ended_ms || !try->at_ms || attempt->ended_ms + TESTIMONY_ZONE_MS >= try->at_ms;
}

static bool belongs(const struct attempt *attempt, const struct facts *facts,
                    const struct transcript_post *post, const struct transcript_try *try)
{
    bool dated = post->live || post->captured_ms || post->found.last_ms;
    bool upgraded = try->outcome == OUTCOME_UPGRADED;
    if (attempt->firmware_id != facts->firmware.id || !fits_time(attempt, post, try))
        return false;
    if (upgraded && !is_version(&try->after.name, facts->firmware.name, attempt->to))
        return false;
    if (!try->before.name.version.count) /* cut off: the host reports on the open attempt */
        return post->live && attempt->ended_ms == 0;
    return (dated || upgraded) && is_version(&try->before.name, facts->firmware.name, attempt->from);
}

/* The end of a try whose package was written completely, and ran. */
static bool is_upgrade(const struct transcript_try *try)
{
    return try->outcome == OUTCOME_UPGRADED && try->download == 100 && try->ended && try->end_error == 0;
}

/* A text without a time may be about an earlier attempt with the same versions. */
static bool is_repeated(const struct attempt *list, size_t count, size_t at)
{
    for (size_t i = at + 1; i < count; i++)
        if (!list[i].beside && list[i].state == ATTEMPT_CONFIRMED &&
            strcmp(list[i].from, list[at].from) == 0 && strcmp(list[i].to, list[at].to) == 0)
            return true;
    return false;
}

/* The text shows how the module applied the delivered package of the device's last attempt, and that it runs the new
   version since. Returns when that package was delivered; 0: the text does not show this. */
static int64_t proven_at(const struct attempt *list, size_t count, const struct facts *facts,
                         const struct transcript_post *post)
{
    const struct transcript *found = &post->found;
    size_t at = 0;
    while (at < count && list[at].beside)
        at++;
    if (at == count)
        return 0;
    const struct attempt *last = &list[at];
    if (!last->delivered_ms || (!attempt_is_open(last->state) && last->state != ATTEMPT_SILENT) ||
        !found->last_holds || !is_version(&found->last.name, facts->firmware.name, last->to) ||
        latest_of(post) < testimony_result_since(last->sent_ms, last->delivered_ms) ||
        (!post->captured_ms && !found->last_ms && is_repeated(list, count, at)))
        return 0;
    for (unsigned i = 0; i < found->try_count; i++)
        if (is_upgrade(&found->tries[i]) && belongs(last, facts, post, &found->tries[i]))
            return last->delivered_ms;
    return 0;
}

/* The version that runs, from a transcript */

static int64_t seen_at(const struct transcript_post *post, bool *ret_by_network)
{
    int64_t network_ms = post->found.last.at_ms;
    *ret_by_network = network_ms && (!post->captured_ms || network_ms <= post->captured_ms);
    return *ret_by_network ? network_ms : post->captured_ms;
}

static bool has_outcome(const struct transcript *found)
{
    const struct transcript_try *try = found->try_count ? &found->tries[found->try_count - 1] : NULL;
    return try && try->after.name.version.count && (try->download == 100 || try->started);
}

static struct testimony testimony_of(const struct facts *facts, const struct transcript_post *post)
{
    struct testimony testimony = {
        .arrived_ms = latest_of(post),
        .same_firmware = facts->device.firmware_id == facts->firmware.id,
        .live = post->live,
        .has_outcome = has_outcome(&post->found),
    };
    testimony.seen_ms = seen_at(post, &testimony.by_network);
    if (post->found.last_holds)
        testimony.version = post->found.last.name.version;
    return testimony;
}

/* A transcript confirms nothing of another firmware line: its sender reports on this one. */
static bool is_of(const struct facts *facts, struct transcript_post *post)
{
    struct transcript_row *row = &post->row;
    const struct full_name *name = &post->found.last.name;
    if (!name->version.count)
        return true;
    snprintf(row->firmware, sizeof row->firmware, "%s", name->firmware);
    version_format(&name->version, row->version);
    if (strcmp(name->firmware, facts->firmware.name) == 0)
        return true;
    snprintf(row->why, sizeof row->why, "it speaks of another firmware than the device's");
    return false;
}

/* The newest attempts of the device; *ret is the caller's (free). */
static bool load_attempts(struct db *db, const struct facts *facts, struct attempt **ret, size_t *ret_count,
                          struct error *err)
{
    if (!attempt_list(db, facts->device.id, ATTEMPTS_MAX, ret, ret_count, err))
        return false;
    for (size_t i = 0; i < *ret_count; i++)
        attempt_clamp(&(*ret)[i], facts->checkin.now_ms);
    return true;
}

static bool count(struct db *db, struct facts *facts, struct transcript_post *post, struct error *err)
{
    _cleanup_(cleanup_free) struct attempt *list = NULL;
    struct testimony testimony = testimony_of(facts, post);
    struct verdict verdict;
    size_t attempts;
    if (!load_attempts(db, facts, &list, &attempts, err))
        return false;
    testimony.proven_ms = proven_at(list, attempts, facts, post);
    post->row.seen_ms = testimony.seen_ms;
    if (!is_of(facts, post))
        return true;
    post->warning = testify_doubt(facts, &testimony);
    if (!evidence_version(db, facts, &testimony, REPORTED_BY_TRANSCRIPT,
                          post->live ? facts->grade : GRADE_ADMIN, &verdict, err))
        return false;
    post->row.counted = verdict.counts;
    if (!verdict.counts)
        post->warning = NULL;
    if (!verdict.counts)
        snprintf(post->row.why, sizeof post->row.why, "%s", verdict.why);
    return true;
}

static const struct attempt *attempt_of(const struct attempt *list, size_t count, const struct facts *facts,
                                        const struct transcript_post *post, const struct transcript_try *try)
{
    for (size_t i = 0; i < count; i++)
        if (!list[i].beside && belongs(&list[i], facts, post, try))
            return &list[i];
    return NULL;
}

static bool keep(struct db *db, const struct facts *facts, struct transcript_post *post, struct error *err)
{
    _cleanup_(cleanup_free) struct attempt *list = NULL;
    const struct attempt *of[TRANSCRIPT_TRIES_MAX] = {NULL};
    const struct transcript *found = &post->found;
    size_t attempts;
    if (!load_attempts(db, facts, &list, &attempts, err))
        return false;
    for (unsigned i = 0; i < found->try_count; i++) {
        of[i] = attempt_of(list, attempts, facts, post, &found->tries[i]);
        if (of[i])
            post->row.attempt_id = of[i]->id;
    }
    if (!transcript_add(db, &post->row, post->text, err))
        return false;
    for (unsigned i = 0; i < found->try_count; i++) {
        const struct transcript_try *try = &found->tries[i];
        if (!of[i])
            continue;
        struct evidence evidence = {.attempt_id = of[i]->id,
                                    .transcript_id = post->row.id,
                                    .try = i,
                                    .outcome = try->outcome,
                                    .cause = try->cause};
        snprintf(evidence.words, sizeof evidence.words, "%s", try->words);
        if (!evidence_add(db, &evidence, err))
            return false;
    }
    return true;
}

bool evidence_note(struct db *db, const struct facts *facts, const struct transcript_post *post, json_t *by,
                   struct error *err)
{
    const struct transcript_row *row = &post->row;
    const struct event event = {.kind = LEDGER_TRANSCRIPT_RECEIVED,
                                .at_ms = row->received_ms,
                                .firmware = facts->firmware.name,
                                .device = &facts->device,
                                .attempt = row->attempt_id,
                                .link = facts->link.id,
                                .by_admin = by != NULL};
    return event_add(db, &event,
                     json_pack("{s:o*, s:b, s:s, s:o, s:o*, s:o*}", "by", by, "counted", (int)row->counted,
                               "from", enum_name(&transcript_source_names, row->source), "sha256",
                               event_hash(&row->sha256), "version", event_text(row->version), "why",
                               event_text(row->why)),
                     err);
}

/* A transcript that came without a time and did not count may be sent again with a time. */
static bool is_dated_now(const struct transcript_post *post)
{
    return post->captured_ms && !post->row.captured_ms && !post->row.counted;
}

bool evidence_transcript(struct db *db, struct facts *facts, struct transcript_post *post, struct error *err)
{
    struct transcript_row *row = &post->row;
    bool found;
    if (!transcript_find(db, facts->device.id, &post->sha256, row, &found, err))
        return false;
    post->is_new = !found || is_dated_now(post);
    if (!post->is_new)
        return true;
    if (found && !transcript_drop(db, row->id, err))
        return false;
    *row = (struct transcript_row){.device_id = facts->device.id,
                                   .sha256 = post->sha256,
                                   .source = post->live ? TRANSCRIPT_OF_HOST : TRANSCRIPT_OF_ADMIN,
                                   .received_ms = facts->checkin.now_ms,
                                   .captured_ms = post->captured_ms};
    bool full = false;
    if (post->live && !transcript_day_is_full(db, facts->device.id, row->received_ms / DAY_MS, &full, err))
        return false;
    return count(db, facts, post, err) && (full || keep(db, facts, post, err));
}
