/* SPDX-FileCopyrightText: The dfota authors
   SPDX-License-Identifier: Apache-2.0 */
#include "server/db/blob_commit.h"

#include <pthread.h>

#include "server/core/log.h"
#include "server/core/stop_point.h"
#include "storage/image_package.h"

/* One upload at a time from the final name of its file to the commit or the removal. Else a failed upload could remove
   the file of another upload with the same bytes, before that one is committed. */
static pthread_mutex_t keeping = PTHREAD_MUTEX_INITIALIZER;

struct leftover {
    struct blobs *blobs;
    const struct sha256 *hash;
    bool removed;
};

/* Writer's thread. Packages become ready in this thread too, so no package begins to use the blob meanwhile. */
static bool remove_unused(void *cls, struct db *db, struct error *err)
{
    struct leftover *left = cls;
    bool used;
    if (!image_uses_blob(db, left->hash, &used, err))
        return false;
    left->removed = !used && blob_remove(left->blobs, left->hash, err);
    return used || left->removed;
}

static bool take_away(struct writer *writer, struct blobs *blobs, const struct sha256 *hash)
{
    struct leftover left = {blobs, hash, false};
    struct error err;
    if (!writer_call_alone(writer, remove_unused, &left, &err)) /* the next start removes it */
        log_line(LOG_LEVEL_WARN, "blob-left", "error", err.text, NULL);
    return left.removed;
}

size_t blob_remove_unused(struct writer *writer, struct blobs *blobs, const struct sha256 *hashes,
                          size_t count)
{
    size_t removed = 0;
    for (size_t i = 0; i < count; i++) {
        pthread_mutex_lock(&keeping); /* for each file alone: uploads wait meanwhile */
        removed += take_away(writer, blobs, &hashes[i]);
        pthread_mutex_unlock(&keeping);
    }
    return removed;
}

static bool keep(struct writer *writer, struct blobs *blobs, struct blob_writer *blob,
                 struct sha256 *ret_hash, writer_function *add, void *cls, struct error *err)
{
    if (!blob_keep(blob, ret_hash, err))
        return false;
    stop_point("upload-renamed");
    if (writer_call(writer, add, cls, err))
        return true;
    take_away(writer, blobs, ret_hash);
    return false;
}

bool blob_commit(struct writer *writer, struct blobs *blobs, struct blob_writer *blob,
                 struct sha256 *ret_hash, writer_function *add, void *cls, struct error *err)
{
    pthread_mutex_lock(&keeping);
    bool ok = keep(writer, blobs, blob, ret_hash, add, cls, err);
    pthread_mutex_unlock(&keeping);
    return ok;
}
