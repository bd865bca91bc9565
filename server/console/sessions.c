/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/console/sessions.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "server/access/tokens.h"

#define STORE_AFTER_MS (5 * MINUTE_MS) /* a use is stored at most this often */

struct known {
    struct session session;
    int64_t stored_ms; /* used_ms in the database */
};

struct code {
    struct sha256 hash, token;
    int64_t until_ms; /* boot clock; 0: a free place */
};

struct sessions {
    struct tokens *tokens;
    pthread_mutex_t mutex; /* held for a short time, never during I/O */
    struct known known[SESSIONS_MAX];
    size_t count;
    struct code code[SESSION_CODE_MAX];
    struct known due[SESSIONS_MAX]; /* writer's thread: what it stores now */
    size_t due_count;
};

int64_t session_end_ms(const struct session *session)
{
    int64_t idle_ms = session->used_ms + SESSION_IDLE_MS;
    return idle_ms < session->expires_ms ? idle_ms : session->expires_ms;
}

bool sessions_token_is_known(const struct sessions *sessions, const struct sha256 *token, int64_t now_ms)
{
    struct token ignored;
    return tokens_find_hash(sessions->tokens, token, now_ms, &ignored, NULL);
}

static bool is_alive(const struct sessions *sessions, const struct session *session, int64_t now_ms)
{
    return sessions_token_is_known(sessions, &session->token, now_ms) && now_ms < session_end_ms(session);
}

/* Under the mutex; NULL: not known. */
static struct known *find(struct sessions *sessions, const struct sha256 *hash)
{
    struct known *found = NULL;
    for (size_t i = 0; i < sessions->count; i++)
        if (sha256_equal(&sessions->known[i].session.hash, hash))
            found = &sessions->known[i];
    return found;
}

static void forget(struct sessions *sessions, struct known *known)
{
    *known = sessions->known[--sessions->count];
}

static bool load(struct sessions *sessions, struct db *db, struct error *err)
{
    _cleanup_(cleanup_free) struct session *list = NULL;
    size_t count;
    int64_t now_ms = clock_utc_ms();
    if (!session_list(db, &list, &count, err))
        return false;
    for (size_t i = 0; i < count; i++) {
        if (is_alive(sessions, &list[i], now_ms) && sessions->count < SESSIONS_MAX)
            sessions->known[sessions->count++] = (struct known){list[i], list[i].used_ms};
        else if (!session_remove(db, &list[i].hash, err))
            return false;
    }
    return true;
}

bool sessions_open(struct db *db, struct tokens *tokens, struct sessions **ret, struct error *err)
{
    struct sessions *sessions = calloc(1, sizeof *sessions);
    if (!sessions)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    sessions->tokens = tokens;
    pthread_mutex_init(&sessions->mutex, NULL);
    *ret = sessions;
    if (!db_begin(db, err))
        return false;
    if (load(sessions, db, err))
        return db_commit(db, err);
    db_rollback(db);
    return false;
}

void sessions_close(struct sessions *sessions)
{
    if (!sessions)
        return;
    pthread_mutex_destroy(&sessions->mutex);
    free(sessions);
}

bool sessions_find(struct sessions *sessions, struct slice secret, int64_t now_ms, struct session *ret)
{
    struct sha256 hash;
    if (secret.len != SECRET_SIZE - 1)
        return false;
    sha256_of(secret.ptr, secret.len, &hash);
    pthread_mutex_lock(&sessions->mutex);
    struct known *known = find(sessions, &hash);
    bool ok = known && is_alive(sessions, &known->session, now_ms);
    if (ok) {
        known->session.used_ms = now_ms;
        *ret = known->session;
    }
    pthread_mutex_unlock(&sessions->mutex);
    return ok;
}

bool sessions_is_alive(struct sessions *sessions, const struct sha256 *hash, int64_t now_ms)
{
    pthread_mutex_lock(&sessions->mutex);
    const struct known *known = find(sessions, hash);
    bool ok = known && is_alive(sessions, &known->session, now_ms);
    pthread_mutex_unlock(&sessions->mutex);
    return ok;
}

/* Begin and end */

struct beginning {
    struct session session;
    struct session gone[SESSIONS_MAX]; /* ended, or in the way */
    size_t gone_count;
};

static bool store(void *cls, struct db *db, struct error *err)
{
    const struct beginning *beginning = cls;
    for (size_t i = 0; i < beginning->gone_count; i++)
        if (!session_remove(db, &beginning->gone[i].hash, err))
            return false;
    return session_add(db, &beginning->session, err);
}

static struct known *find_longest_unused(struct sessions *sessions)
{
    struct known *oldest = &sessions->known[0];
    for (size_t i = 1; i < sessions->count; i++)
        if (sessions->known[i].session.used_ms < oldest->session.used_ms)
            oldest = &sessions->known[i];
    return oldest;
}

