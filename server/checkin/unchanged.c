/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/checkin/unchanged.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "base/sha256.h"
#include "upgrade/reason.h"

#define SET   4 /* neighbouring entries: a request may be in any of them */
#define LOCKS 64

struct entry {
    struct sha256 request; /* of what decides about the answer */
    int64_t now_ms;        /* of the check-in; 0: free */
    uint64_t commits;
    struct unchanged_answer answer;
};

struct unchanged {
    pthread_mutex_t mutex[LOCKS]; /* of the sets in turn */
    struct entry entry[UNCHANGED_MAX];
};

bool unchanged_open(struct unchanged **ret, struct error *err)
{
    *ret = calloc(1, sizeof **ret);
    if (!*ret)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (unsigned i = 0; i < LOCKS; i++)
        pthread_mutex_init(&(*ret)->mutex[i], NULL);
    return true;
}

void unchanged_close(struct unchanged *unchanged)
{
    for (unsigned i = 0; unchanged && i < LOCKS; i++)
        pthread_mutex_destroy(&unchanged->mutex[i]);
    free(unchanged);
}

/* Requests */

struct words {
    char bytes[600];
    size_t size;
};

static void add(struct words *words, const void *bytes, size_t size)
{
    if (size > sizeof words->bytes - words->size)
        abort(); /* each part has a limit */
    memcpy(words->bytes + words->size, bytes, size);
    words->size += size;
}

static void add_text(struct words *words, const char *text)
{
    add(words, text, strlen(text) + 1);
}

/* Everything in the request and of its sender that the answer depends on. False: it may be an answer that is not kept. */
static bool read_request(const struct client_identity *client, const struct checkin *checkin,
                         struct sha256 *ret)
{
    struct words words = {.size = 0};
    const unsigned char flags[] = {(unsigned char)client->identity.kind,
                                   client->id_raw,
                                   client->by_proxy,
                                   checkin->core_leads,
                                   checkin->has_core_id,
                                   checkin->drops_middle,
                                   checkin->version.count};
    if (checkin->source != CHECKIN_DIALECT || checkin->offer || checkin->range.present ||
        !client->id_usable || client->secret_in_path || client->device_key[0])
        return false;
    add(&words, flags, sizeof flags);
    add(&words, checkin->version.part, checkin->version.count * sizeof *checkin->version.part);
    add(&words, &checkin->core_id, sizeof checkin->core_id);
    add_text(&words, client->product_key);
    add_text(&words, client->firmware);
    add_text(&words, client->identity.id);
    add_text(&words, client->origin);
    add_text(&words, client->network);
    sha256_of(words.bytes, words.size, ret);
    return true;
}

/* Answers */

static bool is_lasting(const struct checkin_task *task)
{
    const struct facts *facts = &task->facts;
    const struct decision *decision = &task->decision;
    const struct traces *traces = &facts->traces;
    return task->record && decision->answer == ANSWER_UP_TO_DATE &&
           (reason_is(decision->reason, REASON_UP_TO_DATE) ||
            reason_is(decision->reason, REASON_TARGET_MISSING)) &&
           facts->secret.kind == SECRET_NONE && !facts->device.blocked && !facts->said.shared_ms &&
           !traces->open && !traces->silent && !facts->member.filtered &&
           (facts->build.by == BUILD_NOT_KNOWN || facts->build.by == BUILD_KNOWN);
}

/* The log calls the sender by the names of the request. */
static bool has_these_names(const struct checkin_task *task)
{
    const struct facts *facts = &task->facts;
    return strcmp(facts->product.product_key, task->client.product_key) == 0 &&
           strcmp(facts->device.device, task->client.identity.id) == 0 &&
           strcmp(facts->firmware.name, task->client.firmware) == 0;
}

static struct entry *set_of(struct unchanged *unchanged, const struct sha256 *request,
                            pthread_mutex_t **ret_mutex)
{
    uint32_t number;
    memcpy(&number, request->byte, sizeof number);
    number %= UNCHANGED_MAX / SET;
    *ret_mutex = &unchanged->mutex[number % LOCKS];
    return &unchanged->entry[(size_t)number * SET];
}

/* The entry of the request, else a free one, else the oldest one. */
static struct entry *choose(struct entry *set, const struct sha256 *request)
{
    struct entry *oldest = set;
    for (unsigned i = 0; i < SET; i++) {
        if (set[i].now_ms && memcmp(&set[i].request, request, sizeof *request) == 0)
            return &set[i];
        if (set[i].now_ms < oldest->now_ms)
            oldest = &set[i];
    }
    return oldest;
}

bool unchanged_find(const struct daemon *daemon, const struct client_identity *client,
                    const struct checkin *checkin, struct unchanged_answer *ret)
{
    struct sha256 request;
    pthread_mutex_t *mutex;
    if (!read_request(client, checkin, &request))
        return false;
    struct entry *set = set_of(daemon->unchanged, &request, &mutex);
    pthread_mutex_lock(mutex);
    struct entry found = *choose(set, &request);
    pthread_mutex_unlock(mutex);
    *ret = found.answer;
    /* The clock may have been set back since: times in the database are in the future then. */
    return found.now_ms && found.now_ms <= checkin->now_ms &&
           memcmp(&found.request, &request, sizeof request) == 0 &&
           writer_is_unchanged(daemon->writer, found.answer.device_id, found.commits);
}

void unchanged_keep(const struct checkin_task *task, uint64_t commits)
{
    struct entry made = {.now_ms = task->checkin.now_ms, .commits = commits};
    pthread_mutex_t *mutex;
    size_t size = strlen(task->decision.reason) + 1;
    if (!is_lasting(task) || !has_these_names(task) || size > sizeof made.answer.reason ||
        !read_request(&task->client, &task->checkin, &made.request))
        return;
    made.answer.device_id = task->facts.device.id;
    memcpy(made.answer.reason, task->decision.reason, size);
    struct entry *set = set_of(task->daemon->unchanged, &made.request, &mutex);
    pthread_mutex_lock(mutex);
    *choose(set, &made.request) = made;
    pthread_mutex_unlock(mutex);
}
