/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
/* Sessions of the console, and one-time codes that begin one.

   The sessions are in memory and in the database, so that the loop of a listener can look one up without
   I/O. The codes are only in memory. Of both only the SHA-256 is kept. A session ends SESSION_IDLE_MS after
   its last use, SESSION_MAX_MS after its login, when its token is gone, or when SESSIONS_MAX others were
   used later. Times are UTC in milliseconds, except where the boot clock is named. */
#ifndef DFOTA_SERVER_CONSOLE_SESSIONS_H
#define DFOTA_SERVER_CONSOLE_SESSIONS_H

#include "base/clock.h"
#include "server/access/secret.h"
#include "server/db/writer.h"
#include "storage/session.h"

#define SESSION_IDLE_MS  (12 * HOUR_MS)
#define SESSION_MAX_MS   (7 * DAY_MS)
#define SESSION_CODE_MS  (10 * MINUTE_MS)
#define SESSIONS_MAX     256
#define SESSION_CODE_MAX 32 /* codes that wait; the oldest is dropped */

struct sessions;
struct tokens;

/* Reads the stored sessions, and removes those that have ended or whose token is not in the list. For the
   start: `db` is the writer's connection, and nothing else runs. `tokens` is borrowed. */
bool sessions_open(struct db *db, struct tokens *tokens, struct sessions **ret, struct error *err);
void sessions_close(struct sessions *sessions); /* NULL is fine */

/* The session with this secret, and notes its use. False: there is none, or it has ended. Quick, any
   thread. */
bool sessions_find(struct sessions *sessions, struct slice secret, int64_t now_ms, struct session *ret);
/* Whether the session with this hash, or the token with this hash, still counts. Notes no use. Any thread. */
bool sessions_is_alive(struct sessions *sessions, const struct sha256 *hash, int64_t now_ms);
bool sessions_token_is_known(const struct sessions *sessions, const struct sha256 *token, int64_t now_ms);
/* When the session ends if it is not used again. */
int64_t session_end_ms(const struct session *session);

/* Begins a session of the token. `secret` is for the cookie. Worker thread. */
bool sessions_begin(struct sessions *sessions, struct writer *writer, const struct sha256 *token,
                    int64_t now_ms, char secret[SECRET_SIZE], struct error *err);
/* Ends the session with this secret; fine without one. Worker thread. */
bool sessions_end(struct sessions *sessions, struct writer *writer, struct slice secret, struct error *err);

/* Makes a one-time code for the token. now_ms: boot clock. Any thread. */
bool sessions_make_code(struct sessions *sessions, const struct sha256 *token, int64_t now_ms,
                        char code[SECRET_SIZE], struct error *err);
/* Takes the code: it cannot be used again. False: it is not known, was used, or is too old. Any thread. */
bool sessions_take_code(struct sessions *sessions, struct slice code, int64_t now_ms,
                        struct sha256 *ret_token);

/* For struct writer_flush: stores when sessions were used. Writer's thread. */
bool sessions_store(struct sessions *sessions, struct db *db, struct error *err);
void sessions_flushed(struct sessions *sessions, bool committed);

#endif
