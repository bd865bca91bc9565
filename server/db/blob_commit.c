/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/db/blob_commit.h"

#include <pthread.h>

#include "server/core/log.h"
#include "server/core/stop_point.h"
#include "storage/image.h"

/* A blob that a failed upload takes away again must not be the one that another upload has just kept and not
   committed: from the file's final name to the commit, or to the removal, there is one upload at a time. */
static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;

struct leftover {
    struct blobs *blobs;
    const struct sha256 *hash;
};

/* In the writer's thread, where packages become ready too: nobody can begin to use the blob meanwhile. */
static bool remove_unused(void *cls, struct db *db, struct error *err)
{
    const struct leftover *left = cls;
    bool used;
    return image_uses_blob(db, left->hash, &used, err) && (used || blob_remove(left->blobs, left->hash, err));
}

static void take_away(struct daemon *daemon, const struct sha256 *hash)
{
    struct leftover left = {daemon->blobs, hash};
    struct error err;
    if (!writer_call_alone(daemon->writer, remove_unused, &left, &err)) /* the next start sweeps it away */
        log_line(LOG_LEVEL_WARN, "blob-left", "error", err.text, NULL);
}

void blob_remove_unused(struct daemon *daemon, const struct sha256 *hashes, size_t count)
{
    pthread_mutex_lock(&keeping);
    for (size_t i = 0; i < count; i++)
        take_away(daemon, &hashes[i]);
    pthread_mutex_unlock(&keeping);
}

static bool keep(struct daemon *daemon, struct blob_writer *blob, struct sha256 *ret_hash,
                 bool (*add)(void *cls, struct db *db, struct error *err), void *cls, struct error *err)
{
    if (!blob_keep(blob, ret_hash, err))
        return false;
    stop_point("upload-renamed");
    if (writer_call(daemon->writer, add, cls, err))
        return true;
    take_away(daemon, ret_hash);
    return false;
}

bool blob_commit(struct daemon *daemon, struct blob_writer *blob, struct sha256 *ret_hash,
                 bool (*add)(void *cls, struct db *db, struct error *err), void *cls, struct error *err)
{
    pthread_mutex_lock(&keeping);
    bool ok = keep(daemon, blob, ret_hash, add, cls, err);
    pthread_mutex_unlock(&keeping);
    return ok;
}