/* Forgets sessions that have ended, and one more when there is no room. Under the mutex. */
static void make_room(struct sessions *sessions, int64_t now_ms, struct beginning *beginning)
{
    for (size_t i = sessions->count; i-- > 0;)
        if (!is_alive(sessions, &sessions->known[i].session, now_ms)) {
            beginning->gone[beginning->gone_count++] = sessions->known[i].session;
            forget(sessions, &sessions->known[i]);
        }
    if (sessions->count == SESSIONS_MAX) {
        struct known *oldest = find_longest_unused(sessions);
        beginning->gone[beginning->gone_count++] = oldest->session;
        forget(sessions, oldest);
    }
}

bool sessions_begin(struct sessions *sessions, struct writer *writer, const struct sha256 *token,
                    int64_t now_ms, char secret[SECRET_SIZE], struct error *err)
{
    _cleanup_(cleanup_free) struct beginning *beginning = calloc(1, sizeof *beginning);
    if (!beginning)
        return error_set(err, ERROR_UNAVAILABLE, "out of memory");
    beginning->session = (struct session){
        .token = *token, .created_ms = now_ms, .used_ms = now_ms, .expires_ms = now_ms + SESSION_MAX_MS};
    if (!secret_make(secret, &beginning->session.hash, err))
        return false;
    pthread_mutex_lock(&sessions->mutex);
    make_room(sessions, now_ms, beginning);
    sessions->known[sessions->count++] = (struct known){beginning->session, now_ms};
    pthread_mutex_unlock(&sessions->mutex);
    if (writer_call(writer, store, beginning, err))
        return true;
    pthread_mutex_lock(&sessions->mutex);
    struct known *known = find(sessions, &beginning->session.hash);
    if (known)
        forget(sessions, known);
    pthread_mutex_unlock(&sessions->mutex);
    return false;
}

static bool unstore(void *cls, struct db *db, struct error *err)
{
    return session_remove(db, cls, err);
}

bool sessions_end(struct sessions *sessions, struct writer *writer, struct slice secret, struct error *err)
{
    struct sha256 hash;
    sha256_of(secret.ptr, secret.len, &hash);
    pthread_mutex_lock(&sessions->mutex);
    struct known *known = find(sessions, &hash);
    bool found = known;
    if (found)
        forget(sessions, known);
    pthread_mutex_unlock(&sessions->mutex);
    return !found || writer_call(writer, unstore, &hash, err);
}

/* One-time codes */

bool sessions_make_code(struct sessions *sessions, const struct sha256 *token, int64_t now_ms,
                        char code[SECRET_SIZE], struct error *err)
{
    struct code fresh = {.token = *token, .until_ms = now_ms + SESSION_CODE_MS};
    if (!secret_make(code, &fresh.hash, err))
        return false;
    pthread_mutex_lock(&sessions->mutex);
    struct code *place = &sessions->code[0];
    for (size_t i = 1; i < SESSION_CODE_MAX; i++)
        if (sessions->code[i].until_ms < place->until_ms)
            place = &sessions->code[i];
    *place = fresh;
    pthread_mutex_unlock(&sessions->mutex);
    return true;
}

bool sessions_take_code(struct sessions *sessions, struct slice code, int64_t now_ms,
                        struct sha256 *ret_token)
{
    struct sha256 hash;
    bool found = false;
    sha256_of(code.ptr, code.len, &hash);
    pthread_mutex_lock(&sessions->mutex);
    for (size_t i = 0; i < SESSION_CODE_MAX; i++) {
        struct code *known = &sessions->code[i];
        if (!sha256_equal(&known->hash, &hash))
            continue;
        found = now_ms < known->until_ms;
        *ret_token = known->token;
        *known = (struct code){0};
    }
    pthread_mutex_unlock(&sessions->mutex);
    return found;
}

/* Uses */

bool sessions_store(struct sessions *sessions, struct db *db, struct error *err)
{
    sessions->due_count = 0;
    pthread_mutex_lock(&sessions->mutex);
    for (size_t i = 0; i < sessions->count; i++)
        if (sessions->known[i].session.used_ms - sessions->known[i].stored_ms >= STORE_AFTER_MS)
            sessions->due[sessions->due_count++] = sessions->known[i];
    pthread_mutex_unlock(&sessions->mutex);
    for (size_t i = 0; i < sessions->due_count; i++)
        if (!session_use(db, &sessions->due[i].session.hash, sessions->due[i].session.used_ms, err))
            return false;
    return true;
}

void sessions_flushed(struct sessions *sessions, bool committed)
{
    if (!committed)
        return;
    pthread_mutex_lock(&sessions->mutex);
    for (size_t i = 0; i < sessions->due_count; i++) {
        struct known *known = find(sessions, &sessions->due[i].session.hash);
        if (known)
            known->stored_ms = sessions->due[i].session.used_ms;
    }
    pthread_mutex_unlock(&sessions->mutex);
}
