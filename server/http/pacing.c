/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/http/pacing.h"

#include <string.h>
#include "base/clock.h"
#include "server/http/transfer.h"
#include "server/http/wire.h"

#define BLOCK_BYTES 16384 /* libmicrohttpd's buffer of one answer */

bool pacing_applies(const struct connection *connection)
{
    const struct listener_config *config = connection->loop->config;
    return connection_is_transfer(connection) && connection->reply.bytes &&
           transfers_are_paced(config->transfers);
}

/* Times of a loop never decrease: each piece is sent after the one before it. So the list is in order. */
static void pause_for(struct connection *connection, int64_t wait_us)
{
    struct loop *loop = connection->loop;
    connection->paused_until_ms = clock_boot_ms() + (wait_us + 999) / 1000;
    TAILQ_INSERT_TAIL(&loop->paused, connection, in_paused);
    connection->is_paused = true;
    if (connection->place == PLACE_DAEMON)
        MHD_suspend_connection(connection->mhd);
}

bool pacing_take(struct connection *connection, uint64_t left)
{
    int64_t wait_us = 0;
    if (!connection->piece)
        connection->piece = transfers_take(connection->loop->config->transfers, left, &wait_us);
    if (wait_us >= 1000)
        pause_for(connection, wait_us);
    return !connection->is_paused;
}

static ssize_t read_piece(void *cls, uint64_t position, char *out, size_t size)
{
    struct connection *connection = cls;
    const struct reply *reply = &connection->reply;
    if (position >= reply->size)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (!pacing_take(connection, reply->size - position))
        return 0;
    size_t piece = connection->piece < size ? (size_t)connection->piece : size;
    memcpy(out, (const char *)reply->bytes + position, piece);
    connection->piece -= piece;
    return (ssize_t)piece;
}

struct MHD_Response *pacing_response(struct connection *connection)
{
    struct MHD_Response *response =
        MHD_create_response_from_callback(connection->reply.size, BLOCK_BYTES, read_piece, connection, NULL);
    return response ? wire_add_headers(response, &connection->reply) : NULL;
}

struct connection *pacing_next(struct loop *loop, int64_t now_ms)
{
    struct connection *connection = TAILQ_FIRST(&loop->paused);
    if (!connection || connection->paused_until_ms > now_ms)
        return NULL;
    connection_unpause(connection);
    return connection;
}

int64_t pacing_due_ms(const struct loop *loop)
{
    const struct connection *connection = TAILQ_FIRST(&loop->paused);
    return connection ? connection->paused_until_ms : INT64_MAX;
}
