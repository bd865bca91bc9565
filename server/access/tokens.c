/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/access/tokens.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/cleanup.h"
#include "base/clock.h"

#define STORE_EVERY_MS MINUTE_MS /* uses are stored at most this often */

struct known {
    struct token token;
    int64_t stored_ms; /* used_ms in the database */
};

struct tokens {
    pthread_mutex_t change_mutex; /* held from the change in the database to the change of the list */
    pthread_mutex_t mutex;        /* guards the list; held for a short time, never during I/O */
    struct known known[TOKENS_MAX];
    size_t count;
    struct known due[TOKENS_MAX]; /* writer's thread: what it stores now */
    size_t due_count;
    int64_t store_ms; /* writer's thread, boot clock: uses are not stored before; 0: not known yet */
    atomic_bool is_ending;
};

bool tokens_open(struct db *db, struct tokens **ret, struct error *err)
{
    _cleanup_(cleanup_free) struct token *list = NULL;
    size_t count;
    if (!token_list(db, &list, &count, err))
        return false;
    struct tokens *tokens = calloc(1, sizeof *tokens);
    if (!tokens)
        return error_set(err, ERROR_INTERNAL, "out of memory");
    for (size_t i = 0; i < count && tokens->count < TOKENS_MAX; i++)
        if (!list[i].revoked_ms)
            tokens->known[tokens->count++] = (struct known){list[i], list[i].used_ms};
    pthread_mutex_init(&tokens->change_mutex, NULL);
    pthread_mutex_init(&tokens->mutex, NULL);
    *ret = tokens;
    return true;
}

void tokens_close(struct tokens *tokens)
{
    if (!tokens)
        return;
    pthread_mutex_destroy(&tokens->mutex);
    pthread_mutex_destroy(&tokens->change_mutex);
    free(tokens);
}

/* ---- Look-ups ---- */

/* Under the mutex; NULL: not known. */
static struct known *find_id(struct tokens *tokens, int64_t id)
{
    for (size_t i = 0; i < tokens->count; i++)
        if (tokens->known[i].token.id == id)
            return &tokens->known[i];
    return NULL;
}

static bool has_secret(const struct token *token, const struct sha256 *hash, int64_t now_ms)
{
    bool current = sha256_equal(&token->hash, hash);
    bool old = sha256_equal(&token->old_hash, hash) && now_ms < token->old_until_ms;
    return current || old;
}

bool tokens_find_hash(struct tokens *tokens, const struct sha256 *hash, int64_t now_ms, struct token *ret,
                      bool *ret_expired)
{
    bool found = false, expired = false;
    pthread_mutex_lock(&tokens->mutex);
    for (size_t i = 0; i < tokens->count; i++) {
        const struct token *token = &tokens->known[i].token;
        if (!has_secret(token, hash, now_ms))
            continue;
        expired = token->expires_ms && now_ms >= token->expires_ms;
        found = !expired;
        *ret = *token;
    }
    pthread_mutex_unlock(&tokens->mutex);
    if (ret_expired)
        *ret_expired = expired;
    return found;
}

bool tokens_find(struct tokens *tokens, struct slice secret, int64_t now_ms, struct token *ret,
                 bool *ret_expired)
{
    struct sha256 hash;
    if (ret_expired)
        *ret_expired = false;
    if (!secret.len)
        return false;
    sha256_of(secret.ptr, secret.len, &hash);
    return tokens_find_hash(tokens, &hash, now_ms, ret, ret_expired);
}

void tokens_note_use(struct tokens *tokens, int64_t id, int64_t now_ms, const char *from)
{
    pthread_mutex_lock(&tokens->mutex);
    struct known *known = find_id(tokens, id);
    if (known) {
        known->token.used_ms = now_ms;
        snprintf(known->token.used_from, sizeof known->token.used_from, "%s", from);
    }
    pthread_mutex_unlock(&tokens->mutex);
}

/* Under the mutex. */
static void copy_use(const struct token *from, struct token *to)
{
    to->used_ms = from->used_ms;
    memcpy(to->used_from, from->used_from, sizeof to->used_from);
}

void tokens_fill_use(struct tokens *tokens, struct token *token)
{
    pthread_mutex_lock(&tokens->mutex);
    const struct known *known = find_id(tokens, token->id);
    if (known && known->token.used_ms > token->used_ms)
        copy_use(&known->token, token);
    pthread_mutex_unlock(&tokens->mutex);
}

bool tokens_next_expiring(struct tokens *tokens, int64_t after_id, int64_t now_ms, int64_t before_ms,
                          struct token *ret)
{
    bool found = false;
    pthread_mutex_lock(&tokens->mutex);
    for (size_t i = 0; i < tokens->count; i++) {
        const struct token *token = &tokens->known[i].token;
        if (token->id <= after_id || (found && token->id > ret->id) || token->expires_ms <= now_ms ||
            token->expires_ms >= before_ms)
            continue;
        found = true;
        *ret = *token;
    }
    pthread_mutex_unlock(&tokens->mutex);
    return found;
}

/* ---- Changes ---- */

/* Under the mutex. `change` has checked that there is room. */
static void apply(struct tokens *tokens, const struct token *token)
{
    struct known *known = find_id(tokens, token->id);
    struct token fresh = *token;
    if (known)
        copy_use(&known->token, &fresh);
    if (known && token->revoked_ms)
        *known = tokens->known[--tokens->count];
    else if (known)
        known->token = fresh;
    else if (!token->revoked_ms && tokens->count < TOKENS_MAX)
        tokens->known[tokens->count++] = (struct known){fresh, fresh.used_ms};
}

bool tokens_change(struct tokens *tokens, struct writer *writer, writer_function *change, void *cls,
                   const struct token *token, struct error *err)
{
    pthread_mutex_lock(&tokens->change_mutex); /* else an older change could reach the list last */
    bool ok = writer_call(writer, change, cls, err);
    if (ok) {
        pthread_mutex_lock(&tokens->mutex);
        apply(tokens, token);
        pthread_mutex_unlock(&tokens->mutex);
    }
    pthread_mutex_unlock(&tokens->change_mutex);
    return ok;
}

/* ---- Uses ---- */

bool tokens_store(struct tokens *tokens, struct db *db, int64_t now_ms, struct error *err)
{
    tokens->due_count = 0;
    if (!tokens->store_ms)
        tokens->store_ms = now_ms + STORE_EVERY_MS;
    if (now_ms < tokens->store_ms && !atomic_load(&tokens->is_ending))
        return true;
    pthread_mutex_lock(&tokens->mutex);
    for (size_t i = 0; i < tokens->count; i++)
        if (tokens->known[i].token.used_ms != tokens->known[i].stored_ms)
            tokens->due[tokens->due_count++] = tokens->known[i];
    pthread_mutex_unlock(&tokens->mutex);
    for (size_t i = 0; i < tokens->due_count; i++) {
        const struct token *token = &tokens->due[i].token;
        if (!token_use(db, token->id, token->used_ms, token->used_from, err))
            return false;
    }
    return true;
}

void tokens_end(struct tokens *tokens)
{
    if (tokens)
        atomic_store(&tokens->is_ending, true);
}

void tokens_flushed(struct tokens *tokens, bool committed)
{
    if (!committed || !tokens->due_count)
        return;
    tokens->store_ms = 0;
    pthread_mutex_lock(&tokens->mutex);
    for (size_t i = 0; i < tokens->due_count; i++) {
        struct known *known = find_id(tokens, tokens->due[i].token.id);
        if (known)
            known->stored_ms = tokens->due[i].token.used_ms;
    }
    pthread_mutex_unlock(&tokens->mutex);
}
